package cloudwatch

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// refresh reads the gauges and judges every alarm by what is known now. It needs
// the lock free: gauges take their service's lock, under which that service may
// be publishing.
func (s *Service) refresh(ctx context.Context) {
	for _, changed := range s.evaluate() {
		s.act(ctx, changed)
	}
}

func (s *Service) evaluate() []change {
	s.refreshing.Lock()
	defer s.refreshing.Unlock()
	for _, gauge := range s.config.Gauges {
		gauge(s.set)
	}
	now := s.config.Clock.Now().UTC()
	s.mu.Lock()
	defer s.mu.Unlock()
	var changes []change
	for _, name := range slices.Sorted(maps.Keys(s.alarms)) {
		a := s.alarms[name]
		if a.held.After(now) {
			continue
		}
		points := a.points(s.metrics[a.watches()], now)
		if changed := a.turn(a.judge(points, now), now); changed != nil {
			s.note(changed.item())
			changes = append(changes, *changed)
		}
	}
	return changes
}

// set replaces what a gauge said before in this minute: its only sample is the
// newest, as AWS's services publish one a minute.
func (s *Service) set(namespace, name, unit string, dimensions map[string]string, value float64) {
	now := s.config.Clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	into := s.metric(namespace, name, dimensions, now).in(unit).minutes.at(now, now)
	*into = bucket{start: into.start}
	into.add(value, 1)
}

// step is how often an alarm with a period is evaluated.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
func step(period int32) time.Duration {
	if period < 60 {
		return 10 * time.Second
	}
	return time.Minute
}

// next is when alarms are evaluated after now. It needs the lock held.
func (s *Service) next(now time.Time) time.Time {
	interval := time.Minute
	for _, a := range s.alarms {
		interval = min(interval, step(*a.Period))
	}
	return now.Truncate(interval).Add(interval)
}

// arrange sets the timer of the next evaluation. It needs the lock held.
func (s *Service) arrange() {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	if s.closed || len(s.alarms) == 0 {
		return
	}
	now := s.config.Clock.Now()
	s.timer = s.config.Clock.AfterFunc(s.next(now).Sub(now), s.tick)
}

func (s *Service) tick() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.work.Add(1)
	s.mu.Unlock()
	defer s.work.Done()
	s.refresh(context.Background())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arrange()
}

// point is a period's value; absent where no data came.
type point struct {
	start  time.Time
	value  float64
	absent bool
}

// points reads the evaluation range, oldest first: two periods more than are
// evaluated, as in the examples of the page below. The newest period ends with
// the last whole minute, or with the one that runs once that has data. A sum
// that still grows says nothing about being too small, so that such alarms wait.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
func (a *alarm) points(m *metric, now time.Time) []point {
	fine, period := *a.Period < 60, time.Duration(*a.Period)*time.Second
	end := now.Truncate(step(*a.Period))
	if running := end.Add(step(*a.Period)); !a.waits() && m.between(end, running, a.Unit, fine).count > 0 {
		end = running
	}
	points := make([]point, *a.EvaluationPeriods+2)
	for i := range points {
		start := end.Add(-period * time.Duration(len(points)-i))
		b := m.between(start, start.Add(period), a.Unit, fine)
		points[i] = point{start: start, absent: b.count == 0}
		if b.count > 0 {
			points[i].value = b.statistic(a.statistic())
		}
	}
	return points
}

func (a *alarm) waits() bool {
	return strings.HasPrefix(string(a.ComparisonOperator), "LessThan") && (a.Statistic == types.StatisticSum || a.Statistic == types.StatisticSampleCount)
}

func (a *alarm) statistic() string {
	if a.ExtendedStatistic != nil {
		return *a.ExtendedStatistic
	}
	return string(a.Statistic)
}

func (a *alarm) breaches(value float64) bool {
	threshold := *a.Threshold
	switch a.ComparisonOperator {
	case types.ComparisonOperatorGreaterThanThreshold:
		return value > threshold
	case types.ComparisonOperatorGreaterThanOrEqualToThreshold:
		return value >= threshold
	case types.ComparisonOperatorLessThanThreshold:
		return value < threshold
	}
	return value <= threshold
}

// needed is how many of the evaluated periods have to breach.
func (a *alarm) needed() int {
	if a.DatapointsToAlarm != nil {
		return int(*a.DatapointsToAlarm)
	}
	return int(*a.EvaluationPeriods)
}

// treatment is how missing data count. For DynamoDB they are ignored by default.
func (a *alarm) treatment() string {
	switch {
	case a.TreatMissingData != nil:
		return *a.TreatMissingData
	case aws.ToString(a.Namespace) == "AWS/DynamoDB":
		return "ignore"
	}
	return "missing"
}

// judge finds the state by the newest data that there are: enough of them count
// alone, otherwise the missing ones are filled in. Its cases are the rows of the
// two tables on the page above. Where the page's text on premature alarms and
// its tables differ (0 - X - -, two of three), the tables hold.
func (a *alarm) judge(points []point, now time.Time) verdict {
	evaluated, needed := int(*a.EvaluationPeriods), a.needed()
	var real []point // newest first
	breaching, oldest := 0, 0
	for age := 1; age <= len(points) && len(real) < evaluated; age++ {
		p := points[len(points)-age]
		if p.absent {
			continue
		}
		real = append(real, p)
		if a.breaches(p.value) {
			breaching, oldest = breaching+1, age
		}
	}
	filled := evaluated - len(real)
	treatment := a.treatment()
	all := breaching == len(real)
	switch {
	case breaching >= needed, treatment == "breaching" && breaching+filled >= needed:
		return a.crossed(real, filled, now)
	case filled == 0, treatment == "breaching", treatment == "notBreaching", !all:
		return a.within(real, filled, now)
	case treatment == "ignore":
		return verdict{state: a.StateValue}
	case len(real) == 0:
		return a.unknown(evaluated, now)
	case oldest >= needed: // all that is known breaches, and is not about to be joined by more
		return a.crossed(real, 0, now)
	}
	return a.within(real, filled, now)
}
