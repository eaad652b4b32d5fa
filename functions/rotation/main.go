// Command rotation is the Lambda function that Secrets Manager calls to rotate
// the source secret of a Cognito app client.
package main

import (
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/internal/account"
	"api-destination-credentials/internal/credentials"
	"api-destination-credentials/internal/oauth"
	"api-destination-credentials/internal/telemetry"
	"api-destination-credentials/internal/userpool"
)

func main() {
	log := telemetry.Logger(os.Stdout)
	connection, err := credentials.FromEnvironment()
	if err != nil {
		log.Error("rotation cannot start", "error", err.Error())
		os.Exit(1)
	}
	aws := account.Configuration()
	secrets := secretsmanager.NewFromConfig(aws)
	rotation := credentials.Rotation{
		Syncer: &credentials.Syncer{
			Events:  eventbridge.NewFromConfig(aws),
			Secrets: secrets,
			Keys:    kms.NewFromConfig(aws),
			Tokens:  oauth.Prover{HTTP: http.DefaultClient},
			Clock:   clockwork.NewRealClock(),
			Log:     log,
		},
		Versions:   secrets,
		Provider:   userpool.UserPool{API: cognitoidentityprovider.NewFromConfig(aws), ID: os.Getenv("USER_POOL_ID")},
		Connection: connection,
	}
	if url := os.Getenv("PROBE_URL"); url != "" {
		rotation.Destination = oauth.Prover{HTTP: http.DefaultClient, Destination: url}
	}
	lambda.Start(rotation.Handle)
}
