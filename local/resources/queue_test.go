package resources_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"api-destination-credentials/local/cloudformation"
	"api-destination-credentials/local/resources"
)

type queues struct {
	resources.Queues
	calls
}

func (f *queues) CreateQueue(_ context.Context, in *sqs.CreateQueueInput) (*sqs.CreateQueueOutput, error) {
	f.note(in)
	return &sqs.CreateQueueOutput{QueueUrl: aws.String("http://host/123456789012/" + *in.QueueName)}, nil
}

func (f *queues) GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput) (*sqs.GetQueueAttributesOutput, error) {
	return &sqs.GetQueueAttributesOutput{Attributes: map[string]string{"QueueArn": "arn:q"}}, nil
}

// SetQueueAttributes knows no queue called gone.
func (f *queues) SetQueueAttributes(_ context.Context, in *sqs.SetQueueAttributesInput) (*sqs.SetQueueAttributesOutput, error) {
	f.note(in)
	if *in.QueueUrl == "gone" {
		return nil, &types.QueueDoesNotExist{}
	}
	return nil, nil
}

func TestAQueueTakesItsPropertiesAsAttributes(t *testing.T) {
	fake := &queues{}
	p := provider(t, resources.Services{Queues: fake}, "AWS::SQS::Queue")
	result, err := p.Create(context.Background(), request(t,
		`{"QueueName": "q", "MessageRetentionPeriod": 1209600, "KmsMasterKeyId": "k", "SqsManagedSseEnabled": false, "RedrivePolicy": {"maxReceiveCount": 3}}`))
	check(t, err)
	wantCalls(t, fake.take(), &sqs.CreateQueueInput{QueueName: aws.String("q"), Tags: map[string]string{}, Attributes: map[string]string{
		"MessageRetentionPeriod": "1209600", "KmsMasterKeyId": "k", "SqsManagedSseEnabled": "false", "RedrivePolicy": `{"maxReceiveCount":3}`,
	}})
	wantResult(t, result, cloudformation.Result{PhysicalID: "http://host/123456789012/q", Attributes: map[string]any{
		"Arn": "arn:q", "QueueName": "q", "QueueUrl": "http://host/123456789012/q",
	}})

	_, err = p.Update(context.Background(), change(t, "http://host/123456789012/q", `{"MessageRetentionPeriod": 60, "KmsMasterKeyId": "k"}`, `{"KmsMasterKeyId": "k"}`))
	check(t, err)
	wantCalls(t, fake.take(), &sqs.SetQueueAttributesInput{QueueUrl: aws.String("http://host/123456789012/q"), Attributes: map[string]string{
		"MessageRetentionPeriod": "345600", "KmsMasterKeyId": "k",
	}})
}

func TestAQueuePolicyLeavesTheQueuesThatItNoLongerNames(t *testing.T) {
	fake := &queues{}
	p := provider(t, resources.Services{Queues: fake}, "AWS::SQS::QueuePolicy")
	_, err := p.Update(context.Background(), change(t, "id",
		`{"Queues": ["gone", "a"], "PolicyDocument": {}}`, `{"Queues": ["a", "b"], "PolicyDocument": {"Statement": []}}`))
	check(t, err)
	wantCalls(t, fake.take(),
		&sqs.SetQueueAttributesInput{QueueUrl: aws.String("a"), Attributes: map[string]string{"Policy": `{"Statement":[]}`}},
		&sqs.SetQueueAttributesInput{QueueUrl: aws.String("b"), Attributes: map[string]string{"Policy": `{"Statement":[]}`}},
		&sqs.SetQueueAttributesInput{QueueUrl: aws.String("gone"), Attributes: map[string]string{"Policy": ""}})
}
