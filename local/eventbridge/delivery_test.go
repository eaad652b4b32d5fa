package eventbridge_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awseb "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"api-destination-credentials/local/access"
)

func TestAnEventReachesTheDestinationWithTokenHeadersAndTransformedBody(t *testing.T) {
	w := newWorld(t)
	w.journey(func(target *types.Target) {
		target.InputTransformer = &types.InputTransformer{
			InputPathsMap: map[string]string{"source": "$.source", "payload": "$.detail.payload"},
			InputTemplate: aws.String(`{"source": <source>, "rule": "<aws.events.rule-name>", "payload": <payload>}`),
		}
		target.HttpParameters = &types.HttpParameters{
			PathParameterValues: []string{"$.detail.id"}, QueryStringParameters: map[string]string{"type": "$.detail-type"},
			HeaderParameters: map[string]string{"X-Fixed": "yes", "User-Agent": "mine"},
		}
	})
	w.put()
	w.idle()
	if want := []string{`{"source": "shop", "rule": "rule", "payload": {"b":1,"a":2}}`}; !cmp.Equal(want, w.received) {
		t.Fatalf("received %q, want %q", w.received, want)
	}
	r := w.requests[0]
	got := map[string]string{"method": r.Method, "url": r.URL.String()}
	for _, name := range []string{"Authorization", "Content-Type", "User-Agent", "Range", "X-Fixed"} {
		got[name] = r.Header.Get(name)
	}
	want := map[string]string{
		"method": "POST", "url": "https://api.test/orders/7?type=order", "Authorization": "Bearer token-1", "X-Fixed": "yes",
		"Content-Type": "application/json; charset=utf-8", "User-Agent": "Amazon/EventBridge/ApiDestinations", "Range": "bytes=0-1048575",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]float64{
		"MatchedEvents": 1, "TriggeredRules": 1, "Invocations": 1, "InvocationAttempts": 1, "SuccessfulInvocationAttempts": 1,
	}, w.counted); diff != "" {
		t.Error(diff)
	}
}

func TestTheTokenIsUsedAgainUntilAMinuteBeforeItExpires(t *testing.T) {
	w := newWorld(t)
	w.journey(nil)
	for _, wait := range []time.Duration{0, 58 * time.Minute, time.Minute + time.Second} {
		w.clock.Advance(wait)
		w.put()
		w.idle()
	}
	var sent []string
	for _, r := range w.requests {
		sent = append(sent, r.Header.Get("Authorization"))
	}
	if diff := cmp.Diff([]string{"Bearer token-1", "Bearer token-1", "Bearer token-2"}, sent); diff != "" {
		t.Error(diff)
	}
}

func TestARefusedTokenIsReplacedAndTheEventTriedAgain(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusProxyAuthRequired} {
		w := newWorld(t)
		w.answer = func(_ int, to http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "Bearer token-1" {
				to.WriteHeader(status)
			}
		}
		w.journey(nil)
		w.put()
		w.eventually("the second attempt", time.Second, func() bool { return w.is(func() bool { return w.counted["SuccessfulInvocationAttempts"] == 1 }) })
		if got := w.requests[1].Header.Get("Authorization"); got != "Bearer token-2" {
			t.Errorf("after %d the second attempt carries %q", status, got)
		}
	}
}

func TestStatusesDecideOnAnotherAttempt(t *testing.T) {
	for status, again := range map[int]bool{
		304: false, 301: false, 400: false, 403: false, 404: false, 408: false, 410: false, 422: false,
		401: true, 407: true, 409: true, 429: true, 500: true, 501: true, 502: true, 503: true, 504: true,
	} {
		w := newWorld(t)
		w.answer = func(n int, to http.ResponseWriter, _ *http.Request) {
			if n == 1 {
				to.WriteHeader(status)
			}
		}
		w.journey(nil)
		w.put()
		if again {
			w.eventually("a second attempt", time.Second, func() bool { return w.is(func() bool { return len(w.received) == 2 }) })
			continue
		}
		_, attributes := w.letter()
		if attributes["ERROR_CODE"] != "ERROR_FROM_TARGET" || attributes["RETRY_ATTEMPTS"] != "" || len(w.received) != 1 {
			t.Errorf("%d: %d attempts, dead letter with %v", status, len(w.received), attributes)
		}
	}
}

