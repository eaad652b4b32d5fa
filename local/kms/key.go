package kms

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"api-destination-credentials/local/access"
)

// CreateKey makes a key. Asymmetric and HMAC keys can be made and described
// and do nothing else.
func (s *Service) CreateKey(ctx context.Context, in *kms.CreateKeyInput) (*kms.CreateKeyOutput, error) {
	requested := map[string]string{}
	for _, tag := range in.Tags {
		requested["aws:RequestTag/"+aws.ToString(tag.TagKey)] = aws.ToString(tag.TagValue)
	}
	if err := s.Auth.Authorize(ctx, access.Request{Action: "kms:CreateKey", Resource: "*", Conditions: requested}); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	if aws.ToBool(in.MultiRegion) || in.CustomKeyStoreId != nil || in.XksKeyId != nil || in.Origin != "" && in.Origin != types.OriginTypeAwsKms {
		return nil, &types.UnsupportedOperationException{Message: aws.String("MultiRegion, CustomKeyStoreId, XksKeyId and Origin: the local endpoint makes plain keys of its own material; leave them out")}
	}
	made := s.newKey()
	made.description, made.tags = aws.ToString(in.Description), in.Tags
	if in.KeySpec != "" {
		made.spec = in.KeySpec
	}
	if in.KeyUsage != "" {
		made.usage = in.KeyUsage
	}
	if made.spec != types.KeySpecSymmetricDefault {
		made.material = nil
		if in.KeyUsage == "" {
			return nil, validation("You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.")
		}
	}
	if !slices.Contains(usages[made.spec], made.usage) {
		return nil, validation(fmt.Sprintf("KeyUsage %s is not compatible with KeySpec %s", made.usage, made.spec))
	}
	made.policy = aws.ToString(in.Policy)
	if made.policy == "" {
		// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
		made.policy = document(map[string]any{
			"Sid": "Enable IAM User Permissions", "Effect": "Allow", "Principal": map[string]any{"AWS": s.Account.RootARN()}, "Action": "kms:*", "Resource": "*",
		})
	}
	if err := s.checkPolicy(ctx, made, made.policy, in.BypassPolicyLockoutSafetyCheck); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = append(s.keys, made)
	return &kms.CreateKeyOutput{KeyMetadata: s.describe(made)}, nil
}

var (
	rsa  = []types.KeyUsageType{types.KeyUsageTypeEncryptDecrypt, types.KeyUsageTypeSignVerify}
	ecc  = []types.KeyUsageType{types.KeyUsageTypeSignVerify, types.KeyUsageTypeKeyAgreement}
	hmac = []types.KeyUsageType{types.KeyUsageTypeGenerateVerifyMac}
)

// usages are the kinds of key that can be made.
// https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html
var usages = map[types.KeySpec][]types.KeyUsageType{
	types.KeySpecSymmetricDefault: {types.KeyUsageTypeEncryptDecrypt},
	types.KeySpecRsa2048:          rsa,
	types.KeySpecRsa3072:          rsa,
	types.KeySpecRsa4096:          rsa,
	types.KeySpecEccNistP256:      ecc,
	types.KeySpecEccNistP384:      ecc,
	types.KeySpecEccNistP521:      ecc,
	types.KeySpecEccSecgP256k1:    {types.KeyUsageTypeSignVerify},
	types.KeySpecHmac224:          hmac,
	types.KeySpecHmac256:          hmac,
	types.KeySpecHmac384:          hmac,
	types.KeySpecHmac512:          hmac,
}

// checkPolicy refuses a policy that is no JSON object or that locks its author out.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#prevent-unmanageable-key
func (s *Service) checkPolicy(ctx context.Context, k *key, policy string, bypass bool) error {
	var object map[string]any
	if err := json.Unmarshal([]byte(policy), &object); err != nil || object["Statement"] == nil {
		return &types.MalformedPolicyDocumentException{Message: aws.String("The key policy is not a JSON object with statements")}
	}
	if bypass {
		return nil
	}
	s.mu.RLock()
	conditions := k.conditions(nil)
	s.mu.RUnlock()
	if err := s.Auth.Authorize(ctx, access.Request{
		Action: "kms:PutKeyPolicy", Resource: k.arn, Policy: policy, PolicyGoverns: true, Conditions: conditions,
	}); err != nil {
		return &types.MalformedPolicyDocumentException{Message: aws.String("The new key policy will not allow you to update the key policy in the future.")}
	}
	return nil
}

