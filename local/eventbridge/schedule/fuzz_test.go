package schedule_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"api-destination-credentials/local/eventbridge/schedule"
)

// FuzzNext holds that a schedule is due only later than asked, only in minutes
// that its expression allows, and in none before.
func FuzzNext(f *testing.F) {
	for _, expression := range []string{
		"rate(1 minute)", "rate(5 minutes)", "rate(106751 days)", "rate(153722867280 minutes)",
		"cron(0 12 * * ? *)", "cron(0/5 8-17 ? * MON-FRI *)", "cron(30 23 L 2 ? 2028)", "cron(0 0 31W 1,12 ? 2026/3)",
		"cron(0 0 ? * 6L *)", "cron(0 0 ? 1 3#5 2027-2030)", "cron(59 23 29 2 ? *)", "cron(5/9223372036854775807 0 1 1 ? *)",
		"cron(0 0 1 1 ? 2199)", "cron(0,5-9/2,*/30 * ? JAN-feb SUN,L,2L *)",
	} {
		f.Add(expression, uint32(0))
		f.Add(expression, uint32(86400*1099+3599))
	}
	start := time.Date(2026, 11, 23, 8, 0, 30, 0, time.UTC)
	f.Fuzz(func(t *testing.T, expression string, seconds uint32) {
		after := start.Add(time.Duration(seconds) * time.Second)
		parsed, ok := schedule.Parse(expression, start)
		if !ok {
			return
		}
		next := parsed.Next(after)
		if next.IsZero() {
			next = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
		} else if !next.After(after) {
			t.Fatalf("%s is next due at %s, not later than %s", expression, next, after)
		}
		fields, isCron := strings.CutPrefix(expression, "cron(")
		if !isCron {
			every := parsed.Next(next).Sub(next)
			if next.Sub(after) > every || next.Sub(start)%every != 0 {
				t.Errorf("%s is due at %s after %s", expression, next, after)
			}
			return
		}
		allowed := strings.Fields(strings.TrimSuffix(fields, ")"))
		if next.Year() < 2200 && !allows(allowed, next) {
			t.Errorf("%s is due at %s, which its fields do not allow", expression, next)
		}
		// Every minute of a while, and then some minute of every few hours or days.
		probe := after.Truncate(time.Minute).Add(time.Minute)
		stride := max(next.Sub(probe)/2000/time.Minute*time.Minute, time.Minute)
		for n := 0; probe.Before(next); n++ {
			if allows(allowed, probe) {
				t.Fatalf("%s is due at %s, but its fields allow %s too", expression, next, probe)
			}
			if probe = probe.Add(time.Minute); n > 500 {
				probe = probe.Add(stride)
			}
		}
	})
}

// allows reads a valid cron expression once more, in the plainest way.
func allows(fields []string, t time.Time) bool {
	last := t.AddDate(0, 1, -t.Day()).Day()
	weekday := int(t.Weekday()) + 1
	return term(fields[0], t.Minute(), 0, 59) && term(fields[1], t.Hour(), 0, 23) && term(fields[3], int(t.Month()), 1, 12) && term(fields[5], t.Year(), 1970, 2199) &&
		(fields[2] == "?" || anyOf(fields[2], func(text string) bool {
			if day, ok := strings.CutSuffix(text, "W"); ok {
				return isNearest(t, day, last)
			}
			return text == "L" && t.Day() == last || text != "L" && term(text, t.Day(), 1, 31)
		})) &&
		(fields[4] == "?" || anyOf(fields[4], func(text string) bool {
			if day, nth, ok := strings.Cut(text, "#"); ok {
				return value(day) == weekday && value(nth) == (t.Day()+6)/7
			}
			if day, ok := strings.CutSuffix(text, "L"); ok && day != "" {
				return value(day) == weekday && t.Day()+7 > last
			}
			return text == "L" && weekday == 7 || text != "L" && term(text, weekday, 1, 7)
		}))
}

func anyOf(list string, holds func(string) bool) bool {
	return slices.ContainsFunc(strings.Split(list, ","), holds)
}

func term(list string, n, first, last int) bool {
	return anyOf(list, func(text string) bool {
		span, step, stepped := strings.Cut(text, "/")
		low, high, ranged := strings.Cut(span, "-")
		from, until := first, last
		if span != "*" {
			from = value(low)
			if ranged {
				until = value(high)
			} else if !stepped {
				until = from
			}
		}
		if n < from || n > until {
			return false
		}
		return !stepped || (n-from)%value(step) == 0
	})
}

// isNearest tells whether t is the weekday closest to a day of its month.
func isNearest(t time.Time, text string, last int) bool {
	day := value(text)
	if day > last {
		return false
	}
	for _, distance := range []int{0, -1, 1, -2, 2} {
		near := time.Date(t.Year(), t.Month(), day+distance, 0, 0, 0, 0, time.UTC)
		if near.Month() == t.Month() && near.Weekday() != time.Saturday && near.Weekday() != time.Sunday {
			return near.Day() == t.Day()
		}
	}
	return false
}

func value(text string) int {
	text = strings.ToUpper(text)
	if at := strings.Index("JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC", text); len(text) == 3 && at >= 0 && at%3 == 0 {
		return at/3 + 1
	}
	if at := strings.Index("SUNMONTUEWEDTHUFRISAT", text); len(text) == 3 && at >= 0 && at%3 == 0 {
		return at/3 + 1
	}
	n, _ := strconv.Atoi(text)
	return n
}
