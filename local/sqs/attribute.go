package sqs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

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
	"RedriveAllowPolicy":            {},
	"RedrivePolicy":                 {},
	"SqsManagedSseEnabled":          {preset: "true"},
}

// GetQueueAttributes reads some attributes, or All.
func (s *Service) GetQueueAttributes(ctx context.Context, in *sqs.GetQueueAttributesInput) (*sqs.GetQueueAttributesOutput, error) {
	for _, name := range in.AttributeNames {
		if !slices.Contains(name.Values(), name) {
			return nil, unknownAttribute(string(name))
		}
	}
	shown := map[string]string{}
	name, err := s.with(ctx, "GetQueueAttributes", in.QueueUrl, func(q *queue) {
		now := s.config.Clock.Now()
		q.expire(now)
		visible, hidden, delayed := q.count(now)
		maps.Copy(shown, q.attributes)
		shown["ApproximateNumberOfMessages"] = strconv.Itoa(visible)
		shown["ApproximateNumberOfMessagesNotVisible"] = strconv.Itoa(hidden)
		shown["ApproximateNumberOfMessagesDelayed"] = strconv.Itoa(delayed)
		shown["CreatedTimestamp"] = strconv.FormatInt(q.created.Unix(), 10)
		shown["LastModifiedTimestamp"] = strconv.FormatInt(q.modified.Unix(), 10)
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

func unknownAttribute(name string) error {
	return &types.InvalidAttributeName{Message: aws.String("Unknown Attribute " + name + ".")}
}

// SetQueueAttributes changes attributes; an empty policy or key takes it away.
func (s *Service) SetQueueAttributes(ctx context.Context, in *sqs.SetQueueAttributesInput) (*sqs.SetQueueAttributesOutput, error) {
	if err := check(in.Attributes); err != nil {
		return nil, err
	}
	var refusal error
	_, err := s.with(ctx, "SetQueueAttributes", in.QueueUrl, func(q *queue) {
		if refusal = s.checkRedrive(named(in.QueueUrl), in.Attributes); refusal == nil {
			q.set(in.Attributes)
			q.modified = s.config.Clock.Now()
		}
	})
	if err == nil {
		err = refusal
	}
	return &sqs.SetQueueAttributesOutput{}, err
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
	for _, name := range []string{"Policy", "KmsMasterKeyId", "RedrivePolicy", "RedriveAllowPolicy"} {
		if q.attributes[name] == "" {
			delete(q.attributes, name)
		}
	}
}

func check(attributes map[string]string) error {
	for name, value := range attributes {
		bound, known := bounds[name]
		if !known && name != "FifoQueue" {
			return unknownAttribute(name)
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
