package logs_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// FuzzPattern holds that a filter pattern is refused with a sentence or picks
// the same messages each time, in bounded time; that patterns of plain terms
// pick what strings.Contains does; and that a text which was quoted is found.
func FuzzPattern(f *testing.F) {
	for _, seed := range [][2]string{
		{`error "not found" -debug`, "error: not found"}, {`?a ?b`, "b"}, {`"`, "x"}, {`- "a"`, "a"}, {"", "x"}, {"[a, b]", "a b"},
		{`{ $.level = "ERROR" && ($.latency > 100 || $.code = 4*) }`, `{"level":"ERROR","latency":1e3,"code":404}`},
		{`{ $.a[0].b IS NULL || $.c NOT EXISTS }`, `{"a":[{"b":null}]}`}, {`{ $.a != "x" }`, `{"a":"y"}`}, {`{ $.a = \u00e9 }`, `{"a":"é"}`}, {`{ $.a = `, "{}"},
		{`{ $.a = * }`, `{"a":"x"}`}, {`{ ($.a = 1) && ($.b = 2 }`, "{}"}, {strings.Repeat("(", 900), "{}"}, {"{" + strings.Repeat("(", 900), "{}"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, message string) {
		if message == "" || len(pattern) > 1024 || !utf8.ValidString(pattern) || !utf8.ValidString(message) {
			return // the protocols take UTF-8 only
		}
		w := newWorld(t)
		w.group(t, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("g")}, "s")
		if _, err := w.service.PutLogEvents(t.Context(), &cloudwatchlogs.PutLogEventsInput{
			LogGroupName: aws.String("g"), LogStreamName: aws.String("s"),
			LogEvents: []types.InputLogEvent{{Message: &message, Timestamp: aws.Int64(w.clock.Now().UnixMilli())}},
		}); err != nil {
			return // too long, for instance
		}
		picks := func(pattern string) (bool, error) {
			out, err := w.service.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("g"), FilterPattern: &pattern})
			if err != nil {
				return false, err
			}
			return len(out.Events) == 1, nil
		}
		began := time.Now()
		picked, err := picks(pattern)
		again, errAgain := picks(pattern)
		if picked != again || (err == nil) != (errAgain == nil) {
			t.Errorf("%q on %q: %v %v, then %v %v", pattern, message, picked, err, again, errAgain)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%q takes %s", pattern, took)
		}
		if err != nil {
			if code(err) != "InvalidParameterException" || len(err.Error()) < 20 {
				t.Errorf("%q is refused with %v", pattern, err)
			}
			return
		}
		// Spaces separate terms; AWS says nothing of other white space.
		if words := strings.Fields(pattern); len(words) > 0 && strings.Join(words, " ") == pattern && !strings.ContainsAny(pattern, "\"{}[]%-?") {
			want := true
			for _, word := range words {
				want = want && strings.Contains(message, word)
			}
			if picked != want {
				t.Errorf("the terms %q pick %q: %v", pattern, message, picked)
			}
		}
		// The text of a JSON message, quoted in a pattern of its own.
		encoded, err := json.Marshal(message)
		if err != nil || strings.ContainsAny(message, "*\\\"") || strings.ContainsFunc(message, func(r rune) bool { return r < ' ' || r == '\ufffd' || r > '~' }) {
			return
		}
		wrapped := `{"a":` + string(encoded) + `}`
		if _, err := w.service.PutLogEvents(t.Context(), &cloudwatchlogs.PutLogEventsInput{
			LogGroupName: aws.String("g"), LogStreamName: aws.String("s"),
			LogEvents: []types.InputLogEvent{{Message: &wrapped, Timestamp: aws.Int64(w.clock.Now().UnixMilli())}},
		}); err != nil {
			return
		}
		for _, form := range []string{`{ $.a = "` + message + `" }`, `{$.a=` + message + `}`} {
			if strings.HasPrefix(form, "{$") && strings.Trim(strings.ToLower(message), "abcdefghijklmnopqrstuvwxyz") != "" {
				continue // only letters may stand without quotes
			}
			if found, err := picks(form); err != nil || !found {
				t.Errorf("%s does not pick %s: %v", form, wrapped, err)
			}
		}
	})
}
