// Package eventbridge is Amazon EventBridge: event buses and rules, connections
// with their managed secrets and OAuth tokens, API destinations, and the
// delivery of events with retries and dead letters, rules on a schedule, and
// archives with their replays.
//
// It promises that every accepted event is delivered to every target it
// matches or ends in the target's dead-letter queue, unless the queue itself
// refuses it. Deliveries, authorizations, deletions and replays run in the
// background; Idle waits for them and Close ends them. Whoever drives the clock
// goes from one Due time to the next, and Settles at each.
package eventbridge

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
)

// Config is what EventBridge depends on. All but Log and Metrics is required.
type Config struct {
	Account   access.Account
	Auth      access.Authorizer
	Clock     clockwork.Clock
	Secrets   Secrets
	Keys      Keys
	Queues    Queues
	Functions Functions
	Roles     Roles
	// HTTP reaches authorization endpoints and destinations.
	HTTP    http.RoundTripper
	Log     *slog.Logger // nil for silence
	Metrics Metrics      // nil for none
	// Observe is told every step of every event, from any goroutine; it must
	// neither block nor call the service. nil for nobody.
	Observe func(Step)
}

// Secrets holds the secrets of connections. CreateOwnedSecret makes a secret
// that only owningService may write.
type Secrets interface {
	CreateOwnedSecret(ctx context.Context, owningService string, in *secretsmanager.CreateSecretInput) (*secretsmanager.CreateSecretOutput, error)
	PutSecretValue(context.Context, *secretsmanager.PutSecretValueInput) (*secretsmanager.PutSecretValueOutput, error)
	UpdateSecret(context.Context, *secretsmanager.UpdateSecretInput) (*secretsmanager.UpdateSecretOutput, error)
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput) (*secretsmanager.GetSecretValueOutput, error)
	DeleteSecret(context.Context, *secretsmanager.DeleteSecretInput) (*secretsmanager.DeleteSecretOutput, error)
}

// Keys encrypt the events of a bus or an archive and are checked before a
// connection takes one.
type Keys interface {
	DescribeKey(context.Context, *kms.DescribeKeyInput) (*kms.DescribeKeyOutput, error)
	ListResourceTags(context.Context, *kms.ListResourceTagsInput) (*kms.ListResourceTagsOutput, error)
	GenerateDataKey(context.Context, *kms.GenerateDataKeyInput) (*kms.GenerateDataKeyOutput, error)
	Decrypt(context.Context, *kms.DecryptInput) (*kms.DecryptOutput, error)
	ReEncrypt(context.Context, *kms.ReEncryptInput) (*kms.ReEncryptOutput, error)
}

// Queues are targets and dead-letter queues.
type Queues interface {
	SendMessage(context.Context, *sqs.SendMessageInput) (*sqs.SendMessageOutput, error)
}

// Functions are targets.
type Functions interface {
	Invoke(context.Context, *lambda.InvokeInput) (*lambda.InvokeOutput, error)
}

// Roles lends a rule the role of its target. Identify tells whose temporary
// credentials these are. The service-linked role is
// AWSServiceRoleForAmazonEventBridgeApiDestinations; its policy is the role
// keeper's to know.
type Roles interface {
	AssumeRole(context.Context, *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error)
	Identify(accessKeyID string) (access.Principal, error)
	CreateServiceLinkedRole(context.Context, *iam.CreateServiceLinkedRoleInput) (*iam.CreateServiceLinkedRoleOutput, error)
}

// Service is EventBridge in one account and Region.
type Service struct {
	Config
	mu           sync.Mutex // guards what follows and all that it holds
	buses        map[string]*bus
	connections  map[string]*connection
	destinations map[string]*destination
	archives     map[string]*archive
	replays      map[string]*replay
	tags         map[string]map[string]string // by resource ARN
	alarm        clockwork.Timer              // for the next rule on a schedule; nil for none
	linked       atomic.Bool                  // the service-linked role is there
	work         *work
}

// New returns an EventBridge with nothing but the default event bus.
func New(config Config) *Service {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{
		Config:       config,
		buses:        map[string]*bus{},
		connections:  map[string]*connection{},
		destinations: map[string]*destination{},
		archives:     map[string]*archive{},
		replays:      map[string]*replay{},
		tags:         map[string]map[string]string{},
		work:         newWork(config.Clock),
	}
	s.buses[defaultBus] = s.newBus(defaultBus)
	s.tags[s.busARN(defaultBus)] = map[string]string{}
	return s
}

// Close stops all schedules and background work and waits for it. Events still
// on their way are lost.
func (s *Service) Close() {
	s.work.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.alarm != nil {
		s.alarm.Stop()
	}
}

// Idle runs the scheduled rules that are due by now. It then waits until no
// delivery, authorization, deletion or replay is under way or waits for its
// next step, or until ctx is done; not for what schedules bring later.
func (s *Service) Idle(ctx context.Context) error {
	s.runDue()
	return s.work.idle(ctx)
}

// Due is when the service next does something by itself: another attempt, a
// turn within a rate limit, a step of a replay, a rule on a schedule. It is zero
// when nothing waits for a time.
func (s *Service) Due() time.Time {
	s.mu.Lock()
	next := s.nextScheduled()
	s.mu.Unlock()
	if due := s.work.due(); next.IsZero() || (!due.IsZero() && due.Before(next)) {
		next = due
	}
	return next
}

// Settle begins what is due by now and waits until everything that is left
// waits for a later time, or until ctx is done. A request that is under way is
// not over until it is answered: where nobody answers, the clock has to move on
// beside Settle for its time-out.
func (s *Service) Settle(ctx context.Context) error {
	s.runDue()
	return s.work.settle(ctx)
}

func (s *Service) now() time.Time { return s.Clock.Now().UTC() }

// within returns a context that ends after d, with the cause DeadlineExceeded.
func (s *Service) within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := s.Clock.AfterFunc(d, func() { cancel(context.DeadlineExceeded) })
	return ctx, func() {
		timer.Stop()
		cancel(nil)
	}
}

func (s *Service) authorize(ctx context.Context, action, resource string) error {
	return s.Auth.Authorize(ctx, access.Request{Action: "events:" + action, Resource: resource})
}

// asService makes EventBridge itself the caller, on behalf of one of its resources.
func asService(ctx context.Context, sourceARN string) context.Context {
	return access.WithCaller(ctx, access.Principal{Service: "events.amazonaws.com", SourceARN: sourceARN})
}

// onBehalf passes the caller's request on to another service.
func (s *Service) onBehalf(ctx context.Context) context.Context {
	return access.WithCaller(ctx, access.Caller(ctx).Through("events", s.Account.Region))
}

func tagged(tags []types.Tag) map[string]string {
	set := map[string]string{}
	for _, tag := range tags {
		set[value(tag.Key)] = value(tag.Value)
	}
	return set
}
