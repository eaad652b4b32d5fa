package cloudwatch

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// checkSettings refuses an alarm that CloudWatch would refuse, or that needs what
// the local endpoint lacks: metric math, PromQL, anomaly detection.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
func checkSettings(in *cloudwatch.PutMetricAlarmInput) error {
	err := unsupported(
		named("Metrics", len(in.Metrics) > 0), named("ThresholdMetricId", in.ThresholdMetricId != nil),
		named("EvaluationCriteria", in.EvaluationCriteria != nil), named("EvaluationInterval", in.EvaluationInterval != nil),
		named("EvaluationWindow", in.EvaluationWindow != nil), named("WarmUpConfiguration", in.WarmUpConfiguration != nil),
		named("ActionConfiguration", in.ActionConfiguration != nil),
		named("EvaluateLowSampleCountPercentile", aws.ToString(in.EvaluateLowSampleCountPercentile) == "ignore"),
	)
	if err != nil {
		return err
	}
	if name := aws.ToString(in.AlarmName); name == "" || len(name) > 255 {
		return invalid("1 validation error detected: Value at 'alarmName' failed to satisfy constraint: Member must have length between 1 and 255")
	}
	if err := checkIdentity(in.Namespace, in.MetricName); err != nil {
		return err
	}
	if err := checkDimensions(in.Dimensions); err != nil {
		return err
	}
	if err := checkAlarmStatistic(in); err != nil {
		return err
	}
	if err := checkPeriods(in); err != nil {
		return err
	}
	if in.Threshold == nil {
		return missing("Threshold")
	}
	if !slices.Contains(operators, in.ComparisonOperator) {
		return invalid("ComparisonOperator %q is not one of %v, which are what the local endpoint knows", in.ComparisonOperator, operators)
	}
	if in.TreatMissingData != nil && !slices.Contains(treatments, *in.TreatMissingData) {
		return invalid("TreatMissingData %q is not one of %v", *in.TreatMissingData, treatments)
	}
	if in.Unit != "" && !slices.Contains(in.Unit.Values(), in.Unit) {
		return invalid("Unit %q is not one of %v", in.Unit, in.Unit.Values())
	}
	return checkActions(in)
}

var operators = []types.ComparisonOperator{
	types.ComparisonOperatorGreaterThanThreshold, types.ComparisonOperatorGreaterThanOrEqualToThreshold,
	types.ComparisonOperatorLessThanThreshold, types.ComparisonOperatorLessThanOrEqualToThreshold,
}

var treatments = []string{"breaching", "notBreaching", "ignore", "missing"}

func checkAlarmStatistic(in *cloudwatch.PutMetricAlarmInput) error {
	switch {
	case in.Statistic != "" && in.ExtendedStatistic != nil:
		return invalidCombination("Statistic and ExtendedStatistic cannot both be specified.")
	case in.Statistic == "" && in.ExtendedStatistic == nil:
		return missing("Statistic or ExtendedStatistic")
	case in.Statistic != "" && !slices.Contains(in.Statistic.Values(), in.Statistic):
		return invalid("Statistic %q is not one of %v", in.Statistic, in.Statistic.Values())
	case in.ExtendedStatistic != nil:
		if _, ok := percentile(*in.ExtendedStatistic); !ok {
			return invalid("ExtendedStatistic %q is no percentile such as p99, which is what the local endpoint knows", *in.ExtendedStatistic)
		}
	}
	return nil
}

// checkPeriods bounds what is evaluated: a day, and a week where the periods are
// an hour or longer.
func checkPeriods(in *cloudwatch.PutMetricAlarmInput) error {
	switch {
	case in.Period == nil:
		return missing("Period")
	case in.EvaluationPeriods == nil:
		return missing("EvaluationPeriods")
	}
	period, periods := *in.Period, *in.EvaluationPeriods
	longest := int32(86400)
	if period >= 3600 {
		longest = 7 * 86400
	}
	switch {
	case period <= 0 || period%60 != 0 && !slices.Contains([]int32{10, 20, 30}, period):
		return invalid("Period must be 10, 20, 30 or a multiple of 60")
	case periods < 1:
		return invalid("EvaluationPeriods must be at least 1")
	case period > longest || periods > longest/period:
		return invalid("Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= %d)", longest)
	}
	if m := in.DatapointsToAlarm; m != nil && (*m < 1 || *m > periods) {
		return invalid("DatapointsToAlarm must be between 1 and EvaluationPeriods (%d)", periods)
	}
	return nil
}

func checkActions(in *cloudwatch.PutMetricAlarmInput) error {
	for _, actions := range [][]string{in.AlarmActions, in.OKActions, in.InsufficientDataActions} {
		if len(actions) > 5 {
			return invalid("An alarm has at most five actions for each state")
		}
		for _, action := range actions {
			if !strings.HasPrefix(action, "arn:aws:sns:") {
				return invalid("Invalid use of action %q: the local endpoint notifies SNS topics only; name one by its ARN", action)
			}
		}
	}
	return nil
}