func TestAnExhaustedRetryPolicyEndsInTheDeadLetterQueue(t *testing.T) {
	for name, c := range map[string]struct {
		policy               *types.RetryPolicy
		condition            string
		fewest, most, status int
	}{
		"attempts":         {&types.RetryPolicy{MaximumRetryAttempts: aws.Int32(3)}, "MaximumRetryAttempts", 4, 4, 500},
		"no retry at all":  {&types.RetryPolicy{MaximumRetryAttempts: aws.Int32(0)}, "MaximumRetryAttempts", 1, 1, 500},
		"age":              {&types.RetryPolicy{MaximumEventAgeInSeconds: aws.Int32(60)}, "MaximumEventAgeInSeconds", 1, 10, 500},
		"default is a day": {nil, "MaximumEventAgeInSeconds", 50, 186, 500},
		"too slow":         {&types.RetryPolicy{MaximumRetryAttempts: aws.Int32(1)}, "MaximumRetryAttempts", 2, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.answer = func(_ int, to http.ResponseWriter, r *http.Request) {
				if c.status == 0 {
					<-r.Context().Done()
					to.Header().Set("Hung", "yes")
					return
				}
				to.WriteHeader(c.status)
			}
			w.journey(func(target *types.Target) {
				target.RetryPolicy = c.policy
				target.InputPath = aws.String("$.detail.payload")
			})
			w.put()
			w.eventually("an attempt", 0, func() bool { return w.is(func() bool { return len(w.received) > 0 }) })
			body, attributes := w.letter()
			if body != `{"b":1,"a":2}` {
				t.Errorf("the letter's body is %s, want what the target was to get", body)
			}
			if attributes["EXHAUSTED_RETRY_CONDITION"] != c.condition || attributes["RULE_ARN"] != ruleARN || !strings.Contains(attributes["TARGET_ARN"], "api-destination/dest/") {
				t.Errorf("dead letter with %v", attributes)
			}
			if n := len(w.received); n < c.fewest || n > c.most {
				t.Errorf("%d attempts, want %d to %d", n, c.fewest, c.most)
			}
			if w.sources[0] != ruleARN || w.counted["InvocationsSentToDlq"] != 1 || w.counted["FailedInvocations"] != 1 {
				t.Errorf("sent for %s, counted %v", w.sources[0], w.counted)
			}
			if c.status == 0 && (attributes["ERROR_CODE"] != "UNKNOWN" || !strings.Contains(attributes["ERROR_MESSAGE"], "Timeout calling endpoint")) {
				t.Errorf("dead letter with %v", attributes)
			}
		})
	}
}

func TestAFinalFailureIsNotTriedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		spoil         func(*world)
		code, message string
	}{
		"role that cannot be assumed": {func(w *world) { w.unassumable = true }, "FAILED_TO_ASSUME_ROLE", "AccessDenied"},
		"role without the right":      {func(w *world) { w.denied["events:InvokeApiDestination"] = true }, "NO_PERMISSIONS", "AccessDenied"},
		"destination that is gone": {func(w *world) {
			must[*awseb.DeleteApiDestinationOutput](w.T)(w.DeleteApiDestination(w.ctx, &awseb.DeleteApiDestinationInput{Name: aws.String("dest")}))
		}, "NO_RESOURCE", "does not exist"},
		"connection that is gone": {func(w *world) {
			must[*awseb.DeleteConnectionOutput](w.T)(w.DeleteConnection(w.ctx, &awseb.DeleteConnectionInput{Name: aws.String("conn")}))
			w.idle()
		}, "NO_RESOURCE", "connection"},
		"connection that is deauthorized": {func(w *world) {
			must[*awseb.DeauthorizeConnectionOutput](w.T)(w.DeauthorizeConnection(w.ctx, &awseb.DeauthorizeConnectionInput{Name: aws.String("conn")}))
			w.idle()
		}, "SDK_CLIENT_ERROR", "DEAUTHORIZED"},
		"host that cannot be reached": {func(w *world) {
			must[*awseb.UpdateApiDestinationOutput](w.T)(w.UpdateApiDestination(w.ctx, &awseb.UpdateApiDestinationInput{Name: aws.String("dest"), InvocationEndpoint: aws.String("nowhere.test")}))
		}, "SDK_CLIENT_ERROR", "API destination endpoint cannot be reached."},
		"negative Retry-After": {func(w *world) {
			w.answer = func(_ int, to http.ResponseWriter, _ *http.Request) {
				to.Header().Set("Retry-After", "-1")
				to.WriteHeader(http.StatusServiceUnavailable)
			}
		}, "ERROR_FROM_TARGET", "503"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.journey(nil)
			c.spoil(w)
			id := w.put()
			w.idle()
			body, attributes := w.letter()
			if attributes["ERROR_CODE"] != c.code || !strings.Contains(attributes["ERROR_MESSAGE"], c.message) || attributes["EXHAUSTED_RETRY_CONDITION"] != "" {
				t.Errorf("dead letter with %v", attributes)
			}
			if !strings.Contains(body, id) {
				t.Errorf("the letter %s is not the event %s", body, id)
			}
		})
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	w := newWorld(t)
	var times []time.Time
	w.answer = func(n int, to http.ResponseWriter, _ *http.Request) {
		w.set(func() { times = append(times, w.clock.Now()) })
		if n == 1 {
			to.Header().Set("Retry-After", "600")
			to.WriteHeader(http.StatusTooManyRequests)
		}
	}
	w.journey(nil)
	w.put()
	w.eventually("the second attempt", 10*time.Second, func() bool { return w.is(func() bool { return len(times) == 2 }) })
	if waited := times[1].Sub(times[0]); waited < 10*time.Minute {
		t.Errorf("waited %s, want ten minutes", waited)
	}
}

