package eventbridge_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awseb "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/google/go-cmp/cmp"

	"api-destination-credentials/local/access"
	"api-destination-credentials/local/eventbridge"
)

func TestTheLargerOfRetryAfterAndThePolicysDelayIsWaited(t *testing.T) {
	for name, c := range map[string]struct {
		header      func(now time.Time) string
		least, most time.Duration
	}{
		"longer":          {func(time.Time) string { return "600" }, 10 * time.Minute, 10 * time.Minute},
		"a date":          {func(now time.Time) string { return now.Add(5 * time.Minute).Format(http.TimeFormat) }, 4*time.Minute + 59*time.Second, 5 * time.Minute},
		"shorter":         {func(time.Time) string { return "0" }, 500 * time.Millisecond, time.Second},
		"not understood":  {func(time.Time) string { return "soon" }, 500 * time.Millisecond, time.Second},
		"a date long ago": {func(now time.Time) string { return now.Add(-time.Hour).Format(http.TimeFormat) }, 500 * time.Millisecond, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			var times []time.Time
			w.answer = func(n int, to http.ResponseWriter, _ *http.Request) {
				times = append(times, w.clock.Now())
				if n == 1 {
					to.Header().Set("Retry-After", c.header(w.clock.Now()))
					to.WriteHeader(http.StatusTooManyRequests)
				}
			}
			w.journey(nil)
			w.put()
			w.pass(time.Hour)
			if waited := times[1].Sub(times[0]); waited < c.least || waited > c.most {
				t.Errorf("waited %s, want %s to %s", waited, c.least, c.most)
			}
		})
	}
}

func TestARetryAfterBeyondTheEventsAgeEndsThere(t *testing.T) {
	w := newWorld(t)
	w.answer = func(_ int, to http.ResponseWriter, _ *http.Request) {
		to.Header().Set("Retry-After", "3600")
		to.WriteHeader(http.StatusServiceUnavailable)
	}
	w.journey(func(target *types.Target) {
		target.RetryPolicy = &types.RetryPolicy{MaximumEventAgeInSeconds: aws.Int32(60)}
	})
	w.put()
	w.pass(time.Minute)
	_, attributes := w.letter()
	if attributes["EXHAUSTED_RETRY_CONDITION"] != "MaximumEventAgeInSeconds" || attributes["RETRY_ATTEMPTS"] != "0" || len(w.received) != 1 {
		t.Errorf("after %d attempts a dead letter with %v", len(w.received), attributes)
	}
}

func TestADeadLetterTellsTheNumberOfRetries(t *testing.T) {
	w := newWorld(t)
	w.answer = func(_ int, to http.ResponseWriter, _ *http.Request) { to.WriteHeader(http.StatusInternalServerError) }
	w.journey(func(target *types.Target) {
		target.RetryPolicy = &types.RetryPolicy{MaximumRetryAttempts: aws.Int32(3)}
	})
	w.put()
	if w.is(func() bool { return w.counted["Invocations"] > 0 }) {
		t.Error("an invocation that is retried counts already")
	}
	w.pass(time.Hour)
	if _, attributes := w.letter(); attributes["RETRY_ATTEMPTS"] != "3" || attributes["EXHAUSTED_RETRY_CONDITION"] != "MaximumRetryAttempts" {
		t.Errorf("dead letter with %v", attributes)
	}
	if diff := cmp.Diff(map[string]float64{
		"MatchedEvents": 1, "TriggeredRules": 1, "Invocations": 1, "InvocationAttempts": 4, "RetryInvocationAttempts": 3, "FailedInvocations": 1, "InvocationsSentToDlq": 1,
	}, w.counted); diff != "" {
		t.Error(diff)
	}
}

func TestWhatExceedsTheRateLimitUntilItIsTooOldIsADeadLetter(t *testing.T) {
	w := newWorld(t)
	w.journey(func(target *types.Target) {
		target.RetryPolicy = &types.RetryPolicy{MaximumEventAgeInSeconds: aws.Int32(60)}
	})
	must[*awseb.UpdateApiDestinationOutput](t)(w.UpdateApiDestination(w.ctx, &awseb.UpdateApiDestinationInput{Name: aws.String("dest"), InvocationRateLimitPerSecond: aws.Int32(1)}))
	for range 100 {
		w.put()
	}
	w.pass(time.Minute)
	// What got no turn has taken none.
	w.put()
	w.pass(time.Second)
	w.idle()
	if len(w.received) != 62 || len(w.dead) != 39 || w.counted["ThrottledRules"] < 99 {
		t.Errorf("%d delivered, %d dead letters, counted %v", len(w.received), len(w.dead), w.counted)
	}
	for _, letter := range w.dead {
		if code := *letter.MessageAttributes["ERROR_CODE"].StringValue; code != "THROTTLING" {
			t.Fatalf("a dead letter with %s", code)
		}
	}
}

