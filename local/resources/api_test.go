package resources_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"

	"api-destination-credentials/local/cloudformation"
	"api-destination-credentials/local/resources"
)

type gateway struct {
	resources.Gateway
	calls
}

func (f *gateway) ImportApi(_ context.Context, in *apigatewayv2.ImportApiInput) (*apigatewayv2.ImportApiOutput, error) {
	f.note(in)
	return &apigatewayv2.ImportApiOutput{ApiId: aws.String("a"), ApiEndpoint: aws.String("https://a")}, nil
}

func (f *gateway) ReimportApi(_ context.Context, in *apigatewayv2.ReimportApiInput) (*apigatewayv2.ReimportApiOutput, error) {
	f.note(in)
	return &apigatewayv2.ReimportApiOutput{ApiId: in.ApiId, ApiEndpoint: aws.String("https://a")}, nil
}

func (f *gateway) UpdateApi(_ context.Context, in *apigatewayv2.UpdateApiInput) (*apigatewayv2.UpdateApiOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *gateway) CreateStage(_ context.Context, in *apigatewayv2.CreateStageInput) (*apigatewayv2.CreateStageOutput, error) {
	f.note(in)
	return nil, nil
}

func TestAnAPIIsImportedFromItsDefinition(t *testing.T) {
	fake := &gateway{}
	p := provider(t, resources.Services{Gateway: fake}, "AWS::ApiGatewayV2::Api")
	want := cloudformation.Result{PhysicalID: "a", Attributes: map[string]any{"ApiId": "a", "ApiEndpoint": "https://a"}}

	result, err := p.Create(context.Background(), request(t, `{"Body": {"openapi": "3.0.1", "paths": {}}, "FailOnWarnings": true, "Description": "d"}`))
	check(t, err)
	wantResult(t, result, want)
	wantCalls(t, fake.take(),
		&apigatewayv2.ImportApiInput{Body: aws.String(`{"openapi":"3.0.1","paths":{}}`), FailOnWarnings: aws.Bool(true)},
		&apigatewayv2.UpdateApiInput{ApiId: aws.String("a"), Description: aws.String("d")})

	result, err = p.Update(context.Background(), change(t, "a", `{"Body": {}}`, `{"Body": {"openapi": "3.0.1"}}`))
	check(t, err)
	wantResult(t, result, want)
	wantCalls(t, fake.take(), &apigatewayv2.ReimportApiInput{ApiId: aws.String("a"), Body: aws.String(`{"openapi":"3.0.1"}`)})
}

func TestAStageIsKnownByItsName(t *testing.T) {
	fake := &gateway{}
	result, err := provider(t, resources.Services{Gateway: fake}, "AWS::ApiGatewayV2::Stage").Create(context.Background(),
		request(t, `{"ApiId": "a", "StageName": "$default", "AutoDeploy": true, "Tags": {"httpapi:createdBy": "SAM"}}`))
	check(t, err)
	wantResult(t, result, cloudformation.Result{PhysicalID: "$default"})
	wantCalls(t, fake.take(), &apigatewayv2.CreateStageInput{
		ApiId: aws.String("a"), StageName: aws.String("$default"), AutoDeploy: aws.Bool(true), Tags: map[string]string{"httpapi:createdBy": "SAM"},
	})
}
