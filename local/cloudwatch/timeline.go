package cloudwatch

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// timeline is a metric's data of one unit, aggregated, by time.
type timeline struct {
	buckets []*bucket // oldest first
	width   int64     // seconds that a bucket covers
	keep    time.Duration
}

// CloudWatch keeps one-minute data for 15 days and finer data for 3 hours. It
// keeps coarser data for longer, which is not done here.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#metrics-retention
func minutes() *timeline { return &timeline{width: 60, keep: 15 * 24 * time.Hour} }
func seconds() *timeline { return &timeline{width: 1, keep: 3 * time.Hour} }

// bucket aggregates the values of a span of time.
type bucket struct {
	start                   int64 // seconds since 1970
	count, sum, least, most float64
	values                  []occurrence // by value
}

// occurrence is how often a value came, which is what percentiles are made of.
// The value is kept to three digits, so that a bucket stays small.
type occurrence struct{ value, count float64 }

// at returns the bucket for a time, made where it is missing, and forgets what
// is too old. It is quick for the newest.
func (l *timeline) at(when, now time.Time) *bucket {
	start := floor(when.Unix(), l.width)
	if last := len(l.buckets) - 1; last >= 0 && l.buckets[last].start == start {
		return l.buckets[last]
	}
	i, found := l.search(start)
	if found {
		return l.buckets[i]
	}
	made := &bucket{start: start}
	l.buckets = slices.Insert(l.buckets, i, made)
	oldest, _ := l.search(floor(now.Add(-l.keep).Unix(), l.width))
	l.buckets = slices.Delete(l.buckets, 0, oldest)
	return made
}

func (l *timeline) search(start int64) (int, bool) {
	return slices.BinarySearchFunc(l.buckets, start, func(b *bucket, start int64) int { return cmp.Compare(b.start, start) })
}

// between merges the buckets that start in a span: from belongs to it, to does not.
func (l *timeline) between(from, to int64, into *bucket) {
	first, _ := l.search(from)
	for _, b := range l.buckets[first:] {
		if b.start >= to {
			return
		}
		into.merge(b)
	}
}

func floor(seconds, width int64) int64 { return seconds - ((seconds%width)+width)%width }

// add counts a value some number of times.
func (b *bucket) add(value, count float64) {
	b.merge(&bucket{
		count: count, sum: value * count, least: value, most: value, values: []occurrence{{threeDigits(value), count}},
	})
}

func (b *bucket) merge(other *bucket) {
	if other.count == 0 {
		return
	}
	if b.count == 0 {
		b.least, b.most = other.least, other.most
	}
	b.least, b.most = min(b.least, other.least), max(b.most, other.most)
	b.count += other.count
	b.sum += other.sum
	for _, o := range other.values {
		i, found := slices.BinarySearchFunc(b.values, o.value, func(held occurrence, value float64) int { return cmp.Compare(held.value, value) })
		if !found {
			b.values = slices.Insert(b.values, i, occurrence{value: o.value})
		}
		b.values[i].count += o.count
	}
}

func threeDigits(value float64) float64 {
	if value == 0 {
		return 0
	}
	scale := math.Pow(10, 2-math.Floor(math.Log10(math.Abs(value))))
	if math.IsInf(scale, 0) || scale == 0 {
		return value
	}
	return math.Round(value*scale) / scale
}

// statistic reads one of Sum, Average, Minimum, Maximum, SampleCount and pNN.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
func (b *bucket) statistic(name string) float64 {
	switch name {
	case "Sum":
		return b.sum
	case "Average":
		return b.sum / b.count
	case "Minimum":
		return b.least
	case "Maximum":
		return b.most
	case "SampleCount":
		return b.count
	}
	share, _ := percentile(name)
	return b.percentile(share)
}

// percentile reads pNN. The other extended statistics (tm, wm, tc, ts, pr, iqm)
// are not known here.
func percentile(name string) (share float64, ok bool) {
	digits, ok := strings.CutPrefix(name, "p")
	if !ok {
		return 0, false
	}
	share, err := strconv.ParseFloat(digits, 64)
	return share, err == nil && share >= 0 && share <= 100
}

func (b *bucket) percentile(share float64) float64 {
	below, rank := 0.0, share/100*b.count
	for _, o := range b.values {
		if below += o.count; below >= rank {
			return o.value
		}
	}
	return b.most // of statistic sets, whose values are not known
}
