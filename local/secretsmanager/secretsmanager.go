// Package secretsmanager keeps secrets: their versions, encrypted under KMS
// keys, and the staging labels that say which version is which.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/Welcome.html
package secretsmanager

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
)

// Keys encrypts and decrypts the values.
type Keys interface {
	GenerateDataKey(context.Context, *kms.GenerateDataKeyInput) (*kms.GenerateDataKeyOutput, error)
	Decrypt(context.Context, *kms.DecryptInput) (*kms.DecryptOutput, error)
}

// Functions rotate secrets.
type Functions interface {
	Invoke(context.Context, *lambda.InvokeInput) (*lambda.InvokeOutput, error)
}

// Events takes what the service announces on the default event bus.
type Events interface {
	Publish(ctx context.Context, source, detailType string, resources []string, detail any)
}

// Config is what the service builds on.
type Config struct {
	Account access.Account
	Auth    access.Authorizer
	Clock   clockwork.Clock
	Keys    Keys
	Events  Events
	// Functions is needed by RotateSecret only.
	Functions Functions
	Log       *slog.Logger // of failed rotations; nil for silence
}

// Service is AWS Secrets Manager in one account and Region, without
// replication. It is safe for concurrent use.
type Service struct {
	Config

	ctx  context.Context // of rotations
	stop context.CancelFunc

	mu      sync.Mutex
	running int             // attempts to rotate
	changed chan struct{}   // closed and replaced when one ends, or those that are due have begun
	timer   clockwork.Timer // for what is due first; nil before there was any
	secrets []*secret       // in order of creation
}

// New returns a service without secrets. Close it after use.
func New(config Config) *Service {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{Config: config, changed: make(chan struct{})}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

type secret struct {
	arn, name, description string
	key                    string // as it was given; empty for the AWS managed key
	owner                  string // the service that manages the secret, if one does
	policy                 string
	tags                   []types.Tag
	created, changed       time.Time
	accessed, deleted      time.Time         // zero for never
	condemned              time.Time         // when a deleted secret goes; zero if it is not deleted
	versions               []*version        // in order of creation
	stages                 map[string]string // staging label: version id
	rotation               rotation
}

type version struct {
	id      string
	created time.Time
	text    bool   // SecretString and not SecretBinary
	sealed  []byte // nil for a version without a value
	dataKey []byte // encrypted under the secret's key
}

// defaultKey encrypts secrets that name no key.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
const defaultKey = "alias/aws/secretsmanager"

// ask authorizes an operation on a secret that is there.
func (s *Service) ask(ctx context.Context, action string, target *secret, conditions map[string]string) error {
	asked := map[string]string{}
	for _, tag := range target.tags {
		asked["aws:ResourceTag/"+aws.ToString(tag.Key)] = aws.ToString(tag.Value)
		asked["secretsmanager:ResourceTag/"+aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	for name, value := range conditions {
		asked[name] = value
	}
	return s.Auth.Authorize(ctx, access.Request{Action: "secretsmanager:" + action, Resource: target.arn, Policy: target.policy, Conditions: asked})
}

// find takes a name, an ARN, or an ARN without its random end. It needs the lock held.
func (s *Service) find(id *string) (*secret, error) {
	wanted := aws.ToString(id)
	if wanted == "" {
		return nil, invalidParameter("SecretId is missing: give the secret's name or ARN")
	}
	s.purge()
	for _, one := range s.secrets {
		if one.arn == wanted || one.name == wanted || strings.HasPrefix(wanted, "arn:") && one.arn[:len(one.arn)-7] == wanted {
			return one, nil
		}
	}
	return nil, notFound("Secrets Manager can't find the specified secret.")
}

// purge forgets deleted secrets whose recovery window is over.
func (s *Service) purge() {
	kept := s.secrets[:0:0]
	for _, one := range s.secrets {
		if one.condemned.IsZero() || one.condemned.After(s.Clock.Now()) {
			kept = append(kept, one)
		}
	}
	s.secrets = kept
}

// alive finds a secret that is not marked for deletion and authorizes the
// operation. It needs the lock held.
func (s *Service) alive(ctx context.Context, action string, id *string, conditions map[string]string) (*secret, error) {
	found, err := s.find(id)
	if err != nil {
		// Without the right to ask, nobody learns whether there is a secret.
		if denied := s.askFor(ctx, action, aws.ToString(id)); denied != nil {
			return nil, denied
		}
		return nil, err
	}
	if err := s.ask(ctx, action, found, conditions); err != nil {
		return nil, err
	}
	if !found.condemned.IsZero() {
		return nil, invalidRequest("You can't perform this operation on the secret because it was marked for deletion.")
	}
	return found, nil
}

// askFor authorizes an operation on a secret that is not there.
func (s *Service) askFor(ctx context.Context, action, name string) error {
	arn := name
	if !strings.HasPrefix(name, "arn:") {
		arn = s.Account.ARN("secretsmanager", "secret:"+name)
	}
	return s.Auth.Authorize(ctx, access.Request{Action: "secretsmanager:" + action, Resource: arn})
}

// newARN ends in six random characters, so that a secret made anew under an
// old name is not taken for the old one.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
func (s *Service) newARN(name string) string {
	return s.Account.ARN("secretsmanager", "secret:"+name+"-"+rand.Text()[:6])
}

func (one *secret) version(id string) *version {
	for _, v := range one.versions {
		if v.id == id {
			return v
		}
	}
	return nil
}

// labels are those of one version.
func (one *secret) labels(id string) []string {
	var found []string
	for label, holder := range one.stages {
		if holder == id {
			found = append(found, label)
		}
	}
	return found
}

func notFound(message string) error {
	return &types.ResourceNotFoundException{Message: aws.String(message)}
}

func invalidParameter(message string) error {
	return &types.InvalidParameterException{Message: aws.String(message)}
}

func accessDenied(message string) error {
	return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: message}
}

func invalidRequest(message string) error {
	return &types.InvalidRequestException{Message: aws.String(message)}
}
