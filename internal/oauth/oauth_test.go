package oauth_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"api-destination-credentials/internal/oauth"
	"api-destination-credentials/internal/secret"
)

const clientSecret = "the-secret-of-the-client"

func jwt(claims string) string {
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
}

func TestCredentialsAreProvenByATokenWithTheWantedScope(t *testing.T) {
	for name, test := range map[string]struct {
		status  int
		answer  string
		scope   string
		want    error
		mention string
	}{
		"scope in the answer":          {200, `{"access_token":"a","token_type":"Bearer","scope":"x events/write"}`, "events/write", nil, ""},
		"scope in the token":           {200, `{"access_token":"` + jwt(`{"scope":"events/write"}`) + `","token_type":"Bearer"}`, "events/write", nil, ""},
		"scp list in the token":        {200, `{"access_token":"` + jwt(`{"scp":["events/write"]}`) + `","token_type":"Bearer"}`, "events/write", nil, ""},
		"opaque token":                 {200, `{"access_token":"a","token_type":"Bearer"}`, "events/write", nil, ""},
		"no scope wanted":              {200, `{"access_token":"` + jwt(`{"scope":"other"}`) + `","token_type":"Bearer"}`, "", nil, ""},
		"other scope in the token":     {200, `{"access_token":"` + jwt(`{"scope":"events/read"}`) + `","token_type":"Bearer"}`, "events/write", oauth.ErrRejected, `without scope "events/write"`},
		"one of two scopes is missing": {200, `{"access_token":"a","token_type":"Bearer","scope":"b"}`, "b c", oauth.ErrRejected, `without scope "c"`},
		"wrong secret":                 {400, `{"error":"invalid_client"}`, "events/write", oauth.ErrRejected, "does not accept the client secret of client the-client"},
		"wrong secret, HTTP 401":       {401, `{"error":"invalid_client"}`, "", oauth.ErrRejected, "invalid_client"},
		"scope not allowed":            {400, `{"error":"invalid_scope"}`, "events/write", oauth.ErrRejected, "does not grant scope"},
		"audience not allowed":         {403, `{"error":"access_denied"}`, "", oauth.ErrRejected, `no token for audience "https://api.example"`},
		"grant not allowed":            {400, `{"error":"unauthorized_client"}`, "", oauth.ErrRejected, "unauthorized_client"},
		"not a token endpoint":         {404, `nothing here`, "", oauth.ErrRejected, "HTTP 404"},
		"no token in the answer":       {200, `{}`, "", oauth.ErrUnavailable, "cannot be reached"},
		"broken":                       {503, `down`, "", oauth.ErrUnavailable, "HTTP 503"},
		"throttled":                    {429, `slow down`, "", oauth.ErrUnavailable, "HTTP 429"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if got := r.Header.Get("Content-Type"); got != "application/x-www-form-urlencoded" {
					t.Errorf("the token request has content type %q", got)
				}
				if got := r.PostFormValue("grant_type"); got != "client_credentials" {
					t.Errorf("grant_type = %q", got)
				}
				if id, value := r.PostFormValue("client_id"), r.PostFormValue("client_secret"); id != "the-client" || value != clientSecret {
					t.Errorf("the form has client %q with another secret", id)
				}
				if got := r.PostFormValue("scope"); got != test.scope {
					t.Errorf("scope = %q, want %q", got, test.scope)
				}
				if got := r.PostFormValue("audience"); got != "https://api.example" {
					t.Errorf("audience = %q", got)
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(test.status)
				fmt.Fprint(w, test.answer)
			}))
			defer server.Close()
			err := oauth.Prover{HTTP: server.Client()}.Prove(t.Context(), oauth.Credentials{
				Endpoint: server.URL, ClientID: "the-client", ClientSecret: secret.New(clientSecret), Scope: test.scope, Audience: "https://api.example",
			})
			if !errors.Is(err, test.want) {
				t.Fatalf("Prove() = %v, want %v", err, test.want)
			}
			if err != nil && !strings.Contains(err.Error(), test.mention) {
				t.Errorf("the error should mention %q: %v", test.mention, err)
			}
		})
	}
}

func TestAnEndpointThatCannotBeReachedSaysNothingOfTheCredentials(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	for name, endpoint := range map[string]string{
		"nobody listens":          server.URL,
		"name does not resolve":   "https://token-endpoint.invalid/token",
		"not a URL it can speak":  "gopher://127.0.0.1/",
		"a URL with control code": "http://127.0.0.1/\x7f",
	} {
		t.Run(name, func(t *testing.T) {
			err := oauth.Prover{HTTP: http.DefaultClient}.Prove(t.Context(), oauth.Credentials{Endpoint: endpoint, ClientID: "the-client", ClientSecret: secret.New(clientSecret)})
			if !errors.Is(err, oauth.ErrUnavailable) {
				t.Fatalf("Prove() = %v, want unavailable", err)
			}
			if strings.Contains(err.Error(), clientSecret) {
				t.Errorf("the error holds the secret: %v", err)
			}
		})
	}
}

func TestAnEndpointThatEchoesTheRequestDoesNotLeakTheSecret(t *testing.T) {
	for _, status := range []int{400, 403, 500} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = r.ParseForm()
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"error":%q,"error_description":%q}`, r.PostForm.Get("client_secret"), r.PostForm.Encode())
		}))
		err := oauth.Prover{HTTP: server.Client()}.Prove(t.Context(), oauth.Credentials{Endpoint: server.URL, ClientID: "c", ClientSecret: secret.New(clientSecret)})
		server.Close()
		if err == nil || strings.Contains(err.Error(), clientSecret) {
			t.Errorf("HTTP %d: want an error without the secret, got %v", status, err)
		}
	}
}

func TestTheSecretDoesNotFollowARedirect(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the request was carried to another address")
	}))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	err := oauth.Prover{HTTP: server.Client()}.Prove(t.Context(), oauth.Credentials{Endpoint: server.URL, ClientID: "c", ClientSecret: secret.New(clientSecret)})
	if !errors.Is(err, oauth.ErrRejected) {
		t.Fatalf("Prove() = %v, want rejected", err)
	}
}

func TestATokenIsShownAtTheDestination(t *testing.T) {
	for status, want := range map[int]error{200: nil, 204: nil, 401: oauth.ErrRejected, 403: oauth.ErrRejected, 500: oauth.ErrUnavailable, 302: oauth.ErrUnavailable} {
		var shown string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/token" {
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write([]byte(`{"access_token":"the-token","token_type":"Bearer"}`))
				return
			}
			shown = r.Method + " " + r.URL.Path + " " + r.Header.Get("Authorization")
			w.WriteHeader(status)
		}))
		prover := oauth.Prover{HTTP: server.Client(), Destination: server.URL + "/health"}
		err := prover.Prove(t.Context(), oauth.Credentials{Endpoint: server.URL + "/token", ClientID: "c", ClientSecret: secret.New("s")})
		server.Close()
		if !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("HTTP %d: %v, want %v", status, err, want)
		}
		if shown != "GET /health Bearer the-token" {
			t.Errorf("the destination saw %q", shown)
		}
		if err != nil && strings.Contains(err.Error(), "the-token") {
			t.Errorf("the error shows the token: %v", err)
		}
	}
}
