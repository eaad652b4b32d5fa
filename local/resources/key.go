package resources

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"api-destination-credentials/local/cloudformation"
)

// Keys is AWS KMS.
type Keys interface {
	CreateKey(context.Context, *kms.CreateKeyInput) (*kms.CreateKeyOutput, error)
	DescribeKey(context.Context, *kms.DescribeKeyInput) (*kms.DescribeKeyOutput, error)
	UpdateKeyDescription(context.Context, *kms.UpdateKeyDescriptionInput) (*kms.UpdateKeyDescriptionOutput, error)
	PutKeyPolicy(context.Context, *kms.PutKeyPolicyInput) (*kms.PutKeyPolicyOutput, error)
	EnableKey(context.Context, *kms.EnableKeyInput) (*kms.EnableKeyOutput, error)
	DisableKey(context.Context, *kms.DisableKeyInput) (*kms.DisableKeyOutput, error)
	EnableKeyRotation(context.Context, *kms.EnableKeyRotationInput) (*kms.EnableKeyRotationOutput, error)
	DisableKeyRotation(context.Context, *kms.DisableKeyRotationInput) (*kms.DisableKeyRotationOutput, error)
	ScheduleKeyDeletion(context.Context, *kms.ScheduleKeyDeletionInput) (*kms.ScheduleKeyDeletionOutput, error)
	TagResource(context.Context, *kms.TagResourceInput) (*kms.TagResourceOutput, error)
	UntagResource(context.Context, *kms.UntagResourceInput) (*kms.UntagResourceOutput, error)
	CreateAlias(context.Context, *kms.CreateAliasInput) (*kms.CreateAliasOutput, error)
	UpdateAlias(context.Context, *kms.UpdateAliasInput) (*kms.UpdateAliasOutput, error)
	DeleteAlias(context.Context, *kms.DeleteAliasInput) (*kms.DeleteAliasOutput, error)
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html
type key struct{ keys Keys }

func (k key) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known(nil, "BypassPolicyLockoutSafetyCheck", "Description", "EnableKeyRotation", "Enabled", "KeyPolicy",
			"KeySpec", "KeyUsage", "MultiRegion", "Origin", "PendingWindowInDays", "RotationPeriodInDays", "Tags"),
		Create: k.create,
		Update: k.update,
		Delete: k.delete,
	}
}

func (k key) create(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	tags, err := tagsOf(r.Properties)
	if err != nil {
		return cloudformation.Result{}, err
	}
	keyPolicy, err := document(r.Properties["KeyPolicy"])
	if err != nil {
		return cloudformation.Result{}, err
	}
	made, err := call(ctx, k.keys.CreateKey, with(
		pick(r.Properties, "BypassPolicyLockoutSafetyCheck", "Description", "KeySpec", "KeyUsage", "MultiRegion", "Origin"),
		object{"Policy": keyPolicy, "Tags": tagKeysAndTagValues(tags)}))
	if err != nil {
		return cloudformation.Result{}, err
	}
	result := keyResult(made.KeyMetadata)
	if err := k.rotate(ctx, r, result.PhysicalID); err != nil {
		return result, err
	}
	return result, k.enable(ctx, r, result.PhysicalID)
}

// update refuses what would replace the key: AWS does not let an update delete
// a key by accident.
func (k key) update(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	if err := unchangeable(r, "KeySpec", "KeyUsage", "MultiRegion", "Origin"); err != nil {
		return cloudformation.Result{}, err
	}
	// A disabled key takes no changes of its rotation, so it is enabled first.
	wanted, err := enabled(r.Properties, "Enabled", true)
	if err != nil {
		return cloudformation.Result{}, err
	}
	steps := []func(context.Context, cloudformation.Request, string) error{k.describe, k.protect, k.rotate, k.enable, k.tag}
	if wanted {
		steps = []func(context.Context, cloudformation.Request, string) error{k.enable, k.describe, k.protect, k.rotate, k.tag}
	}
	for _, step := range steps {
		if err := step(ctx, r, r.PhysicalID); err != nil {
			return cloudformation.Result{}, err
		}
	}
	found, err := call(ctx, k.keys.DescribeKey, object{"KeyId": r.PhysicalID})
	if err != nil {
		return cloudformation.Result{}, err
	}
	return keyResult(found.KeyMetadata), nil
}

