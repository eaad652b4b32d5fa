package secretsmanager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"
	"github.com/google/uuid"

	"api-destination-credentials/local/access"
)

// rotation is how a secret rotates. It rotates when RotateSecret is called, not
// by its schedule, and a failed rotation is not tried again.
type rotation struct {
	enabled  bool
	function string // ARN
	rules    *types.RotationRulesType
	token    string    // version of the rotation that is not complete; empty for none
	rotated  time.Time // zero for never
}

// Steps of a rotation, each one invocation of the function.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
var (
	rotateSteps = []string{"createSecret", "setSecret", "testSecret", "finishSecret"}
	tryStep     = []string{"testSecret"}
)

// RotateSecret sets up rotation and starts one in the background; with
// RotateImmediately false it only has the function test the current value.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
func (s *Service) RotateSecret(ctx context.Context, in *secretsmanager.RotateSecretInput) (*secretsmanager.RotateSecretOutput, error) {
	if len(in.ExternalSecretRotationMetadata) > 0 || in.ExternalSecretRotationRoleArn != nil {
		return nil, invalidParameter("ExternalSecretRotationMetadata and ExternalSecretRotationRoleArn: the local endpoint rotates by Lambda functions only; leave them out")
	}
	token := aws.ToString(in.ClientRequestToken)
	if err := checkToken(token); err != nil {
		return nil, err
	}
	if err := checkRules(in.RotationRules); err != nil {
		return nil, err
	}
	arn, function, err := s.rotatable(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := s.mayInvoke(ctx, arn, function); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// The secret may have changed while permission was asked for.
	target, err := s.writable(ctx, "RotateSecret", &arn)
	if err != nil {
		return nil, err
	}
	answer := &secretsmanager.RotateSecretOutput{ARN: aws.String(target.arn), Name: aws.String(target.name), VersionId: aws.String(token)}
	if target.rotation.token == token {
		return answer, nil // the same request again
	}
	if err := target.checkPending(); err != nil {
		return nil, err
	}
	target.rotation.enabled, target.rotation.function = true, function
	if in.RotationRules != nil {
		target.rotation.rules = in.RotationRules
	}
	if in.RotateImmediately != nil && !*in.RotateImmediately {
		answer.VersionId = nil
		return answer, s.try(ctx, target)
	}
	if target.version(token) == nil {
		// The function finds its version labelled and without a value.
		target.versions = append(target.versions, &version{id: token, created: s.Clock.Now()})
	}
	target.label(token, []string{pending}, &moved{})
	target.rotation.token = token
	s.start(func() { s.rotate(target.arn, function, token) })
	return answer, nil
}

// rotatable finds the secret and the function to rotate it with.
func (s *Service) rotatable(ctx context.Context, in *secretsmanager.RotateSecretInput) (arn, function string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	target, err := s.writable(ctx, "RotateSecret", in.SecretId)
	if err != nil {
		return "", "", err
	}
	function = aws.ToString(in.RotationLambdaARN)
	if function == "" {
		function = target.rotation.function
	}
	if function == "" {
		return "", "", invalidRequest("No Lambda rotation function ARN is associated with this secret.")
	}
	return target.arn, function, nil
}

// mayInvoke asks for both permissions that a rotation needs: the caller's to
// invoke the function, and the function's policy for Secrets Manager.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html
func (s *Service) mayInvoke(ctx context.Context, arn, function string) error {
	dry := &lambda.InvokeInput{FunctionName: &function, InvocationType: lambdatypes.InvocationTypeDryRun}
	var refusal smithy.APIError
	_, err := s.Functions.Invoke(s.through(ctx), dry)
	if errors.As(err, &refusal) && refusal.ErrorCode() == "AccessDeniedException" {
		return accessDenied(fmt.Sprintf("You are not allowed to invoke the rotation function %s: allow lambda:InvokeFunction.", function))
	}
	if _, err := s.Functions.Invoke(s.asRotator(ctx, arn), dry); err != nil {
		return accessDenied("Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.")
	}
	return nil
}

func (s *Service) asRotator(ctx context.Context, arn string) context.Context {
	return access.WithCaller(ctx, access.Principal{Service: "secretsmanager.amazonaws.com", SourceARN: arn})
}

// checkPending refuses a rotation while AWSPENDING is on a version other than AWSCURRENT's.
func (one *secret) checkPending() error {
	if holder := one.stages[pending]; holder != "" && holder != one.stages[current] {
		return invalidRequest("A previous rotation isn't complete. That rotation will be reattempted.")
	}
	return nil
}

// try has the function test a temporary version that holds the current value.
func (s *Service) try(ctx context.Context, target *secret) error {
	held, err := target.pick(nil, nil)
	if err != nil {
		return err
	}
	data, err := s.open(ctx, target, held)
	if err != nil {
		return err
	}
	temporary := &version{id: uuid.NewString(), created: s.Clock.Now()}
	if err := s.seal(ctx, target, temporary, &value{held.text, data}); err != nil {
		return err
	}
	target.versions = append(target.versions, temporary)
	target.label(temporary.id, []string{pending}, &moved{})
	arn, function := target.arn, target.rotation.function
	s.start(func() {
		s.invoke(arn, function, temporary.id, tryStep)
		s.mu.Lock()
		defer s.mu.Unlock()
		if target.stages[pending] == temporary.id {
			delete(target.stages, pending)
		}
		target.versions = slices.DeleteFunc(target.versions, func(v *version) bool { return v == temporary })
	})
	return nil
}

// rotate is one rotation. It is complete when the function has moved AWSCURRENT
// to the new version; otherwise AWSPENDING stays where it is.
func (s *Service) rotate(arn, function, token string) {
	if !s.invoke(arn, function, token, rotateSteps) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	target, err := s.find(&arn)
	if err != nil || target.rotation.token != token {
		return
	}
	if target.stages[current] != token {
		s.Log.Warn("A rotation did not move AWSCURRENT to its version.", "secret", arn, "version", token)
		return
	}
	target.rotation.token, target.rotation.rotated = "", s.Clock.Now()
}

// invoke runs the steps one after the other until one fails or the version is
// no longer to be rotated to.
func (s *Service) invoke(arn, function, token string, steps []string) bool {
	ctx := s.asRotator(s.ctx, arn)
	for _, step := range steps {
		if !s.awaits(arn, token) {
			s.Log.Warn("A rotation is abandoned.", "secret", arn, "step", step, "version", token)
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
			s.Log.Warn("A step of a rotation failed; the function's log says why.", "secret", arn, "step", step, "error", *out.FunctionError)
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
	return err == nil && target.condemned.IsZero() && s.ctx.Err() == nil &&
		(target.stages[pending] == token || target.stages[current] == token)
}

// abandon gives up the rotation that is not complete, because somebody wrote
// another version.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot_rotation.html
func (one *secret) abandon(written string) {
	if one.rotation.token == "" || one.rotation.token == written {
		return
	}
	if one.stages[pending] == one.rotation.token {
		delete(one.stages, pending)
	}
	one.rotation.token = ""
}

// CancelRotateSecret turns rotation off. AWSPENDING stays where it is.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CancelRotateSecret.html
func (s *Service) CancelRotateSecret(ctx context.Context, in *secretsmanager.CancelRotateSecretInput) (*secretsmanager.CancelRotateSecretOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	target, err := s.writable(ctx, "CancelRotateSecret", in.SecretId)
	if err != nil {
		return nil, err
	}
	answer := &secretsmanager.CancelRotateSecretOutput{ARN: aws.String(target.arn), Name: aws.String(target.name), VersionId: optional(target.rotation.token)}
	target.rotation.enabled, target.rotation.token = false, ""
	return answer, nil
}

// next is the last second of the UTC day on which the next rotation is due;
// nil where the schedule is an expression.
func (r rotation) next(created time.Time) *time.Time {
	if !r.enabled || r.rules == nil || r.rules.AutomaticallyAfterDays == nil {
		return nil
	}
	from := created
	if !r.rotated.IsZero() {
		from = r.rotated
	}
	day := from.UTC().AddDate(0, 0, int(*r.rules.AutomaticallyAfterDays)).Truncate(24 * time.Hour)
	return aws.Time(day.Add(24*time.Hour - time.Second))
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotationRulesType.html
func checkRules(rules *types.RotationRulesType) error {
	switch {
	case rules == nil:
		return nil
	case rules.AutomaticallyAfterDays != nil && rules.ScheduleExpression != nil:
		return invalidParameter("You can't specify both AutomaticallyAfterDays and ScheduleExpression in the same call.")
	case rules.AutomaticallyAfterDays != nil && (*rules.AutomaticallyAfterDays < 1 || *rules.AutomaticallyAfterDays > 1000):
		return invalidParameter("AutomaticallyAfterDays must be between 1 and 1000 days.")
	}
	return nil
}
