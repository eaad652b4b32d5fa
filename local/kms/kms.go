// Package kms keeps keys and encrypts with them for real: AES-256-GCM, with the
// encryption context bound to the ciphertext and the key policy asked each time.
// https://docs.aws.amazon.com/kms/latest/APIReference/Welcome.html
package kms

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	"github.com/google/uuid"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
)

// Config is what the service builds on.
type Config struct {
	Account access.Account
	Auth    access.Authorizer
	Clock   clockwork.Clock
}

// Service is AWS KMS in one account and Region. It is safe for concurrent use.
type Service struct {
	Config

	mu      sync.RWMutex
	keys    []*key // in order of creation
	aliases map[string]*alias
}

// New returns a service without keys of the user's.
func New(config Config) *Service {
	return &Service{Config: config, aliases: map[string]*alias{}}
}

type key struct {
	id, arn, policy, description string
	spec                         types.KeySpec
	usage                        types.KeyUsageType
	manager                      types.KeyManagerType
	tags                         []types.Tag
	created                      time.Time
	disabled                     bool
	deletion                     time.Time // zero if it is not pending deletion
	rotationDays                 int32     // zero for no automatic rotation
	material                     []byte    // of a symmetric key
	grants                       []types.GrantListEntry
}

type alias struct {
	target  *key
	created time.Time
}

// state of a key now.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
func (k *key) state() types.KeyState {
	switch {
	case !k.deletion.IsZero():
		return types.KeyStatePendingDeletion
	case k.disabled:
		return types.KeyStateDisabled
	}
	return types.KeyStateEnabled
}

// find takes a key id, a key ARN, an alias name or an alias ARN, and makes the
// AWS managed key where a service's alias is asked for. It needs the lock held.
func (s *Service) find(id *string) (*key, error) {
	wanted := aws.ToString(id)
	if wanted == "" {
		return nil, validation("KeyId is missing: give a key id, a key ARN, or an alias")
	}
	s.purge()
	name := wanted
	if _, resource, isARN := strings.Cut(wanted, ":kms:"+s.Account.Region+":"+s.Account.ID+":"); isARN {
		name = resource
	}
	if strings.HasPrefix(name, "alias/") {
		if held := s.aliases[name]; held != nil {
			return held.target, nil
		}
		if service, reserved := strings.CutPrefix(name, "alias/aws/"); reserved && slices.Contains(managedServices, service) {
			return s.managed(service), nil
		}
		return nil, notFound(fmt.Sprintf("Alias %s is not found.", s.Account.ARN("kms", name)))
	}
	name = strings.TrimPrefix(name, "key/")
	for _, held := range s.keys {
		if held.id == name {
			return held, nil
		}
	}
	if strings.HasPrefix(wanted, "arn:") {
		return nil, notFound(fmt.Sprintf("Key '%s' does not exist", wanted))
	}
	if uuid.Validate(name) != nil {
		return nil, notFound(fmt.Sprintf("Invalid keyId '%s'", wanted))
	}
	return nil, notFound(fmt.Sprintf("Key '%s' does not exist", s.Account.ARN("kms", "key/"+name)))
}

// purge forgets keys whose waiting period is over, with their aliases.
func (s *Service) purge() {
	kept := s.keys[:0:0]
	for _, held := range s.keys {
		if held.deletion.IsZero() || held.deletion.After(s.Clock.Now()) {
			kept = append(kept, held)
			continue
		}
		for name, a := range s.aliases {
			if a.target == held {
				delete(s.aliases, name)
			}
		}
	}
	s.keys = kept
}

// managedServices are those for which AWS keeps a key here.
var managedServices = []string{"dynamodb", "events", "secretsmanager", "sqs"}

// managed is the key that AWS keeps for a service in this account: everybody
// here may use it, by way of that service only.
// https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-cmk
func (s *Service) managed(service string) *key {
	made := s.newKey()
	made.manager = types.KeyManagerTypeAws
	made.policy = document(map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"AWS": "*"}, "Resource": "*",
		"Action": []string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey"},
		"Condition": map[string]any{"StringEquals": map[string]any{
			"kms:CallerAccount": s.Account.ID, "kms:ViaService": service + "." + s.Account.Region + ".amazonaws.com",
		}},
	}, map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"AWS": s.Account.RootARN()}, "Resource": "*",
		"Action": []string{"kms:Describe*", "kms:Get*", "kms:List*"},
	})
	s.keys = append(s.keys, made)
	s.aliases["alias/aws/"+service] = &alias{target: made, created: made.created}
	return made
}

func (s *Service) newKey() *key {
	id := uuid.NewString()
	return &key{
		id: id, arn: s.Account.ARN("kms", "key/"+id), created: s.Clock.Now(), material: newMaterial(),
		spec: types.KeySpecSymmetricDefault, usage: types.KeyUsageTypeEncryptDecrypt, manager: types.KeyManagerTypeCustomer,
	}
}

func document(statements ...map[string]any) string {
	// Maps of text always encode.
	text, _ := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	return string(text)
}

// allowed finds a key for which the caller may do action. The key policy
// governs: without its word no identity policy helps.
// https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
func (s *Service) allowed(ctx context.Context, action string, id *string, encryptionContext map[string]string) (*key, error) {
	s.mu.Lock()
	found, err := s.find(id)
	var request access.Request
	if err == nil {
		request = access.Request{Action: "kms:" + action, Resource: found.arn, Policy: found.policy, PolicyGoverns: true, Conditions: found.conditions(encryptionContext)}
	}
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if access.Caller(ctx).ARN != "" {
		request.Conditions["kms:CallerAccount"] = s.Account.ID
	}
	if action == "CreateGrant" {
		request.Conditions["kms:GrantIsForAWSResource"] = strconv.FormatBool(access.Caller(ctx).Via != "")
	}
	if err := s.Auth.Authorize(ctx, request); err != nil {
		return nil, err
	}
	return found, nil
}

// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
func (k *key) conditions(encryptionContext map[string]string) map[string]string {
	conditions := map[string]string{}
	for name, value := range encryptionContext {
		conditions["kms:EncryptionContext:"+name] = value
	}
	for _, tag := range k.tags {
		conditions["aws:ResourceTag/"+aws.ToString(tag.TagKey)] = aws.ToString(tag.TagValue)
	}
	return conditions
}

// change does something to a key, with the lock held, if the caller may and
// the key is the user's own and in a state for it.
func (s *Service) change(ctx context.Context, action string, id *string, do func(*key) error) error {
	found, err := s.allowed(ctx, action, id, nil)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if found.manager == types.KeyManagerTypeAws {
		return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: fmt.Sprintf("%s is managed by AWS and cannot be changed", found.arn)}
	}
	if !found.deletion.IsZero() && action != "CancelKeyDeletion" {
		return pendingDeletion(found)
	}
	return do(found)
}

func disabled(k *key) error {
	return &types.DisabledException{Message: aws.String(k.arn + " is disabled.")}
}

func pendingDeletion(k *key) error {
	return &types.KMSInvalidStateException{Message: aws.String(k.arn + " is pending deletion.")}
}

func notFound(message string) error {
	return &types.NotFoundException{Message: aws.String(message)}
}

func validation(message string) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: message}
}
