package cloudwatch

import (
	"context"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"api-destination-credentials/local/access"
)

// metric is a namespace, a name and the values of dimensions, with its data.
type metric struct {
	namespace, name string
	dimensions      map[string]string
	newest          time.Time // when data last arrived
	units           map[string]*data
}

// data is what arrived in one unit. Only what is published with a resolution of
// one second is also kept by the second.
type data struct{ minutes, seconds *timeline }

// Record publishes one value of now. It is how the other services publish.
func (s *Service) Record(namespace, name, unit string, dimensions map[string]string, value float64) {
	now := s.config.Clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.metric(namespace, name, dimensions, now).in(unit).minutes.at(now, now).add(value, 1)
}

// metric returns a metric, made where it is missing. It needs the lock held.
func (s *Service) metric(namespace, name string, dimensions map[string]string, now time.Time) *metric {
	key := identity(namespace, name, dimensions)
	held := s.metrics[key]
	if held == nil {
		held = &metric{namespace: namespace, name: name, dimensions: maps.Clone(dimensions), units: map[string]*data{}}
		s.metrics[key] = held
	}
	held.newest = now
	return held
}

func identity(namespace, name string, dimensions map[string]string) string {
	parts := []string{namespace, name}
	for _, dimension := range slices.Sorted(maps.Keys(dimensions)) {
		parts = append(parts, dimension, dimensions[dimension])
	}
	return strings.Join(parts, "\x00")
}

func (m *metric) in(unit string) *data {
	if unit == "" {
		unit = string(types.StandardUnitNone)
	}
	if m.units[unit] == nil {
		m.units[unit] = &data{minutes: minutes(), seconds: seconds()}
	}
	return m.units[unit]
}

// first is when the earliest data from a time on stand, in any unit.
func (m *metric) first(from time.Time, fine bool) (start time.Time, held bool) {
	for _, data := range m.units {
		line := data.minutes
		if fine {
			line = data.seconds
		}
		i, _ := line.search(from.Unix())
		if i == len(line.buckets) {
			continue
		}
		if found := time.Unix(line.buckets[i].start, 0).UTC(); !held || found.Before(start) {
			start, held = found, true
		}
	}
	return start, held
}

// between aggregates a span of time, in one unit or in all of them. It is empty
// where the metric does not exist.
func (m *metric) between(from, to time.Time, unit types.StandardUnit, fine bool) *bucket {
	found := &bucket{start: from.Unix()}
	if m == nil {
		return found
	}
	for held, data := range m.units {
		switch {
		case unit != "" && held != string(unit):
		case fine:
			data.seconds.between(from.Unix(), to.Unix(), found)
		default:
			data.minutes.between(from.Unix(), to.Unix(), found)
		}
	}
	return found
}