// delete schedules the deletion, after thirty days where the template does not
// say.
func (k key) delete(ctx context.Context, r cloudformation.Request) error {
	_, err := call(ctx, k.keys.ScheduleKeyDeletion, with(pick(r.Properties, "PendingWindowInDays"), object{"KeyId": r.PhysicalID}))
	if err == nil || isGone(err) {
		return nil
	}
	var state *types.KMSInvalidStateException
	if !errors.As(err, &state) {
		return err
	}
	found, describeErr := call(ctx, k.keys.DescribeKey, object{"KeyId": r.PhysicalID})
	if describeErr == nil && found.KeyMetadata.KeyState == types.KeyStatePendingDeletion {
		return nil
	}
	return err
}

func (k key) describe(ctx context.Context, r cloudformation.Request, id string) error {
	if !changed(r, "Description") {
		return nil
	}
	description, err := member[string](r.Properties, "Description")
	if err != nil {
		return err
	}
	return do(ctx, k.keys.UpdateKeyDescription, object{"KeyId": id, "Description": description})
}

func (k key) protect(ctx context.Context, r cloudformation.Request, id string) error {
	if !changed(r, "KeyPolicy") {
		return nil
	}
	keyPolicy, err := document(r.Properties["KeyPolicy"])
	if err != nil {
		return err
	}
	if keyPolicy == nil {
		return unchangeable(r, "KeyPolicy")
	}
	return do(ctx, k.keys.PutKeyPolicy, with(pick(r.Properties, "BypassPolicyLockoutSafetyCheck"), object{"KeyId": id, "Policy": keyPolicy}))
}

func (k key) rotate(ctx context.Context, r cloudformation.Request, id string) error {
	if !changed(r, "EnableKeyRotation", "RotationPeriodInDays") {
		return nil
	}
	wanted, err := enabled(r.Properties, "EnableKeyRotation", false)
	if err != nil {
		return err
	}
	if wanted {
		return do(ctx, k.keys.EnableKeyRotation, with(pick(r.Properties, "RotationPeriodInDays"), object{"KeyId": id}))
	}
	if r.OldProperties == nil {
		return nil
	}
	return do(ctx, k.keys.DisableKeyRotation, object{"KeyId": id})
}

func (k key) enable(ctx context.Context, r cloudformation.Request, id string) error {
	wanted, err := enabled(r.Properties, "Enabled", true)
	if err != nil {
		return err
	}
	was, err := enabled(r.OldProperties, "Enabled", true)
	if err != nil || was == wanted {
		return err
	}
	if wanted {
		return do(ctx, k.keys.EnableKey, object{"KeyId": id})
	}
	return do(ctx, k.keys.DisableKey, object{"KeyId": id})
}

func (k key) tag(ctx context.Context, r cloudformation.Request, id string) error {
	return retag(ctx, r, object{"KeyId": id}, tagKeysAndTagValues, k.keys.UntagResource, k.keys.TagResource)
}

func keyResult(metadata *types.KeyMetadata) cloudformation.Result {
	id := aws.ToString(metadata.KeyId)
	return cloudformation.Result{PhysicalID: id, Attributes: object{"Arn": aws.ToString(metadata.Arn), "KeyId": id}}
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-alias.html
type alias struct{ keys Keys }

func (a alias) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known([]string{"AliasName", "TargetKeyId"}),
		Replace:    []string{"AliasName"},
		Create: func(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
			name, err := member[string](r.Properties, "AliasName")
			if err != nil {
				return cloudformation.Result{}, err
			}
			return created(name, do(ctx, a.keys.CreateAlias, r.Properties))
		},
		Update: func(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
			return cloudformation.Result{PhysicalID: r.PhysicalID}, do(ctx, a.keys.UpdateAlias, r.Properties)
		},
		Delete: func(ctx context.Context, r cloudformation.Request) error {
			return unlessGone(do(ctx, a.keys.DeleteAlias, object{"AliasName": r.PhysicalID}))
		},
	}
}

// created is the result of a create whose physical id is all there is to know;
// after a failure there is nothing to roll back.
func created(id string, err error) (cloudformation.Result, error) {
	if err != nil {
		return cloudformation.Result{}, err
	}
	return cloudformation.Result{PhysicalID: id}, nil
}
