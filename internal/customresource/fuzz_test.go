package customresource_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/internal/customresource"
)

// FuzzRespond holds that every event which CloudFormation might send is
// answered once with a reply that it can read, whatever the handler says, and
// that the reply's URL, a credential, shows in no log and no error even where
// the other end echoes it. SIGNATURE stands for the credential.
func FuzzRespond(f *testing.F) {
	const url = `"http://stack/reply?X-Amz-Signature=SIGNATURE"`
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	for _, seed := range [][4]string{
		{`{"RequestType":"Create","RequestId":"r","LogicalResourceId":"l","StackId":"s","ResponseURL":` + url + `,"ResourceProperties":{"a":[1]}}`, ok, "id", ""},
		{`{"RequestType":"Update","PhysicalResourceId":"p","ResponseURL":` + url + `}`, ok, "", "it failed\xff"},
		{`{"RequestType":"Delete","ResponseURL":` + url + `}`, "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://%zzSIGNATURE\r\n\r\n", "id", ""},
		{`{"RequestType":"Delete","ResponseURL":` + url + `}`, "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://elsewhere/?SIGNATURE\r\n\r\n", "id", ""},
		{`{"ResponseURL":` + url + `}`, "HTTP/1.1 403 SIGNATURE\r\n\r\n", strings.Repeat("é", 600), strings.Repeat("<", 5000)},
		{`{"ResponseURL":"http://%zzSIGNATURE"}`, "SIGNATURE", "", ""},
		{`{"ResponseURL":"SIGNATURE:opaque"}`, "", "", ""},
		{`{"ResponseURL":` + url + `}`, "SIGNATURE", "", ""},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	f.Fuzz(func(t *testing.T, eventText, answer, id, reason string) {
		fill := strings.NewReplacer("SIGNATURE", signature)
		var event cfn.Event
		if json.Unmarshal([]byte(fill.Replace(eventText)), &event) != nil {
			return // Lambda's own library refuses it
		}
		names := string(event.RequestType) + event.RequestID + event.LogicalResourceID + event.StackID + event.PhysicalResourceID
		if strings.Contains(names+reason+id, signature) || len(names) > 500 || strings.ContainsFunc(names+reason+id, unicode.IsControl) {
			return // CloudFormation and the handlers send no such thing
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var log bytes.Buffer
		var replies [][]byte
		var served sync.WaitGroup
		client := &http.Client{Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(context.Context, string, string) (net.Conn, error) {
				near, far := net.Pipe()
				served.Go(func() {
					defer far.Close()
					if request, err := http.ReadRequest(bufio.NewReader(far)); err == nil {
						body, _ := io.ReadAll(request.Body)
						replies = append(replies, body)
						_, _ = io.WriteString(far, fill.Replace(answer))
					}
				})
				return near, nil
			},
		}}
		responder := customresource.Responder{HTTP: client, Clock: &hasty{Clock: clockwork.NewRealClock(), end: cancel}, Log: slog.New(slog.NewJSONHandler(&log, nil))}
		err := responder.Respond(func(context.Context, cfn.Event) (string, map[string]any, error) {
			if reason != "" {
				return id, nil, errors.New(reason)
			}
			return id, map[string]any{"id": id}, nil
		})(ctx, event)
		served.Wait()
		if strings.Contains(log.String(), signature) || err != nil && strings.Contains(err.Error(), signature) {
			t.Errorf("the URL shows: %s %v", log.String(), err)
		}
		for _, body := range replies {
			var reply cfn.Response
			if err := json.Unmarshal(body, &reply); err != nil || !utf8.Valid(body) || reply.PhysicalResourceID == "" || reply.Status == cfn.StatusFailed && reply.Reason == "" || len(body) > 4096 {
				t.Errorf("CloudFormation gets %q of %d bytes: %v", body, len(body), err)
			}
			if reason != "" && len(id) <= 1024 && utf8.ValidString(reason) && !strings.HasPrefix(reason, strings.TrimSuffix(reply.Reason, "…")) {
				t.Errorf("the reason %q reaches CloudFormation as %q", reason, reply.Reason)
			}
		}
	})
}

// hasty is a clock by which every wait is over at once, and at the third the
// time that the function has.
type hasty struct {
	clockwork.Clock
	waits int
	end   func()
}

func (h *hasty) After(time.Duration) <-chan time.Time {
	if h.waits++; h.waits == 3 {
		h.end()
	}
	over := make(chan time.Time, 1)
	over <- h.Now()
	return over
}
