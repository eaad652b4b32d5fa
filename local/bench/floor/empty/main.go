// Command empty is the least a Lambda function in Go can be.
package main

import "github.com/aws/aws-lambda-go/lambda"

func main() { lambda.Start(func() {}) }