func TestADeadLetterQueueThatRefusesLosesTheEventVisibly(t *testing.T) {
	for name, code := range map[string]string{"by its policy": "AccessDenied", "by its key": "KmsAccessDenied", "because its key is disabled": "KmsDisabled"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.journey(nil)
			w.set(func() { w.queueRefuses, w.unassumable = code, true })
			w.put()
			w.idle()
			if w.counted["InvocationsFailedToBeSentToDlq"] != 1 || w.counted["InvocationsSentToDlq"] != 0 || w.counted["FailedInvocations"] != 1 {
				t.Errorf("counted %v", w.counted)
			}
		})
	}
}

func TestSuccessfulStatusesEndADelivery(t *testing.T) {
	for _, status := range []int{200, 201, 202, 204} {
		w := newWorld(t)
		w.answer = func(_ int, to http.ResponseWriter, _ *http.Request) { to.WriteHeader(status) }
		w.journey(nil)
		w.put()
		w.idle()
		if w.counted["SuccessfulInvocationAttempts"] != 1 || len(w.dead) != 0 {
			t.Errorf("%d: counted %v", status, w.counted)
		}
	}
}

func TestEventsWaitWhileAConnectionAuthorizes(t *testing.T) {
	w := newWorld(t)
	w.journey(nil)
	w.set(func() { w.tokenDown = true })
	must[*awseb.UpdateConnectionOutput](t)(w.update("good"))
	w.put()
	w.eventually("a failed attempt", 0, func() bool { return w.is(func() bool { return w.counted["InvocationAttempts"] == 1 }) })
	w.set(func() { w.tokenDown = false })
	w.eventually("the delivery", 100*time.Millisecond, func() bool { return w.is(func() bool { return len(w.received) == 1 }) })
	if len(w.dead) != 0 {
		t.Error("the event is a dead letter")
	}
}

func TestTheRateLimitDelaysWhatIsAboveIt(t *testing.T) {
	w := newWorld(t)
	w.journey(nil)
	must[*awseb.UpdateApiDestinationOutput](t)(w.UpdateApiDestination(w.ctx, &awseb.UpdateApiDestinationInput{Name: aws.String("dest"), InvocationRateLimitPerSecond: aws.Int32(2)}))
	began := w.clock.Now()
	for range 6 {
		w.put()
	}
	w.eventually("the events within the limit", 0, func() bool { return w.is(func() bool { return len(w.received) == 2 }) })
	w.eventually("all events", 100*time.Millisecond, func() bool { return w.is(func() bool { return len(w.received) == 6 }) })
	if took := w.clock.Since(began); took < 2*time.Second {
		t.Errorf("six events took %s at two a second", took)
	}
}

func TestFunctionsAndQueuesAreTargets(t *testing.T) {
	w := newWorld(t)
	must[*awseb.CreateEventBusOutput](t)(w.CreateEventBus(w.ctx, &awseb.CreateEventBusInput{Name: aws.String("demo")}))
	const function = "arn:aws:lambda:us-east-1:123456789012:function:f"
	w.target(aws.String(function), func(target *types.Target) { target.RoleArn, target.Input = nil, aws.String(`{"fixed":true}`) })
	w.put()
	w.idle()
	if len(w.invoked) != 1 || *w.invoked[0].FunctionName != function || w.invoked[0].InvocationType != lambdatypes.InvocationTypeEvent || string(w.invoked[0].Payload) != `{"fixed":true}` {
		t.Errorf("invoked %v", w.invoked)
	}
	w.target(aws.String(queueARN), func(target *types.Target) { target.RoleArn = nil })
	id := w.put()
	w.idle()
	if len(w.dead) != 1 || !strings.Contains(*w.dead[0].MessageBody, id) || len(w.dead[0].MessageAttributes) != 0 {
		t.Errorf("the queue has %v", w.dead)
	}
	if diff := cmp.Diff([]string{ruleARN, ruleARN}, w.sources); diff != "" {
		t.Error(diff)
	}
}

