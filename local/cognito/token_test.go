package cognito_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/google/go-cmp/cmp"
)

func TestAMachineGetsATokenThatAnyoneCanVerify(t *testing.T) {
	p := newProvider(t)
	for name, request := range map[string]struct {
		form url.Values
		edit func(*http.Request)
		want string
	}{
		"credentials in the body": {p.credentials(p.secret), nil, "events/write events/read"},
		"credentials in the header": {url.Values{"grant_type": {"client_credentials"}}, func(r *http.Request) {
			r.SetBasicAuth(p.client, p.secret)
		}, "events/write events/read"},
		"one scope": {func() url.Values {
			form := p.credentials(p.secret)
			form.Set("scope", "events/write")
			return form
		}(), nil, "events/write"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := p.token(request.form, request.edit)
			if status != http.StatusOK {
				t.Fatalf("answered %d %v", status, body)
			}
			claims := p.claims(body["access_token"].(string))
			if claims["jti"] == "" {
				t.Error("the token has no id")
			}
			delete(claims, "jti")
			delete(body, "access_token")
			if diff := cmp.Diff(map[string]any{"expires_in": 3600.0, "token_type": "Bearer"}, body); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(map[string]any{
				"sub": p.client, "client_id": p.client, "token_use": "access", "scope": request.want, "version": 2.0,
				"iss":       "https://cognito-idp.us-east-1.amazonaws.com/" + p.pool,
				"auth_time": float64(start.Unix()), "iat": float64(start.Unix()), "exp": float64(start.Unix() + 3600),
			}, claims); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTokenRequestsAreRefusedWithStatus400(t *testing.T) {
	p := newProvider(t)
	with := func(key, value string) url.Values {
		form := maps.Clone(p.credentials(p.secret))
		form.Set(key, value)
		return form
	}
	for name, test := range map[string]struct {
		form url.Values
		edit func(*http.Request)
		want string
	}{
		"wrong secret":             {with("client_secret", strings.Repeat("wrong", 8)), nil, "invalid_client"},
		"no secret":                {with("client_secret", ""), nil, "invalid_client"},
		"unknown client":           {with("client_id", "nobody"), nil, "invalid_client"},
		"header against body":      {with("client_id", "nobody"), func(r *http.Request) { r.SetBasicAuth(p.client, p.secret) }, "invalid_client"},
		"wrong secret in header":   {url.Values{"grant_type": {"client_credentials"}}, func(r *http.Request) { r.SetBasicAuth(p.client, "x") }, "invalid_client"},
		"scope of another":         {with("scope", "events/write events/delete"), nil, "invalid_scope"},
		"no grant type":            {with("grant_type", ""), nil, "invalid_request"},
		"a user's password":        {with("grant_type", "password"), nil, "unsupported_grant_type"},
		"a code that nobody got":   {with("grant_type", "authorization_code"), nil, "invalid_grant"},
		"body that is no form":     {p.credentials(p.secret), func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }, "invalid_request"},
		"no content type":          {p.credentials(p.secret), func(r *http.Request) { r.Header.Del("Content-Type") }, "invalid_request"},
		"domain that is not there": {p.credentials(p.secret), func(r *http.Request) { r.Host = "other.auth.us-east-1.amazoncognito.com" }, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := p.token(test.form, test.edit)
			if diff := cmp.Diff(map[string]any{"error": test.want}, body); status != http.StatusBadRequest || diff != "" {
				t.Errorf("answered %d: %s", status, diff)
			}
		})
	}
}

func TestTokensLiveAsLongAsTheClientSays(t *testing.T) {
	p := newProvider(t)
	p.clock.Advance(time.Hour)
	must(p.UpdateUserPoolClient(t.Context(), &cognitoidentityprovider.UpdateUserPoolClientInput{
		UserPoolId: &p.pool, ClientId: &p.client, AllowedOAuthFlowsUserPoolClient: true,
		AllowedOAuthFlows: []types.OAuthFlowType{types.OAuthFlowTypeClientCredentials}, AllowedOAuthScopes: []string{"events/write"},
		TokenValidityUnits: &types.TokenValidityUnitsType{AccessToken: types.TimeUnitsTypeSeconds}, AccessTokenValidity: aws.Int32(300),
	}))
	_, body := p.token(p.credentials(p.secret), nil)
	claims := p.claims(body["access_token"].(string))
	want := float64(start.Add(time.Hour + 5*time.Minute).Unix())
	if body["expires_in"] != 300.0 || claims["exp"] != want || claims["scope"] != "events/write" {
		t.Errorf("expires in %v s at %v with scope %v, want 300 s, %v, events/write", body["expires_in"], claims["exp"], claims["scope"], want)
	}
}

func TestAClientThatMayNotUseOAuthIsUnauthorized(t *testing.T) {
	p := newProvider(t)
	must(p.UpdateUserPoolClient(t.Context(), &cognitoidentityprovider.UpdateUserPoolClientInput{UserPoolId: &p.pool, ClientId: &p.client}))
	if _, body := p.token(p.credentials(p.secret), nil); body["error"] != "unauthorized_client" {
		t.Errorf("answered %v, want unauthorized_client: what an update leaves out goes back to its default", body)
	}
}

func TestADeletedClientGetsNoTokens(t *testing.T) {
	p, ctx := newProvider(t), t.Context()
	must(p.DeleteUserPoolClient(ctx, &cognitoidentityprovider.DeleteUserPoolClientInput{UserPoolId: &p.pool, ClientId: &p.client}))
	if p.works(p.secret) {
		t.Error("it got one")
	}
}
