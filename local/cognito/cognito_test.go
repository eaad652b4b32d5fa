package cognito_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/smithy-go"
	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
	"api-destination-credentials/local/cognito"
)

var start = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// guard is an authorizer that keeps what it was asked and can refuse.
type guard struct {
	mu      sync.Mutex
	refuses bool
	asked   []access.Request
}

func (g *guard) Authorize(_ context.Context, r access.Request) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked = append(g.asked, r)
	if g.refuses {
		return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no"}
	}
	return nil
}

// provider is a service with the pool, domain, resource server and client of
// prerequisite.yaml.
type provider struct {
	*testing.T
	*cognito.Service
	guard  *guard
	clock  *clockwork.FakeClock
	pool   string
	client string
	secret string
}

const prefix = "api-destination-0123456789ab"

func newService(t *testing.T) *provider {
	p := &provider{T: t, guard: &guard{}, clock: clockwork.NewFakeClockAt(start)}
	p.Service = cognito.New(cognito.Config{Account: access.Account{ID: "123456789012", Region: "us-east-1"}, Auth: p.guard, Clock: p.clock})
	return p
}

func newProvider(t *testing.T) *provider {
	p := newService(t)
	ctx := t.Context()
	p.pool = *must(p.CreateUserPool(ctx, &cognitoidentityprovider.CreateUserPoolInput{
		PoolName:              aws.String("prerequisite"),
		AdminCreateUserConfig: &types.AdminCreateUserConfigType{AllowAdminCreateUserOnly: true},
	})).UserPool.Id
	must(p.CreateUserPoolDomain(ctx, &cognitoidentityprovider.CreateUserPoolDomainInput{UserPoolId: &p.pool, Domain: aws.String(prefix)}))
	must(p.CreateResourceServer(ctx, &cognitoidentityprovider.CreateResourceServerInput{
		UserPoolId: &p.pool, Identifier: aws.String("events"), Name: aws.String("Event receiver"),
		Scopes: []types.ResourceServerScopeType{
			{ScopeName: aws.String("write"), ScopeDescription: aws.String("Hand events to the receiver")},
			{ScopeName: aws.String("read"), ScopeDescription: aws.String("Look at events")},
		},
	}))
	client := must(p.CreateUserPoolClient(ctx, p.machine())).UserPoolClient
	p.client, p.secret = *client.ClientId, *client.ClientSecret
	return p
}

func (p *provider) machine() *cognitoidentityprovider.CreateUserPoolClientInput {
	return &cognitoidentityprovider.CreateUserPoolClientInput{
		UserPoolId: &p.pool, ClientName: aws.String("EventBridge"), GenerateSecret: true,
		AllowedOAuthFlowsUserPoolClient: true,
		AllowedOAuthFlows:               []types.OAuthFlowType{types.OAuthFlowTypeClientCredentials},
		AllowedOAuthScopes:              []string{"events/write", "events/read"},
		TokenValidityUnits:              &types.TokenValidityUnitsType{AccessToken: types.TimeUnitsTypeMinutes},
		AccessTokenValidity:             aws.Int32(60),
	}
}

func must[T any](out T, err error) T {
	if err != nil {
		panic(err)
	}
	return out
}

func codeOf(err error) string {
	var known smithy.APIError
	if !errors.As(err, &known) {
		return ""
	}
	return known.ErrorCode()
}

// exchange sends a request to a handler over a connection of its own.
func (p *provider) exchange(handler http.Handler, host string, r *http.Request) (status int, body map[string]any) {
	p.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	target := must(url.Parse(server.URL))
	r.Host, r.URL.Scheme, r.URL.Host, r.RequestURI = host, target.Scheme, target.Host, ""
	response, err := server.Client().Do(r)
	if err != nil {
		p.Error(err)
		return 0, nil
	}
	defer response.Body.Close()
	_ = json.NewDecoder(response.Body).Decode(&body) // some answers are no JSON
	return response.StatusCode, body
}

// token asks the token endpoint with the form's fields.
func (p *provider) token(form url.Values, edit func(*http.Request)) (status int, body map[string]any) {
	p.Helper()
	r := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Host = prefix + ".auth.us-east-1.amazoncognito.com"
	if edit != nil {
		edit(r)
	}
	return p.exchange(p.AuthHandler(), r.Host, r)
}

