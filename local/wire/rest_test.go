package wire_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"api-destination-credentials/local/wire"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	api "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	function "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

type functions struct{ untagged []string }

func (f *functions) Invoke(_ context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	if in.InvocationType == function.InvocationTypeEvent {
		return &lambda.InvokeOutput{StatusCode: 202}, nil
	}
	return &lambda.InvokeOutput{
		StatusCode: 200, Payload: append([]byte(*in.FunctionName+" "+*in.Qualifier+" "), in.Payload...),
		FunctionError: aws.String("Unhandled"), LogResult: aws.String("bG9n"), ExecutedVersion: aws.String("$LATEST"),
	}, nil
}

func (f *functions) GetFunction(_ context.Context, in *lambda.GetFunctionInput) (*lambda.GetFunctionOutput, error) {
	if *in.FunctionName == "missing" {
		return nil, &function.ResourceNotFoundException{Message: aws.String("Function not found: missing"), Type: aws.String("User")}
	}
	return &lambda.GetFunctionOutput{Configuration: &function.FunctionConfiguration{
		FunctionArn: in.FunctionName, MemorySize: aws.Int32(128), Environment: &function.EnvironmentResponse{Variables: map[string]string{"A": "b"}},
	}}, nil
}

func (f *functions) ListFunctions(_ context.Context, in *lambda.ListFunctionsInput) (*lambda.ListFunctionsOutput, error) {
	return &lambda.ListFunctionsOutput{Functions: make([]function.FunctionConfiguration, *in.MaxItems)}, nil
}

func (f *functions) UntagResource(_ context.Context, in *lambda.UntagResourceInput) (*lambda.UntagResourceOutput, error) {
	f.untagged = in.TagKeys
	return nil, nil
}

func (f *functions) CreateFunction(_ context.Context, in *lambda.CreateFunctionInput) (*lambda.CreateFunctionOutput, error) {
	return &lambda.CreateFunctionOutput{CodeSize: int64(len(in.Code.ZipFile)), Timeout: in.Timeout, Architectures: in.Architectures}, nil
}

func TestLambdaIsInvokedWithItsPayload(t *testing.T) {
	client := lambda.NewFromConfig(serve(t, wire.Config{Services: []wire.Service{{Name: "lambda", Impl: &functions{}}}}))
	got, err := client.Invoke(t.Context(), &lambda.InvokeInput{
		FunctionName: aws.String("follower"), Qualifier: aws.String("live"), Payload: []byte(`{"a":1}`), LogType: function.LogTypeTail,
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, &lambda.InvokeOutput{
		StatusCode: 200, Payload: []byte(`follower live {"a":1}`),
		FunctionError: aws.String("Unhandled"), LogResult: aws.String("bG9n"), ExecutedVersion: aws.String("$LATEST"),
	}, got)

	queued, err := client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("follower"), InvocationType: function.InvocationTypeEvent})
	if err != nil {
		t.Fatal(err)
	}
	same(t, int32(202), queued.StatusCode)
}

func TestLambdaTakesMembersFromPathQueryAndBody(t *testing.T) {
	service := &functions{}
	client := lambda.NewFromConfig(serve(t, wire.Config{Services: []wire.Service{{Name: "lambda", Impl: service}}}))
	arn := "arn:aws:lambda:us-east-1:111122223333:function:follower"
	got, err := client.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String(arn)})
	if err != nil {
		t.Fatal(err)
	}
	same(t, &function.FunctionConfiguration{
		FunctionArn: aws.String(arn), MemorySize: aws.Int32(128), Environment: &function.EnvironmentResponse{Variables: map[string]string{"A": "b"}},
	}, got.Configuration)

	listed, err := client.ListFunctions(t.Context(), &lambda.ListFunctionsInput{MaxItems: aws.Int32(2)})
	if err != nil {
		t.Fatal(err)
	}
	same(t, 2, len(listed.Functions))

	if _, err := client.UntagResource(t.Context(), &lambda.UntagResourceInput{Resource: aws.String(arn), TagKeys: []string{"a", "b"}}); err != nil {
		t.Fatal(err)
	}
	same(t, []string{"a", "b"}, service.untagged)

	created, err := client.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: aws.String("f"), Role: aws.String("r"), Timeout: aws.Int32(3),
		Code: &function.FunctionCode{ZipFile: []byte("zip")}, Architectures: []function.Architecture{"arm64"},
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, &lambda.CreateFunctionOutput{CodeSize: 3, Timeout: aws.Int32(3), Architectures: []function.Architecture{"arm64"}}, created)
}

func TestLambdaAnswersWithItsOwnErrors(t *testing.T) {
	client := lambda.NewFromConfig(serve(t, wire.Config{Services: []wire.Service{{Name: "lambda", Impl: &functions{}}}}))
	_, err := client.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("missing")})
	var missing *function.ResourceNotFoundException
	if !errors.As(err, &missing) || missing.ErrorMessage() != "Function not found: missing" || !strings.Contains(err.Error(), "StatusCode: 404") {
		t.Errorf("the error is %v; want Lambda's ResourceNotFoundException with 404", err)
	}
	_, err = client.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: aws.String("f")})
	if code(err) != "UnknownOperationException" || !strings.Contains(err.Error(), "lambda:PublishVersion") {
		t.Errorf("the error is %v; want UnknownOperationException naming lambda:PublishVersion", err)
	}
	_, err = client.ListLayers(t.Context(), nil)
	if code(err) != "UnknownOperationException" || !strings.Contains(err.Error(), "GET /2018-10-31/layers") {
		t.Errorf("the error is %v; want UnknownOperationException naming the path", err)
	}
}

type apis struct{}

func (apis) GetApis(_ context.Context, in *apigatewayv2.GetApisInput) (*apigatewayv2.GetApisOutput, error) {
	return &apigatewayv2.GetApisOutput{NextToken: in.MaxResults, Items: []api.Api{{
		ApiId: in.NextToken, ProtocolType: api.ProtocolTypeHttp, CreatedDate: aws.Time(moment), Tags: map[string]string{"Team": "Events"},
		Name: aws.String("n"), RouteSelectionExpression: aws.String("e"),
	}}}, nil
}

func (apis) GetApi(_ context.Context, in *apigatewayv2.GetApiInput) (*apigatewayv2.GetApiOutput, error) {
	return nil, &api.NotFoundException{Message: aws.String("Invalid API identifier specified " + *in.ApiId)}
}

func TestAPIGatewayHasSmallMemberNamesAndTextTimes(t *testing.T) {
	client := apigatewayv2.NewFromConfig(serve(t, wire.Config{Services: []wire.Service{{Name: "apigateway", Impl: apis{}}}}))
	got, err := client.GetApis(t.Context(), &apigatewayv2.GetApisInput{MaxResults: aws.String("5"), NextToken: aws.String("n1")})
	if err != nil {
		t.Fatal(err)
	}
	same(t, &apigatewayv2.GetApisOutput{NextToken: aws.String("5"), Items: []api.Api{{
		ApiId: aws.String("n1"), ProtocolType: api.ProtocolTypeHttp, CreatedDate: aws.Time(moment), Tags: map[string]string{"Team": "Events"},
		Name: aws.String("n"), RouteSelectionExpression: aws.String("e"),
	}}}, got)

	_, err = client.GetApi(t.Context(), &apigatewayv2.GetApiInput{ApiId: aws.String("gone")})
	var missing *api.NotFoundException
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "StatusCode: 404") {
		t.Errorf("the error is %v; want API Gateway's NotFoundException with 404", err)
	}
}
