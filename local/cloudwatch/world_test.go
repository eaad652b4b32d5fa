package cloudwatch_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
	service "api-destination-credentials/local/cloudwatch"
)

const topic = "arn:aws:sns:us-east-1:123456789012:on-call"

// world is the account around the service: who may do what, a topic, a bus, and
// one queue whose depth is read.
type world struct {
	*testing.T
	*service.Service
	clock *clockwork.FakeClock

	mu      sync.Mutex
	refused string // action that is not allowed
	asked   []access.Request
	depth   *float64 // nil: nobody reports
	broken  error    // what the topic answers
	notices chan string
	events  chan map[string]any
}

func newWorld(t *testing.T) *world {
	w := &world{
		T: t, clock: clockwork.NewFakeClockAt(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)),
		notices: make(chan string, 100), events: make(chan map[string]any, 100),
	}
	w.Service = service.New(service.Config{
		Account: access.Account{ID: "123456789012", Region: "us-east-1"}, Auth: w, Clock: w.clock, Events: w, Notify: w.notify,
		Gauges: []func(service.Report){w.report},
	})
	t.Cleanup(w.Close)
	return w
}

func (w *world) Authorize(_ context.Context, r access.Request) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, r)
	if r.Action == w.refused {
		return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not authorized"}
	}
	return nil
}

func (w *world) report(set service.Report) {
	if w.depth != nil {
		set("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Count", map[string]string{"QueueName": "dead-letters"}, *w.depth)
	}
}

func (w *world) notify(ctx context.Context, topicARN, subject string, message []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	caller := access.Caller(ctx)
	w.notices <- strings.Join([]string{caller.Service, caller.SourceARN, topicARN, subject, string(message)}, "\n")
	return w.broken
}

func (w *world) Publish(_ context.Context, source, detailType string, resources []string, detail any) {
	text, _ := json.Marshal(detail)
	var read map[string]any
	_ = json.Unmarshal(text, &read)
	w.events <- map[string]any{"source": source, "detail-type": detailType, "resources": resources, "detail": read}
}

func must[T any](t *testing.T, value T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// alarm is on the sum of Shop's Errors, one minute, above zero.
func alarm(change func(*cloudwatch.PutMetricAlarmInput)) *cloudwatch.PutMetricAlarmInput {
	in := &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("errors"), Namespace: aws.String("Shop"), MetricName: aws.String("Errors"),
		Statistic: types.StatisticSum, Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1),
		Threshold: aws.Float64(0), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
	}
	if change != nil {
		change(in)
	}
	return in
}

func (w *world) put(change func(*cloudwatch.PutMetricAlarmInput)) {
	w.Helper()
	_, err := w.PutMetricAlarm(w.Context(), alarm(change))
	must(w.T, 0, err)
}

func (w *world) state(name string) types.MetricAlarm {
	w.Helper()
	out, err := w.DescribeAlarms(w.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{name}})
	if must(w.T, out, err); len(out.MetricAlarms) != 1 {
		w.Fatalf("%d alarms of the name %s", len(out.MetricAlarms), name)
	}
	return out.MetricAlarms[0]
}

func (w *world) want(name string, state types.StateValue, reason string) {
	w.Helper()
	found := w.state(name)
	if found.StateValue != state || aws.ToString(found.StateReason) != reason {
		w.Errorf("state %s, %q\nwant %s, %q", found.StateValue, aws.ToString(found.StateReason), state, reason)
	}
}

func (w *world) history(kind types.HistoryItemType) []string {
	w.Helper()
	out, err := w.DescribeAlarmHistory(w.Context(), &cloudwatch.DescribeAlarmHistoryInput{HistoryItemType: kind, ScanBy: types.ScanByTimestampAscending})
	must(w.T, out, err)
	summaries := []string{}
	for _, item := range out.AlarmHistoryItems {
		summaries = append(summaries, *item.HistorySummary)
	}
	return summaries
}

func next[T any](t *testing.T, from chan T) T {
	t.Helper()
	select {
	case got := <-from:
		return got
	case <-time.After(5 * time.Second):
		t.Fatal("nothing came within five seconds")
		panic("unreachable")
	}
}
