package secretsmanager

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/uuid"
)

// A failed rotation is tried again from its first step, with the same version.
// AWS says "several times" and neither how often nor when; the number and the
// waits of 1, 2, 4 and 8 minutes are the local endpoint's own.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
const (
	maxAttempts = 5
	firstWait   = time.Minute // doubled from attempt to attempt
)

// Steps of a rotation, each one invocation of the function.
var (
	rotateSteps = []string{"createSecret", "setSecret", "testSecret", "finishSecret"}
	tryStep     = []string{"testSecret"}
)

// begin starts an attempt to rotate to the version. It needs the lock held.
func (s *Service) begin(target *secret, token string) {
	if target.version(token) == nil {
		// The function finds its version labelled and without a value.
		target.versions = append(target.versions, &version{id: token, created: s.Clock.Now()})
		target.label(token, []string{pending}, &moved{})
	}
	if target.rotation.token != token {
		target.rotation.token, target.rotation.failures = token, 0
	}
	target.rotation.due = time.Time{}
	arn, function := target.arn, target.rotation.function
	s.start(func() {
		done := s.invoke(arn, function, token, rotateSteps)
		s.mu.Lock()
		defer s.mu.Unlock()
		if target.rotation.token != token || s.ctx.Err() != nil {
			return // it was given up meanwhile, or the service is closed
		}
		if done && target.stages[current] == token {
			target.rotation.rotated = s.Clock.Now()
			s.plan(target)
			return
		}
		s.retry(target)
	})
}

// retry plans the next attempt of a rotation that failed. After the last one
// the schedule takes it up again: until then AWSPENDING stays where it is.
func (s *Service) retry(target *secret) {
	state := &target.rotation
	state.failures++
	if target.stages[pending] != state.token && target.stages[current] != state.token {
		s.Log.Warn("A rotation is abandoned: its version has lost AWSPENDING.", "secret", target.arn, "version", state.token)
		s.plan(target)
		return
	}
	if state.failures == maxAttempts {
		s.Log.Error("A rotation failed and waits for the schedule.", "secret", target.arn, "version", state.token, "attempts", state.failures)
		s.plan(target)
		return
	}
	wait := firstWait << (state.failures - 1)
	s.Log.Warn("A rotation failed and will be tried again.", "secret", target.arn, "version", state.token, "attempts", state.failures, "wait", wait)
	state.due = s.Clock.Now().Add(wait)
	s.arrange()
}

// copyCurrent makes a version, not yet one of the secret's, with the current value.
func (s *Service) copyCurrent(ctx context.Context, target *secret) (*version, error) {
	held, err := target.pick(nil, nil)
	if err != nil {
		return nil, err
	}
	data, err := s.open(ctx, target, held)
	if err != nil {
		return nil, err
	}
	copied := &version{id: uuid.NewString(), created: s.Clock.Now()}
	return copied, s.seal(ctx, target, copied, &value{held.text, data})
}

// try has the function test a temporary version, and removes that again.
func (s *Service) try(target *secret, temporary *version) {
	target.versions = append(target.versions, temporary)
	target.label(temporary.id, []string{pending}, &moved{})
	target.rotation.token, target.rotation.due = temporary.id, time.Time{}
	arn, function := target.arn, target.rotation.function
	s.start(func() {
		s.invoke(arn, function, temporary.id, tryStep)
		s.mu.Lock()
		defer s.mu.Unlock()
		target.versions = slices.DeleteFunc(target.versions, func(v *version) bool { return v == temporary })
		if target.stages[pending] == temporary.id {
			delete(target.stages, pending)
		}
		if target.rotation.token == temporary.id {
			s.plan(target)
		}
	})
}

// invoke runs the steps one after the other until one fails or the version is
// no longer to be rotated to.
func (s *Service) invoke(arn, function, token string, steps []string) bool {
	ctx := s.asRotator(s.ctx, arn)
	for _, step := range steps {
		if !s.awaits(arn, token) {
			s.Log.Warn("A rotation ends before its next step.", "secret", arn, "step", step, "version", token)
			return false
		}
		event, err := json.Marshal(map[string]string{
			"Step": step, "SecretId": arn, "ClientRequestToken": token, "RotationToken": uuid.NewString(),
		})
		if err != nil {
			panic(err) // text always encodes
		}
		out, err := s.Functions.Invoke(ctx, &lambda.InvokeInput{FunctionName: &function, Payload: event})
		if err != nil {
			s.Log.Warn("A step of a rotation could not be invoked.", "secret", arn, "step", step, "error", err.Error())
			return false
		}
		if out.FunctionError != nil {
			// The answer stays out of the log: who wrote the function may have put the value in it.
			s.Log.Warn("A step of a rotation failed; the function's log says why.", "secret", arn, "step", step, "error", aws.ToString(out.FunctionError))
			return false
		}
	}
	return true
}

// awaits tells whether the version is still the one to rotate to.
func (s *Service) awaits(arn, token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	target, err := s.find(&arn)
	return err == nil && s.ctx.Err() == nil && target.condemned.IsZero() && target.rotation.token == token &&
		(target.stages[pending] == token || target.stages[current] == token)
}
