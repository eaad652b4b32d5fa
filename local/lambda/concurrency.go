package lambda

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// concurrency is how many invocations run at a time. An account has 1,000; these
// are processes of one machine.
const concurrency = 50

// idleFor is how long an execution environment waits for another invocation.
const idleFor = 5 * time.Minute

// PutFunctionConcurrency limits how many invocations of a function run at a
// time; zero stops the function.
// https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionConcurrency.html
func (s *Service) PutFunctionConcurrency(ctx context.Context, in *lambda.PutFunctionConcurrencyInput) (*lambda.PutFunctionConcurrencyOutput, error) {
	if in.ReservedConcurrentExecutions == nil {
		return nil, failedConstraint("null", "reservedConcurrentExecutions", "Member must not be null")
	}
	if *in.ReservedConcurrentExecutions < 0 {
		return nil, failedConstraint(*in.ReservedConcurrentExecutions, "reservedConcurrentExecutions", "Member must have value greater than or equal to 0")
	}
	if err := s.reserve(ctx, "lambda:PutFunctionConcurrency", in.FunctionName, in.ReservedConcurrentExecutions); err != nil {
		return nil, err
	}
	return &lambda.PutFunctionConcurrencyOutput{ReservedConcurrentExecutions: in.ReservedConcurrentExecutions}, nil
}

// DeleteFunctionConcurrency removes the function's own limit.
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionConcurrency.html
func (s *Service) DeleteFunctionConcurrency(ctx context.Context, in *lambda.DeleteFunctionConcurrencyInput) (*lambda.DeleteFunctionConcurrencyOutput, error) {
	if err := s.reserve(ctx, "lambda:DeleteFunctionConcurrency", in.FunctionName, nil); err != nil {
		return nil, err
	}
	return &lambda.DeleteFunctionConcurrencyOutput{}, nil
}

func (s *Service) reserve(ctx context.Context, action string, given *string, executions *int32) error {
	_, name, err := s.authorize(ctx, action, given, nil)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.find(name)
	if err != nil {
		return err
	}
	f.reserved = executions
	return nil
}

// acquire returns an execution environment for one invocation: an idle one of
// the current deployment, or a new one. Give it back with release.
func (s *Service) acquire(name string) (*sandbox, error) {
	s.mu.Lock()
	f, err := s.admit(name)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	for len(f.idle) > 0 {
		b := f.idle[len(f.idle)-1]
		f.idle = f.idle[:len(f.idle)-1]
		b.reaper.Stop()
		if b.usable(s.Clock.Now()) {
			s.mu.Unlock()
			return b, nil
		}
		b.stop()
	}
	b := s.newSandbox(f)
	s.mu.Unlock()

	if err := b.start(); err != nil {
		s.forget(b)
		s.mu.Lock()
		s.leave(f)
		s.mu.Unlock()
		return nil, err
	}
	return b, nil
}

// admit counts one more invocation of a function, or refuses it.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
func (s *Service) admit(name string) (*function, error) {
	f, err := s.find(name)
	if err != nil {
		return nil, err
	}
	if s.closed() {
		return nil, shuttingDown()
	}
	if f.reserved != nil && f.running >= int(*f.reserved) {
		return nil, throttled(types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded)
	}
	if s.running >= concurrency {
		return nil, throttled(types.ThrottleReasonConcurrentInvocationLimitExceeded)
	}
	f.running++
	s.running++
	return f, nil
}

func (s *Service) leave(f *function) {
	f.running--
	s.running--
}

// release keeps an environment for the next invocation, or ends it when its
// deployment is no longer the current one.
func (s *Service) release(b *sandbox) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := b.function
	s.leave(f)
	current := s.functions[*b.configuration.FunctionName] == f && f.configuration == b.configuration
	if !current || !b.usable(s.Clock.Now()) {
		b.stop()
		return
	}
	f.idle = append(f.idle, b)
	b.reaper = s.Clock.AfterFunc(idleFor, func() { s.reap(b) })
}

// reap ends an environment that nobody needed for a while.
func (s *Service) reap(b *sandbox) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(b.function.idle, b); i >= 0 {
		b.function.idle = slices.Delete(b.function.idle, i, i+1)
		b.stop()
	}
}

func (s *Service) stopIdle(f *function) {
	for _, b := range f.idle {
		b.reaper.Stop()
		b.stop()
	}
	f.idle = nil
}

func throttled(reason types.ThrottleReason) error {
	return &types.TooManyRequestsException{Message: aws.String("Rate Exceeded."), Reason: reason, Type: aws.String("User")}
}
