// Package account is the AWS configuration of a Lambda function, which gets all
// of it in its environment. The SDK's own loader links four more services for
// files, single sign-on and instance metadata, none of which Lambda has; that is
// about a fifth of a function's start.
package account

import (
	"context"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Configuration reads the variables that Lambda sets, and AWS_ENDPOINT_URL for
// another endpoint than AWS's. The SDK's other variables have no effect.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func Configuration() aws.Config {
	configuration := aws.Config{
		Region: os.Getenv("AWS_REGION"),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: os.Getenv("AWS_SESSION_TOKEN"),
				Source: "environment",
			}, nil
		}),
	}
	if endpoint := os.Getenv("AWS_ENDPOINT_URL"); endpoint != "" {
		configuration.BaseEndpoint = aws.String(endpoint)
	}
	return configuration
}