// DescribeKey shows a key.
func (s *Service) DescribeKey(ctx context.Context, in *kms.DescribeKeyInput) (*kms.DescribeKeyOutput, error) {
	found, err := s.allowed(ctx, "DescribeKey", in.KeyId, nil)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return &kms.DescribeKeyOutput{KeyMetadata: s.describe(found)}, nil
}

func (s *Service) describe(k *key) *types.KeyMetadata {
	shown := &types.KeyMetadata{
		KeyId: aws.String(k.id), Arn: aws.String(k.arn), AWSAccountId: aws.String(s.Account.ID), CreationDate: aws.Time(k.created),
		Description: aws.String(k.description), Enabled: k.state() == types.KeyStateEnabled, KeyState: k.state(), KeyManager: k.manager,
		KeySpec: k.spec, KeyUsage: k.usage, Origin: types.OriginTypeAwsKms, MultiRegion: aws.Bool(false),
	}
	if k.spec == types.KeySpecSymmetricDefault {
		shown.EncryptionAlgorithms = []types.EncryptionAlgorithmSpec{types.EncryptionAlgorithmSpecSymmetricDefault}
	}
	if !k.deletion.IsZero() {
		shown.DeletionDate = aws.Time(k.deletion)
	}
	return shown
}

// ListKeys lists every key.
func (s *Service) ListKeys(ctx context.Context, in *kms.ListKeysInput) (*kms.ListKeysOutput, error) {
	if err := s.Auth.Authorize(ctx, access.Request{Action: "kms:ListKeys", Resource: "*"}); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.purge()
	keys, next, err := page(s.keys, in.Limit, in.Marker, 100, 1000)
	if err != nil {
		return nil, err
	}
	listed := &kms.ListKeysOutput{Keys: []types.KeyListEntry{}, NextMarker: next, Truncated: next != nil}
	for _, k := range keys {
		listed.Keys = append(listed.Keys, types.KeyListEntry{KeyId: aws.String(k.id), KeyArn: aws.String(k.arn)})
	}
	return listed, nil
}

// EnableKey ends DisableKey.
func (s *Service) EnableKey(ctx context.Context, in *kms.EnableKeyInput) (*kms.EnableKeyOutput, error) {
	return &kms.EnableKeyOutput{}, s.change(ctx, "EnableKey", in.KeyId, func(k *key) error { k.disabled = false; return nil })
}

// DisableKey has everything refused that uses the key.
func (s *Service) DisableKey(ctx context.Context, in *kms.DisableKeyInput) (*kms.DisableKeyOutput, error) {
	return &kms.DisableKeyOutput{}, s.change(ctx, "DisableKey", in.KeyId, func(k *key) error { k.disabled = true; return nil })
}

// ScheduleKeyDeletion deletes a key after 7 to 30 days.
func (s *Service) ScheduleKeyDeletion(ctx context.Context, in *kms.ScheduleKeyDeletionInput) (*kms.ScheduleKeyDeletionOutput, error) {
	days := int32(30)
	if in.PendingWindowInDays != nil {
		days = *in.PendingWindowInDays
	}
	if days < 7 || days > 30 {
		return nil, validation(fmt.Sprintf("PendingWindowInDays %d: give 7 to 30 days", days))
	}
	answer := &kms.ScheduleKeyDeletionOutput{KeyState: types.KeyStatePendingDeletion, PendingWindowInDays: aws.Int32(days)}
	err := s.change(ctx, "ScheduleKeyDeletion", in.KeyId, func(k *key) error {
		k.deletion = s.Clock.Now().AddDate(0, 0, int(days))
		answer.KeyId, answer.DeletionDate = aws.String(k.arn), aws.Time(k.deletion)
		return nil
	})
	return answer, err
}

