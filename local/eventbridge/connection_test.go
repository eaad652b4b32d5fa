package eventbridge_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awseb "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/google/go-cmp/cmp"
)

func TestAnOAuthConnectionIsAuthorizedOnceItHasAToken(t *testing.T) {
	w := newWorld(t)
	announced := w.subscribe()
	created := must[*awseb.CreateConnectionOutput](t)(w.CreateConnection(w.ctx, oauthConnection(nil)))
	if created.ConnectionState != types.ConnectionStateAuthorizing {
		t.Errorf("created in state %s, want AUTHORIZING", created.ConnectionState)
	}
	w.idle()
	shown := w.connection()
	if shown.ConnectionState != types.ConnectionStateAuthorized || shown.StateReason != nil || !shown.LastAuthorizedTime.Equal(w.clock.Now()) {
		t.Errorf("the connection is %s (%v) since %s", shown.ConnectionState, shown.StateReason, shown.LastAuthorizedTime)
	}
	if want := "client_id=client&client_secret=good&grant_type=client_credentials"; w.tokenBodies[0] != want {
		t.Errorf("the token request is %q, want %q", w.tokenBodies[0], want)
	}
	if got := w.tokenRequests[0].Header.Get("Content-Type"); got != "application/x-www-form-urlencoded" {
		t.Errorf("its content type is %q", got)
	}
	want := []string{"Connection Authorization Started", "Connection Authorized", "Connection Creation Started"}
	if diff := cmp.Diff(want, announced()); diff != "" {
		t.Error(diff)
	}
}

func TestDescribeConnectionShowsNothingSecret(t *testing.T) {
	w := newWorld(t)
	shown := w.connect(nil)
	text, err := json.Marshal(shown)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "good") || strings.Contains(string(text), "hidden") {
		t.Errorf("a secret value is in %s", text)
	}
	parameters := shown.AuthParameters.OAuthParameters.OAuthHttpParameters
	if hidden := parameters.HeaderParameters[0]; hidden.Value != nil || !hidden.IsValueSecret {
		t.Errorf("the secret header is shown as %+v", hidden)
	}
	if open := parameters.BodyParameters[0]; aws.ToString(open.Value) != "client_credentials" {
		t.Errorf("the body parameter is shown as %q", aws.ToString(open.Value))
	}
	var held map[string]any
	if err := json.Unmarshal([]byte(w.secrets[*shown.SecretArn]), &held); err != nil {
		t.Fatal(err)
	}
	if held["client_id"] != "client" || held["client_secret"] != "good" || held["http_method"] != "POST" || held["authorization_endpoint"] != "https://idp.test/token" {
		t.Errorf("the managed secret has the fields %v", held)
	}
}

func TestAWrongClientSecretDeauthorizesWithAReasonThatShowsNoSecret(t *testing.T) {
	w := newWorld(t)
	w.clientSecret = "other"
	shown := w.connect(nil)
	if shown.ConnectionState != types.ConnectionStateDeauthorized || !strings.Contains(*shown.StateReason, "400 (invalid_client)") || strings.Contains(*shown.StateReason, "good") {
		t.Errorf("the connection is %s (%s)", shown.ConnectionState, aws.ToString(shown.StateReason))
	}
	if shown.LastAuthorizedTime.Unix() != 0 {
		t.Errorf("it was authorized at %s, want the epoch", shown.LastAuthorizedTime)
	}
}

func TestAnUnreachableAuthorizationEndpointIsTriedThriceWhileAuthorizing(t *testing.T) {
	w := newWorld(t)
	w.tokenDown = true
	must[*awseb.CreateConnectionOutput](t)(w.CreateConnection(w.ctx, oauthConnection(nil)))
	w.eventually("a reason", 0, func() bool { return w.connection().StateReason != nil })
	if shown := w.connection(); shown.ConnectionState != types.ConnectionStateAuthorizing || *shown.StateReason != "Could not connect to the specified endpoint." {
		t.Errorf("the connection is %s (%s)", shown.ConnectionState, *shown.StateReason)
	}
	_, err := w.update("good")
	wantError(t, err, "ConcurrentModificationException", "Connection 'conn' was modified concurrently.")
	w.eventually("the end of the attempts", time.Second, func() bool { return w.connection().ConnectionState == types.ConnectionStateDeauthorized })
	if len(w.tokenBodies) != 3 {
		t.Errorf("%d attempts, want 3", len(w.tokenBodies))
	}
}

