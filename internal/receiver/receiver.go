// Package receiver is the destination of the events: an HTTP handler that
// takes one event a request, logs one line for it and answers 202. It trusts
// only requests that the HTTP API's JWT authorizer has let through, and says
// of every request it refuses what is wrong with it.
package receiver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"time"

	"github.com/awslabs/aws-lambda-go-api-proxy/core"
)

// MaxBody is the largest request body that is read, in bytes: EventBridge
// hands over at most 256 KB, or 1 MB where the larger limit applies.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
const MaxBody = 1 << 20

// Event is what the rule's input transformer sends (see template.yaml).
type Event struct {
	ID         string          `json:"id"`
	Time       string          `json:"time"` // RFC 3339
	Source     string          `json:"source"`
	DetailType string          `json:"detailType"`
	Payload    json.RawMessage `json:"payload"` // any JSON value
}

// New returns the handler: POST / takes an event, GET /health answers 200.
func New(log *slog.Logger) http.Handler {
	accept := &acceptor{log: log, seen: newRecent(10_000)}
	routes := map[string]struct {
		method string
		serve  http.HandlerFunc
	}{
		"/":       {http.MethodPost, accept.ServeHTTP},
		"/health": {http.MethodGet, health},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		route, ok := routes[r.URL.Path]
		if !ok {
			refuse(w, http.StatusNotFound, "path", fmt.Sprintf("there is nothing at %s; send events to POST /", r.URL.Path))
			return
		}
		if r.Method != route.method {
			w.Header().Set("Allow", route.method)
			refuse(w, http.StatusMethodNotAllowed, "method", fmt.Sprintf("%s is not allowed on %s; use %s", r.Method, r.URL.Path, route.method))
			return
		}
		route.serve(w, r)
	})
}

type acceptor struct {
	log  *slog.Logger
	seen *recent
}

func (a *acceptor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	gateway, _ := core.GetAPIGatewayV2ContextFromContext(r.Context())
	// No authorizer, no trust: sam local start-api, for one, mounts routes open.
	if gateway.Authorizer == nil || gateway.Authorizer.JWT == nil || gateway.Authorizer.JWT.Claims["client_id"] == "" && gateway.Authorizer.JWT.Claims["sub"] == "" {
		refuse(w, http.StatusUnauthorized, "authorization", "the request carries no verified claims; call through the HTTP API with an access token")
		return
	}
	event, refusal := read(r)
	if refusal != nil {
		refuse(w, refusal.status, refusal.field, refusal.message)
		return
	}
	claims := gateway.Authorizer.JWT.Claims
	client := claims["client_id"]
	if client == "" {
		client = claims["sub"]
	}
	duplicate := a.seen.add(event.ID)
	a.log.InfoContext(r.Context(), "event accepted",
		"eventId", event.ID,
		"source", event.Source,
		"detailType", event.DetailType,
		"eventTime", event.Time,
		"clientId", client,
		"requestId", gateway.RequestID,
		"duplicate", duplicate,
	)
	answer(w, http.StatusAccepted, map[string]any{"id": event.ID, "duplicate": duplicate})
}

func health(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{"status": "ok"})
}

type refusal struct {
	status         int
	field, message string
}

func read(r *http.Request) (Event, *refusal) {
	var event Event
	contentType := r.Header.Get("Content-Type")
	if media, _, err := mime.ParseMediaType(contentType); err != nil || media != "application/json" {
		return event, &refusal{http.StatusUnsupportedMediaType, "content-type", fmt.Sprintf("%q is not supported; send application/json", contentType)}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	if err != nil {
		return event, &refusal{http.StatusBadRequest, "body", "the body could not be read; send it again"}
	}
	if len(body) > MaxBody {
		return event, &refusal{http.StatusRequestEntityTooLarge, "body", fmt.Sprintf("the body is larger than %d bytes; send a reference to the data instead", MaxBody)}
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return event, &refusal{http.StatusBadRequest, "body", explain(err)}
	}
	// Null is a payload; nothing at all is not.
	if bytes.Equal(bytes.TrimSpace(body), []byte("null")) {
		return event, &refusal{http.StatusBadRequest, "body", "the body is null; send a JSON object with id, time, source, detailType and payload"}
	}
	for _, required := range []struct{ field, value string }{
		{"id", event.ID}, {"time", event.Time}, {"source", event.Source}, {"detailType", event.DetailType}, {"payload", string(event.Payload)},
	} {
		if required.value == "" {
			return event, &refusal{http.StatusBadRequest, required.field, fmt.Sprintf("%s is missing or empty; the rule's input transformer has to send it", required.field)}
		}
	}
	if _, err := time.Parse(time.RFC3339, event.Time); err != nil {
		return event, &refusal{http.StatusBadRequest, "time", "time is not RFC 3339; send it as EventBridge does, for instance 2026-11-23T08:00:00Z"}
	}
	return event, nil
}

// explain turns a decoding error into a sentence without the body's own text.
func explain(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("the body is not valid JSON at byte %d; send a JSON object", syntax.Offset)
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Sprintf("%s is a JSON %s; send a string", kind.Field, kind.Value)
	case errors.As(err, &kind):
		return fmt.Sprintf("the body is a JSON %s; send a JSON object", kind.Value)
	}
	return "the body is not valid JSON; send a JSON object"
}

func refuse(w http.ResponseWriter, status int, field, message string) {
	answer(w, status, map[string]any{"field": field, "error": message})
}

func answer(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The body is built of strings and booleans, and the adapter's writer is memory.
	_ = json.NewEncoder(w).Encode(body)
}
