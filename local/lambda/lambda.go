// Package lambda is AWS Lambda for functions on provided.al2023 and
// provided.al2: the compiled bootstrap of a function's archive runs as a
// process of its own under the Lambda Runtime API, with the credentials of its
// role, its environment variables and its log stream, and with nothing of the
// host's environment. Function URLs, versions, aliases, layers, images and VPCs
// are refused by name.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-provided.html
package lambda

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
)

// Roles hands out the credentials of execution roles.
type Roles interface {
	AssumeRole(context.Context, *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error)
}

// Objects holds the archives that functions are created from.
type Objects interface {
	GetObject(context.Context, *s3.GetObjectInput) (*s3.GetObjectOutput, error)
}

// Logs takes what functions print.
type Logs interface {
	CreateLogGroup(context.Context, *cloudwatchlogs.CreateLogGroupInput) (*cloudwatchlogs.CreateLogGroupOutput, error)
	CreateLogStream(context.Context, *cloudwatchlogs.CreateLogStreamInput) (*cloudwatchlogs.CreateLogStreamOutput, error)
	PutLogEvents(context.Context, *cloudwatchlogs.PutLogEventsInput) (*cloudwatchlogs.PutLogEventsOutput, error)
}

// Config is what a Service depends on.
type Config struct {
	Account access.Account
	Auth    access.Authorizer
	// Clock drives retries of asynchronous invocations, the end of idle
	// execution environments, credentials and log timestamps. Timeouts are real
	// time, because functions are real processes that read their deadline off
	// the machine's clock.
	Clock   clockwork.Clock
	Roles   Roles
	Objects Objects
	Logs    Logs
	// Environment is added to every function's variables, for instance
	// AWS_ENDPOINT_URL, so that the function finds this endpoint and not AWS.
	Environment map[string]string
	Metrics     Metrics // nil for silence
	Log         *slog.Logger
}

// Service is Lambda in one account and Region. It is safe for concurrent use.
type Service struct {
	Config

	mu        sync.Mutex
	functions map[string]*function
	running   int                    // invocations that hold an execution environment
	sandboxes map[*sandbox]struct{}  // every execution environment whose process lives
	busy      int                    // accepted invocations that are not waiting for a retry
	waiting   map[*attempt]time.Time // retries, and when they are due
	changed   chan struct{}          // closed and replaced when busy or waiting change
	closing   chan struct{}          // closed by Close
	work      sync.WaitGroup         // goroutines that Close waits for
}

// New returns a Service without functions. Close stops its processes.
func New(config Config) *Service {
	return &Service{
		Config:    config,
		functions: map[string]*function{},
		sandboxes: map[*sandbox]struct{}{},
		waiting:   map[*attempt]time.Time{},
		changed:   make(chan struct{}),
		closing:   make(chan struct{}),
	}
}

// Idle waits until no invocation runs or is about to: asynchronous retries that
// are due count, those that wait for their time do not.
func (s *Service) Idle(ctx context.Context) error {
	for {
		s.mu.Lock()
		idle, changed := s.idle(), s.changed
		s.mu.Unlock()
		if idle {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *Service) idle() bool {
	if s.busy > 0 {
		return false
	}
	now := s.Clock.Now()
	for _, due := range s.waiting {
		if !due.After(now) {
			return false
		}
	}
	return true
}

// Close kills every function's process group, waits for all of them and
// removes their code. Invocations that run fail; later ones are refused.
func (s *Service) Close() {
	s.mu.Lock()
	if s.closed() {
		s.mu.Unlock()
		s.work.Wait()
		return
	}
	close(s.closing)
	for b := range s.sandboxes {
		b.stop()
	}
	for _, f := range s.functions {
		s.retire(f.code)
	}
	s.functions = map[string]*function{}
	s.mu.Unlock()
	s.work.Wait()
}

func (s *Service) closed() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// begin counts an accepted invocation; it reports false once the service closes.
func (s *Service) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed() {
		return false
	}
	s.busy++
	s.work.Add(1)
	return true
}

func (s *Service) end() {
	s.mu.Lock()
	s.busy--
	s.notify()
	s.mu.Unlock()
	s.work.Done()
}

// notify wakes Idle; s.mu is held.
func (s *Service) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}
