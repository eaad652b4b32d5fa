package oauth_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"api-destination-credentials/internal/oauth"
	"api-destination-credentials/internal/secret"
)

// FuzzProve holds that whatever an authorization endpoint or a destination
// writes, echoes of the request among it, ends as a judgement that shows
// neither the client secret nor the token. SECRET and TOKEN stand for them.
func FuzzProve(f *testing.F) {
	const token = "the-token-of-the-client"
	granted := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n" + `{"access_token":"TOKEN","token_type":"Bearer","scope":"events/write","expires_in":3600}              `
	for _, seed := range [][2]string{
		{granted, "HTTP/1.1 204 No Content\r\n\r\n"},
		{granted, "HTTP/1.1 401 TOKEN\r\nWww-Authenticate: TOKEN\r\n\r\n"},
		{granted, "HTTP/1.1 302 Found\r\nLocation: %zzTOKEN\r\n\r\n"},
		{granted, "TOKEN"},
		{"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" + `{"error":"invalid_client","error_description":"SECRET","error_uri":"SECRET"}`, ""},
		{"HTTP/1.1 400 Bad Request\r\nContent-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n\r\nerror=SECRET", ""},
		{"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://%zz?client_secret=SECRET\r\nConnection: close\r\n\r\n", ""},
		{"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://elsewhere/?client_secret=SECRET\r\nConnection: close\r\n\r\n", ""},
		{"HTTP/1.1 SECRET\r\n\r\n", ""}, {"SECRET\r\n\r\n", ""}, {"HTTP/1.1 200 OK\r\nSECRET\r\n\r\n", ""}, {"HTTP/1.1 200 OK\r\nContent-Length: SECRET\r\n\r\n", ""},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: SECRET\r\n\r\n", ""}, {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nSECRET\r\n", ""},
		{"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\naccess_token=TOKEN%0d%0a&token_type=mac", "HTTP/1.1 200 OK\r\n\r\n"},
		{"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" + `{"access_token":{"SECRET":1},"expires_in":"SECRET"}`, ""},
		{"HTTP/1.1 503 SECRET\r\n\r\n", ""}, {"", ""},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, tokenAnswer, destinationAnswer string) {
		fill := strings.NewReplacer("SECRET", clientSecret, "TOKEN", token)
		client := &http.Client{Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(_ context.Context, _, address string) (net.Conn, error) {
				switch address {
				case "endpoint:80":
					return answering(fill.Replace(tokenAnswer)), nil
				case "destination:80":
					return answering(fill.Replace(destinationAnswer)), nil
				}
				t.Errorf("a request goes to %s", address)
				return nil, errors.New("nobody there")
			},
		}}
		err := oauth.Prover{HTTP: client, Destination: "http://destination/"}.Prove(t.Context(), oauth.Credentials{
			Endpoint: "http://endpoint/token", ClientID: "the-client", ClientSecret: secret.New(clientSecret), Scope: "events/write",
		})
		if err == nil {
			return
		}
		if errors.Is(err, oauth.ErrRejected) == errors.Is(err, oauth.ErrUnavailable) {
			t.Errorf("%v is of no kind", err)
		}
		if strings.Contains(err.Error(), clientSecret) || strings.Contains(err.Error(), token) {
			t.Errorf("the error shows a secret: %v", err)
		}
	})
}

// answering is a connection whose other end reads one request and answers it.
func answering(answer string) net.Conn {
	near, far := net.Pipe()
	go func() {
		defer far.Close()
		request, err := http.ReadRequest(bufio.NewReader(far))
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, request.Body)
		_, _ = io.WriteString(far, answer)
	}()
	return near
}