func TestAConnectionThatStillAuthorizesCanBeDeleted(t *testing.T) {
	w := newWorld(t)
	w.tokenDown = true
	must[*awseb.CreateConnectionOutput](t)(w.CreateConnection(w.ctx, oauthConnection(nil)))
	must[*awseb.DeleteConnectionOutput](t)(w.DeleteConnection(w.ctx, &awseb.DeleteConnectionInput{Name: aws.String("conn")}))
	w.eventually("the connection to be gone", time.Second, func() bool {
		listed := must[*awseb.ListConnectionsOutput](t)(w.ListConnections(w.ctx, &awseb.ListConnectionsInput{}))
		return len(listed.Connections) == 0 && w.is(func() bool { return len(w.secrets) == 0 })
	})
	_, err := w.DescribeConnection(w.ctx, &awseb.DescribeConnectionInput{Name: aws.String("conn")})
	wantError(t, err, "ResourceNotFoundException", "Failed to describe the connection(s). Connection 'conn' does not exist.")
}

func TestAnUpdateAuthorizesAnewAndKeepsWhatIsLeftOut(t *testing.T) {
	w := newWorld(t)
	before := w.connect(nil)
	w.clock.Advance(time.Millisecond)
	w.clientSecret = "better"
	updated := must[*awseb.UpdateConnectionOutput](t)(w.update("better"))
	if updated.ConnectionState != types.ConnectionStateAuthorizing || !updated.LastModifiedTime.Equal(*before.LastModifiedTime) {
		t.Errorf("the answer shows %s, modified %s", updated.ConnectionState, updated.LastModifiedTime)
	}
	w.idle()
	after := w.connection()
	if after.ConnectionState != types.ConnectionStateAuthorized || !after.LastAuthorizedTime.After(*before.LastAuthorizedTime) || *after.SecretArn != *before.SecretArn {
		t.Errorf("the connection is %s since %s with %s", after.ConnectionState, after.LastAuthorizedTime, *after.SecretArn)
	}
	if held := w.secrets[*after.SecretArn]; !strings.Contains(held, `"client_id":"client"`) || !strings.Contains(held, `"client_secret":"better"`) {
		t.Error("the managed secret lost the client id or has not the new secret")
	}
}

func TestAnUpdateOfTheDescriptionAuthorizesNothing(t *testing.T) {
	w := newWorld(t)
	w.connect(nil)
	must[*awseb.UpdateConnectionOutput](t)(w.UpdateConnection(w.ctx, &awseb.UpdateConnectionInput{Name: aws.String("conn"), Description: aws.String("new")}))
	w.idle()
	if shown := w.connection(); shown.ConnectionState != types.ConnectionStateAuthorized || *shown.Description != "new" || len(w.tokenBodies) != 1 {
		t.Errorf("the connection is %s after %d token requests", shown.ConnectionState, len(w.tokenBodies))
	}
	_, err := w.UpdateConnection(w.ctx, &awseb.UpdateConnectionInput{Name: aws.String("conn"), AuthParameters: &types.UpdateConnectionAuthRequestParameters{}})
	wantError(t, err, "ValidationException", "At least one of the following is required")
}

func TestDeauthorizingDeletesTheSecretAndAnUpdateMakesAnother(t *testing.T) {
	w := newWorld(t)
	before := w.connect(nil)
	must[*awseb.DeauthorizeConnectionOutput](t)(w.DeauthorizeConnection(w.ctx, &awseb.DeauthorizeConnectionInput{Name: aws.String("conn")}))
	w.idle()
	shown := w.connection()
	if shown.ConnectionState != types.ConnectionStateDeauthorized || shown.SecretArn != nil || len(w.secrets) != 0 || !strings.Contains(*shown.StateReason, "DeauthorizeConnection") {
		t.Errorf("the connection is %s (%v) and %d secrets are left", shown.ConnectionState, shown.StateReason, len(w.secrets))
	}
	_, err := w.update("good")
	wantError(t, err, "ValidationException", "ClientID")
	if state := w.connection().ConnectionState; state != types.ConnectionStateDeauthorized {
		t.Errorf("a failed update left the connection %s", state)
	}
	parameters := oauthConnection(nil).AuthParameters.OAuthParameters
	must[*awseb.UpdateConnectionOutput](t)(w.UpdateConnection(w.ctx, &awseb.UpdateConnectionInput{
		Name: aws.String("conn"), AuthorizationType: types.ConnectionAuthorizationTypeOauthClientCredentials,
		AuthParameters: &types.UpdateConnectionAuthRequestParameters{OAuthParameters: &types.UpdateConnectionOAuthRequestParameters{
			AuthorizationEndpoint: parameters.AuthorizationEndpoint, HttpMethod: parameters.HttpMethod,
			ClientParameters: &types.UpdateConnectionOAuthClientRequestParameters{ClientID: aws.String("client"), ClientSecret: aws.String("good")},
		}},
	}))
	w.idle()
	if shown := w.connection(); shown.ConnectionState != types.ConnectionStateAuthorized || *shown.SecretArn == *before.SecretArn {
		t.Errorf("the connection is %s with secret %s", shown.ConnectionState, *shown.SecretArn)
	}
}

