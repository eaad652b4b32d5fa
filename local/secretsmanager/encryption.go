package secretsmanager

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"

	"api-destination-credentials/local/access"
	"api-destination-credentials/local/envelope"
)

func (one *secret) keyID() string {
	if one.key == "" {
		return defaultKey
	}
	return one.key
}

// seal encrypts a value under a data key of the secret's key. The caller uses
// the key by way of Secrets Manager, for this secret and version.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
func (s *Service) seal(ctx context.Context, target *secret, v *version, given *value) error {
	made, err := s.Keys.GenerateDataKey(s.through(ctx), &kms.GenerateDataKeyInput{
		KeyId: aws.String(target.keyID()), NumberOfBytes: aws.Int32(32), EncryptionContext: target.context(v),
	})
	if err != nil {
		return keyFailure(err, func(message *string) error { return &types.EncryptionFailure{Message: message} })
	}
	sealed, err := envelope.Seal(made.Plaintext, given.data, nil)
	if err != nil {
		return err
	}
	v.text, v.sealed, v.dataKey = given.text, sealed, made.CiphertextBlob
	return nil
}

func (s *Service) open(ctx context.Context, target *secret, v *version) ([]byte, error) {
	key, err := s.Keys.Decrypt(s.through(ctx), &kms.DecryptInput{CiphertextBlob: v.dataKey, EncryptionContext: target.context(v)})
	if err != nil {
		return nil, keyFailure(err, func(message *string) error { return &types.DecryptionFailure{Message: message} })
	}
	return envelope.Open(key.Plaintext, v.sealed, nil)
}

// reencrypt moves every version to another key; nothing changes where one cannot be moved.
func (s *Service) reencrypt(ctx context.Context, target *secret, key string) error {
	moved := *target
	moved.key = key
	resealed := map[*version]version{}
	for _, v := range target.versions {
		if v.sealed == nil {
			continue
		}
		data, err := s.open(ctx, target, v)
		if err != nil {
			return err
		}
		copied := *v
		if err := s.seal(ctx, &moved, &copied, &value{v.text, data}); err != nil {
			return err
		}
		resealed[v] = copied
	}
	for v, copied := range resealed {
		*v = copied
	}
	target.key = key
	return nil
}

func (one *secret) context(v *version) map[string]string {
	return map[string]string{"SecretARN": one.arn, "SecretVersionId": v.id}
}

func (s *Service) through(ctx context.Context) context.Context {
	return access.WithCaller(ctx, access.Caller(ctx).Through("secretsmanager", s.Account.Region))
}

// keyFailure says what KMS said under a name of Secrets Manager's own.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
func keyFailure(err error, failure func(message *string) error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	if api.ErrorCode() == "AccessDeniedException" {
		return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "Access to KMS is not allowed: " + api.ErrorMessage()}
	}
	return failure(aws.String("KMS refused to use the secret's key: " + api.ErrorCode() + ": " + api.ErrorMessage()))
}
