package lambda_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

func TestWhatCannotRunIsRefusedAtCreation(t *testing.T) {
	here, foreign := host()
	for name, test := range map[string]struct {
		change     func(*sdk.CreateFunctionInput)
		code, says string
	}{
		"runtime": {func(in *sdk.CreateFunctionInput) { in.Runtime = types.RuntimePython313 }, "ValidationException", "Runtime python3.13 is not supported by the local endpoint"},
		"image":   {func(in *sdk.CreateFunctionInput) { in.Code = &types.FunctionCode{ImageUri: aws.String("image")} }, "ValidationException", "Code.ImageUri"},
		"layers":  {func(in *sdk.CreateFunctionInput) { in.Layers = []string{"layer"} }, "ValidationException", "Layers is not supported"},
		"vpc":     {func(in *sdk.CreateFunctionInput) { in.VpcConfig = &types.VpcConfig{SubnetIds: []string{"subnet"}} }, "ValidationException", "VpcConfig is not supported"},
		"memory":  {func(in *sdk.CreateFunctionInput) { in.MemorySize = aws.Int32(64) }, "ValidationException", "Value '64' at 'memorySize'"},
		"timeout": {func(in *sdk.CreateFunctionInput) { in.Timeout = aws.Int32(901) }, "ValidationException", "less than or equal to 900"},
		"name":    {func(in *sdk.CreateFunctionInput) { in.FunctionName = nil }, "ValidationException", "'functionName'"},
		"no code": {func(in *sdk.CreateFunctionInput) { in.Code = &types.FunctionCode{} }, "InvalidParameterValueException", "Please provide a source for function code."},
		"no object": {func(in *sdk.CreateFunctionInput) {
			in.Code = &types.FunctionCode{S3Bucket: aws.String("artifacts"), S3Key: aws.String("lost")}
		}, "InvalidParameterValueException", "S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist."},
		"no zip":       {func(in *sdk.CreateFunctionInput) { in.Code.ZipFile = []byte("text") }, "InvalidZipFileException", "Could not unzip uploaded file"},
		"no bootstrap": {func(in *sdk.CreateFunctionInput) { in.Code.ZipFile = archiveOf("main", bootstrap, 0o755) }, "InvalidParameterValueException", "no file named bootstrap"},
		"not a program": {func(in *sdk.CreateFunctionInput) {
			in.Code.ZipFile = archiveOf("bootstrap", []byte("#!/bin/sh\n"), 0o755)
		}, "InvalidParameterValueException", "not a compiled program"},
		"mode":         {func(in *sdk.CreateFunctionInput) { in.Code.ZipFile = archiveOf("bootstrap", bootstrap, 0o644) }, "InvalidParameterValueException", "not executable"},
		"zip slip":     {func(in *sdk.CreateFunctionInput) { in.Code.ZipFile = archiveOf("../bootstrap", bootstrap, 0o755) }, "InvalidParameterValueException", `"../bootstrap"`},
		"architecture": {func(in *sdk.CreateFunctionInput) { in.Architectures = []types.Architecture{foreign} }, "InvalidParameterValueException", "Deploy with Architecture=" + string(here)},
		"machine":      {func(in *sdk.CreateFunctionInput) { in.Code.ZipFile = archiveOf("bootstrap", translated(here), 0o755) }, "InvalidParameterValueException", "deploy with Architecture=" + string(here)},
		"role":         {func(in *sdk.CreateFunctionInput) { in.Role = aws.String(otherRole) }, "InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda."},
		"reserved": {func(in *sdk.CreateFunctionInput) {
			in.Environment = &types.Environment{Variables: map[string]string{"AWS_REGION": "x", "LAMBDA_TASK_ROOT": "y"}}
		}, "InvalidParameterValueException", "Reserved keys used in this request: AWS_REGION, LAMBDA_TASK_ROOT"},
		"large environment": {func(in *sdk.CreateFunctionInput) {
			in.Environment = &types.Environment{Variables: map[string]string{"LONG": strings.Repeat("x", 4096)}}
		}, "InvalidParameterValueException", "exceeded the 4KB limit"},
		"text with level": {func(in *sdk.CreateFunctionInput) {
			in.LoggingConfig = &types.LoggingConfig{SystemLogLevel: types.SystemLogLevelWarn}
		}, "InvalidParameterValueException", "change the LogFormat to \"JSON\""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			_, err := w.CreateFunction(w.ctx, function(test.change))
			if err == nil || code(err) != test.code || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// translated is the bootstrap with another machine in its ELF header.
func translated(here types.Architecture) []byte {
	machine := []byte{183, 0} // EM_AARCH64
	if here == types.ArchitectureArm64 {
		machine = []byte{62, 0} // EM_X86_64
	}
	foreign := bytes.Clone(bootstrap)
	copy(foreign[18:], machine)
	return foreign
}

func TestTheCallerMustBeAllowedToPassTheRole(t *testing.T) {
	w := newWorld(t)
	w.auth.denied = "iam:PassRole"
	_, err := w.CreateFunction(w.ctx, function())
	if code(err) != "AccessDeniedException" {
		t.Errorf("got %v", err)
	}
	asked := w.auth.last("iam:PassRole")
	if asked.Resource != role || asked.Conditions["iam:PassedToService"] != "lambda.amazonaws.com" {
		t.Errorf("asked for %+v", asked)
	}
}

func TestAFunctionIsFoundByNameAndARN(t *testing.T) {
	w := newWorld(t)
	w.create(func(in *sdk.CreateFunctionInput) { in.Tags = map[string]string{"team": "blue"} })
	for _, name := range []string{"greeter", greeterARN, "123456789012:function:greeter", "function:greeter", greeterARN + ":$LATEST"} {
		out, err := w.GetFunction(w.ctx, &sdk.GetFunctionInput{FunctionName: aws.String(name)})
		if err != nil || *out.Configuration.FunctionArn != greeterARN || out.Tags["team"] != "blue" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"stranger", greeterARN + ":7", strings.Replace(greeterARN, "us-east-1", "eu-west-1", 1)} {
		if _, err := w.GetFunction(w.ctx, &sdk.GetFunctionInput{FunctionName: aws.String(name)}); code(err) != "ResourceNotFoundException" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAConfigurationIsReadAndChanged(t *testing.T) {
	w := newWorld(t)
	w.create()
	_, err := w.CreateFunction(w.ctx, function())
	if code(err) != "ResourceConflictException" || !strings.Contains(err.Error(), "Function already exist: greeter") {
		t.Errorf("got %v", err)
	}
	if _, err := w.UpdateFunctionConfiguration(w.ctx, &sdk.UpdateFunctionConfigurationInput{
		FunctionName: aws.String("greeter"), Timeout: aws.Int32(30), LoggingConfig: &types.LoggingConfig{LogFormat: types.LogFormatJson},
	}); err != nil {
		t.Fatal(err)
	}
	got, err := w.GetFunctionConfiguration(w.ctx, &sdk.GetFunctionConfigurationInput{FunctionName: aws.String("greeter")})
	if err != nil {
		t.Fatal(err)
	}
	if got.State != types.StateActive || got.LastUpdateStatus != types.LastUpdateStatusSuccessful || *got.Timeout != 30 || *got.MemorySize != 128 || *got.Handler != "bootstrap" {
		t.Errorf("got %+v", got)
	}
	want := &types.LoggingConfig{
		LogFormat: types.LogFormatJson, LogGroup: aws.String("/aws/lambda/greeter"),
		ApplicationLogLevel: types.ApplicationLogLevelInfo, SystemLogLevel: types.SystemLogLevelInfo,
	}
	if *got.LoggingConfig.LogGroup != *want.LogGroup || got.LoggingConfig.LogFormat != want.LogFormat || got.LoggingConfig.ApplicationLogLevel != want.ApplicationLogLevel || got.LoggingConfig.SystemLogLevel != want.SystemLogLevel {
		t.Errorf("got %+v", got.LoggingConfig)
	}
	_, err = w.UpdateFunctionConfiguration(w.ctx, &sdk.UpdateFunctionConfigurationInput{FunctionName: aws.String("greeter"), RevisionId: aws.String("old")})
	if code(err) != "PreconditionFailedException" {
		t.Errorf("got %v", err)
	}
	list, err := w.ListFunctions(w.ctx, &sdk.ListFunctionsInput{})
	if err != nil || len(list.Functions) != 1 || *list.Functions[0].Timeout != 30 {
		t.Errorf("got %+v %v", list, err)
	}
}

func TestAPermissionBecomesTheResourcePolicy(t *testing.T) {
	w := newWorld(t)
	w.create()
	in := &sdk.AddPermissionInput{
		FunctionName: aws.String("greeter"), StatementId: aws.String("api"), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("apigateway.amazonaws.com"), SourceArn: aws.String("arn:aws:execute-api:us-east-1:123456789012:api/*"),
		SourceAccount: aws.String("123456789012"),
	}
	if _, err := w.AddPermission(w.ctx, in); err != nil {
		t.Fatal(err)
	}
	if _, err := w.AddPermission(w.ctx, in); code(err) != "ResourceConflictException" {
		t.Errorf("got %v", err)
	}
	want := `{"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"api","Effect":"Allow","Principal":{"Service":"apigateway.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + greeterARN + `","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:execute-api:us-east-1:123456789012:api/*"},"StringEquals":{"AWS:SourceAccount":"123456789012"}}}]}`
	got, err := w.GetPolicy(w.ctx, &sdk.GetPolicyInput{FunctionName: aws.String("greeter")})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, *got.Policy); diff != "" {
		t.Error(diff)
	}
	w.invoke(nil)
	asked := w.auth.last("lambda:InvokeFunction")
	if asked.Policy != want || asked.Resource != greeterARN {
		t.Errorf("asked for %+v", asked)
	}
	remove := &sdk.RemovePermissionInput{FunctionName: aws.String("greeter"), StatementId: aws.String("api")}
	if _, err := w.RemovePermission(w.ctx, remove); err != nil {
		t.Fatal(err)
	}
	if _, err := w.RemovePermission(w.ctx, remove); code(err) != "ResourceNotFoundException" {
		t.Errorf("got %v", err)
	}
	if _, err := w.GetPolicy(w.ctx, &sdk.GetPolicyInput{FunctionName: aws.String("greeter")}); code(err) != "ResourceNotFoundException" {
		t.Errorf("got %v", err)
	}
}

func TestAnInvocationIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		in   sdk.InvokeInput
		code string
	}{
		"not JSON":       {sdk.InvokeInput{FunctionName: aws.String("greeter"), Payload: []byte("{")}, "InvalidRequestContentException"},
		"too large":      {sdk.InvokeInput{FunctionName: aws.String("greeter"), Payload: bytes.Repeat([]byte("1"), 6<<20+1)}, "RequestTooLargeException"},
		"large event":    {sdk.InvokeInput{FunctionName: aws.String("greeter"), Payload: bytes.Repeat([]byte("1"), 1<<20+1), InvocationType: types.InvocationTypeEvent}, "RequestTooLargeException"},
		"no function":    {sdk.InvokeInput{FunctionName: aws.String("stranger")}, "ResourceNotFoundException"},
		"no version":     {sdk.InvokeInput{FunctionName: aws.String("greeter"), Qualifier: aws.String("7")}, "ResourceNotFoundException"},
		"type":           {sdk.InvokeInput{FunctionName: aws.String("greeter"), InvocationType: "Later"}, "ValidationException"},
		"not permitted":  {sdk.InvokeInput{FunctionName: aws.String("greeter"), InvocationType: types.InvocationTypeDryRun}, "AccessDeniedException"},
		"no name at all": {sdk.InvokeInput{}, "ValidationException"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.create()
			if test.code == "AccessDeniedException" {
				w.auth.denied = "lambda:InvokeFunction"
			}
			if _, err := w.Invoke(w.ctx, &test.in); code(err) != test.code {
				t.Errorf("got %v", err)
			}
			if starts := w.logs.lines("/aws/lambda/greeter"); starts != nil {
				t.Errorf("the function ran: %q", starts)
			}
		})
	}
}

func TestTagsChange(t *testing.T) {
	w := newWorld(t)
	w.create()
	if _, err := w.TagResource(w.ctx, &sdk.TagResourceInput{Resource: aws.String(greeterARN), Tags: map[string]string{"a": "1", "b": "2"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.UntagResource(w.ctx, &sdk.UntagResourceInput{Resource: aws.String(greeterARN), TagKeys: []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	got, err := w.ListTags(w.ctx, &sdk.ListTagsInput{Resource: aws.String(greeterARN)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"b": "2"}, got.Tags); diff != "" {
		t.Error(diff)
	}
}
