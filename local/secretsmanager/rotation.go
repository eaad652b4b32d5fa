package secretsmanager

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"

	"api-destination-credentials/local/access"
)

// rotation is how a secret rotates, and how far it has come.
type rotation struct {
	enabled  bool
	function string                   // ARN
	rules    *types.RotationRulesType // as they were given
	schedule schedule                 // what they say
	token    string                   // version of the rotation that is not complete; empty for none
	failures int                      // attempts at it that failed
	due      time.Time                // of the next attempt or rotation; zero while one runs, or for none
	next     time.Time                // when the window of the next rotation closes; zero for none
	rotated  time.Time                // zero for never
}

// RotateSecret sets up rotation and starts one in the background; with
// RotateImmediately false it only has the function test the current value. The
// version of a token that was used before is not rotated to again.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
func (s *Service) RotateSecret(ctx context.Context, in *secretsmanager.RotateSecretInput) (*secretsmanager.RotateSecretOutput, error) {
	if len(in.ExternalSecretRotationMetadata) > 0 || in.ExternalSecretRotationRoleArn != nil {
		return nil, invalidParameter("ExternalSecretRotationMetadata and ExternalSecretRotationRoleArn: the local endpoint rotates by Lambda functions only; leave them out")
	}
	token := aws.ToString(in.ClientRequestToken)
	if err := checkToken(token); err != nil {
		return nil, err
	}
	planned, err := parseRules(in.RotationRules)
	if err != nil {
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
	if target.version(token) != nil {
		return answer, nil // the same request again
	}
	if target.unfinished() != "" {
		return nil, invalidRequest("A previous rotation isn't complete. That rotation will be reattempted.")
	}
	var tried *version
	if in.RotateImmediately != nil && !*in.RotateImmediately {
		if tried, err = s.copyCurrent(ctx, target); err != nil {
			return nil, err
		}
	}
	target.rotation.enabled, target.rotation.function = true, function
	if in.RotationRules != nil {
		target.rotation.rules, target.rotation.schedule = in.RotationRules, planned
	}
	s.plan(target)
	if tried != nil {
		answer.VersionId = nil
		s.try(target, tried)
		return answer, nil
	}
	s.begin(target, token)
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

// unfinished is the version that has AWSPENDING without AWSCURRENT: its
// rotation is not complete, and no other one may start.
func (one *secret) unfinished() string {
	if holder := one.stages[pending]; holder != one.stages[current] {
		return holder
	}
	return ""
}

// written takes notice of a version that was written. Unless the rotation
// function wrote it, it counts as a rotation for the schedule, and gives up a
// rotation that is not complete.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot_rotation.html
func (s *Service) written(target *secret, id string) {
	unfinished := target.unfinished()
	if !target.rotation.enabled || id == unfinished || id == target.rotation.token {
		return
	}
	if unfinished != "" {
		delete(target.stages, pending)
	}
	s.plan(target)
}

// CancelRotateSecret turns rotation off and gives up one that is not complete,
// before its next step. AWSPENDING stays where it is.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CancelRotateSecret.html
func (s *Service) CancelRotateSecret(ctx context.Context, in *secretsmanager.CancelRotateSecretInput) (*secretsmanager.CancelRotateSecretOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	target, err := s.writable(ctx, "CancelRotateSecret", in.SecretId)
	if err != nil {
		return nil, err
	}
	answer := &secretsmanager.CancelRotateSecretOutput{ARN: aws.String(target.arn), Name: aws.String(target.name), VersionId: optional(target.unfinished())}
	target.rotation.enabled = false
	s.plan(target)
	return answer, nil
}

// last is when the secret was rotated; nil where rotation is turned off.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
func (r rotation) last() *time.Time {
	if !r.enabled {
		return nil
	}
	return moment(r.rotated)
}