// CancelKeyDeletion keeps a key, disabled.
func (s *Service) CancelKeyDeletion(ctx context.Context, in *kms.CancelKeyDeletionInput) (*kms.CancelKeyDeletionOutput, error) {
	answer := &kms.CancelKeyDeletionOutput{}
	err := s.change(ctx, "CancelKeyDeletion", in.KeyId, func(k *key) error {
		if k.deletion.IsZero() {
			return &types.KMSInvalidStateException{Message: aws.String(k.arn + " is not pending deletion.")}
		}
		k.deletion, k.disabled = time.Time{}, true
		answer.KeyId = aws.String(k.arn)
		return nil
	})
	return answer, err
}

// UpdateKeyDescription changes the description.
func (s *Service) UpdateKeyDescription(ctx context.Context, in *kms.UpdateKeyDescriptionInput) (*kms.UpdateKeyDescriptionOutput, error) {
	return &kms.UpdateKeyDescriptionOutput{}, s.change(ctx, "UpdateKeyDescription", in.KeyId, func(k *key) error {
		k.description = aws.ToString(in.Description)
		return nil
	})
}

// PutKeyPolicy replaces the key policy.
func (s *Service) PutKeyPolicy(ctx context.Context, in *kms.PutKeyPolicyInput) (*kms.PutKeyPolicyOutput, error) {
	found, err := s.allowed(ctx, "PutKeyPolicy", in.KeyId, nil)
	if err != nil {
		return nil, err
	}
	if err := s.checkPolicy(ctx, found, aws.ToString(in.Policy), in.BypassPolicyLockoutSafetyCheck); err != nil {
		return nil, err
	}
	return &kms.PutKeyPolicyOutput{}, s.change(ctx, "PutKeyPolicy", in.KeyId, func(k *key) error { k.policy = aws.ToString(in.Policy); return nil })
}

// GetKeyPolicy reads the key policy, which is always called default.
func (s *Service) GetKeyPolicy(ctx context.Context, in *kms.GetKeyPolicyInput) (*kms.GetKeyPolicyOutput, error) {
	found, err := s.allowed(ctx, "GetKeyPolicy", in.KeyId, nil)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return &kms.GetKeyPolicyOutput{Policy: aws.String(found.policy), PolicyName: aws.String("default")}, nil
}

// EnableKeyRotation turns automatic rotation on, every 365 days by default.
func (s *Service) EnableKeyRotation(ctx context.Context, in *kms.EnableKeyRotationInput) (*kms.EnableKeyRotationOutput, error) {
	days := int32(365)
	if in.RotationPeriodInDays != nil {
		days = *in.RotationPeriodInDays
	}
	if days < 90 || days > 2560 {
		return nil, validation(fmt.Sprintf("RotationPeriodInDays %d: give 90 to 2560 days", days))
	}
	return &kms.EnableKeyRotationOutput{}, s.change(ctx, "EnableKeyRotation", in.KeyId, func(k *key) error {
		if k.spec != types.KeySpecSymmetricDefault {
			return &types.UnsupportedOperationException{Message: aws.String(k.arn + " is not a symmetric encryption key.")}
		}
		if k.disabled {
			return disabled(k)
		}
		k.rotationDays = days
		return nil
	})
}

// DisableKeyRotation turns it off.
func (s *Service) DisableKeyRotation(ctx context.Context, in *kms.DisableKeyRotationInput) (*kms.DisableKeyRotationOutput, error) {
	return &kms.DisableKeyRotationOutput{}, s.change(ctx, "DisableKeyRotation", in.KeyId, func(k *key) error {
		if k.disabled {
			return disabled(k)
		}
		k.rotationDays = 0
		return nil
	})
}

// GetKeyRotationStatus tells whether it is on.
func (s *Service) GetKeyRotationStatus(ctx context.Context, in *kms.GetKeyRotationStatusInput) (*kms.GetKeyRotationStatusOutput, error) {
	found, err := s.allowed(ctx, "GetKeyRotationStatus", in.KeyId, nil)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	// A key pending deletion does not rotate.
	// https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html
	answer := &kms.GetKeyRotationStatusOutput{KeyId: aws.String(found.arn), KeyRotationEnabled: found.rotationDays > 0 && found.deletion.IsZero()}
	if answer.KeyRotationEnabled {
		answer.RotationPeriodInDays = aws.Int32(found.rotationDays)
		period := time.Duration(found.rotationDays) * 24 * time.Hour
		answer.NextRotationDate = aws.Time(found.created.Add((s.Clock.Since(found.created)/period + 1) * period))
	}
	return answer, nil
}
