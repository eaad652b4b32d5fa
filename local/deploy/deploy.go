// Package deploy puts the repository's two stacks onto an AWS endpoint the way
// a user does with `aws cloudformation create-stack` and `sam deploy`, with the
// functions built for the machine it runs on. The demo, `make local` and the
// end-to-end tests share it.
package deploy

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"go.yaml.in/yaml/v3"
)

// Names of the two stacks; template.yaml imports by the first one's name.
const (
	PrerequisiteStack = "api-destination-prerequisite"
	ApplicationStack  = "api-destination"
)

// bucket holds the functions' archives.
const bucket = "api-destination-artifacts"

// Deployer deploys from one checkout of the repository.
type Deployer struct {
	// Edit, where it is set, changes a template before it is deployed.
	Edit func(template string, document *yaml.Node)

	stacks   *cloudformation.Client
	objects  *s3.Client
	checkout *Checkout
	progress func(types.StackEvent)
}

// To returns a deployer to one account. Each stack event goes to progress as it
// arrives.
func (c *Checkout) To(configuration aws.Config, progress func(types.StackEvent)) *Deployer {
	return &Deployer{
		stacks:   cloudformation.NewFromConfig(configuration),
		objects:  s3.NewFromConfig(configuration, func(o *s3.Options) { o.UsePathStyle = true }),
		checkout: c,
		progress: progress,
	}
}

// Prerequisite creates or updates the stack of prerequisite.yaml and returns its outputs.
func (d *Deployer) Prerequisite(ctx context.Context) (map[string]string, error) {
	return d.deploy(ctx, PrerequisiteStack, "prerequisite.yaml", nil)
}

// Application creates or updates the stack of template.yaml and returns its
// outputs. Parameters that are not given take the template's defaults.
func (d *Deployer) Application(ctx context.Context, parameters map[string]string) (map[string]string, error) {
	given := map[string]string{"Architecture": architecture()}
	for name, value := range parameters {
		given[name] = value
	}
	return d.deploy(ctx, ApplicationStack, "template.yaml", given)
}

// architecture is this machine's, in Lambda's words.
func architecture() string {
	if runtime.GOARCH == "amd64" {
		return "x86_64"
	}
	return runtime.GOARCH
}

// Delete deletes a stack and returns once it is gone.
func (d *Deployer) Delete(ctx context.Context, stack string) error {
	described, err := d.describe(ctx, stack)
	if err != nil {
		return err
	}
	seen, err := d.lastEvent(ctx, aws.ToString(described.StackId))
	if err != nil {
		return err
	}
	if _, err := d.stacks.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: described.StackId}); err != nil {
		return err
	}
	_, err = d.follow(ctx, aws.ToString(described.StackId), seen, types.StackStatusDeleteComplete)
	return err
}

func (d *Deployer) deploy(ctx context.Context, stack, template string, parameters map[string]string) (map[string]string, error) {
	if err := d.makeBucket(ctx); err != nil {
		return nil, err
	}
	body, err := d.pack(ctx, template)
	if err != nil {
		return nil, err
	}
	existing, err := d.describe(ctx, stack)
	if isMissing(err) {
		return d.create(ctx, stack, body, parameters)
	}
	if err != nil {
		return nil, err
	}
	return d.update(ctx, existing, body, parameters)
}

func (d *Deployer) create(ctx context.Context, stack, body string, parameters map[string]string) (map[string]string, error) {
	created, err := d.stacks.CreateStack(ctx, &cloudformation.CreateStackInput{
		StackName: aws.String(stack), TemplateBody: aws.String(body), Parameters: listed(parameters), Capabilities: capabilities,
	})
	if err != nil {
		return nil, err
	}
	return d.follow(ctx, aws.ToString(created.StackId), "", types.StackStatusCreateComplete)
}

