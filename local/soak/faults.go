package soak

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"api-destination-credentials/local/deploy"
)

type sqsAttribute = types.QueueAttributeName

// fault is what happens in an account, and what its people do about it.
type fault struct {
	name         string
	make, repair func(context.Context) error
}

func (s Soak) faults(ctx context.Context) ([]fault, error) {
	physical := map[string]string{}
	for _, logical := range []string{"ReceiverFunction", "TargetRole"} {
		shown, err := cloudformation.NewFromConfig(s.AWS).DescribeStackResource(ctx, &cloudformation.DescribeStackResourceInput{
			StackName: aws.String(deploy.ApplicationStack), LogicalResourceId: aws.String(logical),
		})
		if err != nil {
			return nil, err
		}
		physical[logical] = aws.ToString(shown.StackResourceDetail.PhysicalResourceId)
	}
	const policyName = "InvokeApiDestination"
	role, err := iam.NewFromConfig(s.AWS).GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: aws.String(physical["TargetRole"]), PolicyName: aws.String(policyName)})
	if err != nil {
		return nil, err
	}
	policy, err := url.QueryUnescape(aws.ToString(role.PolicyDocument))
	if err != nil {
		return nil, err
	}
	functions, keys, roles, pools := lambda.NewFromConfig(s.AWS), kms.NewFromConfig(s.AWS), iam.NewFromConfig(s.AWS), cognitoidentityprovider.NewFromConfig(s.AWS)
	key, pool := aws.String(s.Prerequisite["CMKKeyARN"]), aws.String(s.Prerequisite["UserPoolId"])
	domain := aws.String(strings.Split(strings.TrimPrefix(s.Prerequisite["AuthorizationEndpoint"], "https://"), ".")[0])
	return []fault{
		{"receiver down", func(ctx context.Context) error {
			_, err := functions.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: aws.String(physical["ReceiverFunction"]), ReservedConcurrentExecutions: aws.Int32(0)})
			return err
		}, func(ctx context.Context) error {
			_, err := functions.DeleteFunctionConcurrency(ctx, &lambda.DeleteFunctionConcurrencyInput{FunctionName: aws.String(physical["ReceiverFunction"])})
			return err
		}},
		{"receiver refuses", func(ctx context.Context) error { return s.aim(ctx, "nowhere") }, func(ctx context.Context) error { return s.aim(ctx, "") }},
		{"target's role without permission", func(ctx context.Context) error {
			_, err := roles.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: aws.String(physical["TargetRole"]), PolicyName: aws.String(policyName)})
			return err
		}, func(ctx context.Context) error {
			_, err := roles.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String(physical["TargetRole"]), PolicyName: aws.String(policyName), PolicyDocument: aws.String(policy)})
			return err
		}},
		{"key disabled", func(ctx context.Context) error {
			_, err := keys.DisableKey(ctx, &kms.DisableKeyInput{KeyId: key})
			return err
		}, func(ctx context.Context) error {
			_, err := keys.EnableKey(ctx, &kms.EnableKeyInput{KeyId: key})
			return err
		}},
		{"token endpoint down", func(ctx context.Context) error {
			_, err := pools.DeleteUserPoolDomain(ctx, &cognitoidentityprovider.DeleteUserPoolDomainInput{UserPoolId: pool, Domain: domain})
			return err
		}, func(ctx context.Context) error {
			_, err := pools.CreateUserPoolDomain(ctx, &cognitoidentityprovider.CreateUserPoolDomainInput{UserPoolId: pool, Domain: domain})
			return err
		}},
		{"connection deauthorized", func(ctx context.Context) error {
			_, err := eventbridge.NewFromConfig(s.AWS).DeauthorizeConnection(ctx, &eventbridge.DeauthorizeConnectionInput{Name: aws.String(s.Application["ConnectionName"])})
			return err
		}, func(context.Context) error { return nil }}, // the follower's work
		{"wrong secret by hand", func(ctx context.Context) error {
			return s.putSecret(ctx, `{"ClientID":"`+s.Prerequisite["ClientID"]+`","ClientSecret":"`+strings.Repeat("x", 40)+`"}`)
		}, s.putWorkingSecret},
	}, nil
}

func (s Soak) aim(ctx context.Context, path string) error {
	_, err := eventbridge.NewFromConfig(s.AWS).UpdateApiDestination(ctx, &eventbridge.UpdateApiDestinationInput{
		Name: aws.String(strings.Split(s.Application["ApiDestinationArn"], "/")[1]), InvocationEndpoint: aws.String(s.Application["ReceiverURL"] + path),
	})
	return err
}

func (s Soak) putSecret(ctx context.Context, value string) error {
	_, err := secretsmanager.NewFromConfig(s.AWS).PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: aws.String(s.Prerequisite["OAuthSecretArn"]), SecretString: aws.String(value),
	})
	return err
}

// putWorkingSecret puts what the connection holds once more.
func (s Soak) putWorkingSecret(ctx context.Context) error {
	held, err := secretsmanager.NewFromConfig(s.AWS).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
		SecretId: aws.String(s.Prerequisite["OAuthSecretArn"]), VersionStage: aws.String("eventbridge/" + s.Application["ConnectionName"]),
	})
	if err != nil {
		return err
	}
	return s.putSecret(ctx, aws.ToString(held.SecretString))
}

func labelled(labels []string, wanted ...string) bool {
	return !slices.ContainsFunc(wanted, func(label string) bool { return !slices.Contains(labels, label) })
}
