// Command follower is the Lambda function that keeps the connection in step
// with AWSCURRENT, whoever moved it. Which event called it does not matter: it
// looks at what is there.
package main

import (
	"context"
	"errors"
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/internal/account"
	"api-destination-credentials/internal/credentials"
	"api-destination-credentials/internal/metrics"
	"api-destination-credentials/internal/oauth"
	"api-destination-credentials/internal/telemetry"
	"api-destination-credentials/internal/userpool"
)

func main() {
	log := telemetry.Logger(os.Stdout)
	connection, badConnection := credentials.FromEnvironment()
	grace, badGrace := credentials.GraceFromEnvironment()
	if err := errors.Join(badConnection, badGrace); err != nil {
		log.Error("follower cannot start", "error", err.Error())
		os.Exit(1)
	}
	aws := account.Configuration()
	follower := credentials.Follower{
		Syncer: &credentials.Syncer{
			Events:  eventbridge.NewFromConfig(aws),
			Secrets: secretsmanager.NewFromConfig(aws),
			Keys:    kms.NewFromConfig(aws),
			Tokens:  oauth.Prover{HTTP: http.DefaultClient},
			Clock:   clockwork.NewRealClock(),
			Log:     log,
		},
		Connection: connection,
		Grace:      grace,
	}
	if pool := os.Getenv("USER_POOL_ID"); pool != "" {
		follower.Provider = userpool.UserPool{API: cognitoidentityprovider.NewFromConfig(aws), ID: pool}
	}
	health := cloudwatch.NewFromConfig(aws)
	lambda.Start(func(ctx context.Context) error {
		seen, err := follower.Follow(ctx)
		return errors.Join(err, metrics.Publish(ctx, health, "ApiDestinationCredentials", "ConnectionName", connection.Name, seen))
	})
}
