package eventbridge

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// credentials are what a delivery needs of a connection.
type credentials struct {
	header, value string // for instance Authorization, Bearer …
	invocation    httpParameters
	expires       time.Time // zero when nobody said so
	revision      int       // of the connection that they are of
}

// spare is how long before a token expires an invocation gets a new one.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection-auth.html
const spare = time.Minute

func (c *credentials) usable(now time.Time) bool {
	return c != nil && (c.expires.IsZero() || now.Before(c.expires.Add(-spare)))
}

// credentials returns what authorizes a delivery: a connection's cached token, or
// a new one where that is about to expire. One delivery obtains it while others
// are parked. Credentials without a token are read anew for every delivery.
func (s *Service) credentials(ctx context.Context, c *connection, d *delivery) (*credentials, *failure) {
	if c == nil {
		return nil, &failure{code: "NO_RESOURCE", message: unable + "the connection of the API destination does not exist."}
	}
	now, cached, f := s.current(c, d)
	if f != nil || cached != nil {
		return cached, f
	}
	obtained, err := s.obtain(ctx, &now, func(string) {})
	if now.kind == types.ConnectionAuthorizationTypeOauthClientCredentials && ctx.Err() == nil {
		var f *failure
		if err != nil {
			f = &failure{code: "SDK_CLIENT_ERROR", message: err.Error()}
		}
		s.observeDelivery(d, "token", f, "")
	}
	switch {
	case ctx.Err() != nil:
		return nil, parked
	case now.kind == types.ConnectionAuthorizationTypeOauthClientCredentials:
		defer s.resume(c)
	case err == nil:
		return obtained, nil
	}
	if !s.settle(c, now.revision, obtained, err) {
		return nil, &failure{code: "SDK_CLIENT_ERROR", message: unable + "the connection has been changed.", retry: true}
	}
	if err != nil {
		return nil, &failure{code: "SDK_CLIENT_ERROR", message: unable + err.Error()}
	}
	return obtained, nil
}

// current returns the connection's cached credentials; or, where the delivery
// has to obtain some, a copy of the connection; or why it cannot go on now.
// Whether AWS lets deliveries wait for an authorization is not documented; here
// they are tried again.
func (s *Service) current(c *connection, d *delivery) (connection, *credentials, *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case c.state == types.ConnectionStateCreating || c.state == types.ConnectionStateUpdating || c.state == types.ConnectionStateAuthorizing:
		return connection{}, nil, &failure{code: "SDK_CLIENT_ERROR", message: unable + "the connection is " + string(c.state) + ".", retry: true}
	case c.state != types.ConnectionStateAuthorized:
		return connection{}, nil, &failure{code: "SDK_CLIENT_ERROR", message: unable + "the connection is " + string(c.state) + "."}
	case c.credentials.usable(s.now()):
		return connection{}, c.credentials, nil
	case c.kind != types.ConnectionAuthorizationTypeOauthClientCredentials:
		return *c, nil, nil
	case c.refreshing:
		c.waiting = append(c.waiting, d)
		return connection{}, nil, parked
	}
	c.refreshing = true
	return *c, nil, nil
}

// resume lets the deliveries go on that were parked.
func (s *Service) resume(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range c.waiting {
		s.work.start(func(ctx context.Context) { s.pursue(ctx, d) })
	}
	c.refreshing, c.waiting = false, nil
}

// refused handles a 401 or 407: an OAuth token is dropped so that the next
// attempt gets a fresh one; other credentials have no second chance. What was
// refused may have been replaced meanwhile.
func (s *Service) refused(c *connection, used *credentials) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.credentials == used {
		c.credentials = nil
		return
	}
	if c.kind != types.ConnectionAuthorizationTypeOauthClientCredentials && c.state == types.ConnectionStateAuthorized && c.revision == used.revision {
		s.setState(c, types.ConnectionStateDeauthorized, "The API destination refused the connection's credentials: update the connection with valid ones.")
	}
}

// stateReason is an error that users read as a connection's StateReason, hence
// a whole sentence.
type stateReason string

func (r stateReason) Error() string { return string(r) }

// unreachable has AWS's own words.
const unreachable stateReason = "Could not connect to the specified endpoint."

