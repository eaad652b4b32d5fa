// Package cognito is Amazon Cognito user pools as far as machines need them:
// pools, prefix domains, resource servers and app clients with one or two
// secrets, and the two hosts that OAuth clients and verifiers talk to: the
// token endpoint, which signs real access tokens, and the pool's public keys.
// Users, sign-in and triggers are refused by name.
// https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-define-resource-servers.html
package cognito

import (
	"context"
	"crypto/rand"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/smithy-go"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
)

// Config is what a Service depends on.
type Config struct {
	Account access.Account
	Auth    access.Authorizer
	Clock   clockwork.Clock // dates everything, tokens included
}

// Service is Cognito user pools in one account and Region. It is safe for
// concurrent use.
type Service struct {
	Config

	mu sync.Mutex
	// pools are in order of creation. What they hold is replaced as a whole and
	// never changed in place, so that outputs may share it.
	pools []*pool
}

// New returns a Service without user pools.
func New(config Config) *Service { return &Service{Config: config} }

// pool is a user pool with everything in it.
type pool struct {
	settings types.UserPoolType
	domain   *domain
	servers  []types.ResourceServerType
	clients  []*client
	key      func() *signingKey
}

func (s *Service) arn(poolID string) string { return s.Account.ARN("cognito-idp", "userpool/"+poolID) }

// authorize asks whether the caller may do an operation on a pool.
func (s *Service) authorize(ctx context.Context, operation string, poolID *string) error {
	if aws.ToString(poolID) == "" {
		return missing("userPoolId")
	}
	return s.Auth.Authorize(ctx, access.Request{Action: "cognito-idp:" + operation, Resource: s.arn(*poolID)})
}

// authorizeAny is for operations that name no pool.
func (s *Service) authorizeAny(ctx context.Context, operation string) error {
	return s.Auth.Authorize(ctx, access.Request{Action: "cognito-idp:" + operation, Resource: "*"})
}

// pool returns the pool of an id; s.mu is held.
func (s *Service) pool(id *string) (*pool, error) {
	for _, p := range s.pools {
		if *p.settings.Id == aws.ToString(id) {
			return p, nil
		}
	}
	return nil, notFound("User pool %s does not exist.", aws.ToString(id))
}

// locked runs f on a pool that the caller was authorized for.
func (s *Service) locked(ctx context.Context, operation string, poolID *string, f func(*pool) error) error {
	if err := s.authorize(ctx, operation, poolID); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.pool(poolID)
	if err != nil {
		return err
	}
	return f(p)
}

// onlySupported refuses the first field of an input that is set and not among
// those that this package acts on or stores.
func onlySupported(input any, fields ...string) error {
	v := reflect.ValueOf(input).Elem()
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.IsExported() && !v.Field(i).IsZero() && !slices.Contains(fields, field.Name) {
			return &smithy.GenericAPIError{
				Code:    "ValidationException",
				Message: field.Name + " is not supported by the local endpoint: leave it out, or try it on AWS.",
			}
		}
	}
	return nil
}

// expect checks a required text against a pattern of the API reference.
func expect(field string, value *string, pattern *regexp.Regexp) error {
	if value == nil {
		return missing(field)
	}
	if !pattern.MatchString(*value) {
		return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy regular expression pattern: %s", *value, field, pattern)
	}
	return nil
}

func missing(field string) error {
	return invalid("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", field)
}

func invalid(format string, arguments ...any) error {
	return &types.InvalidParameterException{Message: aws.String(fmt.Sprintf(format, arguments...))}
}

func notFound(format string, arguments ...any) error {
	return &types.ResourceNotFoundException{Message: aws.String(fmt.Sprintf(format, arguments...))}
}

const (
	lowerAlphanumeric = "abcdefghijklmnopqrstuvwxyz0123456789"
	alphanumeric      = lowerAlphanumeric + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// random returns n characters of an alphabet; each is as likely as the others.
func random(n int, alphabet string) string {
	var text strings.Builder
	one := make([]byte, 1)
	for text.Len() < n {
		_, _ = rand.Read(one) // never fails
		if int(one[0]) < 256-256%len(alphabet) {
			text.WriteByte(alphabet[int(one[0])%len(alphabet)])
		}
	}
	return text.String()
}
