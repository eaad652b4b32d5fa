package resources

import (
	"context"
	"path"

	"github.com/aws/aws-sdk-go-v2/aws"

	"api-destination-credentials/local/cloudformation"
)

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-apidestination.html
type apiDestination struct{ events Events }

func (d apiDestination) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known([]string{"ConnectionArn", "HttpMethod", "InvocationEndpoint"}, "Description", "InvocationRateLimitPerSecond", "Name"),
		Replace:    []string{"Name"},
		Create:     d.create,
		Update:     d.update,
		Delete: func(ctx context.Context, r cloudformation.Request) error {
			return unlessGone(do(ctx, d.events.DeleteApiDestination, object{"Name": r.PhysicalID}))
		},
	}
}

func (d apiDestination) create(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	name, err := given(r, "Name", stackName(r, 64))
	if err != nil {
		return cloudformation.Result{}, err
	}
	made, err := call(ctx, d.events.CreateApiDestination, with(r.Properties, object{"Name": name}))
	if err != nil {
		return cloudformation.Result{}, err
	}
	return apiDestinationResult(name, made.ApiDestinationArn), nil
}

func (d apiDestination) update(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	members := with(complete(r, object{"Description": "", "InvocationRateLimitPerSecond": 300}), object{"Name": r.PhysicalID})
	made, err := call(ctx, d.events.UpdateApiDestination, members)
	if err != nil {
		return cloudformation.Result{}, err
	}
	return apiDestinationResult(r.PhysicalID, made.ApiDestinationArn), nil
}

func apiDestinationResult(name string, destination *string) cloudformation.Result {
	arn := aws.ToString(destination)
	return cloudformation.Result{PhysicalID: name, Attributes: object{"Arn": arn, "ArnForPolicy": withoutUUID(arn)}}
}

// withoutUUID is the ARN of a connection or API destination as policies name it
// before its UUID is known: without the last part.
func withoutUUID(arn string) string { return path.Dir(arn) }
