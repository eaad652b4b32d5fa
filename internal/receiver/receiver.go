// Package receiver is the destination of the events: an HTTP handler that
// takes one event a request, keeps it in an inbox, logs one line for it and
// answers 202. An event that comes again is answered alike and not kept again.
// It trusts only requests that the HTTP API's JWT authorizer has let through,
// and says of every request it refuses what is wrong with it.
package receiver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/awslabs/aws-lambda-go-api-proxy/core"
)

// MaxBody is the largest request body that is taken, in bytes: what an item of
// the inbox holds, 400 KB with its attributes' names, and more than the 256 KB
// of an event that is put on a bus.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
const MaxBody = 384 << 10

// patience is how long the inbox may take. EventBridge waits five seconds for
// the whole answer, and tries again after an error as after silence.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
const patience = 3 * time.Second

// Event is what the rule's input transformer sends (see template.yaml).
type Event struct {
	ID         string          `json:"id"`
	Time       string          `json:"time"` // RFC 3339
	Source     string          `json:"source"`
	DetailType string          `json:"detailType"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"` // any JSON value
}

// RedriveMark begins the resource by which an event that was put on the bus once
// more names the one that it stands for: its own id is new.
const RedriveMark = "redrive:"

// original is the event under the id that it had at first.
func (e Event) original() Event {
	for _, resource := range e.Resources {
		if id, ok := strings.CutPrefix(resource, RedriveMark); ok && id != "" {
			e.ID = id
		}
	}
	return e
}

// Inbox keeps the events that were accepted, whichever instance accepted them.
type Inbox interface {
	// Accept keeps the event in one step, unless one with its id is there: that
	// is a duplicate, and nothing changes. After an error it may be kept or not,
	// and the same event can be given again. It ends when ctx does.
	Accept(ctx context.Context, event Event) (duplicate bool, err error)
}

// New returns the handler: POST / takes an event, GET /health answers 200
// without touching the inbox.
func New(inbox Inbox, log *slog.Logger) http.Handler {
	accept := &acceptor{inbox: inbox, log: log}
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
	inbox Inbox
	log   *slog.Logger
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
	deliveredAs := event.ID
	event = event.original()
	claims := gateway.Authorizer.JWT.Claims
	client := claims["client_id"]
	if client == "" {
		client = claims["sub"]
	}
	// Not a logger of its own: that would encode the fields twice.
	known := []slog.Attr{
		slog.String("eventId", event.ID),
		slog.String("deliveredAs", deliveredAs),
		slog.String("source", event.Source),
		slog.String("detailType", event.DetailType),
		slog.String("eventTime", event.Time),
		slog.String("clientId", client),
		slog.String("requestId", gateway.RequestID),
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	duplicate, err := a.inbox.Accept(ctx, event)
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelError, "event not accepted", append(known, slog.String("error", err.Error()))...)
		// Never a status that ends EventBridge's retries: the trouble is ours.
		refuse(w, http.StatusServiceUnavailable, "inbox", "the event could not be kept; send it again")
		return
	}
	a.log.LogAttrs(ctx, slog.LevelInfo, "event accepted", append(known, slog.Bool("duplicate", duplicate))...)
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
	if !utf8.Valid(body) {
		return event, &refusal{http.StatusBadRequest, "body", "the body is not UTF-8; send JSON in UTF-8"}
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return event, &refusal{http.StatusBadRequest, "body", explain(err)}
	}
	// Null is a detail; nothing at all is not.
	if bytes.Equal(bytes.TrimSpace(body), []byte("null")) {
		return event, &refusal{http.StatusBadRequest, "body", "the body is null; send a JSON object with id, time, source, detailType and detail"}
	}
	for _, required := range []struct{ field, value string }{
		{"id", event.ID}, {"time", event.Time}, {"source", event.Source}, {"detailType", event.DetailType}, {"detail", string(event.Detail)},
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
