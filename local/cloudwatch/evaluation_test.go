package cloudwatch_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

func TestMissingDataCountAsTheDocumentedTablesSay(t *testing.T) {
	const retained = types.StateValue("retained")
	ok, firing, unknown := types.StateValueOk, types.StateValueAlarm, types.StateValueInsufficientData
	// Columns: missing, ignore, breaching, notBreaching; three periods.
	for _, row := range []struct {
		data   string // oldest first
		needed int32
		want   [4]types.StateValue
	}{
		{"0-X-X", 3, [4]types.StateValue{ok, ok, ok, ok}},
		{"0----", 3, [4]types.StateValue{ok, ok, ok, ok}},
		{"-----", 3, [4]types.StateValue{unknown, retained, firing, ok}},
		{"0XX-X", 3, [4]types.StateValue{firing, firing, firing, firing}},
		{"--X--", 3, [4]types.StateValue{firing, retained, firing, ok}},
		{"----X", 3, [4]types.StateValue{ok, retained, firing, ok}},
		{"---X-", 3, [4]types.StateValue{ok, retained, firing, ok}},
		{"0-X-X", 2, [4]types.StateValue{firing, firing, firing, firing}},
		{"00X0X", 2, [4]types.StateValue{firing, firing, firing, firing}},
		{"0-X--", 2, [4]types.StateValue{ok, ok, firing, ok}},
		{"----0", 2, [4]types.StateValue{ok, ok, firing, ok}},
		{"---X-", 2, [4]types.StateValue{firing, retained, firing, ok}},
	} {
		for i, treatment := range []string{"missing", "ignore", "breaching", "notBreaching"} {
			for _, before := range []types.StateValue{ok, firing} {
				t.Run(fmt.Sprintf("%s/%d of 3/%s/from %s", row.data, row.needed, treatment, before), func(t *testing.T) {
					w := newWorld(t)
					w.put(func(in *cloudwatch.PutMetricAlarmInput) {
						in.EvaluationPeriods, in.DatapointsToAlarm, in.TreatMissingData = aws.Int32(3), aws.Int32(row.needed), aws.String(treatment)
					})
					_, err := w.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("errors"), StateValue: before, StateReason: aws.String("test")})
					must(t, 0, err)
					for j, point := range row.data {
						if point != '-' {
							_, err := w.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("Shop"), MetricData: []types.MetricDatum{{
								MetricName: aws.String("Errors"), Value: aws.Float64(map[rune]float64{'0': 0, 'X': 1}[point]),
								Timestamp: aws.Time(w.clock.Now().Add(time.Duration(j-4) * time.Minute)),
							}}})
							must(t, 0, err)
						}
					}
					w.clock.Advance(time.Minute)
					want := row.want[i]
					if want == retained {
						want = before
					}
					if got := w.state("errors").StateValue; got != want {
						t.Errorf("state %s, want %s", got, want)
					}
				})
			}
		}
	}
}

func TestAnAlarmSaysItsReasonInTheWordsOfAWS(t *testing.T) {
	w := newWorld(t)
	w.put(nil)
	w.put(func(in *cloudwatch.PutMetricAlarmInput) {
		in.AlarmName, in.DatapointsToAlarm, in.TreatMissingData = aws.String("counted"), aws.Int32(1), aws.String("notBreaching")
	})
	w.want("errors", types.StateValueInsufficientData, "Unchecked: Initial alarm creation")
	w.want("counted", types.StateValueOk, "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching].")

	w.Record("Shop", "Errors", "Count", nil, 2)
	w.Record("Shop", "Errors", "Count", nil, 1)
	w.want("errors", types.StateValueAlarm, "Threshold Crossed: 1 datapoint [3.0 (23/11/26 12:00:00)] was greater than the threshold (0.0).")
	w.want("counted", types.StateValueAlarm, "Threshold Crossed: 1 out of the last 1 datapoints [3.0 (23/11/26 12:00:00)] was greater than the threshold (0.0) (minimum 1 datapoint for OK -> ALARM transition).")

	w.clock.Advance(time.Minute)
	w.Record("Shop", "Errors", "Count", nil, 0)
	w.want("errors", types.StateValueOk, "Threshold Crossed: 1 datapoint [0.0 (23/11/26 12:01:00)] was not greater than the threshold (0.0).")
	w.want("counted", types.StateValueOk, "Threshold Crossed: 1 out of the last 1 datapoints [0.0 (23/11/26 12:01:00)] was not greater than the threshold (0.0) (minimum 1 datapoint for ALARM -> OK transition).")

	w.clock.Advance(time.Hour)
	w.want("errors", types.StateValueInsufficientData, "Insufficient Data: 1 datapoint was unknown.")
}

