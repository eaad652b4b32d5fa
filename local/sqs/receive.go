package sqs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/uuid"
)

// ReceiveMessage takes up to ten messages, which stay hidden for the visibility
// time-out, and waits for the first one up to WaitTimeSeconds.
func (s *Service) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput) (*sqs.ReceiveMessageOutput, error) {
	most := max(int(in.MaxNumberOfMessages), 1)
	if most > 10 {
		return nil, invalid(fmt.Sprintf("Value %d for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.", most))
	}
	if in.WaitTimeSeconds < 0 || in.WaitTimeSeconds > 20 {
		return nil, outOfRange("WaitTimeSeconds", in.WaitTimeSeconds, 20)
	}
	if in.VisibilityTimeout < 0 || in.VisibilityTimeout > 43200 {
		return nil, outOfRange("VisibilityTimeout", in.VisibilityTimeout, 43200)
	}
	var until time.Time // the answer may wait
	for {
		var taken []*message
		var signal chan struct{}
		var wait time.Duration
		name, err := s.with(ctx, "ReceiveMessage", in.QueueUrl, func(q *queue) {
			now := s.config.Clock.Now()
			if until.IsZero() {
				until = now.Add(seconds(in.WaitTimeSeconds, q.attributes["ReceiveMessageWaitTimeSeconds"]))
			}
			q.expire(now)
			s.bury(named(in.QueueUrl), q, now)
			taken = q.take(now, most, seconds(in.VisibilityTimeout, q.attributes["VisibilityTimeout"]))
			signal, wait = s.signal, q.appears(now, until).Sub(now)
		})
		if err != nil {
			return nil, err
		}
		if len(taken) > 0 || wait <= 0 {
			s.record("NumberOfMessagesReceived", name, len(taken))
			return s.hand(ctx, taken, in)
		}
		if err := s.wait(ctx, signal, wait); err != nil {
			return nil, err
		}
	}
}

func (s *Service) wait(ctx context.Context, signal <-chan struct{}, most time.Duration) error {
	timer := s.config.Clock.NewTimer(most)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-signal:
	case <-timer.Chan():
	}
	return nil
}

// take hands out copies, as the messages themselves go on changing.
func (q *queue) take(now time.Time, most int, hidden time.Duration) []*message {
	var taken []*message
	for _, m := range q.messages {
		if len(taken) == most || m.visible.After(now) {
			continue
		}
		if m.received++; m.received == 1 {
			m.first = now
		}
		m.visible, m.receipt = now.Add(hidden), uuid.NewString()
		copied := *m
		taken = append(taken, &copied)
	}
	return taken
}

// hand shows the messages as the request asks for them.
func (s *Service) hand(ctx context.Context, taken []*message, in *sqs.ReceiveMessageInput) (*sqs.ReceiveMessageOutput, error) {
	answer := &sqs.ReceiveMessageOutput{}
	for _, m := range taken {
		body, err := s.open(ctx, m)
		if err != nil {
			return nil, err
		}
		shown := types.Message{
			MessageId: aws.String(m.id), ReceiptHandle: aws.String(m.receipt), Body: aws.String(string(body)), MD5OfBody: aws.String(sum(body)),
			Attributes: s.system(m, in),
		}
		selected := map[string]types.MessageAttributeValue{}
		for attribute, value := range m.attributes {
			if slices.ContainsFunc(in.MessageAttributeNames, func(wanted string) bool { return selects(wanted, attribute) }) {
				selected[attribute] = value
			}
		}
		if len(selected) > 0 {
			shown.MessageAttributes, shown.MD5OfMessageAttributes = selected, aws.String(sumOf(selected))
		}
		answer.Messages = append(answer.Messages, shown)
	}
	return answer, nil
}

func selects(wanted, attribute string) bool {
	prefix, open := strings.CutSuffix(wanted, ".*")
	return wanted == "All" || wanted == attribute || open && strings.HasPrefix(attribute, prefix)
}

func (s *Service) system(m *message, in *sqs.ReceiveMessageInput) map[string]string {
	all := map[string]string{
		"ApproximateReceiveCount":          strconv.Itoa(m.received),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.first.UnixMilli(), 10),
		"SentTimestamp":                    strconv.FormatInt(m.sent.UnixMilli(), 10),
	}
	if m.group != "" {
		all["MessageGroupId"] = m.group
	}
	if m.source != "" {
		all["DeadLetterQueueSourceArn"] = s.arn(m.source)
	}
	for name, value := range m.trace {
		all[name] = aws.ToString(value.StringValue)
	}
	wanted := slices.Clone(in.MessageSystemAttributeNames)
	//lint:ignore SA1019 clients still send the deprecated name
	for _, name := range in.AttributeNames {
		wanted = append(wanted, types.MessageSystemAttributeName(name))
	}
	maps.DeleteFunc(all, func(name, _ string) bool {
		return !slices.Contains(wanted, types.MessageSystemAttributeName(name)) && !slices.Contains(wanted, types.MessageSystemAttributeNameAll)
	})
	return all
}
