package resources

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"api-destination-credentials/local/cloudformation"
)

// Cognito is Amazon Cognito user pools.
type Cognito interface {
	CreateUserPool(context.Context, *cognitoidentityprovider.CreateUserPoolInput) (*cognitoidentityprovider.CreateUserPoolOutput, error)
	DescribeUserPool(context.Context, *cognitoidentityprovider.DescribeUserPoolInput) (*cognitoidentityprovider.DescribeUserPoolOutput, error)
	UpdateUserPool(context.Context, *cognitoidentityprovider.UpdateUserPoolInput) (*cognitoidentityprovider.UpdateUserPoolOutput, error)
	DeleteUserPool(context.Context, *cognitoidentityprovider.DeleteUserPoolInput) (*cognitoidentityprovider.DeleteUserPoolOutput, error)
	CreateUserPoolDomain(context.Context, *cognitoidentityprovider.CreateUserPoolDomainInput) (*cognitoidentityprovider.CreateUserPoolDomainOutput, error)
	DeleteUserPoolDomain(context.Context, *cognitoidentityprovider.DeleteUserPoolDomainInput) (*cognitoidentityprovider.DeleteUserPoolDomainOutput, error)
	CreateResourceServer(context.Context, *cognitoidentityprovider.CreateResourceServerInput) (*cognitoidentityprovider.CreateResourceServerOutput, error)
	UpdateResourceServer(context.Context, *cognitoidentityprovider.UpdateResourceServerInput) (*cognitoidentityprovider.UpdateResourceServerOutput, error)
	DeleteResourceServer(context.Context, *cognitoidentityprovider.DeleteResourceServerInput) (*cognitoidentityprovider.DeleteResourceServerOutput, error)
	CreateUserPoolClient(context.Context, *cognitoidentityprovider.CreateUserPoolClientInput) (*cognitoidentityprovider.CreateUserPoolClientOutput, error)
	UpdateUserPoolClient(context.Context, *cognitoidentityprovider.UpdateUserPoolClientInput) (*cognitoidentityprovider.UpdateUserPoolClientOutput, error)
	DeleteUserPoolClient(context.Context, *cognitoidentityprovider.DeleteUserPoolClientInput) (*cognitoidentityprovider.DeleteUserPoolClientOutput, error)
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpool.html
type userPool struct{ cognito Cognito }

// fixedAtCreation are the properties of a pool that its update operation does
// not take.
var fixedAtCreation = []string{"AliasAttributes", "Schema", "UsernameAttributes", "UsernameConfiguration"}

func (p userPool) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known(nil, append([]string{"AccountRecoverySetting", "AdminCreateUserConfig", "AutoVerifiedAttributes",
			"DeletionProtection", "DeviceConfiguration", "EmailConfiguration", "EmailVerificationMessage", "EmailVerificationSubject",
			"LambdaConfig", "MfaConfiguration", "Policies", "SmsAuthenticationMessage", "SmsConfiguration", "SmsVerificationMessage",
			"UserAttributeUpdateSettings", "UserPoolAddOns", "UserPoolName", "UserPoolTags", "UserPoolTier",
			"VerificationMessageTemplate"}, fixedAtCreation...)...),
		Create: p.create,
		Update: p.update,
		Delete: func(ctx context.Context, r cloudformation.Request) error {
			return unlessGone(do(ctx, p.cognito.DeleteUserPool, object{"UserPoolId": r.PhysicalID}))
		},
	}
}

func (p userPool) create(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	name, err := given(r, "UserPoolName", ownName(r))
	if err != nil {
		return cloudformation.Result{}, err
	}
	made, err := call(ctx, p.cognito.CreateUserPool, with(r.Properties, object{"UserPoolName": nil, "PoolName": name}))
	if err != nil {
		return cloudformation.Result{}, err
	}
	return userPoolResult(made.UserPool), nil
}

// update sends every property: what is left out goes back to its default.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UpdateUserPool.html
func (p userPool) update(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	if err := unchangeable(r, fixedAtCreation...); err != nil {
		return cloudformation.Result{}, err
	}
	changes := object{"UserPoolId": r.PhysicalID, "UserPoolName": nil, "PoolName": r.Properties["UserPoolName"]}
	for _, name := range fixedAtCreation {
		changes[name] = nil
	}
	if err := do(ctx, p.cognito.UpdateUserPool, with(r.Properties, changes)); err != nil {
		return cloudformation.Result{}, err
	}
	found, err := call(ctx, p.cognito.DescribeUserPool, object{"UserPoolId": r.PhysicalID})
	if err != nil {
		return cloudformation.Result{}, err
	}
	return userPoolResult(found.UserPool), nil
}

