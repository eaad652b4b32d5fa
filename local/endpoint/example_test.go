package endpoint_test

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"api-destination-credentials/local/endpoint"
)

// A test of one's own starts an endpoint and gives its configuration to the SDK's
// clients; other programs get its URL in AWS_ENDPOINT_URL.
func ExampleStart() {
	local, err := endpoint.Start(endpoint.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer local.Close()
	ctx, secrets := context.Background(), secretsmanager.NewFromConfig(local.AWS())
	if _, err := secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String("greeting"), SecretString: aws.String("good morning")}); err != nil {
		fmt.Println(err)
	}
	read, err := secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String("greeting")})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(aws.ToString(read.SecretString), read.VersionStages)
	// Output: good morning [AWSCURRENT]
}
