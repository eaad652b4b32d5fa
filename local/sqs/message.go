package sqs

import (
	"context"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/google/uuid"

	"api-destination-credentials/local/access"
	"api-destination-credentials/local/envelope"
)

type message struct {
	id         string
	body       []byte // sealed with dataKey where there is one
	dataKey    []byte // encrypted under the queue's key
	attributes map[string]types.MessageAttributeValue
	sent       time.Time
	visible    time.Time // from when on it may be received
	received   int
	first      time.Time // when it was received for the first time
	receipt    string
}

// SendMessage puts a message into a queue, encrypted under the queue's key.
func (s *Service) SendMessage(ctx context.Context, in *sqs.SendMessageInput) (*sqs.SendMessageOutput, error) {
	if in.MessageGroupId != nil || in.MessageDeduplicationId != nil {
		return nil, unsupported("MessageGroupId and MessageDeduplicationId: the local endpoint has standard queues only")
	}
	var attributes map[string]string
	name, err := s.with(ctx, "SendMessage", in.QueueUrl, func(q *queue) { attributes = maps.Clone(q.attributes) })
	if err != nil {
		return nil, err
	}
	if err := fits(in, attributes); err != nil {
		return nil, err
	}
	delay := int(in.DelaySeconds)
	if delay == 0 {
		delay, _ = strconv.Atoi(attributes["DelaySeconds"])
	}
	now := s.config.Clock.Now()
	made := &message{
		id: uuid.NewString(), body: []byte(aws.ToString(in.MessageBody)), attributes: in.MessageAttributes,
		sent: now, visible: now.Add(time.Duration(delay) * time.Second),
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
		return nil, &types.QueueDoesNotExist{Message: aws.String("The specified queue does not exist.")}
	}
	held.messages = append(held.messages, made)
	s.record("NumberOfMessagesSent", name, 1)
	close(s.signal)
	s.signal = make(chan struct{})
	sent := &sqs.SendMessageOutput{MessageId: aws.String(made.id), MD5OfMessageBody: aws.String(sum([]byte(aws.ToString(in.MessageBody))))}
	if len(in.MessageAttributes) > 0 {
		sent.MD5OfMessageAttributes = aws.String(sumOf(in.MessageAttributes))
	}
	return sent, nil
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
func fits(in *sqs.SendMessageInput, attributes map[string]string) error {
	if aws.ToString(in.MessageBody) == "" {
		return &smithy.GenericAPIError{Code: "MissingParameter", Message: "The request must contain the parameter MessageBody."}
	}
	size := len(*in.MessageBody)
	for name, value := range in.MessageAttributes {
		size += len(name) + len(aws.ToString(value.DataType)) + len(aws.ToString(value.StringValue)) + len(value.BinaryValue)
	}
	if most, err := strconv.Atoi(attributes["MaximumMessageSize"]); err == nil && size > most {
		return &smithy.GenericAPIError{Code: "InvalidParameterValue", Message: fmt.Sprintf("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", most)}
	}
	if in.DelaySeconds < 0 || in.DelaySeconds > 900 {
		return outOfRange("DelaySeconds", in.DelaySeconds, 900)
	}
	if len(in.MessageAttributes) > 10 {
		return &smithy.GenericAPIError{Code: "InvalidParameterValue", Message: fmt.Sprintf("Number of message attributes [%d] exceeds the allowed maximum [10].", len(in.MessageAttributes))}
	}
	return nil
}

// seal encrypts the body. The caller needs the key by way of SQS.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
func (s *Service) seal(ctx context.Context, name, key string, m *message) error {
	made, err := s.config.Keys.GenerateDataKey(s.through(ctx), &kms.GenerateDataKeyInput{
		KeyId: aws.String(key), NumberOfBytes: aws.Int32(32), EncryptionContext: map[string]string{"aws:sqs:arn": s.arn(name)},
	})
	if err != nil {
		return keyFailure(err)
	}
	if m.body, err = envelope.Seal(made.Plaintext, m.body, nil); err != nil {
		return err
	}
	m.dataKey = made.CiphertextBlob
	return nil
}

func (s *Service) open(ctx context.Context, name string, m *message) ([]byte, error) {
	if m.dataKey == nil {
		return m.body, nil
	}
	key, err := s.config.Keys.Decrypt(s.through(ctx), &kms.DecryptInput{
		CiphertextBlob: m.dataKey, EncryptionContext: map[string]string{"aws:sqs:arn": s.arn(name)},
	})
	if err != nil {
		return nil, keyFailure(err)
	}
	return envelope.Open(key.Plaintext, m.body, nil)
}

func (s *Service) through(ctx context.Context) context.Context {
	return access.WithCaller(ctx, access.Caller(ctx).Through("sqs", s.config.Account.Region))
}

// keyFailure gives KMS's errors the codes that SQS has for them.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func keyFailure(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	message := aws.String(api.ErrorMessage())
	switch api.ErrorCode() {
	case "AccessDeniedException":
		return &types.KmsAccessDenied{Message: message}
	case "DisabledException":
		return &types.KmsDisabled{Message: message}
	case "NotFoundException":
		return &types.KmsNotFound{Message: message}
	case "KMSInvalidStateException":
		return &types.KmsInvalidState{Message: message}
	case "InvalidKeyUsageException":
		return &types.KmsInvalidKeyUsage{Message: message}
	}
	return err
}

