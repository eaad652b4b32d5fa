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
)

// basic makes a connection with user, password and invocation parameters.
func (w *world) basic(password string, invocation *types.ConnectionHttpParameters) {
	w.Helper()
	w.connect(func(in *awseb.CreateConnectionInput) {
		in.AuthorizationType = types.ConnectionAuthorizationTypeBasic
		in.AuthParameters = &types.CreateConnectionAuthRequestParameters{
			BasicAuthParameters:      &types.CreateConnectionBasicAuthRequestParameters{Username: aws.String("u"), Password: aws.String(password)},
			InvocationHttpParameters: invocation,
		}
	})
}

func TestHeadersThatEventBridgeKeepsForItselfAreDropped(t *testing.T) {
	fixed := map[string]string{
		"Accept-Encoding": "gzip,deflate", "User-Agent": "Amazon/EventBridge/ApiDestinations", "Range": "bytes=0-1048575",
	}
	for _, name := range []string{
		"A-IM", "Accept-Charset", "Accept-Datetime", "Accept-Encoding", "Cache-Control", "Connection", "Content-Encoding", "Content-Length",
		"Content-MD5", "Date", "Expect", "Forwarded", "From", "Host", "HTTP2-Settings", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range",
		"If-Unmodified-Since", "Max-Forwards", "Origin", "Pragma", "Proxy-Authorization", "Range", "Referer", "TE", "Trailer", "Transfer-Encoding",
		"User-Agent", "Upgrade", "Via", "Warning",
	} {
		w := newWorld(t)
		w.basic("p", &types.ConnectionHttpParameters{HeaderParameters: []types.ConnectionHeaderParameter{{Key: aws.String(strings.ToLower(name)), Value: aws.String("connection")}}})
		w.journey(func(target *types.Target) {
			target.HttpParameters = &types.HttpParameters{HeaderParameters: map[string]string{name: "target"}}
		})
		w.put()
		w.idle()
		if got := w.requests[0].Header.Get(name); got != fixed[http.CanonicalHeaderKey(name)] {
			t.Errorf("%s: %q was sent", name, got)
		}
		if !w.requests[0].Close {
			t.Error("the connection is kept open")
		}
	}
}

func TestAHeaderParameterMaySetTheContentType(t *testing.T) {
	w := newWorld(t)
	w.journey(func(target *types.Target) {
		target.HttpParameters = &types.HttpParameters{HeaderParameters: map[string]string{"content-type": "application/cloudevents+json"}}
	})
	w.put()
	w.idle()
	if got := w.requests[0].Header["Content-Type"]; !cmp.Equal(got, []string{"application/cloudevents+json"}) {
		t.Errorf("sent %q", got)
	}
}

func TestEachWildcardOfTheEndpointIsFilledInOrder(t *testing.T) {
	for endpoint, want := range map[string]string{
		"https://api.test/*/orders/*":  "https://api.test/a%2Fb&%2A/orders/7",
		"https://api.test/*?id=*":      "https://api.test/a%2Fb&%2A?id=7",
		"https://api.test/x?q=*":       "https://api.test/x?q=a%2Fb%26%2A",
		"https://api.test/*/*/*":       "https://api.test/a%2Fb&%2A/7/*",
		"https://api.test/nothing":     "https://api.test/nothing",
		"api.test/without-a-scheme/*/": "https://api.test/without-a-scheme/a%2Fb&%2A/",
	} {
		w := newWorld(t)
		w.journey(func(target *types.Target) {
			target.HttpParameters = &types.HttpParameters{PathParameterValues: []string{"a/b&*", "$.detail.id"}}
		})
		must[*awseb.UpdateApiDestinationOutput](t)(w.UpdateApiDestination(w.ctx, &awseb.UpdateApiDestinationInput{Name: aws.String("dest"), InvocationEndpoint: aws.String(endpoint)}))
		w.put()
		w.idle()
		if got := w.requests[0].URL.String(); got != want {
			t.Errorf("%s became %s, want %s", endpoint, got, want)
		}
	}
}

