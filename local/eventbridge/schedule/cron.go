package schedule

import (
	"slices"
	"strings"
	"time"
)

// cron is due in every minute that all its fields allow.
type cron struct {
	minutes, hours, months, years set
	days                          []func(day time.Time) bool // one of them has to hold
}

// parseCron reads minutes, hours, day-of-month, month, day-of-week and year.
// Exactly one of the two days has to be given; the other is a question mark.
func parseCron(text string) (Schedule, bool) {
	fields := strings.Fields(text)
	if len(fields) != 6 || (fields[2] == "?") == (fields[4] == "?") {
		return nil, false
	}
	c := cron{}
	var ok [5]bool
	c.minutes, ok[0] = minutes.parse(fields[0])
	c.hours, ok[1] = hours.parse(fields[1])
	c.months, ok[2] = months.parse(fields[3])
	c.years, ok[3] = years.parse(fields[5])
	if fields[4] == "?" {
		c.days, ok[4] = parseDayOfMonth(fields[2])
	} else {
		c.days, ok[4] = parseDayOfWeek(fields[4])
	}
	return c, !slices.Contains(ok[:], false)
}

// Next leaps over the years, months, days and hours that are not allowed.
func (c cron) Next(after time.Time) time.Time {
	t := after.UTC().Truncate(time.Minute).Add(time.Minute)
	for t.Year() <= years.last {
		year, month, day := t.Date()
		switch {
		case !c.years[year]:
			t = time.Date(year+1, time.January, 1, 0, 0, 0, 0, time.UTC)
		case !c.months[int(month)]:
			t = time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC)
		case !c.runsOn(t):
			t = time.Date(year, month, day+1, 0, 0, 0, 0, time.UTC)
		case !c.hours[t.Hour()]:
			t = t.Truncate(time.Hour).Add(time.Hour)
		case !c.minutes[t.Minute()]:
			t = t.Add(time.Minute)
		default:
			return t
		}
	}
	return time.Time{}
}

func (c cron) runsOn(day time.Time) bool {
	return slices.ContainsFunc(c.days, func(holds func(time.Time) bool) bool { return holds(day) })
}
