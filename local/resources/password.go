package resources

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"api-destination-credentials/local/wire"
)

// password generates a password by the rules of GetRandomPassword.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html
func password(rules object) (string, error) {
	var in secretsmanager.GetRandomPasswordInput
	if err := wire.Decode(rules, &in); err != nil {
		return "", err
	}
	kinds := alphabets(in)
	length := 32
	if in.PasswordLength != nil {
		length = int(*in.PasswordLength)
	}
	if len(kinds) == 0 || length < len(kinds) || length > 4096 {
		return "", fmt.Errorf("PasswordLength %d with %d kinds of characters: allow a kind, and a length from one of each to 4096", length, len(kinds))
	}
	all := strings.Join(kinds, "")
	var characters []byte
	if in.RequireEachIncludedType == nil || *in.RequireEachIncludedType {
		for _, kind := range kinds {
			characters = append(characters, kind[random(len(kind))])
		}
	}
	for len(characters) < length {
		characters = append(characters, all[random(len(all))])
	}
	for i := range characters {
		j := i + random(len(characters)-i)
		characters[i], characters[j] = characters[j], characters[i]
	}
	return string(characters), nil
}

// alphabets are the kinds of characters that are allowed, each without what is
// excluded.
func alphabets(in secretsmanager.GetRandomPasswordInput) []string {
	var kinds []string
	for _, kind := range []struct {
		characters string
		included   bool
	}{
		{"abcdefghijklmnopqrstuvwxyz", !aws.ToBool(in.ExcludeLowercase)},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZ", !aws.ToBool(in.ExcludeUppercase)},
		{"0123456789", !aws.ToBool(in.ExcludeNumbers)},
		{"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", !aws.ToBool(in.ExcludePunctuation)},
		{" ", aws.ToBool(in.IncludeSpace)},
	} {
		left := strings.Map(func(c rune) rune {
			if strings.ContainsRune(aws.ToString(in.ExcludeCharacters), c) {
				return -1
			}
			return c
		}, kind.characters)
		if kind.included && left != "" {
			kinds = append(kinds, left)
		}
	}
	return kinds
}

func random(below int) int {
	number, err := rand.Int(rand.Reader, big.NewInt(int64(below)))
	if err != nil {
		panic(err) // the system's randomness does not fail
	}
	return int(number.Int64())
}
