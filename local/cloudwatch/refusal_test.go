package cloudwatch_test

import (
	"math"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

func TestBadInputIsRefused(t *testing.T) {
	w := newWorld(t)
	for name, test := range map[string]struct {
		want   string
		change func(*cloudwatch.PutMetricAlarmInput)
	}{
		"odd period": {"ValidationError", func(in *cloudwatch.PutMetricAlarmInput) { in.Period = aws.Int32(45) }},
		"more than a day": {"ValidationError", func(in *cloudwatch.PutMetricAlarmInput) {
			in.Period, in.EvaluationPeriods = aws.Int32(300), aws.Int32(300)
		}},
		"more than there are": {"ValidationError", func(in *cloudwatch.PutMetricAlarmInput) { in.DatapointsToAlarm = aws.Int32(2) }},
		"anomaly detection": {"ValidationError", func(in *cloudwatch.PutMetricAlarmInput) {
			in.ComparisonOperator = types.ComparisonOperatorGreaterThanUpperThreshold
		}},
		"metric math": {"ValidationError", func(in *cloudwatch.PutMetricAlarmInput) { in.Metrics = []types.MetricDataQuery{{}} }},
		"other actions": {"ValidationError", func(in *cloudwatch.PutMetricAlarmInput) {
			in.AlarmActions = []string{"arn:aws:automate:us-east-1:ec2:stop"}
		}},
		"odd treatment":    {"ValidationError", func(in *cloudwatch.PutMetricAlarmInput) { in.TreatMissingData = aws.String("notbreaching") }},
		"two statistics":   {"InvalidParameterCombination", func(in *cloudwatch.PutMetricAlarmInput) { in.ExtendedStatistic = aws.String("p99") }},
		"no statistic":     {"MissingParameter", func(in *cloudwatch.PutMetricAlarmInput) { in.Statistic = "" }},
		"no metric":        {"MissingParameter", func(in *cloudwatch.PutMetricAlarmInput) { in.MetricName = nil }},
		"no threshold":     {"MissingParameter", func(in *cloudwatch.PutMetricAlarmInput) { in.Threshold = nil }},
		"no period":        {"MissingParameter", func(in *cloudwatch.PutMetricAlarmInput) { in.Period = nil }},
		"no such quantile": {"ValidationError", func(in *cloudwatch.PutMetricAlarmInput) { in.Statistic, in.ExtendedStatistic = "", aws.String("p101") }},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := w.PutMetricAlarm(t.Context(), alarm(test.change)); code(err) != test.want {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
	for name, datum := range map[string]types.MetricDatum{
		"no value":     {MetricName: aws.String("m")},
		"two values":   {MetricName: aws.String("m"), Value: aws.Float64(1), Values: []float64{1}},
		"no number":    {MetricName: aws.String("m"), Value: aws.Float64(math.NaN())},
		"no name":      {Value: aws.Float64(1)},
		"too old":      {MetricName: aws.String("m"), Value: aws.Float64(1), Timestamp: aws.Time(w.clock.Now().AddDate(0, 0, -15))},
		"odd unit":     {MetricName: aws.String("m"), Value: aws.Float64(1), Unit: "Apples"},
		"count amiss":  {MetricName: aws.String("m"), Values: []float64{1, 2}, Counts: []float64{1}},
		"no dimension": {MetricName: aws.String("m"), Value: aws.Float64(1), Dimensions: []types.Dimension{{Name: aws.String("a")}}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := w.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("Shop"), MetricData: []types.MetricDatum{datum}}); err == nil {
				t.Error("the datum was taken")
			}
		})
	}
	if _, err := w.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("AWS/SQS"), MetricData: []types.MetricDatum{{MetricName: aws.String("m"), Value: aws.Float64(1)}}}); code(err) != "InvalidParameterValue" {
		t.Errorf("AWS's own namespace: %v", err)
	}
	for _, names := range [][]string{nil, {"absent"}} {
		if _, err := w.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: names}); err == nil {
			t.Errorf("the alarms %v were deleted", names)
		}
	}
}
