package schedule_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"api-destination-credentials/local/eventbridge/schedule"
)

// start is a Wednesday.
var start = time.Date(2026, time.May, 6, 7, 8, 9, 500, time.UTC)

func following(t *testing.T, expression string, after time.Time, n int) []string {
	t.Helper()
	s, ok := schedule.Parse(expression, start)
	if !ok {
		t.Fatalf("%s is not accepted", expression)
	}
	var times []string
	for range n {
		if after = s.Next(after); after.IsZero() {
			break
		}
		times = append(times, after.Format("Mon 2006-01-02 15:04:05"))
	}
	return times
}

func TestARateCountsFromTheStart(t *testing.T) {
	for expression, want := range map[string][]string{
		"rate(1 minute)":   {"Wed 2026-05-06 07:09:09", "Wed 2026-05-06 07:10:09"},
		"rate(90 minutes)": {"Wed 2026-05-06 08:38:09", "Wed 2026-05-06 10:08:09"},
		"rate(1 hour)":     {"Wed 2026-05-06 08:08:09", "Wed 2026-05-06 09:08:09"},
		"rate(12 hours)":   {"Wed 2026-05-06 19:08:09", "Thu 2026-05-07 07:08:09"},
		"rate(1 day)":      {"Thu 2026-05-07 07:08:09", "Fri 2026-05-08 07:08:09"},
		"rate(7 days)":     {"Wed 2026-05-13 07:08:09", "Wed 2026-05-20 07:08:09"},
	} {
		if diff := cmp.Diff(want, following(t, expression, start, 2)); diff != "" {
			t.Errorf("%s: %s", expression, diff)
		}
	}
	// However late one asks, the rhythm stays.
	if diff := cmp.Diff([]string{"Sat 2026-05-09 08:08:09"}, following(t, "rate(1 hour)", start.Add(72*time.Hour+time.Minute), 1)); diff != "" {
		t.Error(diff)
	}
}

// The first ten are the page's own examples.
func TestACronExpressionIsDueAsDocumented(t *testing.T) {
	for expression, want := range map[string][]string{
		"cron(0 10 * * ? *)":               {"Wed 2026-05-06 10:00:00", "Thu 2026-05-07 10:00:00"},
		"cron(15 12 * * ? *)":              {"Wed 2026-05-06 12:15:00", "Thu 2026-05-07 12:15:00"},
		"cron(0 18 ? * MON-FRI *)":         {"Wed 2026-05-06 18:00:00", "Thu 2026-05-07 18:00:00", "Fri 2026-05-08 18:00:00", "Mon 2026-05-11 18:00:00"},
		"cron(0 8 1 * ? *)":                {"Mon 2026-06-01 08:00:00", "Wed 2026-07-01 08:00:00"},
		"cron(0/15 * * * ? *)":             {"Wed 2026-05-06 07:15:00", "Wed 2026-05-06 07:30:00", "Wed 2026-05-06 07:45:00", "Wed 2026-05-06 08:00:00"},
		"cron(0/10 * ? * MON-FRI *)":       {"Wed 2026-05-06 07:10:00", "Wed 2026-05-06 07:20:00"},
		"cron(0/5 8-17 ? * MON-FRI *)":     {"Wed 2026-05-06 08:00:00", "Wed 2026-05-06 08:05:00"},
		"cron(0/30 20-23 ? * MON-FRI *)":   {"Wed 2026-05-06 20:00:00", "Wed 2026-05-06 20:30:00"},
		"cron(0/30 0-2 ? * MON-FRI *)":     {"Thu 2026-05-07 00:00:00", "Thu 2026-05-07 00:30:00"},
		"cron(15 10 ? * 6L 2019-2027)":     {"Fri 2026-05-29 10:15:00", "Fri 2026-06-26 10:15:00", "Fri 2026-07-31 10:15:00"},
		"cron(1/10 * * * ? *)":             {"Wed 2026-05-06 07:11:00", "Wed 2026-05-06 07:21:00"},
		"cron(*/20 * * * ? *)":             {"Wed 2026-05-06 07:20:00", "Wed 2026-05-06 07:40:00"},
		"cron(0 0-12/6 * * ? *)":           {"Wed 2026-05-06 12:00:00", "Thu 2026-05-07 00:00:00", "Thu 2026-05-07 06:00:00"},
		"cron(0 0 1 JAN,feb,12 ? *)":       {"Tue 2026-12-01 00:00:00", "Fri 2027-01-01 00:00:00", "Mon 2027-02-01 00:00:00"},
		"cron(0 0 ? * 3#2 *)":              {"Tue 2026-05-12 00:00:00", "Tue 2026-06-09 00:00:00"},
		"cron(0 0 ? * TUE#5 *)":            {"Tue 2026-06-30 00:00:00", "Tue 2026-09-29 00:00:00"},
		"cron(0 0 ? * L *)":                {"Sat 2026-05-09 00:00:00", "Sat 2026-05-16 00:00:00"},
		"cron(0 0 ? * 1,FRIL *)":           {"Sun 2026-05-10 00:00:00", "Sun 2026-05-17 00:00:00", "Sun 2026-05-24 00:00:00", "Fri 2026-05-29 00:00:00"},
		"cron(0 0 L * ? *)":                {"Sun 2026-05-31 00:00:00", "Tue 2026-06-30 00:00:00"},
		"cron(0 0 L 2 ? *)":                {"Sun 2027-02-28 00:00:00", "Tue 2028-02-29 00:00:00"},
		"cron(0 0 10,L * ? *)":             {"Sun 2026-05-10 00:00:00", "Sun 2026-05-31 00:00:00"},
		"cron(0 0 3W * ? *)":               {"Wed 2026-06-03 00:00:00", "Fri 2026-07-03 00:00:00", "Mon 2026-08-03 00:00:00", "Thu 2026-09-03 00:00:00", "Fri 2026-10-02 00:00:00"},
		"cron(0 0 1W 8 ? *)":               {"Mon 2026-08-03 00:00:00"}, // Saturday the 1st stays in August
		"cron(0 0 31W 5 ? 2026)":           {"Fri 2026-05-29 00:00:00"}, // and Sunday the 31st in May
		"cron(0 0 31W * ? *)":              {"Fri 2026-05-29 00:00:00", "Fri 2026-07-31 00:00:00"},
		"cron(0 0 29 2 ? *)":               {"Tue 2028-02-29 00:00:00", "Sun 2032-02-29 00:00:00"},
		"cron(59 23 31 12 ? 2026,2030/50)": {"Thu 2026-12-31 23:59:00", "Tue 2030-12-31 23:59:00", "Tue 2080-12-31 23:59:00"},
	} {
		if diff := cmp.Diff(want, following(t, expression, start, len(want))); diff != "" {
			t.Errorf("%s: %s", expression, diff)
		}
	}
}

