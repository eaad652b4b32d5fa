package logs

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// Metrics is where the metrics that log events carry go.
type Metrics interface {
	Record(namespace, name, unit string, dimensions map[string]string, value float64)
}

// measure publishes what new events of a group say: those in the embedded metric
// format by themselves, all others by the group's metric filters. Values count
// for the time of their arrival.
func (g *group) measure(metrics Metrics, events []types.InputLogEvent) {
	if metrics == nil {
		return
	}
	for _, e := range events {
		message := aws.ToString(e.Message)
		if strings.Contains(message, `"_aws"`) {
			embedded(metrics, message)
		}
		for _, name := range slices.Sorted(maps.Keys(g.filters)) {
			g.filters[name].measure(metrics, message)
		}
	}
}

// embedded publishes the metrics of a message in the embedded metric format.
// What a message states wrongly is left out, as CloudWatch does.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func embedded(metrics Metrics, message string) {
	event, ok := parsed(message)
	if !ok {
		return
	}
	var root struct {
		AWS struct {
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
	}
	if json.Unmarshal([]byte(message), &root) != nil {
		return
	}
	for _, directive := range root.AWS.CloudWatchMetrics {
		for _, names := range directive.Dimensions {
			dimensions, complete := chosen(event, names)
			if !complete || directive.Namespace == "" {
				continue
			}
			for _, metric := range directive.Metrics {
				for _, value := range numbers(event[metric.Name]) {
					metrics.Record(directive.Namespace, metric.Name, metric.Unit, dimensions, value)
				}
			}
		}
	}
}

// chosen are the dimensions' values; without one of them there is no metric.
func chosen(event map[string]any, names []string) (dimensions map[string]string, complete bool) {
	dimensions = map[string]string{}
	for _, name := range names {
		value, ok := event[name].(string)
		if !ok {
			return nil, false
		}
		dimensions[name] = value
	}
	return dimensions, true
}

// numbers reads a number or a list of up to 100 of them.
func numbers(target any) []float64 {
	list, ok := target.([]any)
	if !ok {
		list = []any{target}
	}
	var found []float64
	for _, element := range list[:min(len(list), 100)] {
		if number, ok := element.(json.Number); ok {
			if value, err := number.Float64(); err == nil {
				found = append(found, value)
			}
		}
	}
	return found
}

// measure publishes one value for an event that matches: the transformation's
// number, or that of the property it names.
func (f *filter) measure(metrics Metrics, message string) {
	if !f.matches(message) {
		if f.preset != nil {
			metrics.Record(f.namespace, f.metric, f.unit, nil, *f.preset)
		}
		return
	}
	event, _ := parsed(message)
	value := f.value
	if f.property != nil {
		held, _ := f.property.in(event)
		found := numbers(held)
		if len(found) != 1 {
			return
		}
		value = found[0]
	}
	dimensions := map[string]string{}
	for name, property := range f.dimensions {
		held, _ := property.in(event)
		switch held := held.(type) {
		case string:
			dimensions[name] = held
		case json.Number:
			dimensions[name] = held.String()
		default:
			return // no metric without all of its dimensions
		}
	}
	metrics.Record(f.namespace, f.metric, f.unit, dimensions, value)
}
