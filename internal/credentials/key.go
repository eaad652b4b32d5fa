package credentials

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// Keys is how the customer managed key is looked at.
type Keys interface {
	DescribeKey(context.Context, *kms.DescribeKeyInput, ...func(*kms.Options)) (*kms.DescribeKeyOutput, error)
	ListResourceTags(context.Context, *kms.ListResourceTagsInput, ...func(*kms.Options)) (*kms.ListResourceTagsOutput, error)
}

// keyTag has to be on a key before API destinations may use it.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/encryption-connections.html
const keyTag = "EventBridgeApiDestinations"

// checkKey returns an error unless EventBridge can encrypt a connection with the key.
func (s *Syncer) checkKey(ctx context.Context, arn string) error {
	described, err := s.Keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(arn)})
	if err != nil {
		return explain(err, "key %s cannot be described", arn)
	}
	key := described.KeyMetadata
	switch {
	case key.KeyManager != types.KeyManagerTypeCustomer:
		return fmt.Errorf("key %s is managed by AWS: name a customer managed key", arn)
	case key.KeySpec != types.KeySpecSymmetricDefault || key.KeyUsage != types.KeyUsageTypeEncryptDecrypt:
		return fmt.Errorf("key %s is a %s key for %s: EventBridge needs a symmetric key for encryption and decryption", arn, key.KeySpec, key.KeyUsage)
	case key.KeyState == types.KeyStateDisabled:
		return fmt.Errorf("key %s is disabled: enable it (aws kms enable-key --key-id %s) and try again", arn, arn)
	case key.KeyState == types.KeyStatePendingDeletion:
		return fmt.Errorf("key %s is pending deletion: cancel that (aws kms cancel-key-deletion --key-id %s), enable the key and try again", arn, arn)
	case key.KeyState != types.KeyStateEnabled:
		return fmt.Errorf("key %s is in state %s: wait until it is Enabled and try again", arn, key.KeyState)
	}
	tags, err := s.Keys.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: aws.String(arn)})
	if err != nil {
		return explain(err, "tags of key %s cannot be listed", arn)
	}
	if !slices.ContainsFunc(tags.Tags, func(tag types.Tag) bool {
		return aws.ToString(tag.TagKey) == keyTag && aws.ToString(tag.TagValue) == "true"
	}) {
		return fmt.Errorf("key %s lacks the tag %s=true without which EventBridge may not use it for a connection: add it (aws kms tag-resource --key-id %s --tags TagKey=%s,TagValue=true)", arn, keyTag, arn, keyTag)
	}
	return nil
}
