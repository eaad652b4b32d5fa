package sqs_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
)

const (
	deadARN   = "arn:aws:sqs:us-east-1:123456789012:dead-letters"
	ordersARN = "arn:aws:sqs:us-east-1:123456789012:orders"
	toDead    = `{"deadLetterTargetArn":"` + deadARN + `","maxReceiveCount":"2"}`
)

func (w *world) named(name string, attributes map[string]string) *string {
	w.Helper()
	made, err := w.CreateQueue(w.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		w.Fatal(err)
	}
	return made.QueueUrl
}

// receiveOnce takes what there is, and lets its time run out.
func (w *world) receiveOnce(queue *string) []string {
	w.Helper()
	var seen []string
	for _, one := range w.receive(queue) {
		seen = append(seen, *one.Body+" #"+one.Attributes["ApproximateReceiveCount"])
	}
	w.clock.Advance(31 * time.Second)
	return seen
}

func TestAMessageReceivedTooOftenGoesToTheDeadLettersAndBack(t *testing.T) {
	w := newWorld(t)
	dead := w.create(nil)
	orders := w.named("orders", map[string]string{"RedrivePolicy": toDead, "KmsMasterKeyId": "alias/orders"})
	w.send(orders, "order")
	for _, want := range [][]string{{"order #1"}, {"order #2"}, nil} {
		if diff := cmp.Diff(want, w.receiveOnce(orders)); diff != "" {
			t.Fatal(diff)
		}
	}
	gauges := sums{}
	w.Gauges(gauges.Record)
	if age := gauges["AWS/SQS dead-letters ApproximateAgeOfOldestMessage"]; age != 31 {
		t.Errorf("the dead letter's age is %v s, want 31 since its move", age)
	}
	w.context = ""
	got, err := w.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: dead, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}})
	if err != nil || len(got.Messages) != 1 {
		t.Fatalf("received %+v, %v; want the dead letter", got, err)
	}
	letter := got.Messages[0]
	if *letter.Body != "order" || letter.Attributes["ApproximateReceiveCount"] != "3" || letter.Attributes["DeadLetterQueueSourceArn"] != ordersARN || w.context != ordersARN {
		t.Errorf("the dead letter is %s %v, opened for %s; want order from %s under that queue's key", *letter.Body, letter.Attributes, w.context, ordersARN)
	}

	w.clock.Advance(31 * time.Second)
	if _, err := w.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(deadARN)}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"order #1"}, w.receiveOnce(orders)); diff != "" {
		t.Error(diff)
	}
	tasks, err := w.ListMessageMoveTasks(t.Context(), &sqs.ListMessageMoveTasksInput{SourceArn: aws.String(deadARN)})
	if err != nil || len(tasks.Results) != 1 || *tasks.Results[0].Status != "COMPLETED" || tasks.Results[0].ApproximateNumberOfMessagesMoved != 1 {
		t.Errorf("the tasks are %+v, %v; want one that moved a message", tasks, err)
	}
}

func TestAMoveThatFailsLeavesTheDeadLetters(t *testing.T) {
	w := newWorld(t)
	dead := w.create(nil)
	w.named("orders", map[string]string{"RedrivePolicy": toDead})
	w.send(dead, "of no queue")
	if _, err := w.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(deadARN)}); err != nil {
		t.Fatal(err)
	}
	tasks, err := w.ListMessageMoveTasks(t.Context(), &sqs.ListMessageMoveTasksInput{SourceArn: aws.String(deadARN)})
	if err != nil || len(tasks.Results) != 1 || aws.ToString(tasks.Results[0].FailureReason) != "CouldNotDetermineMessageSource" {
		t.Errorf("the tasks are %+v, %v; want one that failed", tasks, err)
	}
	if diff := cmp.Diff([]string{"of no queue #1"}, w.receiveOnce(dead)); diff != "" {
		t.Error(diff)
	}
	for name, in := range map[string]*sqs.StartMessageMoveTaskInput{
		"ResourceNotFoundException": {SourceArn: aws.String(deadARN + "x")},
		"InvalidParameterValue":     {SourceArn: aws.String(ordersARN)},
		"UnsupportedOperation":      {SourceArn: aws.String(deadARN), MaxNumberOfMessagesPerSecond: aws.Int32(1)},
	} {
		if _, err := w.StartMessageMoveTask(t.Context(), in); code(err) != name {
			t.Errorf("moving %s: %v, want %s", *in.SourceArn, err, name)
		}
	}
}