// PutMetricData publishes values, sets of values, or statistics.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
func (s *Service) PutMetricData(ctx context.Context, in *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataOutput, error) {
	namespace := aws.ToString(in.Namespace)
	request := access.Request{Action: "cloudwatch:PutMetricData", Resource: "*", Conditions: map[string]string{"cloudwatch:namespace": namespace}}
	if err := s.config.Auth.Authorize(ctx, request); err != nil {
		return nil, err
	}
	if err := unsupported(named("EntityMetricData", len(in.EntityMetricData) > 0), named("StrictEntityValidation", in.StrictEntityValidation != nil)); err != nil {
		return nil, err
	}
	switch {
	case namespace == "":
		return nil, missing("Namespace")
	case strings.HasPrefix(namespace, "AWS/"):
		return nil, invalidValue("The value AWS/ for parameter Namespace is invalid.")
	case len(in.MetricData) == 0:
		return nil, missing("MetricData")
	}
	now := s.config.Clock.Now()
	for _, datum := range in.MetricData {
		if err := checkDatum(datum, now); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, datum := range in.MetricData {
		when := now
		if datum.Timestamp != nil {
			when = *datum.Timestamp
		}
		into := s.metric(namespace, *datum.MetricName, dimensionsOf(datum.Dimensions), now).in(string(datum.Unit))
		put(into.minutes.at(when, now), datum)
		if aws.ToInt32(datum.StorageResolution) == 1 {
			put(into.seconds.at(when, now), datum)
		}
	}
	return &cloudwatch.PutMetricDataOutput{}, nil
}

func put(into *bucket, datum types.MetricDatum) {
	if set := datum.StatisticValues; set != nil {
		into.merge(&bucket{count: *set.SampleCount, sum: *set.Sum, least: *set.Minimum, most: *set.Maximum})
		return
	}
	if datum.Value != nil {
		into.add(*datum.Value, 1)
		return
	}
	for i, value := range datum.Values {
		count := 1.0
		if len(datum.Counts) > 0 {
			count = datum.Counts[i]
		}
		into.add(value, count)
	}
}

func checkDatum(datum types.MetricDatum, now time.Time) error {
	if aws.ToString(datum.MetricName) == "" {
		return missing("MetricData.member.1.MetricName")
	}
	if err := checkDimensions(datum.Dimensions); err != nil {
		return err
	}
	forms, values := 0, datum.Values
	if datum.Value != nil {
		forms, values = forms+1, []float64{*datum.Value}
	}
	if len(datum.Values) > 0 {
		forms++
	}
	if set := datum.StatisticValues; set != nil {
		forms++
		if set.SampleCount == nil || set.Sum == nil || set.Minimum == nil || set.Maximum == nil {
			return missing("MetricData.member.1.StatisticValues.SampleCount, Sum, Minimum and Maximum")
		}
		values = []float64{*set.Sum, *set.Minimum, *set.Maximum}
	}
	switch {
	case forms == 0:
		return missing("MetricData.member.1.Value")
	case forms > 1:
		return invalidCombination("The parameters MetricData.member.1.Value, Values and StatisticValues are mutually exclusive and you have specified more than one.")
	case len(datum.Values) > 150:
		return invalidValue("The collection MetricData.member.1.Values must not have a size greater than 150.")
	case len(datum.Counts) > 0 && len(datum.Counts) != len(datum.Values):
		return invalidValue("The parameters MetricData.member.1.Values and MetricData.member.1.Counts must have the same number of elements.")
	}
	if slices.ContainsFunc(values, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }) {
		return invalidValue("The value of %s is not a number between -2^360 and 2^360.", *datum.MetricName)
	}
	if r := aws.ToInt32(datum.StorageResolution); datum.StorageResolution != nil && r != 1 && r != 60 {
		return invalidValue("The parameter MetricData.member.1.StorageResolution must be 1 or 60.")
	}
	if datum.Unit != "" && !slices.Contains(datum.Unit.Values(), datum.Unit) {
		return invalidValue("The parameter MetricData.member.1.Unit must be a value in the set %v.", datum.Unit.Values())
	}
	if when := datum.Timestamp; when != nil && (when.Before(now.AddDate(0, 0, -14)) || when.After(now.Add(2*time.Hour))) {
		return invalidValue("The parameter MetricData.member.1.Timestamp must be within the past two weeks and at most two hours ahead.")
	}
	return nil
}

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html
func checkDimensions(dimensions []types.Dimension) error {
	if len(dimensions) > 30 {
		return invalidValue("The collection Dimensions must not have a size greater than 30.")
	}
	for _, dimension := range dimensions {
		if aws.ToString(dimension.Name) == "" || aws.ToString(dimension.Value) == "" {
			return invalidValue("A dimension needs a Name and a Value that are not empty.")
		}
	}
	return nil
}

func dimensionsOf(list []types.Dimension) map[string]string {
	found := make(map[string]string, len(list))
	for _, dimension := range list {
		found[aws.ToString(dimension.Name)] = aws.ToString(dimension.Value)
	}
	return found
}

func listed(dimensions map[string]string) []types.Dimension {
	list := []types.Dimension{}
	for _, name := range slices.Sorted(maps.Keys(dimensions)) {
		list = append(list, types.Dimension{Name: aws.String(name), Value: aws.String(dimensions[name])})
	}
	return list
}

// ListMetrics lists the metrics that had data in the past two weeks.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html
func (s *Service) ListMetrics(ctx context.Context, in *cloudwatch.ListMetricsInput) (*cloudwatch.ListMetricsOutput, error) {
	if err := s.authorize(ctx, "ListMetrics", "*"); err != nil {
		return nil, err
	}
	if err := unsupported(named("IncludeLinkedAccounts", aws.ToBool(in.IncludeLinkedAccounts)), named("OwningAccount", in.OwningAccount != nil)); err != nil {
		return nil, err
	}
	s.refresh(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	since := s.config.Clock.Now().AddDate(0, 0, -14)
	if in.RecentlyActive == types.RecentlyActivePt3h {
		since = s.config.Clock.Now().Add(-3 * time.Hour)
	}
	found := []types.Metric{}
	for _, key := range slices.Sorted(maps.Keys(s.metrics)) {
		m := s.metrics[key]
		if !m.newest.Before(since) && matches(in.Namespace, m.namespace) && matches(in.MetricName, m.name) && m.has(in.Dimensions) {
			found = append(found, types.Metric{Namespace: aws.String(m.namespace), MetricName: aws.String(m.name), Dimensions: listed(m.dimensions)})
		}
	}
	shown, next, err := page(found, 500, in.NextToken)
	return &cloudwatch.ListMetricsOutput{Metrics: shown, NextToken: next}, err
}

func matches(wanted *string, value string) bool { return wanted == nil || *wanted == value }

func (m *metric) has(filters []types.DimensionFilter) bool {
	for _, filter := range filters {
		value, held := m.dimensions[aws.ToString(filter.Name)]
		if !held || !matches(filter.Value, value) {
			return false
		}
	}
	return true
}
