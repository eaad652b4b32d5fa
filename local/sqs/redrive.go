package sqs

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// redrivePolicy is a queue's: where a message goes that was received too often.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
type redrivePolicy struct {
	Target string      `json:"deadLetterTargetArn"`
	Most   json.Number `json:"maxReceiveCount"` // AWS takes it as text too
}

// redriveAllowPolicy is a dead-letter queue's: whose messages it takes.
type redriveAllowPolicy struct {
	Permission string   `json:"redrivePermission"`
	Sources    []string `json:"sourceQueueArns"`
}

// checkRedrive looks at both policies among the attributes that the named queue
// is to get. The lock is held.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
func (s *Service) checkRedrive(name string, attributes map[string]string) error {
	if text := attributes["RedrivePolicy"]; text != "" {
		if err := s.checkRedrivePolicy(name, text); err != nil {
			return err
		}
	}
	if text := attributes["RedriveAllowPolicy"]; text != "" {
		return checkRedriveAllowPolicy(text)
	}
	return nil
}

func (s *Service) checkRedrivePolicy(name, text string) error {
	var policy redrivePolicy
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		return &types.InvalidAttributeValue{Message: aws.String("Invalid value for the parameter RedrivePolicy.")}
	}
	refuse := func(reason string) error {
		return invalid("Value " + text + " for parameter RedrivePolicy is invalid. Reason: " + reason)
	}
	if policy.Target == "" {
		return refuse("Redrive policy does not contain mandatory attribute: deadLetterTargetArn.")
	}
	if policy.Most == "" {
		return refuse("Redrive policy does not contain mandatory attribute: maxReceiveCount.")
	}
	if most, err := policy.Most.Int64(); err != nil || most < 1 || most > 1000 {
		return refuse(fmt.Sprintf("Invalid value for maxReceiveCount: %s, valid values are from 1 to 1000 both inclusive.", policy.Most))
	}
	dead := s.at(policy.Target)
	if dead == nil {
		return refuse("Dead letter target does not exist.")
	}
	var allow redriveAllowPolicy
	if err := json.Unmarshal([]byte(dead.attributes["RedriveAllowPolicy"]), &allow); err != nil {
		return nil // it has none
	}
	if allow.Permission == "denyAll" || allow.Permission == "byQueue" && !slices.Contains(allow.Sources, s.arn(name)) {
		return refuse("The redrive allow policy of the dead-letter queue leaves out " + s.arn(name) + ". Name it there.")
	}
	return nil
}

func checkRedriveAllowPolicy(text string) error {
	var policy redriveAllowPolicy
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		return &types.InvalidAttributeValue{Message: aws.String("Invalid value for the parameter RedriveAllowPolicy.")}
	}
	refuse := func(reason string) error {
		return invalid("Value " + text + " for parameter RedriveAllowPolicy is invalid. Reason: Amazon SQS can't create the redrive allow policy. " + reason)
	}
	switch {
	case !slices.Contains([]string{"allowAll", "denyAll", "byQueue"}, policy.Permission):
		return refuse("The permission has to be allowAll, denyAll or byQueue.")
	case policy.Permission != "byQueue" && len(policy.Sources) > 0:
		return refuse("To specify one or more source queue ARNs, you must set redrivePermission to byQueue.")
	case policy.Permission == "byQueue" && len(policy.Sources) == 0:
		return refuse("When you specify the byQueue permission type, you must also specify one or more sourceQueueArns values.")
	case len(policy.Sources) > 10:
		return refuse("You can specify up to 10 source queue ARNs. Set redrivePermission to allowAll for more.")
	}
	return nil
}

// deadLetters is the queue of a queue's redrive policy; nil where there is none.
func (s *Service) deadLetters(q *queue) (dead *queue, most int) {
	var policy redrivePolicy
	if err := json.Unmarshal([]byte(q.attributes["RedrivePolicy"]), &policy); err != nil {
		return nil, 0
	}
	limit, _ := policy.Most.Int64()
	return s.at(policy.Target), int(limit)
}

// bury moves what was received too often to the dead-letter queue. It keeps its
// id, its encryption and the time when it was sent. The lock is held.
func (s *Service) bury(name string, q *queue, now time.Time) {
	dead, most := s.deadLetters(q)
	if dead == nil || dead == q {
		return
	}
	before := len(dead.messages)
	q.messages = slices.DeleteFunc(q.messages, func(m *message) bool {
		if m.received < most || m.visible.After(now) {
			return false
		}
		m.arrived, m.receipt, m.source = now, "", name
		dead.messages = append(dead.messages, m)
		return true
	})
	if len(dead.messages) > before {
		s.wake()
	}
}

// ListDeadLetterSourceQueues lists the queues whose dead letters go to a queue.
func (s *Service) ListDeadLetterSourceQueues(ctx context.Context, in *sqs.ListDeadLetterSourceQueuesInput) (*sqs.ListDeadLetterSourceQueuesOutput, error) {
	var urls []string
	if _, err := s.with(ctx, "ListDeadLetterSourceQueues", in.QueueUrl, func(q *queue) {
		for _, name := range s.sources(q) {
			urls = append(urls, s.url(name))
		}
	}); err != nil {
		return nil, err
	}
	listed, next, err := page(urls, in.MaxResults, in.NextToken)
	return &sqs.ListDeadLetterSourceQueuesOutput{QueueUrls: listed, NextToken: next}, err
}

// sources are the names of the queues whose dead letters go to dead. The lock is held.
func (s *Service) sources(dead *queue) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		if target, _ := s.deadLetters(s.queues[name]); target == dead {
			names = append(names, name)
		}
	}
	return names
}

// at finds a queue by its ARN. The lock is held.
func (s *Service) at(arn string) *queue {
	if arn != s.arn(nameIn(arn)) {
		return nil
	}
	return s.queues[nameIn(arn)]
}

func nameIn(arn string) string { return arn[strings.LastIndex(arn, ":")+1:] }
