package secretsmanager_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
	service "api-destination-credentials/local/secretsmanager"
)

// rotator is a rotation function and who may invoke it. It goes by AWS's
// templates, except for the steps that it fails or does something else in.
type rotator struct {
	*world
	steps     []string
	tokens    []string                  // the version of each step
	values    []string                  // what AWSPENDING read as in each step; empty for no value
	instead   map[string]func(n string) // by step, given the token
	fail      string                    // the step that fails
	late      bool                      // it fails after its effect, not before
	forbidden string                    // who may not invoke: user or service
	held      chan struct{}             // closed by a step that then waits for its context to end; nil for no such step
	log       bytes.Buffer
}

var started = time.Date(2026, 3, 5, 10, 20, 30, 0, time.UTC)

const functionARN = "arn:aws:lambda:us-east-1:123456789012:function:rotation"

func newRotator(t *testing.T) *rotator {
	r := &rotator{world: &world{T: t, clock: clockwork.NewFakeClockAt(started)}, instead: map[string]func(string){}}
	r.Service = service.New(service.Config{
		Account: access.Account{ID: "123456789012", Region: "us-east-1"}, Auth: r, Clock: r.clock, Keys: r, Events: r,
		Functions: r, Log: slog.New(slog.NewTextHandler(&r.log, nil)),
	})
	t.Cleanup(r.Close)
	r.create()
	return r
}

func (r *rotator) Invoke(ctx context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	caller := access.Caller(ctx)
	if caller.Service == "" && r.forbidden == "user" || caller.Service != "" && r.forbidden == "service" {
		return nil, &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no"}
	}
	if in.InvocationType == lambdatypes.InvocationTypeDryRun {
		return &lambda.InvokeOutput{StatusCode: 204}, nil
	}
	var event struct{ Step, SecretId, ClientRequestToken, RotationToken string }
	if err := json.Unmarshal(in.Payload, &event); err != nil {
		return nil, err
	}
	if caller.Service != "secretsmanager.amazonaws.com" || caller.SourceARN != event.SecretId || *in.FunctionName != functionARN {
		r.Errorf("%s was invoked by %+v for %s", *in.FunctionName, caller, event.SecretId)
	}
	if event.RotationToken == "" {
		r.Errorf("%s has no RotationToken", event.Step)
	}
	r.steps, r.tokens = append(r.steps, event.Step), append(r.tokens, event.ClientRequestToken)
	value, _ := r.get(secretsmanager.GetSecretValueInput{VersionStage: aws.String("AWSPENDING")})
	r.values = append(r.values, value)
	if r.held != nil {
		close(r.held)
		<-ctx.Done()
		return &lambda.InvokeOutput{}, nil
	}
	if event.Step == r.fail && r.late {
		must(r.T, r.follow(event.Step, event.ClientRequestToken))
	}
	if event.Step == r.fail {
		return &lambda.InvokeOutput{FunctionError: aws.String("Unhandled"), Payload: []byte(`{"errorMessage":"rotated-value"}`)}, nil
	}
	if instead := r.instead[event.Step]; instead != nil {
		instead(event.ClientRequestToken)
		return &lambda.InvokeOutput{}, nil
	}
	return &lambda.InvokeOutput{}, r.follow(event.Step, event.ClientRequestToken)
}

func (r *rotator) follow(step, token string) error {
	switch step {
	case "createSecret":
		_, err := r.PutSecretValue(context.Background(), &secretsmanager.PutSecretValueInput{
			SecretId: aws.String("source"), SecretString: aws.String("rotated-value"), ClientRequestToken: &token, VersionStages: []string{"AWSPENDING"},
		})
		return err
	case "finishSecret":
		return r.move("AWSCURRENT", r.holder("AWSCURRENT"), &token)
	}
	return nil
}

// holder is the id of the version that carries a label.
func (r *rotator) holder(label string) *string {
	shown, err := r.DescribeSecret(context.Background(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("source")})
	if err != nil {
		r.Error(err)
		return nil
	}
	for id, labels := range shown.VersionIdsToStages {
		for _, one := range labels {
			if one == label {
				return aws.String(id)
			}
		}
	}
	return nil
}

func (r *rotator) rotate(n int, change ...func(*secretsmanager.RotateSecretInput)) error {
	in := &secretsmanager.RotateSecretInput{SecretId: aws.String("source"), ClientRequestToken: token(n), RotationLambdaARN: aws.String(functionARN)}
	for _, c := range change {
		c(in)
	}
	_, err := r.RotateSecret(r.Context(), in)
	if err == nil {
		r.wait()
	}
	return err
}

func (r *rotator) wait() {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	must(r.T, r.Idle(ctx))
}

// advance moves the clock, and waits for what is due then.
func (r *rotator) advance(d time.Duration) {
	r.Helper()
	r.clock.Advance(d)
	r.wait()
}

