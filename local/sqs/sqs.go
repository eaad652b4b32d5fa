// Package sqs keeps standard queues, with messages encrypted under a customer
// managed key where a queue has one.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/Welcome.html
package sqs

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
)

// Keys is how an encrypted queue uses its key.
type Keys interface {
	GenerateDataKey(context.Context, *kms.GenerateDataKeyInput) (*kms.GenerateDataKeyOutput, error)
	Decrypt(context.Context, *kms.DecryptInput) (*kms.DecryptOutput, error)
}

// Config is what the service builds on.
type Config struct {
	Account  access.Account
	Auth     access.Authorizer
	Clock    clockwork.Clock
	Keys     Keys
	QueueURL string  // what a queue's URL begins with, for instance http://127.0.0.1:4566
	Metrics  Metrics // nil for silence
}

// Service is Amazon SQS.
type Service struct {
	config Config

	mu     sync.Mutex
	queues map[string]*queue
	signal chan struct{} // closed and renewed when a message arrives or is shown again
}

type queue struct {
	created    time.Time
	modified   time.Time // its attributes
	purged     time.Time
	attributes map[string]string
	tags       map[string]string
	messages   []*message
	moves      []types.ListMessageMoveTasksResultEntry // the newest first
}

// New returns a service without queues.
func New(config Config) *Service {
	return &Service{config: config, queues: map[string]*queue{}, signal: make(chan struct{})}
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
var queueName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`) })

// CreateQueue makes a standard queue, or returns the one that is like it already.
func (s *Service) CreateQueue(ctx context.Context, in *sqs.CreateQueueInput) (*sqs.CreateQueueOutput, error) {
	name := aws.ToString(in.QueueName)
	if err := s.authorize(ctx, "CreateQueue", name, ""); err != nil {
		return nil, err
	}
	if strings.HasSuffix(name, ".fifo") || in.Attributes["FifoQueue"] == "true" {
		return nil, unsupported("FIFO queues: the local endpoint has standard queues only")
	}
	if !queueName().MatchString(name) {
		return nil, invalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	if err := check(in.Attributes); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if held := s.queues[name]; held != nil {
		for attribute, value := range in.Attributes {
			if held.attributes[attribute] != value {
				return nil, &types.QueueNameExists{Message: aws.String("A queue already exists with the same name and a different value for attribute " + attribute)}
			}
		}
		return &sqs.CreateQueueOutput{QueueUrl: aws.String(s.url(name))}, nil
	}
	if err := s.checkRedrive(name, in.Attributes); err != nil {
		return nil, err
	}
	now := s.config.Clock.Now()
	made := &queue{created: now, modified: now, attributes: map[string]string{}, tags: maps.Clone(in.Tags)}
	for attribute, bound := range bounds {
		if bound.preset != "" {
			made.attributes[attribute] = bound.preset
		}
	}
	made.set(in.Attributes)
	s.queues[name] = made
	return &sqs.CreateQueueOutput{QueueUrl: aws.String(s.url(name))}, nil
}

// GetQueueUrl finds a queue by its name.
func (s *Service) GetQueueUrl(ctx context.Context, in *sqs.GetQueueUrlInput) (*sqs.GetQueueUrlOutput, error) {
	_, err := s.with(ctx, "GetQueueUrl", aws.String(s.url(aws.ToString(in.QueueName))), func(*queue) {})
	if err != nil {
		return nil, err
	}
	return &sqs.GetQueueUrlOutput{QueueUrl: aws.String(s.url(aws.ToString(in.QueueName)))}, nil
}

// DeleteQueue removes a queue with its messages.
func (s *Service) DeleteQueue(ctx context.Context, in *sqs.DeleteQueueInput) (*sqs.DeleteQueueOutput, error) {
	_, err := s.with(ctx, "DeleteQueue", in.QueueUrl, func(*queue) { delete(s.queues, named(in.QueueUrl)) })
	return &sqs.DeleteQueueOutput{}, err
}

// PurgeQueue removes every message, at most once a minute.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html
func (s *Service) PurgeQueue(ctx context.Context, in *sqs.PurgeQueueInput) (*sqs.PurgeQueueOutput, error) {
	var refusal error
	_, err := s.with(ctx, "PurgeQueue", in.QueueUrl, func(q *queue) {
		now := s.config.Clock.Now()
		if now.Sub(q.purged) < time.Minute {
			refusal = &types.PurgeQueueInProgress{Message: aws.String("Only one PurgeQueue operation on " + named(in.QueueUrl) + " is allowed every 60 seconds.")}
			return
		}
		q.purged, q.messages = now, nil
	})
	if err == nil {
		err = refusal
	}
	return &sqs.PurgeQueueOutput{}, err
}

// ListQueues lists queues by name.
func (s *Service) ListQueues(ctx context.Context, in *sqs.ListQueuesInput) (*sqs.ListQueuesOutput, error) {
	if err := s.config.Auth.Authorize(ctx, access.Request{Action: "sqs:ListQueues", Resource: "*"}); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var urls []string
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		if strings.HasPrefix(name, aws.ToString(in.QueueNamePrefix)) {
			urls = append(urls, s.url(name))
		}
	}
	listed, next, err := page(urls, in.MaxResults, in.NextToken)
	return &sqs.ListQueuesOutput{QueueUrls: listed, NextToken: next}, err
}

// page is the part of the sorted URLs after the one that is the token. Without
// a limit it has a thousand, and no token for more.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueues.html
func page(urls []string, limit *int32, token *string) (listed []string, next *string, err error) {
	if limit != nil && (*limit < 1 || *limit > 1000) {
		return nil, nil, invalid(fmt.Sprintf("Value %d for parameter MaxResults is invalid. Reason: Must be between 1 and 1000, if provided.", *limit))
	}
	if token != nil {
		urls = slices.DeleteFunc(urls, func(url string) bool { return named(&url) <= named(token) })
	}
	most := int(aws.ToInt32(limit))
	switch {
	case limit == nil:
		return urls[:min(len(urls), 1000)], nil, nil
	case len(urls) <= most:
		return urls, nil, nil
	}
	return urls[:most], &urls[most-1], nil
}

// with does something to a queue, with the lock held, if the caller may.
func (s *Service) with(ctx context.Context, action string, url *string, do func(*queue)) (name string, err error) {
	name = named(url)
	s.mu.Lock()
	policy := ""
	if held := s.queues[name]; held != nil {
		policy = held.attributes["Policy"]
	}
	s.mu.Unlock()
	if err := s.authorize(ctx, action, name, policy); err != nil {
		return name, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.queues[name]
	if held == nil {
		return name, noQueue()
	}
	do(held)
	return name, nil
}

func noQueue() error {
	return &types.QueueDoesNotExist{Message: aws.String("The specified queue does not exist.")}
}

// wake lets everybody who waits for a message look again. The lock is held.
func (s *Service) wake() {
	close(s.signal)
	s.signal = make(chan struct{})
}

func (s *Service) authorize(ctx context.Context, action, name, policy string) error {
	return s.config.Auth.Authorize(ctx, access.Request{Action: "sqs:" + action, Resource: s.arn(name), Policy: policy})
}

func (s *Service) arn(name string) string { return s.config.Account.ARN("sqs", name) }

func (s *Service) url(name string) string {
	return s.config.QueueURL + "/" + s.config.Account.ID + "/" + name
}

// named takes the queue's name out of its URL.
func named(url *string) string {
	text := aws.ToString(url)
	return text[strings.LastIndex(text, "/")+1:]
}

func unsupported(message string) error {
	return &types.UnsupportedOperation{Message: aws.String(message)}
}
