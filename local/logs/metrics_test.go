package logs_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
	"api-destination-credentials/local/logs"
)

// metrics are what was published, in order.
type metrics []string

func (m *metrics) Record(namespace, name, unit string, dimensions map[string]string, value float64) {
	var pairs []string
	for _, dimension := range slices.Sorted(maps.Keys(dimensions)) {
		pairs = append(pairs, dimension+"="+dimensions[dimension])
	}
	*m = append(*m, fmt.Sprintf("%s %s %v %s {%s}", namespace, name, value, unit, strings.Join(pairs, ",")))
}

// newMeasuredWorld has a group g with a stream a, and publishes to metrics.
func newMeasuredWorld(t *testing.T) (*world, *metrics) {
	w, published := &world{clock: clockwork.NewFakeClock()}, &metrics{}
	w.service = logs.New(logs.Config{Account: access.Account{ID: "123456789012", Region: "us-east-1"}, Auth: w, Clock: w.clock, Keys: w, Metrics: published})
	w.group(t, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("g")}, "a")
	return w, published
}

func (m *metrics) want(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, []string(*m)); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

func TestJSONPatternsSelectByPropertyAndValue(t *testing.T) {
	w := newWorld(t)
	w.group(t, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("g")}, "a")
	w.put(t, "a", `{"n":1,"level":"ERROR","latency":250,"code":404,"ip":"10.0.1.2","items":[{"id":"x"}],"gone":null,"late":true}`)
	w.put(t, "a", `{"n":2,"level":"INFO","latency":99.5,"code":200,"ip":"10.9.1.2","items":[],"late":false}`)
	w.put(t, "a", `level = "ERROR"`)
	for pattern, want := range map[string]string{
		`{ $.level = "ERROR" }`:                     "1",
		`{$.level=ERROR}`:                           "1",
		`{ $.level != "ERROR" }`:                    "2",
		`{ $.level = "*R*" }`:                       "1",
		`{ $.ip = 10.0.* }`:                         "1",
		`{ $.code = 4* }`:                           "1",
		`{ $.code = 404 }`:                          "1",
		`{ $.code = "404" }`:                        "",
		`{ $.latency > 99.5 }`:                      "1",
		`{ $.latency >= 9.95e1 }`:                   "12",
		`{ $.latency < 100 }`:                       "2",
		`{ $.latency <= 250 && $.latency != 99.5 }`: "1",
		`{ $.items[0].id = "x" }`:                   "1",
		`{ $.gone IS NULL }`:                        "1",
		`{ $.gone NOT EXISTS }`:                     "2",
		`{ $.late IS TRUE }`:                        "1",
		`{ $.late IS FALSE }`:                       "2",
		`{ $.absent != "x" }`:                       "",
		`{ $.level = "INFO" || $.level = "ERROR" && $.code = 500 }`:   "2",
		`{ ($.level = INFO || $.level = ERROR) && ($.code > 300) }  `: "1",
	} {
		found := ""
		for _, message := range w.filter(t, cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String(pattern)}) {
			found += string(strings.TrimPrefix(message, `{"n":`)[0])
		}
		if found != want {
			t.Errorf("%s finds %q, want %q", pattern, found, want)
		}
	}
	for _, pattern := range []string{
		`{`, `{ }`, `{ $.level }`, `{ $.level = }`, `{ level = 1 }`, `{ $.level = "open }`, `{ $.a = 1 } }`, `{ ($.a = 1 }`, `{ $.a = 1 && }`,
		`{ $.a > "text" }`, `{ $.a = %regex% }`, `{ $.a IS MAYBE }`, `[a, b]`,
	} {
		_, err := w.service.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("g"), FilterPattern: aws.String(pattern)})
		if code(err) != "InvalidParameterException" {
			t.Errorf("%s: error %v, want InvalidParameterException", pattern, err)
		}
	}
}

func TestMetricsInLogLinesArePublished(t *testing.T) {
	w, published := newMeasuredWorld(t)
	w.put(t, "a", `{"_aws":{"Timestamp":0,"CloudWatchMetrics":[{"Namespace":"Health","Dimensions":[["Connection"]],"Metrics":[{"Name":"Authorized","Unit":"Count"},{"Name":"Age","Unit":"Seconds"}]}]},"Connection":"c","Authorized":1,"Age":2.5}`,
		`{"_aws":{"CloudWatchMetrics":[{"Namespace":"N","Dimensions":[["A"],["A","B"],[]],"Metrics":[{"Name":"M"}]}]},"A":"1","M":[1,2]}`,
		`{"_aws":{"CloudWatchMetrics":[{"Namespace":"N","Dimensions":[[]],"Metrics":[{"Name":"Absent"},{"Name":"Text"}]}]},"Text":"1"}`,
		`{"_aws":{"CloudWatchMetrics":"none"}}`,
		`"_aws" in no JSON`,
	)
	published.want(t,
		"Health Authorized 1 Count {Connection=c}", "Health Age 2.5 Seconds {Connection=c}",
		"N M 1  {A=1}", "N M 2  {A=1}", "N M 1  {}", "N M 2  {}")
}

func (w *world) putFilter(t *testing.T, name, pattern string, to types.MetricTransformation) {
	t.Helper()
	to.MetricNamespace, to.MetricName = aws.String("Shop"), aws.String(name)
	if _, err := w.service.PutMetricFilter(t.Context(), &cloudwatchlogs.PutMetricFilterInput{
		LogGroupName: aws.String("g"), FilterName: aws.String(name), FilterPattern: aws.String(pattern), MetricTransformations: []types.MetricTransformation{to},
	}); err != nil {
		t.Fatal(err)
	}
}

