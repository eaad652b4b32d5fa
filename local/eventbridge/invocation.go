package eventbridge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"api-destination-credentials/local/access"
)

// callTimeout is how long EventBridge waits for a destination.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
const callTimeout = 5 * time.Second

// unable begins the message of a dead letter that a destination caused.
const unable = "Unable to invoke ApiDestination endpoint: "

// invokeDestination makes one attempt, as the target's role and with the
// connection's authorization.
func (s *Service) invokeDestination(ctx context.Context, d *delivery) *failure {
	if f := s.mayInvoke(ctx, d); f != nil {
		return f
	}
	destination, connection := s.locate(*d.target.Arn)
	if destination == nil {
		return &failure{code: "NO_RESOURCE", message: fmt.Sprintf("API destination %s does not exist.", *d.target.Arn)}
	}
	credentials, f := s.credentials(ctx, connection, d)
	if f != nil {
		return f
	}
	request, err := newRequest(ctx, destination, d, credentials)
	if err != nil {
		return &failure{code: "INVALID_PARAMETER", message: unable + err.Error()}
	}
	f = s.call(ctx, d, request)
	if f != nil && f.code == unauthorized {
		s.refused(connection, credentials)
		return &failure{
			code: "SDK_CLIENT_ERROR", retry: f.retry, after: f.after,
			message: unable + "The request failed because the credentials included for the connection are not authorized for the API destination.",
		}
	}
	return f
}

// mayInvoke takes on the target's role and asks whether it may use the destination.
func (s *Service) mayInvoke(ctx context.Context, d *delivery) *failure {
	session, err := s.Roles.AssumeRole(asService(ctx, d.rule.arn), &sts.AssumeRoleInput{
		RoleArn: d.target.RoleArn, RoleSessionName: aws.String("EventBridge-" + d.event.id),
	})
	if err != nil {
		return &failure{code: "FAILED_TO_ASSUME_ROLE", message: failureOf(err).message}
	}
	role, err := s.Roles.Identify(value(session.Credentials.AccessKeyId))
	if err != nil {
		return &failure{code: "FAILED_TO_ASSUME_ROLE", message: failureOf(err).message}
	}
	if err := s.authorize(access.WithCaller(ctx, role), "InvokeApiDestination", *d.target.Arn); err != nil {
		return &failure{code: "NO_PERMISSIONS", message: failureOf(err).message}
	}
	return nil
}

// locate finds a destination, as it is now, and its connection.
func (s *Service) locate(arn string) (*destination, *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.destination(arn)
	if d == nil {
		return nil, nil
	}
	now := *d
	return &now, s.connectionWithARN(d.connectionARN)
}

// newRequest builds the request to the destination.
func newRequest(ctx context.Context, to *destination, d *delivery, c *credentials) (*http.Request, error) {
	var parameters types.HttpParameters
	if d.target.HttpParameters != nil {
		parameters = *d.target.HttpParameters
	}
	address := withScheme(to.endpoint)
	for _, text := range parameters.PathParameterValues {
		address = fill(address, resolved(text, d.event.text))
	}
	body, err := merge(d.body, c.invocation.Body)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, string(to.method), address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	// Where target and connection give the same key, the connection wins.
	query := request.URL.Query()
	for name, text := range parameters.QueryStringParameters {
		query.Set(name, resolved(text, d.event.text))
	}
	c.invocation.addQuery(query)
	request.URL.RawQuery = query.Encode()
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	for name, text := range parameters.HeaderParameters {
		setHeader(request.Header, name, resolved(text, d.event.text))
	}
	c.invocation.addHeaders(request.Header)
	request.Header.Set("User-Agent", "Amazon/EventBridge/ApiDestinations")
	request.Header.Set("Range", "bytes=0-1048575")
	request.Header.Set("Accept-Encoding", "gzip,deflate")
	request.Header.Set(c.header, c.value)
	request.Close = true
	return request, nil
}

// fill puts a value into the first wildcard of an endpoint, in its path or query.
func fill(endpoint, value string) string {
	before, after, found := strings.Cut(endpoint, "*")
	switch {
	case !found:
		return endpoint
	case strings.Contains(before, "?"):
		return before + url.QueryEscape(value) + after
	}
	return before + url.PathEscape(value) + after
}

// merge puts the connection's body parameters into a JSON object.
func merge(body []byte, parameters []parameter) ([]byte, error) {
	if len(parameters) == 0 {
		return body, nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(body, &object); err != nil || object == nil {
		return nil, errors.New("the connection has body parameters, but the input is not a JSON object to add them to")
	}
	for _, p := range parameters {
		text, err := json.Marshal(p.Value)
		if err != nil {
			return nil, err
		}
		object[p.Key] = text
	}
	return json.Marshal(object)
}

// unauthorized marks a 401 or 407 until it is decided what that means for the connection.
const unauthorized = "unauthorized"

// call sends the request and judges the answer.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
func (s *Service) call(ctx context.Context, d *delivery, request *http.Request) *failure {
	ctx, cancel := s.within(ctx, callTimeout)
	defer cancel()
	response, err := s.HTTP.RoundTrip(request.WithContext(ctx))
	switch {
	case err != nil && errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		return &failure{code: "UNKNOWN", message: unable + "Timeout calling endpoint for API Destination: socket closed.", retry: true}
	case err != nil:
		return &failure{code: "SDK_CLIENT_ERROR", message: unable + "API destination endpoint cannot be reached."}
	}
	defer response.Body.Close()
	// Only the status counts; reading on lets the connection be used again.
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20))
	after, final := retryAfter(response, s.now())
	status := response.StatusCode
	d.status = status
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusUnauthorized, status == http.StatusProxyAuthRequired:
		return &failure{code: unauthorized, retry: !final, after: after}
	}
	retry := status == http.StatusConflict || status == http.StatusTooManyRequests || status >= 500
	return &failure{
		code: "ERROR_FROM_TARGET", message: unable + fmt.Sprintf("The endpoint answered with HTTP status %d.", status),
		retry: retry && !final, after: after,
	}
}

// retryAfter reads seconds or a date. A negative number ends the retries.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
func retryAfter(response *http.Response, now time.Time) (after time.Duration, final bool) {
	text := response.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(seconds) * time.Second, seconds < 0
	}
	if at, err := http.ParseTime(text); err == nil {
		return at.Sub(now), false
	}
	return 0, false
}
