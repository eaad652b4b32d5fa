package resources

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"api-destination-credentials/local/cloudformation"
)

// Logs is Amazon CloudWatch Logs.
type Logs interface {
	CreateLogGroup(context.Context, *cloudwatchlogs.CreateLogGroupInput) (*cloudwatchlogs.CreateLogGroupOutput, error)
	DescribeLogGroups(context.Context, *cloudwatchlogs.DescribeLogGroupsInput) (*cloudwatchlogs.DescribeLogGroupsOutput, error)
	DeleteLogGroup(context.Context, *cloudwatchlogs.DeleteLogGroupInput) (*cloudwatchlogs.DeleteLogGroupOutput, error)
	PutRetentionPolicy(context.Context, *cloudwatchlogs.PutRetentionPolicyInput) (*cloudwatchlogs.PutRetentionPolicyOutput, error)
	DeleteRetentionPolicy(context.Context, *cloudwatchlogs.DeleteRetentionPolicyInput) (*cloudwatchlogs.DeleteRetentionPolicyOutput, error)
	AssociateKmsKey(context.Context, *cloudwatchlogs.AssociateKmsKeyInput) (*cloudwatchlogs.AssociateKmsKeyOutput, error)
	DisassociateKmsKey(context.Context, *cloudwatchlogs.DisassociateKmsKeyInput) (*cloudwatchlogs.DisassociateKmsKeyOutput, error)
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-loggroup.html
type logGroup struct{ logs Logs }

func (g logGroup) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known(nil, "KmsKeyId", "LogGroupClass", "LogGroupName", "RetentionInDays", "Tags"),
		Replace:    []string{"LogGroupName"},
		Create:     g.create,
		Update:     g.update,
		Delete: func(ctx context.Context, r cloudformation.Request) error {
			return unlessGone(do(ctx, g.logs.DeleteLogGroup, object{"LogGroupName": r.PhysicalID}))
		},
	}
}

func (g logGroup) create(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	name, err := given(r, "LogGroupName", stackName(r, 512))
	if err != nil {
		return cloudformation.Result{}, err
	}
	tags, err := tagsOf(r.Properties)
	if err != nil {
		return cloudformation.Result{}, err
	}
	members := with(pick(r.Properties, "KmsKeyId", "LogGroupClass"), object{"LogGroupName": name, "Tags": tags})
	if err := do(ctx, g.logs.CreateLogGroup, members); err != nil {
		return cloudformation.Result{}, err
	}
	if err := g.retain(ctx, r, name); err != nil {
		return cloudformation.Result{PhysicalID: name}, err
	}
	return g.result(ctx, name)
}

func (g logGroup) update(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	if err := unchangeable(r, "LogGroupClass", "Tags"); err != nil {
		return cloudformation.Result{}, err
	}
	if err := g.retain(ctx, r, r.PhysicalID); err != nil {
		return cloudformation.Result{}, err
	}
	if err := g.encrypt(ctx, r); err != nil {
		return cloudformation.Result{}, err
	}
	return g.result(ctx, r.PhysicalID)
}

func (g logGroup) retain(ctx context.Context, r cloudformation.Request, name string) error {
	if !changed(r, "RetentionInDays") {
		return nil
	}
	days := pick(r.Properties, "RetentionInDays")
	if len(days) == 0 {
		return do(ctx, g.logs.DeleteRetentionPolicy, object{"LogGroupName": name})
	}
	return do(ctx, g.logs.PutRetentionPolicy, with(days, object{"LogGroupName": name}))
}

func (g logGroup) encrypt(ctx context.Context, r cloudformation.Request) error {
	if !changed(r, "KmsKeyId") {
		return nil
	}
	key := pick(r.Properties, "KmsKeyId")
	if len(key) == 0 {
		return do(ctx, g.logs.DisassociateKmsKey, object{"LogGroupName": r.PhysicalID})
	}
	return do(ctx, g.logs.AssociateKmsKey, with(key, object{"LogGroupName": r.PhysicalID}))
}

// result finds the group's ARN, which ends in ":*".
func (g logGroup) result(ctx context.Context, name string) (cloudformation.Result, error) {
	found := cloudformation.Result{PhysicalID: name}
	listed, err := call(ctx, g.logs.DescribeLogGroups, object{"LogGroupNamePrefix": name})
	if err != nil {
		return found, err
	}
	for _, group := range listed.LogGroups {
		if aws.ToString(group.LogGroupName) == name {
			found.Attributes = object{"Arn": aws.ToString(group.Arn)}
			return found, nil
		}
	}
	return found, fmt.Errorf("the log group %s does not exist; deploy again", name)
}
