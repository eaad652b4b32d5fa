package receiver_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"
	"github.com/google/go-cmp/cmp"

	"api-destination-credentials/internal/receiver"
)

const event = `{"id":"e-1","time":"2026-11-23T08:00:00Z","source":"com.demo-event-bus.cmk","detailType":"demo-event-type","payload":{"a":1}}`

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

func TestAnEventIsAcceptedAndLoggedInOneLine(t *testing.T) {
	for name, payload := range map[string]string{
		"object": `{"a":1}`, "string": `"text"`, "list": `[1,2]`, "number": `3`, "null": `null`, "false": `false`,
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			handler := httpadapter.NewV2(receiver.New(slog.New(slog.NewJSONHandler(&log, nil))))
			body := strings.Replace(event, `{"a":1}`, payload, 1)
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
					"level": "INFO", "msg": "event accepted", "eventId": "e-1", "source": "com.demo-event-bus.cmk", "detailType": "demo-event-type",
					"eventTime": "2026-11-23T08:00:00Z", "clientId": "client-1", "requestId": "gateway-1", "duplicate": duplicate,
				}
				if difference := cmp.Diff(want, line); difference != "" {
					t.Errorf("log line (-want +got):\n%s", difference)
				}
			}
		})
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
		"no payload":         {request("POST", "/", "application/json", without("payload")), 400, "payload", "payload is missing"},
		"time is not a time": {request("POST", "/", "application/json", strings.Replace(event, "2026-11-23T08:00:00Z", "noon", 1)), 400, "time", "RFC 3339"},
		"too large":          {request("POST", "/", "application/json", `"`+strings.Repeat("x", receiver.MaxBody)+`"`), 413, "body", "larger than"},
	} {
		t.Run(name, func(t *testing.T) {
			status, answer := serve(t, httpadapter.NewV2(receiver.New(slog.New(slog.NewTextHandler(io.Discard, nil)))), test.request)
			if status != test.status || answer["field"] != test.field {
				t.Fatalf("got %d %v, want %d for %s", status, answer, test.status, test.field)
			}
			if message, _ := answer["error"].(string); !strings.Contains(message, test.mention) {
				t.Errorf("the error should mention %q: %s", test.mention, message)
			}
		})
	}
}

func TestARequestWithoutVerifiedClaimsIsRefused(t *testing.T) {
	handler := httpadapter.NewV2(receiver.New(slog.New(slog.NewTextHandler(io.Discard, nil))))
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
	status, _ := serve(t, httpadapter.NewV2(receiver.New(slog.New(slog.NewJSONHandler(&log, nil)))), r)
	if status != 202 || !strings.Contains(log.String(), `"clientId":"subject-1"`) {
		t.Errorf("got %d and %s, want 202 and the subject as client", status, log.String())
	}
}

func TestHealthAnswers(t *testing.T) {
	status, answer := serve(t, httpadapter.NewV2(receiver.New(slog.New(slog.NewTextHandler(io.Discard, nil)))), request("GET", "/health", "", ""))
	if status != 200 || answer["status"] != "ok" {
		t.Errorf("got %d %v, want 200 ok", status, answer)
	}
}
