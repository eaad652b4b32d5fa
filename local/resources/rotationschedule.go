package resources

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"

	"api-destination-credentials/local/cloudformation"
)

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-rotationschedule.html
type rotationSchedule struct{ secrets Secrets }

func (s rotationSchedule) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known([]string{"SecretId"}, "HostedRotationLambda", "RotateImmediatelyOnUpdate", "RotationLambdaARN", "RotationRules"),
		Replace:    []string{"SecretId"},
		Create:     s.put,
		Update:     s.put,
		Delete: func(ctx context.Context, r cloudformation.Request) error {
			return unlessGone(do(ctx, s.secrets.CancelRotateSecret, object{"SecretId": r.PhysicalID}))
		},
	}
}

// put does not wait for the rotation that it starts. As long as that one is not
// complete, Secrets Manager refuses an update.
func (s rotationSchedule) put(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	if r.Properties["HostedRotationLambda"] != nil {
		return cloudformation.Result{}, errors.New("HostedRotationLambda is a function that AWS makes, which the local endpoint does not have; " +
			"declare a function of your own and give its ARN as RotationLambdaARN")
	}
	immediately, err := enabled(r.Properties, "RotateImmediatelyOnUpdate", true)
	if err != nil {
		return cloudformation.Result{}, err
	}
	made, err := call(ctx, s.secrets.RotateSecret, with(pick(r.Properties, "SecretId", "RotationLambdaARN", "RotationRules"),
		object{"RotateImmediately": immediately, "ClientRequestToken": clientToken(r)}))
	if err != nil {
		return cloudformation.Result{}, err
	}
	return secretResult(aws.ToString(made.ARN)), nil
}
