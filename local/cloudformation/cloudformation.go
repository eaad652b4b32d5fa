// Package cloudformation keeps stacks: it reads templates, works out what has
// to change, and has resource providers make it so in the order of their
// references, with rollback, events, change sets, exports, dynamic references
// and custom resources.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/Welcome.html
package cloudformation

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
)

// Objects holds the templates that TemplateURL names.
type Objects interface {
	GetObject(context.Context, *s3.GetObjectInput) (*s3.GetObjectOutput, error)
}

// Secrets is what dynamic references read.
type Secrets interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput) (*secretsmanager.GetSecretValueOutput, error)
}

// Functions are what stands behind custom resources.
type Functions interface {
	Invoke(context.Context, *lambda.InvokeInput) (*lambda.InvokeOutput, error)
}

// Config is what a Service depends on.
type Config struct {
	Account access.Account
	Auth    access.Authorizer
	// Clock dates events and ends the waits for custom resources.
	Clock clockwork.Clock
	// Types are the resource types, by name. Custom resources are built in.
	Types map[string]Provider
	// Transform expands a template that declares AWS::Serverless-2016-10-31.
	Transform func(map[string]any) (map[string]any, error)
	Objects   Objects
	Secrets   Secrets
	Functions Functions
	// EndpointURL is where TemplateURL may point to, besides amazonaws.com.
	EndpointURL string
	// Patience is how long a request that starts a stack operation waits for
	// its end before it answers. The waiters of SAM CLI and AWS CLI pause 15 to
	// 30 seconds between polls, which a stack that is done at once need not
	// cost. Zero answers at once, as AWS does.
	Patience time.Duration
}

// Service is CloudFormation in one account and Region. It is safe for
// concurrent use. Every stack operation runs as the principal that asked for it.
type Service struct {
	Config
	running context.Context // ends with Close
	stop    context.CancelFunc
	work    sync.WaitGroup

	mu        sync.Mutex
	stacks    []*stack             // oldest first, deleted ones included
	responses map[string]*response // awaited answers of custom resources, by URL path
}

// New returns a Service without stacks.
func New(config Config) *Service {
	running, stop := context.WithCancel(context.Background())
	return &Service{Config: config, running: running, stop: stop, responses: map[string]*response{}}
}

// Close stops the operations that run, wherever they are, and waits for them.
func (s *Service) Close() {
	s.mu.Lock()
	s.stop()
	s.mu.Unlock()
	s.work.Wait()
}

func (s *Service) authorize(ctx context.Context, action, resource string) error {
	return s.Auth.Authorize(ctx, access.Request{Action: "cloudformation:" + action, Resource: resource})
}

// invalid is CloudFormation's error for whatever is wrong with a request or, in
// the reason of an event, with a resource. The words are mostly AWS's own.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html
func invalid(format string, values ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationError", Message: fmt.Sprintf(format, values...), Fault: smithy.FaultClient}
}

// unsupported refuses a request that sets any of the named members.
func unsupported(set map[string]bool) error {
	var names []string
	for name, given := range set {
		if given {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return invalid("The local endpoint does not support %v: leave it out", names)
}
