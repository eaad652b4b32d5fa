package sqs

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/uuid"
)

// DeleteMessage removes the message that was received with a receipt handle. A
// former handle does no harm.
func (s *Service) DeleteMessage(ctx context.Context, in *sqs.DeleteMessageInput) (*sqs.DeleteMessageOutput, error) {
	if err := checkReceipt(in.ReceiptHandle); err != nil {
		return nil, err
	}
	deleted := 0
	name, err := s.with(ctx, "DeleteMessage", in.QueueUrl, func(q *queue) { deleted = q.remove(*in.ReceiptHandle) })
	s.record("NumberOfMessagesDeleted", name, deleted)
	return &sqs.DeleteMessageOutput{}, err
}

// DeleteMessageBatch removes up to ten messages, each for itself.
func (s *Service) DeleteMessageBatch(ctx context.Context, in *sqs.DeleteMessageBatchInput) (*sqs.DeleteMessageBatchOutput, error) {
	if err := checkBatch(in.Entries, func(e types.DeleteMessageBatchRequestEntry) *string { return e.Id }); err != nil {
		return nil, err
	}
	answer, deleted := &sqs.DeleteMessageBatchOutput{Successful: []types.DeleteMessageBatchResultEntry{}, Failed: []types.BatchResultErrorEntry{}}, 0
	name, err := s.with(ctx, "DeleteMessage", in.QueueUrl, func(q *queue) {
		for _, entry := range in.Entries {
			if err := checkReceipt(entry.ReceiptHandle); err != nil {
				answer.Failed = append(answer.Failed, failedEntry(entry.Id, err))
				continue
			}
			deleted += q.remove(*entry.ReceiptHandle)
			answer.Successful = append(answer.Successful, types.DeleteMessageBatchResultEntry{Id: entry.Id})
		}
	})
	s.record("NumberOfMessagesDeleted", name, deleted)
	return answer, err
}

// ChangeMessageVisibility hides a received message for some seconds from now.
func (s *Service) ChangeMessageVisibility(ctx context.Context, in *sqs.ChangeMessageVisibilityInput) (*sqs.ChangeMessageVisibilityOutput, error) {
	var refusal error
	_, err := s.with(ctx, "ChangeMessageVisibility", in.QueueUrl, func(q *queue) { refusal = s.hide(q, in.ReceiptHandle, in.VisibilityTimeout) })
	if err == nil {
		err = refusal
	}
	return &sqs.ChangeMessageVisibilityOutput{}, err
}

// ChangeMessageVisibilityBatch hides up to ten messages, each for itself.
func (s *Service) ChangeMessageVisibilityBatch(ctx context.Context, in *sqs.ChangeMessageVisibilityBatchInput) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
	if err := checkBatch(in.Entries, func(e types.ChangeMessageVisibilityBatchRequestEntry) *string { return e.Id }); err != nil {
		return nil, err
	}
	answer := &sqs.ChangeMessageVisibilityBatchOutput{Successful: []types.ChangeMessageVisibilityBatchResultEntry{}, Failed: []types.BatchResultErrorEntry{}}
	_, err := s.with(ctx, "ChangeMessageVisibility", in.QueueUrl, func(q *queue) {
		for _, entry := range in.Entries {
			if err := s.hide(q, entry.ReceiptHandle, entry.VisibilityTimeout); err != nil {
				answer.Failed = append(answer.Failed, failedEntry(entry.Id, err))
				continue
			}
			answer.Successful = append(answer.Successful, types.ChangeMessageVisibilityBatchResultEntry{Id: entry.Id})
		}
	})
	return answer, err
}

// hide wakes who waits: the message may appear earlier than it would have.
func (s *Service) hide(q *queue, receipt *string, timeout int32) error {
	if timeout < 0 || timeout > 43200 {
		return outOfRange("VisibilityTimeout", timeout, 43200)
	}
	if err := checkReceipt(receipt); err != nil {
		return err
	}
	now := s.config.Clock.Now()
	for _, m := range q.messages {
		if m.receipt != *receipt {
			continue
		}
		if !m.visible.After(now) {
			return &types.MessageNotInflight{Message: aws.String("The message referred to is not in flight.")}
		}
		m.visible = now.Add(time.Duration(timeout) * time.Second)
		s.wake()
		return nil
	}
	return invalid(fmt.Sprintf("Value %s for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.", *receipt))
}

func checkReceipt(receipt *string) error {
	if uuid.Validate(aws.ToString(receipt)) != nil {
		return &types.ReceiptHandleIsInvalid{Message: aws.String("The input receipt handle is invalid.")}
	}
	return nil
}
