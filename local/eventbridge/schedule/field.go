package schedule

import (
	"slices"
	"strconv"
	"strings"
)

// field is what one place of a cron expression may hold.
type field struct {
	first, last int
	names       []string // of first, first+1, …
}

var (
	minutes     = field{first: 0, last: 59}
	hours       = field{first: 0, last: 23}
	daysOfMonth = field{first: 1, last: 31}
	months      = field{1, 12, []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}}
	daysOfWeek  = field{1, 7, []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}}
	years       = field{first: 1970, last: 2199}
)

// set is the values that a field allows.
type set map[int]bool

// parse reads a list of values, ranges and increments.
func (f field) parse(text string) (set, bool) {
	all := set{}
	for term := range strings.SplitSeq(text, ",") {
		if !f.add(term, all) {
			return nil, false
		}
	}
	return all, true
}

// add reads *, 5, 5-9, and any of them with an increment: 5/10 begins at 5 and
// goes on to the field's last value.
func (f field) add(term string, to set) bool {
	span, increment, hasIncrement := strings.Cut(term, "/")
	step := 1
	if hasIncrement {
		var ok bool
		if step, ok = number(increment); !ok || step == 0 {
			return false
		}
	}
	from, until, ok := f.span(span, hasIncrement)
	if !ok {
		return false
	}
	step = min(step, until+1) // one that leads out of the field, lest n overflows
	for n := from; n <= until; n += step {
		to[n] = true
	}
	return true
}

func (f field) span(text string, open bool) (from, until int, ok bool) {
	if text == "*" {
		return f.first, f.last, true
	}
	low, high, isRange := strings.Cut(text, "-")
	from, ok = f.value(low)
	if !ok {
		return 0, 0, false
	}
	switch {
	case isRange:
		until, ok = f.value(high)
		return from, until, ok && from <= until
	case open:
		return from, f.last, true
	}
	return from, from, true
}

// value reads a number in the field's range, or one of its names.
func (f field) value(text string) (int, bool) {
	if i := slices.Index(f.names, strings.ToUpper(text)); i >= 0 {
		return f.first + i, true
	}
	n, ok := number(text)
	return n, ok && n >= f.first && n <= f.last
}

// number reads digits alone, where strconv would take a sign as well.
func number(text string) (int, bool) {
	if strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}
