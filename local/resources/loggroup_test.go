package resources_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"api-destination-credentials/local/cloudformation"
	"api-destination-credentials/local/resources"
)

// logs is CloudWatch Logs with two groups, one's name the start of the other's.
type logs struct {
	resources.Logs
	calls
}

func (f *logs) CreateLogGroup(_ context.Context, in *cloudwatchlogs.CreateLogGroupInput) (*cloudwatchlogs.CreateLogGroupOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *logs) DescribeLogGroups(context.Context, *cloudwatchlogs.DescribeLogGroupsInput) (*cloudwatchlogs.DescribeLogGroupsOutput, error) {
	return &cloudwatchlogs.DescribeLogGroupsOutput{LogGroups: []types.LogGroup{
		{LogGroupName: aws.String("group-2"), Arn: aws.String("arn:group-2:*")},
		{LogGroupName: aws.String("group"), Arn: aws.String("arn:group:*")},
	}}, nil
}

func (f *logs) PutRetentionPolicy(_ context.Context, in *cloudwatchlogs.PutRetentionPolicyInput) (*cloudwatchlogs.PutRetentionPolicyOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *logs) DeleteRetentionPolicy(_ context.Context, in *cloudwatchlogs.DeleteRetentionPolicyInput) (*cloudwatchlogs.DeleteRetentionPolicyOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *logs) AssociateKmsKey(_ context.Context, in *cloudwatchlogs.AssociateKmsKeyInput) (*cloudwatchlogs.AssociateKmsKeyOutput, error) {
	f.note(in)
	return nil, nil
}

func TestALogGroupKeepsItsLinesAsLongAsTheTemplateSays(t *testing.T) {
	fake := &logs{}
	p := provider(t, resources.Services{Logs: fake}, "AWS::Logs::LogGroup")
	group := aws.String("group")
	want := cloudformation.Result{PhysicalID: "group", Attributes: map[string]any{"Arn": "arn:group:*"}}

	result, err := p.Create(context.Background(), request(t, `{"LogGroupName": "group", "RetentionInDays": 30, "KmsKeyId": "k"}`))
	check(t, err)
	wantResult(t, result, want)
	wantCalls(t, fake.take(),
		&cloudwatchlogs.CreateLogGroupInput{LogGroupName: group, KmsKeyId: aws.String("k"), Tags: map[string]string{}},
		&cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: group, RetentionInDays: aws.Int32(30)})

	result, err = p.Update(context.Background(), change(t, "group",
		`{"LogGroupName": "group", "RetentionInDays": 30, "KmsKeyId": "k"}`, `{"LogGroupName": "group", "KmsKeyId": "k2"}`))
	check(t, err)
	wantResult(t, result, want)
	wantCalls(t, fake.take(),
		&cloudwatchlogs.DeleteRetentionPolicyInput{LogGroupName: group},
		&cloudwatchlogs.AssociateKmsKeyInput{LogGroupName: group, KmsKeyId: aws.String("k2")})
}