func TestRedrivePoliciesAreChecked(t *testing.T) {
	policy := func(target, most string) map[string]string {
		return map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"` + target + `","maxReceiveCount":` + most + `}`}
	}
	allow := func(text string) map[string]string { return map[string]string{"RedriveAllowPolicy": text} }
	for name, test := range map[string]struct {
		dead, orders map[string]string // attributes
		want         string
	}{
		"number":              {nil, policy(deadARN, "1000"), ""},
		"taken away":          {nil, map[string]string{"RedrivePolicy": ""}, ""},
		"not often enough":    {nil, policy(deadARN, "0"), "InvalidParameterValue"},
		"too often":           {nil, policy(deadARN, "1001"), "InvalidParameterValue"},
		"no such queue":       {nil, policy(deadARN+"x", "1"), "InvalidParameterValue"},
		"no queue":            {nil, map[string]string{"RedrivePolicy": `{"maxReceiveCount":1}`}, "InvalidParameterValue"},
		"all are allowed":     {allow(`{"redrivePermission":"allowAll"}`), policy(deadARN, "1"), ""},
		"none is allowed":     {allow(`{"redrivePermission":"denyAll"}`), policy(deadARN, "1"), "InvalidParameterValue"},
		"this is allowed":     {allow(`{"redrivePermission":"byQueue","sourceQueueArns":["` + ordersARN + `"]}`), policy(deadARN, "1"), ""},
		"another is allowed":  {allow(`{"redrivePermission":"byQueue","sourceQueueArns":["` + deadARN + `"]}`), policy(deadARN, "1"), "InvalidParameterValue"},
		"unknown permission":  {nil, allow(`{"redrivePermission":"some"}`), "InvalidParameterValue"},
		"by no queue":         {nil, allow(`{"redrivePermission":"byQueue"}`), "InvalidParameterValue"},
		"all and by queue":    {nil, allow(`{"redrivePermission":"allowAll","sourceQueueArns":["a"]}`), "InvalidParameterValue"},
		"allowed by nonsense": {nil, allow(`nonsense`), "InvalidAttributeValue"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.create(test.dead)
			orders := w.named("orders", nil)
			if _, err := w.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: orders, Attributes: test.orders}); code(err) != test.want {
				t.Errorf("setting: %v, want %q", err, test.want)
			}
			if _, err := w.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("orders"), Attributes: test.orders}); test.want == "" && err != nil {
				t.Errorf("creating again with what is set: %v", err)
			}
		})
	}
}

func TestSourcesAreListedInPages(t *testing.T) {
	w := newWorld(t)
	dead := w.create(nil)
	for i := range 3 {
		w.named(fmt.Sprintf("orders-%d", i), map[string]string{"RedrivePolicy": toDead})
	}
	var pages [][]string
	for in := (&sqs.ListDeadLetterSourceQueuesInput{QueueUrl: dead, MaxResults: aws.Int32(2)}); ; {
		listed, err := w.ListDeadLetterSourceQueues(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, listed.QueueUrls)
		if in.NextToken = listed.NextToken; in.NextToken == nil {
			break
		}
	}
	base := "http://127.0.0.1:4566/123456789012/orders-"
	if diff := cmp.Diff([][]string{{base + "0", base + "1"}, {base + "2"}}, pages); diff != "" {
		t.Error(diff)
	}
	if _, err := w.ListQueues(t.Context(), &sqs.ListQueuesInput{MaxResults: aws.Int32(1001)}); code(err) != "InvalidParameterValue" {
		t.Errorf("1001 queues: %v, want InvalidParameterValue", err)
	}
}
