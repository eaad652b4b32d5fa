package sqs

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"api-destination-credentials/local/access"
	"api-destination-credentials/local/envelope"
)

// seal encrypts the body. The caller needs the key by way of SQS.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
func (s *Service) seal(ctx context.Context, name, key string, m *message) error {
	made, err := s.config.Keys.GenerateDataKey(s.through(ctx), &kms.GenerateDataKeyInput{
		KeyId: aws.String(key), NumberOfBytes: aws.Int32(32), EncryptionContext: map[string]string{"aws:sqs:arn": s.arn(name)},
	})
	if err != nil {
		return keyFailure(err)
	}
	if m.body, err = envelope.Seal(made.Plaintext, m.body, nil); err != nil {
		return err
	}
	m.dataKey, m.sealedFor = made.CiphertextBlob, s.arn(name)
	return nil
}

// open decrypts the body, which in a dead-letter queue is still under the key of
// the queue that it came from.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html
func (s *Service) open(ctx context.Context, m *message) ([]byte, error) {
	if m.dataKey == nil {
		return m.body, nil
	}
	key, err := s.config.Keys.Decrypt(s.through(ctx), &kms.DecryptInput{
		CiphertextBlob: m.dataKey, EncryptionContext: map[string]string{"aws:sqs:arn": m.sealedFor},
	})
	if err != nil {
		return nil, keyFailure(err)
	}
	return envelope.Open(key.Plaintext, m.body, nil)
}

func (s *Service) through(ctx context.Context) context.Context {
	return access.WithCaller(ctx, access.Caller(ctx).Through("sqs", s.config.Account.Region))
}

// keyFailure gives KMS's errors the codes that SQS has for them.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func keyFailure(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	message := aws.String(api.ErrorMessage())
	switch api.ErrorCode() {
	case "AccessDeniedException":
		return &types.KmsAccessDenied{Message: message}
	case "DisabledException":
		return &types.KmsDisabled{Message: message}
	case "NotFoundException":
		return &types.KmsNotFound{Message: message}
	case "KMSInvalidStateException":
		return &types.KmsInvalidState{Message: message}
	case "InvalidKeyUsageException":
		return &types.KmsInvalidKeyUsage{Message: message}
	}
	return err
}
