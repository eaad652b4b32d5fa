package compare

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
func messageAttributes(s *queueStory) []step {
	send := func(attributes map[string]types.MessageAttributeValue) call {
		return func(ctx context.Context) (string, error) {
			// The client compares the answer's digest with its own.
			_, err := s.client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: s.url, MessageBody: aws.String("body"), MessageAttributes: attributes})
			return "sent", err
		}
	}
	receive := func(names ...string) call {
		return func(ctx context.Context) (string, error) {
			got, err := s.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: s.url, WaitTimeSeconds: 1, MessageAttributeNames: names})
			if err != nil {
				return "", err
			}
			var seen []string
			for _, one := range got.Messages {
				s.receipt = one.ReceiptHandle
				for _, name := range slices.Sorted(maps.Keys(one.MessageAttributes)) {
					value := one.MessageAttributes[name]
					seen = append(seen, name+":"+aws.ToString(value.DataType)+"="+aws.ToString(value.StringValue)+string(value.BinaryValue))
				}
				seen = append(seen, aws.ToString(one.Body))
			}
			return strings.Join(seen, " "), nil
		}
	}
	text := func(value string) types.MessageAttributeValue {
		return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
	}
	eleven := map[string]types.MessageAttributeValue{}
	for i := range 11 {
		eleven["a"+strconv.Itoa(i)] = text("x")
	}
	return []step{
		{name: "create", do: s.create(nil), want: "queue"},
		{name: "send text, number and bytes", do: send(map[string]types.MessageAttributeValue{
			"RULE_ARN": text("arn:é"), "rule.count": {DataType: aws.String("Number.int"), StringValue: aws.String("3")}, "bytes": {DataType: aws.String("Binary"), BinaryValue: []byte{0x1, 0xff}},
		}), want: "sent"},
		{name: "receive none of them", do: receive(), want: "body"},
		{name: "show it again", do: s.hide(0), want: "changed"},
		{name: "receive all", do: receive("All"), want: "RULE_ARN:String=arn:é bytes:Binary=\x01\xff rule.count:Number.int=3 body"},
		{name: "show it once more", do: s.hide(0), want: "changed"},
		{name: "receive one by name and others by prefix", do: receive("bytes", "rule.*"), want: "bytes:Binary=\x01\xff rule.count:Number.int=3 body"},
		{name: "delete", do: s.remove, want: "deleted"},
		{name: "no type", do: send(map[string]types.MessageAttributeValue{"a": {DataType: aws.String(""), StringValue: aws.String("x")}}), want: "InvalidParameterValue"},
		{name: "a type there is not", do: send(map[string]types.MessageAttributeValue{"a": {DataType: aws.String("Text"), StringValue: aws.String("x")}}), want: "InvalidParameterValue"},
		{name: "a number that is none", do: send(map[string]types.MessageAttributeValue{"a": {DataType: aws.String("Number"), StringValue: aws.String("x")}}), want: "InvalidParameterValue",
			moto: "differs: takes it; developer guide sqs-message-metadata: numbers"},
		{name: "no value", do: send(map[string]types.MessageAttributeValue{"a": {DataType: aws.String("String"), StringValue: aws.String("")}}), want: "InvalidParameterValue",
			moto: "differs: takes it; developer guide sqs-message-metadata: name, type and value must not be empty"},
		{name: "eleven attributes", do: send(eleven), want: "InvalidParameterValue",
			moto: "differs: takes them; developer guide sqs-message-metadata: up to 10"},
	}
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
func sendingBatches(s *queueStory) []step {
	send := func(ids ...string) call {
		return func(ctx context.Context) (string, error) {
			in := &sqs.SendMessageBatchInput{QueueUrl: s.url, Entries: []types.SendMessageBatchRequestEntry{}}
			for _, id := range ids {
				in.Entries = append(in.Entries, types.SendMessageBatchRequestEntry{Id: aws.String(id), MessageBody: aws.String("body of " + id)})
			}
			out, err := s.client.SendMessageBatch(ctx, in)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%d sent, %d failed", len(out.Successful), len(out.Failed)), nil
		}
	}
	return []step{
		{name: "create", do: s.create(nil), want: "queue"},
		{name: "none", do: send(), want: "AWS.SimpleQueueService.EmptyBatchRequest"},
		{name: "eleven", do: send("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"), want: "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"},
		{name: "two of one name", do: send("1", "1"), want: "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"},
		{name: "a name with a space", do: send("1 2"), want: "AWS.SimpleQueueService.InvalidBatchEntryId"},
		{name: "one", do: send("1"), want: "1 sent, 0 failed"},
		{name: "it is there", do: s.receive(nil), want: "body of 1 #1"},
	}
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html
func receivedBatches(s *queueStory) []step {
	var receipts []string
	receive := func(ctx context.Context) (string, error) {
		receipts = nil
		var bodies []string
		for range 5 { // one answer need not have all of them
			got, err := s.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: s.url, WaitTimeSeconds: 1, MaxNumberOfMessages: 10})
			if err != nil {
				return "", err
			}
			for _, one := range got.Messages {
				receipts = append(receipts, aws.ToString(one.ReceiptHandle))
				bodies = append(bodies, aws.ToString(one.Body))
			}
			if len(bodies) >= 2 {
				break
			}
		}
		return sorted(bodies), nil
	}
	receipt := func(i int) *string { return aws.String(slices.Concat(receipts, []string{"none", "none", "none"})[i]) }
	hide := func(ids ...string) call {
		return func(ctx context.Context) (string, error) {
			in := &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: s.url, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{}}
			for i, id := range ids {
				in.Entries = append(in.Entries, types.ChangeMessageVisibilityBatchRequestEntry{Id: aws.String(id), ReceiptHandle: receipt(i), VisibilityTimeout: 30})
			}
			out, err := s.client.ChangeMessageVisibilityBatch(ctx, in)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%d changed%s", len(out.Successful), failed(out.Failed)), nil
		}
	}
	remove := func(ids ...string) call {
		return func(ctx context.Context) (string, error) {
			in := &sqs.DeleteMessageBatchInput{QueueUrl: s.url, Entries: []types.DeleteMessageBatchRequestEntry{}}
			for i, id := range ids {
				in.Entries = append(in.Entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(id), ReceiptHandle: receipt(i)})
			}
			out, err := s.client.DeleteMessageBatch(ctx, in)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%d deleted%s", len(out.Successful), failed(out.Failed)), nil
		}
	}
	return []step{
		{name: "create", do: s.create(nil), want: "queue"},
		{name: "send", do: s.send("first"), want: "sent 8b04d5e3775d298e78455efc5ca404d5"},
		{name: "send another", do: s.send("second"), want: "sent a9f0e61a137d86aa9db53465e0801612"},
		{name: "receive both", do: receive, want: "[first second]"},
		{name: "hide none", do: hide(), want: "AWS.SimpleQueueService.EmptyBatchRequest",
			moto: "differs: takes it; API_ChangeMessageVisibilityBatch: EmptyBatchRequest"},
		{name: "hide two and one with no receipt", do: hide("1", "2", "3"), want: "2 changed, 3: ReceiptHandleIsInvalid"},
		{name: "delete none", do: remove(), want: "AWS.SimpleQueueService.EmptyBatchRequest"},
		{name: "delete two of one name", do: remove("1", "1"), want: "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
			moto: "differs: deletes; API_DeleteMessageBatch: BatchEntryIdsNotDistinct"},
		{name: "delete two and one with no receipt", do: remove("1", "2", "3"), want: "2 deleted, 3: ReceiptHandleIsInvalid"},
		{name: "nothing is left", do: s.attributes("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"), slow: true, want: "0 0"},
	}
}

