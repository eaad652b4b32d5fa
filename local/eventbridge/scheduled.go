package eventbridge

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"api-destination-credentials/local/eventbridge/schedule"
)

// timing is when a rule on a schedule runs. The zero value is never.
type timing struct {
	expression string // empty without a schedule
	schedule   schedule.Schedule
	due        time.Time // zero when disabled or over
}

// newTiming reads the schedule expression of a rule put now.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
func (s *Service) newTiming(bus, expression string) (timing, error) {
	if expression == "" {
		return timing{}, nil
	}
	if bus != defaultBus {
		return timing{}, invalid("ScheduleExpression is supported only on the default event bus.")
	}
	parsed, ok := schedule.Parse(expression, s.now())
	if !ok {
		return timing{}, invalid("Parameter ScheduleExpression is not valid.")
	}
	return timing{expression: expression, schedule: parsed}, nil
}

// setState enables or disables a rule. What an enabled rule has due stays due.
func (r *rule) setState(state types.RuleState, now time.Time) {
	r.state = state
	switch {
	case state == types.RuleStateDisabled:
		r.timing.due = time.Time{}
	case r.timing.schedule != nil && r.timing.due.IsZero():
		r.timing.due = r.timing.schedule.Next(now)
	}
}

// setAlarm wakes the service when the next rule is due.
func (s *Service) setAlarm() {
	if s.alarm != nil {
		s.alarm.Stop()
		s.alarm = nil
	}
	next := s.nextScheduled()
	if next.IsZero() {
		return
	}
	s.alarm = s.Clock.AfterFunc(next.Sub(s.now()), func() {
		s.work.start(func(context.Context) { s.runDue() })
	})
}

// nextScheduled is when the next rule on a schedule is due, or zero.
func (s *Service) nextScheduled() time.Time {
	var next time.Time
	for _, r := range s.buses[defaultBus].rules {
		if due := r.timing.due; !due.IsZero() && (next.IsZero() || due.Before(next)) {
			next = due
		}
	}
	return next
}

// runDue runs the rules that are due. A rule that came due more than once while
// nobody looked, because the machine slept or a clock was put forward, runs once.
func (s *Service) runDue() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	rules := s.buses[defaultBus].rules
	for _, name := range slices.Sorted(maps.Keys(rules)) {
		r := rules[name]
		due := r.timing.due
		if due.IsZero() || due.After(now) {
			continue
		}
		r.timing.due = r.timing.schedule.Next(now)
		// https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-events.html
		s.trigger(r, s.newEvent(envelope{Source: "aws.events", DetailType: "Scheduled Event", Resources: []string{r.arn}, Detail: []byte(`{}`)}, due))
	}
	s.setAlarm()
}