func TestAQueuesDepthIsTrueAtTheFirstRead(t *testing.T) {
	w := newWorld(t)
	w.put(func(in *cloudwatch.PutMetricAlarmInput) {
		in.Namespace, in.MetricName, in.Statistic = aws.String("AWS/SQS"), aws.String("ApproximateNumberOfMessagesVisible"), types.StatisticAverage
		in.Dimensions = []types.Dimension{{Name: aws.String("QueueName"), Value: aws.String("dead-letters")}}
		in.Threshold, in.ComparisonOperator = aws.Float64(1), types.ComparisonOperatorGreaterThanOrEqualToThreshold
	})
	w.depth = aws.Float64(0)
	w.want("errors", types.StateValueOk, "Threshold Crossed: 1 datapoint [0.0 (23/11/26 12:00:00)] was not greater than or equal to the threshold (1.0).")
	w.depth = aws.Float64(1)
	w.want("errors", types.StateValueAlarm, "Threshold Crossed: 1 datapoint [1.0 (23/11/26 12:00:00)] was greater than or equal to the threshold (1.0).")
	w.depth = aws.Float64(0)
	if got := w.state("errors").StateValue; got != types.StateValueOk {
		t.Errorf("state %s after the queue was emptied, want OK", got)
	}
}

func TestASumThatStillGrowsDoesNotFireForBeingTooSmall(t *testing.T) {
	w := newWorld(t)
	w.put(func(in *cloudwatch.PutMetricAlarmInput) {
		in.Threshold, in.ComparisonOperator = aws.Float64(2), types.ComparisonOperatorLessThanThreshold
	})
	w.Record("Shop", "Errors", "Count", nil, 2)
	w.clock.Advance(time.Minute)
	w.Record("Shop", "Errors", "Count", nil, 1)
	if got := w.state("errors").StateValue; got != types.StateValueOk {
		t.Errorf("state %s in the middle of a minute, want OK", got)
	}
	w.clock.Advance(time.Minute)
	if got := w.state("errors").StateValue; got != types.StateValueAlarm {
		t.Errorf("state %s after the minute, want ALARM", got)
	}
}

func TestAnAlarmOfTenSecondsNeedsMetricsOfHighResolution(t *testing.T) {
	w := newWorld(t)
	w.put(func(in *cloudwatch.PutMetricAlarmInput) { in.Period = aws.Int32(10) })
	w.Record("Shop", "Errors", "Count", nil, 1)
	if got := w.state("errors").StateValue; got != types.StateValueInsufficientData {
		t.Errorf("state %s by data of a minute, want INSUFFICIENT_DATA", got)
	}
	_, err := w.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("Shop"), MetricData: []types.MetricDatum{
		{MetricName: aws.String("Errors"), Value: aws.Float64(1), StorageResolution: aws.Int32(1)},
	}})
	must(t, 0, err)
	w.clock.Advance(10 * time.Second)
	if event := next(t, w.events); event["detail"].(map[string]any)["state"].(map[string]any)["value"] != "ALARM" {
		t.Errorf("event %v, want the change to ALARM after ten seconds", event)
	}
}

func TestAnAlarmOnAnotherUnitSeesNoData(t *testing.T) {
	w := newWorld(t)
	w.put(func(in *cloudwatch.PutMetricAlarmInput) { in.Unit = types.StandardUnitSeconds })
	w.Record("Shop", "Errors", "Count", nil, 1)
	w.clock.Advance(time.Minute)
	if got := w.state("errors").StateValue; got != types.StateValueInsufficientData {
		t.Errorf("state %s by data of another unit, want INSUFFICIENT_DATA", got)
	}
	w.Record("Shop", "Errors", "Seconds", nil, 0)
	if got := w.state("errors").StateValue; got != types.StateValueOk {
		t.Errorf("state %s by data of its unit, want OK", got)
	}
}
