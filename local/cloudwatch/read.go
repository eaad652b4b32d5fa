package cloudwatch

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// GetMetricStatistics reads one metric. Periods begin at the start time.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
func (s *Service) GetMetricStatistics(ctx context.Context, in *cloudwatch.GetMetricStatisticsInput) (*cloudwatch.GetMetricStatisticsOutput, error) {
	if err := s.authorize(ctx, "GetMetricStatistics", "*"); err != nil {
		return nil, err
	}
	if err := checkIdentity(in.Namespace, in.MetricName); err != nil {
		return nil, err
	}
	if len(in.Statistics) == 0 && len(in.ExtendedStatistics) == 0 {
		return nil, invalidCombination("At least one of the parameters Statistics and ExtendedStatistics must be specified.")
	}
	for _, name := range in.ExtendedStatistics {
		if err := checkStatistic(name); err != nil {
			return nil, err
		}
	}
	for _, name := range in.Statistics {
		if err := checkStatistic(string(name)); err != nil {
			return nil, err
		}
	}
	span, err := spanOf(in.StartTime, in.EndTime, in.Period)
	if err != nil {
		return nil, err
	}
	if points := span.points(); points > 1440 {
		return nil, invalidCombination("You have requested up to %d datapoints, which exceeds the limit of 1,440. You may reduce the datapoints requested by increasing Period, or decreasing the time range.", points)
	}
	s.refresh(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.metrics[identity(*in.Namespace, *in.MetricName, dimensionsOf(in.Dimensions))]
	answer := &cloudwatch.GetMetricStatisticsOutput{Label: in.MetricName, Datapoints: []types.Datapoint{}}
	for b := range span.of(held, in.Unit) {
		unit := in.Unit
		if unit == "" {
			unit = held.unit()
		}
		answer.Datapoints = append(answer.Datapoints, datapoint(b, unit, in))
	}
	return answer, nil
}

// unit is the one that data have; None where they have several.
func (m *metric) unit() types.StandardUnit {
	if len(m.units) == 1 {
		for unit := range m.units {
			return types.StandardUnit(unit)
		}
	}
	return types.StandardUnitNone
}

func datapoint(b *bucket, unit types.StandardUnit, in *cloudwatch.GetMetricStatisticsInput) types.Datapoint {
	shown := types.Datapoint{Timestamp: aws.Time(time.Unix(b.start, 0).UTC()), Unit: unit}
	for _, name := range in.Statistics {
		value := aws.Float64(b.statistic(string(name)))
		switch name {
		case types.StatisticSum:
			shown.Sum = value
		case types.StatisticAverage:
			shown.Average = value
		case types.StatisticMinimum:
			shown.Minimum = value
		case types.StatisticMaximum:
			shown.Maximum = value
		case types.StatisticSampleCount:
			shown.SampleCount = value
		}
	}
	for _, name := range in.ExtendedStatistics {
		if shown.ExtendedStatistics == nil {
			shown.ExtendedStatistics = map[string]float64{}
		}
		shown.ExtendedStatistics[name] = b.statistic(name)
	}
	return shown
}

// GetMetricData reads several metrics, newest value first unless asked otherwise.
// Expressions are refused.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
func (s *Service) GetMetricData(ctx context.Context, in *cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
	if err := s.authorize(ctx, "GetMetricData", "*"); err != nil {
		return nil, err
	}
	if err := unsupported(named("LabelOptions", in.LabelOptions != nil), named("MaxDatapoints", in.MaxDatapoints != nil), named("NextToken", in.NextToken != nil)); err != nil {
		return nil, err
	}
	if len(in.MetricDataQueries) == 0 {
		return nil, missing("MetricDataQueries")
	}
	for _, query := range in.MetricDataQueries {
		if err := checkQuery(query); err != nil {
			return nil, err
		}
		if _, err := spanOf(in.StartTime, in.EndTime, query.MetricStat.Period); err != nil {
			return nil, err
		}
	}
	s.refresh(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := &cloudwatch.GetMetricDataOutput{MetricDataResults: []types.MetricDataResult{}, Messages: []types.MessageData{}}
	for _, query := range in.MetricDataQueries {
		if query.ReturnData != nil && !*query.ReturnData {
			continue
		}
		result := s.read(query, in)
		if in.ScanBy != types.ScanByTimestampAscending {
			slices.Reverse(result.Timestamps)
			slices.Reverse(result.Values)
		}
		answer.MetricDataResults = append(answer.MetricDataResults, result)
	}
	return answer, nil
}

func (s *Service) read(query types.MetricDataQuery, in *cloudwatch.GetMetricDataInput) types.MetricDataResult {
	asked := query.MetricStat
	result := types.MetricDataResult{Id: query.Id, Label: query.Label, StatusCode: types.StatusCodeComplete, Timestamps: []time.Time{}, Values: []float64{}}
	if result.Label == nil {
		result.Label = asked.Metric.MetricName
	}
	span, _ := spanOf(in.StartTime, in.EndTime, asked.Period) // checked before
	held := s.metrics[identity(*asked.Metric.Namespace, *asked.Metric.MetricName, dimensionsOf(asked.Metric.Dimensions))]
	for b := range span.of(held, asked.Unit) {
		result.Timestamps = append(result.Timestamps, time.Unix(b.start, 0).UTC())
		result.Values = append(result.Values, b.statistic(*asked.Stat))
	}
	return result
}

func checkQuery(query types.MetricDataQuery) error {
	if err := unsupported(named("MetricDataQueries.Expression", query.Expression != nil), named("MetricDataQueries.AccountId", query.AccountId != nil)); err != nil {
		return err
	}
	stat := query.MetricStat
	switch {
	case aws.ToString(query.Id) == "":
		return missing("MetricDataQueries.member.1.Id")
	case stat == nil || stat.Metric == nil || stat.Stat == nil:
		return missing("MetricDataQueries.member.1.MetricStat with Metric, Period and Stat")
	}
	if err := checkIdentity(stat.Metric.Namespace, stat.Metric.MetricName); err != nil {
		return err
	}
	return checkStatistic(*stat.Stat)
}

func checkIdentity(namespace, name *string) error {
	switch {
	case aws.ToString(namespace) == "":
		return missing("Namespace")
	case aws.ToString(name) == "":
		return missing("MetricName")
	}
	return nil
}

func checkStatistic(name string) error {
	if slices.Contains(types.Statistic("").Values(), types.Statistic(name)) {
		return nil
	}
	if _, ok := percentile(name); !ok {
		return invalidValue("The statistic %q is not one of Sum, Average, Minimum, Maximum, SampleCount and a percentile such as p99, which are what the local endpoint knows.", name)
	}
	return nil
}

// span is a time range cut into periods.
type span struct {
	start, end time.Time
	period     time.Duration
}

func spanOf(start, end *time.Time, period *int32) (span, error) {
	switch {
	case start == nil:
		return span{}, missing("StartTime")
	case end == nil:
		return span{}, missing("EndTime")
	case period == nil:
		return span{}, missing("Period")
	case !start.Before(*end):
		return span{}, invalidValue("The parameter StartTime must be less than the parameter EndTime.")
	}
	if p := *period; p <= 0 || p%60 != 0 && !slices.Contains([]int32{1, 5, 10, 20, 30}, p) {
		return span{}, invalidValue("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.")
	}
	found := span{start.UTC(), end.UTC(), time.Duration(*period) * time.Second}
	found.start = found.start.Truncate(min(found.period, time.Minute))
	return found, nil
}

func (p span) points() int {
	period := int64(p.period / time.Second)
	return int((p.end.Unix() - p.start.Unix() + period - 1) / period) // a duration holds 292 years only
}

// of yields the periods that have data, and leaps over those before them.
func (p span) of(m *metric, unit types.StandardUnit) func(yield func(*bucket) bool) {
	return func(yield func(*bucket) bool) {
		if m == nil {
			return
		}
		fine := p.period < time.Minute
		for from := p.start; ; from = from.Add(p.period) {
			first, held := m.first(from, fine)
			if !held || !first.Before(p.end) {
				return
			}
			from = from.Add(first.Sub(from) / p.period * p.period)
			b := m.between(from, from.Add(p.period), unit, fine)
			if b.count > 0 && !yield(b) {
				return
			}
		}
	}
}
