package secretsmanager

import (
	"context"
	"crypto/rand"
	"math/big"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"api-destination-credentials/local/access"
)

// GetRandomPassword makes a password, by default of 32 letters, digits and
// punctuation marks with at least one of each type.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html
func (s *Service) GetRandomPassword(ctx context.Context, in *secretsmanager.GetRandomPasswordInput) (*secretsmanager.GetRandomPasswordOutput, error) {
	if err := s.Auth.Authorize(ctx, access.Request{Action: "secretsmanager:GetRandomPassword", Resource: "*"}); err != nil {
		return nil, err
	}
	length := int64(32)
	if in.PasswordLength != nil {
		length = *in.PasswordLength
	}
	if length < 1 || length > 4096 {
		return nil, invalidParameter("PasswordLength must be between 1 and 4096.")
	}
	sets := characterSets(in)
	if len(sets) == 0 {
		return nil, invalidParameter("Every character is excluded: exclude fewer.")
	}
	each := in.RequireEachIncludedType == nil || *in.RequireEachIncludedType
	if each && int(length) < len(sets) {
		return nil, invalidParameter("PasswordLength is too small for one character of each included type: raise it, or set RequireEachIncludedType to false.")
	}
	var made []byte
	if each {
		for _, set := range sets {
			made = append(made, set[below(len(set))])
		}
	}
	all := strings.Join(sets, "")
	for len(made) < int(length) {
		made = append(made, all[below(len(all))])
	}
	for i := len(made) - 1; i > 0; i-- {
		j := below(i + 1)
		made[i], made[j] = made[j], made[i]
	}
	return &secretsmanager.GetRandomPasswordOutput{RandomPassword: aws.String(string(made))}, nil
}

// characterSets are the included types, without the excluded characters.
func characterSets(in *secretsmanager.GetRandomPasswordInput) []string {
	var sets []string
	for _, set := range []struct {
		characters string
		included   bool
	}{
		{"abcdefghijklmnopqrstuvwxyz", !aws.ToBool(in.ExcludeLowercase)},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZ", !aws.ToBool(in.ExcludeUppercase)},
		{"0123456789", !aws.ToBool(in.ExcludeNumbers)},
		{"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", !aws.ToBool(in.ExcludePunctuation)},
		{" ", aws.ToBool(in.IncludeSpace)},
	} {
		left := strings.Map(func(r rune) rune {
			if strings.ContainsRune(aws.ToString(in.ExcludeCharacters), r) {
				return -1
			}
			return r
		}, set.characters)
		if set.included && left != "" {
			sets = append(sets, left)
		}
	}
	return sets
}

// below is a random number from 0 to n-1.
func below(n int) int {
	drawn, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return int(drawn.Int64())
}