func userPoolResult(pool *types.UserPoolType) cloudformation.Result {
	id, arn := aws.ToString(pool.Id), aws.ToString(pool.Arn)
	region, _, _ := strings.Cut(id, "_")
	provider := "cognito-idp." + region + ".amazonaws.com/" + id
	return cloudformation.Result{PhysicalID: id, Attributes: object{
		"Arn": arn, "ProviderName": provider, "ProviderURL": "https://" + provider, "UserPoolId": id,
	}}
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpooldomain.html
type userPoolDomain struct{ cognito Cognito }

func (d userPoolDomain) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known([]string{"Domain", "UserPoolId"}),
		Replace:    []string{"Domain", "UserPoolId"},
		Create: func(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
			domain, err := member[string](r.Properties, "Domain")
			if err != nil {
				return cloudformation.Result{}, err
			}
			return created(domain, do(ctx, d.cognito.CreateUserPoolDomain, r.Properties))
		},
		Delete: func(ctx context.Context, r cloudformation.Request) error {
			_, err := call(ctx, d.cognito.DeleteUserPoolDomain, with(pick(r.Properties, "UserPoolId"), object{"Domain": r.PhysicalID}))
			// Cognito calls a domain that does not exist an invalid parameter:
			// "No such domain or user pool exists."
			if err != nil && strings.Contains(err.Error(), "No such domain") {
				return nil
			}
			return unlessGone(err)
		},
	}
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpoolresourceserver.html
type resourceServer struct{ cognito Cognito }

func (s resourceServer) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known([]string{"Identifier", "Name", "UserPoolId"}, "Scopes"),
		Replace:    []string{"Identifier", "UserPoolId"},
		Create: func(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
			identifier, err := member[string](r.Properties, "Identifier")
			if err != nil {
				return cloudformation.Result{}, err
			}
			return created(identifier, do(ctx, s.cognito.CreateResourceServer, r.Properties))
		},
		Update: func(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
			return cloudformation.Result{PhysicalID: r.PhysicalID}, do(ctx, s.cognito.UpdateResourceServer, r.Properties)
		},
		Delete: func(ctx context.Context, r cloudformation.Request) error {
			return unlessGone(do(ctx, s.cognito.DeleteResourceServer, with(pick(r.Properties, "UserPoolId"), object{"Identifier": r.PhysicalID})))
		},
	}
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpoolclient.html
type userPoolClient struct{ cognito Cognito }

func (c userPoolClient) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known([]string{"UserPoolId"}, "AccessTokenValidity", "AllowedOAuthFlows", "AllowedOAuthFlowsUserPoolClient",
			"AllowedOAuthScopes", "AnalyticsConfiguration", "AuthSessionValidity", "CallbackURLs", "ClientName", "DefaultRedirectURI",
			"EnablePropagateAdditionalUserContextData", "EnableTokenRevocation", "ExplicitAuthFlows", "GenerateSecret", "IdTokenValidity",
			"LogoutURLs", "PreventUserExistenceErrors", "ReadAttributes", "RefreshTokenRotation", "RefreshTokenValidity",
			"SupportedIdentityProviders", "TokenValidityUnits", "WriteAttributes"),
		Replace: []string{"GenerateSecret", "UserPoolId"},
		Create:  c.create,
		Update:  c.update,
		Delete: func(ctx context.Context, r cloudformation.Request) error {
			return unlessGone(do(ctx, c.cognito.DeleteUserPoolClient, with(pick(r.Properties, "UserPoolId"), object{"ClientId": r.PhysicalID})))
		},
	}
}

func (c userPoolClient) create(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	name, err := given(r, "ClientName", ownName(r))
	if err != nil {
		return cloudformation.Result{}, err
	}
	made, err := call(ctx, c.cognito.CreateUserPoolClient, with(r.Properties, object{"ClientName": name}))
	if err != nil {
		return cloudformation.Result{}, err
	}
	return userPoolClientResult(made.UserPoolClient), nil
}

// update sends every property: what is left out goes back to its default.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UpdateUserPoolClient.html
func (c userPoolClient) update(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	made, err := call(ctx, c.cognito.UpdateUserPoolClient, with(r.Properties, object{"ClientId": r.PhysicalID, "GenerateSecret": nil}))
	if err != nil {
		return cloudformation.Result{}, err
	}
	return userPoolClientResult(made.UserPoolClient), nil
}

func userPoolClientResult(client *types.UserPoolClientType) cloudformation.Result {
	id := aws.ToString(client.ClientId)
	attributes := object{"ClientId": id, "Name": aws.ToString(client.ClientName)}
	if client.ClientSecret != nil {
		attributes["ClientSecret"] = *client.ClientSecret
	}
	return cloudformation.Result{PhysicalID: id, Attributes: attributes}
}
