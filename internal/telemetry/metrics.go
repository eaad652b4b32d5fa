package telemetry

import (
	"encoding/json"
	"io"
	"time"
)

// Metric is one value for CloudWatch.
type Metric struct {
	Name  string
	Unit  string // as CloudWatch names it: Count, Seconds, None
	Value float64
}

// Publish writes metrics in CloudWatch's embedded metric format: a log line
// that CloudWatch Logs turns into metrics with one dimension.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func Publish(w io.Writer, now time.Time, namespace, dimension, value string, metrics ...Metric) error {
	definitions := make([]map[string]string, len(metrics))
	line := map[string]any{dimension: value}
	for i, metric := range metrics {
		definitions[i] = map[string]string{"Name": metric.Name, "Unit": metric.Unit}
		line[metric.Name] = metric.Value
	}
	line["_aws"] = map[string]any{
		"Timestamp": now.UnixMilli(),
		"CloudWatchMetrics": []any{map[string]any{
			"Namespace": namespace, "Dimensions": [][]string{{dimension}}, "Metrics": definitions,
		}},
	}
	return json.NewEncoder(w).Encode(line)
}
