package receiver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"
	"github.com/google/go-cmp/cmp"

	"api-destination-credentials/internal/receiver"
)

const event = `{"id":"e-1","time":"2026-11-23T08:00:00Z","source":"com.demo-event-bus.cmk","detailType":"demo-event-type","detail":{"a":1}}`

func request(method, path, contentType, body string) events.APIGatewayV2HTTPRequest {
	r := events.APIGatewayV2HTTPRequest{RawPath: path, Headers: map[string]string{"content-type": contentType}, Body: body}
	r.RequestContext.HTTP.Method = method
	r.RequestContext.HTTP.Path = path
	r.RequestContext.RequestID = "gateway-1"
	r.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
		JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: map[string]string{"client_id": "client-1", "sub": "client-1"}},
	}
	return r
}

func serve(t *testing.T, handler *httpadapter.HandlerAdapterV2, r events.APIGatewayV2HTTPRequest) (int, map[string]any) {
	t.Helper()
	answer, err := handler.ProxyWithContext(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	var body map[string]any
	if err := json.Unmarshal([]byte(answer.Body), &body); err != nil {
		t.Fatalf("the answer is not JSON: %q", answer.Body)
	}
	return answer.StatusCode, body
}

// inbox keeps events in memory, where nothing is in its way.
type inbox struct {
	kept    []receiver.Event
	trouble func(context.Context) error
}

func (i *inbox) Accept(ctx context.Context, event receiver.Event) (duplicate bool, err error) {
	if i.trouble != nil {
		return false, i.trouble(ctx)
	}
	if slices.ContainsFunc(i.kept, func(one receiver.Event) bool { return one.ID == event.ID }) {
		return true, nil
	}
	i.kept = append(i.kept, event)
	return false, nil
}

func TestAnEventIsAcceptedAndLoggedInOneLine(t *testing.T) {
	for name, detail := range map[string]string{
		"object": `{"a":1}`, "string": `"text"`, "list": `[1,2]`, "number": `3`, "null": `null`, "false": `false`,
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			kept := &inbox{}
			handler := httpadapter.NewV2(receiver.New(kept, slog.New(slog.NewJSONHandler(&log, nil))))
			body := strings.Replace(event, `{"a":1}`, detail, 1)
			for i, duplicate := range []bool{false, true} {
				log.Reset()
				status, answer := serve(t, handler, request("POST", "/", "application/json; charset=utf-8", body))
				if status != 202 || answer["id"] != "e-1" || answer["duplicate"] != duplicate {
					t.Fatalf("delivery %d: got %d %v, want 202, id e-1, duplicate %v", i+1, status, answer, duplicate)
				}
				var line map[string]any
				if err := json.Unmarshal(log.Bytes(), &line); err != nil {
					t.Fatalf("want one JSON line, got %q", log.String())
				}
				delete(line, "time")
				want := map[string]any{
					"level": "INFO", "msg": "event accepted", "eventId": "e-1", "deliveredAs": "e-1", "source": "com.demo-event-bus.cmk", "detailType": "demo-event-type",
					"eventTime": "2026-11-23T08:00:00Z", "clientId": "client-1", "requestId": "gateway-1", "duplicate": duplicate,
				}
				if difference := cmp.Diff(want, line); difference != "" {
					t.Errorf("log line (-want +got):\n%s", difference)
				}
			}
			want := []receiver.Event{{ID: "e-1", Time: "2026-11-23T08:00:00Z", Source: "com.demo-event-bus.cmk", DetailType: "demo-event-type", Detail: json.RawMessage(detail)}}
			if difference := cmp.Diff(want, kept.kept); difference != "" {
				t.Errorf("inbox (-want +got):\n%s", difference)
			}
		})
	}
}

