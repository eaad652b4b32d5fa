// Command connection is the Lambda function behind the custom resource
// Custom::ConnectionCredentials of template.yaml.
package main

import (
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/internal/account"
	"api-destination-credentials/internal/credentials"
	"api-destination-credentials/internal/customresource"
	"api-destination-credentials/internal/oauth"
	"api-destination-credentials/internal/telemetry"
)

func main() {
	log := telemetry.Logger(os.Stdout)
	aws := account.Configuration()
	clock := clockwork.NewRealClock()
	resource := credentials.StackResource{
		Syncer: &credentials.Syncer{
			Events:  eventbridge.NewFromConfig(aws),
			Secrets: secretsmanager.NewFromConfig(aws),
			Keys:    kms.NewFromConfig(aws),
			Tokens:  oauth.Prover{HTTP: http.DefaultClient},
			Clock:   clock,
			Log:     log,
		},
		Stacks: customresource.Stacks{API: cloudformation.NewFromConfig(aws)},
	}
	responder := customresource.Responder{HTTP: http.DefaultClient, Clock: clock, Log: log}
	lambda.Start(responder.Respond(resource.Handle))
}
