package eventbridge_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awseb "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/google/go-cmp/cmp"
)

const scheduledARN = "arn:aws:events:us-east-1:123456789012:rule/clockwork"

// schedule puts a rule on a schedule.
func (w *world) schedule(expression string) {
	w.Helper()
	must[*awseb.PutRuleOutput](w.T)(w.PutRule(w.ctx, &awseb.PutRuleInput{Name: aws.String("clockwork"), ScheduleExpression: aws.String(expression)}))
}

// toQueue makes the queue the target of the rule on a schedule.
func (w *world) toQueue() {
	w.Helper()
	must[*awseb.PutTargetsOutput](w.T)(w.PutTargets(w.ctx, &awseb.PutTargetsInput{
		Rule: aws.String("clockwork"), Targets: []types.Target{{Id: aws.String("q"), Arn: aws.String(queueARN)}},
	}))
}

// runs returns the times of the events that have come so far.
func (w *world) runs() []string {
	w.Helper()
	w.idle()
	w.mu.Lock()
	defer w.mu.Unlock()
	var times []string
	for _, message := range w.dead {
		var event struct {
			Time string `json:"time"`
		}
		if err := json.Unmarshal([]byte(*message.MessageBody), &event); err != nil {
			w.Error(err)
		}
		times = append(times, event.Time)
	}
	return times
}

// noAlarm checks that the service no longer waits for any time.
func (w *world) noAlarm() {
	w.Helper()
	over, cancel := context.WithCancel(w.ctx)
	cancel()
	if w.clock.BlockUntilContext(over, 1) == nil {
		w.Error("a timer is left")
	}
}

func TestAScheduledRuleSendsTheDocumentedEvent(t *testing.T) {
	w := newWorld(t)
	w.schedule("rate(1 hour)")
	w.toQueue()
	w.clock.Advance(time.Hour - time.Nanosecond)
	if runs := w.runs(); len(runs) != 0 {
		t.Fatalf("it ran early, at %s", runs)
	}
	w.clock.Advance(time.Nanosecond)
	w.eventually("the event", 0, func() bool { return w.is(func() bool { return len(w.dead) == 1 }) })
	var got map[string]any
	if err := json.Unmarshal([]byte(*w.dead[0].MessageBody), &got); err != nil {
		t.Fatal(err)
	}
	if id, _ := got["id"].(string); len(id) != 36 {
		t.Errorf("the event's id is %q", id)
	}
	delete(got, "id")
	want := map[string]any{
		"version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "account": "123456789012", "time": "2026-05-06T08:08:09Z",
		"region": "us-east-1", "resources": []any{scheduledARN}, "detail": map[string]any{},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if w.sources[0] != scheduledARN {
		t.Errorf("sent for %s", w.sources[0])
	}
}

func TestAScheduledRuleSendsItsTargetsInput(t *testing.T) {
	w := newWorld(t)
	w.schedule("cron(0/30 * * * ? *)")
	w.toFunction("clockwork", func(target *types.Target) { target.Input = aws.String(`{"reason":"schedule"}`) })
	for range 2 {
		w.clock.Advance(30 * time.Minute)
		w.idle()
	}
	if diff := cmp.Diff([]string{`{"reason":"schedule"}`, `{"reason":"schedule"}`}, w.payloads()); diff != "" {
		t.Error(diff)
	}
}

func TestAScheduleStaysInItsRhythm(t *testing.T) {
	w := newWorld(t)
	w.schedule("rate(1 hour)")
	w.toQueue()
	w.clock.Advance(30 * 24 * time.Hour) // one run for all that were missed
	w.eventually("a run", 0, func() bool { return w.is(func() bool { return len(w.dead) == 1 }) })
	w.clock.Advance(90 * time.Minute)
	w.idle()
	w.schedule("rate(1 hour)") // the same again, as an update of a stack would
	w.clock.Advance(30 * time.Minute)
	want := []string{"2026-05-06T08:08:09Z", "2026-06-05T08:08:09Z", "2026-06-05T09:08:09Z"}
	if diff := cmp.Diff(want, w.runs()); diff != "" {
		t.Error(diff)
	}
	w.clock.Advance(10 * time.Minute)
	w.schedule("rate(2 hours)") // another one starts anew
	w.clock.Advance(2 * time.Hour)
	if diff := cmp.Diff(append(want, "2026-06-05T11:18:09Z"), w.runs()); diff != "" {
		t.Error(diff)
	}
}

func TestADisabledScheduleWaitsUntilItIsEnabled(t *testing.T) {
	w := newWorld(t)
	w.schedule("rate(1 hour)")
	w.toQueue()
	must[*awseb.DisableRuleOutput](t)(w.DisableRule(w.ctx, &awseb.DisableRuleInput{Name: aws.String("clockwork")}))
	w.noAlarm()
	w.clock.Advance(90 * time.Minute)
	must[*awseb.EnableRuleOutput](t)(w.EnableRule(w.ctx, &awseb.EnableRuleInput{Name: aws.String("clockwork")}))
	if runs := w.runs(); len(runs) != 0 {
		t.Errorf("it ran at %s", runs)
	}
	w.clock.Advance(30 * time.Minute)
	if diff := cmp.Diff([]string{"2026-05-06T09:08:09Z"}, w.runs()); diff != "" {
		t.Error(diff)
	}
}

func TestASchedulesEnd(t *testing.T) {
	for name, end := range map[string]func(*world){
		"deletion": func(w *world) {
			must[*awseb.RemoveTargetsOutput](w.T)(w.RemoveTargets(w.ctx, &awseb.RemoveTargetsInput{Rule: aws.String("clockwork"), Ids: []string{"q"}}))
			must[*awseb.DeleteRuleOutput](w.T)(w.DeleteRule(w.ctx, &awseb.DeleteRuleInput{Name: aws.String("clockwork")}))
		},
		"a pattern instead": func(w *world) {
			must[*awseb.PutRuleOutput](w.T)(w.PutRule(w.ctx, &awseb.PutRuleInput{Name: aws.String("clockwork"), EventPattern: aws.String(`{"source":["shop"]}`)}))
		},
		"a last time": func(w *world) {
			w.schedule("cron(30 7 6 5 ? 2026)")
			w.clock.Advance(30 * time.Minute)
			w.idle()
			w.set(func() { w.dead = nil })
		},
		"Close": func(w *world) { w.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.schedule("rate(1 minute)")
			w.toQueue()
			end(w)
			w.noAlarm()
			w.clock.Advance(24 * time.Hour)
			if runs := w.runs(); len(runs) != 0 {
				t.Errorf("it ran at %s", runs)
			}
		})
	}
}