// ReceiveMessage takes up to ten messages, which stay hidden for the visibility
// time-out, and waits for the first one up to WaitTimeSeconds.
func (s *Service) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput) (*sqs.ReceiveMessageOutput, error) {
	most := max(int(in.MaxNumberOfMessages), 1)
	if most > 10 {
		return nil, &smithy.GenericAPIError{Code: "InvalidParameterValue", Message: fmt.Sprintf("Value %d for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.", most)}
	}
	if in.WaitTimeSeconds < 0 || in.WaitTimeSeconds > 20 {
		return nil, outOfRange("WaitTimeSeconds", in.WaitTimeSeconds, 20)
	}
	if in.VisibilityTimeout < 0 || in.VisibilityTimeout > 43200 {
		return nil, outOfRange("VisibilityTimeout", in.VisibilityTimeout, 43200)
	}
	var until time.Time
	for {
		var taken []*message
		var signal chan struct{}
		name, err := s.with(ctx, "ReceiveMessage", in.QueueUrl, func(q *queue) {
			signal = s.signal
			if until.IsZero() {
				until = s.config.Clock.Now().Add(seconds(in.WaitTimeSeconds, q.attributes["ReceiveMessageWaitTimeSeconds"]))
			}
			taken = q.take(s.config.Clock.Now(), most, seconds(in.VisibilityTimeout, q.attributes["VisibilityTimeout"]))
		})
		if err != nil {
			return nil, err
		}
		left := until.Sub(s.config.Clock.Now())
		if len(taken) > 0 || left <= 0 {
			s.record("NumberOfMessagesReceived", name, len(taken))
			return s.hand(ctx, name, taken, in)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-signal:
		case <-s.config.Clock.After(left):
		}
	}
}

func outOfRange(parameter string, value int32, most int) error {
	return &smithy.GenericAPIError{Code: "InvalidParameterValue", Message: fmt.Sprintf("Value %d for parameter %s is invalid. Reason: Must be >= 0 and <= %d, if provided.", value, parameter, most)}
}

func seconds(asked int32, preset string) time.Duration {
	if asked > 0 {
		return time.Duration(asked) * time.Second
	}
	number, _ := strconv.Atoi(preset)
	return time.Duration(number) * time.Second
}

