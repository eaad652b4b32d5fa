package lambda

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// How Lambda retries an asynchronous event: a function error twice, after one
// and two minutes; throttling with growing waits for up to six hours.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
const (
	maxRetries      = 2
	maxEventAge     = 6 * time.Hour
	firstBackoff    = time.Second
	greatestBackoff = 5 * time.Minute
)

// attempt is the retry that an event waits for.
type attempt struct{ *invocation }

// deliver runs an asynchronous event until it succeeds or is given up.
func (s *Service) deliver(name string, call *invocation) {
	defer s.end()
	accepted := s.Clock.Now()
	backoff := firstBackoff
	for failures := 0; ; {
		result, err := s.run(name, call)
		retries, age, exists := s.retryPolicy(name)
		if !exists || err == nil && result.errorType == "" {
			return
		}
		wait := backoff
		if err != nil {
			backoff = min(2*backoff, greatestBackoff)
		} else {
			failures++
			wait = time.Duration(failures) * time.Minute
		}
		if failures > retries || s.Clock.Now().Add(wait).Sub(accepted) > age {
			s.record(name, "AsyncEventsDropped", "Count", 1)
			s.Log.Warn("asynchronous event discarded", "function", s.arn(name), "requestId", call.id, "errorType", result.errorType, "error", text(err))
			return
		}
		if !s.pause(call, wait) {
			return
		}
	}
}

// pause waits for a retry on the clock; it reports false when the service closes.
func (s *Service) pause(call *invocation, wait time.Duration) bool {
	retry := &attempt{call}
	s.mu.Lock()
	timer := s.Clock.NewTimer(wait)
	s.waiting[retry] = s.Clock.Now().Add(wait)
	s.busy--
	s.notify()
	s.mu.Unlock()
	defer func() {
		timer.Stop()
		s.mu.Lock()
		delete(s.waiting, retry)
		s.busy++
		s.mu.Unlock()
	}()
	select {
	case <-timer.Chan():
		return true
	case <-s.closing:
		return false
	}
}

func (s *Service) retryPolicy(name string) (retries int, age time.Duration, exists bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.functions[name]
	if f == nil {
		return 0, 0, false
	}
	retries, age = maxRetries, maxEventAge
	if f.retries != nil && f.retries.MaximumRetryAttempts != nil {
		retries = int(*f.retries.MaximumRetryAttempts)
	}
	if f.retries != nil && f.retries.MaximumEventAgeInSeconds != nil {
		age = time.Duration(*f.retries.MaximumEventAgeInSeconds) * time.Second
	}
	return retries, age, true
}

// PutFunctionEventInvokeConfig sets how asynchronous events are retried.
// https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html
func (s *Service) PutFunctionEventInvokeConfig(ctx context.Context, in *lambda.PutFunctionEventInvokeConfigInput) (*lambda.PutFunctionEventInvokeConfigOutput, error) {
	arn, name, err := s.authorize(ctx, "lambda:PutFunctionEventInvokeConfig", in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if to := in.DestinationConfig; to != nil && (to.OnFailure != nil && to.OnFailure.Destination != nil || to.OnSuccess != nil && to.OnSuccess.Destination != nil) {
		return nil, unsupported("DestinationConfig", "leave it out")
	}
	if n := in.MaximumRetryAttempts; n != nil && (*n < 0 || *n > 2) {
		return nil, outOfRange(*n, "maximumRetryAttempts", 0, 2)
	}
	if n := in.MaximumEventAgeInSeconds; n != nil && (*n < 60 || *n > 21600) {
		return nil, outOfRange(*n, "maximumEventAgeInSeconds", 60, 21600)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.find(name)
	if err != nil {
		return nil, err
	}
	f.retries = &types.FunctionEventInvokeConfig{
		FunctionArn:              aws.String(arn + ":$LATEST"),
		LastModified:             aws.Time(s.Clock.Now()),
		MaximumEventAgeInSeconds: in.MaximumEventAgeInSeconds,
		MaximumRetryAttempts:     in.MaximumRetryAttempts,
	}
	return &lambda.PutFunctionEventInvokeConfigOutput{
		FunctionArn: f.retries.FunctionArn, LastModified: f.retries.LastModified,
		MaximumEventAgeInSeconds: in.MaximumEventAgeInSeconds, MaximumRetryAttempts: in.MaximumRetryAttempts,
	}, nil
}

// GetFunctionEventInvokeConfig returns what PutFunctionEventInvokeConfig set.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionEventInvokeConfig.html
func (s *Service) GetFunctionEventInvokeConfig(ctx context.Context, in *lambda.GetFunctionEventInvokeConfigInput) (*lambda.GetFunctionEventInvokeConfigOutput, error) {
	f, err := s.withRetries(ctx, "lambda:GetFunctionEventInvokeConfig", in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return &lambda.GetFunctionEventInvokeConfigOutput{
		FunctionArn: f.retries.FunctionArn, LastModified: f.retries.LastModified,
		MaximumEventAgeInSeconds: f.retries.MaximumEventAgeInSeconds, MaximumRetryAttempts: f.retries.MaximumRetryAttempts,
	}, nil
}

// DeleteFunctionEventInvokeConfig returns to Lambda's own retries.
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionEventInvokeConfig.html
func (s *Service) DeleteFunctionEventInvokeConfig(ctx context.Context, in *lambda.DeleteFunctionEventInvokeConfigInput) (*lambda.DeleteFunctionEventInvokeConfigOutput, error) {
	f, err := s.withRetries(ctx, "lambda:DeleteFunctionEventInvokeConfig", in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f.retries = nil
	return &lambda.DeleteFunctionEventInvokeConfigOutput{}, nil
}

// withRetries returns a function whose asynchronous retries were configured.
func (s *Service) withRetries(ctx context.Context, action string, given, qualifier *string) (*function, error) {
	arn, name, err := s.authorize(ctx, action, given, qualifier)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.find(name)
	if err != nil {
		return nil, err
	}
	if f.retries == nil {
		return nil, notFound("The function " + arn + ":$LATEST doesn't have an EventInvokeConfig")
	}
	return f, nil
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
