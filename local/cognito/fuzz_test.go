package cognito_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// FuzzToken holds that the token endpoint answers every form with a token or
// with an error of OAuth's, repeats nothing of what it was sent, and gives
// tokens only for the client's own secret and scopes. CLIENT and SECRET stand
// for the client's own id and secret.
func FuzzToken(f *testing.F) {
	const form = "application/x-www-form-urlencoded"
	for _, seed := range [][3]string{
		{form, "", "grant_type=client_credentials&client_id=CLIENT&client_secret=SECRET"},
		{form + "; charset=utf-8", "Basic CLIENT:SECRET", "grant_type=client_credentials&scope=events/write%20events/read"},
		{form, "basic CLIENT:", "grant_type=client_credentials&client_secret=SECRET"},
		{form, "Basic CLIENT:SECRET:", "grant_type=client_credentials"},
		{form, "Basic !", "grant_type=client_credentials&client_id=CLIENT&client_secret=SECRET"},
		{form, "", "grant_type=client_credentials&grant_type=password&client_id=CLIENT&client_id=x&client_secret=SECRET&client_secret=y"},
		{form, "", "grant_type=client_credentials&client_id=CLIENT&client_secret=SECRET&scope=events/writ"},
		{form, "", "grant_type=client_credentials;client_id=CLIENT&client_secret=%zz"},
		{"multipart/form-data; boundary=b", "", "--b\r\nContent-Disposition: form-data; name=\"grant_type\"\r\n\r\nclient_credentials\r\n--b--"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	var p *provider // for all executions, because a key takes long to make
	f.Fuzz(func(t *testing.T, contentType, authorization, body string) {
		if p == nil {
			p = newProvider(t)
		}
		fill := strings.NewReplacer("CLIENT", p.client, "SECRET", p.secret).Replace
		authorization, body = fill(authorization), fill(body)
		scheme, credentials, basic := strings.Cut(authorization, " ")
		request := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader(body))
		request.Host = prefix + ".auth.us-east-1.amazoncognito.com"
		request.Header.Set("Content-Type", contentType)
		if basic {
			request.Header.Set("Authorization", scheme+" "+base64.StdEncoding.EncodeToString([]byte(credentials)))
		}
		answered := httptest.NewRecorder()
		p.AuthHandler().ServeHTTP(answered, request)

		if strings.Contains(answered.Body.String(), p.secret) {
			t.Errorf("the answer holds the secret: %s", answered.Body)
		}
		var answer map[string]any
		if err := json.Unmarshal(answered.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%q is answered with %q", body, answered.Body)
		}
		switch answered.Code {
		case http.StatusBadRequest:
			errors := []any{"invalid_request", "invalid_client", "invalid_grant", "invalid_scope", "unauthorized_client", "unsupported_grant_type"}
			if len(answer) != 1 || !slices.Contains(errors, answer["error"]) {
				t.Errorf("%q is refused with %v", body, answer)
			}
		case http.StatusOK:
			sent, _ := url.ParseQuery(body)
			known := basic && credentials == p.client+":"+p.secret || sent.Get("client_id") == p.client && sent.Get("client_secret") == p.secret
			if !known || sent.Get("grant_type") != "client_credentials" {
				t.Errorf("%q with %q gets a token", body, authorization)
			}
			granted := scopes(t, answer["access_token"])
			for _, wanted := range strings.Fields(sent.Get("scope")) {
				if !slices.Contains(granted, wanted) {
					t.Errorf("%q gets a token with the scopes %q", body, granted)
				}
			}
			for _, scope := range granted {
				if scope != "events/write" && scope != "events/read" {
					t.Errorf("%q gets the scope %s", body, scope)
				}
			}
		default:
			t.Errorf("%q is answered %d", body, answered.Code)
		}
	})
}

func scopes(t *testing.T, token any) []string {
	text, _ := token.(string)
	parts := strings.Split(text, ".")
	var claims struct{ Scope string }
	if payload, err := base64.RawURLEncoding.DecodeString(parts[len(parts)/2]); err != nil || json.Unmarshal(payload, &claims) != nil {
		t.Fatalf("the token is %q", text)
	}
	return strings.Fields(claims.Scope)
}