// obtain reads the connection's secret as the service-linked role and, for
// OAuth, asks for a token. An endpoint that cannot be reached gets three
// chances; retrying is told why. The error is a state reason.
func (s *Service) obtain(ctx context.Context, c *connection, retrying func(reason string)) (*credentials, error) {
	const attempts = 3
	held, err := s.readSecret(s.asLinkedRole(ctx), c.secretARN)
	if err != nil {
		return nil, stateReason("EventBridge cannot read the connection's secret: " + failureOf(err).message)
	}
	if c.kind != types.ConnectionAuthorizationTypeOauthClientCredentials {
		return static(held, c.revision), nil
	}
	for attempt := 1; ; attempt++ {
		obtained, err := s.token(ctx, held)
		if err == nil {
			obtained.revision = c.revision
			return obtained, nil
		}
		if !errors.Is(err, unreachable) || attempt == attempts {
			return nil, err
		}
		retrying(err.Error())
		if !s.work.pause(ctx, time.Second) {
			return nil, ctx.Err()
		}
	}
}

// static credentials need no token.
func static(held *material, revision int) *credentials {
	c := &credentials{header: "Authorization", revision: revision}
	if held.Invocation != nil {
		c.invocation = *held.Invocation
	}
	if held.APIKeyName != "" {
		c.header, c.value = held.APIKeyName, held.APIKeyValue
		return c
	}
	c.value = "Basic " + base64.StdEncoding.EncodeToString([]byte(held.Username+":"+held.Password))
	return c
}

// token asks the authorization endpoint for an access token. AWS does not
// document the request's form: client id and secret go with the body
// parameters, form-encoded, or into the query where the method has no body.
func (s *Service) token(ctx context.Context, held *material) (*credentials, error) {
	ctx, cancel := s.within(ctx, callTimeout)
	defer cancel()
	request, err := tokenRequest(ctx, held)
	if err != nil {
		return nil, stateReason("The token request cannot be built: check authorization endpoint and OAuth HTTP parameters, and update the connection.")
	}
	response, err := s.HTTP.RoundTrip(request)
	if err != nil {
		return nil, unreachable
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return nil, unreachable
	}
	if response.StatusCode != http.StatusOK {
		return nil, stateReason(fmt.Sprintf("The authorization endpoint answered with HTTP status %d%s: "+
			"check client id, client secret and OAuth HTTP parameters, and update the connection.", response.StatusCode, oauthError(body)))
	}
	var answer struct {
		AccessToken string      `json:"access_token"`
		ExpiresIn   json.Number `json:"expires_in"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.AccessToken == "" {
		return nil, stateReason("The authorization endpoint answered without an access_token in JSON: check that it is a token endpoint, and update the connection.")
	}
	obtained := &credentials{header: "Authorization", value: "Bearer " + answer.AccessToken}
	if seconds, err := answer.ExpiresIn.Int64(); err == nil {
		obtained.expires = s.now().Add(time.Duration(seconds) * time.Second)
	}
	if held.Invocation != nil {
		obtained.invocation = *held.Invocation
	}
	return obtained, nil
}

func tokenRequest(ctx context.Context, held *material) (*http.Request, error) {
	form := url.Values{}
	for _, p := range held.OAuth.body() {
		form.Set(p.Key, p.Value)
	}
	form.Set("client_id", held.ClientID)
	form.Set("client_secret", held.ClientSecret)
	request, err := http.NewRequestWithContext(ctx, held.HTTPMethod, held.AuthorizationEndpoint, nil)
	if err != nil {
		return nil, err
	}
	query := request.URL.Query()
	held.OAuth.addQuery(query)
	if held.HTTPMethod == http.MethodGet {
		for name, values := range form {
			query[name] = values
		}
	} else {
		body := form.Encode()
		request.Body, request.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	request.URL.RawQuery = query.Encode()
	request.Header.Set("Accept", "application/json")
	held.OAuth.addHeaders(request.Header)
	request.Header.Set("User-Agent", "Amazon/EventBridge/ApiDestinations")
	return request, nil
}

var errorCode = regexp.MustCompile(`^[a-z_]{1,40}$`)

// oauthError is the error code of RFC 6749 and nothing else of the answer,
// which could repeat a secret.
func oauthError(body []byte) string {
	var answer struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil || !errorCode.MatchString(answer.Error) {
		return ""
	}
	return " (" + answer.Error + ")"
}