// ran tells which steps were run since it was last called.
func (r *rotator) ran() []string {
	ran := r.steps
	r.steps, r.tokens = nil, nil
	return ran
}

func (r *rotator) wantSteps(want ...string) {
	r.Helper()
	if difference := cmp.Diff(want, r.ran()); difference != "" {
		r.Errorf("steps (-want +got):\n%s", difference)
	}
}

func (r *rotator) wantStages(want map[string]int) {
	r.Helper()
	if difference := cmp.Diff(want, r.stages()); difference != "" {
		r.Errorf("labels (-want +got):\n%s", difference)
	}
}

func (r *rotator) cancel() *secretsmanager.CancelRotateSecretOutput {
	r.Helper()
	out, err := r.CancelRotateSecret(context.Background(), &secretsmanager.CancelRotateSecretInput{SecretId: aws.String("source")})
	must(r.T, err)
	return out
}

func (r *rotator) describe() *secretsmanager.DescribeSecretOutput {
	r.Helper()
	shown, err := r.DescribeSecret(r.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("source")})
	must(r.T, err)
	return shown
}

func TestARotationRunsFourStepsAndMovesCurrent(t *testing.T) {
	r := newRotator(t)
	must(t, r.rotate(2, func(in *secretsmanager.RotateSecretInput) {
		in.RotationRules = &types.RotationRulesType{AutomaticallyAfterDays: aws.Int64(30)}
	}))
	if difference := cmp.Diff([]string{"createSecret", "setSecret", "testSecret", "finishSecret"}, r.steps); difference != "" {
		t.Error(difference)
	}
	// In its first step the function finds the version without a value.
	if difference := cmp.Diff([]string{"", "rotated-value", "rotated-value", "rotated-value"}, r.values); difference != "" {
		t.Error(difference)
	}
	if difference := cmp.Diff(map[string]int{"AWSCURRENT": 2, "AWSPENDING": 2, "AWSPREVIOUS": 1}, r.stages()); difference != "" {
		t.Error(difference)
	}
	shown := r.describe()
	next := r.clock.Now().UTC().AddDate(0, 0, 30).Truncate(24 * time.Hour).Add(24*time.Hour - time.Second)
	if !aws.ToBool(shown.RotationEnabled) || *shown.RotationLambdaARN != functionARN || !shown.LastRotatedDate.Equal(r.clock.Now()) || !shown.NextRotationDate.Equal(next) {
		t.Errorf("described as %+v, want rotated now by %s and next %s", shown, functionARN, next)
	}
	// AWSPENDING beside AWSCURRENT is no rotation that is not complete.
	must(t, r.rotate(3))
	if holders := r.stages(); holders["AWSCURRENT"] != 3 {
		t.Errorf("after a second rotation: %v", holders)
	}
}

func TestAFailedStepLeavesPendingAndBlocksTheNextRotation(t *testing.T) {
	for n, step := range []string{"createSecret", "setSecret", "testSecret", "finishSecret"} {
		t.Run(step, func(t *testing.T) {
			r := newRotator(t)
			r.fail = step
			must(t, r.rotate(2))
			if len(r.steps) != n+1 {
				t.Errorf("%v ran, want none after %s", r.steps, step)
			}
			if difference := cmp.Diff(map[string]int{"AWSCURRENT": 1, "AWSPENDING": 2}, r.stages()); difference != "" {
				t.Error(difference)
			}
			if r.describe().LastRotatedDate != nil {
				t.Error("a failed rotation counts as a rotation")
			}
			if text := r.log.String(); !strings.Contains(text, step) || strings.Contains(text, "rotated-value") {
				t.Errorf("logged %s, want the step without the value", text)
			}
			r.fail = ""
			if err := r.rotate(3); code(err) != "InvalidRequestException" || !strings.Contains(err.Error(), "A previous rotation isn't complete.") {
				t.Errorf("the next rotation: %v", err)
			}
			must(t, r.move("AWSPENDING", token(2), nil), r.rotate(4))
			if holders := r.stages(); holders["AWSCURRENT"] != 4 {
				t.Errorf("after AWSPENDING was taken away: %v", holders)
			}
		})
	}
}

func TestAFinishThatMovesNothingIsNoRotation(t *testing.T) {
	r := newRotator(t)
	r.instead["finishSecret"] = func(string) {}
	must(t, r.rotate(2))
	if shown := r.describe(); shown.LastRotatedDate != nil {
		t.Errorf("last rotated %s, want never", shown.LastRotatedDate)
	}
}

