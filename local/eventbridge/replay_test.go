package eventbridge_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awseb "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/google/go-cmp/cmp"
)

// replay starts a replay of the events of a span of time.
func (w *world) replay(from, to time.Time, change func(*awseb.StartReplayInput)) (*awseb.StartReplayOutput, error) {
	in := &awseb.StartReplayInput{
		ReplayName: aws.String("again"), EventSourceArn: aws.String(archiveARN), EventStartTime: aws.Time(from), EventEndTime: aws.Time(to),
		Destination: &types.ReplayDestination{Arn: aws.String(busARN)},
	}
	if change != nil {
		change(in)
	}
	return w.StartReplay(w.ctx, in)
}

func (w *world) describeReplay() *awseb.DescribeReplayOutput {
	w.Helper()
	return must[*awseb.DescribeReplayOutput](w.T)(w.DescribeReplay(w.ctx, &awseb.DescribeReplayInput{ReplayName: aws.String("again")}))
}

// collect sends what a rule of the bus matches to the queue.
func (w *world) collect(rule, pattern string) {
	w.Helper()
	must[*awseb.PutRuleOutput](w.T)(w.PutRule(w.ctx, &awseb.PutRuleInput{Name: aws.String(rule), EventBusName: aws.String("demo"), EventPattern: aws.String(pattern)}))
	must[*awseb.PutTargetsOutput](w.T)(w.PutTargets(w.ctx, &awseb.PutTargetsInput{Rule: aws.String(rule), EventBusName: aws.String("demo"), Targets: []types.Target{
		{Id: aws.String("q"), Arn: aws.String(queueARN)},
	}}))
}

// collected are the events in the queue, without their ids, and the ids.
func (w *world) collected() (events, ids []string) {
	w.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, message := range w.dead {
		var event map[string]any
		if err := json.Unmarshal([]byte(*message.MessageBody), &event); err != nil {
			w.Fatal(err)
		}
		ids = append(ids, event["id"].(string))
		events = append(events, fmt.Sprint(event["source"], " ", event["time"], " ", event["replay-name"]))
	}
	w.dead = nil
	return events, ids
}

func TestAReplayPutsTheEventsOfASpanOfTimeOnTheirBusAgain(t *testing.T) {
	w := newWorld(t)
	w.archive(nil)
	w.collect("live", `{"source":[{"prefix":"shop"}]}`)
	noon := time.Date(2026, 5, 6, 12, 0, 0, 0, time.UTC)
	originals := map[string]bool{}
	for source, after := range map[string]time.Duration{"shop-c": 70 * time.Second, "shop-a": 0, "shop-too-late": 2 * time.Minute, "shop-too-early": -time.Second} {
		originals[w.putAs(source, noon.Add(after))] = true
	}
	w.collected()
	w.clock.Advance(12 * time.Hour)
	made := must[*awseb.StartReplayOutput](t)(w.replay(noon, noon.Add(2*time.Minute), nil))
	if made.State != types.ReplayStateStarting || *made.ReplayArn != "arn:aws:events:us-east-1:123456789012:replay/again" {
		t.Errorf("started %+v", made)
	}
	if shown := w.describeReplay(); shown.State != types.ReplayStateStarting || shown.EventLastReplayedTime != nil || shown.ReplayEndTime != nil {
		t.Errorf("before its time the replay is %+v", shown)
	}
	w.pass(time.Minute)
	events, ids := w.collected()
	// All minutes are in order.
	if diff := cmp.Diff([]string{"shop-a 2026-05-06T12:00:00Z again", "shop-c 2026-05-06T12:01:10Z again"}, sortedByTime(events)); diff != "" {
		t.Error(diff)
	}
	for _, id := range ids {
		if originals[id] {
			t.Errorf("the replayed event has the id of its original, %s", id)
		}
	}
	shown := w.describeReplay()
	if shown.State != types.ReplayStateCompleted || !shown.EventLastReplayedTime.Equal(noon.Add(time.Minute)) || shown.ReplayEndTime == nil {
		t.Errorf("the replay is %s, has come to %s, ended %s", shown.State, shown.EventLastReplayedTime, shown.ReplayEndTime)
	}
	if got := w.describeArchive(); got.EventCount != 4 {
		t.Errorf("the archive has %d events after the replay", got.EventCount)
	}
	listed := must[*awseb.ListReplaysOutput](t)(w.ListReplays(w.ctx, &awseb.ListReplaysInput{State: types.ReplayStateCompleted}))
	if len(listed.Replays) != 1 || *listed.Replays[0].ReplayName != "again" || *listed.Replays[0].EventSourceArn != archiveARN {
		t.Errorf("listed %+v", listed.Replays)
	}
}

