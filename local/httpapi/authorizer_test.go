package httpapi_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	issuerHost = "cognito-idp.us-east-1.amazonaws.com"
	issuerURL  = "https://" + issuerHost + "/us-east-1_pool"
)

// issuer is an identity provider behind a round tripper: it signs tokens and
// publishes its keys.
type issuer struct {
	mu      sync.Mutex
	private *rsa.PrivateKey
	kid     string
	down    bool
	fetches int // of the keys
}

// signingKeys are made once: they take long.
var signingKeys = sync.OnceValue(func() (keys [2]*rsa.PrivateKey) {
	for i := range keys {
		keys[i] = must(rsa.GenerateKey(rand.Reader, 2048))
	}
	return keys
})

func newIssuer() *issuer { return &issuer{private: signingKeys()[0], kid: "first"} }

func (i *issuer) RoundTrip(r *http.Request) (*http.Response, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	w := httptest.NewRecorder()
	switch {
	case i.down || r.URL.Host != issuerHost:
		w.WriteHeader(http.StatusBadGateway)
	case r.URL.Path == "/us-east-1_pool/.well-known/openid-configuration":
		_, _ = w.WriteString(`{"issuer":"` + issuerURL + `","jwks_uri":"` + issuerURL + `/keys"}`)
	case r.URL.Path == "/us-east-1_pool/keys":
		i.fetches++
		_, _ = w.Write(must(json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: i.private.Public(), KeyID: i.kid, Algorithm: "RS256", Use: "sig"}}})))
	default:
		w.WriteHeader(http.StatusNotFound)
	}
	return w.Result(), nil
}

// rotate replaces the issuer's only key.
func (i *issuer) rotate() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.private, i.kid = signingKeys()[1], "second"
}

// token is one that the receiver's route lets through, unless changes say otherwise.
func (i *issuer) token(changes map[string]any) string {
	return i.signed(jose.RS256, i.private, i.kid, changes)
}

func (i *issuer) signed(algorithm jose.SignatureAlgorithm, key any, kid string, changes map[string]any) string {
	claims := map[string]any{
		"iss": issuerURL, "client_id": "client", "sub": "client", "scope": "events/write events/read",
		"iat": start.Unix(), "exp": start.Add(time.Hour).Unix(), "groups": []string{"a", "b"},
	}
	for name, value := range changes {
		claims[name] = value
		if value == nil {
			delete(claims, name)
		}
	}
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, nil))
	return must(jwt.Signed(signer).Claims(claims).Serialize())
}

func TestTokensAreJudgedByTheirSignatureClaimsAndScopes(t *testing.T) {
	g := newGateway(t)
	id := g.serve(receiver("events/write"))
	const (
		unauthorized = `{"message":"Unauthorized"}`
		forbidden    = `{"message":"Forbidden"}`
	)
	invalid := func(description string) string {
		return `Bearer scope="events/write" error="invalid_token" error_description="` + description + `"`
	}
	hour := func(n int) int64 { return start.Add(time.Duration(n) * time.Hour).Unix() }
	for name, test := range map[string]struct {
		header    string
		status    int
		body      string
		challenge string
	}{
		"a good token":              {"Bearer " + g.issuer.token(nil), 200, `{"ok":true}`, ""},
		"a token alone":             {g.issuer.token(nil), 200, `{"ok":true}`, ""},
		"RS512":                     {g.issuer.signed(jose.RS512, g.issuer.private, "first", nil), 200, `{"ok":true}`, ""},
		"an audience":               {g.issuer.token(map[string]any{"aud": []string{"x", "client"}, "client_id": "other"}), 200, `{"ok":true}`, ""},
		"scopes in a list":          {g.issuer.token(map[string]any{"scope": nil, "scp": []string{"a", "events/write"}}), 200, `{"ok":true}`, ""},
		"nothing":                   {"", 401, unauthorized, "Bearer"},
		"no JWT":                    {"Bearer abc", 401, unauthorized, invalid("the token is malformed or not signed with RS256, RS384 or RS512")},
		"a shared key":              {g.issuer.signed(jose.HS256, make([]byte, 32), "first", nil), 401, unauthorized, invalid("the token is malformed or not signed with RS256, RS384 or RS512")},
		"the public key, shared":    {g.issuer.signed(jose.HS256, publicKey(t, g.issuer.private), "first", nil), 401, unauthorized, invalid("the token is malformed or not signed with RS256, RS384 or RS512")},
		"no signature":              {"eyJhbGciOiJub25lIn0.e30.", 401, unauthorized, invalid("the token is malformed or not signed with RS256, RS384 or RS512")},
		"a stranger's key":          {g.issuer.signed(jose.RS256, signingKeys()[1], "first", nil), 401, unauthorized, invalid("the token's signature is invalid")},
		"an unknown kid":            {g.issuer.signed(jose.RS256, g.issuer.private, "other", nil), 401, unauthorized, invalid("the token's kid is none of the issuer's RSA keys")},
		"no kid":                    {g.issuer.signed(jose.RS256, g.issuer.private, "", nil), 401, unauthorized, invalid("the token has no kid")},
		"another issuer":            {g.issuer.token(map[string]any{"iss": issuerURL + "x"}), 401, unauthorized, invalid("the token does not have a valid issuer")},
		"another client":            {g.issuer.token(map[string]any{"client_id": "other"}), 401, unauthorized, invalid("the token does not have a valid audience")},
		"aud goes before client_id": {g.issuer.token(map[string]any{"aud": "other"}), 401, unauthorized, invalid("the token does not have a valid audience")},
		"nobody":                    {g.issuer.token(map[string]any{"client_id": nil}), 401, unauthorized, invalid("the token does not have a valid audience")},
		"expired now":               {g.issuer.token(map[string]any{"exp": hour(0)}), 401, unauthorized, invalid("the token has expired")},
		"never expires":             {g.issuer.token(map[string]any{"exp": nil}), 401, unauthorized, invalid("the token has expired")},
		"not valid yet":             {g.issuer.token(map[string]any{"nbf": hour(1)}), 401, unauthorized, invalid("the token is not valid yet")},
		"from the future":           {g.issuer.token(map[string]any{"iat": hour(1)}), 401, unauthorized, invalid("the token is issued in the future")},
		"claims of a wrong type":    {g.issuer.token(map[string]any{"exp": "soon"}), 401, unauthorized, invalid("the token's claims cannot be read")},
		"another scope": {g.issuer.token(map[string]any{"scope": "events/writer events"}), 403, forbidden,
			`Bearer scope="events/write" error="insufficient_scope" error_description="the token has none of the route's scopes"`},
	} {
		t.Run(name, func(t *testing.T) {
			g.functions.calls = 0
			header := http.Header{}
			if test.header != "" {
				header.Set("Authorization", test.header)
			}
			got := g.send(id, "POST", "/", "", header)
			g.expect(got, test.status, test.body)
			if challenge := got.Header.Get("Www-Authenticate"); challenge != test.challenge {
				t.Errorf("www-authenticate is %s, want %s", challenge, test.challenge)
			}
			if invoked := g.functions.calls == 1; invoked != (test.status == 200) {
				t.Errorf("the function was invoked: %t", invoked)
			}
		})
	}
}

