package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"api-destination-credentials/internal/oauth"
	"api-destination-credentials/internal/secret"
)

// An identity provider that knows one client secret: another one is rejected,
// and trying it again would not help.
func ExampleProver_Prove() {
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.FormValue("client_secret") != "right" {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error": "invalid_client"}`)
			return
		}
		fmt.Fprint(w, `{"access_token": "opaque", "token_type": "Bearer", "scope": "events/write"}`)
	}))
	defer provider.Close()

	prover := oauth.Prover{HTTP: provider.Client()}
	for _, candidate := range []string{"right", "wrong"} {
		err := prover.Prove(context.Background(), oauth.Credentials{
			Endpoint: provider.URL, ClientID: "writer", ClientSecret: secret.New(candidate), Scope: "events/write",
		})
		fmt.Println(err == nil, errors.Is(err, oauth.ErrRejected))
	}
	// Output:
	// true false
	// false true
}
