package sqs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/google/uuid"
)

// StartMessageMoveTask sends the dead letters that are visible back to where
// they came from, or to one queue, as new messages. The task is at its end when
// this returns; AWS's goes on in the background.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
func (s *Service) StartMessageMoveTask(ctx context.Context, in *sqs.StartMessageMoveTaskInput) (*sqs.StartMessageMoveTaskOutput, error) {
	if in.MaxNumberOfMessagesPerSecond != nil {
		return nil, unsupported("MaxNumberOfMessagesPerSecond: the local endpoint moves all messages at once. Leave it out.")
	}
	source := aws.ToString(in.SourceArn)
	// The caller may do what the task consists of.
	// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
	for _, action := range []string{"StartMessageMoveTask", "ReceiveMessage", "DeleteMessage"} {
		if err := s.withARN(ctx, action, source, func(*queue) {}); err != nil {
			return nil, err
		}
	}
	now := s.config.Clock.Now()
	var taken []*message
	var refusal error
	if err := s.withARN(ctx, "GetQueueAttributes", source, func(dead *queue) {
		if refusal = s.checkMove(dead, in); refusal == nil {
			taken = dead.takeAway(now)
		}
	}); err != nil {
		return nil, err
	}
	if refusal != nil {
		return nil, refusal
	}
	task := types.ListMessageMoveTasksResultEntry{
		SourceArn: in.SourceArn, DestinationArn: in.DestinationArn, StartedTimestamp: now.UnixMilli(),
		ApproximateNumberOfMessagesToMove: aws.Int64(int64(len(taken))), Status: aws.String("COMPLETED"),
	}
	for len(taken) > 0 {
		if reason := s.resend(ctx, taken[0], in.DestinationArn); reason != "" {
			task.Status, task.FailureReason = aws.String("FAILED"), aws.String(reason)
			break
		}
		taken = taken[1:]
		task.ApproximateNumberOfMessagesMoved++
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if dead := s.at(source); dead != nil {
		dead.moves = slices.Insert(dead.moves, 0, task)
		dead.messages = slices.Insert(dead.messages, 0, taken...)
		s.wake()
	}
	return &sqs.StartMessageMoveTaskOutput{TaskHandle: aws.String(uuid.NewString())}, nil
}

// checkMove wants the dead-letter queue of some queue. The lock is held.
func (s *Service) checkMove(dead *queue, in *sqs.StartMessageMoveTaskInput) error {
	switch {
	case len(s.sources(dead)) == 0:
		return invalid("Source queue must be configured as a Dead Letter Queue.")
	case in.DestinationArn == nil:
		return nil
	case s.at(*in.DestinationArn) == nil:
		return &types.ResourceNotFoundException{Message: aws.String("The resource that you specified for the DestinationArn parameter doesn't exist.")}
	case *in.DestinationArn == *in.SourceArn:
		return invalid("DestinationArn is the SourceArn. Name another queue, or leave it out.")
	}
	return nil
}

// takeAway removes the messages that are visible.
func (q *queue) takeAway(now time.Time) []*message {
	q.expire(now)
	var taken []*message
	q.messages = slices.DeleteFunc(q.messages, func(m *message) bool {
		if m.visible.After(now) {
			return false
		}
		taken = append(taken, m)
		return true
	})
	return taken
}

// resend tells why it fails; on success it tells nothing.
func (s *Service) resend(ctx context.Context, m *message, destination *string) (reason string) {
	name := m.source
	if destination != nil {
		name = nameIn(*destination)
	}
	if name == "" {
		return "CouldNotDetermineMessageSource"
	}
	body, err := s.open(ctx, m)
	if err != nil {
		return codeOf(err)
	}
	in := &sqs.SendMessageInput{
		QueueUrl: aws.String(s.url(name)), MessageBody: aws.String(string(body)), MessageAttributes: m.attributes, MessageSystemAttributes: m.trace,
	}
	if m.group != "" {
		in.MessageGroupId = aws.String(m.group)
	}
	if _, err = s.SendMessage(ctx, in); err != nil {
		return codeOf(err)
	}
	return ""
}

func codeOf(err error) string {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return "InternalError"
	}
	return api.ErrorCode()
}

// ListMessageMoveTasks lists the moves of a dead-letter queue, the newest first.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListMessageMoveTasks.html
func (s *Service) ListMessageMoveTasks(ctx context.Context, in *sqs.ListMessageMoveTasksInput) (*sqs.ListMessageMoveTasksOutput, error) {
	most := 1
	if in.MaxResults != nil {
		most = int(*in.MaxResults)
	}
	if most < 1 || most > 10 {
		return nil, invalid(fmt.Sprintf("Value %d for parameter MaxResults is invalid. Reason: Must be between 1 and 10, if provided.", most))
	}
	listed := &sqs.ListMessageMoveTasksOutput{}
	err := s.withARN(ctx, "ListMessageMoveTasks", aws.ToString(in.SourceArn), func(q *queue) {
		listed.Results = slices.Clone(q.moves[:min(most, len(q.moves))])
	})
	return listed, err
}

// withARN is with for the operations that name a queue by its ARN.
func (s *Service) withARN(ctx context.Context, action, arn string, do func(*queue)) error {
	if arn != s.arn(nameIn(arn)) {
		return missingSource()
	}
	_, err := s.with(ctx, action, aws.String(s.url(nameIn(arn))), do)
	var missing *types.QueueDoesNotExist
	if errors.As(err, &missing) {
		return missingSource()
	}
	return err
}

func missingSource() error {
	return &types.ResourceNotFoundException{Message: aws.String("The resource that you specified for the SourceArn parameter doesn't exist.")}
}
