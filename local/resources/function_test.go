package resources_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"api-destination-credentials/local/cloudformation"
	"api-destination-credentials/local/resources"
)

// functions is Lambda with one function, f, and no permissions.
type functions struct {
	resources.Functions
	calls
}

func (f *functions) CreateFunction(_ context.Context, in *lambda.CreateFunctionInput) (*lambda.CreateFunctionOutput, error) {
	f.note(in)
	return &lambda.CreateFunctionOutput{FunctionName: in.FunctionName, FunctionArn: aws.String("arn:f")}, nil
}

func (f *functions) GetFunctionConfiguration(context.Context, *lambda.GetFunctionConfigurationInput) (*lambda.GetFunctionConfigurationOutput, error) {
	return &lambda.GetFunctionConfigurationOutput{FunctionName: aws.String("f"), FunctionArn: aws.String("arn:f")}, nil
}

func (f *functions) UpdateFunctionCode(_ context.Context, in *lambda.UpdateFunctionCodeInput) (*lambda.UpdateFunctionCodeOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *functions) UpdateFunctionConfiguration(_ context.Context, in *lambda.UpdateFunctionConfigurationInput) (*lambda.UpdateFunctionConfigurationOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *functions) PutFunctionConcurrency(_ context.Context, in *lambda.PutFunctionConcurrencyInput) (*lambda.PutFunctionConcurrencyOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *functions) UntagResource(_ context.Context, in *lambda.UntagResourceInput) (*lambda.UntagResourceOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *functions) AddPermission(_ context.Context, in *lambda.AddPermissionInput) (*lambda.AddPermissionOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *functions) RemovePermission(_ context.Context, in *lambda.RemovePermissionInput) (*lambda.RemovePermissionOutput, error) {
	f.note(in)
	return nil, &types.ResourceNotFoundException{}
}

const functionProperties = `{"FunctionName": "f", "Role": "arn:r", "Runtime": "provided.al2023", "Handler": "bootstrap", "MemorySize": "128", "Timeout": 5,
	"Architectures": ["arm64"], "Description": "d", "KmsKeyArn": "arn:k", "Environment": {"Variables": {"A": 1}},
	"LoggingConfig": {"LogFormat": "JSON", "LogGroup": "g"}, "Code": {"S3Bucket": "b", "S3Key": "one"},
	"Tags": [{"Key": "lambda:createdBy", "Value": "SAM"}]}`

func TestAFunctionIsMadeFromItsArchive(t *testing.T) {
	fake := &functions{}
	result, err := provider(t, resources.Services{Functions: fake}, "AWS::Lambda::Function").
		Create(context.Background(), request(t, strings.Replace(functionProperties, "{", `{"ReservedConcurrentExecutions": 2, `, 1)))
	check(t, err)
	wantResult(t, result, cloudformation.Result{PhysicalID: "f", Attributes: map[string]any{"Arn": "arn:f"}})
	wantCalls(t, fake.take(),
		&lambda.CreateFunctionInput{
			FunctionName: aws.String("f"), Role: aws.String("arn:r"), Runtime: "provided.al2023", Handler: aws.String("bootstrap"),
			MemorySize: aws.Int32(128), Timeout: aws.Int32(5), Architectures: []types.Architecture{"arm64"}, Description: aws.String("d"),
			KMSKeyArn: aws.String("arn:k"), Environment: &types.Environment{Variables: map[string]string{"A": "1"}},
			LoggingConfig: &types.LoggingConfig{LogFormat: "JSON", LogGroup: aws.String("g")},
			Code:          &types.FunctionCode{S3Bucket: aws.String("b"), S3Key: aws.String("one")},
			Tags:          map[string]string{"lambda:createdBy": "SAM"},
		},
		&lambda.PutFunctionConcurrencyInput{FunctionName: aws.String("f"), ReservedConcurrentExecutions: aws.Int32(2)})
}

func TestNewCodeLeavesTheConfigurationAlone(t *testing.T) {
	fake := &functions{}
	_, err := provider(t, resources.Services{Functions: fake}, "AWS::Lambda::Function").Update(context.Background(),
		change(t, "f", functionProperties, strings.Replace(functionProperties, `"one"`, `"two"`, 1)))
	check(t, err)
	wantCalls(t, fake.take(), &lambda.UpdateFunctionCodeInput{
		FunctionName: aws.String("f"), S3Bucket: aws.String("b"), S3Key: aws.String("two"), Architectures: []types.Architecture{"arm64"},
	})
}

func TestAPropertyThatLeavesTheTemplateGoesBackToItsDefault(t *testing.T) {
	fake := &functions{}
	_, err := provider(t, resources.Services{Functions: fake}, "AWS::Lambda::Function").Update(context.Background(), change(t, "f", functionProperties,
		`{"FunctionName": "f", "Role": "arn:r", "Runtime": "provided.al2023", "Handler": "bootstrap", "Architectures": ["arm64"], "Code": {"S3Bucket": "b", "S3Key": "one"}}`))
	check(t, err)
	wantCalls(t, fake.take(),
		&lambda.UpdateFunctionConfigurationInput{
			FunctionName: aws.String("f"), Role: aws.String("arn:r"), Runtime: "provided.al2023", Handler: aws.String("bootstrap"),
			MemorySize: aws.Int32(128), Timeout: aws.Int32(3), Description: aws.String(""), KMSKeyArn: aws.String(""),
			Environment:   &types.Environment{Variables: map[string]string{}},
			LoggingConfig: &types.LoggingConfig{LogFormat: "Text", LogGroup: aws.String("/aws/lambda/f")},
		},
		&lambda.UntagResourceInput{Resource: aws.String("arn:f"), TagKeys: []string{"lambda:createdBy"}})
}

func TestInlineSourceIsRefused(t *testing.T) {
	_, err := provider(t, resources.Services{Functions: &functions{}}, "AWS::Lambda::Function").Create(context.Background(),
		request(t, `{"Role": "arn:r", "Code": {"ZipFile": "print()"}}`))
	wantError(t, err, "give S3Bucket and S3Key")
}

func TestAPermissionIsReplacedRatherThanChanged(t *testing.T) {
	fake := &functions{}
	p := provider(t, resources.Services{Functions: fake}, "AWS::Lambda::Permission")
	if p.Update != nil {
		t.Error("a permission has no update in place")
	}
	r := request(t, `{"FunctionName": "f", "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com", "SourceArn": "arn:a"}`)
	result, err := p.Create(context.Background(), r)
	check(t, err)
	wantCalls(t, fake.take(), &lambda.AddPermissionInput{
		FunctionName: aws.String("f"), StatementId: aws.String(result.PhysicalID), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("apigateway.amazonaws.com"), SourceArn: aws.String("arn:a"),
	})
	r.PhysicalID = result.PhysicalID
	check(t, p.Delete(context.Background(), r))
	wantCalls(t, fake.take(), &lambda.RemovePermissionInput{FunctionName: aws.String("f"), StatementId: aws.String(result.PhysicalID)})
}