func TestARuleMayHaveAPatternAndASchedule(t *testing.T) {
	w := newWorld(t)
	w.schedule("rate(1 hour)")
	w.toQueue()
	w.moveLabel("AWSCURRENT")
	if runs := w.runs(); len(runs) != 0 {
		t.Errorf("without a pattern it matched at %s", runs)
	}
	must[*awseb.PutRuleOutput](t)(w.PutRule(w.ctx, &awseb.PutRuleInput{
		Name: aws.String("clockwork"), ScheduleExpression: aws.String("rate(1 hour)"), EventPattern: aws.String(`{"source":["aws.secretsmanager"]}`),
	}))
	w.moveLabel("AWSCURRENT")
	w.idle()
	w.clock.Advance(time.Hour)
	if diff := cmp.Diff([]string{"2026-05-06T07:08:09Z", "2026-05-06T08:08:09Z"}, w.runs()); diff != "" {
		t.Error(diff)
	}
}

func TestAScheduleIsShownWithItsRule(t *testing.T) {
	w := newWorld(t)
	w.schedule("rate(5 minutes)")
	shown := must[*awseb.DescribeRuleOutput](t)(w.DescribeRule(w.ctx, &awseb.DescribeRuleInput{Name: aws.String("clockwork")}))
	if aws.ToString(shown.ScheduleExpression) != "rate(5 minutes)" || shown.EventPattern != nil || shown.State != types.RuleStateEnabled {
		t.Errorf("DescribeRule shows %+v", shown)
	}
	want := []types.Rule{{
		Arn: aws.String(scheduledARN), Name: aws.String("clockwork"), EventBusName: aws.String("default"),
		ScheduleExpression: aws.String("rate(5 minutes)"), State: types.RuleStateEnabled,
	}}
	listed := must[*awseb.ListRulesOutput](t)(w.ListRules(w.ctx, &awseb.ListRulesInput{}))
	if diff := cmp.Diff(want, listed.Rules, cmp.AllowUnexported(types.Rule{})); diff != "" {
		t.Error(diff)
	}
}

func TestAScheduleThatCannotWorkIsRefused(t *testing.T) {
	w := newWorld(t)
	must[*awseb.CreateEventBusOutput](t)(w.CreateEventBus(w.ctx, &awseb.CreateEventBusInput{Name: aws.String("demo")}))
	for words, in := range map[string]*awseb.PutRuleInput{
		"Parameter(s) EventPattern or ScheduleExpression must be specified.": {},
		"Parameter ScheduleExpression is not valid.":                         {ScheduleExpression: aws.String("rate(1 minutes)")},
		"ScheduleExpression is supported only on the default event bus.":     {ScheduleExpression: aws.String("rate(1 minute)"), EventBusName: aws.String(busARN)},
	} {
		in.Name = aws.String("clockwork")
		_, err := w.PutRule(w.ctx, in)
		wantError(t, err, "ValidationException", words)
	}
}