func TestARedrivenEventIsTakenForTheOneThatItStandsFor(t *testing.T) {
	kept := &inbox{}
	handler := httpadapter.NewV2(receiver.New(kept, slog.New(slog.DiscardHandler)))
	if _, answer := serve(t, handler, request("POST", "/", "application/json", event)); answer["duplicate"] != false {
		t.Fatalf("the first delivery: %v", answer)
	}
	redriven := strings.Replace(event, `"id":"e-1"`, `"id":"e-2","resources":["arn:aws:s3:::b","redrive:e-1"]`, 1)
	if status, answer := serve(t, handler, request("POST", "/", "application/json", redriven)); status != 202 || answer["duplicate"] != true {
		t.Errorf("got %d %v, want a duplicate", status, answer)
	}
}

func TestARefusedRequestSaysWhichFieldAndWhatToDo(t *testing.T) {
	without := func(field string) string {
		var all map[string]any
		if err := json.Unmarshal([]byte(event), &all); err != nil {
			t.Fatal(err)
		}
		delete(all, field)
		body, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	for name, test := range map[string]struct {
		request events.APIGatewayV2HTTPRequest
		status  int
		field   string
		mention string
	}{
		"other path":         {request("POST", "/events", "application/json", event), 404, "path", "POST /"},
		"other method":       {request("PUT", "/", "application/json", event), 405, "method", "use POST"},
		"post to health":     {request("POST", "/health", "application/json", event), 405, "method", "use GET"},
		"no media type":      {request("POST", "/", "", event), 415, "content-type", "send application/json"},
		"other media type":   {request("POST", "/", "text/plain", event), 415, "content-type", "text/plain"},
		"empty body":         {request("POST", "/", "application/json", ""), 400, "body", "not valid JSON"},
		"malformed JSON":     {request("POST", "/", "application/json", `{"id":`), 400, "body", "not valid JSON"},
		"two values":         {request("POST", "/", "application/json", event+event), 400, "body", "not valid JSON"},
		"a list":             {request("POST", "/", "application/json", `[]`), 400, "body", "JSON array"},
		"null":               {request("POST", "/", "application/json", `null`), 400, "body", "null"},
		"id is a number":     {request("POST", "/", "application/json", `{"id":1}`), 400, "body", "id is a JSON number"},
		"no id":              {request("POST", "/", "application/json", without("id")), 400, "id", "id is missing"},
		"no time":            {request("POST", "/", "application/json", without("time")), 400, "time", "time is missing"},
		"no source":          {request("POST", "/", "application/json", without("source")), 400, "source", "source is missing"},
		"no detail type":     {request("POST", "/", "application/json", without("detailType")), 400, "detailType", "detailType is missing"},
		"no detail":          {request("POST", "/", "application/json", without("detail")), 400, "detail", "detail is missing"},
		"time is not a time": {request("POST", "/", "application/json", strings.Replace(event, "2026-11-23T08:00:00Z", "noon", 1)), 400, "time", "RFC 3339"},
		"not UTF-8":          {request("POST", "/", "application/json", strings.Replace(event, "e-1", "\xff", 1)), 400, "body", "not UTF-8"},
		"too large":          {request("POST", "/", "application/json", `"`+strings.Repeat("x", receiver.MaxBody)+`"`), 413, "body", "larger than"},
	} {
		t.Run(name, func(t *testing.T) {
			kept := &inbox{}
			status, answer := serve(t, httpadapter.NewV2(receiver.New(kept, slog.New(slog.NewTextHandler(io.Discard, nil)))), test.request)
			if status != test.status || answer["field"] != test.field {
				t.Fatalf("got %d %v, want %d for %s", status, answer, test.status, test.field)
			}
			if message, _ := answer["error"].(string); !strings.Contains(message, test.mention) {
				t.Errorf("the error should mention %q: %s", test.mention, message)
			}
			if kept.kept != nil {
				t.Errorf("it is kept all the same: %v", kept.kept)
			}
		})
	}
}

func TestARequestWithoutVerifiedClaimsIsRefused(t *testing.T) {
	handler := httpadapter.NewV2(receiver.New(&inbox{}, slog.New(slog.NewTextHandler(io.Discard, nil))))
	bare := request("POST", "/", "application/json", event)
	bare.Headers["authorization"] = "Bearer looks-like-a-token"
	for name, authorizer := range map[string]*events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
		"no authorizer": nil,
		"no JWT":        {},
		"no client":     {JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: map[string]string{"iss": "x"}}},
	} {
		bare.RequestContext.Authorizer = authorizer
		if status, answer := serve(t, handler, bare); status != 401 || answer["field"] != "authorization" {
			t.Errorf("%s: got %d %v, want 401", name, status, answer)
		}
	}
}

