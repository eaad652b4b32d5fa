package page_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"api-destination-credentials/local/page"
)

var began = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// told is the page's text of a recorder's journeys, beside an endpoint that
// does not answer.
func told(t *testing.T, recorder *page.Recorder) string {
	t.Helper()
	silent := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(silent.Close)
	handler := page.New(page.Config{
		AWS:      aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(silent.URL), Credentials: credentials.NewStaticCredentialsProvider("local", "local", "")},
		Recorder: recorder, Prerequisite: "below", Application: "above",
	})
	request := httptest.NewRequest(http.MethodGet, page.Path+"state", nil)
	request.Host = "localhost"
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	if answer.Code != http.StatusOK {
		t.Fatalf("the page answers %d", answer.Code)
	}
	return text(answer.Body.String())
}

const target = "arn:aws:events:us-east-1:123456789012:api-destination/above-ApiDestination-1A2B/0c"

// retried is an event with so many failed attempts.
func retried(recorder *page.Recorder, id string, attempts int) {
	step := page.Step{EventID: id, Time: began, Kind: page.Put, Target: "orders", Detail: "shop: order"}
	recorder.Observe(step)
	step.Kind, step.Rule, step.Target = page.Matched, "above-Rule-1A2B", target
	recorder.Observe(step)
	for n := range attempts {
		step.Time = step.Time.Add(time.Second)
		step.Kind, step.Attempt, step.Status, step.Code, step.Detail = page.Attempt, n+1, 503, "ERROR_FROM_TARGET", "no"
		recorder.Observe(step)
		step.Kind, step.Code, step.Detail = page.Retry, "", "for 1s"
		recorder.Observe(step)
	}
}

func TestJourneysAreTold(t *testing.T) {
	at := func(kind string, ms int, more page.Step) page.Step {
		more.EventID, more.Kind, more.Time = "0f1e2d3c-0000-4000-8000-000000000000", kind, began.Add(time.Duration(ms)*time.Millisecond)
		if more.Target == "" {
			more.Rule, more.Target = "above-Rule-1A2B", target
		}
		return more
	}
	put := at(page.Put, 0, page.Step{Target: "orders", Detail: "shop: order"})
	matched := at(page.Matched, 1, page.Step{})
	for want, steps := range map[string][]page.Step{
		"shop: order On its way":                      {put},
		"shop: order No rule matched":                 {put, at(page.Dropped, 1, page.Step{Target: "orders", Detail: "No rule matched."})},
		"Lost NO_RESOURCE +2 ms The key is disabled.": {put, at(page.Dropped, 2, page.Step{Target: "orders", Code: "NO_RESOURCE", Detail: "The key is disabled."})},
		"Delivered in 40 ms":                          {put, matched, at(page.Attempt, 40, page.Step{Attempt: 1, Status: 202}), at(page.Delivered, 40, page.Step{})},
		"Matched Rule +1 ms Token new +9 ms Delivered to ApiDestination attempt 1, HTTP 202 +40 ms": {
			put, matched, at(page.Token, 9, page.Step{}), at(page.Attempt, 40, page.Step{Attempt: 1, Status: 202}), at(page.Delivered, 40, page.Step{}),
		},
		"Token refused +9 ms The client is unknown. Attempt 1 SDK_CLIENT_ERROR +9 ms Dead letter SDK_CLIENT_ERROR": {
			put, matched, at(page.Token, 9, page.Step{Code: "SDK_CLIENT_ERROR", Detail: "The client is unknown."}),
			at(page.Attempt, 9, page.Step{Attempt: 1, Code: "SDK_CLIENT_ERROR"}), at(page.DeadLetter, 9, page.Step{Code: "SDK_CLIENT_ERROR"}),
		},
		"Attempt 1 HTTP 503 +5 ms waits 1s": {put, matched, at(page.Attempt, 5, page.Step{Attempt: 1, Status: 503, Code: "ERROR_FROM_TARGET"}), at(page.Retry, 5, page.Step{Detail: "for 1s"})},
		"from a schedule On its way":        {matched},
		"<script>":                          {at(page.Put, 0, page.Step{Target: "orders", Detail: "<script>"})},
	} {
		recorder := page.NewRecorder()
		for _, step := range steps {
			recorder.Observe(step)
		}
		if shown := told(t, recorder); !strings.Contains(shown, want) {
			t.Errorf("the page does not say %q but\n%s", want, shown)
		}
	}
}

func TestWhatServicesSayAndNobodyWantsIsNotShown(t *testing.T) {
	recorder := page.NewRecorder()
	for _, kind := range []string{page.Put, page.Dropped} {
		recorder.Observe(page.Step{EventID: "1", Time: began, Kind: kind, Target: "default", Detail: "aws.kms: noise"})
	}
	if shown := told(t, recorder); strings.Contains(shown, "noise") || !strings.Contains(shown, "No event yet.") {
		t.Errorf("the page says\n%s", shown)
	}
}

func TestADayOfRetriesIsShortAndItsEndIsShown(t *testing.T) {
	recorder := page.NewRecorder()
	retried(recorder, "1", 130)
	shown := told(t, recorder)
	for _, want := range []string{"Being retried", "Put on orders", "Attempt 1 HTTP 503", "Attempt 130 HTTP 503"} {
		if !strings.Contains(shown, want) {
			t.Errorf("the page does not say %q but\n%s", want, shown)
		}
	}
	if strings.Contains(shown, "Attempt 60 ") {
		t.Errorf("the page tells all of it:\n%s", shown)
	}
}

func TestTheRecorderForgetsTheOldestEventsAndKeepsCounting(t *testing.T) {
	recorder := page.NewRecorder()
	for n := range 250 {
		retried(recorder, fmt.Sprint("event-", n), 0)
	}
	if total := recorder.Total(page.Put, "orders"); total != 250 {
		t.Errorf("%d events were put, want 250", total)
	}
	if shown := told(t, recorder); !strings.Contains(shown, "192 older ones are remembered") || !strings.Contains(shown, "event-24") {
		t.Errorf("the page says\n%s", shown)
	}
}

func TestTheRecorderIsSafeForManyAtOnce(t *testing.T) {
	recorder := page.NewRecorder()
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for m := range 50 {
				retried(recorder, fmt.Sprint(n, "-", m), 1)
			}
		})
	}
	told(t, recorder)
	all.Wait()
	if total := recorder.Total(page.Attempt, "above-Rule-1A2B"); total != 400 {
		t.Errorf("%d attempts are counted, want 400", total)
	}
}
