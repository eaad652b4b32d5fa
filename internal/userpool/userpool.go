// Package userpool is the Cognito user pool of an app client, as the rotation and
// the follower use it: to give the app client another secret and to end an old one.
package userpool

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"api-destination-credentials/internal/credentials"
	"api-destination-credentials/internal/secret"
)

// API is what is asked of Cognito.
// https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-client-apps.html
type API interface {
	AddUserPoolClientSecret(context.Context, *cognitoidentityprovider.AddUserPoolClientSecretInput, ...func(*cognitoidentityprovider.Options)) (*cognitoidentityprovider.AddUserPoolClientSecretOutput, error)
	ListUserPoolClientSecrets(context.Context, *cognitoidentityprovider.ListUserPoolClientSecretsInput, ...func(*cognitoidentityprovider.Options)) (*cognitoidentityprovider.ListUserPoolClientSecretsOutput, error)
	DeleteUserPoolClientSecret(context.Context, *cognitoidentityprovider.DeleteUserPoolClientSecretInput, ...func(*cognitoidentityprovider.Options)) (*cognitoidentityprovider.DeleteUserPoolClientSecretOutput, error)
}

// UserPool is a credentials.Provider. Its errors are Cognito's own.
type UserPool struct {
	API API
	ID  string
}

// ClientSecrets lists the secrets of an app client, of which there are two at most.
func (p UserPool) ClientSecrets(ctx context.Context, client string) ([]credentials.ClientSecret, error) {
	listed, err := p.API.ListUserPoolClientSecrets(ctx, &cognitoidentityprovider.ListUserPoolClientSecretsInput{
		UserPoolId: aws.String(p.ID), ClientId: aws.String(client),
	})
	if err != nil {
		return nil, err
	}
	var all []credentials.ClientSecret
	for _, one := range listed.ClientSecrets {
		all = append(all, credentials.ClientSecret{ID: aws.ToString(one.ClientSecretId), Made: aws.ToTime(one.ClientSecretCreateDate)})
	}
	return all, nil
}

// AddClientSecret makes Cognito accept value beside the app client's other secret.
func (p UserPool) AddClientSecret(ctx context.Context, client string, value secret.Text) (string, error) {
	added, err := p.API.AddUserPoolClientSecret(ctx, &cognitoidentityprovider.AddUserPoolClientSecretInput{
		UserPoolId: aws.String(p.ID), ClientId: aws.String(client), ClientSecret: aws.String(value.Reveal()),
	})
	if err != nil {
		return "", err
	}
	return aws.ToString(added.ClientSecretDescriptor.ClientSecretId), nil
}

// DeleteClientSecret ends a client secret at once.
func (p UserPool) DeleteClientSecret(ctx context.Context, client, id string) error {
	_, err := p.API.DeleteUserPoolClientSecret(ctx, &cognitoidentityprovider.DeleteUserPoolClientSecretInput{
		UserPoolId: aws.String(p.ID), ClientId: aws.String(client), ClientSecretId: aws.String(id),
	})
	return err
}
