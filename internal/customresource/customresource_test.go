package customresource_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/internal/customresource"
)

// stack is CloudFormation's end: it takes replies as the pre-signed URL does.
type stack struct {
	*httptest.Server
	mu       sync.Mutex
	statuses []int // answers before 200
	attempts int
	replies  []cfn.Response
}

func newStack(t *testing.T, statuses ...int) *stack {
	s := &stack{statuses: statuses}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.attempts++
		if len(s.statuses) > 0 {
			status := s.statuses[0]
			s.statuses = s.statuses[1:]
			w.WriteHeader(status)
			return
		}
		body, _ := io.ReadAll(r.Body)
		if len(body) > 4096 {
			t.Errorf("the reply has %d bytes, CloudFormation reads 4096", len(body))
		}
		if r.Method != http.MethodPut || r.Header.Get("Content-Type") != "" {
			t.Errorf("got %s with content type %q, want PUT without one", r.Method, r.Header.Get("Content-Type"))
		}
		var reply cfn.Response
		if err := json.Unmarshal(body, &reply); err != nil {
			t.Errorf("the reply is not JSON: %v", err)
		}
		s.replies = append(s.replies, reply)
	}))
	t.Cleanup(s.Close)
	return s
}

const signature = "X-Amz-Signature=do-not-print-me"

func (s *stack) event(request cfn.RequestType, physicalID string) cfn.Event {
	return cfn.Event{
		RequestType: request, RequestID: "request-1", LogicalResourceID: "Credentials", StackID: "stack-1",
		PhysicalResourceID: physicalID, ResponseURL: s.URL + "/reply?" + signature,
	}
}

func responder(log io.Writer) customresource.Responder {
	return customresource.Responder{HTTP: http.DefaultClient, Clock: clockwork.NewRealClock(), Log: slog.New(slog.NewJSONHandler(log, nil))}
}

func TestCloudFormationIsAnsweredWhateverTheHandlerDoes(t *testing.T) {
	for name, test := range map[string]struct {
		request    cfn.RequestType
		physicalID string
		handle     cfn.CustomResourceFunction
		want       cfn.Response
	}{
		"success": {cfn.RequestCreate, "", func(context.Context, cfn.Event) (string, map[string]any, error) {
			return "id", map[string]any{"VersionId": "v1"}, nil
		}, cfn.Response{Status: cfn.StatusSuccess, PhysicalResourceID: "id", Data: map[string]any{"VersionId": "v1"}}},
		"failed create keeps the id it was given": {cfn.RequestCreate, "", func(context.Context, cfn.Event) (string, map[string]any, error) {
			return "id", nil, errors.New("do this")
		}, cfn.Response{Status: cfn.StatusFailed, PhysicalResourceID: "id", Reason: "do this"}},
		"failed create without an id has one all the same": {cfn.RequestCreate, "", func(context.Context, cfn.Event) (string, map[string]any, error) {
			return "", nil, errors.New("do this")
		}, cfn.Response{Status: cfn.StatusFailed, PhysicalResourceID: "Credentials-request-1", Reason: "do this"}},
		"failed update does not replace": {cfn.RequestUpdate, "old", func(context.Context, cfn.Event) (string, map[string]any, error) {
			return "new", nil, errors.New("do this")
		}, cfn.Response{Status: cfn.StatusFailed, PhysicalResourceID: "old", Reason: "do this"}},
		"error without text": {cfn.RequestDelete, "old", func(context.Context, cfn.Event) (string, map[string]any, error) {
			return "old", nil, errors.New("")
		}, cfn.Response{Status: cfn.StatusFailed, PhysicalResourceID: "old", Reason: "the custom resource's function failed without a reason: look at its log"}},
		"panic": {cfn.RequestUpdate, "old", func(context.Context, cfn.Event) (string, map[string]any, error) {
			panic("do-not-print-me")
		}, cfn.Response{Status: cfn.StatusFailed, PhysicalResourceID: "old", Reason: "the custom resource's function panicked (string): look at its log and report the defect"}},
		"too many attributes": {cfn.RequestCreate, "", func(context.Context, cfn.Event) (string, map[string]any, error) {
			return "id", map[string]any{"Large": strings.Repeat("x", 5000)}, nil
		}, cfn.Response{Status: cfn.StatusFailed, PhysicalResourceID: "id", Reason: "the custom resource's answer has 5144 bytes of at most 4096: return fewer attributes"}},
		"attributes that are not JSON": {cfn.RequestCreate, "", func(context.Context, cfn.Event) (string, map[string]any, error) {
			return "id", map[string]any{"Odd": make(chan int)}, nil
		}, cfn.Response{Status: cfn.StatusFailed, PhysicalResourceID: "id", Reason: "the custom resource's answer cannot be written as JSON: return plain attributes"}},
		"endless reason": {cfn.RequestCreate, "", func(context.Context, cfn.Event) (string, map[string]any, error) {
			return "id", nil, errors.New(strings.Repeat("é", 4000))
		}, cfn.Response{Status: cfn.StatusFailed, PhysicalResourceID: "id", Reason: strings.Repeat("é", 510) + "…"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t)
			var log bytes.Buffer
			if err := responder(&log).Respond(test.handle)(t.Context(), s.event(test.request, test.physicalID)); err != nil {
				t.Fatalf("the function should report success to Lambda once CloudFormation is answered, got %v", err)
			}
			if len(s.replies) != 1 {
				t.Fatalf("CloudFormation got %d replies, want exactly one", len(s.replies))
			}
			got := s.replies[0]
			if got.Status != test.want.Status || got.PhysicalResourceID != test.want.PhysicalResourceID || got.Reason != test.want.Reason {
				t.Errorf("reply = %s %q %q, want %s %q %q", got.Status, got.PhysicalResourceID, got.Reason, test.want.Status, test.want.PhysicalResourceID, test.want.Reason)
			}
			if got.RequestID != "request-1" || got.LogicalResourceID != "Credentials" || got.StackID != "stack-1" {
				t.Errorf("the reply names another request: %+v", got)
			}
			if test.want.Data != nil && got.Data["VersionId"] != test.want.Data["VersionId"] {
				t.Errorf("attributes = %v, want %v", got.Data, test.want.Data)
			}
			if strings.Contains(log.String(), "do-not-print-me") {
				t.Errorf("the log holds the response URL or what was thrown: %s", log.String())
			}
		})
	}
}

