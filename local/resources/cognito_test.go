package resources_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"api-destination-credentials/local/cloudformation"
	"api-destination-credentials/local/resources"
)

type cognito struct {
	resources.Cognito
	calls
}

func (f *cognito) CreateUserPool(_ context.Context, in *cognitoidentityprovider.CreateUserPoolInput) (*cognitoidentityprovider.CreateUserPoolOutput, error) {
	f.note(in)
	return &cognitoidentityprovider.CreateUserPoolOutput{UserPool: &types.UserPoolType{Id: aws.String("eu-west-1_abc"), Arn: aws.String("arn:p")}}, nil
}

func (f *cognito) CreateUserPoolClient(_ context.Context, in *cognitoidentityprovider.CreateUserPoolClientInput) (*cognitoidentityprovider.CreateUserPoolClientOutput, error) {
	f.note(in)
	return &cognitoidentityprovider.CreateUserPoolClientOutput{UserPoolClient: &types.UserPoolClientType{
		ClientId: aws.String("c"), ClientName: in.ClientName, ClientSecret: aws.String("hidden"),
	}}, nil
}

func (f *cognito) DeleteUserPoolDomain(_ context.Context, in *cognitoidentityprovider.DeleteUserPoolDomainInput) (*cognitoidentityprovider.DeleteUserPoolDomainOutput, error) {
	f.note(in)
	return nil, &types.InvalidParameterException{Message: aws.String("No such domain or user pool exists.")}
}

func TestAUserPoolTellsItsIssuer(t *testing.T) {
	fake := &cognito{}
	result, err := provider(t, resources.Services{Cognito: fake}, "AWS::Cognito::UserPool").Create(context.Background(),
		request(t, `{"UserPoolName": "n", "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": "true"}}`))
	check(t, err)
	wantCalls(t, fake.take(), &cognitoidentityprovider.CreateUserPoolInput{
		PoolName: aws.String("n"), AdminCreateUserConfig: &types.AdminCreateUserConfigType{AllowAdminCreateUserOnly: true},
	})
	wantResult(t, result, cloudformation.Result{PhysicalID: "eu-west-1_abc", Attributes: map[string]any{
		"Arn":          "arn:p",
		"ProviderName": "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc",
		"ProviderURL":  "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc",
		"UserPoolId":   "eu-west-1_abc",
	}})
}

func TestAUserPoolKeepsWhatItsUpdateDoesNotTake(t *testing.T) {
	_, err := provider(t, resources.Services{Cognito: &cognito{}}, "AWS::Cognito::UserPool").Update(context.Background(),
		change(t, "p", `{}`, `{"AliasAttributes": ["email"]}`))
	wantError(t, err, "AliasAttributes of ")
}

func TestAClientTellsItsSecret(t *testing.T) {
	fake := &cognito{}
	result, err := provider(t, resources.Services{Cognito: fake}, "AWS::Cognito::UserPoolClient").Create(context.Background(), request(t,
		`{"UserPoolId": "p", "ClientName": "n", "GenerateSecret": true, "AllowedOAuthFlowsUserPoolClient": true,
			"AllowedOAuthFlows": ["client_credentials"], "AllowedOAuthScopes": ["events/write"],
			"TokenValidityUnits": {"AccessToken": "minutes"}, "AccessTokenValidity": 60}`))
	check(t, err)
	wantCalls(t, fake.take(), &cognitoidentityprovider.CreateUserPoolClientInput{
		UserPoolId: aws.String("p"), ClientName: aws.String("n"), GenerateSecret: true, AllowedOAuthFlowsUserPoolClient: true,
		AllowedOAuthFlows: []types.OAuthFlowType{"client_credentials"}, AllowedOAuthScopes: []string{"events/write"},
		TokenValidityUnits: &types.TokenValidityUnitsType{AccessToken: "minutes"}, AccessTokenValidity: aws.Int32(60),
	})
	wantResult(t, result, cloudformation.Result{PhysicalID: "c", Attributes: map[string]any{"ClientId": "c", "Name": "n", "ClientSecret": "hidden"}})
}

func TestADomainThatIsGoneIsDeleted(t *testing.T) {
	fake := &cognito{}
	r := request(t, `{"UserPoolId": "p", "Domain": "d"}`)
	r.PhysicalID = "d"
	check(t, provider(t, resources.Services{Cognito: fake}, "AWS::Cognito::UserPoolDomain").Delete(context.Background(), r))
	wantCalls(t, fake.take(), &cognitoidentityprovider.DeleteUserPoolDomainInput{UserPoolId: aws.String("p"), Domain: aws.String("d")})
}
