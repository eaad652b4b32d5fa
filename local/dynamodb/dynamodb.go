// Package dynamodb keeps tables of items in memory: tables with a partition key
// that are billed by request, conditional writes, a time to live, and keys of
// the user's own. What it differs in from Amazon DynamoDB: there are no sort
// keys, indexes, streams or updates of single attributes, all reads are
// consistent, and an item whose time is over goes at once and not within days.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/Welcome.html
package dynamodb

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
)

// Keys is how a table that is encrypted under a KMS key uses it.
type Keys interface {
	DescribeKey(context.Context, *kms.DescribeKeyInput) (*kms.DescribeKeyOutput, error)
	CreateGrant(context.Context, *kms.CreateGrantInput) (*kms.CreateGrantOutput, error)
	GenerateDataKey(context.Context, *kms.GenerateDataKeyInput) (*kms.GenerateDataKeyOutput, error)
	Decrypt(context.Context, *kms.DecryptInput) (*kms.DecryptOutput, error)
	Encrypt(context.Context, *kms.EncryptInput) (*kms.EncryptOutput, error)
	ReEncrypt(context.Context, *kms.ReEncryptInput) (*kms.ReEncryptOutput, error)
}

// Config is what the service builds on.
type Config struct {
	Account access.Account
	Auth    access.Authorizer
	Clock   clockwork.Clock
	Keys    Keys
}

// Service is Amazon DynamoDB in one account and Region. It is safe for
// concurrent use.
type Service struct {
	config Config

	mu     sync.Mutex
	tables map[string]*table // by name
}

// New returns a service without tables.
func New(config Config) *Service { return &Service{config: config, tables: map[string]*table{}} }

type table struct {
	name, id  string
	created   time.Time
	key       types.AttributeDefinition // of the partition
	protected bool                      // against deletion
	tags      map[string]string
	lives     string    // attribute that holds the time to live; empty for none
	recovery  int32     // days of point-in-time recovery; 0 for none
	recovers  time.Time // since when
	encryption
	items items
}

// with does something to a table, with the lock held, if the caller may.
func (s *Service) with(ctx context.Context, action string, nameOrARN *string, do func(*table) error) error {
	name := strings.TrimPrefix(aws.ToString(nameOrARN), s.arn(""))
	if name == "" {
		return invalid("TableName is missing: give the table's name or ARN")
	}
	if err := s.authorize(ctx, action, name); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.tables[name]
	if found == nil {
		return notFound(action, name)
	}
	return do(found)
}

func (s *Service) authorize(ctx context.Context, action, name string) error {
	return s.config.Auth.Authorize(ctx, access.Request{Action: "dynamodb:" + action, Resource: s.arn(name)})
}

func (s *Service) arn(name string) string { return s.config.Account.ARN("dynamodb", "table/"+name) }

// notFound names the table only where the operation is about tables.
func notFound(action, name string) error {
	message := "Requested resource not found"
	if !strings.HasSuffix(action, "Item") && action != "Scan" && action != "Query" {
		message += ": Table: " + name + " not found"
	}
	return &types.ResourceNotFoundException{Message: aws.String(message)}
}

// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html
func invalid(format string, a ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: fmt.Sprintf(format, a...)}
}

func invalidValue(format string, a ...any) error {
	return invalid("One or more parameter values were invalid: "+format, a...)
}

// unsupported refuses the members that the local endpoint does not know. It is
// given names and whether each is set, in turn.
func unsupported(members ...any) error {
	var names []string
	for i := 0; i < len(members); i += 2 {
		if members[i+1].(bool) {
			names = append(names, members[i].(string))
		}
	}
	if len(names) == 0 {
		return nil
	}
	return invalid("%s: the local endpoint does not support it; leave it out", strings.Join(names, ", "))
}
