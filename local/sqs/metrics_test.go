package sqs_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
	service "api-destination-credentials/local/sqs"
)

// sums are metrics of one queue, added up by name.
type sums map[string]float64

func (s sums) Record(namespace, name, _ string, dimensions map[string]string, value float64) {
	s[namespace+" "+dimensions["QueueName"]+" "+name] += value
}

func TestAQueuePublishesWhatHappensAndItsDepth(t *testing.T) {
	w, counted := &world{T: t, clock: clockwork.NewFakeClock()}, sums{}
	w.Service = service.New(service.Config{
		Account: access.Account{ID: "123456789012", Region: "us-east-1"}, Auth: w, Clock: w.clock, Keys: w, Metrics: counted,
	})
	queue := w.create(nil)
	w.send(queue, "a")
	w.clock.Advance(90 * time.Second)
	w.send(queue, "b")
	got, err := w.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue})
	if err != nil {
		t.Fatal(err)
	}
	gauges := sums{}
	w.Gauges(gauges.Record)
	if diff := cmp.Diff(sums{
		"AWS/SQS dead-letters ApproximateNumberOfMessagesVisible": 1, "AWS/SQS dead-letters ApproximateNumberOfMessagesNotVisible": 1,
		"AWS/SQS dead-letters ApproximateNumberOfMessagesDelayed": 0,
		"AWS/SQS dead-letters ApproximateAgeOfOldestMessage":      90,
	}, gauges); diff != "" {
		t.Error(diff)
	}
	for range 2 { // a second time deletes nothing
		if _, err := w.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: queue, ReceiptHandle: aws.String(*got.Messages[0].ReceiptHandle)}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(sums{
		"AWS/SQS dead-letters NumberOfMessagesSent": 2, "AWS/SQS dead-letters NumberOfMessagesReceived": 1, "AWS/SQS dead-letters NumberOfMessagesDeleted": 1,
	}, counted); diff != "" {
		t.Error(diff)
	}
}