func TestAnEncryptedBusNeedsItsKey(t *testing.T) {
	w := newWorld(t)
	w.connect(nil)
	w.keyDisabled = true
	in := &awseb.CreateEventBusInput{Name: aws.String("demo"), KmsKeyIdentifier: aws.String(keyARN), DeadLetterConfig: &types.DeadLetterConfig{Arn: aws.String(queueARN)}}
	_, err := w.CreateEventBus(w.ctx, in)
	wantError(t, err, "ValidationException", "is disabled")
	w.keyDisabled = false
	must[*awseb.CreateEventBusOutput](t)(w.CreateEventBus(w.ctx, in))
	w.target(w.destination(), nil)
	w.put()
	w.idle()
	if len(w.received) != 1 {
		t.Fatalf("%d events arrived", len(w.received))
	}
	want := map[string]string{"aws:events:event-bus:arn": busARN}
	if diff := cmp.Diff([]map[string]string{want, want}, w.contexts); diff != "" {
		t.Error(diff)
	}
	w.set(func() { w.keyDisabled = true })
	id := w.put()
	w.idle()
	body, attributes := w.letter()
	if !strings.Contains(body, id) || attributes["ERROR_CODE"] != "NO_RESOURCE" || attributes["RULE_ARN"] != "" || w.sources[0] != busARN {
		t.Errorf("the bus's dead letter has %v from %s", attributes, w.sources[0])
	}
}

func TestABasicConnectionIsDeauthorizedByARefusal(t *testing.T) {
	w := newWorld(t)
	w.answer = func(_ int, to http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "u" || password != "p" {
			to.WriteHeader(http.StatusForbidden)
			return
		}
		to.WriteHeader(http.StatusUnauthorized)
	}
	shown := w.connect(func(in *awseb.CreateConnectionInput) {
		in.AuthorizationType = types.ConnectionAuthorizationTypeBasic
		in.AuthParameters = &types.CreateConnectionAuthRequestParameters{
			BasicAuthParameters: &types.CreateConnectionBasicAuthRequestParameters{Username: aws.String("u"), Password: aws.String("p")},
		}
	})
	if shown.ConnectionState != types.ConnectionStateAuthorized {
		t.Fatalf("the connection is %s", shown.ConnectionState)
	}
	w.journey(nil)
	w.put()
	_, attributes := w.letter()
	if state := w.connection().ConnectionState; state != types.ConnectionStateDeauthorized || attributes["ERROR_CODE"] != "SDK_CLIENT_ERROR" {
		t.Errorf("the connection is %s, dead letter with %v", state, attributes)
	}
}

func TestAnAPIKeyAndInvocationParametersGoToTheDestination(t *testing.T) {
	w := newWorld(t)
	w.connect(func(in *awseb.CreateConnectionInput) {
		in.AuthorizationType = types.ConnectionAuthorizationTypeApiKey
		in.AuthParameters = &types.CreateConnectionAuthRequestParameters{
			ApiKeyAuthParameters: &types.CreateConnectionApiKeyAuthRequestParameters{ApiKeyName: aws.String("x-api-key"), ApiKeyValue: aws.String("k")},
			InvocationHttpParameters: &types.ConnectionHttpParameters{
				HeaderParameters:      []types.ConnectionHeaderParameter{{Key: aws.String("X-Both"), Value: aws.String("connection")}},
				QueryStringParameters: []types.ConnectionQueryStringParameter{{Key: aws.String("q"), Value: aws.String("1"), IsValueSecret: true}},
				BodyParameters:        []types.ConnectionBodyParameter{{Key: aws.String("extra"), Value: aws.String("e")}},
			},
		}
	})
	w.journey(func(target *types.Target) {
		target.Input = aws.String(`{"a":1}`)
		target.HttpParameters = &types.HttpParameters{HeaderParameters: map[string]string{"X-Both": "target"}}
	})
	w.put()
	w.idle()
	r := w.requests[0]
	if r.Header.Get("X-Api-Key") != "k" || r.Header.Get("X-Both") != "connection" || r.URL.Query().Get("q") != "1" || w.received[0] != `{"a":1,"extra":"e"}` {
		t.Errorf("got %v, %s, %s", r.Header, r.URL, w.received[0])
	}
}

func TestCloseEndsWhatIsUnderWay(t *testing.T) {
	w := newWorld(t)
	w.answer = func(_ int, to http.ResponseWriter, _ *http.Request) { to.WriteHeader(http.StatusServiceUnavailable) }
	w.journey(nil)
	w.put()
	w.eventually("an attempt", 0, func() bool { return w.is(func() bool { return len(w.received) == 1 }) })
	w.Close()
	if len(w.dead) != 0 {
		t.Error("closing made a dead letter")
	}
}

func TestPutTargetsAsksForPassRole(t *testing.T) {
	w := newWorld(t)
	w.journey(nil)
	want := access.Request{Action: "iam:PassRole", Resource: roleARN, Conditions: map[string]string{"iam:PassedToService": "events.amazonaws.com"}}
	found := false
	for _, request := range w.asked {
		found = found || cmp.Equal(want, request)
	}
	if !found {
		t.Error("nobody asked for iam:PassRole")
	}
}
