package lambda_test

import (
	"log/slog"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"api-destination-credentials/local/access"
	"api-destination-credentials/local/lambda"
)

// sums are one function's metrics, added up by name; of durations their number.
type sums struct {
	mu     sync.Mutex
	values map[string]float64
}

func (s *sums) Record(namespace, name, _ string, dimensions map[string]string, value float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name == "Duration" && value > 0 {
		value = 1
	}
	if namespace == "AWS/Lambda" && len(dimensions) == 1 && dimensions["FunctionName"] == "greeter" {
		s.values[name] += value
	}
}

func TestAFunctionPublishesHowItsInvocationsEnded(t *testing.T) {
	w, published := newWorld(t), &sums{values: map[string]float64{}}
	w.Service = lambda.New(lambda.Config{
		Account: access.Account{ID: "123456789012", Region: "us-east-1"}, Auth: w.auth, Clock: w.clock, Roles: w.roles, Logs: w.logs,
		Metrics: published, Log: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(w.Service.Close)
	w.create()
	w.invoke(map[string]any{})
	w.invoke(map[string]any{"do": "fail", "text": "on purpose"})

	if _, err := w.PutFunctionEventInvokeConfig(w.ctx, &sdk.PutFunctionEventInvokeConfigInput{FunctionName: aws.String("greeter"), MaximumRetryAttempts: aws.Int32(0)}); err != nil {
		t.Fatal(err)
	}
	dropped := request(map[string]any{"do": "fail", "text": "on purpose"})
	dropped.InvocationType = types.InvocationTypeEvent
	if _, err := w.Invoke(w.ctx, dropped); err != nil {
		t.Fatal(err)
	}
	w.idle()

	if _, err := w.PutFunctionConcurrency(w.ctx, &sdk.PutFunctionConcurrencyInput{FunctionName: aws.String("greeter"), ReservedConcurrentExecutions: aws.Int32(0)}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Invoke(w.ctx, request(nil)); code(err) != "TooManyRequestsException" {
		t.Fatalf("error %v, want TooManyRequestsException", err)
	}
	want := map[string]float64{"Invocations": 3, "Errors": 2, "Throttles": 1, "Duration": 3, "AsyncEventsReceived": 1, "AsyncEventsDropped": 1}
	if diff := cmp.Diff(want, published.values); diff != "" {
		t.Error(diff)
	}
}
