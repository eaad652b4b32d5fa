package redrive_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"api-destination-credentials/internal/redrive"
)

// world is a queue, whose messages stay out of sight once received, and a bus.
type world struct {
	t        *testing.T
	messages []types.Message
	hidden   map[string]bool
	puts     [][]ebtypes.PutEventsRequestEntry
	refuse   func(detail string) string // the code of an entry's refusal; empty takes it
	deleting error
	arriving int // messages that arrive while the run goes on
}

var began = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func newWorld(t *testing.T, bodies ...string) *world {
	w := &world{t: t, hidden: map[string]bool{}, refuse: func(string) string { return "" }}
	for _, body := range bodies {
		w.add(body, began.Add(-time.Minute))
	}
	return w
}

func (w *world) add(body string, sent time.Time) {
	id := strconv.Itoa(len(w.messages) + len(w.hidden))
	w.messages = append(w.messages, types.Message{
		MessageId: aws.String(id), ReceiptHandle: aws.String(id), Body: aws.String(body),
		Attributes: map[string]string{"SentTimestamp": strconv.FormatInt(sent.UnixMilli(), 10)},
	})
}

func event(n int, detail string) string {
	return fmt.Sprintf(`{"id":"e%d","time":"2026-11-23T08:00:00Z","source":"s","detailType":"d","resources":["r"],"detail":%s}`, n, detail)
}

func (w *world) ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	if w.arriving > 0 {
		w.arriving--
		w.add(event(100, `{}`), began.Add(time.Second))
	}
	out := &sqs.ReceiveMessageOutput{}
	for _, message := range w.messages {
		if len(out.Messages) < 10 && !w.hidden[*message.MessageId] {
			w.hidden[*message.MessageId] = true
			out.Messages = append(out.Messages, message)
		}
	}
	return out, nil
}

func (w *world) DeleteMessage(_ context.Context, in *sqs.DeleteMessageInput, _ ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error) {
	if w.deleting != nil {
		return nil, w.deleting
	}
	for i, message := range w.messages {
		if *message.ReceiptHandle == *in.ReceiptHandle {
			w.messages = append(w.messages[:i:i], w.messages[i+1:]...)
			return &sqs.DeleteMessageOutput{}, nil
		}
	}
	w.t.Errorf("message %s is deleted twice", *in.ReceiptHandle)
	return &sqs.DeleteMessageOutput{}, nil
}

func (w *world) PutEvents(_ context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	w.puts = append(w.puts, in.Entries)
	out := &eventbridge.PutEventsOutput{}
	for _, entry := range in.Entries {
		if code := w.refuse(*entry.Detail); code != "" {
			out.Entries = append(out.Entries, ebtypes.PutEventsResultEntry{ErrorCode: aws.String(code), ErrorMessage: aws.String("later")})
			continue
		}
		out.Entries = append(out.Entries, ebtypes.PutEventsResultEntry{EventId: aws.String("new")})
	}
	return out, nil
}

func (w *world) run() (redrive.Result, error) {
	return redrive.Redriver{Queue: w, QueueURL: "queue", Bus: w, BusName: "bus", Now: func() time.Time { return began }}.Run(w.t.Context())
}

func TestAnEventComesBackAsItWasUnderItsOldName(t *testing.T) {
	w := newWorld(t, event(1, `{"n": 1}`), strings.Replace(event(2, `{}`), `"r"`, `"redrive:first"`, 1))
	if _, err := w.run(); err != nil {
		t.Fatal(err)
	}
	want := []string{"s d {\"n\": 1} [r redrive:e1] 2026-11-23T08:00:00Z bus", "s d {} [redrive:first] 2026-11-23T08:00:00Z bus"}
	var got []string
	for _, entry := range w.puts[0] {
		got = append(got, fmt.Sprintf("%s %s %s %v %s %s", *entry.Source, *entry.DetailType, *entry.Detail, entry.Resources, entry.Time.Format(time.RFC3339), *entry.EventBusName))
	}
	if difference := cmp.Diff(want, got); difference != "" {
		t.Error(difference)
	}
	if len(w.messages) != 0 {
		t.Errorf("%d messages are left", len(w.messages))
	}
}

func TestAnEventThatTheBusCouldNotEncryptComesBackToo(t *testing.T) {
	w := newWorld(t, strings.Replace(event(1, `{}`), "detailType", "detail-type", 1))
	if result, err := w.run(); err != nil || result.Redriven != 1 || *w.puts[0][0].DetailType != "d" {
		t.Errorf("%+v, %v", result, err)
	}
}

func TestOnlyWhatTheBusAcceptsLeavesTheQueue(t *testing.T) {
	w := newWorld(t, event(1, `{"n":1}`), event(2, `{"n":2}`), `not ours`, `{"id":"x"}`)
	w.refuse = func(detail string) string {
		if detail == `{"n":2}` {
			return "ThrottlingException"
		}
		return ""
	}
	result, err := w.run()
	if err != nil {
		t.Fatal(err)
	}
	want := redrive.Result{Redriven: 1, Kept: map[string]int{
		"the event bus refuses it: ThrottlingException: later":                              1,
		"the message is not what this application's rule sends: replay the archive instead": 2,
	}}
	if difference := cmp.Diff(want, result); difference != "" {
		t.Error(difference)
	}
	if len(w.messages) != 3 {
		t.Errorf("%d messages are left, want 3", len(w.messages))
	}
}

func TestWhatArrivesMeanwhileIsLeftForTheNextRun(t *testing.T) {
	w := newWorld(t, event(1, `{}`))
	w.arriving = 1000
	result, err := w.run()
	if err != nil || result.Redriven != 1 {
		t.Errorf("%+v, %v; want one event back and an end", result, err)
	}
}

func TestARunThatIsInterruptedCanBeRepeated(t *testing.T) {
	w := newWorld(t, event(1, `{}`), event(2, `{}`))
	w.deleting = errors.New("gone away")
	if _, err := w.run(); err == nil || !strings.Contains(err.Error(), "put there twice") {
		t.Fatalf("error %v, want one that says what follows", err)
	}
	w.deleting, w.hidden = nil, map[string]bool{}
	result, err := w.run()
	if err != nil || result.Redriven != 2 || len(w.messages) != 0 {
		t.Errorf("%+v, %v, %d messages left", result, err, len(w.messages))
	}
	first, again := w.puts[0][0], w.puts[1][0]
	if difference := cmp.Diff(first.Resources, again.Resources); difference != "" {
		t.Errorf("the second time it comes under another mark: %s", difference)
	}
}

func TestBatchesFitIntoARequest(t *testing.T) {
	large := `{"text":"` + strings.Repeat("x", 100<<10) + `"}`
	var bodies []string
	for n := range 23 {
		bodies = append(bodies, event(n, large))
	}
	w := newWorld(t, bodies...)
	if result, err := w.run(); err != nil || result.Redriven != 23 {
		t.Fatalf("%+v, %v", result, err)
	}
	for _, entries := range w.puts {
		total := 0
		for _, entry := range entries {
			total += len(*entry.Detail)
		}
		if total > 256<<10 || len(entries) > 10 {
			t.Errorf("a request has %d entries of %d bytes", len(entries), total)
		}
	}
}