func failed(entries []types.BatchResultErrorEntry) string {
	text := ""
	for _, one := range entries {
		text += ", " + aws.ToString(one.Id) + ": " + aws.ToString(one.Code)
	}
	return text
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-delay-queues.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
func delayAndWaiting(s *queueStory) []step {
	send := func(delay int32) call {
		return func(ctx context.Context) (string, error) {
			_, err := s.client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: s.url, MessageBody: aws.String("late"), DelaySeconds: delay})
			return "sent", err
		}
	}
	return []step{
		{name: "create", do: s.create(map[string]string{"ReceiveMessageWaitTimeSeconds": "1"}), want: "queue"},
		{name: "the queue's own wait", do: s.receive(short), want: ""},
		{name: "send with a delay", do: send(1), want: "sent"},
		{name: "it counts as delayed", do: s.attributes("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"), want: "0 0 1"},
		{name: "it comes to who waits", do: s.receive(func(in *sqs.ReceiveMessageInput) { in.WaitTimeSeconds = 3 }), want: "late #1"},
		{name: "a delay that is too long", do: send(901), want: "InvalidParameterValue"},
	}
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html
func purge(s *queueStory) []step {
	purge := func(ctx context.Context) (string, error) {
		_, err := s.client.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: s.url})
		return "purging", err
	}
	return []step{
		{name: "create", do: s.create(nil), want: "queue"},
		{name: "send", do: s.send("first"), want: "sent 8b04d5e3775d298e78455efc5ca404d5"},
		{name: "purge", do: purge, want: "purging"},
		{name: "purge within the minute", do: purge, want: "AWS.SimpleQueueService.PurgeQueueInProgress"},
		{name: "nothing is left", do: s.attributes("ApproximateNumberOfMessages"), slow: true, want: "0"},
	}
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
func redrive(s *queueStory) []step {
	arn := ""
	spare := func(ctx context.Context) (string, error) {
		made, err := s.client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(s.name + "-dead")})
		if err != nil {
			return "", err
		}
		s.spare = made.QueueUrl
		seen, err := s.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: s.spare, AttributeNames: []types.QueueAttributeName{"QueueArn"}})
		if err != nil {
			return "", err
		}
		arn = seen.Attributes["QueueArn"]
		return ending(arn), nil
	}
	set := func(policy string) call {
		return func(ctx context.Context) (string, error) {
			return s.set("RedrivePolicy", strings.ReplaceAll(policy, "DEAD", arn))(ctx)
		}
	}
	sources := func(ctx context.Context) (string, error) {
		listed, err := s.client.ListDeadLetterSourceQueues(ctx, &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: s.spare})
		if err != nil {
			return "", err
		}
		var names []string
		for _, url := range listed.QueueUrls {
			names = append(names, ending(url))
		}
		return sorted(names), nil
	}
	dead := s.receive(func(in *sqs.ReceiveMessageInput) { in.QueueUrl = s.spare })
	return []step{
		{name: "create", do: s.create(nil), want: "queue"},
		{name: "create a queue for dead letters", do: spare, want: "queue-dead"},
		{name: "a policy that is no JSON", do: set("nonsense"), want: "InvalidAttributeValue",
			moto: "differs: fails itself; API_SetQueueAttributes: InvalidAttributeValue"},
		{name: "a policy without a count", do: set(`{"deadLetterTargetArn":"DEAD"}`), want: "InvalidParameterValue"},
		{name: "a policy", do: set(`{"deadLetterTargetArn":"DEAD","maxReceiveCount":"1"}`), want: "set"},
		{name: "its sources", do: sources, slow: true, want: "[queue]"},
		{name: "send", do: s.send("first"), want: "sent 8b04d5e3775d298e78455efc5ca404d5"},
		{name: "receive", do: s.receive(nil), want: "first #1"},
		{name: "show it again", do: s.hide(0), want: "changed"},
		{name: "it was received once too often", do: s.receive(nil), want: ""},
		{name: "it is among the dead letters", do: dead, slow: true, want: "first #2"},
	}
}
