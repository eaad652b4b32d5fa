package resources

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"api-destination-credentials/local/cloudformation"
)

// Functions is AWS Lambda.
type Functions interface {
	CreateFunction(context.Context, *lambda.CreateFunctionInput) (*lambda.CreateFunctionOutput, error)
	UpdateFunctionCode(context.Context, *lambda.UpdateFunctionCodeInput) (*lambda.UpdateFunctionCodeOutput, error)
	UpdateFunctionConfiguration(context.Context, *lambda.UpdateFunctionConfigurationInput) (*lambda.UpdateFunctionConfigurationOutput, error)
	GetFunctionConfiguration(context.Context, *lambda.GetFunctionConfigurationInput) (*lambda.GetFunctionConfigurationOutput, error)
	DeleteFunction(context.Context, *lambda.DeleteFunctionInput) (*lambda.DeleteFunctionOutput, error)
	PutFunctionConcurrency(context.Context, *lambda.PutFunctionConcurrencyInput) (*lambda.PutFunctionConcurrencyOutput, error)
	DeleteFunctionConcurrency(context.Context, *lambda.DeleteFunctionConcurrencyInput) (*lambda.DeleteFunctionConcurrencyOutput, error)
	PutFunctionEventInvokeConfig(context.Context, *lambda.PutFunctionEventInvokeConfigInput) (*lambda.PutFunctionEventInvokeConfigOutput, error)
	DeleteFunctionEventInvokeConfig(context.Context, *lambda.DeleteFunctionEventInvokeConfigInput) (*lambda.DeleteFunctionEventInvokeConfigOutput, error)
	TagResource(context.Context, *lambda.TagResourceInput) (*lambda.TagResourceOutput, error)
	UntagResource(context.Context, *lambda.UntagResourceInput) (*lambda.UntagResourceOutput, error)
	AddPermission(context.Context, *lambda.AddPermissionInput) (*lambda.AddPermissionOutput, error)
	RemovePermission(context.Context, *lambda.RemovePermissionInput) (*lambda.RemovePermissionOutput, error)
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html
type function struct{ functions Functions }

// configurable are the properties that go to the function's configuration, and
// those whose absence means a default, with the default.
var (
	configurable = []string{"DeadLetterConfig", "Description", "Environment", "EphemeralStorage", "Handler", "KmsKeyArn",
		"LoggingConfig", "MemorySize", "Role", "Runtime", "Timeout", "TracingConfig"}
	functionDefaults = object{
		"DeadLetterConfig": object{"TargetArn": ""},
		"Description":      "",
		"Environment":      object{"Variables": object{}},
		"EphemeralStorage": object{"Size": 512},
		"KmsKeyArn":        "",
		"MemorySize":       128,
		"Timeout":          3,
		"TracingConfig":    object{"Mode": "PassThrough"},
	}
)

func (f function) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known([]string{"Code", "Role"}, "Architectures", "DeadLetterConfig", "Description", "Environment", "EphemeralStorage",
			"FunctionName", "Handler", "KmsKeyArn", "LoggingConfig", "MemorySize", "PackageType", "ReservedConcurrentExecutions",
			"Runtime", "Tags", "Timeout", "TracingConfig"),
		Replace: []string{"FunctionName", "PackageType"},
		Create:  f.create,
		Update:  f.update,
		Delete: func(ctx context.Context, r cloudformation.Request) error {
			return unlessGone(do(ctx, f.functions.DeleteFunction, object{"FunctionName": r.PhysicalID}))
		},
	}
}

func (f function) create(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	name, err := given(r, "FunctionName", stackName(r, 64))
	if err != nil {
		return cloudformation.Result{}, err
	}
	code, err := archive(r.Properties)
	if err != nil {
		return cloudformation.Result{}, err
	}
	tags, err := tagsOf(r.Properties)
	if err != nil {
		return cloudformation.Result{}, err
	}
	made, err := call(ctx, f.functions.CreateFunction, with(configuration(r.Properties), with(
		pick(r.Properties, "Architectures", "PackageType"),
		object{"FunctionName": name, "Code": code, "Tags": tags})))
	if err != nil {
		return cloudformation.Result{}, err
	}
	result := functionResult(made.FunctionName, made.FunctionArn)
	return result, f.reserve(ctx, r, name)
}

