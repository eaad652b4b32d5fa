// Package customresource answers CloudFormation for a custom resource: always,
// once, and in time. Whatever the handler does (fail, panic, hang, run into the
// Lambda deadline), the stack hears of it in one sentence and does not wait
// for its service time-out.
package customresource

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/jonboulle/clockwork"
)

const (
	// maxReply is the largest reply that CloudFormation reads, in bytes.
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
	maxReply = 4096
	// maxID is the longest physical id that CloudFormation takes, in bytes.
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
	maxID = 1024
	// maxReason keeps a reason readable in the stack's events and leaves room
	// in the reply for the identifiers.
	maxReason = 1024
	// replyTime is kept free before the Lambda deadline for sending the reply.
	replyTime = 10 * time.Second
	// perAttempt bounds one attempt to send it.
	perAttempt = 3 * time.Second
)

// Responder sends replies to CloudFormation's pre-signed URLs.
type Responder struct {
	HTTP  *http.Client
	Clock clockwork.Clock
	Log   *slog.Logger
}

// Respond returns the Lambda handler for handle. It returns an error, which
// makes Lambda call again, only when the reply could not be delivered.
func (r Responder) Respond(handle cfn.CustomResourceFunction) func(context.Context, cfn.Event) error {
	return func(ctx context.Context, event cfn.Event) error {
		reply := r.run(ctx, event, handle)
		body, err := encode(reply)
		if err != nil {
			return err
		}
		log := r.Log.With("request", event.RequestType, "resource", event.LogicalResourceID,
			"requestId", event.RequestID, "status", reply.Status, "reason", reply.Reason)
		if err := r.send(ctx, event.ResponseURL, body); err != nil {
			log.ErrorContext(ctx, "reply not delivered", "error", err.Error())
			return err
		}
		log.InfoContext(ctx, "replied")
		return nil
	}
}

type outcome struct {
	id   string
	data map[string]any
	err  error
}

// run gives the handler the time up to the reply, and an answer in its place
// if it does not use it well.
func (r Responder) run(ctx context.Context, event cfn.Event, handle cfn.CustomResourceFunction) *cfn.Response {
	ended := make(chan outcome, 1)
	work, cancel := context.WithCancel(ctx)
	defer cancel()
	var timeUp <-chan time.Time
	if deadline, ok := ctx.Deadline(); ok {
		work, cancel = context.WithDeadline(work, deadline.Add(-replyTime))
		defer cancel()
		// A moment later than the handler's own deadline: it may still say why.
		timeUp = r.Clock.After(deadline.Sub(r.Clock.Now()) - replyTime + time.Second)
	}
	go func() {
		defer func() {
			if caught := recover(); caught != nil {
				// What was thrown may hold anything; its type tells enough here.
				ended <- outcome{err: fmt.Errorf("the custom resource's function panicked (%T): look at its log and report the defect", caught)}
			}
		}()
		id, data, err := handle(work, event)
		ended <- outcome{id, data, err}
	}()
	select {
	case done := <-ended:
		return answer(event, done)
	case <-timeUp:
		return answer(event, outcome{err: errors.New("the custom resource's function ran out of time: look at its log and try again")})
	}
}

// answer never gives a failed update or delete a physical id of its own:
// CloudFormation would take it for a replacement and delete it.
func answer(event cfn.Event, done outcome) *cfn.Response {
	reply := cfn.NewResponse(&event)
	reply.Status = cfn.StatusSuccess
	reply.PhysicalResourceID = done.id
	reply.Data = done.data
	if len(done.id) > maxID {
		reply.PhysicalResourceID = ""
		done.err = fmt.Errorf("the custom resource's physical id has %d bytes of at most %d: return a shorter one", len(done.id), maxID)
	}
	if done.err != nil {
		reply.Status = cfn.StatusFailed
		reply.Reason = shorten(done.err.Error())
		reply.Data = nil
		if event.RequestType != cfn.RequestCreate {
			reply.PhysicalResourceID = event.PhysicalResourceID
		}
	}
	if reply.PhysicalResourceID == "" {
		reply.PhysicalResourceID = event.LogicalResourceID + "-" + event.RequestID
	}
	return reply
}

func shorten(reason string) string {
	if reason == "" {
		return "the custom resource's function failed without a reason: look at its log"
	}
	if len(reason) <= maxReason {
		return reason
	}
	cut := maxReason - len("…")
	for !utf8.RuneStart(reason[cut]) {
		cut--
	}
	return reason[:cut] + "…"
}

// encode makes the reply fit: CloudFormation takes a larger one for none at all.
func encode(reply *cfn.Response) ([]byte, error) {
	body, err := plainJSON(reply)
	if err == nil && len(body) <= maxReply {
		return body, nil
	}
	size := len(body)
	reply.Status, reply.Data = cfn.StatusFailed, nil
	reply.Reason = fmt.Sprintf("the custom resource's answer has %d bytes of at most %d: return fewer attributes", size, maxReply)
	if err != nil {
		reply.Reason = "the custom resource's answer cannot be written as JSON: return plain attributes"
	}
	return plainJSON(reply)
}

// plainJSON leaves <, > and & as they are, which take six bytes each otherwise:
// a reason that quotes XML would not fit.
func plainJSON(reply *cfn.Response) ([]byte, error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(reply)
	return bytes.TrimSpace(body.Bytes()), err
}

// send puts the reply until it is taken, until CloudFormation refuses it, or
// until there is no time left.
func (r Responder) send(ctx context.Context, target string, body []byte) error {
	wait := 200 * time.Millisecond
	for attempt := 1; ; attempt++ {
		status, err := r.put(ctx, target, body)
		switch {
		case err == nil && status == http.StatusOK:
			return nil
		case err == nil && status < 500 && status != http.StatusTooManyRequests && status != http.StatusRequestTimeout:
			return fmt.Errorf("CloudFormation refused the reply with HTTP %d", status)
		case err == nil:
			err = fmt.Errorf("HTTP %d", status)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the reply to CloudFormation was not delivered in %d attempts: %w", attempt, err)
		case <-r.Clock.After(wait):
			wait = min(2*wait, 2*time.Second)
		}
	}
}

// put sends without a content type, as the URL's signature wants it, and keeps
// the URL, which is a credential, out of its errors; so it keeps out of them
// what the other end wrote, which net/http repeats where it is malformed.
func (r Responder) put(ctx context.Context, target string, body []byte) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, perAttempt)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, target, bytes.NewReader(body))
	if err != nil {
		return 0, errors.New("the response URL cannot be parsed")
	}
	answer, err := r.HTTP.Do(request)
	if err != nil {
		var operation *net.OpError
		switch {
		case errors.As(err, &operation):
			err = operation
		case errors.Is(err, context.DeadlineExceeded):
			err = context.DeadlineExceeded
		default:
			err = errors.New("no HTTP answer that can be read")
		}
		return 0, err
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10))
	return answer.StatusCode, nil
}
