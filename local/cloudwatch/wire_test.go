package cloudwatch_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"api-destination-credentials/local/access"
	"api-destination-credentials/local/wire"
)

// client is the SDK's own, over HTTP.
func (w *world) client() *cloudwatch.Client {
	server := httptest.NewServer(wire.New(wire.Config{
		Account:  access.Account{ID: "123456789012", Region: "us-east-1"},
		Services: []wire.Service{{Name: "monitoring", Impl: w.Service}},
		Identify: func(string) (access.Principal, error) { return access.Principal{Administrator: true}, nil },
	}))
	w.Cleanup(server.Close)
	return cloudwatch.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	})
}

func TestTheSDKsClientIsServed(t *testing.T) {
	w := newWorld(t)
	client := w.client()
	var many []types.MetricDatum // enough for a compressed request
	for range 500 {
		many = append(many, types.MetricDatum{MetricName: aws.String("Errors"), Value: aws.Float64(0.5), Unit: types.StandardUnitCount, Timestamp: aws.Time(w.clock.Now())})
	}
	_, err := client.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("Shop"), MetricData: many})
	must(t, 0, err)
	_, err = client.PutMetricAlarm(t.Context(), alarm(nil))
	must(t, 0, err)
	alarms, err := client.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{StateValue: types.StateValueAlarm})
	found := must(t, alarms, err).MetricAlarms
	if len(found) != 1 || *found[0].Threshold != 0 || !found[0].StateUpdatedTimestamp.Equal(w.clock.Now()) {
		t.Fatalf("alarms %+v", found)
	}
	if reason := "Threshold Crossed: 1 datapoint [250.0 (23/11/26 12:00:00)] was greater than the threshold (0.0)."; *found[0].StateReason != reason {
		t.Errorf("reason %q, want %q", *found[0].StateReason, reason)
	}
	_, err = client.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"absent"}})
	var none *types.ResourceNotFound
	if !errors.As(err, &none) {
		t.Errorf("error %v, want ResourceNotFound", err)
	}
	_, err = client.PutDashboard(t.Context(), &cloudwatch.PutDashboardInput{DashboardName: aws.String("shop"), DashboardBody: aws.String("{}")})
	var refused *types.DashboardInvalidInputError
	if !errors.As(err, &refused) {
		t.Errorf("error %v, want DashboardInvalidInputError", err)
	}
}
