package wire_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"api-destination-credentials/local/wire"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logs "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	events "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	keys "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	queue "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

var moment = time.Date(2026, 11, 5, 12, 30, 15, 123_000_000, time.UTC)

// buses keeps the targets of its one rule.
type buses struct{ targets []events.Target }

func (b *buses) PutTargets(_ context.Context, in *eventbridge.PutTargetsInput) (*eventbridge.PutTargetsOutput, error) {
	b.targets = in.Targets
	return &eventbridge.PutTargetsOutput{}, nil
}

func (b *buses) ListTargetsByRule(context.Context, *eventbridge.ListTargetsByRuleInput) (*eventbridge.ListTargetsByRuleOutput, error) {
	return &eventbridge.ListTargetsByRuleOutput{Targets: b.targets}, nil
}

func (b *buses) PutEvents(_ context.Context, in *eventbridge.PutEventsInput) (*eventbridge.PutEventsOutput, error) {
	if !in.Entries[0].Time.Equal(moment) {
		return nil, errors.New("the time of the event is another")
	}
	return &eventbridge.PutEventsOutput{Entries: []events.PutEventsResultEntry{{EventId: in.Entries[0].Detail}}}, nil
}

func TestEventBridgeTakesNestedStructuresListsAndMaps(t *testing.T) {
	client := eventbridge.NewFromConfig(serve(t, wire.Config{Services: []wire.Service{{Name: "events", Impl: &buses{}}}}))
	sent := []events.Target{{
		Id:               aws.String("destination"),
		Arn:              aws.String("arn:aws:events:us-east-1:111122223333:api-destination/d"),
		RetryPolicy:      &events.RetryPolicy{MaximumEventAgeInSeconds: aws.Int32(86400), MaximumRetryAttempts: aws.Int32(0)},
		DeadLetterConfig: &events.DeadLetterConfig{Arn: aws.String("arn:aws:sqs:us-east-1:111122223333:dlq")},
		HttpParameters:   &events.HttpParameters{PathParameterValues: []string{"a", ""}, HeaderParameters: map[string]string{"x-Id": "<1> & \"2\""}},
		InputTransformer: &events.InputTransformer{InputPathsMap: map[string]string{"id": "$.id"}, InputTemplate: aws.String(`{"id": <id>}`)},
	}}
	put, err := client.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: aws.String("rule"), Targets: sent})
	if err != nil {
		t.Fatal(err)
	}
	same(t, &eventbridge.PutTargetsOutput{}, put)
	listed, err := client.ListTargetsByRule(t.Context(), &eventbridge.ListTargetsByRuleInput{Rule: aws.String("rule")})
	if err != nil {
		t.Fatal(err)
	}
	same(t, sent, listed.Targets)
}

func TestEventBridgeTakesTimes(t *testing.T) {
	client := eventbridge.NewFromConfig(serve(t, wire.Config{Services: []wire.Service{{Name: "events", Impl: &buses{}}}}))
	answer, err := client.PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []events.PutEventsRequestEntry{
		{Time: aws.Time(moment), Detail: aws.String(`{"a": 1}`)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	same(t, &eventbridge.PutEventsOutput{Entries: []events.PutEventsResultEntry{{EventId: aws.String(`{"a": 1}`)}}}, answer)
}

type secrets struct{}

func (secrets) GetSecretValue(_ context.Context, in *secretsmanager.GetSecretValueInput) (*secretsmanager.GetSecretValueOutput, error) {
	return &secretsmanager.GetSecretValueOutput{
		Name: in.SecretId, SecretBinary: []byte{0, 1, 255}, CreatedDate: aws.Time(moment), VersionStages: []string{"AWSCURRENT", "mine"},
	}, nil
}

func (secrets) DescribeSecret(context.Context, *secretsmanager.DescribeSecretInput) (*secretsmanager.DescribeSecretOutput, error) {
	return &secretsmanager.DescribeSecretOutput{
		VersionIdsToStages: map[string][]string{"v1": {"AWSCURRENT"}, "v2": {}}, RotationEnabled: aws.Bool(false),
	}, nil
}

func TestSecretsManagerGivesBlobsTimesAndMapsOfLists(t *testing.T) {
	client := secretsmanager.NewFromConfig(serve(t, wire.Config{Services: []wire.Service{{Name: "secretsmanager", Impl: secrets{}}}}))
	value, err := client.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("source")})
	if err != nil {
		t.Fatal(err)
	}
	same(t, &secretsmanager.GetSecretValueOutput{
		Name: aws.String("source"), SecretBinary: []byte{0, 1, 255}, CreatedDate: aws.Time(moment), VersionStages: []string{"AWSCURRENT", "mine"},
	}, value)
	described, err := client.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("source")})
	if err != nil {
		t.Fatal(err)
	}
	same(t, &secretsmanager.DescribeSecretOutput{
		VersionIdsToStages: map[string][]string{"v1": {"AWSCURRENT"}, "v2": {}}, RotationEnabled: aws.Bool(false),
	}, described)
}

