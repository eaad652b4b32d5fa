package resources_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"api-destination-credentials/local/cloudformation"
	"api-destination-credentials/local/resources"
)

// rotations is Secrets Manager with one secret, whose rotation may be stuck.
type rotations struct {
	resources.Secrets
	calls
	stuck  bool
	tokens []string
}

func (f *rotations) RotateSecret(_ context.Context, in *secretsmanager.RotateSecretInput) (*secretsmanager.RotateSecretOutput, error) {
	f.tokens = append(f.tokens, aws.ToString(in.ClientRequestToken))
	in.ClientRequestToken = nil
	f.note(in)
	if f.stuck {
		return nil, &types.InvalidRequestException{Message: aws.String("A previous rotation isn't complete. That rotation will be reattempted.")}
	}
	return &secretsmanager.RotateSecretOutput{ARN: aws.String("arn:s")}, nil
}

func (f *rotations) CancelRotateSecret(_ context.Context, in *secretsmanager.CancelRotateSecretInput) (*secretsmanager.CancelRotateSecretOutput, error) {
	f.note(in)
	return nil, missing("ResourceNotFoundException")
}

func TestARotationScheduleRotatesAtOnceUnlessItIsToldNotTo(t *testing.T) {
	for name, c := range map[string]struct {
		properties  string
		immediately bool
		rules       *types.RotationRulesType
	}{
		"by default": {`{"SecretId": "s", "RotationLambdaARN": "arn:f", "RotationRules": {"AutomaticallyAfterDays": "30"}}`, true,
			&types.RotationRulesType{AutomaticallyAfterDays: aws.Int64(30)}},
		"told not to": {`{"SecretId": "s", "RotationLambdaARN": "arn:f", "RotateImmediatelyOnUpdate": "false",
			"RotationRules": {"ScheduleExpression": "rate(10 days)", "Duration": "3h"}}`, false,
			&types.RotationRulesType{ScheduleExpression: aws.String("rate(10 days)"), Duration: aws.String("3h")}},
	} {
		t.Run(name, func(t *testing.T) {
			fake := &rotations{}
			p := provider(t, resources.Services{Secrets: fake}, "AWS::SecretsManager::RotationSchedule")
			want := &secretsmanager.RotateSecretInput{SecretId: aws.String("s"), RotationLambdaARN: aws.String("arn:f"), RotationRules: c.rules, RotateImmediately: aws.Bool(c.immediately)}

			created, err := p.Create(context.Background(), request(t, c.properties))
			check(t, err)
			wantResult(t, created, cloudformation.Result{PhysicalID: "arn:s", Attributes: map[string]any{"Id": "arn:s"}})
			wantCalls(t, fake.take(), want)

			update := change(t, "arn:s", `{"SecretId": "s"}`, c.properties)
			update.Token = "token-2"
			updated, err := p.Update(context.Background(), update)
			check(t, err)
			wantResult(t, updated, created)
			wantCalls(t, fake.take(), want)
			if first, second := fake.tokens[0], fake.tokens[1]; len(first) < 32 || first == second {
				t.Errorf("rotated with tokens %s and %s, want one for each request", first, second)
			}
		})
	}
}

func TestARotationScheduleFailsWhileARotationIsStuck(t *testing.T) {
	fake := &rotations{stuck: true}
	_, err := provider(t, resources.Services{Secrets: fake}, "AWS::SecretsManager::RotationSchedule").
		Update(context.Background(), change(t, "arn:s", `{"SecretId": "s"}`, `{"SecretId": "s", "RotateImmediatelyOnUpdate": false}`))
	wantError(t, err, "A previous rotation isn't complete. That rotation will be reattempted.")
}

func TestAHostedRotationFunctionIsRefusedByName(t *testing.T) {
	fake := &rotations{}
	_, err := provider(t, resources.Services{Secrets: fake}, "AWS::SecretsManager::RotationSchedule").
		Create(context.Background(), request(t, `{"SecretId": "s", "HostedRotationLambda": {"RotationType": "MySQLSingleUser"}}`))
	wantError(t, err, "HostedRotationLambda")
	wantCalls(t, fake.take())
}

func TestADeletedRotationScheduleTurnsRotationOff(t *testing.T) {
	fake := &rotations{}
	r := request(t, `{"SecretId": "s"}`)
	r.PhysicalID = "arn:s"
	check(t, provider(t, resources.Services{Secrets: fake}, "AWS::SecretsManager::RotationSchedule").Delete(context.Background(), r))
	wantCalls(t, fake.take(), &secretsmanager.CancelRotateSecretInput{SecretId: aws.String("arn:s")})
}
