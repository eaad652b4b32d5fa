package secretsmanager

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/google/uuid"
)

const day = 24 * time.Hour

// Bounds of a schedule.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
const (
	shortest = 4 * time.Hour
	longest  = 999 * day
)

// schedule is a rotation each so many hours or days, in windows that open on
// the hour or at midnight UTC. The zero schedule never rotates.
type schedule struct {
	every time.Duration
	grid  time.Duration // an hour or a day: where windows open
	open  time.Duration // how long a window is
}

var (
	rate   = regexp.MustCompile(`^rate\((\d{1,5}) (hour|day)s?\)$`)
	window = regexp.MustCompile(`^(\d{1,2})h$`)
)

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotationRulesType.html
func parseRules(rules *types.RotationRulesType) (schedule, error) {
	if rules == nil {
		return schedule{}, nil
	}
	var planned schedule
	switch days, expression := rules.AutomaticallyAfterDays, aws.ToString(rules.ScheduleExpression); {
	case days != nil && rules.ScheduleExpression != nil:
		return schedule{}, invalidParameter("You can't specify both AutomaticallyAfterDays and ScheduleExpression in the same call.")
	case days != nil && (*days < 1 || *days > 1000):
		return schedule{}, invalidParameter("AutomaticallyAfterDays must be between 1 and 1000 days.")
	case days != nil:
		planned = schedule{every: time.Duration(*days) * day, grid: day, open: day}
	case strings.HasPrefix(expression, "cron("):
		return schedule{}, invalidParameter("ScheduleExpression: the local endpoint does not rotate by cron(); write rate(N hours) or rate(N days)")
	case rules.ScheduleExpression != nil:
		var err error
		if planned, err = parseRate(expression); err != nil {
			return schedule{}, err
		}
	}
	if rules.Duration != nil {
		return planned.lasting(*rules.Duration)
	}
	return planned, nil
}

func parseRate(expression string) (schedule, error) {
	parts := rate.FindStringSubmatch(expression)
	if parts == nil {
		return schedule{}, invalidParameter("ScheduleExpression must be rate(N hours) or rate(N days), with a whole number N.")
	}
	n, _ := strconv.Atoi(parts[1]) // at most five digits
	planned := schedule{every: time.Duration(n) * time.Hour, grid: time.Hour, open: time.Hour}
	if parts[2] == "day" {
		planned = schedule{every: time.Duration(n) * day, grid: day, open: day}
	}
	if planned.every < shortest || planned.every > longest {
		return schedule{}, invalidParameter(fmt.Sprintf("ScheduleExpression %s: a secret rotates at most every four hours and at least every 999 days.", expression))
	}
	return planned, nil
}

// lasting is the schedule with windows of a given length, that may reach
// neither the next window nor the next day.
func (p schedule) lasting(given string) (schedule, error) {
	if p.every == 0 {
		return schedule{}, invalidParameter("Duration is the length of a schedule's windows: give ScheduleExpression too.")
	}
	parts := window.FindStringSubmatch(given)
	if parts == nil {
		return schedule{}, invalidParameter("Duration must be a number of hours, such as 3h.")
	}
	hours, _ := strconv.Atoi(parts[1]) // two digits
	p.open = time.Duration(hours) * time.Hour
	if p.open < time.Hour || p.open > min(p.every, day) {
		return schedule{}, invalidParameter(fmt.Sprintf("Duration %s: the rotation window has at least one hour, and must not extend into the next rotation window or the next UTC day.", given))
	}
	return p, nil
}

// after is the window that follows a rotation. Secrets Manager rotates at any
// time within the window, the local endpoint when it opens.
func (p schedule) after(rotated time.Time) (opens, closes time.Time) {
	if p.every == 0 {
		return time.Time{}, time.Time{}
	}
	opens = rotated.UTC().Truncate(p.grid).Add(p.every)
	return opens, opens.Add(p.open - time.Second)
}

// plan ends whatever was under way and plans the next rotation: by the schedule
// and counted from now. It needs the lock held.
func (s *Service) plan(target *secret) {
	state := &target.rotation
	state.token, state.failures, state.due, state.next = "", 0, time.Time{}, time.Time{}
	if state.enabled {
		state.due, state.next = state.schedule.after(s.Clock.Now())
	}
	s.arrange()
}

// arrange sets the timer for what is due first. It needs the lock held.
func (s *Service) arrange() {
	if s.timer != nil {
		s.timer.Stop()
	}
	var first time.Time
	for _, one := range s.secrets {
		if due := one.due(); !due.IsZero() && (first.IsZero() || due.Before(first)) {
			first = due
		}
	}
	if first.IsZero() || s.ctx.Err() != nil {
		return
	}
	s.timer = s.Clock.AfterFunc(first.Sub(s.Clock.Now()), s.wake)
}

// due is when the secret rotates by itself; zero for never.
func (one *secret) due() time.Time {
	if !one.condemned.IsZero() {
		return time.Time{}
	}
	return one.rotation.due
}

// wake starts what is due: an attempt at the rotation that is not complete, or
// else a new rotation.
func (s *Service) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.secrets {
		if !s.overdue(one) {
			continue
		}
		token := one.unfinished()
		if one.rotation.token != "" {
			token = one.rotation.token
		}
		if token == "" {
			token = uuid.NewString()
		}
		s.begin(one, token)
	}
	s.arrange()
	s.notify()
}

func (s *Service) overdue(one *secret) bool {
	due := one.due()
	return !due.IsZero() && !due.After(s.Clock.Now())
}