// cipher turns the plaintext round; one key is disabled.
type cipher struct{}

func (cipher) Encrypt(_ context.Context, in *kms.EncryptInput) (*kms.EncryptOutput, error) {
	if *in.KeyId == "disabled" {
		return nil, &keys.DisabledException{Message: aws.String("key is disabled.")}
	}
	if in.EncryptionContext["SecretARN"] != "arn" {
		return nil, &keys.InvalidCiphertextException{}
	}
	reversed := make([]byte, len(in.Plaintext))
	for i, b := range in.Plaintext {
		reversed[len(reversed)-1-i] = b
	}
	return &kms.EncryptOutput{CiphertextBlob: reversed, EncryptionAlgorithm: keys.EncryptionAlgorithmSpecSymmetricDefault}, nil
}

func TestKMSTakesBlobsAndAnswersWithItsOwnErrors(t *testing.T) {
	client := kms.NewFromConfig(serve(t, wire.Config{Services: []wire.Service{{Name: "kms", Impl: cipher{}}}}))
	answer, err := client.Encrypt(t.Context(), &kms.EncryptInput{
		KeyId: aws.String("key"), Plaintext: []byte{1, 2, 250}, EncryptionContext: map[string]string{"SecretARN": "arn"},
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, &kms.EncryptOutput{CiphertextBlob: []byte{250, 2, 1}, EncryptionAlgorithm: keys.EncryptionAlgorithmSpecSymmetricDefault}, answer)

	_, err = client.Encrypt(t.Context(), &kms.EncryptInput{KeyId: aws.String("disabled"), Plaintext: []byte{1}})
	var disabled *keys.DisabledException
	if !errors.As(err, &disabled) || disabled.ErrorMessage() != "key is disabled." {
		t.Errorf("the error is %v; want KMS's DisabledException", err)
	}
}

// queues remembers the last queue.
type queues struct{ attributes, tags map[string]string }

func (q *queues) CreateQueue(_ context.Context, in *sqs.CreateQueueInput) (*sqs.CreateQueueOutput, error) {
	q.attributes, q.tags = in.Attributes, in.Tags
	return &sqs.CreateQueueOutput{QueueUrl: in.QueueName}, nil
}

func (q *queues) GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput) (*sqs.GetQueueAttributesOutput, error) {
	if q.attributes == nil {
		return nil, &queue.QueueDoesNotExist{Message: aws.String("The specified queue does not exist.")}
	}
	return &sqs.GetQueueAttributesOutput{Attributes: q.attributes}, nil
}

func (q *queues) ListQueueTags(context.Context, *sqs.ListQueueTagsInput) (*sqs.ListQueueTagsOutput, error) {
	return &sqs.ListQueueTagsOutput{Tags: q.tags}, nil
}

func (q *queues) ListDeadLetterSourceQueues(context.Context, *sqs.ListDeadLetterSourceQueuesInput) (*sqs.ListDeadLetterSourceQueuesOutput, error) {
	return &sqs.ListDeadLetterSourceQueuesOutput{QueueUrls: []string{"source"}}, nil
}

