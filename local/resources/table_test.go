package resources_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"api-destination-credentials/local/cloudformation"
	"api-destination-credentials/local/resources"
)

// tables is DynamoDB, in which nothing can be deleted.
type tables struct{ calls }

func (f *tables) CreateTable(_ context.Context, in *dynamodb.CreateTableInput) (*dynamodb.CreateTableOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *tables) DescribeTable(_ context.Context, in *dynamodb.DescribeTableInput) (*dynamodb.DescribeTableOutput, error) {
	return &dynamodb.DescribeTableOutput{Table: &types.TableDescription{TableArn: aws.String("arn:" + *in.TableName)}}, nil
}

func (f *tables) UpdateTable(_ context.Context, in *dynamodb.UpdateTableInput) (*dynamodb.UpdateTableOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *tables) DeleteTable(_ context.Context, in *dynamodb.DeleteTableInput) (*dynamodb.DeleteTableOutput, error) {
	f.note(in)
	return nil, missing("ResourceNotFoundException")
}

func (f *tables) UpdateTimeToLive(_ context.Context, in *dynamodb.UpdateTimeToLiveInput) (*dynamodb.UpdateTimeToLiveOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *tables) UpdateContinuousBackups(_ context.Context, in *dynamodb.UpdateContinuousBackupsInput) (*dynamodb.UpdateContinuousBackupsOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *tables) TagResource(_ context.Context, in *dynamodb.TagResourceInput) (*dynamodb.TagResourceOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *tables) UntagResource(_ context.Context, in *dynamodb.UntagResourceInput) (*dynamodb.UntagResourceOutput, error) {
	f.note(in)
	return nil, nil
}

const inbox = `"TableName": "inbox", "BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
	"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]`

func TestATableHasTheSettingsOfTheTemplate(t *testing.T) {
	fake := &tables{}
	result, err := provider(t, resources.Services{Tables: fake}, "AWS::DynamoDB::Table").Create(context.Background(), request(t, `{`+inbox+`,
		"SSESpecification": {"SSEEnabled": "true", "SSEType": "KMS", "KMSMasterKeyId": "k"}, "DeletionProtectionEnabled": "true",
		"TimeToLiveSpecification": {"AttributeName": "expiresAt", "Enabled": "true"},
		"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": "true"}, "Tags": [{"Key": "a", "Value": "1"}]}`))
	check(t, err)
	wantResult(t, result, cloudformation.Result{PhysicalID: "inbox", Attributes: map[string]any{"Arn": "arn:inbox"}})
	wantCalls(t, fake.take(),
		&dynamodb.CreateTableInput{
			TableName: aws.String("inbox"), BillingMode: types.BillingModePayPerRequest, DeletionProtectionEnabled: aws.Bool(true),
			KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
			SSESpecification:     &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms, KMSMasterKeyId: aws.String("k")},
			Tags:                 []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}},
		},
		&dynamodb.UpdateTimeToLiveInput{TableName: aws.String("inbox"), TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("expiresAt"), Enabled: aws.Bool(true)}},
		&dynamodb.UpdateContinuousBackupsInput{TableName: aws.String("inbox"), PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)}})
}

func TestAPlainTableIsMadeByOneCall(t *testing.T) {
	fake := &tables{}
	_, err := provider(t, resources.Services{Tables: fake}, "AWS::DynamoDB::Table").Create(context.Background(), request(t,
		`{`+inbox+`, "TimeToLiveSpecification": {"AttributeName": "expiresAt", "Enabled": false}}`))
	check(t, err)
	if made := fake.take(); len(made) != 1 {
		t.Errorf("%d calls, want CreateTable alone: %v", len(made), made)
	}
}

func TestAnUpdateOfATableChangesWhatHasChanged(t *testing.T) {
	name := aws.String("inbox")
	live := func(attribute string, enabled bool) *dynamodb.UpdateTimeToLiveInput {
		return &dynamodb.UpdateTimeToLiveInput{TableName: name, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(attribute), Enabled: aws.Bool(enabled)}}
	}
	for what, test := range map[string]struct {
		before, after string
		want          []any
	}{
		"nothing": {`, "Tags": []`, ``, nil},
		"another key": {
			`, "SSESpecification": {"SSEEnabled": true, "KMSMasterKeyId": "k"}, "DeletionProtectionEnabled": true`,
			`, "SSESpecification": {"SSEEnabled": true, "KMSMasterKeyId": "l"}, "DeletionProtectionEnabled": true`,
			[]any{&dynamodb.UpdateTableInput{TableName: name, SSESpecification: &types.SSESpecification{Enabled: aws.Bool(true), KMSMasterKeyId: aws.String("l")}}},
		},
		"no key and no protection any more": {
			`, "SSESpecification": {"SSEEnabled": true, "KMSMasterKeyId": "k"}, "DeletionProtectionEnabled": true`, ``,
			[]any{&dynamodb.UpdateTableInput{TableName: name, SSESpecification: &types.SSESpecification{Enabled: aws.Bool(false)}, DeletionProtectionEnabled: aws.Bool(false)}},
		},
		"another time to live": {
			`, "TimeToLiveSpecification": {"AttributeName": "a", "Enabled": true}`, `, "TimeToLiveSpecification": {"AttributeName": "b", "Enabled": true}`,
			[]any{live("a", false), live("b", true)},
		},
		"no time to live": {`, "TimeToLiveSpecification": {"AttributeName": "a", "Enabled": true}`, ``, []any{live("a", false)}},
		"no recovery": {
			`, "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true}`, ``,
			[]any{&dynamodb.UpdateContinuousBackupsInput{TableName: name, PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(false)}}},
		},
		"tags": {
			`, "Tags": [{"Key": "a", "Value": "1"}]`, `, "Tags": [{"Key": "b", "Value": "2"}]`,
			[]any{
				&dynamodb.UntagResourceInput{ResourceArn: aws.String("arn:inbox"), TagKeys: []string{"a"}},
				&dynamodb.TagResourceInput{ResourceArn: aws.String("arn:inbox"), Tags: []types.Tag{{Key: aws.String("b"), Value: aws.String("2")}}},
			},
		},
		"a stream, which the service judges": {
			``, `, "StreamSpecification": {"StreamViewType": "NEW_IMAGE"}`,
			[]any{&dynamodb.UpdateTableInput{TableName: name, StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewImage}}},
		},
	} {
		t.Run(what, func(t *testing.T) {
			fake := &tables{}
			_, err := provider(t, resources.Services{Tables: fake}, "AWS::DynamoDB::Table").
				Update(context.Background(), change(t, "inbox", `{`+inbox+test.before+`}`, `{`+inbox+test.after+`}`))
			check(t, err)
			wantCalls(t, fake.take(), test.want...)
		})
	}
}

func TestATableThatIsGoneIsDeleted(t *testing.T) {
	fake := &tables{}
	gone := request(t, `{`+inbox+`}`)
	gone.PhysicalID = "inbox"
	check(t, provider(t, resources.Services{Tables: fake}, "AWS::DynamoDB::Table").Delete(context.Background(), gone))
	wantCalls(t, fake.take(), &dynamodb.DeleteTableInput{TableName: aws.String("inbox")})
}