func (p *provider) credentials(secret string) url.Values {
	return url.Values{"grant_type": {"client_credentials"}, "client_id": {p.client}, "client_secret": {secret}}
}

// works tells whether a secret gets a token.
func (p *provider) works(secret string) bool {
	p.Helper()
	status, _ := p.token(p.credentials(secret), nil)
	return status == http.StatusOK
}

// claims verifies a token as a stranger does: by the issuer's published keys.
func (p *provider) claims(token string) map[string]any {
	p.Helper()
	const host = "cognito-idp.us-east-1.amazonaws.com"
	get := func(path string) map[string]any {
		status, body := p.exchange(p.IdentityHandler(), host, httptest.NewRequest(http.MethodGet, path, nil))
		if status != http.StatusOK {
			p.Fatalf("GET %s answered %d", path, status)
		}
		return body
	}
	location, inIssuer := strings.CutPrefix(get("/" + p.pool + "/.well-known/openid-configuration")["jwks_uri"].(string), "https://"+host)
	if !inIssuer {
		p.Fatalf("the keys are at %s, not at the issuer's host", location)
	}
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal(must(json.Marshal(get(location))), &keys); err != nil {
		p.Fatal(err)
	}
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		p.Fatal(err)
	}
	found := keys.Key(signed.Signatures[0].Header.KeyID)
	if len(found) != 1 || !found[0].IsPublic() {
		p.Fatalf("the token's kid is that of %d public keys, want 1", len(found))
	}
	payload, err := signed.Verify(found[0])
	if err != nil {
		p.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		p.Fatal(err)
	}
	return claims
}

