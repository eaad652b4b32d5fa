package kms

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"api-destination-credentials/local/envelope"
	"github.com/google/uuid"
)

// maxPlaintext is what a key encrypts directly, in bytes.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html
const maxPlaintext = 4096

// idLength is that of the key id in front of every ciphertext.
const idLength = 36

func newMaterial() []byte { return random(32) }

// random never fails: crypto/rand ends the program rather than return less.
// https://pkg.go.dev/crypto/rand#Read
func random(length int) []byte {
	made := make([]byte, length)
	_, _ = rand.Read(made)
	return made
}

// Encrypt encrypts up to 4,096 bytes.
func (s *Service) Encrypt(ctx context.Context, in *kms.EncryptInput) (*kms.EncryptOutput, error) {
	if len(in.Plaintext) == 0 || len(in.Plaintext) > maxPlaintext {
		return nil, validation(fmt.Sprintf("Plaintext has %d bytes; give 1 to %d", len(in.Plaintext), maxPlaintext))
	}
	if err := plain(in.DryRun, nil, in.EncryptionAlgorithm); err != nil {
		return nil, err
	}
	k, err := s.usable(ctx, "Encrypt", in.KeyId, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	sealed, err := k.seal(in.Plaintext, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &kms.EncryptOutput{CiphertextBlob: sealed, KeyId: aws.String(k.arn), EncryptionAlgorithm: types.EncryptionAlgorithmSpecSymmetricDefault}, nil
}

// Decrypt decrypts what Encrypt or GenerateDataKey made, with the same
// encryption context.
func (s *Service) Decrypt(ctx context.Context, in *kms.DecryptInput) (*kms.DecryptOutput, error) {
	if err := plain(in.DryRun, in.Recipient, in.EncryptionAlgorithm); err != nil {
		return nil, err
	}
	k, plaintext, err := s.decrypt(ctx, "Decrypt", in.CiphertextBlob, in.KeyId, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &kms.DecryptOutput{Plaintext: plaintext, KeyId: aws.String(k.arn), EncryptionAlgorithm: types.EncryptionAlgorithmSpecSymmetricDefault}, nil
}

// ReEncrypt encrypts under another key or encryption context, and shows nobody
// the plaintext.
func (s *Service) ReEncrypt(ctx context.Context, in *kms.ReEncryptInput) (*kms.ReEncryptOutput, error) {
	if err := plain(in.DryRun, nil, in.SourceEncryptionAlgorithm, in.DestinationEncryptionAlgorithm); err != nil {
		return nil, err
	}
	from, plaintext, err := s.decrypt(ctx, "ReEncryptFrom", in.CiphertextBlob, in.SourceKeyId, in.SourceEncryptionContext)
	if err != nil {
		return nil, err
	}
	to, err := s.usable(ctx, "ReEncryptTo", in.DestinationKeyId, in.DestinationEncryptionContext)
	if err != nil {
		return nil, err
	}
	sealed, err := to.seal(plaintext, in.DestinationEncryptionContext)
	if err != nil {
		return nil, err
	}
	return &kms.ReEncryptOutput{
		CiphertextBlob: sealed, KeyId: aws.String(to.arn), SourceKeyId: aws.String(from.arn),
		SourceEncryptionAlgorithm: types.EncryptionAlgorithmSpecSymmetricDefault, DestinationEncryptionAlgorithm: types.EncryptionAlgorithmSpecSymmetricDefault,
	}, nil
}

// GenerateDataKey makes a data key and encrypts it.
func (s *Service) GenerateDataKey(ctx context.Context, in *kms.GenerateDataKeyInput) (*kms.GenerateDataKeyOutput, error) {
	if err := plain(in.DryRun, in.Recipient); err != nil {
		return nil, err
	}
	length, err := dataKeyLength(in.KeySpec, in.NumberOfBytes)
	if err != nil {
		return nil, err
	}
	k, err := s.usable(ctx, "GenerateDataKey", in.KeyId, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	plaintext := random(length)
	sealed, err := k.seal(plaintext, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &kms.GenerateDataKeyOutput{Plaintext: plaintext, CiphertextBlob: sealed, KeyId: aws.String(k.arn)}, nil
}

// GenerateDataKeyWithoutPlaintext keeps the data key to itself.
func (s *Service) GenerateDataKeyWithoutPlaintext(ctx context.Context, in *kms.GenerateDataKeyWithoutPlaintextInput) (*kms.GenerateDataKeyWithoutPlaintextOutput, error) {
	if err := plain(in.DryRun, nil); err != nil {
		return nil, err
	}
	length, err := dataKeyLength(in.KeySpec, in.NumberOfBytes)
	if err != nil {
		return nil, err
	}
	k, err := s.usable(ctx, "GenerateDataKeyWithoutPlaintext", in.KeyId, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	sealed, err := k.seal(random(length), in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &kms.GenerateDataKeyWithoutPlaintextOutput{CiphertextBlob: sealed, KeyId: aws.String(k.arn)}, nil
}

// plain refuses what would change what an operation does.
func plain(dryRun *bool, recipient *types.RecipientInfo, algorithms ...types.EncryptionAlgorithmSpec) error {
	switch {
	case aws.ToBool(dryRun):
		return validation("DryRun: the local endpoint has no dry runs; leave it out")
	case recipient != nil:
		return validation("Recipient: the local endpoint has no enclaves; leave it out")
	}
	for _, algorithm := range algorithms {
		if algorithm != "" && algorithm != types.EncryptionAlgorithmSpecSymmetricDefault {
			return validation(fmt.Sprintf("EncryptionAlgorithm %s: the local endpoint encrypts with SYMMETRIC_DEFAULT only; leave it out", algorithm))
		}
	}
	return nil
}

// dataKeyLength is in bytes.
func dataKeyLength(spec types.DataKeySpec, bytes *int32) (int, error) {
	length := map[types.DataKeySpec]int{types.DataKeySpecAes256: 32, types.DataKeySpecAes128: 16}[spec]
	if bytes != nil {
		length = int(*bytes)
	}
	if length < 1 || length > 1024 || spec != "" && bytes != nil {
		return 0, validation("Please specify either number of bytes or key spec.")
	}
	return length, nil
}

// decrypt finds the key in the ciphertext; a key that is named must be that one.
func (s *Service) decrypt(ctx context.Context, action string, blob []byte, keyID *string, encryptionContext map[string]string) (*key, []byte, error) {
	if len(blob) <= idLength {
		return nil, nil, &types.InvalidCiphertextException{}
	}
	id := string(blob[:idLength])
	if uuid.Validate(id) != nil {
		return nil, nil, &types.InvalidCiphertextException{}
	}
	if keyID == nil {
		keyID = &id
	}
	k, err := s.usable(ctx, action, keyID, encryptionContext)
	if err != nil {
		return nil, nil, err
	}
	if k.id != id {
		return nil, nil, &types.IncorrectKeyException{Message: aws.String("The key ID in the request does not identify a CMK that can perform this operation.")}
	}
	plaintext, err := k.open(blob, encryptionContext)
	if err != nil {
		return nil, nil, err
	}
	return k, plaintext, nil
}

// usable finds a symmetric key that the caller may use and that is enabled.
func (s *Service) usable(ctx context.Context, action string, id *string, encryptionContext map[string]string) (*key, error) {
	k, err := s.allowed(ctx, action, id, encryptionContext)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	switch {
	case k.state() == types.KeyStatePendingDeletion:
		return nil, pendingDeletion(k)
	case k.state() == types.KeyStateDisabled:
		return nil, disabled(k)
	case k.material == nil:
		return nil, &types.InvalidKeyUsageException{Message: aws.String(fmt.Sprintf("%s key usage is %s with key spec %s, which is not valid for %s.", k.arn, k.usage, k.spec, action))}
	}
	return k, nil
}

// seal puts the key id in front of the ciphertext.
func (k *key) seal(plaintext []byte, encryptionContext map[string]string) ([]byte, error) {
	sealed, err := envelope.Seal(k.material, plaintext, canonical(encryptionContext))
	if err != nil {
		return nil, err
	}
	return append([]byte(k.id), sealed...), nil
}

func (k *key) open(blob []byte, encryptionContext map[string]string) ([]byte, error) {
	plaintext, err := envelope.Open(k.material, blob[idLength:], canonical(encryptionContext))
	if err != nil {
		return nil, &types.InvalidCiphertextException{}
	}
	return plaintext, nil
}

// canonical writes an encryption context so that no two are written alike.
func canonical(encryptionContext map[string]string) []byte {
	var text bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(encryptionContext)) {
		for _, part := range []string{name, encryptionContext[name]} {
			// Writing to memory does not fail.
			_ = binary.Write(&text, binary.BigEndian, uint32(len(part)))
			text.WriteString(part)
		}
	}
	return text.Bytes()
}
