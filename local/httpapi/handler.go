package httpapi

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"api-destination-credentials/local/access"
)

// maxPayload is the largest request body, in bytes.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
const maxPayload = 10 << 20

// Handler serves APIID.execute-api.REGION.amazonaws.com. The API is taken from
// the Host header.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-publish.html
func (s *Service) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call := &call{Request: r, id: newRequestID(), received: s.Clock.Now()}
		w.Header().Set("Apigw-Requestid", call.id)
		if status, message := s.locate(call); status != 0 {
			refuse(w, status, message)
			return
		}
		if call.route.authorizer != nil {
			refusal := s.authenticate(r.Context(), call)
			if refusal != nil {
				w.Header().Set("Www-Authenticate", refusal.challenge(call.route.settings.AuthorizationScopes))
				refuse(w, refusal.status, http.StatusText(refusal.status))
				return
			}
		}
		s.integrate(w, call)
	})
}

// call is a request on its way through an API.
type call struct {
	*http.Request
	id             string
	received       time.Time
	apiID          string
	stage          string
	stageVariables map[string]string
	route          *route
	pathVariables  map[string]string
	token          *verified // nil on an open route
}

// locate finds the API, the stage and the route; a status where one is missing.
func (s *Service) locate(c *call) (status int, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.apiID, _, _ = strings.Cut(strings.ToLower(c.Host), ".")
	a := s.api(c.apiID)
	if a == nil {
		return http.StatusNotFound, "There is no API " + c.apiID + " on the local endpoint"
	}
	path := c.URL.EscapedPath()
	first, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	i := a.stage(first)
	if i >= 0 && first != defaultStage {
		path = "/" + rest
	} else {
		i = a.stage(defaultStage)
	}
	if i < 0 || aws.ToBool(a.settings.DisableExecuteApiEndpoint) {
		return http.StatusNotFound, "Not Found"
	}
	c.stage, c.stageVariables = *a.stages[i].StageName, a.stages[i].StageVariables
	c.route, c.pathVariables = a.definition.find(c.Method, path)
	if c.route == nil {
		return http.StatusNotFound, "Not Found"
	}
	return 0, ""
}

// integrate invokes the function and answers with what it returns.
func (s *Service) integrate(w http.ResponseWriter, c *call) {
	body, err := io.ReadAll(io.LimitReader(c.Body, maxPayload+1))
	if err != nil {
		refuse(w, http.StatusBadRequest, "Bad Request")
		return
	}
	if len(body) > maxPayload {
		refuse(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
		return
	}
	payload, err := json.Marshal(s.event(c, body))
	if err != nil {
		panic(err) // texts and numbers only
	}
	ctx, cancel := context.WithTimeout(c.Context(), c.route.timeout)
	defer cancel()
	out, err := s.Functions.Invoke(
		access.WithCaller(ctx, access.Principal{Service: "apigateway.amazonaws.com", SourceARN: s.sourceARN(c.apiID, c.stage, c.route)}),
		&lambda.InvokeInput{FunctionName: aws.String(c.route.function), Payload: payload},
	)
	if err != nil {
		status := statusOf(err)
		s.Log.WarnContext(ctx, "An integration failed.", "requestId", c.id, "function", c.route.function, "status", status, "error", err)
		refuse(w, status, http.StatusText(status))
		return
	}
	if out.FunctionError != nil {
		s.Log.WarnContext(ctx, "A function failed; its log says why.", "requestId", c.id, "function", c.route.function)
		refuse(w, http.StatusInternalServerError, http.StatusText(http.StatusInternalServerError))
		return
	}
	answer, err := interpret(out.Payload)
	if err != nil {
		s.Log.WarnContext(ctx, "A function's answer cannot be sent.", "requestId", c.id, "function", c.route.function, "error", err)
		refuse(w, http.StatusInternalServerError, http.StatusText(http.StatusInternalServerError))
		return
	}
	answer.write(w)
}

// statusOf is the status for a function that could not be run. AWS documents
// 500 for a missing permission; that a timeout or throttle is a 503 is known
// from practice only.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html
func statusOf(err error) int {
	var large *lambdatypes.RequestTooLargeException
	var throttled *lambdatypes.TooManyRequestsException
	switch {
	case errors.As(err, &large):
		return http.StatusRequestEntityTooLarge
	case errors.As(err, &throttled), errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

func refuse(w http.ResponseWriter, status int, message string) {
	body, _ := json.Marshal(map[string]string{"message": message}) // a map of texts cannot fail
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may have left
}

func newRequestID() string {
	id := make([]byte, 11)
	_, _ = rand.Read(id) // never fails
	return base64.URLEncoding.EncodeToString(id)
}