func TestManyDeliveriesAskForOneToken(t *testing.T) {
	for name, c := range map[string]struct {
		down                  bool
		requests, sent, inDLQ int
	}{
		"endpoint that answers":      {false, 2, 50, 0},
		"endpoint that is not there": {true, 4, 0, 50},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.journey(nil)
			w.clock.Advance(2 * time.Hour)
			w.set(func() { w.tokenDown = c.down })
			for range 50 {
				w.put()
			}
			w.pass(time.Hour)
			if len(w.tokenRequests) != c.requests || len(w.received) != c.sent || len(w.dead) != c.inDLQ {
				t.Errorf("%d token requests, %d delivered, %d dead letters", len(w.tokenRequests), len(w.received), len(w.dead))
			}
			if state := w.connection().ConnectionState; c.down != (state == types.ConnectionStateDeauthorized) {
				t.Errorf("the connection is %s", state)
			}
		})
	}
}

func TestCredentialsThatWereReplacedMeanwhileDeauthorizeNothing(t *testing.T) {
	w := newWorld(t)
	w.basic("old", nil)
	w.answer = func(_ int, to http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password == "new" {
			return
		}
		must[*awseb.UpdateConnectionOutput](t)(w.UpdateConnection(w.ctx, &awseb.UpdateConnectionInput{
			Name: aws.String("conn"), AuthorizationType: types.ConnectionAuthorizationTypeBasic,
			AuthParameters: &types.UpdateConnectionAuthRequestParameters{BasicAuthParameters: &types.UpdateConnectionBasicAuthRequestParameters{Password: aws.String("new")}},
		}))
		to.WriteHeader(http.StatusUnauthorized)
	}
	w.journey(nil)
	w.put()
	w.pass(time.Minute)
	if state := w.connection().ConnectionState; state != types.ConnectionStateAuthorized || w.counted["SuccessfulInvocationAttempts"] != 1 {
		t.Errorf("the connection is %s, counted %v", state, w.counted)
	}
}

func TestATokenIsDroppedAfterARefusalAlsoWhenTheDescriptionHasChanged(t *testing.T) {
	w := newWorld(t)
	w.answer = func(n int, to http.ResponseWriter, r *http.Request) {
		if n > 1 && r.Header.Get("Authorization") == "Bearer token-1" {
			to.WriteHeader(http.StatusUnauthorized)
		}
	}
	w.journey(nil)
	w.put()
	w.idle()
	must[*awseb.UpdateConnectionOutput](t)(w.UpdateConnection(w.ctx, &awseb.UpdateConnectionInput{Name: aws.String("conn"), Description: aws.String("new")}))
	w.put()
	w.pass(time.Minute)
	if len(w.received) != 3 || w.counted["SuccessfulInvocationAttempts"] != 2 {
		t.Errorf("%d attempts, counted %v", len(w.received), w.counted)
	}
}

func TestMetricsHaveTheDocumentedDimensions(t *testing.T) {
	w := newWorld(t)
	w.journey(nil)
	must[*awseb.CreateArchiveOutput](t)(w.CreateArchive(w.ctx, &awseb.CreateArchiveInput{ArchiveName: aws.String("kept"), EventSourceArn: aws.String(busARN)}))
	w.follow(`{"source":["aws.secretsmanager"]}`, nil)
	w.put()
	w.moveLabel("AWSCURRENT")
	w.idle()
	want := map[string]bool{
		"AWS/Events Count map[EventBusName:demo RuleName:rule]": true,
		"AWS/Events Count map[RuleName:follow]":                 true,
	}
	if diff := cmp.Diff(want, w.published); diff != "" {
		t.Error(diff)
	}
}

func TestWithoutMetricsEventsAreDelivered(t *testing.T) {
	w := newWorld(t)
	quiet := eventbridge.New(eventbridge.Config{
		Account: access.Account{ID: "123456789012", Region: "us-east-1"}, Auth: fakeAuth{w}, Clock: w.clock, Functions: fakeFunctions{w},
	})
	defer quiet.Close()
	w.Service = quiet
	w.follow(`{"source":["aws.secretsmanager"]}`, nil)
	w.moveLabel("AWSCURRENT")
	w.idle()
	if len(w.invoked) != 1 || !strings.Contains(string(w.invoked[0].Payload), "AWSCURRENT") {
		t.Errorf("invoked %d times", len(w.invoked))
	}
}