func TestClientsAreCheckedWhenTheyAreMade(t *testing.T) {
	p := newProvider(t)
	for name, test := range map[string]struct {
		edit func(*cognitoidentityprovider.CreateUserPoolClientInput)
		want string
	}{
		"no name":   {func(in *cognitoidentityprovider.CreateUserPoolClientInput) { in.ClientName = nil }, "InvalidParameterException"},
		"no secret": {func(in *cognitoidentityprovider.CreateUserPoolClientInput) { in.GenerateSecret = false }, "InvalidOAuthFlowException"},
		"two origins": {func(in *cognitoidentityprovider.CreateUserPoolClientInput) {
			in.ClientSecret = aws.String(strings.Repeat("s", 30))
		}, "InvalidParameterException"},
		"unknown scope": {func(in *cognitoidentityprovider.CreateUserPoolClientInput) {
			in.AllowedOAuthScopes = []string{"events/x"}
		}, "ScopeDoesNotExistException"},
		"system scope": {func(in *cognitoidentityprovider.CreateUserPoolClientInput) {
			in.AllowedOAuthScopes = []string{"openid"}
		}, "ScopeDoesNotExistException"},
		"no flow": {func(in *cognitoidentityprovider.CreateUserPoolClientInput) { in.AllowedOAuthFlows = nil }, "InvalidParameterException"},
		"flow of users": {func(in *cognitoidentityprovider.CreateUserPoolClientInput) {
			in.AllowedOAuthFlows = []types.OAuthFlowType{"code"}
		}, "InvalidParameterException"},
		"token too short":   {func(in *cognitoidentityprovider.CreateUserPoolClientInput) { in.AccessTokenValidity = aws.Int32(4) }, "InvalidParameterException"},
		"token too long":    {func(in *cognitoidentityprovider.CreateUserPoolClientInput) { in.AccessTokenValidity = aws.Int32(1441) }, "InvalidParameterException"},
		"callbacks":         {func(in *cognitoidentityprovider.CreateUserPoolClientInput) { in.CallbackURLs = []string{"https://x"} }, "ValidationException"},
		"unknown user pool": {func(in *cognitoidentityprovider.CreateUserPoolClientInput) { in.UserPoolId = aws.String("us-east-1_x") }, "ResourceNotFoundException"},
	} {
		t.Run(name, func(t *testing.T) {
			in := p.machine()
			test.edit(in)
			if _, err := p.CreateUserPoolClient(t.Context(), in); codeOf(err) != test.want {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}

func TestAPoolIsDeletedAfterItsDomain(t *testing.T) {
	p, ctx := newProvider(t), t.Context()
	remove := func() error {
		_, err := p.DeleteUserPool(ctx, &cognitoidentityprovider.DeleteUserPoolInput{UserPoolId: &p.pool})
		return err
	}
	if err := remove(); err == nil || !strings.Contains(err.Error(), "domain") {
		t.Errorf("deleting a pool with a domain gives %v", err)
	}
	must(p.DeleteUserPoolDomain(ctx, &cognitoidentityprovider.DeleteUserPoolDomainInput{UserPoolId: &p.pool, Domain: aws.String(prefix)}))
	if p.works(p.secret) {
		t.Error("the token endpoint outlives its domain")
	}
	must(p.UpdateUserPool(ctx, &cognitoidentityprovider.UpdateUserPoolInput{UserPoolId: &p.pool, DeletionProtection: types.DeletionProtectionTypeActive}))
	if err := remove(); err == nil || !strings.Contains(err.Error(), "deletion protection") {
		t.Errorf("deleting a protected pool gives %v", err)
	}
	must(p.UpdateUserPool(ctx, &cognitoidentityprovider.UpdateUserPoolInput{UserPoolId: &p.pool}))
	if err := remove(); err != nil {
		t.Error(err)
	}
	if _, err := p.DescribeUserPool(ctx, &cognitoidentityprovider.DescribeUserPoolInput{UserPoolId: &p.pool}); codeOf(err) != "ResourceNotFoundException" {
		t.Errorf("describing a deleted pool gives %v", err)
	}
}

func TestADomainBelongsToOnePool(t *testing.T) {
	p, ctx := newProvider(t), t.Context()
	other := must(p.CreateUserPool(ctx, &cognitoidentityprovider.CreateUserPoolInput{PoolName: aws.String("other")})).UserPool.Id
	for domain, pool := range map[string]*string{prefix: other, "second-of-the-pool": &p.pool, "my-cognito": other, "Upper": other, "-x": other} {
		_, err := p.CreateUserPoolDomain(ctx, &cognitoidentityprovider.CreateUserPoolDomainInput{UserPoolId: pool, Domain: &domain})
		if codeOf(err) != "InvalidParameterException" {
			t.Errorf("%s: %v, want InvalidParameterException", domain, err)
		}
	}
	described := must(p.DescribeUserPoolDomain(ctx, &cognitoidentityprovider.DescribeUserPoolDomainInput{Domain: aws.String(prefix)})).DomainDescription
	if aws.ToString(described.UserPoolId) != p.pool || described.Status != types.DomainStatusTypeActive {
		t.Errorf("the domain is described as %+v", described)
	}
	unknown := must(p.DescribeUserPoolDomain(ctx, &cognitoidentityprovider.DescribeUserPoolDomainInput{Domain: aws.String("unknown")})).DomainDescription
	if unknown.Domain != nil {
		t.Errorf("an unknown domain is described as %+v", unknown)
	}
	if pool := must(p.DescribeUserPool(ctx, &cognitoidentityprovider.DescribeUserPoolInput{UserPoolId: &p.pool})).UserPool; aws.ToString(pool.Domain) != prefix {
		t.Errorf("the pool names the domain %q", aws.ToString(pool.Domain))
	}
}

func TestResourceServersChangeAndGo(t *testing.T) {
	p, ctx := newProvider(t), t.Context()
	write := []types.ResourceServerScopeType{{ScopeName: aws.String("write"), ScopeDescription: aws.String("Write")}}
	_, err := p.CreateResourceServer(ctx, &cognitoidentityprovider.CreateResourceServerInput{UserPoolId: &p.pool, Identifier: aws.String("events"), Name: aws.String("Again")})
	if codeOf(err) != "InvalidParameterException" {
		t.Errorf("a second one of the name gives %v", err)
	}
	must(p.UpdateResourceServer(ctx, &cognitoidentityprovider.UpdateResourceServerInput{UserPoolId: &p.pool, Identifier: aws.String("events"), Name: aws.String("Renamed"), Scopes: write}))
	listed := must(p.ListResourceServers(ctx, &cognitoidentityprovider.ListResourceServersInput{UserPoolId: &p.pool})).ResourceServers
	if len(listed) != 1 || *listed[0].Name != "Renamed" || len(listed[0].Scopes) != 1 {
		t.Errorf("listed %+v", listed)
	}
	must(p.DeleteResourceServer(ctx, &cognitoidentityprovider.DeleteResourceServerInput{UserPoolId: &p.pool, Identifier: aws.String("events")}))
	_, err = p.DescribeResourceServer(ctx, &cognitoidentityprovider.DescribeResourceServerInput{UserPoolId: &p.pool, Identifier: aws.String("events")})
	if codeOf(err) != "ResourceNotFoundException" {
		t.Errorf("describing a deleted one gives %v", err)
	}
}

func TestListsComeInPages(t *testing.T) {
	p, ctx := newService(t), t.Context()
	for _, name := range []string{"a", "b", "c"} {
		must(p.CreateUserPool(ctx, &cognitoidentityprovider.CreateUserPoolInput{PoolName: &name}))
	}
	var names []string
	in := &cognitoidentityprovider.ListUserPoolsInput{MaxResults: aws.Int32(2)}
	for {
		out := must(p.ListUserPools(ctx, in))
		for _, pool := range out.UserPools {
			names = append(names, *pool.Name)
		}
		names = append(names, "|")
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if diff := cmp.Diff([]string{"a", "b", "|", "c", "|"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestUnsupportedFieldsAreRefusedByName(t *testing.T) {
	p := newService(t)
	_, err := p.CreateUserPool(t.Context(), &cognitoidentityprovider.CreateUserPoolInput{PoolName: aws.String("x"), LambdaConfig: &types.LambdaConfigType{}})
	if codeOf(err) != "ValidationException" || !strings.Contains(err.Error(), "LambdaConfig") {
		t.Error(err)
	}
}

func TestTagsAreThoseOfThePool(t *testing.T) {
	p, ctx := newProvider(t), t.Context()
	arn := aws.String("arn:aws:cognito-idp:us-east-1:123456789012:userpool/" + p.pool)
	must(p.TagResource(ctx, &cognitoidentityprovider.TagResourceInput{ResourceArn: arn, Tags: map[string]string{"a": "1", "b": "2"}}))
	must(p.UntagResource(ctx, &cognitoidentityprovider.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a"}}))
	tags := must(p.ListTagsForResource(ctx, &cognitoidentityprovider.ListTagsForResourceInput{ResourceArn: arn})).Tags
	pool := must(p.DescribeUserPool(ctx, &cognitoidentityprovider.DescribeUserPoolInput{UserPoolId: &p.pool})).UserPool
	want := map[string]string{"b": "2"}
	if !cmp.Equal(want, tags) || !cmp.Equal(want, pool.UserPoolTags) {
		t.Errorf("listed %v, described %v, want %v", tags, pool.UserPoolTags, want)
	}
}

func TestOperationsAskForPermissionOnThePool(t *testing.T) {
	p, ctx := newProvider(t), t.Context()
	p.guard.refuses, p.guard.asked = true, nil
	_, add := p.AddUserPoolClientSecret(ctx, &cognitoidentityprovider.AddUserPoolClientSecretInput{UserPoolId: &p.pool, ClientId: &p.client})
	_, list := p.ListUserPools(ctx, &cognitoidentityprovider.ListUserPoolsInput{MaxResults: aws.Int32(1)})
	for _, err := range []error{add, list} {
		if codeOf(err) != "AccessDeniedException" {
			t.Errorf("%v, want AccessDeniedException", err)
		}
	}
	want := []access.Request{
		{Action: "cognito-idp:AddUserPoolClientSecret", Resource: "arn:aws:cognito-idp:us-east-1:123456789012:userpool/" + p.pool},
		{Action: "cognito-idp:ListUserPools", Resource: "*"},
	}
	if diff := cmp.Diff(want, p.guard.asked); diff != "" {
		t.Error(diff)
	}
}
