package resources_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"api-destination-credentials/local/cloudformation"
	"api-destination-credentials/local/resources"
)

// keys is KMS with one key, k.
type keys struct {
	resources.Keys
	calls
	pending bool // deletion
}

func (f *keys) metadata() *types.KeyMetadata {
	state := types.KeyStateEnabled
	if f.pending {
		state = types.KeyStatePendingDeletion
	}
	return &types.KeyMetadata{KeyId: aws.String("k"), Arn: aws.String("arn:k"), KeyState: state}
}

func (f *keys) CreateKey(_ context.Context, in *kms.CreateKeyInput) (*kms.CreateKeyOutput, error) {
	f.note(in)
	return &kms.CreateKeyOutput{KeyMetadata: f.metadata()}, nil
}

func (f *keys) DescribeKey(context.Context, *kms.DescribeKeyInput) (*kms.DescribeKeyOutput, error) {
	return &kms.DescribeKeyOutput{KeyMetadata: f.metadata()}, nil
}

func (f *keys) EnableKeyRotation(_ context.Context, in *kms.EnableKeyRotationInput) (*kms.EnableKeyRotationOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *keys) DisableKeyRotation(_ context.Context, in *kms.DisableKeyRotationInput) (*kms.DisableKeyRotationOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *keys) EnableKey(_ context.Context, in *kms.EnableKeyInput) (*kms.EnableKeyOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *keys) DisableKey(_ context.Context, in *kms.DisableKeyInput) (*kms.DisableKeyOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *keys) PutKeyPolicy(_ context.Context, in *kms.PutKeyPolicyInput) (*kms.PutKeyPolicyOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *keys) TagResource(_ context.Context, in *kms.TagResourceInput) (*kms.TagResourceOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *keys) UntagResource(_ context.Context, in *kms.UntagResourceInput) (*kms.UntagResourceOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *keys) ScheduleKeyDeletion(_ context.Context, in *kms.ScheduleKeyDeletionInput) (*kms.ScheduleKeyDeletionOutput, error) {
	f.note(in)
	if f.pending {
		return nil, &types.KMSInvalidStateException{Message: aws.String("k is pending deletion.")}
	}
	f.pending = true
	return nil, nil
}

func TestAKeyIsMadeWithItsPolicyTagsAndRotation(t *testing.T) {
	fake := &keys{}
	result, err := provider(t, resources.Services{Keys: fake}, "AWS::KMS::Key").Create(context.Background(), request(t, `{
		"Description": "d", "EnableKeyRotation": "true", "PendingWindowInDays": 7,
		"KeyPolicy": {"Version": "2012-10-17", "Statement": [{"Action": "kms:*<>"}]},
		"Tags": [{"Key": "EventBridgeApiDestinations", "Value": true}]}`))
	check(t, err)
	wantResult(t, result, cloudformation.Result{PhysicalID: "k", Attributes: map[string]any{"Arn": "arn:k", "KeyId": "k"}})
	wantCalls(t, fake.take(),
		&kms.CreateKeyInput{
			Description: aws.String("d"),
			Policy:      aws.String(`{"Statement":[{"Action":"kms:*<>"}],"Version":"2012-10-17"}`),
			Tags:        []types.Tag{{TagKey: aws.String("EventBridgeApiDestinations"), TagValue: aws.String("true")}},
		},
		&kms.EnableKeyRotationInput{KeyId: aws.String("k")})
}

func TestAnUpdateOfAKeySendsWhatHasChanged(t *testing.T) {
	fake := &keys{}
	_, err := provider(t, resources.Services{Keys: fake}, "AWS::KMS::Key").Update(context.Background(), change(t, "k",
		`{"Description": "d", "EnableKeyRotation": true, "KeyPolicy": {"Statement": []}, "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "1"}, {"Key": "c", "Value": "1"}]}`,
		`{"Description": "d", "Enabled": false, "KeyPolicy": {"Statement": [{}]}, "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]}`))
	check(t, err)
	wantCalls(t, fake.take(),
		&kms.PutKeyPolicyInput{KeyId: aws.String("k"), Policy: aws.String(`{"Statement":[{}]}`)},
		&kms.DisableKeyRotationInput{KeyId: aws.String("k")},
		&kms.DisableKeyInput{KeyId: aws.String("k")},
		&kms.UntagResourceInput{KeyId: aws.String("k"), TagKeys: []string{"c"}},
		&kms.TagResourceInput{KeyId: aws.String("k"), Tags: []types.Tag{{TagKey: aws.String("b"), TagValue: aws.String("2")}}})
}

func TestAKeyIsEnabledBeforeAnythingElse(t *testing.T) {
	fake := &keys{}
	_, err := provider(t, resources.Services{Keys: fake}, "AWS::KMS::Key").Update(context.Background(),
		change(t, "k", `{"Enabled": false}`, `{"EnableKeyRotation": true}`))
	check(t, err)
	wantCalls(t, fake.take(), &kms.EnableKeyInput{KeyId: aws.String("k")}, &kms.EnableKeyRotationInput{KeyId: aws.String("k")})
}

func TestAnUpdateNeverReplacesAKey(t *testing.T) {
	_, err := provider(t, resources.Services{Keys: &keys{}}, "AWS::KMS::Key").Update(context.Background(),
		change(t, "k", `{}`, `{"KeySpec": "RSA_2048"}`))
	wantError(t, err, "KeySpec of ")
}

func TestAKeyIsScheduledForDeletionOnce(t *testing.T) {
	fake := &keys{}
	p := provider(t, resources.Services{Keys: fake}, "AWS::KMS::Key")
	r := request(t, `{"PendingWindowInDays": 7}`)
	r.PhysicalID = "k"
	check(t, p.Delete(context.Background(), r))
	wantCalls(t, fake.take(), &kms.ScheduleKeyDeletionInput{KeyId: aws.String("k"), PendingWindowInDays: aws.Int32(7)})
	check(t, p.Delete(context.Background(), r))
}