func TestTheClientIsNamedByItsSubjectWhereTheTokenHasNoClientID(t *testing.T) {
	var log bytes.Buffer
	r := request("POST", "/", "application/json", event)
	r.RequestContext.Authorizer.JWT.Claims = map[string]string{"sub": "subject-1"}
	status, _ := serve(t, httpadapter.NewV2(receiver.New(&inbox{}, slog.New(slog.NewJSONHandler(&log, nil)))), r)
	if status != 202 || !strings.Contains(log.String(), `"clientId":"subject-1"`) {
		t.Errorf("got %d and %s, want 202 and the subject as client", status, log.String())
	}
}

func TestAnEventThatCannotBeKeptIsToBeSentAgain(t *testing.T) {
	var log bytes.Buffer
	kept := &inbox{trouble: func(context.Context) error { return errors.New("the table does not answer") }}
	handler := httpadapter.NewV2(receiver.New(kept, slog.New(slog.NewJSONHandler(&log, nil))))
	status, answer := serve(t, handler, request("POST", "/", "application/json", event))
	want := map[string]any{"field": "inbox", "error": "the event could not be kept; send it again"}
	if difference := cmp.Diff(want, answer); status != 503 || difference != "" {
		t.Errorf("got %d, want 503 (-want +got):\n%s", status, difference)
	}
	var line map[string]any
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatalf("want one JSON line, got %q", log.String())
	}
	delete(line, "time")
	want = map[string]any{
		"level": "ERROR", "msg": "event not accepted", "eventId": "e-1", "deliveredAs": "e-1", "source": "com.demo-event-bus.cmk", "detailType": "demo-event-type",
		"eventTime": "2026-11-23T08:00:00Z", "clientId": "client-1", "requestId": "gateway-1", "error": "the table does not answer",
	}
	if difference := cmp.Diff(want, line); difference != "" {
		t.Errorf("log line (-want +got):\n%s", difference)
	}

	kept.trouble = nil
	if status, answer := serve(t, handler, request("POST", "/", "application/json", event)); status != 202 || answer["duplicate"] != false {
		t.Errorf("sent again: got %d %v, want 202 and no duplicate", status, answer)
	}
}

func TestTheInboxHasLessTimeThanEventBridgeWaits(t *testing.T) {
	kept := &inbox{trouble: func(ctx context.Context) error {
		deadline, ok := ctx.Deadline()
		if left := time.Until(deadline); !ok || left > 4*time.Second {
			t.Errorf("the inbox has %s, want less than 4 s of EventBridge's 5", left)
		}
		return context.DeadlineExceeded
	}}
	status, _ := serve(t, httpadapter.NewV2(receiver.New(kept, slog.New(slog.DiscardHandler))), request("POST", "/", "application/json", event))
	if status != 503 {
		t.Errorf("got %d, want 503", status)
	}
}

func TestHealthAnswersWithoutTheInbox(t *testing.T) {
	kept := &inbox{trouble: func(context.Context) error {
		t.Error("the inbox was asked")
		return nil
	}}
	status, answer := serve(t, httpadapter.NewV2(receiver.New(kept, slog.New(slog.DiscardHandler))), request("GET", "/health", "", ""))
	if status != 200 || answer["status"] != "ok" {
		t.Errorf("got %d %v, want 200 ok", status, answer)
	}
}
