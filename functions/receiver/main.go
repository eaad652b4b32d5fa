// Command receiver is the Lambda function behind the HTTP API.
package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"api-destination-credentials/internal/receiver"
	"api-destination-credentials/internal/telemetry"
)

func main() {
	lambda.Start(httpadapter.NewV2(receiver.New(telemetry.Logger(os.Stdout))).ProxyWithContext)
}
