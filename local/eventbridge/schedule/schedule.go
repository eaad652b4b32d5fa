// Package schedule reads the schedule expressions of EventBridge's scheduled
// rules and tells when they are due, in UTC and to the minute for cron.
//
// It accepts what the page documents and nothing else: names in any case,
// ranges that ascend, one # alone in its field.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
package schedule

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Schedule is when a rule runs.
type Schedule interface {
	// Next is the first time later than after, or the zero time if there is none.
	Next(after time.Time) time.Time
}

// Parse reads rate(value unit) or cron(fields), or returns false for what is
// not valid. A rate counts from start, the creation of its rule.
func Parse(expression string, start time.Time) (Schedule, bool) {
	if fields, ok := strings.CutPrefix(expression, "cron("); ok && strings.HasSuffix(fields, ")") {
		return parseCron(strings.TrimSuffix(fields, ")"))
	}
	return parseRate(expression, start)
}

// rate is due every so often.
type rate struct {
	start time.Time
	every time.Duration
}

var (
	rates = regexp.MustCompile(`^rate\(([0-9]+) (minute|hour|day)(s?)\)$`)
	units = map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}
)

// parseRate wants the unit in the singular for 1 and in the plural otherwise.
func parseRate(expression string, start time.Time) (Schedule, bool) {
	found := rates.FindStringSubmatch(expression)
	if found == nil {
		return nil, false
	}
	unit := units[found[2]]
	n, err := strconv.ParseInt(found[1], 10, 64)
	if err != nil || n < 1 || n > math.MaxInt64/int64(unit) || (n == 1) != (found[3] == "") {
		return nil, false
	}
	return rate{start: start, every: time.Duration(n) * unit}, true
}

func (r rate) Next(after time.Time) time.Time {
	passed := max(after.Sub(r.start), 0)
	return r.start.Add(passed - passed%r.every).Add(r.every)
}
