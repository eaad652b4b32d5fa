// Package oauth proves client credentials: it asks an authorization endpoint
// for a token, as an EventBridge connection will, and judges the answer. The
// token itself is looked at and forgotten.
package oauth

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"api-destination-credentials/internal/secret"
)

// Credentials are what a connection presents to its authorization endpoint.
type Credentials struct {
	Endpoint     string // https URL of the token endpoint
	ClientID     string
	ClientSecret secret.Text
	Scope        string // space separated; empty asks for none
	Audience     string // empty asks for none
}

// The kinds of failure that callers tell apart with errors.Is.
var (
	// ErrRejected means that the endpoint answered and will not accept these
	// credentials; trying again does not help.
	ErrRejected = errors.New("rejected")
	// ErrUnavailable means that nothing can be said of the credentials: the
	// endpoint was not reached, was too slow, or failed.
	ErrUnavailable = errors.New("unavailable")
)

// perRequest bounds one token request, in time.
const perRequest = 10 * time.Second

// Prover asks for tokens with its HTTP client.
type Prover struct {
	HTTP *http.Client
	// Destination is a URL that answers GET with a 2xx status to whoever has a
	// token that the destination accepts; empty to leave the token unused.
	Destination string
}

// Prove returns nil when the endpoint grants a token with the wanted scope.
// Errors are sentences with a remedy, of kind ErrRejected or ErrUnavailable.
//
// The credentials go in the form, the way that Amazon Cognito and most
// providers take them.
// https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html
func (p Prover) Prove(ctx context.Context, c Credentials) error {
	ctx, cancel := context.WithTimeout(ctx, perRequest)
	defer cancel()
	config := clientcredentials.Config{
		ClientID:     c.ClientID,
		ClientSecret: c.ClientSecret.Reveal(),
		TokenURL:     c.Endpoint,
		Scopes:       strings.Fields(c.Scope),
		AuthStyle:    oauth2.AuthStyleInParams,
	}
	if c.Audience != "" {
		config.EndpointParams = url.Values{"audience": {c.Audience}}
	}
	client := *p.HTTP
	// A redirect would carry the secret to an address that nobody configured.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	token, err := config.Token(context.WithValue(ctx, oauth2.HTTPClient, &client))
	if err != nil {
		return judge(c, err)
	}
	granted, known := grantedScopes(token)
	for _, wanted := range strings.Fields(c.Scope) {
		if known && !slices.Contains(granted, wanted) {
			return rejected("authorization endpoint %s granted a token without scope %q: allow this scope to client %s",
				c.Endpoint, wanted, c.ClientID)
		}
	}
	if p.Destination == "" {
		return nil
	}
	return show(ctx, &client, p.Destination, c, token)
}

// show uses the token where it is meant for.
func show(ctx context.Context, client *http.Client, destination string, c Credentials, token *oauth2.Token) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, destination, nil)
	if err != nil {
		return rejected("destination %q is not a URL: correct it", destination)
	}
	token.SetAuthHeader(request)
	answer, err := client.Do(request)
	if err != nil {
		return unavailable("destination %s cannot be reached (%s): check its address and that it is up", destination, connectionFailure(err))
	}
	defer answer.Body.Close()
	// Read to its end, the connection can be used again.
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10))
	switch {
	case answer.StatusCode/100 == 2:
		return nil
	case answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden:
		return rejected("destination %s does not accept a token of client %s (HTTP %d): compare the authorizer's issuer, audience and scope with the token's", destination, c.ClientID, answer.StatusCode)
	}
	return unavailable("destination %s answered HTTP %d: try again when it works", destination, answer.StatusCode)
}

// judge says in a sentence why no token came. It repeats the standard error
// code but nothing else that the endpoint wrote, which might echo the request.
func judge(c Credentials, err error) error {
	var answered *oauth2.RetrieveError
	if errors.As(err, &answered) && answered.Response != nil {
		status := answered.Response.StatusCode
		if status >= 500 || status == http.StatusTooManyRequests {
			return unavailable("authorization endpoint %s answered HTTP %d: try again when it works", c.Endpoint, status)
		}
		// A wrong client secret is HTTP 400 invalid_client in Amazon Cognito.
		switch answered.ErrorCode {
		case "invalid_client":
			return rejected("authorization endpoint %s does not accept the client secret of client %s (invalid_client): store the client's valid secret in the source secret", c.Endpoint, c.ClientID)
		case "invalid_scope":
			return rejected("authorization endpoint %s does not grant scope %q to client %s (invalid_scope): correct the scope or allow it to the client", c.Endpoint, c.Scope, c.ClientID)
		// RFC 8707, 2; Auth0 says access_denied.
		case "invalid_target", "access_denied":
			return rejected("authorization endpoint %s gives client %s no token for audience %q (%s): correct the audience, or authorize the client for it", c.Endpoint, c.ClientID, c.Audience, answered.ErrorCode)
		case "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_request":
			return rejected("authorization endpoint %s refuses client %s with scope %q (%s): allow the client-credentials grant and the scope to this client", c.Endpoint, c.ClientID, c.Scope, answered.ErrorCode)
		}
		return rejected("authorization endpoint %s refused client %s with HTTP %d: check the endpoint's address and the client", c.Endpoint, c.ClientID, status)
	}
	return unavailable("authorization endpoint %s cannot be reached (%s): check its address and that it is up", c.Endpoint, connectionFailure(err))
}

// failure is a sentence of one of the two kinds.
type failure struct {
	kind     error
	sentence string
}

func (f *failure) Error() string { return f.sentence }
func (f *failure) Unwrap() error { return f.kind }

func rejected(format string, arguments ...any) error {
	return &failure{ErrRejected, fmt.Sprintf(format, arguments...)}
}

func unavailable(format string, arguments ...any) error {
	return &failure{ErrUnavailable, fmt.Sprintf(format, arguments...)}
}

// connectionFailure names a transport error without the request it belongs to,
// and without what came back: net/http repeats a malformed answer, which might
// echo the request.
func connectionFailure(err error) string {
	var dns *net.DNSError
	var operation *net.OpError
	var untrusted *tls.CertificateVerificationError
	var wrapped *url.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, context.Canceled):
		return "the request was cancelled"
	case errors.As(err, &dns):
		return "its name does not resolve"
	case errors.As(err, &operation):
		return operation.Err.Error()
	case errors.As(err, &untrusted):
		return untrusted.Error()
	case errors.As(err, &wrapped):
		return "no HTTP answer that can be read"
	}
	return "no token in its answer"
}

// grantedScopes reads the scopes from the answer or, where the provider says
// nothing there (Cognito), from the token if it is a JWT. An opaque token with
// no scope in the answer has the scope that was asked for (RFC 6749, 5.1).
func grantedScopes(token *oauth2.Token) (scopes []string, known bool) {
	if answered, ok := token.Extra("scope").(string); ok && answered != "" {
		return strings.Fields(answered), true
	}
	parts := strings.Split(token.AccessToken, ".")
	if len(parts) != 3 {
		return nil, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, false
	}
	var claims struct {
		Scope string `json:"scope"`
		SCP   any    `json:"scp"`
	}
	if json.Unmarshal(payload, &claims) != nil {
		return nil, false
	}
	scopes = strings.Fields(claims.Scope)
	switch scp := claims.SCP.(type) {
	case string:
		scopes = append(scopes, strings.Fields(scp)...)
	case []any:
		for _, one := range scp {
			if text, ok := one.(string); ok {
				scopes = append(scopes, text)
			}
		}
	}
	return scopes, len(scopes) > 0
}