func TestAHandlerThatHangsIsAnsweredForBeforeTheDeadline(t *testing.T) {
	s := newStack(t)
	ctx, cancel := context.WithTimeout(t.Context(), 11*time.Second)
	defer cancel()
	forever := make(chan struct{})
	defer close(forever)
	err := responder(io.Discard).Respond(func(context.Context, cfn.Event) (string, map[string]any, error) {
		<-forever
		return "", nil, nil
	})(ctx, s.event(cfn.RequestUpdate, "old"))
	if err != nil || ctx.Err() != nil {
		t.Fatalf("answered with %v, deadline %v; want an answer in time", err, ctx.Err())
	}
	if len(s.replies) != 1 || s.replies[0].Status != cfn.StatusFailed || !strings.Contains(s.replies[0].Reason, "ran out of time") {
		t.Errorf("replies = %+v, want one failure that says the time ran out", s.replies)
	}
}

func TestAHandlerIsToldItsDeadlineEarlyEnoughToSayWhy(t *testing.T) {
	s := newStack(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10500*time.Millisecond)
	defer cancel()
	err := responder(io.Discard).Respond(func(ctx context.Context, _ cfn.Event) (string, map[string]any, error) {
		<-ctx.Done()
		return "id", nil, errors.New("the connection is still AUTHORIZING")
	})(ctx, s.event(cfn.RequestCreate, ""))
	if err != nil || len(s.replies) != 1 || s.replies[0].Reason != "the connection is still AUTHORIZING" {
		t.Errorf("err %v, replies %+v; want the handler's own reason", err, s.replies)
	}
}

func TestTheReplyIsSentAgainUntilItIsTaken(t *testing.T) {
	s := newStack(t, 500, 503, 429)
	err := responder(io.Discard).Respond(succeed)(t.Context(), s.event(cfn.RequestCreate, ""))
	if err != nil || len(s.replies) != 1 || s.attempts != 4 {
		t.Errorf("err %v after %d attempts with %d replies, want one reply at the fourth", err, s.attempts, len(s.replies))
	}
}

func TestARefusedReplyIsAnErrorForLambdaAndNeverShowsTheURL(t *testing.T) {
	s := newStack(t, 403)
	closed := newStack(t)
	closed.Close()
	for name, event := range map[string]cfn.Event{
		"expired":     s.event(cfn.RequestCreate, ""),
		"unreachable": closed.event(cfn.RequestCreate, ""),
		"not a URL":   {RequestType: cfn.RequestCreate, ResponseURL: "http://\x7f?" + signature},
	} {
		var log bytes.Buffer
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		err := responder(&log).Respond(succeed)(ctx, event)
		cancel()
		if err == nil {
			t.Errorf("%s: want an error, so that Lambda calls again", name)
			continue
		}
		if strings.Contains(err.Error()+log.String(), signature) {
			t.Errorf("%s: the response URL is shown: %v %s", name, err, log.String())
		}
		if !strings.Contains(log.String(), `"status":"`) {
			t.Errorf("%s: the log does not say what the reply was: %s", name, log.String())
		}
	}
	if s.attempts != 1 {
		t.Errorf("a refusal was tried %d times, want once", s.attempts)
	}
}

func succeed(context.Context, cfn.Event) (string, map[string]any, error) { return "id", nil, nil }
