// Package metrics publishes the health of the credentials to CloudWatch. It is
// apart from the logs so that a function without metrics does not carry the
// CloudWatch client.
package metrics

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"api-destination-credentials/internal/credentials"
)

// Metrics is where metrics go.
type Metrics interface {
	PutMetricData(context.Context, *cloudwatch.PutMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricDataOutput, error)
}

// Publish writes metrics with one dimension. It calls CloudWatch instead of
// logging them in the embedded metric format: a log group whose key cannot be
// used takes no lines, and a key that cannot be used is one of the things to tell.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
func Publish(ctx context.Context, to Metrics, namespace, dimension, value string, metrics []credentials.Metric) error {
	if len(metrics) == 0 {
		return nil
	}
	put := &cloudwatch.PutMetricDataInput{Namespace: aws.String(namespace)}
	for _, metric := range metrics {
		put.MetricData = append(put.MetricData, types.MetricDatum{
			MetricName: aws.String(metric.Name), Unit: types.StandardUnit(metric.Unit), Value: aws.Float64(metric.Value),
			Dimensions: []types.Dimension{{Name: aws.String(dimension), Value: aws.String(value)}},
		})
	}
	if _, err := to.PutMetricData(ctx, put); err != nil {
		return fmt.Errorf("metrics cannot be published: %w", err)
	}
	return nil
}
