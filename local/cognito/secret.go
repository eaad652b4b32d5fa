package cognito

import (
	"context"
	"crypto/subtle"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// maxSecrets lets an old and a new secret work side by side during a rotation.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AddUserPoolClientSecret.html
const maxSecrets = 2

type secret struct {
	id      string
	value   string
	created time.Time
}

var clientSecret = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w+]{24,64}$`) })

// AddUserPoolClientSecret adds a second secret. The value is returned only if
// Cognito made it. AWS does not say what happens to a value that the client has
// already; here it becomes a secret of its own.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AddUserPoolClientSecret.html
func (s *Service) AddUserPoolClientSecret(ctx context.Context, in *cognitoidentityprovider.AddUserPoolClientSecretInput) (*cognitoidentityprovider.AddUserPoolClientSecretOutput, error) {
	out := &cognitoidentityprovider.AddUserPoolClientSecretOutput{}
	err := s.onClient(ctx, "AddUserPoolClientSecret", in.UserPoolId, in.ClientId, func(_ *pool, c *client) error {
		if in.ClientSecret != nil {
			if err := validSecret(*in.ClientSecret); err != nil {
				return err
			}
		}
		if len(c.secrets) == 0 {
			return invalid("The user pool client %s has no secret to rotate: create it with GenerateSecret.", *in.ClientId)
		}
		if len(c.secrets) == maxSecrets {
			return &types.LimitExceededException{Message: aws.String("The user pool client has 2 secrets, the most there can be: delete one with DeleteUserPoolClientSecret.")}
		}
		if in.ClientSecret != nil {
			added := c.add(*in.ClientSecret, s.Clock.Now())
			out.ClientSecretDescriptor = added.descriptor()
			return nil
		}
		added := c.add(generatedSecret(), s.Clock.Now())
		out.ClientSecretDescriptor = added.descriptor()
		out.ClientSecretDescriptor.ClientSecretValue = aws.String(added.value)
		return nil
	})
	return out, err
}

// ListUserPoolClientSecrets returns ids and dates, never values.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListUserPoolClientSecrets.html
func (s *Service) ListUserPoolClientSecrets(ctx context.Context, in *cognitoidentityprovider.ListUserPoolClientSecretsInput) (*cognitoidentityprovider.ListUserPoolClientSecretsOutput, error) {
	out := &cognitoidentityprovider.ListUserPoolClientSecretsOutput{ClientSecrets: []types.ClientSecretDescriptorType{}}
	err := s.onClient(ctx, "ListUserPoolClientSecrets", in.UserPoolId, in.ClientId, func(_ *pool, c *client) error {
		for _, secret := range c.secrets {
			out.ClientSecrets = append(out.ClientSecrets, *secret.descriptor())
		}
		return nil
	})
	return out, err
}

// DeleteUserPoolClientSecret ends a secret at once; the last one stays.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_DeleteUserPoolClientSecret.html
func (s *Service) DeleteUserPoolClientSecret(ctx context.Context, in *cognitoidentityprovider.DeleteUserPoolClientSecretInput) (*cognitoidentityprovider.DeleteUserPoolClientSecretOutput, error) {
	err := s.onClient(ctx, "DeleteUserPoolClientSecret", in.UserPoolId, in.ClientId, func(_ *pool, c *client) error {
		if in.ClientSecretId == nil {
			return missing("clientSecretId")
		}
		i := slices.IndexFunc(c.secrets, func(secret secret) bool { return secret.id == *in.ClientSecretId })
		if i < 0 {
			return notFound("Client secret %s does not exist.", *in.ClientSecretId)
		}
		if len(c.secrets) == 1 {
			return invalid("The last secret of a user pool client cannot be deleted: add another one first.")
		}
		c.secrets = slices.Delete(c.secrets, i, i+1)
		return nil
	})
	return &cognitoidentityprovider.DeleteUserPoolClientSecretOutput{}, err
}

// add appends a secret under an id of its own.
func (c *client) add(value string, now time.Time) secret {
	epoch := now.Unix()
	id := fmt.Sprintf("%s--%d", *c.settings.ClientId, epoch)
	for slices.ContainsFunc(c.secrets, func(other secret) bool { return other.id == id }) {
		epoch++
		id = fmt.Sprintf("%s--%d", *c.settings.ClientId, epoch)
	}
	added := secret{id: id, value: value, created: now}
	c.secrets = append(c.secrets, added)
	return added
}

// accepts tells whether value is one of the client's secrets.
func (c *client) accepts(value string) bool {
	return slices.ContainsFunc(c.secrets, func(secret secret) bool {
		return subtle.ConstantTimeCompare([]byte(secret.value), []byte(value)) == 1
	})
}

func (s secret) descriptor() *types.ClientSecretDescriptorType {
	return &types.ClientSecretDescriptorType{ClientSecretId: aws.String(s.id), ClientSecretCreateDate: aws.Time(s.created)}
}

// validSecret says nothing of the value itself.
func validSecret(value string) error {
	if !clientSecret().MatchString(value) {
		return invalid(`1 validation error detected: Value at 'clientSecret' failed to satisfy constraint: Member must have length between 24 and 64 and satisfy regular expression pattern: [\w+]+`)
	}
	return nil
}

func generatedSecret() string { return random(51, lowerAlphanumeric) }
