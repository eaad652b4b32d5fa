package cognito

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// supportedClientFields are those that token requests depend on and those that
// concern only users' sessions, which are stored and returned.
var supportedClientFields = slices.Clip([]string{
	"UserPoolId", "ClientName", "AccessTokenValidity", "AllowedOAuthFlows", "AllowedOAuthFlowsUserPoolClient", "AllowedOAuthScopes",
	"AuthSessionValidity", "EnablePropagateAdditionalUserContextData", "EnableTokenRevocation", "ExplicitAuthFlows", "IdTokenValidity",
	"PreventUserExistenceErrors", "ReadAttributes", "RefreshTokenValidity", "SupportedIdentityProviders", "TokenValidityUnits", "WriteAttributes",
})

// configure gives c new settings, or returns what is wrong with them.
func (s *Service) configure(p *pool, c *client, in *cognitoidentityprovider.UpdateUserPoolClientInput) error {
	next := types.UserPoolClientType{
		ClientId:                                 c.settings.ClientId,
		UserPoolId:                               c.settings.UserPoolId,
		CreationDate:                             c.settings.CreationDate,
		LastModifiedDate:                         aws.Time(s.Clock.Now()),
		ClientName:                               c.settings.ClientName,
		AccessTokenValidity:                      in.AccessTokenValidity,
		AllowedOAuthFlows:                        in.AllowedOAuthFlows,
		AllowedOAuthFlowsUserPoolClient:          aws.Bool(in.AllowedOAuthFlowsUserPoolClient),
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
	}
	if in.ClientName != nil {
		if err := expect("clientName", in.ClientName, friendlyName()); err != nil {
			return err
		}
		next.ClientName = in.ClientName
	}
	if next.EnableTokenRevocation == nil {
		next.EnableTokenRevocation = aws.Bool(true)
	}
	if next.RefreshTokenValidity == 0 {
		next.RefreshTokenValidity = 30
	}
	if err := validFlows(p, c, next); err != nil {
		return err
	}
	if _, err := accessTokenLifetime(next); err != nil {
		return err
	}
	c.settings = next
	return nil
}

// validFlows checks what a client that is for machines must have.
// https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints-oauth-grants.html
func validFlows(p *pool, c *client, settings types.UserPoolClientType) error {
	for _, flow := range settings.AllowedOAuthFlows {
		if flow != types.OAuthFlowTypeClientCredentials {
			return invalid("AllowedOAuthFlows: %s is not supported by the local endpoint: use client_credentials.", flow)
		}
		if len(c.secrets) == 0 {
			return &types.InvalidOAuthFlowException{Message: aws.String("client_credentials flow can not be selected if client does not have a client secret.")}
		}
	}
	for _, scope := range settings.AllowedOAuthScopes {
		if !p.hasScope(scope) {
			return &types.ScopeDoesNotExistException{Message: aws.String("The scope " + scope + " does not exist: create it with a resource server of the user pool.")}
		}
	}
	if *settings.AllowedOAuthFlowsUserPoolClient && (len(settings.AllowedOAuthFlows) == 0 || len(settings.AllowedOAuthScopes) == 0) {
		return invalid("AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows.")
	}
	return nil
}

// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html
const (
	defaultAccessTokenLifetime = time.Hour
	minAccessTokenLifetime     = 5 * time.Minute
	maxAccessTokenLifetime     = 24 * time.Hour
)

func accessTokenLifetime(settings types.UserPoolClientType) (time.Duration, error) {
	units := map[types.TimeUnitsType]time.Duration{
		types.TimeUnitsTypeSeconds: time.Second,
		types.TimeUnitsTypeMinutes: time.Minute,
		types.TimeUnitsTypeHours:   time.Hour,
		types.TimeUnitsTypeDays:    24 * time.Hour,
	}
	unit := types.TimeUnitsTypeHours
	if settings.TokenValidityUnits != nil && settings.TokenValidityUnits.AccessToken != "" {
		unit = settings.TokenValidityUnits.AccessToken
	}
	length, known := units[unit]
	if !known {
		return 0, invalid("TokenValidityUnits.AccessToken: %s is no unit: use seconds, minutes, hours or days.", unit)
	}
	if aws.ToInt32(settings.AccessTokenValidity) == 0 {
		return defaultAccessTokenLifetime, nil
	}
	lifetime := time.Duration(*settings.AccessTokenValidity) * length
	if lifetime < minAccessTokenLifetime || lifetime > maxAccessTokenLifetime {
		return 0, invalid("Invalid range for token validity: AccessTokenValidity must be between 5 minutes and 1 day.")
	}
	return lifetime, nil
}