func TestACronExpressionComesToItsEnd(t *testing.T) {
	for expression, want := range map[string][]string{
		"cron(0 10 6 5 ? 2026)":  {"Wed 2026-05-06 10:00:00"},
		"cron(0 10 * * ? 2025)":  nil,
		"cron(0 0 31 2 ? *)":     nil, // never comes at all
		"cron(0 0 1 1 ? 2199)":   {"Tue 2199-01-01 00:00:00"},
		"cron(8,9 7 6 5 ? 2026)": {"Wed 2026-05-06 07:09:00"}, // the minute that runs is over
	} {
		if diff := cmp.Diff(want, following(t, expression, start, 2)); diff != "" {
			t.Errorf("%s: %s", expression, diff)
		}
	}
}

func TestATimeInAnotherZoneIsReadInUTC(t *testing.T) {
	zone := time.FixedZone("half past", 5*60*60+30*60)
	if diff := cmp.Diff([]string{"Wed 2026-05-06 08:00:00"}, following(t, "cron(0 * * * ? *)", start.In(zone), 1)); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNotValidIsRefused(t *testing.T) {
	for _, expression := range []string{
		// As AWS refused them.
		"rate(10 seconds)", "rate(10 years)", "rate(1 minutes)", "rate(1 hours)", "rate(1 days)", "rate(10 minute)", "rate(10 hour)",
		"rate(10 day)", "rate()", "rate(10)", "rate(10 minutess)", "rate(foo minutes)", "rate(0 minutes)", "rate(-10 minutes)",
		"rate(10 MINUTES)", "rate( 10 minutes )", " rate(10 minutes)", "rate(9223372036854775807 days)", "rate(99999999999999999999 days)",
		"", "at(2026-05-06T07:08:09)", "cron()", "cron(0 10 * * ? *", "cron(0 10 * * ?)", "cron(0 10 * * ? * *)",
		"cron(0 10 * * * *)", "cron(0 10 ? * ? *)", "cron(0 10 1 * MON *)",
		"cron(60 10 * * ? *)", "cron(0 24 * * ? *)", "cron(0 0 0 * ? *)", "cron(0 0 32 * ? *)", "cron(0 0 * 13 ? *)", "cron(0 0 ? * 0 *)",
		"cron(0 0 ? * 8 *)", "cron(0 0 * * ? 1969)", "cron(0 0 * * ? 2200)", "cron(0 0 * JANUARY ? *)", "cron(0 dummy ? * MON-FRI *)",
		"cron(? 10 * * ? *)", "cron(0 10 * ? MON *)", "cron(0/0 10 * * ? *)", "cron(0/ 10 * * ? *)", "cron(5-1 10 * * ? *)", "cron(1- 10 * * ? *)",
		"cron(+5 10 * * ? *)", "cron(,5 10 * * ? *)", "cron(L 10 * * ? *)", "cron(0 10 W * ? *)", "cron(0 10 32W * ? *)", "cron(0 10 ? * 2W *)",
		"cron(0 10 3#2 * ? *)", "cron(0 10 ? * 3#1,6#3 *)", "cron(0 10 ? * 3#0 *)", "cron(0 10 ? * 3#6 *)", "cron(0 10 ? * 8L *)", "cron(0 10 3L * ? *)",
		"CRON(0 10 * * ? *)",
	} {
		if _, ok := schedule.Parse(expression, start); ok {
			t.Errorf("%q is accepted", expression)
		}
	}
}