func TestAVersionWrittenDuringARotationAbandonsIt(t *testing.T) {
	r := newRotator(t)
	r.instead["setSecret"] = func(string) { must(t, r.put(9, "by hand")) }
	must(t, r.rotate(2))
	if difference := cmp.Diff([]string{"createSecret", "setSecret"}, r.steps); difference != "" {
		t.Error(difference)
	}
	if difference := cmp.Diff(map[string]int{"AWSCURRENT": 9, "AWSPREVIOUS": 1}, r.stages()); difference != "" {
		t.Error(difference)
	}
	r.instead = nil
	must(t, r.rotate(3))
}

func TestTheSameRotationTwiceIsOne(t *testing.T) {
	r := newRotator(t)
	must(t, r.rotate(2), r.rotate(2))
	r.wantSteps(whole...)
	r.fail = "setSecret"
	must(t, r.rotate(3), r.rotate(3))
	r.wantSteps("createSecret", "setSecret")
}

func TestClosingEndsARotationBeforeItsNextStep(t *testing.T) {
	r := newRotator(t)
	r.held = make(chan struct{})
	_, err := r.RotateSecret(t.Context(), &secretsmanager.RotateSecretInput{SecretId: aws.String("source"), ClientRequestToken: token(2), RotationLambdaARN: aws.String(functionARN)})
	must(t, err)
	<-r.held
	expired, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Idle(expired); !errors.Is(err, context.Canceled) {
		t.Errorf("idle during a rotation: %v", err)
	}
	r.Close()
	if strings.Contains(r.log.String(), "tried again") {
		t.Errorf("logged %s, want no further attempt", r.log.String())
	}
	if difference := cmp.Diff([]string{"createSecret"}, r.steps); difference != "" {
		t.Error(difference)
	}
}

func TestARotationThatCannotStartIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		forbidden string
		change    func(*secretsmanager.RotateSecretInput)
		code      string
		message   string
	}{
		"no function": {"", func(in *secretsmanager.RotateSecretInput) { in.RotationLambdaARN = nil }, "InvalidRequestException", "No Lambda rotation function ARN is associated with this secret."},
		"no permission of the service": {"service", nil, "AccessDeniedException",
			"Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com."},
		"no permission of the caller": {"user", nil, "AccessDeniedException", "lambda:InvokeFunction"},
		"no token":                    {"", func(in *secretsmanager.RotateSecretInput) { in.ClientRequestToken = nil }, "InvalidParameterException", "ClientRequestToken"},
		"two schedules": {"", func(in *secretsmanager.RotateSecretInput) {
			in.RotationRules = &types.RotationRulesType{AutomaticallyAfterDays: aws.Int64(1), ScheduleExpression: aws.String("rate(4 hours)")}
		}, "InvalidParameterException", "AutomaticallyAfterDays and ScheduleExpression"},
		"a cron schedule":            {"", schedule("cron(0 8 1 * ? *)", ""), "InvalidParameterException", "cron()"},
		"minutes":                    {"", schedule("rate(300 minutes)", ""), "InvalidParameterException", "rate(N hours) or rate(N days)"},
		"too often":                  {"", schedule("rate(3 hours)", ""), "InvalidParameterException", "every four hours"},
		"too seldom":                 {"", schedule("rate(1000 days)", ""), "InvalidParameterException", "999 days"},
		"a window into the next":     {"", schedule("rate(4 hours)", "5h"), "InvalidParameterException", "the next rotation window"},
		"a window into the next day": {"", schedule("rate(10 days)", "25h"), "InvalidParameterException", "the next UTC day"},
		"a window of no length":      {"", schedule("rate(10 days)", "0h"), "InvalidParameterException", "at least one hour"},
		"a window that is not hours": {"", schedule("rate(10 days)", "30m"), "InvalidParameterException", "such as 3h"},
		"a window without a schedule": {"", func(in *secretsmanager.RotateSecretInput) {
			in.RotationRules = &types.RotationRulesType{Duration: aws.String("3h")}
		}, "InvalidParameterException", "give ScheduleExpression"},
		"no days": {"", func(in *secretsmanager.RotateSecretInput) {
			in.RotationRules = &types.RotationRulesType{AutomaticallyAfterDays: aws.Int64(0)}
		}, "InvalidParameterException", "between 1 and 1000"},
		"too many days": {"", func(in *secretsmanager.RotateSecretInput) {
			in.RotationRules = &types.RotationRulesType{AutomaticallyAfterDays: aws.Int64(1001)}
		}, "InvalidParameterException", "between 1 and 1000"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRotator(t)
			r.forbidden = c.forbidden
			var changes []func(*secretsmanager.RotateSecretInput)
			if c.change != nil {
				changes = append(changes, c.change)
			}
			if err := r.rotate(2, changes...); code(err) != c.code || !strings.Contains(err.Error(), c.message) {
				t.Errorf("%v, want %s with %q", err, c.code, c.message)
			}
			if len(r.steps) > 0 || r.describe().RotationEnabled != nil {
				t.Errorf("steps %v ran, rotation is %v", r.steps, r.describe().RotationEnabled)
			}
		})
	}
}
