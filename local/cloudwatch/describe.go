package cloudwatch

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// DescribeAlarms lists alarms by name, in the state that they have now.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
func (s *Service) DescribeAlarms(ctx context.Context, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
	if err := s.authorizeAlarms(ctx, in.AlarmNames); err != nil {
		return nil, err
	}
	if err := unsupported(named("ChildrenOfAlarmName", in.ChildrenOfAlarmName != nil), named("ParentsOfAlarmName", in.ParentsOfAlarmName != nil)); err != nil {
		return nil, err
	}
	if len(in.AlarmNames) > 0 && in.AlarmNamePrefix != nil {
		return nil, invalidCombination("AlarmNamePrefix and AlarmNames cannot both be specified.")
	}
	most, err := records(in.MaxRecords, 50)
	if err != nil {
		return nil, err
	}
	if len(in.AlarmNames) > most {
		most = len(in.AlarmNames)
	}
	s.refresh(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []types.MetricAlarm{}
	for _, name := range slices.Sorted(maps.Keys(s.alarms)) {
		if a := s.alarms[name]; a.wanted(in) {
			found = append(found, a.MetricAlarm)
		}
	}
	shown, next, err := page(found, most, in.NextToken)
	return &cloudwatch.DescribeAlarmsOutput{MetricAlarms: shown, CompositeAlarms: []types.CompositeAlarm{}, NextToken: next}, err
}

func (s *Service) authorizeAlarms(ctx context.Context, names []string) error {
	if len(names) == 0 {
		names = []string{"*"}
	}
	for _, name := range names {
		if err := s.authorize(ctx, "DescribeAlarms", s.alarmARN(name)); err != nil {
			return err
		}
	}
	return nil
}

// wanted tells whether an alarm is one of those that are to be described.
func (a *alarm) wanted(in *cloudwatch.DescribeAlarmsInput) bool {
	switch {
	case len(in.AlarmTypes) > 0 && !slices.Contains(in.AlarmTypes, types.AlarmTypeMetricAlarm):
		return false
	case len(in.AlarmNames) > 0 && !slices.Contains(in.AlarmNames, *a.AlarmName):
		return false
	case !strings.HasPrefix(*a.AlarmName, aws.ToString(in.AlarmNamePrefix)):
		return false
	case in.StateValue != "" && in.StateValue != a.StateValue:
		return false
	}
	actions := slices.Concat(a.AlarmActions, a.OKActions, a.InsufficientDataActions)
	return in.ActionPrefix == nil || slices.ContainsFunc(actions, func(action string) bool { return strings.HasPrefix(action, *in.ActionPrefix) })
}

// DescribeAlarmsForMetric lists the alarms on one metric. What is left out of
// the request does not narrow the answer, except that dimensions always count.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmsForMetric.html
func (s *Service) DescribeAlarmsForMetric(ctx context.Context, in *cloudwatch.DescribeAlarmsForMetricInput) (*cloudwatch.DescribeAlarmsForMetricOutput, error) {
	if err := s.authorize(ctx, "DescribeAlarmsForMetric", "*"); err != nil {
		return nil, err
	}
	if err := checkIdentity(in.Namespace, in.MetricName); err != nil {
		return nil, err
	}
	s.refresh(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := &cloudwatch.DescribeAlarmsForMetricOutput{MetricAlarms: []types.MetricAlarm{}}
	watched := identity(*in.Namespace, *in.MetricName, dimensionsOf(in.Dimensions))
	for _, name := range slices.Sorted(maps.Keys(s.alarms)) {
		a := s.alarms[name]
		if a.watches() == watched && (in.Statistic == "" || in.Statistic == a.Statistic) && (in.Unit == "" || in.Unit == a.Unit) &&
			(in.ExtendedStatistic == nil || *in.ExtendedStatistic == aws.ToString(a.ExtendedStatistic)) && (in.Period == nil || *in.Period == *a.Period) {
			answer.MetricAlarms = append(answer.MetricAlarms, a.MetricAlarm)
		}
	}
	return answer, nil
}

func (a *alarm) watches() string {
	return identity(*a.Namespace, *a.MetricName, dimensionsOf(a.Dimensions))
}
