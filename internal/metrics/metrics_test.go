package metrics_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"api-destination-credentials/internal/credentials"
	"api-destination-credentials/internal/metrics"
)

type cloudwatchFake struct {
	calls int
	err   error
}

func (m *cloudwatchFake) PutMetricData(context.Context, *cloudwatch.PutMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricDataOutput, error) {
	m.calls++
	return &cloudwatch.PutMetricDataOutput{}, m.err
}

func TestNothingToPublishIsNoCallAndARefusalIsAnError(t *testing.T) {
	refusing := &cloudwatchFake{err: errors.New("denied")}
	if err := metrics.Publish(t.Context(), refusing, "n", "d", "v", nil); err != nil || refusing.calls != 0 {
		t.Errorf("%d calls, error %v; CloudWatch refuses a request without data", refusing.calls, err)
	}
	one := []credentials.Metric{{Name: "m", Unit: "Count", Value: 1}}
	if err := metrics.Publish(t.Context(), refusing, "n", "d", "v", one); !errors.Is(err, refusing.err) {
		t.Errorf("error %v, want CloudWatch's own", err)
	}
}
