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
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
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
	signal chan struct{} // closed and renewed when a message arrives
}

type queue struct {
	created    time.Time
	attributes map[string]string
	tags       map[string]string
	messages   []*message
}

// New returns a service without queues.
func New(config Config) *Service {
	return &Service{config: config, queues: map[string]*queue{}, signal: make(chan struct{})}
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// bounds are the attributes that a queue may be given: numbers with their
// limits and default, others without.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
var bounds = map[string]struct {
	number      bool
	least, most int
	preset      string
}{
	"DelaySeconds":                  {true, 0, 900, "0"},
	"MaximumMessageSize":            {true, 1024, 1048576, "1048576"},
	"MessageRetentionPeriod":        {true, 60, 1209600, "345600"},
	"ReceiveMessageWaitTimeSeconds": {true, 0, 20, "0"},
	"VisibilityTimeout":             {true, 0, 43200, "30"},
	"KmsDataKeyReusePeriodSeconds":  {true, 60, 86400, "300"},
	"KmsMasterKeyId":                {},
	"Policy":                        {},
	"SqsManagedSseEnabled":          {preset: "true"},
}

// CreateQueue makes a standard queue, or returns the one that is like it already.
func (s *Service) CreateQueue(ctx context.Context, in *sqs.CreateQueueInput) (*sqs.CreateQueueOutput, error) {
	name := aws.ToString(in.QueueName)
	if err := s.authorize(ctx, "CreateQueue", name, ""); err != nil {
		return nil, err
	}
	if strings.HasSuffix(name, ".fifo") || in.Attributes["FifoQueue"] == "true" {
		return nil, unsupported("FIFO queues: the local endpoint has standard queues only")
	}
	if !queueName.MatchString(name) {
		return nil, &smithy.GenericAPIError{Code: "InvalidParameterValue", Message: "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"}
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
	made := &queue{created: s.config.Clock.Now(), attributes: map[string]string{}, tags: maps.Clone(in.Tags)}
	for attribute, bound := range bounds {
		if bound.preset != "" {
			made.attributes[attribute] = bound.preset
		}
	}
	made.set(in.Attributes)
	s.queues[name] = made
	return &sqs.CreateQueueOutput{QueueUrl: aws.String(s.url(name))}, nil
}

// set takes attributes over; a key of the user's own ends SQS's.
func (q *queue) set(attributes map[string]string) {
	maps.Copy(q.attributes, attributes)
	switch {
	case attributes["KmsMasterKeyId"] != "":
		q.attributes["SqsManagedSseEnabled"] = "false"
	case attributes["SqsManagedSseEnabled"] == "true":
		delete(q.attributes, "KmsMasterKeyId")
	}
	for _, name := range []string{"Policy", "KmsMasterKeyId"} {
		if q.attributes[name] == "" {
			delete(q.attributes, name)
		}
	}
}

func check(attributes map[string]string) error {
	for name, value := range attributes {
		bound, known := bounds[name]
		if !known && name != "FifoQueue" {
			return &types.InvalidAttributeName{Message: aws.String("Unknown Attribute " + name + ".")}
		}
		if !bound.number {
			continue
		}
		if number, err := strconv.Atoi(value); err != nil || number < bound.least || number > bound.most {
			return &types.InvalidAttributeValue{Message: aws.String(fmt.Sprintf("Invalid value for the parameter %s. Reason: it has to be a number from %d to %d.", name, bound.least, bound.most))}
		}
	}
	return nil
}

// GetQueueUrl finds a queue by its name.
func (s *Service) GetQueueUrl(ctx context.Context, in *sqs.GetQueueUrlInput) (*sqs.GetQueueUrlOutput, error) {
	_, err := s.with(ctx, "GetQueueUrl", aws.String(s.url(aws.ToString(in.QueueName))), func(*queue) {})
	if err != nil {
		return nil, err
	}
	return &sqs.GetQueueUrlOutput{QueueUrl: aws.String(s.url(aws.ToString(in.QueueName)))}, nil
}

// GetQueueAttributes reads some attributes, or All.
func (s *Service) GetQueueAttributes(ctx context.Context, in *sqs.GetQueueAttributesInput) (*sqs.GetQueueAttributesOutput, error) {
	shown := map[string]string{}
	name, err := s.with(ctx, "GetQueueAttributes", in.QueueUrl, func(q *queue) {
		now := s.config.Clock.Now()
		q.expire(now)
		visible, hidden := q.count(now)
		maps.Copy(shown, q.attributes)
		shown["ApproximateNumberOfMessages"] = strconv.Itoa(visible)
		shown["ApproximateNumberOfMessagesNotVisible"] = strconv.Itoa(hidden)
		shown["ApproximateNumberOfMessagesDelayed"] = "0"
		shown["CreatedTimestamp"] = strconv.FormatInt(q.created.Unix(), 10)
		shown["LastModifiedTimestamp"] = shown["CreatedTimestamp"]
	})
	if err != nil {
		return nil, err
	}
	shown["QueueArn"] = s.arn(name)
	if !slices.Contains(in.AttributeNames, types.QueueAttributeNameAll) {
		maps.DeleteFunc(shown, func(name, _ string) bool { return !slices.Contains(in.AttributeNames, types.QueueAttributeName(name)) })
	}
	return &sqs.GetQueueAttributesOutput{Attributes: shown}, nil
}

// SetQueueAttributes changes attributes; an empty policy or key takes it away.
func (s *Service) SetQueueAttributes(ctx context.Context, in *sqs.SetQueueAttributesInput) (*sqs.SetQueueAttributesOutput, error) {
	if err := check(in.Attributes); err != nil {
		return nil, err
	}
	_, err := s.with(ctx, "SetQueueAttributes", in.QueueUrl, func(q *queue) { q.set(in.Attributes) })
	return &sqs.SetQueueAttributesOutput{}, err
}

// DeleteQueue removes a queue with its messages.
func (s *Service) DeleteQueue(ctx context.Context, in *sqs.DeleteQueueInput) (*sqs.DeleteQueueOutput, error) {
	_, err := s.with(ctx, "DeleteQueue", in.QueueUrl, func(*queue) { delete(s.queues, named(in.QueueUrl)) })
	return &sqs.DeleteQueueOutput{}, err
}

// PurgeQueue removes every message.
func (s *Service) PurgeQueue(ctx context.Context, in *sqs.PurgeQueueInput) (*sqs.PurgeQueueOutput, error) {
	_, err := s.with(ctx, "PurgeQueue", in.QueueUrl, func(q *queue) { q.messages = nil })
	return &sqs.PurgeQueueOutput{}, err
}

// ListQueues lists queues by name, in one page.
func (s *Service) ListQueues(ctx context.Context, in *sqs.ListQueuesInput) (*sqs.ListQueuesOutput, error) {
	if err := s.config.Auth.Authorize(ctx, access.Request{Action: "sqs:ListQueues", Resource: "*"}); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	listed := &sqs.ListQueuesOutput{}
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		if strings.HasPrefix(name, aws.ToString(in.QueueNamePrefix)) {
			listed.QueueUrls = append(listed.QueueUrls, s.url(name))
		}
	}
	return listed, nil
}

// TagQueue adds tags.
func (s *Service) TagQueue(ctx context.Context, in *sqs.TagQueueInput) (*sqs.TagQueueOutput, error) {
	_, err := s.with(ctx, "TagQueue", in.QueueUrl, func(q *queue) {
		if q.tags == nil {
			q.tags = map[string]string{}
		}
		maps.Copy(q.tags, in.Tags)
	})
	return &sqs.TagQueueOutput{}, err
}

// UntagQueue takes tags away.
func (s *Service) UntagQueue(ctx context.Context, in *sqs.UntagQueueInput) (*sqs.UntagQueueOutput, error) {
	_, err := s.with(ctx, "UntagQueue", in.QueueUrl, func(q *queue) {
		maps.DeleteFunc(q.tags, func(name, _ string) bool { return slices.Contains(in.TagKeys, name) })
	})
	return &sqs.UntagQueueOutput{}, err
}

// ListQueueTags reads the tags.
func (s *Service) ListQueueTags(ctx context.Context, in *sqs.ListQueueTagsInput) (*sqs.ListQueueTagsOutput, error) {
	listed := &sqs.ListQueueTagsOutput{}
	_, err := s.with(ctx, "ListQueueTags", in.QueueUrl, func(q *queue) { listed.Tags = maps.Clone(q.tags) })
	return listed, err
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
		return name, &types.QueueDoesNotExist{Message: aws.String("The specified queue does not exist.")}
	}
	do(held)
	return name, nil
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
