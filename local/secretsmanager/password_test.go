package secretsmanager_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

func TestAPasswordHasTheTypesOfCharacterAskedFor(t *testing.T) {
	w := newWorld(t)
	const lower, upper, digits = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
	for name, c := range map[string]struct {
		in      secretsmanager.GetRandomPasswordInput
		length  int
		has     []string // at least one of each
		without string
	}{
		"usual":         {secretsmanager.GetRandomPasswordInput{}, 32, []string{lower, upper, digits, "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"}, " "},
		"three":         {secretsmanager.GetRandomPasswordInput{PasswordLength: aws.Int64(3), ExcludePunctuation: aws.Bool(true)}, 3, []string{lower, upper, digits}, ":"},
		"digits":        {secretsmanager.GetRandomPasswordInput{ExcludeLowercase: aws.Bool(true), ExcludeUppercase: aws.Bool(true), ExcludePunctuation: aws.Bool(true)}, 32, []string{digits}, lower + upper},
		"no colon":      {secretsmanager.GetRandomPasswordInput{PasswordLength: aws.Int64(4096), ExcludeCharacters: aws.String(":/a")}, 4096, []string{lower, upper}, ":/a"},
		"no need to be": {secretsmanager.GetRandomPasswordInput{PasswordLength: aws.Int64(1), RequireEachIncludedType: aws.Bool(false)}, 1, nil, " "},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := w.GetRandomPassword(t.Context(), &c.in)
			must(t, err)
			made := aws.ToString(out.RandomPassword)
			if len(made) != c.length || strings.ContainsAny(made, c.without) {
				t.Errorf("%d characters with some of %q; want %d without", len(made), c.without, c.length)
			}
			for _, set := range c.has {
				if !strings.ContainsAny(made, set) {
					t.Errorf("none of %q", set)
				}
			}
		})
	}
	for name, in := range map[string]secretsmanager.GetRandomPasswordInput{
		"too short for each": {PasswordLength: aws.Int64(3)},
		"too long":           {PasswordLength: aws.Int64(4097)},
		"nothing left":       {ExcludeLowercase: aws.Bool(true), ExcludeUppercase: aws.Bool(true), ExcludeNumbers: aws.Bool(true), ExcludePunctuation: aws.Bool(true)},
	} {
		if _, err := w.GetRandomPassword(t.Context(), &in); code(err) != "InvalidParameterException" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
