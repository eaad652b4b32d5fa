package resources

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"api-destination-credentials/local/cloudformation"
)

// Events is Amazon EventBridge.
type Events interface {
	Archives
	CreateEventBus(context.Context, *eventbridge.CreateEventBusInput) (*eventbridge.CreateEventBusOutput, error)
	UpdateEventBus(context.Context, *eventbridge.UpdateEventBusInput) (*eventbridge.UpdateEventBusOutput, error)
	DeleteEventBus(context.Context, *eventbridge.DeleteEventBusInput) (*eventbridge.DeleteEventBusOutput, error)
	PutRule(context.Context, *eventbridge.PutRuleInput) (*eventbridge.PutRuleOutput, error)
	DeleteRule(context.Context, *eventbridge.DeleteRuleInput) (*eventbridge.DeleteRuleOutput, error)
	ListTargetsByRule(context.Context, *eventbridge.ListTargetsByRuleInput) (*eventbridge.ListTargetsByRuleOutput, error)
	PutTargets(context.Context, *eventbridge.PutTargetsInput) (*eventbridge.PutTargetsOutput, error)
	RemoveTargets(context.Context, *eventbridge.RemoveTargetsInput) (*eventbridge.RemoveTargetsOutput, error)
	CreateConnection(context.Context, *eventbridge.CreateConnectionInput) (*eventbridge.CreateConnectionOutput, error)
	DescribeConnection(context.Context, *eventbridge.DescribeConnectionInput) (*eventbridge.DescribeConnectionOutput, error)
	UpdateConnection(context.Context, *eventbridge.UpdateConnectionInput) (*eventbridge.UpdateConnectionOutput, error)
	DeleteConnection(context.Context, *eventbridge.DeleteConnectionInput) (*eventbridge.DeleteConnectionOutput, error)
	CreateApiDestination(context.Context, *eventbridge.CreateApiDestinationInput) (*eventbridge.CreateApiDestinationOutput, error)
	UpdateApiDestination(context.Context, *eventbridge.UpdateApiDestinationInput) (*eventbridge.UpdateApiDestinationOutput, error)
	DeleteApiDestination(context.Context, *eventbridge.DeleteApiDestinationInput) (*eventbridge.DeleteApiDestinationOutput, error)
	TagResource(context.Context, *eventbridge.TagResourceInput) (*eventbridge.TagResourceOutput, error)
	UntagResource(context.Context, *eventbridge.UntagResourceInput) (*eventbridge.UntagResourceOutput, error)
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-eventbus.html
type eventBus struct{ events Events }

func (b eventBus) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known([]string{"Name"}, "DeadLetterConfig", "Description", "KmsKeyIdentifier", "Tags"),
		Replace:    []string{"Name"},
		Create:     b.create,
		Update:     b.update,
		Delete: func(ctx context.Context, r cloudformation.Request) error {
			return unlessGone(do(ctx, b.events.DeleteEventBus, object{"Name": r.PhysicalID}))
		},
	}
}

func (b eventBus) create(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	name, err := member[string](r.Properties, "Name")
	if err != nil {
		return cloudformation.Result{}, err
	}
	made, err := call(ctx, b.events.CreateEventBus, r.Properties)
	if err != nil {
		return cloudformation.Result{}, err
	}
	return eventBusResult(name, made.EventBusArn), nil
}

// update sends every property: what is left out goes back to its default.
func (b eventBus) update(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	made, err := call(ctx, b.events.UpdateEventBus, with(r.Properties, object{"Tags": nil}))
	if err != nil {
		return cloudformation.Result{}, err
	}
	target := object{"ResourceARN": aws.ToString(made.Arn)}
	return eventBusResult(r.PhysicalID, made.Arn), retag(ctx, r, target, keysAndValues, b.events.UntagResource, b.events.TagResource)
}

func eventBusResult(name string, arn *string) cloudformation.Result {
	return cloudformation.Result{PhysicalID: name, Attributes: object{"Arn": aws.ToString(arn), "Name": name}}
}
