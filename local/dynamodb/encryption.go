package dynamodb

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"api-destination-credentials/local/access"
)

// encryption is a table's KMS key. A table without one is encrypted under a key
// that AWS owns, which nobody sees: here it is not encrypted.
type encryption struct {
	keyARN       string
	tableKey     []byte    // encrypts the items, itself encrypted under the KMS key
	inaccessible time.Time // when the KMS key was first seen to be unusable; zero while it is not
}

// managedKey is the one that AWS keeps for DynamoDB in the account.
const managedKey = "alias/aws/dynamodb"

// encrypt gives a table a key, or takes it away, and moves the items to it. The
// caller uses the key by way of DynamoDB, which also has itself granted the use
// of it for its work in the background.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
func (s *Service) encrypt(ctx context.Context, t *table, given *types.SSESpecification) error {
	wanted, err := s.keyFor(ctx, given)
	if err != nil {
		return err
	}
	if wanted == t.keyARN {
		if wanted != "" {
			return invalidValue("Table is already encrypted by given KMSMasterKeyId")
		}
		return nil
	}
	old, err := s.unlock(ctx, t)
	if err != nil {
		return err
	}
	changed, tableKey := encryption{keyARN: wanted}, []byte(nil)
	if wanted != "" {
		if _, err := s.config.Keys.CreateGrant(s.through(ctx), s.grant(t, wanted)); err != nil {
			return keyFailure(err)
		}
		if err := s.tryKey(ctx, t, wanted); err != nil {
			return keyFailure(err)
		}
		made, err := s.config.Keys.GenerateDataKey(s.through(ctx), &kms.GenerateDataKeyInput{
			KeyId: aws.String(wanted), NumberOfBytes: aws.Int32(32), EncryptionContext: s.encryptionContext(t),
		})
		if err != nil {
			return keyFailure(err)
		}
		changed.tableKey, tableKey = made.CiphertextBlob, made.Plaintext
	}
	if err := t.items.reencrypt(old, tableKey); err != nil {
		return err
	}
	t.encryption = changed
	return nil
}

// tryKey asks for what AWS wants allowed beside the data key, and does not say
// when it uses it: better here than at a deployment to AWS.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
func (s *Service) tryKey(ctx context.Context, t *table, key string) error {
	ctx, own := s.through(ctx), s.encryptionContext(t)
	sealed, err := s.config.Keys.Encrypt(ctx, &kms.EncryptInput{KeyId: aws.String(key), Plaintext: []byte(t.name), EncryptionContext: own})
	if err != nil {
		return err
	}
	_, err = s.config.Keys.ReEncrypt(ctx, &kms.ReEncryptInput{
		CiphertextBlob: sealed.CiphertextBlob, DestinationKeyId: aws.String(key), SourceEncryptionContext: own, DestinationEncryptionContext: own,
	})
	return err
}

// keyFor is the ARN of the key that a specification asks for; empty for AWS's own.
func (s *Service) keyFor(ctx context.Context, given *types.SSESpecification) (string, error) {
	if given == nil || !aws.ToBool(given.Enabled) {
		if given != nil && given.KMSMasterKeyId != nil {
			return "", invalidValue("KMSMasterKeyId can only be specified when SSE is enabled")
		}
		return "", nil
	}
	if given.SSEType != "" && given.SSEType != types.SSETypeKms {
		return "", invalid("SSEType is %s: give KMS", given.SSEType)
	}
	id := aws.ToString(given.KMSMasterKeyId)
	if id == "" {
		id = managedKey
	}
	described, err := s.config.Keys.DescribeKey(s.through(ctx), &kms.DescribeKeyInput{KeyId: aws.String(id)})
	if err != nil {
		return "", keyFailure(err)
	}
	return aws.ToString(described.KeyMetadata.Arn), nil
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html#dynamodb-kms-grants
func (s *Service) grant(t *table, keyARN string) *kms.CreateGrantInput {
	service := aws.String("dynamodb." + s.config.Account.Region + ".amazonaws.com")
	return &kms.CreateGrantInput{
		KeyId: aws.String(keyARN), GranteePrincipal: service, RetiringPrincipal: service,
		Operations: []kmstypes.GrantOperation{
			kmstypes.GrantOperationDecrypt, kmstypes.GrantOperationDescribeKey, kmstypes.GrantOperationEncrypt, kmstypes.GrantOperationGenerateDataKey,
			kmstypes.GrantOperationReEncryptFrom, kmstypes.GrantOperationReEncryptTo, kmstypes.GrantOperationRetireGrant,
		},
		Constraints: &kmstypes.GrantConstraints{EncryptionContextSubset: s.encryptionContext(t)},
	}
}

// unlock decrypts the table key, as the caller by way of DynamoDB. AWS keeps it
// for each caller until it was not used for five minutes; here every operation
// asks, so that a change of the key is felt at once.
func (s *Service) unlock(ctx context.Context, t *table) ([]byte, error) {
	if t.keyARN == "" {
		return nil, nil
	}
	made, err := s.config.Keys.Decrypt(s.through(ctx), &kms.DecryptInput{CiphertextBlob: t.tableKey, EncryptionContext: s.encryptionContext(t)})
	if err != nil {
		return nil, keyFailure(err)
	}
	return made.Plaintext, nil
}

// encryptionState tells INACCESSIBLE_ENCRYPTION_CREDENTIALS as soon as the
// caller may see that the key cannot be used. AWS archives a table after seven
// days of that; here it stays as it is, and is usable again with its key.
func (s *Service) encryptionState(ctx context.Context, t *table) (types.TableStatus, *types.SSEDescription) {
	if t.keyARN == "" {
		return types.TableStatusActive, nil
	}
	described, err := s.config.Keys.DescribeKey(s.through(ctx), &kms.DescribeKeyInput{KeyId: aws.String(t.keyARN)})
	var gone *kmstypes.NotFoundException
	switch {
	case errors.As(err, &gone), err == nil && described.KeyMetadata.KeyState != kmstypes.KeyStateEnabled:
		if t.inaccessible.IsZero() {
			t.inaccessible = s.config.Clock.Now()
		}
	case err == nil:
		t.inaccessible = time.Time{}
	}
	shown := &types.SSEDescription{Status: types.SSEStatusEnabled, SSEType: types.SSETypeKms, KMSMasterKeyArn: aws.String(t.keyARN)}
	if t.inaccessible.IsZero() {
		return types.TableStatusActive, shown
	}
	shown.InaccessibleEncryptionDateTime = aws.Time(t.inaccessible)
	return types.TableStatusInaccessibleEncryptionCredentials, shown
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html#dynamodb-encryption-context
func (s *Service) encryptionContext(t *table) map[string]string {
	return map[string]string{"aws:dynamodb:tableName": t.name, "aws:dynamodb:subscriberId": s.config.Account.ID}
}

func (s *Service) through(ctx context.Context) context.Context {
	return access.WithCaller(ctx, access.Caller(ctx).Through("dynamodb", s.config.Account.Region))
}

// keyFailure is what DynamoDB answers where KMS refuses. The words are those
// that users report; what it says of a disabled key is not documented.
// https://github.com/aws/aws-cdk/issues/10010
func keyFailure(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "KMS key access denied error: " + api.ErrorCode() + ": " + api.ErrorMessage()}
}
