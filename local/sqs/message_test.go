package sqs_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// waiting receives in the background, and is back once that waits.
func (w *world) waiting(queue *string) <-chan []types.Message {
	w.Helper()
	arrived := make(chan []types.Message, 1)
	go func() {
		answer, err := w.ReceiveMessage(w.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue, WaitTimeSeconds: 20})
		if err != nil {
			w.Error(err)
			answer = &sqs.ReceiveMessageOutput{}
		}
		arrived <- answer.Messages
	}()
	if err := w.clock.BlockUntilContext(w.Context(), 1); err != nil {
		w.Fatal(err)
	}
	return arrived
}

func TestWaitingEndsWhenAMessageIsShownAgain(t *testing.T) {
	for name, show := range map[string]func(*world, *string, *string){
		"its time is up": func(w *world, _, _ *string) { w.clock.Advance(5 * time.Second) },
		"it is shown": func(w *world, queue, receipt *string) {
			if _, err := w.ChangeMessageVisibility(w.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: queue, ReceiptHandle: receipt}); err != nil {
				w.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			queue := w.create(map[string]string{"VisibilityTimeout": "5"})
			w.send(queue, "body")
			receipt := w.receive(queue)[0].ReceiptHandle
			arrived := w.waiting(queue)
			show(w, queue, receipt)
			if messages := <-arrived; len(messages) != 1 {
				t.Errorf("received %+v, want the message", messages)
			}
		})
	}
}

func TestADelayedMessageCountsApartAndComesToWhoWaits(t *testing.T) {
	w := newWorld(t)
	queue := w.create(map[string]string{"DelaySeconds": "10"})
	w.send(queue, "late")
	shown, err := w.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: queue, AttributeNames: []types.QueueAttributeName{"All"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0", "ApproximateNumberOfMessagesDelayed": "1"} {
		if shown.Attributes[name] != want {
			t.Errorf("%s is %s, want %s", name, shown.Attributes[name], want)
		}
	}
	arrived := w.waiting(queue)
	w.clock.Advance(10 * time.Second)
	if messages := <-arrived; len(messages) != 1 {
		t.Errorf("received %+v, want the message", messages)
	}
}

func TestAQueueIsPurgedOnceAMinute(t *testing.T) {
	w := newWorld(t)
	queue := w.create(nil)
	for _, want := range []string{"", "PurgeQueueInProgress"} {
		if _, err := w.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: queue}); code(err) != want {
			t.Errorf("purging: %v, want %q", err, want)
		}
	}
	w.clock.Advance(time.Minute)
	if _, err := w.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: queue}); err != nil {
		t.Errorf("purging after a minute: %v", err)
	}
}

func TestWhatASenderAddsToAMessageIsChecked(t *testing.T) {
	attribute := func(name, kind, value string) *sqs.SendMessageInput {
		return &sqs.SendMessageInput{MessageAttributes: map[string]types.MessageAttributeValue{name: {DataType: aws.String(kind), StringValue: aws.String(value)}}}
	}
	for name, test := range map[string]struct {
		in   *sqs.SendMessageInput
		want string
	}{
		"number":              {attribute("a", "Number", "-12.5e3"), ""},
		"number with a label": {attribute("a.b-c_d", "Number.float", "1e126"), ""},
		"zero":                {attribute("a", "Number", "0"), ""},
		"too large":           {attribute("a", "Number", "1e127"), "InvalidParameterValue"},
		"too small":           {attribute("a", "Number", "1e-129"), "InvalidParameterValue"},
		"hexadecimal":         {attribute("a", "Number", "0x10"), "InvalidParameterValue"},
		"infinite":            {attribute("a", "Number", "Inf"), "InvalidParameterValue"},
		"reserved":            {attribute("aws.a", "String", "x"), "InvalidParameterValue"},
		"two points":          {attribute("a..b", "String", "x"), "InvalidParameterValue"},
		"space":               {attribute("a b", "String", "x"), "InvalidParameterValue"},
		"long":                {attribute(strings.Repeat("a", 257), "String", "x"), "InvalidParameterValue"},
		"text as bytes":       {attribute("a", "Binary", "x"), "InvalidParameterValue"},
		"control character":   {attribute("a", "String", "\x00"), "InvalidMessageContents"},
		"list":                {&sqs.SendMessageInput{MessageAttributes: map[string]types.MessageAttributeValue{"a": {DataType: aws.String("String"), StringListValues: []string{"x"}}}}, "UnsupportedOperation"},
		"body":                {&sqs.SendMessageInput{MessageBody: aws.String("a\x01")}, "InvalidMessageContents"},
		"lines":               {&sqs.SendMessageInput{MessageBody: aws.String("a\r\n\tb")}, ""},
		"deduplication":       {&sqs.SendMessageInput{MessageDeduplicationId: aws.String("a")}, "InvalidParameterValue"},
		"group with a space":  {&sqs.SendMessageInput{MessageGroupId: aws.String("a b")}, "InvalidParameterValue"},
		"system attribute":    {&sqs.SendMessageInput{MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{"a": {DataType: aws.String("String"), StringValue: aws.String("x")}}}, "InvalidParameterValue"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if test.in.QueueUrl = w.create(nil); test.in.MessageBody == nil {
				test.in.MessageBody = aws.String("body")
			}
			if _, err := w.SendMessage(t.Context(), test.in); code(err) != test.want {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

func TestATraceAndAGroupComeWithTheMessage(t *testing.T) {
	w := newWorld(t)
	queue := w.create(nil)
	sent, err := w.SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: queue, MessageBody: aws.String("body"), MessageGroupId: aws.String("tenant"),
		MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String("Root=1")}},
	})
	if err != nil || sent.MD5OfMessageSystemAttributes == nil {
		t.Fatalf("sent %+v, %v; want a digest of the trace", sent, err)
	}
	got, err := w.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"AWSTraceHeader", "MessageGroupId"}})
	if err != nil || len(got.Messages) != 1 {
		t.Fatalf("received %+v, %v", got, err)
	}
	if of := got.Messages[0].Attributes; len(of) != 2 || of["AWSTraceHeader"] != "Root=1" || of["MessageGroupId"] != "tenant" {
		t.Errorf("the attributes are %v, want the trace and the group", of)
	}
}
