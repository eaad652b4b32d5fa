package eventbridge_test

import (
	"net/http"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awseb "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// outage puts events for a receiver that is down for a while, and lets two days pass.
func (w *world) outage(events int, down time.Duration) {
	w.Helper()
	up := w.clock.Now().Add(down)
	w.answer = func(_ int, to http.ResponseWriter, _ *http.Request) {
		if w.clock.Now().Before(up) {
			to.WriteHeader(http.StatusServiceUnavailable)
		}
	}
	w.forgetful = true
	w.journey(nil)
	for range events {
		w.put()
	}
	w.pass(48 * time.Hour)
	if due := w.Due(); !due.IsZero() {
		w.Errorf("after two days something is due at %s", due)
	}
	w.idle()
}

func TestAReceiverThatIsDownFor23HoursGetsEveryEvent(t *testing.T) {
	w := newWorld(t)
	w.outage(200, 23*time.Hour)
	if w.counted["SuccessfulInvocationAttempts"] != 200 || w.counted["Invocations"] != 200 || len(w.dead) != 0 {
		t.Errorf("%d dead letters, counted %v", len(w.dead), w.counted)
	}
}

func TestAReceiverThatIsDownFor25HoursLeavesEveryEventInTheDeadLetterQueue(t *testing.T) {
	w := newWorld(t)
	w.outage(200, 25*time.Hour)
	if len(w.dead) != 200 || w.counted["InvocationsSentToDlq"] != 200 || w.counted["FailedInvocations"] != 200 || w.counted["SuccessfulInvocationAttempts"] != 0 {
		t.Fatalf("%d dead letters, counted %v", len(w.dead), w.counted)
	}
	for _, letter := range w.dead {
		if condition := *letter.MessageAttributes["EXHAUSTED_RETRY_CONDITION"].StringValue; condition != "MaximumEventAgeInSeconds" {
			t.Fatalf("a dead letter for %s", condition)
		}
		// A day had room for 129 attempts at AWS.
		if retries, err := strconv.Atoi(*letter.MessageAttributes["RETRY_ATTEMPTS"].StringValue); err != nil || retries < 110 || retries > 160 {
			t.Fatalf("a dead letter after %d retries", retries)
		}
	}
}

func TestDeliveriesThatWaitCostNoGoroutine(t *testing.T) {
	w := newWorld(t)
	w.answer = func(_ int, to http.ResponseWriter, _ *http.Request) { to.WriteHeader(http.StatusServiceUnavailable) }
	w.journey(nil)
	w.forgetful = true
	before := runtime.NumGoroutine()
	for range 1000 {
		w.put()
	}
	w.pass(10 * time.Second)
	// What has come to its end needs a moment to be gone.
	w.eventually("all goroutines but those of before", 0, func() bool { return runtime.NumGoroutine() <= before })
	if w.counted["InvocationAttempts"] < 1000 || w.Due().IsZero() {
		t.Errorf("nothing waits, counted %v", w.counted)
	}
}

func TestDeliveredEventsLeaveNothingBehind(t *testing.T) {
	const events = 20_000
	w := newWorld(t)
	w.forgetful = true
	w.journey(nil)
	must[*awseb.PutTargetsOutput](t)(w.PutTargets(w.ctx, &awseb.PutTargetsInput{
		Rule: aws.String("rule"), EventBusName: aws.String("demo"), Targets: []types.Target{{Id: aws.String("t"), Arn: aws.String(functionARN)}},
	}))
	ten := make([]types.PutEventsRequestEntry, 10)
	for i := range ten {
		ten[i] = types.PutEventsRequestEntry{EventBusName: aws.String("demo"), Source: aws.String("shop"), DetailType: aws.String("order"), Detail: aws.String(`{"id":7}`)}
	}
	before := heap()
	for i := range events / 10 {
		must[*awseb.PutEventsOutput](t)(w.PutEvents(w.ctx, &awseb.PutEventsInput{Entries: ten}))
		if i%100 == 0 {
			w.idle()
		}
	}
	w.idle()
	if w.counted["SuccessfulInvocationAttempts"] != events {
		t.Fatalf("counted %v", w.counted)
	}
	if grown := int64(heap()) - int64(before); grown > 50*events {
		t.Errorf("the heap has grown by %d bytes in %d deliveries", grown, events)
	}
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
