package resources

import (
	"context"

	"api-destination-credentials/local/cloudformation"
)

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventinvokeconfig.html
type eventInvokeConfig struct{ functions Functions }

func (c eventInvokeConfig) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known([]string{"FunctionName", "Qualifier"}, "DestinationConfig", "MaximumEventAgeInSeconds", "MaximumRetryAttempts"),
		Replace:    []string{"FunctionName", "Qualifier"},
		Create: func(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
			return c.put(ctx, r, stackName(r, 100))
		},
		Update: func(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
			return c.put(ctx, r, r.PhysicalID)
		},
		Delete: func(ctx context.Context, r cloudformation.Request) error {
			return unlessGone(do(ctx, c.functions.DeleteFunctionEventInvokeConfig, pick(r.Properties, "FunctionName", "Qualifier")))
		},
	}
}

// put writes the whole configuration: what it leaves out has Lambda's default.
func (c eventInvokeConfig) put(ctx context.Context, r cloudformation.Request, id string) (cloudformation.Result, error) {
	if err := do(ctx, c.functions.PutFunctionEventInvokeConfig, r.Properties); err != nil {
		return cloudformation.Result{}, err
	}
	return cloudformation.Result{PhysicalID: id}, nil
}
