package receiver_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"api-destination-credentials/internal/receiver"
)

// FuzzEvent holds that every request is answered in JSON with a status that
// EventBridge understands, that what is accepted is complete and logged in one
// line, and that a refusal says which field is wrong and keeps nothing.
func FuzzEvent(f *testing.F) {
	for _, seed := range [][4]string{
		{"POST", "/", "application/json; charset=utf-8", event},
		{"POST", "/", "application/json", strings.Replace(event, `{"a":1}`, `[1e400,"\u2028",{"":null}]`, 1)},
		{"POST", "/", "application/json", `{"ID":"e-1","TIME":"2026-11-23T08:00:00+24:00","source":"","detailType":"\n","detail":null}`},
		{"POST", "/", "application/json;a", `{"id":{},"time":[]}`}, {"POST", "/", "application/json", event + "x"}, {"POST", "//", "application/json", "null"},
		{"GET", "/health", "", ""}, {"PUT", "/%zz", "text/plain", "\xff"}, {"", "", "", ""},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], false)
		f.Add(seed[0], seed[1], seed[2], seed[3], true)
	}
	f.Fuzz(func(t *testing.T, method, path, contentType, body string, anonymous bool) {
		var log bytes.Buffer
		kept := &inbox{}
		r := request(method, path, contentType, body)
		if anonymous {
			r.RequestContext.Authorizer = nil
		}
		answered, err := httpadapter.NewV2(receiver.New(kept, slog.New(slog.NewJSONHandler(&log, nil)))).ProxyWithContext(t.Context(), r)
		if err != nil {
			return // not a request that API Gateway passes on
		}
		var answer map[string]any
		if json.Unmarshal([]byte(answered.Body), &answer) != nil {
			t.Fatalf("%s %s is answered %d %q", method, path, answered.StatusCode, answered.Body)
		}
		switch status := answered.StatusCode; {
		case status == 202:
			if anonymous || len(kept.kept) != 1 || strings.Count(log.String(), "\n") != 1 || !json.Valid(log.Bytes()) {
				t.Fatalf("%q is accepted: %v, with the log %s", body, kept.kept, log.String())
			}
			one := kept.kept[0]
			if _, err := time.Parse(time.RFC3339, one.Time); err != nil || one.ID == "" || one.Source == "" || one.DetailType == "" || !json.Valid(one.Detail) || answer["id"] != one.ID {
				t.Errorf("%q is accepted as %+v", body, one)
			}
			var sent struct{ ID, Time, Source, DetailType string }
			if json.Unmarshal([]byte(body), &sent) != nil || sent.ID != one.ID || sent.Source != one.Source {
				t.Errorf("%q is kept as %+v", body, one)
			}
		case status == 200 && strings.HasSuffix(path, "health"):
		case status >= 400 && status < 500:
			if answer["field"] == "" || answer["error"] == "" || len(answer) != 2 || kept.kept != nil {
				t.Errorf("%q is refused with %v, and kept: %v", body, answer, kept.kept)
			}
		default:
			t.Errorf("%s %s is answered %d", method, path, status)
		}
	})
}