// sortedByTime forgives that targets are reached in no order.
func sortedByTime(events []string) []string {
	if len(events) == 2 && strings.Fields(events[0])[1] > strings.Fields(events[1])[1] {
		return []string{events[1], events[0]}
	}
	return events
}

func TestAReplayMeetsTheRulesOfNowOrThoseThatItNames(t *testing.T) {
	for name, c := range map[string]struct {
		only []string
		want []string // the rules that send an event
	}{
		"all rules":                {nil, []string{"new", "old"}},
		"an empty filter":          {[]string{}, []string{"new", "old"}},
		"one rule":                 {[]string{"new"}, []string{"new"}},
		"a rule that is disabled":  {[]string{"off"}, nil},
		"a rule that matches else": {[]string{"else"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.archive(nil)
			at := w.clock.Now()
			w.putAs("shop", at)
			for rule, pattern := range map[string]string{"old": `{"source":["shop"]}`, "new": `{"source":["shop"]}`, "off": `{"source":["shop"]}`, "else": `{"source":["x"]}`} {
				w.collect(rule, pattern)
			}
			must[*awseb.DisableRuleOutput](t)(w.DisableRule(w.ctx, &awseb.DisableRuleInput{Name: aws.String("off"), EventBusName: aws.String("demo")}))
			must[*awseb.StartReplayOutput](t)(w.replay(at.Add(-time.Minute), at.Add(time.Minute), func(in *awseb.StartReplayInput) {
				for _, rule := range c.only {
					in.Destination.FilterArns = append(in.Destination.FilterArns, "arn:aws:events:us-east-1:123456789012:rule/demo/"+rule)
				}
			}))
			w.pass(time.Minute)
			var got []string
			for _, arn := range w.sources {
				got = append(got, strings.TrimPrefix(arn, "arn:aws:events:us-east-1:123456789012:rule/demo/"))
			}
			if len(got) == 2 && got[0] > got[1] {
				got[0], got[1] = got[1], got[0]
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAReplayWithoutTheKeyFails(t *testing.T) {
	w := newWorld(t)
	w.archive(func(in *awseb.CreateArchiveInput) { in.KmsKeyIdentifier = aws.String(keyARN) })
	w.collect("live", `{"replay-name":["again"]}`)
	at := w.clock.Now()
	w.putAs("shop", at)
	w.set(func() { w.keyDisabled = true })
	must[*awseb.StartReplayOutput](t)(w.replay(at.Add(-time.Minute), at.Add(time.Minute), nil))
	w.pass(time.Minute)
	if shown := w.describeReplay(); shown.State != types.ReplayStateFailed || *shown.StateReason != "Internal Failure." || shown.ReplayEndTime == nil || len(w.dead) != 0 {
		t.Errorf("the replay is %s with %d events", shown.State, len(w.dead))
	}
}

func TestAReplayOfAnArchiveThatIsGoneFails(t *testing.T) {
	w := newWorld(t)
	w.archive(nil)
	at := w.clock.Now()
	must[*awseb.StartReplayOutput](t)(w.replay(at.Add(-time.Minute), at, nil))
	must[*awseb.DeleteArchiveOutput](t)(w.DeleteArchive(w.ctx, &awseb.DeleteArchiveInput{ArchiveName: aws.String("kept")}))
	w.pass(time.Minute)
	if shown := w.describeReplay(); shown.State != types.ReplayStateFailed || *shown.StateReason != "Archive resource not found." {
		t.Errorf("the replay is %s: %s", shown.State, aws.ToString(shown.StateReason))
	}
	w.clock.Advance(90 * 24 * time.Hour)
	_, err := w.DescribeReplay(w.ctx, &awseb.DescribeReplayInput{ReplayName: aws.String("again")})
	wantError(t, err, "ResourceNotFoundException", "Replay again does not exist.")
}

func TestAReplayIsCancelledBeforeItBeginsOrUnderWay(t *testing.T) {
	for name, c := range map[string]struct {
		underWay bool
		want     int // events that are on the bus again
	}{"before": {false, 0}, "under way": {true, 1}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.archive(func(in *awseb.CreateArchiveInput) { in.KmsKeyIdentifier = aws.String(keyARN) })
			at := w.clock.Now()
			for i := range 3 {
				w.putAs("shop", at.Add(time.Duration(i)*time.Minute))
			}
			w.collect("live", `{"replay-name":["again"]}`)
			must[*awseb.StartReplayOutput](t)(w.replay(at.Add(-time.Minute), at.Add(time.Hour), nil))
			cancel := func() {
				out := must[*awseb.CancelReplayOutput](t)(w.CancelReplay(w.ctx, &awseb.CancelReplayInput{ReplayName: aws.String("again")}))
				if out.State != types.ReplayStateCancelling {
					t.Errorf("cancelling answers %s", out.State)
				}
			}
			if c.underWay {
				w.onKeyUse = func() { // for the first event
					w.onKeyUse = nil
					if state := w.describeReplay().State; state != types.ReplayStateRunning {
						t.Errorf("under way the replay is %s", state)
					}
					cancel()
				}
			} else {
				cancel()
			}
			w.pass(time.Minute)
			shown := w.describeReplay()
			if events, _ := w.collected(); shown.State != types.ReplayStateCancelled || shown.ReplayEndTime == nil || len(events) != c.want {
				t.Errorf("the replay is %s with %d events, want %d", shown.State, len(events), c.want)
			}
			_, err := w.CancelReplay(w.ctx, &awseb.CancelReplayInput{ReplayName: aws.String("again")})
			wantError(t, err, "IllegalStatusException", "Replay again is not in a valid state for this operation.")
		})
	}
}

func TestAReplayThatCannotBeIsRefused(t *testing.T) {
	w := newWorld(t)
	w.archive(nil)
	must[*awseb.CreateEventBusOutput](t)(w.CreateEventBus(w.ctx, &awseb.CreateEventBusInput{Name: aws.String("else")}))
	now := w.clock.Now()
	must[*awseb.StartReplayOutput](t)(w.replay(now.Add(-time.Hour), now, func(in *awseb.StartReplayInput) { in.ReplayName = aws.String("twice") }))
	for name, c := range map[string]struct {
		change      func(*awseb.StartReplayInput)
		code, words string
	}{
		"archive": {func(in *awseb.StartReplayInput) { in.EventSourceArn = aws.String(archiveARN + "x") }, "ValidationException", "Parameter EventSourceArn is not valid. Reason: Archive keptx does not exist."},
		"bus":     {func(in *awseb.StartReplayInput) { in.Destination.Arn = aws.String(busARN + "x") }, "ResourceNotFoundException", "Event bus demox does not exist."},
		"other bus": {func(in *awseb.StartReplayInput) {
			in.Destination.Arn = aws.String("arn:aws:events:us-east-1:123456789012:event-bus/else")
		}, "ValidationException", "Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted."},
		"no time": {func(in *awseb.StartReplayInput) { in.EventEndTime = in.EventStartTime }, "ValidationException", "Reason: EventStartTime must be before EventEndTime."},
		"twice":   {func(in *awseb.StartReplayInput) { in.ReplayName = aws.String("twice") }, "ResourceAlreadyExistsException", "Replay twice already exists."},
		"rule":    {func(in *awseb.StartReplayInput) { in.Destination.FilterArns = []string{ruleARN} }, "ValidationException", "does not exist on the event bus demo"},
		"nowhere": {func(in *awseb.StartReplayInput) { in.Destination = nil }, "ValidationException", "at 'destination'"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.replay(now.Add(-time.Hour), now, c.change)
			wantError(t, err, c.code, c.words)
		})
	}
	for i := range 9 {
		must[*awseb.StartReplayOutput](t)(w.replay(now.Add(-time.Hour), now, func(in *awseb.StartReplayInput) { in.ReplayName = aws.String(fmt.Sprint("r-", i)) }))
	}
	_, err := w.replay(now.Add(-time.Hour), now, nil)
	wantError(t, err, "LimitExceededException", "The requested resource exceeds the maximum number allowed.")
	w.pass(time.Minute)
	must[*awseb.StartReplayOutput](t)(w.replay(now.Add(-time.Hour), now, nil))
}
