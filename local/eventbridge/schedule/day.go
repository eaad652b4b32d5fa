package schedule

import (
	"strings"
	"time"
)

// parseDayOfMonth reads days, L for the month's last day and 3W for the weekday
// closest to the third.
func parseDayOfMonth(text string) (days []func(time.Time) bool, ok bool) {
	plain := set{}
	for term := range strings.SplitSeq(text, ",") {
		before, nearest := strings.CutSuffix(term, "W")
		switch n, ok := daysOfMonth.value(before); {
		case term == "L":
			days = append(days, func(day time.Time) bool { return day.Day() == length(day) })
		case nearest && ok:
			days = append(days, func(day time.Time) bool { return day.Day() == weekdayNear(n, day) })
		case !daysOfMonth.add(term, plain):
			return nil, false
		}
	}
	return append(days, func(day time.Time) bool { return plain[day.Day()] }), true
}

// parseDayOfWeek reads days from 1 or SUN to 7 or SAT, L for the week's last
// day, 6L for the month's last Friday and 3#2 for its second Tuesday.
func parseDayOfWeek(text string) (days []func(time.Time) bool, ok bool) {
	// With # there may be one expression only.
	if name, instance, found := strings.Cut(text, "#"); found {
		weekday, ok := daysOfWeek.value(name)
		n, isNumber := number(instance)
		return []func(time.Time) bool{func(day time.Time) bool {
			return weekdayOf(day) == weekday && (day.Day()-1)/7+1 == n
		}}, ok && isNumber && n >= 1 && n <= 5
	}
	plain := set{}
	for term := range strings.SplitSeq(text, ",") {
		before, last := strings.CutSuffix(term, "L")
		switch n, ok := daysOfWeek.value(before); {
		case term == "L":
			plain[daysOfWeek.last] = true
		case last && ok:
			days = append(days, func(day time.Time) bool { return weekdayOf(day) == n && day.Day()+7 > length(day) })
		case !daysOfWeek.add(term, plain):
			return nil, false
		}
	}
	return append(days, func(day time.Time) bool { return plain[weekdayOf(day)] }), true
}

// weekdayOf counts from 1 for Sunday, as the expressions do.
func weekdayOf(day time.Time) int { return int(day.Weekday()) + 1 }

// length is the number of days in the day's month.
func length(day time.Time) int {
	return time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// weekdayNear is the day from Monday to Friday that is closest to the nth of
// the month and in the same month, or 0 in a month that is too short.
func weekdayNear(n int, month time.Time) int {
	last := length(month)
	if n > last {
		return 0
	}
	switch time.Date(month.Year(), month.Month(), n, 0, 0, 0, 0, time.UTC).Weekday() {
	case time.Saturday:
		if n == 1 {
			return 3
		}
		return n - 1
	case time.Sunday:
		if n == last {
			return n - 2
		}
		return n + 1
	}
	return n
}
