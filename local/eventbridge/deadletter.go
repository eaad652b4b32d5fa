package eventbridge

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// letter is a dead letter. Its body is what the target was to get.
type letter struct {
	body         []byte
	source       string // ARN of the rule or bus that sends it
	rule, target string // ARNs; empty for one of a bus
	failure      failure
	retries      int
	exhausted    string // empty when the failure was final at once
}

// bury puts a letter in a dead-letter queue, if there is one, and tells whether
// it lies there.
func (s *Service) bury(ctx context.Context, l letter, queue *types.DeadLetterConfig) bool {
	if queue == nil || value(queue.Arn) == "" {
		return false
	}
	if err := s.send(ctx, l.source, *queue.Arn, l.body, l.attributes()); err != nil {
		s.Log.WarnContext(ctx, "event lost: its dead-letter queue refused it", "queue", *queue.Arn, "source", l.source, "error", err.Error())
		return false
	}
	return true
}

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
func (l letter) attributes() map[string]sqstypes.MessageAttributeValue {
	texts := map[string]string{"ERROR_CODE": l.failure.code, "ERROR_MESSAGE": l.failure.message}
	if l.rule != "" {
		texts["RULE_ARN"], texts["TARGET_ARN"] = l.rule, l.target
	}
	if l.exhausted != "" {
		texts["RETRY_ATTEMPTS"], texts["EXHAUSTED_RETRY_CONDITION"] = strconv.Itoa(l.retries), l.exhausted
	}
	attributes := map[string]sqstypes.MessageAttributeValue{}
	for name, text := range texts {
		if text != "" {
			attributes[name] = sqstypes.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(text)}
		}
	}
	return attributes
}

// send puts a message in the queue with the ARN, on behalf of source.
func (s *Service) send(ctx context.Context, source, queueARN string, body []byte, attributes map[string]sqstypes.MessageAttributeValue) error {
	parts := strings.Split(queueARN, ":")
	// The URL follows from the ARN: a queue policy that lets a rule send need
	// not let it look the queue up.
	url := fmt.Sprintf("https://sqs.%s.amazonaws.com/%s/%s", parts[3], parts[4], parts[5])
	_, err := s.Queues.SendMessage(asService(ctx, source), &sqs.SendMessageInput{
		QueueUrl: aws.String(url), MessageBody: aws.String(string(body)), MessageAttributes: attributes,
	})
	return err
}

func (s *Service) sendToQueue(ctx context.Context, d *delivery) *failure {
	return failed(s.send(ctx, d.rule.arn, *d.target.Arn, d.body, nil))
}

func (s *Service) invokeFunction(ctx context.Context, d *delivery) *failure {
	_, err := s.Functions.Invoke(asService(ctx, d.rule.arn), &lambda.InvokeInput{
		FunctionName: d.target.Arn, InvocationType: lambdatypes.InvocationTypeEvent, Payload: d.body,
	})
	return failed(err)
}

func failed(err error) *failure {
	if err == nil {
		return nil
	}
	f := failureOf(err)
	return &f
}
