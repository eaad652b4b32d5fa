package resources_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"api-destination-credentials/local/resources"
)

func (f *functions) PutFunctionEventInvokeConfig(_ context.Context, in *lambda.PutFunctionEventInvokeConfigInput) (*lambda.PutFunctionEventInvokeConfigOutput, error) {
	f.note(in)
	if in.DestinationConfig != nil && in.DestinationConfig.OnFailure != nil {
		return nil, &types.InvalidParameterValueException{Message: aws.String("DestinationConfig is not supported")}
	}
	return nil, nil
}

func (f *functions) DeleteFunctionEventInvokeConfig(_ context.Context, in *lambda.DeleteFunctionEventInvokeConfigInput) (*lambda.DeleteFunctionEventInvokeConfigOutput, error) {
	f.note(in)
	return nil, &types.ResourceNotFoundException{}
}

func TestAsynchronousRetriesAreWrittenWholeAndTakenAway(t *testing.T) {
	fake := &functions{}
	p := provider(t, resources.Services{Functions: fake}, "AWS::Lambda::EventInvokeConfig")
	ctx := context.Background()

	// The SAM transform writes a DestinationConfig even where there is none.
	created, err := p.Create(ctx, request(t, `{"FunctionName": "f", "Qualifier": "$LATEST", "MaximumRetryAttempts": "1", "MaximumEventAgeInSeconds": 300, "DestinationConfig": {}}`))
	check(t, err)
	wantCalls(t, fake.take(), &lambda.PutFunctionEventInvokeConfigInput{
		FunctionName: aws.String("f"), Qualifier: aws.String("$LATEST"), MaximumRetryAttempts: aws.Int32(1), MaximumEventAgeInSeconds: aws.Int32(300),
		DestinationConfig: &types.DestinationConfig{},
	})
	if created.PhysicalID == "" {
		t.Error("the configuration has no physical id")
	}

	updated, err := p.Update(ctx, change(t, created.PhysicalID,
		`{"FunctionName": "f", "Qualifier": "$LATEST", "MaximumRetryAttempts": 1}`, `{"FunctionName": "f", "Qualifier": "$LATEST", "MaximumEventAgeInSeconds": 60}`))
	check(t, err)
	wantResult(t, updated, created)
	wantCalls(t, fake.take(), &lambda.PutFunctionEventInvokeConfigInput{
		FunctionName: aws.String("f"), Qualifier: aws.String("$LATEST"), MaximumEventAgeInSeconds: aws.Int32(60),
	})

	r := request(t, `{"FunctionName": "f", "Qualifier": "$LATEST", "MaximumRetryAttempts": 1}`)
	r.PhysicalID = created.PhysicalID
	check(t, p.Delete(ctx, r))
	wantCalls(t, fake.take(), &lambda.DeleteFunctionEventInvokeConfigInput{FunctionName: aws.String("f"), Qualifier: aws.String("$LATEST")})
}

func TestADestinationForFailuresReachesLambdaWhichRefusesIt(t *testing.T) {
	_, err := provider(t, resources.Services{Functions: &functions{}}, "AWS::Lambda::EventInvokeConfig").Create(context.Background(),
		request(t, `{"FunctionName": "f", "Qualifier": "$LATEST", "DestinationConfig": {"OnFailure": {"Destination": "arn:q"}}}`))
	wantError(t, err, "DestinationConfig")
}
