// Command receiver is the Lambda function behind the HTTP API.
package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"api-destination-credentials/internal/inbox"
	"api-destination-credentials/internal/receiver"
	"api-destination-credentials/internal/telemetry"
)

func main() {
	log := telemetry.Logger(os.Stdout)
	table, err := inbox.FromEnvironment()
	if err != nil {
		log.Error("receiver cannot start", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(httpadapter.NewV2(receiver.New(table, log)).ProxyWithContext)
}
