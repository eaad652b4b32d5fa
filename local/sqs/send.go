package sqs

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/google/uuid"
)

// SendMessage puts a message into a queue, encrypted under the queue's key.
func (s *Service) SendMessage(ctx context.Context, in *sqs.SendMessageInput) (*sqs.SendMessageOutput, error) {
	var attributes map[string]string
	name, err := s.with(ctx, "SendMessage", in.QueueUrl, func(q *queue) { attributes = maps.Clone(q.attributes) })
	if err != nil {
		return nil, err
	}
	return s.put(ctx, name, attributes, in)
}

// SendMessageBatch puts up to ten messages into a queue, each for itself.
func (s *Service) SendMessageBatch(ctx context.Context, in *sqs.SendMessageBatchInput) (*sqs.SendMessageBatchOutput, error) {
	var attributes map[string]string
	name, err := s.with(ctx, "SendMessage", in.QueueUrl, func(q *queue) { attributes = maps.Clone(q.attributes) })
	if err != nil {
		return nil, err
	}
	if err := checkBatch(in.Entries, func(e types.SendMessageBatchRequestEntry) *string { return e.Id }); err != nil {
		return nil, err
	}
	messages, total := make([]*sqs.SendMessageInput, len(in.Entries)), 0
	for i, entry := range in.Entries {
		messages[i] = &sqs.SendMessageInput{
			MessageBody: entry.MessageBody, DelaySeconds: entry.DelaySeconds, MessageAttributes: entry.MessageAttributes,
			MessageSystemAttributes: entry.MessageSystemAttributes, MessageGroupId: entry.MessageGroupId, MessageDeduplicationId: entry.MessageDeduplicationId,
		}
		total += size(messages[i])
	}
	if total > largestBatch {
		return nil, &types.BatchRequestTooLong{Message: aws.String(fmt.Sprintf("Batch requests cannot be longer than %d bytes. You have sent %d bytes.", largestBatch, total))}
	}
	answer := &sqs.SendMessageBatchOutput{Successful: []types.SendMessageBatchResultEntry{}, Failed: []types.BatchResultErrorEntry{}}
	for i, entry := range in.Entries {
		sent, err := s.put(ctx, name, attributes, messages[i])
		if err != nil {
			answer.Failed = append(answer.Failed, failedEntry(entry.Id, err))
			continue
		}
		answer.Successful = append(answer.Successful, types.SendMessageBatchResultEntry{
			Id: entry.Id, MessageId: sent.MessageId, MD5OfMessageBody: sent.MD5OfMessageBody,
			MD5OfMessageAttributes: sent.MD5OfMessageAttributes, MD5OfMessageSystemAttributes: sent.MD5OfMessageSystemAttributes,
		})
	}
	return answer, nil
}

// largestBatch is in bytes.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
const largestBatch = 1048576

// put adds a message to the queue of that name, which has the attributes.
func (s *Service) put(ctx context.Context, name string, attributes map[string]string, in *sqs.SendMessageInput) (*sqs.SendMessageOutput, error) {
	if err := fits(in, attributes); err != nil {
		return nil, err
	}
	now := s.config.Clock.Now()
	made := &message{
		id: uuid.NewString(), body: []byte(*in.MessageBody), attributes: in.MessageAttributes, trace: in.MessageSystemAttributes,
		group: aws.ToString(in.MessageGroupId), sent: now, arrived: now, visible: now.Add(seconds(in.DelaySeconds, attributes["DelaySeconds"])),
	}
	if key := attributes["KmsMasterKeyId"]; key != "" {
		if err := s.seal(ctx, name, key, made); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.queues[name]
	if held == nil {
		return nil, noQueue()
	}
	held.messages = append(held.messages, made)
	s.record("NumberOfMessagesSent", name, 1)
	s.wake()
	sent := &sqs.SendMessageOutput{MessageId: aws.String(made.id), MD5OfMessageBody: aws.String(sum([]byte(*in.MessageBody)))}
	if len(in.MessageAttributes) > 0 {
		sent.MD5OfMessageAttributes = aws.String(sumOf(in.MessageAttributes))
	}
	if len(in.MessageSystemAttributes) > 0 {
		sent.MD5OfMessageSystemAttributes = aws.String(sumOf(in.MessageSystemAttributes))
	}
	return sent, nil
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func fits(in *sqs.SendMessageInput, attributes map[string]string) error {
	if aws.ToString(in.MessageBody) == "" {
		return &smithy.GenericAPIError{Code: "MissingParameter", Message: "The request must contain the parameter MessageBody."}
	}
	if strings.ContainsFunc(*in.MessageBody, forbidden) {
		return &types.InvalidMessageContents{Message: aws.String("Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF")}
	}
	if most, err := strconv.Atoi(attributes["MaximumMessageSize"]); err == nil && size(in) > most {
		return invalid(fmt.Sprintf("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", most))
	}
	if in.DelaySeconds < 0 || in.DelaySeconds > 900 {
		return outOfRange("DelaySeconds", in.DelaySeconds, 900)
	}
	if in.MessageDeduplicationId != nil {
		return invalid(fmt.Sprintf("Value %s for parameter MessageDeduplicationId is invalid. Reason: The request includes a parameter that is not valid for this queue type.", *in.MessageDeduplicationId))
	}
	if in.MessageGroupId != nil && !groupID().MatchString(*in.MessageGroupId) {
		return invalid(fmt.Sprintf("Value %s for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.", *in.MessageGroupId))
	}
	return checkAttributes(in)
}

// size of the body and the attributes in bytes.
func size(in *sqs.SendMessageInput) int {
	size := len(aws.ToString(in.MessageBody))
	for name, value := range in.MessageAttributes {
		size += len(name) + len(aws.ToString(value.DataType)) + len(aws.ToString(value.StringValue)) + len(value.BinaryValue)
	}
	return size
}

func forbidden(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff
}

func outOfRange(parameter string, value int32, most int) error {
	return invalid(fmt.Sprintf("Value %d for parameter %s is invalid. Reason: Must be >= 0 and <= %d, if provided.", value, parameter, most))
}

func invalid(message string) error {
	return &smithy.GenericAPIError{Code: "InvalidParameterValue", Message: message}
}

func seconds(asked int32, preset string) time.Duration {
	if asked > 0 {
		return time.Duration(asked) * time.Second
	}
	number, _ := strconv.Atoi(preset)
	return time.Duration(number) * time.Second
}