func TestTheConnectionsParametersWinOverTheTargets(t *testing.T) {
	w := newWorld(t)
	w.basic("p", &types.ConnectionHttpParameters{
		HeaderParameters:      []types.ConnectionHeaderParameter{{Key: aws.String("X-Both"), Value: aws.String("connection")}},
		QueryStringParameters: []types.ConnectionQueryStringParameter{{Key: aws.String("both"), Value: aws.String("connection")}},
		BodyParameters:        []types.ConnectionBodyParameter{{Key: aws.String("both"), Value: aws.String("connection")}},
	})
	w.journey(func(target *types.Target) {
		target.Input = aws.String(`{"both":"input","own":12345678901234567890}`)
		target.HttpParameters = &types.HttpParameters{
			HeaderParameters:      map[string]string{"x-both": "target", "X-Own": "$.detail.payload"},
			QueryStringParameters: map[string]string{"both": "target", "own": "$.detail.nowhere"},
		}
	})
	w.put()
	w.idle()
	r := w.requests[0]
	got := []string{r.Header.Get("X-Both"), r.Header.Get("X-Own"), r.URL.RawQuery, w.received[0]}
	want := []string{"connection", `{"b":1,"a":2}`, "both=connection&own=", `{"both":"connection","own":12345678901234567890}`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAnInputPathToATextSendsItsQuotes(t *testing.T) {
	w := newWorld(t)
	w.journey(func(target *types.Target) { target.InputPath = aws.String("$.source") })
	w.put()
	w.idle()
	if diff := cmp.Diff([]string{`"shop"`}, w.received); diff != "" {
		t.Error(diff)
	}
}

func TestATransformationThatIsNoJSONLeavesTheEventInTheDeadLetterQueue(t *testing.T) {
	w := newWorld(t)
	w.journey(func(target *types.Target) {
		target.InputTransformer = &types.InputTransformer{InputPathsMap: map[string]string{"r": "$.detail"}, InputTemplate: aws.String(`{"r":"<r> and \"<r>"}`)}
		target.InputTransformer.InputPathsMap["r"] = "$.resources"
	})
	out := must[*awseb.PutEventsOutput](t)(w.PutEvents(w.ctx, &awseb.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		EventBusName: aws.String("demo"), Source: aws.String("shop"), DetailType: aws.String("order"), Detail: aws.String(`{}`), Resources: []string{"a"},
	}}}))
	body, attributes := w.letter()
	if attributes["ERROR_CODE"] != "INVALID_JSON" || !strings.Contains(body, *out.Entries[0].EventId) || w.counted["InvocationAttempts"] != 0 || w.counted["FailedInvocations"] != 1 {
		t.Errorf("dead letter %s with %v, counted %v", body, attributes, w.counted)
	}
}

func TestADestinationHasFiveSeconds(t *testing.T) {
	for name, c := range map[string]struct {
		takes     time.Duration
		delivered float64
	}{"in time": {4900 * time.Millisecond, 1}, "too late": {5100 * time.Millisecond, 0}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			called, answer := make(chan struct{}), make(chan struct{})
			w.answer = func(_ int, to http.ResponseWriter, r *http.Request) {
				close(called)
				select {
				case <-answer:
				case <-r.Context().Done():
					to.Header().Set("Hung", "yes")
				}
			}
			w.journey(func(target *types.Target) {
				target.RetryPolicy = &types.RetryPolicy{MaximumRetryAttempts: aws.Int32(0)}
			})
			w.put()
			<-called
			w.clock.Advance(c.takes)
			if c.delivered == 1 {
				close(answer)
			}
			w.idle()
			if w.counted["SuccessfulInvocationAttempts"] != c.delivered || w.counted["InvocationsSentToDlq"] != 1-c.delivered {
				t.Errorf("counted %v", w.counted)
			}
		})
	}
}
