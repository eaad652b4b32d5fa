package eventbridge

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
)

// lock is the data key under which a customer managed key holds an event. The
// zero lock is the AWS owned key's, which always opens.
type lock struct {
	busARN string
	sealed []byte // the data key, encrypted
}

// seal asks the key of a bus, or of an archive of it, for an event's data key.
func (s *Service) seal(ctx context.Context, busARN string, key *string) (lock, error) {
	if key == nil {
		return lock{}, nil
	}
	return s.dataKey(asService(ctx, busARN), busARN, key)
}

func (s *Service) dataKey(ctx context.Context, busARN string, key *string) (lock, error) {
	out, err := s.Keys.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{
		KeyId: key, KeySpec: kmstypes.DataKeySpecAes256, EncryptionContext: busContext(busARN),
	})
	if err != nil {
		return lock{}, err
	}
	return lock{busARN: busARN, sealed: out.CiphertextBlob}, nil
}

// open asks for the data key again, as every attempt at delivery has to, so
// that a key that is disabled in the meantime stops the event.
func (s *Service) open(ctx context.Context, l lock) error {
	if l.sealed == nil {
		return nil
	}
	_, err := s.Keys.Decrypt(asService(ctx, l.busARN), &kms.DecryptInput{
		CiphertextBlob: l.sealed, EncryptionContext: busContext(l.busARN),
	})
	return err
}

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-cmkey.html
func busContext(busARN string) map[string]string {
	return map[string]string{"aws:events:event-bus:arn": busARN}
}

func (s *Service) checkBusKey(ctx context.Context, busARN string, key *string) error {
	if value(key) == "" {
		return nil
	}
	_, err := s.checkKey(asService(ctx, busARN), key)
	return err
}

// checkKey returns the key's ARN, or an error unless the key can encrypt.
func (s *Service) checkKey(ctx context.Context, key *string) (arn *string, err error) {
	described, err := s.Keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key})
	if err != nil {
		return nil, relay(err)
	}
	metadata := described.KeyMetadata
	switch {
	case metadata.KeyState != kmstypes.KeyStateEnabled:
		return nil, invalid("KMS key %s is %s: enable it and try again.", *key, inWords(metadata.KeyState))
	case metadata.KeySpec != kmstypes.KeySpecSymmetricDefault || metadata.KeyUsage != kmstypes.KeyUsageTypeEncryptDecrypt:
		return nil, invalid("KMS key %s is not a symmetric encryption key: use one of key spec SYMMETRIC_DEFAULT.", *key)
	}
	return metadata.Arn, nil
}

func inWords(state kmstypes.KeyState) string {
	if state == kmstypes.KeyStatePendingDeletion {
		return "pending deletion"
	}
	return strings.ToLower(string(state))
}

// checkArchiveKey returns the key's ARN, or an error unless archives can be
// encrypted with it. AWS documents what EventBridge itself needs; that the
// caller needs kms:GenerateDataKey was seen at AWS.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/encryption-archives.html
func (s *Service) checkArchiveKey(ctx context.Context, busARN string, key *string) (string, error) {
	if value(key) == "" {
		return "", nil
	}
	service := asService(ctx, busARN)
	described, err := s.Keys.DescribeKey(service, &kms.DescribeKeyInput{KeyId: key})
	if err != nil {
		return "", invalid("%s", keyReason(err))
	}
	sealed, err := s.seal(service, busARN, key)
	if err == nil {
		err = s.open(service, sealed)
	}
	if err != nil {
		return "", invalid("%s", keyReason(err))
	}
	if _, err := s.dataKey(s.onBehalf(ctx), busARN, key); err != nil {
		return "", invalid("KMS key %s cannot be used on your behalf: %s. Allow yourself kms:GenerateDataKey on it.", *key, failureOf(err).message)
	}
	return *described.KeyMetadata.Arn, nil
}

// keyReason is why EventBridge cannot use an archive's key, in AWS's words where
// they are known.
func keyReason(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "NotFoundException" {
		return "The provided KMS key does not exist. Please ensure that the key identifier is correct and your key exists in the same region as the event source."
	}
	failure := failureOf(err)
	if failure.code != "NO_PERMISSIONS" {
		return failure.message
	}
	return "events.amazonaws.com is not authorized to access the key because the resource does not exist in this Region, " +
		"no resource-based policies allow access, or a resource-based policy explicitly denies access. " +
		"Please ensure that events.amazonaws.com has permissions to access required KMS APIs."
}

// reseal puts what one key holds under another one, or under the AWS owned key,
// for which the old one has to open it.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/encryption-archives.html
func (s *Service) reseal(ctx context.Context, l lock, busARN string, key *string) (lock, error) {
	switch {
	case l.sealed == nil:
		return s.seal(ctx, busARN, key)
	case key == nil:
		return lock{}, s.open(ctx, l)
	}
	out, err := s.Keys.ReEncrypt(asService(ctx, busARN), &kms.ReEncryptInput{
		CiphertextBlob: l.sealed, SourceEncryptionContext: busContext(l.busARN), DestinationKeyId: key, DestinationEncryptionContext: busContext(busARN),
	})
	if err != nil {
		return lock{}, err
	}
	return lock{busARN: busARN, sealed: out.CiphertextBlob}, nil
}

// keyTag lets the service-linked role use a key for connections.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/encryption-connections.html
const keyTag = "EventBridgeApiDestinations"

// checkConnectionKey returns an error unless connections can be encrypted with
// the key. A caller who may not see the key's tags passes, since AWS does not
// ask callers for that: the service-linked role will be refused later.
func (s *Service) checkConnectionKey(ctx context.Context, key *string) error {
	if value(key) == "" {
		return nil
	}
	ctx = s.onBehalf(ctx)
	arn, err := s.checkKey(ctx, key)
	if err != nil {
		return err
	}
	listed, err := s.Keys.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: arn})
	if err != nil {
		return nil
	}
	for _, tag := range listed.Tags {
		if value(tag.TagKey) == keyTag && value(tag.TagValue) == "true" {
			return nil
		}
	}
	return invalid("KMS key %s lacks the tag %s=true, without which EventBridge may not use it for connections: "+
		"add it (aws kms tag-resource --key-id %s --tags TagKey=%s,TagValue=true).", *key, keyTag, *key, keyTag)
}

// relay makes another service's refusal this operation's own.
func relay(err error) error {
	failure := failureOf(err)
	if failure.code == "NO_PERMISSIONS" {
		return accessDenied(failure.message)
	}
	return invalid("%s", failure.message)
}

func accessDenied(message string) error {
	return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: message, Fault: smithy.FaultClient}
}
