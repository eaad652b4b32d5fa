package sqs_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
	service "api-destination-credentials/local/sqs"
)

// outcome is what became of each entry.
func outcome(done []string, failed []types.BatchResultErrorEntry) map[string]string {
	of := map[string]string{}
	for _, id := range done {
		of[id] = "done"
	}
	for _, one := range failed {
		of[*one.Id] = *one.Code
	}
	return of
}

func TestEachEntryOfABatchSucceedsOrFailsForItself(t *testing.T) {
	w, counted := &world{T: t, clock: clockwork.NewFakeClock()}, sums{}
	w.Service = service.New(service.Config{Account: access.Account{ID: "123456789012", Region: "us-east-1"}, Auth: w, Clock: w.clock, Keys: w, Metrics: counted})
	queue := w.create(nil)
	sent, err := w.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: queue, Entries: []types.SendMessageBatchRequestEntry{
		{Id: aws.String("first"), MessageBody: aws.String("1")},
		{Id: aws.String("empty")},
		{Id: aws.String("late"), MessageBody: aws.String("2"), DelaySeconds: 901},
		{Id: aws.String("last"), MessageBody: aws.String("3"), MessageGroupId: aws.String("tenant")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var done []string
	for _, one := range sent.Successful {
		done = append(done, *one.Id)
	}
	if diff := cmp.Diff(map[string]string{"first": "done", "empty": "MissingParameter", "late": "InvalidParameterValue", "last": "done"}, outcome(done, sent.Failed)); diff != "" {
		t.Errorf("sending:\n%s", diff)
	}

	messages := w.receive(queue)
	if len(messages) != 2 {
		t.Fatalf("received %+v, want two messages", messages)
	}
	hidden, err := w.ChangeMessageVisibilityBatch(t.Context(), &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: queue, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
		{Id: aws.String("shown"), ReceiptHandle: messages[0].ReceiptHandle},
		{Id: aws.String("again"), ReceiptHandle: messages[0].ReceiptHandle, VisibilityTimeout: 1},
		{Id: aws.String("long"), ReceiptHandle: messages[1].ReceiptHandle, VisibilityTimeout: 43201},
		{Id: aws.String("gone"), ReceiptHandle: aws.String("00000000-0000-4000-8000-000000000000")},
		{Id: aws.String("none"), ReceiptHandle: aws.String("nonsense")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	done = nil
	for _, one := range hidden.Successful {
		done = append(done, *one.Id)
	}
	if diff := cmp.Diff(map[string]string{
		"shown": "done", "again": "MessageNotInflight", "long": "InvalidParameterValue", "gone": "InvalidParameterValue", "none": "ReceiptHandleIsInvalid",
	}, outcome(done, hidden.Failed)); diff != "" {
		t.Errorf("hiding:\n%s", diff)
	}

	deleted, err := w.DeleteMessageBatch(t.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: queue, Entries: []types.DeleteMessageBatchRequestEntry{
		{Id: aws.String("first"), ReceiptHandle: messages[0].ReceiptHandle}, {Id: aws.String("none")},
	}})
	if err != nil || len(deleted.Successful) != 1 || len(deleted.Failed) != 1 {
		t.Errorf("deleting: %+v, %v; want one deleted and one failed", deleted, err)
	}
	if diff := cmp.Diff(sums{
		"AWS/SQS dead-letters NumberOfMessagesSent": 2, "AWS/SQS dead-letters NumberOfMessagesReceived": 2, "AWS/SQS dead-letters NumberOfMessagesDeleted": 1,
	}, counted); diff != "" {
		t.Error(diff)
	}
}

func TestABatchThatIsTooLongIsRefused(t *testing.T) {
	w := newWorld(t)
	queue := w.create(nil)
	half := aws.String(strings.Repeat("x", 524289))
	if _, err := w.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: queue, Entries: []types.SendMessageBatchRequestEntry{
		{Id: aws.String("1"), MessageBody: half}, {Id: aws.String("2"), MessageBody: half},
	}}); code(err) != "BatchRequestTooLong" {
		t.Errorf("error %v, want BatchRequestTooLong", err)
	}
}