func (d *Deployer) update(ctx context.Context, existing types.Stack, body string, parameters map[string]string) (map[string]string, error) {
	seen, err := d.lastEvent(ctx, aws.ToString(existing.StackId))
	if err != nil {
		return nil, err
	}
	if _, err := d.stacks.UpdateStack(ctx, &cloudformation.UpdateStackInput{
		StackName: existing.StackId, TemplateBody: aws.String(body), Parameters: listed(parameters), Capabilities: capabilities,
	}); err != nil {
		return nil, err
	}
	return d.follow(ctx, aws.ToString(existing.StackId), seen, types.StackStatusUpdateComplete)
}

var capabilities = []types.Capability{types.CapabilityCapabilityIam, types.CapabilityCapabilityAutoExpand}

func listed(parameters map[string]string) []types.Parameter {
	var list []types.Parameter
	for name, value := range parameters {
		list = append(list, types.Parameter{ParameterKey: aws.String(name), ParameterValue: aws.String(value)})
	}
	return list
}

// follow hands on the events after seen until the stack has come to rest, and
// returns its outputs, or why it is not in the wanted state.
func (d *Deployer) follow(ctx context.Context, stackID, seen string, wanted types.StackStatus) (map[string]string, error) {
	var cause string
	for {
		// The status first: events that lead to it are then all there.
		stack, err := d.describe(ctx, stackID)
		if err != nil {
			return nil, err
		}
		events, err := d.eventsAfter(ctx, stackID, seen)
		if err != nil {
			return nil, err
		}
		for _, event := range events {
			d.progress(event)
			seen = aws.ToString(event.EventId)
			if cause == "" && strings.HasSuffix(string(event.ResourceStatus), "_FAILED") {
				cause = fmt.Sprintf("%s: %s", aws.ToString(event.LogicalResourceId), aws.ToString(event.ResourceStatusReason))
			}
		}
		switch {
		case stack.StackStatus == wanted:
			return outputs(stack), nil
		case !strings.HasSuffix(string(stack.StackStatus), "_IN_PROGRESS"):
			return nil, fmt.Errorf("stack %s ended in %s: %s", aws.ToString(stack.StackName), stack.StackStatus, cause)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("stack %s is still %s: %w", aws.ToString(stack.StackName), stack.StackStatus, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func outputs(stack types.Stack) map[string]string {
	values := map[string]string{}
	for _, output := range stack.Outputs {
		values[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
	}
	return values
}

func (d *Deployer) describe(ctx context.Context, stack string) (types.Stack, error) {
	described, err := d.stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(stack)})
	if err != nil {
		return types.Stack{}, err
	}
	return described.Stacks[0], nil
}

// isMissing tells a stack that does not exist from other validation errors;
// CloudFormation has no code of its own for it.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
func isMissing(err error) bool {
	var refused smithy.APIError
	return errors.As(err, &refused) && refused.ErrorCode() == "ValidationError" && strings.Contains(refused.ErrorMessage(), "does not exist")
}

func (d *Deployer) lastEvent(ctx context.Context, stackID string) (string, error) {
	page, err := d.stacks.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: aws.String(stackID)})
	if err != nil || len(page.StackEvents) == 0 {
		return "", err
	}
	return aws.ToString(page.StackEvents[0].EventId), nil
}

// eventsAfter returns the events that follow seen, oldest first.
func (d *Deployer) eventsAfter(ctx context.Context, stackID, seen string) ([]types.StackEvent, error) {
	var fresh []types.StackEvent
	pages := cloudformation.NewDescribeStackEventsPaginator(d.stacks, &cloudformation.DescribeStackEventsInput{StackName: aws.String(stackID)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, event := range page.StackEvents {
			if aws.ToString(event.EventId) == seen {
				slices.Reverse(fresh)
				return fresh, nil
			}
			fresh = append(fresh, event)
		}
	}
	slices.Reverse(fresh)
	return fresh, nil
}

func (d *Deployer) makeBucket(ctx context.Context) error {
	_, err := d.objects.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(bucket)})
	var owned *s3types.BucketAlreadyOwnedByYou
	if errors.As(err, &owned) {
		return nil
	}
	return err
}
