// Package envelope encrypts data under a data key: AES-256-GCM with a random
// nonce in front. It is what KMS does with its keys and what services do with
// the data keys that KMS makes for them.
// https://docs.aws.amazon.com/kms/latest/developerguide/kms-cryptography.html
package envelope

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
)

// Seal encrypts plaintext; the same context is needed to open it again.
func Seal(key, plaintext, context []byte) ([]byte, error) {
	box, err := cipherOf(key)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, box.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return box.Seal(nonce, nonce, plaintext, context), nil
}

// Open decrypts what Seal made. The error does not tell what is wrong: key,
// context, or a byte of the data.
func Open(key, sealed, context []byte) ([]byte, error) {
	box, err := cipherOf(key)
	if err != nil {
		return nil, err
	}
	if len(sealed) < box.NonceSize() {
		return nil, errors.New("the sealed data is too short")
	}
	return box.Open(nil, sealed[:box.NonceSize()], sealed[box.NonceSize():], context)
}

func cipherOf(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