func TestAConnectionTakesOnlyAKeyThatCanServeIt(t *testing.T) {
	w := newWorld(t)
	withKey := func(in *awseb.CreateConnectionInput) { in.KmsKeyIdentifier = aws.String(keyARN) }
	w.keyDisabled = true
	_, err := w.CreateConnection(w.ctx, oauthConnection(withKey))
	wantError(t, err, "ValidationException", "is disabled")
	w.keyDisabled, w.keyUntagged = false, true
	_, err = w.CreateConnection(w.ctx, oauthConnection(withKey))
	wantError(t, err, "ValidationException", "EventBridgeApiDestinations=true")
	w.keyUntagged = false
	if shown := w.connect(withKey); *shown.KmsKeyIdentifier != keyARN || w.secretKeys[*shown.SecretArn] != keyARN {
		t.Errorf("the secret is encrypted with %q", w.secretKeys[*shown.SecretArn])
	}
}

func TestADisabledKeyDeauthorizesWhenTheTokenIsDue(t *testing.T) {
	w := newWorld(t)
	w.connect(func(in *awseb.CreateConnectionInput) { in.KmsKeyIdentifier = aws.String(keyARN) })
	w.journey(nil)
	w.set(func() { w.keyDisabled = true })
	w.put()
	w.idle()
	if state := w.connection().ConnectionState; state != types.ConnectionStateAuthorized || len(w.received) != 1 {
		t.Fatalf("with a token in hand the connection is %s and %d events arrived", state, len(w.received))
	}
	w.clock.Advance(time.Hour - 30*time.Second)
	w.put()
	w.idle()
	if shown := w.connection(); shown.ConnectionState != types.ConnectionStateDeauthorized || !strings.Contains(*shown.StateReason, "cannot read the connection's secret") {
		t.Errorf("the connection is %s (%s)", shown.ConnectionState, aws.ToString(shown.StateReason))
	}
	if _, attributes := w.letter(); attributes["ERROR_CODE"] != "SDK_CLIENT_ERROR" {
		t.Errorf("dead letter with %v", attributes)
	}
}

func TestABadConnectionIsRefusedBeforeAnythingIsMade(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*awseb.CreateConnectionInput)
		words  string
	}{
		"name":    {func(in *awseb.CreateConnectionInput) { in.Name = aws.String("a b") }, `Member must satisfy regular expression pattern: [\.\-_A-Za-z0-9]+`},
		"no name": {func(in *awseb.CreateConnectionInput) { in.Name = nil }, "name"},
		"type":    {func(in *awseb.CreateConnectionInput) { in.AuthorizationType = "NTLM" }, "[BASIC, OAUTH_CLIENT_CREDENTIALS, API_KEY]"},
		"http": {func(in *awseb.CreateConnectionInput) {
			in.AuthParameters.OAuthParameters.AuthorizationEndpoint = aws.String("http://idp.test")
		}, "valid HTTPS endpoint"},
		"no secret": {func(in *awseb.CreateConnectionInput) {
			in.AuthParameters.OAuthParameters.ClientParameters.ClientSecret = nil
		}, "ClientSecret"},
		"no block": {func(in *awseb.CreateConnectionInput) { in.AuthParameters.OAuthParameters = nil }, "ClientID"},
		"connectivity": {func(in *awseb.CreateConnectionInput) {
			in.InvocationConnectivityParameters = &types.ConnectivityResourceParameters{}
		}, "InvocationConnectivityParameters"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			_, err := w.CreateConnection(w.ctx, oauthConnection(c.change))
			wantError(t, err, "ValidationException", c.words)
			if len(w.secrets) != 0 {
				t.Error("a secret is left behind")
			}
		})
	}
}

func TestADestinationFollowsItsConnection(t *testing.T) {
	w := newWorld(t)
	w.connect(nil)
	w.destination()
	state := func() types.ApiDestinationState {
		return must[*awseb.DescribeApiDestinationOutput](t)(w.DescribeApiDestination(w.ctx, &awseb.DescribeApiDestinationInput{Name: aws.String("dest")})).ApiDestinationState
	}
	if got := state(); got != types.ApiDestinationStateActive {
		t.Errorf("the destination is %s", got)
	}
	w.clientSecret = "other"
	must[*awseb.UpdateConnectionOutput](t)(w.update("wrong"))
	w.idle()
	if got := state(); got != types.ApiDestinationStateInactive {
		t.Errorf("with a deauthorized connection the destination is %s", got)
	}
	for _, endpoint := range []string{"http://api.test", "https://me@api.test", "https://api.test/#f", "https://*.test/"} {
		_, err := w.UpdateApiDestination(w.ctx, &awseb.UpdateApiDestinationInput{Name: aws.String("dest"), InvocationEndpoint: aws.String(endpoint)})
		wantError(t, err, "ValidationException", "please provide a valid HTTPS endpoint URL.")
	}
	_, err := w.UpdateApiDestination(w.ctx, &awseb.UpdateApiDestinationInput{Name: aws.String("dest"), InvocationRateLimitPerSecond: aws.Int32(301)})
	wantError(t, err, "LimitExceededException", "exceeds maximum allowed of '300'.")
}