// take hands out copies, as the messages themselves go on changing.
func (q *queue) take(now time.Time, most int, hidden time.Duration) []*message {
	q.expire(now)
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

func (q *queue) expire(now time.Time) {
	kept, _ := strconv.Atoi(q.attributes["MessageRetentionPeriod"])
	q.messages = slices.DeleteFunc(q.messages, func(m *message) bool { return now.Sub(m.sent) > time.Duration(kept)*time.Second })
}

func (q *queue) count(now time.Time) (visible, hidden int) {
	for _, m := range q.messages {
		if m.visible.After(now) {
			hidden++
		} else {
			visible++
		}
	}
	return visible, hidden
}

// hand shows the messages as the request asks for them.
func (s *Service) hand(ctx context.Context, name string, taken []*message, in *sqs.ReceiveMessageInput) (*sqs.ReceiveMessageOutput, error) {
	answer := &sqs.ReceiveMessageOutput{}
	for _, m := range taken {
		body, err := s.open(ctx, name, m)
		if err != nil {
			return nil, err
		}
		shown := types.Message{
			MessageId: aws.String(m.id), ReceiptHandle: aws.String(m.receipt), Body: aws.String(string(body)), MD5OfBody: aws.String(sum(body)),
			Attributes: system(m, in),
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

func system(m *message, in *sqs.ReceiveMessageInput) map[string]string {
	all := map[string]string{
		"ApproximateReceiveCount":          strconv.Itoa(m.received),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.first.UnixMilli(), 10),
		"SentTimestamp":                    strconv.FormatInt(m.sent.UnixMilli(), 10),
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

// DeleteMessage removes the message that was received with a receipt handle.
func (s *Service) DeleteMessage(ctx context.Context, in *sqs.DeleteMessageInput) (*sqs.DeleteMessageOutput, error) {
	if uuid.Validate(aws.ToString(in.ReceiptHandle)) != nil { // a former one does no harm
		return nil, &types.ReceiptHandleIsInvalid{Message: aws.String("The input receipt handle is invalid.")}
	}
	deleted := 0
	name, err := s.with(ctx, "DeleteMessage", in.QueueUrl, func(q *queue) { deleted = q.remove(aws.ToString(in.ReceiptHandle)) })
	s.record("NumberOfMessagesDeleted", name, deleted)
	return &sqs.DeleteMessageOutput{}, err
}

// remove tells how many messages it removed, which is one at most.
func (q *queue) remove(receipt string) int {
	before := len(q.messages)
	q.messages = slices.DeleteFunc(q.messages, func(m *message) bool { return m.receipt == receipt })
	return before - len(q.messages)
}

// DeleteMessageBatch removes up to ten messages.
func (s *Service) DeleteMessageBatch(ctx context.Context, in *sqs.DeleteMessageBatchInput) (*sqs.DeleteMessageBatchOutput, error) {
	if len(in.Entries) == 0 {
		return nil, &types.EmptyBatchRequest{Message: aws.String("There should be at least one DeleteMessageBatchRequestEntry in the request.")}
	}
	answer, deleted := &sqs.DeleteMessageBatchOutput{Failed: []types.BatchResultErrorEntry{}}, 0
	name, err := s.with(ctx, "DeleteMessage", in.QueueUrl, func(q *queue) {
		for _, entry := range in.Entries {
			deleted += q.remove(aws.ToString(entry.ReceiptHandle))
			answer.Successful = append(answer.Successful, types.DeleteMessageBatchResultEntry{Id: entry.Id})
		}
	})
	s.record("NumberOfMessagesDeleted", name, deleted)
	return answer, err
}

// ChangeMessageVisibility hides a received message for some seconds from now.
func (s *Service) ChangeMessageVisibility(ctx context.Context, in *sqs.ChangeMessageVisibilityInput) (*sqs.ChangeMessageVisibilityOutput, error) {
	if in.VisibilityTimeout < 0 || in.VisibilityTimeout > 43200 {
		return nil, outOfRange("VisibilityTimeout", in.VisibilityTimeout, 43200)
	}
	var refusal error = &types.ReceiptHandleIsInvalid{Message: aws.String("The input receipt handle is invalid.")}
	_, err := s.with(ctx, "ChangeMessageVisibility", in.QueueUrl, func(q *queue) {
		now := s.config.Clock.Now()
		for _, m := range q.messages {
			switch {
			case m.receipt != aws.ToString(in.ReceiptHandle):
			case !m.visible.After(now):
				refusal = &types.MessageNotInflight{Message: aws.String("The message referred to is not in flight.")}
			default:
				refusal = nil
				m.visible = now.Add(time.Duration(in.VisibilityTimeout) * time.Second)
			}
		}
	})
	if err == nil {
		err = refusal
	}
	return &sqs.ChangeMessageVisibilityOutput{}, err
}

func sum(body []byte) string {
	digest := md5.Sum(body)
	return hex.EncodeToString(digest[:])
}

// sumOf is the digest that clients check message attributes with.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
func sumOf(attributes map[string]types.MessageAttributeValue) string {
	digest := md5.New()
	write := func(part []byte) {
		// A hash takes everything.
		_ = binary.Write(digest, binary.BigEndian, uint32(len(part)))
		digest.Write(part)
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		value := attributes[name]
		write([]byte(name))
		write([]byte(aws.ToString(value.DataType)))
		if value.BinaryValue != nil {
			digest.Write([]byte{2})
			write(value.BinaryValue)
			continue
		}
		digest.Write([]byte{1})
		write([]byte(aws.ToString(value.StringValue)))
	}
	return hex.EncodeToString(digest.Sum(nil))
}