func TestATokenExpires(t *testing.T) {
	g := newGateway(t)
	id := g.serve(receiver())
	header := http.Header{"Authorization": {g.issuer.token(nil)}}
	g.expect(g.send(id, "GET", "/", "", header), 200, `{"ok":true}`)
	g.clock.Advance(time.Hour)
	g.expect(g.send(id, "GET", "/", "", header), 401, `{"message":"Unauthorized"}`)
}

func TestKeysAreCachedForTwoHoursAndFetchedForANewKid(t *testing.T) {
	g := newGateway(t)
	id := g.serve(receiver())
	send := func(status int) {
		t.Helper()
		token := g.issuer.token(map[string]any{"exp": start.Add(24 * time.Hour).Unix()})
		if got := g.send(id, "GET", "/", "", http.Header{"Authorization": {token}}); got.Status != status {
			t.Errorf("answered %d (%s), want %d", got.Status, got.Header.Get("Www-Authenticate"), status)
		}
	}
	expectFetches := func(want int) {
		t.Helper()
		if g.issuer.fetches != want {
			t.Errorf("the keys were fetched %d times, want %d", g.issuer.fetches, want)
		}
	}
	send(200)
	send(200)
	expectFetches(1)
	g.clock.Advance(2*time.Hour - time.Second)
	send(200)
	expectFetches(1)
	g.clock.Advance(time.Second)
	send(200)
	expectFetches(2)
	g.issuer.rotate()
	send(200)
	expectFetches(3)
	g.issuer.down = true
	send(200)
	g.clock.Advance(2 * time.Hour)
	send(401)
}

func TestARouteMayTakeItsTokenFromTheQueryOrBeOpen(t *testing.T) {
	g := newGateway(t)
	document := receiver()
	document["components"].(object)["securitySchemes"].(object)["AccessToken"].(object)["x-amazon-apigateway-authorizer"].(object)["identitySource"] = "$request.querystring.token"
	document["paths"].(object)["/health"] = object{"get": operation(object{"NONE": []string{}})}
	id := g.serve(document)
	g.expect(g.send(id, "GET", "/?token="+g.issuer.token(nil), "", nil), 200, `{"ok":true}`)
	g.expect(g.send(id, "GET", "/", "", nil), 401, `{"message":"Unauthorized"}`)
	g.expect(g.send(id, "GET", "/health", "", nil), 200, `{"ok":true}`)
	if g.functions.event.RequestContext.Authorizer != nil {
		t.Error("an open route has claims")
	}
}

func TestARefusedImportLeavesTheAPIAsItWas(t *testing.T) {
	g := newGateway(t)
	id := g.serve(open("GET /here"))
	g.issuer.down = true
	if _, err := g.ReimportApi(t.Context(), &apigatewayv2.ReimportApiInput{ApiId: &id, Body: text(receiver())}); codeOf(err) != "BadRequestException" {
		t.Errorf("an issuer that does not answer gives %v", err)
	}
	g.expect(g.send(id, "GET", "/here", "", nil), 200, `{"ok":true}`)
}

// publicKey is what everybody can read off the issuer's key set, as PEM: whoever
// takes a token's word for its algorithm would verify with it.
func publicKey(t *testing.T, private *rsa.PrivateKey) []byte {
	t.Helper()
	encoded, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: encoded})
}