func (f function) update(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	name := r.PhysicalID
	if changed(r, "Code", "Architectures") {
		code, err := archive(r.Properties)
		if err != nil {
			return cloudformation.Result{}, err
		}
		architectures := pick(complete(r, object{"Architectures": []any{"x86_64"}}), "Architectures")
		if err := do(ctx, f.functions.UpdateFunctionCode, with(code, with(architectures, object{"FunctionName": name}))); err != nil {
			return cloudformation.Result{}, err
		}
	}
	if changed(r, configurable...) {
		defaults := with(functionDefaults, object{"LoggingConfig": object{"LogFormat": "Text", "LogGroup": "/aws/lambda/" + name}})
		members := with(configuration(complete(r, defaults)), object{"FunctionName": name})
		if err := do(ctx, f.functions.UpdateFunctionConfiguration, members); err != nil {
			return cloudformation.Result{}, err
		}
	}
	if err := f.reserve(ctx, r, name); err != nil {
		return cloudformation.Result{}, err
	}
	found, err := call(ctx, f.functions.GetFunctionConfiguration, object{"FunctionName": name})
	if err != nil {
		return cloudformation.Result{}, err
	}
	target := object{"Resource": aws.ToString(found.FunctionArn)}
	return functionResult(found.FunctionName, found.FunctionArn), retag(ctx, r, target, byKey, f.functions.UntagResource, f.functions.TagResource)
}

// reserve limits how many invocations run at a time.
func (f function) reserve(ctx context.Context, r cloudformation.Request, name string) error {
	if !changed(r, "ReservedConcurrentExecutions") {
		return nil
	}
	reserved := pick(r.Properties, "ReservedConcurrentExecutions")
	if len(reserved) == 0 {
		return do(ctx, f.functions.DeleteFunctionConcurrency, object{"FunctionName": name})
	}
	return do(ctx, f.functions.PutFunctionConcurrency, with(reserved, object{"FunctionName": name}))
}

// archive is where a function's code lies.
func archive(properties object) (object, error) {
	code, isObject := properties["Code"].(object)
	if !isObject {
		return nil, errors.New("property Code must be an object with S3Bucket and S3Key")
	}
	if code["ZipFile"] != nil {
		return nil, errors.New("Code.ZipFile is the source text of an interpreted function, which the local endpoint does not run; " +
			"upload an archive with an executable bootstrap and give S3Bucket and S3Key")
	}
	return code, nil
}

// configuration renames what CloudFormation spells differently.
func configuration(properties object) object {
	return with(pick(properties, configurable...), object{"KmsKeyArn": nil, "KMSKeyArn": properties["KmsKeyArn"]})
}

func functionResult(name, arn *string) cloudformation.Result {
	return cloudformation.Result{PhysicalID: aws.ToString(name), Attributes: object{"Arn": aws.ToString(arn)}}
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-permission.html
type permission struct{ functions Functions }

func (p permission) provider() cloudformation.Provider {
	properties := known([]string{"Action", "FunctionName", "Principal"}, "EventSourceToken", "FunctionUrlAuthType",
		"InvokedViaFunctionUrl", "PrincipalOrgID", "SourceAccount", "SourceArn")
	return cloudformation.Provider{
		Properties: properties,
		Create: func(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
			statement := stackName(r, 100)
			if err := do(ctx, p.functions.AddPermission, with(r.Properties, object{"StatementId": statement})); err != nil {
				return cloudformation.Result{}, err
			}
			return cloudformation.Result{PhysicalID: statement, Attributes: object{"Id": statement}}, nil
		},
		Delete: func(ctx context.Context, r cloudformation.Request) error {
			return unlessGone(do(ctx, p.functions.RemovePermission, with(pick(r.Properties, "FunctionName"), object{"StatementId": r.PhysicalID})))
		},
	}
}