func TestAMetricFilterCountsWhatMatchesFromThenOn(t *testing.T) {
	w, published := newMeasuredWorld(t)
	w.put(t, "a", `{"level":"ERROR"}`)
	w.putFilter(t, "Errors", `{ $.level = "ERROR" }`, types.MetricTransformation{MetricValue: aws.String("1"), DefaultValue: aws.Float64(0), Unit: types.StandardUnitCount})
	w.putFilter(t, "Latency", `{ $.latency > 0 }`, types.MetricTransformation{MetricValue: aws.String("$.latency"), Dimensions: map[string]string{"Route": "$.route"}})
	w.put(t, "a", `{"level":"ERROR","latency":12.5,"route":"/events"}`, `{"level":"INFO","latency":7}`, "plain text")
	published.want(t, "Shop Errors 1 Count {}", "Shop Latency 12.5  {Route=/events}", "Shop Errors 0 Count {}", "Shop Errors 0 Count {}")

	*published = nil
	if _, err := w.service.DeleteMetricFilter(t.Context(), &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String("g"), FilterName: aws.String("Errors")}); err != nil {
		t.Fatal(err)
	}
	w.put(t, "a", `{"level":"ERROR"}`)
	published.want(t)
}

func TestMetricFiltersAreDescribedAsTheyWereMade(t *testing.T) {
	w, _ := newMeasuredWorld(t)
	w.putFilter(t, "Errors", "ERROR", types.MetricTransformation{MetricValue: aws.String("1")})
	w.putFilter(t, "Warnings", "WARN", types.MetricTransformation{MetricValue: aws.String("1")})
	for name, test := range map[string]struct {
		in   cloudwatchlogs.DescribeMetricFiltersInput
		want []string
	}{
		"all":    {cloudwatchlogs.DescribeMetricFiltersInput{}, []string{"Errors ERROR", "Warnings WARN"}},
		"group":  {cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: aws.String("g")}, []string{"Errors ERROR", "Warnings WARN"}},
		"prefix": {cloudwatchlogs.DescribeMetricFiltersInput{FilterNamePrefix: aws.String("W")}, []string{"Warnings WARN"}},
		"metric": {cloudwatchlogs.DescribeMetricFiltersInput{MetricName: aws.String("Errors"), MetricNamespace: aws.String("Shop")}, []string{"Errors ERROR"}},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := w.service.DescribeMetricFilters(t.Context(), &test.in)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range out.MetricFilters {
				got = append(got, *f.FilterName+" "+*f.FilterPattern)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestABadMetricFilterIsRefused(t *testing.T) {
	w, _ := newMeasuredWorld(t)
	for name, change := range map[string]func(*cloudwatchlogs.PutMetricFilterInput){
		"name":       func(in *cloudwatchlogs.PutMetricFilterInput) { in.FilterName = aws.String("a:b") },
		"pattern":    func(in *cloudwatchlogs.PutMetricFilterInput) { in.FilterPattern = aws.String("{ $.a }") },
		"no pattern": func(in *cloudwatchlogs.PutMetricFilterInput) { in.FilterPattern = nil },
		"no metric":  func(in *cloudwatchlogs.PutMetricFilterInput) { in.MetricTransformations = nil },
		"value": func(in *cloudwatchlogs.PutMetricFilterInput) {
			in.MetricTransformations[0].MetricValue = aws.String("one")
		},
		"no number": func(in *cloudwatchlogs.PutMetricFilterInput) {
			in.MetricTransformations[0].MetricValue = aws.String("NaN")
		},
		"AWS's own": func(in *cloudwatchlogs.PutMetricFilterInput) {
			in.MetricTransformations[0].MetricNamespace = aws.String("AWS/Lambda")
		},
		"dimension": func(in *cloudwatchlogs.PutMetricFilterInput) {
			in.MetricTransformations[0].Dimensions = map[string]string{"a": "b"}
		},
		"other fields": func(in *cloudwatchlogs.PutMetricFilterInput) { in.ApplyOnTransformedLogs = true },
	} {
		in := &cloudwatchlogs.PutMetricFilterInput{
			LogGroupName: aws.String("g"), FilterName: aws.String("f"), FilterPattern: aws.String(""),
			MetricTransformations: []types.MetricTransformation{{MetricNamespace: aws.String("Shop"), MetricName: aws.String("Lines"), MetricValue: aws.String("1")}},
		}
		change(in)
		if _, err := w.service.PutMetricFilter(t.Context(), in); code(err) != "InvalidParameterException" {
			t.Errorf("%s: error %v, want InvalidParameterException", name, err)
		}
	}
	w.refused = "arn:aws:logs:us-east-1:123456789012:log-group:g:*"
	for name, attempt := range map[string]func() error{
		"DeleteMetricFilter": func() error {
			_, err := w.service.DeleteMetricFilter(t.Context(), &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String("g"), FilterName: aws.String("f")})
			return err
		},
		"DescribeMetricFilters": func() error {
			_, err := w.service.DescribeMetricFilters(t.Context(), &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: aws.String("g")})
			return err
		},
	} {
		if err := attempt(); code(err) != "AccessDeniedException" {
			t.Errorf("%s: error %v, want AccessDeniedException", name, err)
		}
	}
}
