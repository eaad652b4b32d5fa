package resources

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"api-destination-credentials/local/cloudformation"
)

// Tables is Amazon DynamoDB.
type Tables interface {
	CreateTable(context.Context, *dynamodb.CreateTableInput) (*dynamodb.CreateTableOutput, error)
	DescribeTable(context.Context, *dynamodb.DescribeTableInput) (*dynamodb.DescribeTableOutput, error)
	UpdateTable(context.Context, *dynamodb.UpdateTableInput) (*dynamodb.UpdateTableOutput, error)
	DeleteTable(context.Context, *dynamodb.DeleteTableInput) (*dynamodb.DeleteTableOutput, error)
	UpdateTimeToLive(context.Context, *dynamodb.UpdateTimeToLiveInput) (*dynamodb.UpdateTimeToLiveOutput, error)
	UpdateContinuousBackups(context.Context, *dynamodb.UpdateContinuousBackupsInput) (*dynamodb.UpdateContinuousBackupsOutput, error)
	TagResource(context.Context, *dynamodb.TagResourceInput) (*dynamodb.TagResourceOutput, error)
	UntagResource(context.Context, *dynamodb.UntagResourceInput) (*dynamodb.UntagResourceOutput, error)
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
type table struct{ tables Tables }

func (t table) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known([]string{"KeySchema"}, "AttributeDefinitions", "BillingMode", "DeletionProtectionEnabled", "PointInTimeRecoverySpecification",
			"SSESpecification", "StreamSpecification", "TableClass", "TableName", "Tags", "TimeToLiveSpecification"),
		Replace: []string{"AttributeDefinitions", "KeySchema", "TableName"},
		Create:  t.create,
		Update:  t.update,
		Delete: func(ctx context.Context, r cloudformation.Request) error {
			return unlessGone(do(ctx, t.tables.DeleteTable, object{"TableName": r.PhysicalID}))
		},
	}
}

func (t table) create(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	name, err := given(r, "TableName", stackName(r, 255))
	if err != nil {
		return cloudformation.Result{}, err
	}
	members := pick(r.Properties, "AttributeDefinitions", "BillingMode", "DeletionProtectionEnabled", "KeySchema", "TableClass", "Tags")
	members["TableName"] = name
	if members, err = t.withSpecifications(members, r.Properties); err != nil {
		return cloudformation.Result{}, err
	}
	if err := do(ctx, t.tables.CreateTable, members); err != nil {
		return cloudformation.Result{}, err
	}
	if err := t.settle(ctx, r, name); err != nil {
		return cloudformation.Result{PhysicalID: name}, err
	}
	return t.result(ctx, name)
}

func (t table) update(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	properties := complete(r, object{"DeletionProtectionEnabled": false, "SSESpecification": object{"SSEEnabled": false}, "BillingMode": "PROVISIONED", "TableClass": "STANDARD"})
	members := object{"TableName": r.PhysicalID}
	for _, name := range []string{"BillingMode", "DeletionProtectionEnabled", "TableClass"} {
		if changed(r, name) {
			members[name] = properties[name]
		}
	}
	altered := object{}
	for _, name := range []string{"SSESpecification", "StreamSpecification"} {
		if changed(r, name) {
			altered[name] = properties[name]
		}
	}
	members, err := t.withSpecifications(members, altered)
	if err != nil {
		return cloudformation.Result{}, err
	}
	if len(members) > 1 {
		if err := do(ctx, t.tables.UpdateTable, members); err != nil {
			return cloudformation.Result{}, err
		}
	}
	if err := t.settle(ctx, r, r.PhysicalID); err != nil {
		return cloudformation.Result{}, err
	}
	result, err := t.result(ctx, r.PhysicalID)
	if err != nil {
		return result, err
	}
	return result, retag(ctx, r, object{"ResourceArn": result.Attributes["Arn"]}, keysAndValues, t.tables.UntagResource, t.tables.TagResource)
}

// withSpecifications adds those that the operations know under other members:
// SSEEnabled is Enabled there, and a stream that is stated is enabled.
func (table) withSpecifications(members, properties object) (object, error) {
	encryption, err := member[object](properties, "SSESpecification")
	if err != nil {
		return nil, err
	}
	if encryption != nil {
		members["SSESpecification"] = with(encryption, object{"SSEEnabled": nil, "Enabled": encryption["SSEEnabled"]})
	}
	stream, err := member[object](properties, "StreamSpecification")
	if err != nil {
		return nil, err
	}
	if stream != nil {
		members["StreamSpecification"] = with(stream, object{"StreamEnabled": true})
	}
	return members, nil
}

// settle sets what has operations of its own.
func (t table) settle(ctx context.Context, r cloudformation.Request, name string) error {
	if err := t.live(ctx, r, name); err != nil {
		return err
	}
	if !changed(r, "PointInTimeRecoverySpecification") {
		return nil
	}
	recovery, err := member[object](r.Properties, "PointInTimeRecoverySpecification")
	if err != nil {
		return err
	}
	if recovery == nil {
		recovery = object{"PointInTimeRecoveryEnabled": false}
	}
	return do(ctx, t.tables.UpdateContinuousBackups, object{"TableName": name, "PointInTimeRecoverySpecification": recovery})
}

// live changes the time to live; another attribute takes the first one's place
// only after that is disabled.
func (t table) live(ctx context.Context, r cloudformation.Request, name string) error {
	wanted, err := lives(r.Properties)
	if err != nil {
		return err
	}
	was, err := lives(r.OldProperties)
	if err != nil || wanted == was {
		return err
	}
	set := func(attribute string, enabled bool) error {
		if attribute == "" {
			return nil
		}
		return do(ctx, t.tables.UpdateTimeToLive, object{"TableName": name, "TimeToLiveSpecification": object{"AttributeName": attribute, "Enabled": enabled}})
	}
	if err := set(was, false); err != nil {
		return err
	}
	return set(wanted, true)
}

// lives is the attribute with the time to live; empty where it is not enabled.
func lives(properties object) (string, error) {
	stated, err := member[struct {
		AttributeName string
		Enabled       bool
	}](properties, "TimeToLiveSpecification")
	if err != nil || !stated.Enabled {
		return "", err
	}
	return stated.AttributeName, nil
}

func (t table) result(ctx context.Context, name string) (cloudformation.Result, error) {
	found := cloudformation.Result{PhysicalID: name}
	out, err := call(ctx, t.tables.DescribeTable, object{"TableName": name})
	if err != nil {
		return found, err
	}
	found.Attributes = object{"Arn": aws.ToString(out.Table.TableArn)}
	return found, nil
}