func TestSQSSpeaksJSONAndKeepsItsOlderErrorCodes(t *testing.T) {
	client := sqs.NewFromConfig(serve(t, wire.Config{Services: []wire.Service{{Name: "sqs", Impl: &queues{}}}}))
	_, err := client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: aws.String("dlq")})
	var missing *queue.QueueDoesNotExist
	if !errors.As(err, &missing) || missing.ErrorCode() != "AWS.SimpleQueueService.NonExistentQueue" {
		t.Errorf("the error is %v; want QueueDoesNotExist with the code AWS.SimpleQueueService.NonExistentQueue", err)
	}

	attributes, tags := map[string]string{"VisibilityTimeout": "30"}, map[string]string{"team": "events"}
	if _, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("dlq"), Attributes: attributes, Tags: tags}); err != nil {
		t.Fatal(err)
	}
	got, err := client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: aws.String("dlq")})
	if err != nil {
		t.Fatal(err)
	}
	same(t, attributes, got.Attributes)
	tagged, err := client.ListQueueTags(t.Context(), &sqs.ListQueueTagsInput{QueueUrl: aws.String("dlq")})
	if err != nil {
		t.Fatal(err)
	}
	same(t, tags, tagged.Tags)
	sources, err := client.ListDeadLetterSourceQueues(t.Context(), &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: aws.String("dlq")})
	if err != nil {
		t.Fatal(err)
	}
	same(t, []string{"source"}, sources.QueueUrls)
}

type groups struct{}

func (groups) FilterLogEvents(_ context.Context, in *cloudwatchlogs.FilterLogEventsInput) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	return &cloudwatchlogs.FilterLogEventsOutput{Events: []logs.FilteredLogEvent{{Message: in.LogGroupName, Timestamp: in.StartTime}}}, nil
}

func TestLogsHaveSmallMemberNamesAndPlainMilliseconds(t *testing.T) {
	client := cloudwatchlogs.NewFromConfig(serve(t, wire.Config{Services: []wire.Service{{Name: "logs", Impl: groups{}}}}))
	answer, err := client.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: aws.String("/aws/lambda/follower"), StartTime: aws.Int64(moment.UnixMilli()),
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, []logs.FilteredLogEvent{{Message: aws.String("/aws/lambda/follower"), Timestamp: aws.Int64(moment.UnixMilli())}}, answer.Events)
}

type pools struct{}

func (pools) DescribeUserPoolClient(_ context.Context, in *cognitoidentityprovider.DescribeUserPoolClientInput) (*cognitoidentityprovider.DescribeUserPoolClientOutput, error) {
	if *in.ClientId == "missing" {
		return nil, &cognito.ResourceNotFoundException{Message: aws.String("User pool client missing does not exist.")}
	}
	return &cognitoidentityprovider.DescribeUserPoolClientOutput{UserPoolClient: &cognito.UserPoolClientType{
		ClientId: in.ClientId, AllowedOAuthFlows: []cognito.OAuthFlowType{cognito.OAuthFlowTypeClientCredentials}, CreationDate: aws.Time(moment),
	}}, nil
}

func TestCognitoGivesListsOfEnumsAndItsOwnErrors(t *testing.T) {
	client := cognitoidentityprovider.NewFromConfig(serve(t, wire.Config{Services: []wire.Service{{Name: "cognito-idp", Impl: pools{}}}}))
	answer, err := client.DescribeUserPoolClient(t.Context(), &cognitoidentityprovider.DescribeUserPoolClientInput{
		ClientId: aws.String("client"), UserPoolId: aws.String("us-east-1_pool"),
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, &cognito.UserPoolClientType{
		ClientId: aws.String("client"), AllowedOAuthFlows: []cognito.OAuthFlowType{"client_credentials"}, CreationDate: aws.Time(moment),
	}, answer.UserPoolClient)

	_, err = client.DescribeUserPoolClient(t.Context(), &cognitoidentityprovider.DescribeUserPoolClientInput{
		ClientId: aws.String("missing"), UserPoolId: aws.String("us-east-1_pool"),
	})
	var missing *cognito.ResourceNotFoundException
	if !errors.As(err, &missing) || missing.ErrorMessage() != "User pool client missing does not exist." {
		t.Errorf("the error is %v; want Cognito's ResourceNotFoundException", err)
	}
}
