package cognito

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// client is an app client; one without secrets is public.
type client struct {
	settings types.UserPoolClientType // without ClientSecret
	secrets  []secret                 // at most maxSecrets, the oldest first
}

// CreateUserPoolClient makes an app client. Of OAuth's flows it may have
// client_credentials, the one between machines.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html
func (s *Service) CreateUserPoolClient(ctx context.Context, in *cognitoidentityprovider.CreateUserPoolClientInput) (*cognitoidentityprovider.CreateUserPoolClientOutput, error) {
	out := &cognitoidentityprovider.CreateUserPoolClientOutput{}
	err := s.locked(ctx, "CreateUserPoolClient", in.UserPoolId, func(p *pool) error {
		if err := onlySupported(in, append(supportedClientFields, "GenerateSecret", "ClientSecret")...); err != nil {
			return err
		}
		if in.ClientName == nil {
			return missing("clientName")
		}
		c := &client{settings: types.UserPoolClientType{
			ClientId:     aws.String(random(26, lowerAlphanumeric)),
			UserPoolId:   in.UserPoolId,
			CreationDate: aws.Time(s.Clock.Now()),
		}}
		switch {
		case in.GenerateSecret && in.ClientSecret != nil:
			return invalid("GenerateSecret and ClientSecret cannot be used together: leave one of them out.")
		case in.GenerateSecret:
			c.add(generatedSecret(), s.Clock.Now())
		case in.ClientSecret != nil:
			if err := validSecret(*in.ClientSecret); err != nil {
				return err
			}
			c.add(*in.ClientSecret, s.Clock.Now())
		}
		if err := s.configure(p, c, &cognitoidentityprovider.UpdateUserPoolClientInput{
			ClientName:                               in.ClientName,
			AccessTokenValidity:                      in.AccessTokenValidity,
			AllowedOAuthFlows:                        in.AllowedOAuthFlows,
			AllowedOAuthFlowsUserPoolClient:          in.AllowedOAuthFlowsUserPoolClient,
			AllowedOAuthScopes:                       in.AllowedOAuthScopes,
			AuthSessionValidity:                      in.AuthSessionValidity,
			EnablePropagateAdditionalUserContextData: in.EnablePropagateAdditionalUserContextData,
			EnableTokenRevocation:                    in.EnableTokenRevocation,
			ExplicitAuthFlows:                        in.ExplicitAuthFlows,
			IdTokenValidity:                          in.IdTokenValidity,
			PreventUserExistenceErrors:               in.PreventUserExistenceErrors,
			ReadAttributes:                           in.ReadAttributes,
			RefreshTokenValidity:                     in.RefreshTokenValidity,
			SupportedIdentityProviders:               in.SupportedIdentityProviders,
			TokenValidityUnits:                       in.TokenValidityUnits,
			WriteAttributes:                          in.WriteAttributes,
		}); err != nil {
			return err
		}
		p.clients = append(p.clients, c)
		out.UserPoolClient = c.description()
		return nil
	})
	return out, err
}

// UpdateUserPoolClient replaces a client's settings: those that are left out go
// back to their defaults. Name and secrets stay.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UpdateUserPoolClient.html
func (s *Service) UpdateUserPoolClient(ctx context.Context, in *cognitoidentityprovider.UpdateUserPoolClientInput) (*cognitoidentityprovider.UpdateUserPoolClientOutput, error) {
	out := &cognitoidentityprovider.UpdateUserPoolClientOutput{}
	err := s.onClient(ctx, "UpdateUserPoolClient", in.UserPoolId, in.ClientId, func(p *pool, c *client) error {
		if err := onlySupported(in, append(supportedClientFields, "ClientId")...); err != nil {
			return err
		}
		if err := s.configure(p, c, in); err != nil {
			return err
		}
		out.UserPoolClient = c.description()
		return nil
	})
	return out, err
}

// DescribeUserPoolClient returns a client with its secret in the clear.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_DescribeUserPoolClient.html
func (s *Service) DescribeUserPoolClient(ctx context.Context, in *cognitoidentityprovider.DescribeUserPoolClientInput) (*cognitoidentityprovider.DescribeUserPoolClientOutput, error) {
	out := &cognitoidentityprovider.DescribeUserPoolClientOutput{}
	err := s.onClient(ctx, "DescribeUserPoolClient", in.UserPoolId, in.ClientId, func(_ *pool, c *client) error {
		out.UserPoolClient = c.description()
		return nil
	})
	return out, err
}

// DeleteUserPoolClient deletes a client; tokens it has stay good until they expire.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_DeleteUserPoolClient.html
func (s *Service) DeleteUserPoolClient(ctx context.Context, in *cognitoidentityprovider.DeleteUserPoolClientInput) (*cognitoidentityprovider.DeleteUserPoolClientOutput, error) {
	err := s.onClient(ctx, "DeleteUserPoolClient", in.UserPoolId, in.ClientId, func(p *pool, c *client) error {
		p.clients = slices.DeleteFunc(p.clients, func(other *client) bool { return other == c })
		return nil
	})
	return &cognitoidentityprovider.DeleteUserPoolClientOutput{}, err
}

// ListUserPoolClients returns a pool's clients in order of creation.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListUserPoolClients.html
func (s *Service) ListUserPoolClients(ctx context.Context, in *cognitoidentityprovider.ListUserPoolClientsInput) (*cognitoidentityprovider.ListUserPoolClientsOutput, error) {
	out := &cognitoidentityprovider.ListUserPoolClientsOutput{UserPoolClients: []types.UserPoolClientDescription{}}
	err := s.locked(ctx, "ListUserPoolClients", in.UserPoolId, func(p *pool) error {
		clients, next, err := page(p.clients, in.MaxResults, in.NextToken, 60)
		for _, c := range clients {
			out.UserPoolClients = append(out.UserPoolClients, types.UserPoolClientDescription{
				ClientId: c.settings.ClientId, ClientName: c.settings.ClientName, UserPoolId: c.settings.UserPoolId,
			})
		}
		out.NextToken = next
		return err
	})
	return out, err
}

func (s *Service) onClient(ctx context.Context, operation string, poolID, clientID *string, f func(*pool, *client) error) error {
	return s.locked(ctx, operation, poolID, func(p *pool) error {
		c := p.client(aws.ToString(clientID))
		if c == nil {
			return notFound("User pool client %s does not exist.", aws.ToString(clientID))
		}
		return f(p, c)
	})
}

func (p *pool) client(id string) *client {
	for _, c := range p.clients {
		if *c.settings.ClientId == id {
			return c
		}
	}
	return nil
}

// description shows the older of two secrets: AWS does not say which it shows.
func (c *client) description() *types.UserPoolClientType {
	description := c.settings
	if len(c.secrets) > 0 {
		description.ClientSecret = aws.String(c.secrets[0].value)
	}
	return &description
}
