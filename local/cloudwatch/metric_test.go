package cloudwatch_test

import (
	"math"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"
)

func TestMetricsAreReadAsTheyWerePublished(t *testing.T) {
	w := newWorld(t)
	start := w.clock.Now()
	tills := []types.Dimension{{Name: aws.String("Till"), Value: aws.String("7")}}
	_, err := w.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("Shop"), MetricData: []types.MetricDatum{
		{MetricName: aws.String("Wait"), Unit: types.StandardUnitSeconds, Values: []float64{1, 2, 10}, Counts: []float64{5, 4, 1}, Dimensions: tills},
		{MetricName: aws.String("Wait"), Unit: types.StandardUnitSeconds, Dimensions: tills, StatisticValues: &types.StatisticSet{
			SampleCount: aws.Float64(2), Sum: aws.Float64(30), Minimum: aws.Float64(10), Maximum: aws.Float64(20)}, Timestamp: aws.Time(start.Add(time.Minute))},
	}})
	must(t, 0, err)
	w.clock.Advance(3 * time.Minute)
	read := &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("Shop"), MetricName: aws.String("Wait"), Dimensions: tills, Period: aws.Int32(60), StartTime: &start, EndTime: aws.Time(w.clock.Now()),
		Statistics: types.Statistic("").Values(), ExtendedStatistics: []string{"p50", "p95"},
	}
	out, err := w.GetMetricStatistics(t.Context(), read)
	want := []types.Datapoint{
		{
			Timestamp: &start, Unit: types.StandardUnitSeconds, SampleCount: aws.Float64(10), Sum: aws.Float64(23), Average: aws.Float64(2.3),
			Minimum: aws.Float64(1), Maximum: aws.Float64(10), ExtendedStatistics: map[string]float64{"p50": 1, "p95": 10},
		},
		{
			Timestamp: aws.Time(start.Add(time.Minute)), Unit: types.StandardUnitSeconds, SampleCount: aws.Float64(2), Sum: aws.Float64(30), Average: aws.Float64(15),
			Minimum: aws.Float64(10), Maximum: aws.Float64(20), ExtendedStatistics: map[string]float64{"p50": 20, "p95": 20},
		},
	}
	members := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".noSmithyDocumentSerde" }, cmp.Ignore())
	if diff := cmp.Diff(want, must(t, out, err).Datapoints, members); diff != "" {
		t.Error(diff)
	}
	read.Unit = types.StandardUnitCount
	if out, err := w.GetMetricStatistics(t.Context(), read); len(must(t, out, err).Datapoints) != 0 {
		t.Errorf("data of another unit: %v", out.Datapoints)
	}

	data, err := w.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{StartTime: &start, EndTime: aws.Time(w.clock.Now()), MetricDataQueries: []types.MetricDataQuery{{
		Id: aws.String("m1"), MetricStat: &types.MetricStat{Period: aws.Int32(60), Stat: aws.String("Sum"),
			Metric: &types.Metric{Namespace: aws.String("Shop"), MetricName: aws.String("Wait"), Dimensions: tills}},
	}}})
	if diff := cmp.Diff([]float64{30, 23}, must(t, data, err).MetricDataResults[0].Values); diff != "" {
		t.Errorf("newest first: %s", diff)
	}

	metrics, err := w.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{Namespace: aws.String("Shop"), Dimensions: []types.DimensionFilter{{Name: aws.String("Till")}}})
	if found := must(t, metrics, err).Metrics; len(found) != 1 || *found[0].MetricName != "Wait" {
		t.Errorf("metrics %v", found)
	}
}

func TestOldDataAreForgotten(t *testing.T) {
	w := newWorld(t)
	start := w.clock.Now()
	w.Record("Shop", "Errors", "Count", nil, 1)
	w.clock.Advance(16 * 24 * time.Hour)
	w.Record("Shop", "Errors", "Count", nil, 1)
	out, err := w.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("Shop"), MetricName: aws.String("Errors"), Period: aws.Int32(86400), Statistics: []types.Statistic{types.StatisticSum},
		StartTime: &start, EndTime: aws.Time(w.clock.Now().Add(time.Hour)),
	})
	if points := must(t, out, err).Datapoints; len(points) != 1 || *points[0].Sum != 1 {
		t.Errorf("data %v, want the newest only", points)
	}
}

func TestRecordingManyValuesIsCheap(t *testing.T) {
	w := newWorld(t)
	const events = 100_000
	allocated := testing.AllocsPerRun(1, func() {
		for i := range events / 2 {
			w.Record("AWS/Lambda", "Duration", "Milliseconds", map[string]string{"FunctionName": "f"}, float64(i))
		}
	})
	if each := allocated / (events / 2); each > 12 {
		t.Errorf("%v allocations a value", each)
	}
	now := w.clock.Now()
	out, err := w.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("AWS/Lambda"), MetricName: aws.String("Duration"), Dimensions: []types.Dimension{{Name: aws.String("FunctionName"), Value: aws.String("f")}},
		Period: aws.Int32(60), StartTime: &now, EndTime: aws.Time(now.Add(time.Minute)), Statistics: []types.Statistic{types.StatisticSampleCount}, ExtendedStatistics: []string{"p90"},
	})
	point := must(t, out, err).Datapoints[0]
	if *point.SampleCount != events || math.Abs(point.ExtendedStatistics["p90"]-45_000) > 450 {
		t.Errorf("point %v %v", *point.SampleCount, point.ExtendedStatistics)
	}
}
