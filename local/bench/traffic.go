package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/uuid"
)

// traffic sends events to a world's receiver on either way: by PutEvents, or by
// a POST to its HTTP API. When they arrive is what the receiver's own log says.
type traffic struct {
	world  *world
	events *eventbridge.Client
	logs   *cloudwatchlogs.Client
	counts *cloudwatch.Client
	http   *http.Client
	api    string // URL of the receiver's HTTP API
	token  string
	detail string
}

// flight is one event: when it was sent, and when the receiver logged it.
type flight struct {
	id            string
	sent, arrived time.Time
}

// newTraffic gets a token and sends one event on each way, so that tokens and
// connections are there and a receiver is warm.
func newTraffic(ctx context.Context, w *world) (*traffic, error) {
	client, err := w.client()
	if err != nil {
		return nil, err
	}
	t := &traffic{
		world: w, events: eventbridge.NewFromConfig(w.aws), logs: cloudwatchlogs.NewFromConfig(w.aws), counts: cloudwatch.NewFromConfig(w.aws),
		// Plain HTTP through the endpoint as a proxy: the direct way is not to be
		// slowed down by TLS, which EventBridge's deliveries do without here.
		http: client, api: strings.Replace(w.application["ReceiverURL"], "https:", "http:", 1),
		detail: `{"requestPayload":{"orderId":"A-1001"},"responsePayload":{"orderId":"A-1001","status":"shipped","items":[{"sku":"blue-mug","quantity":2}]}}`,
	}
	if t.token, err = t.accessToken(ctx); err != nil {
		return nil, err
	}
	began := time.Now()
	if _, err := t.put(ctx, 1); err != nil {
		return nil, err
	}
	if err := t.post(ctx, uuid.NewString()); err != nil {
		return nil, err
	}
	return t, t.wait(ctx, began, 2)
}

func (t *traffic) accessToken(ctx context.Context) (string, error) {
	secret, err := secretsmanager.NewFromConfig(t.world.aws).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(t.world.prerequisite["OAuthSecretArn"])})
	if err != nil {
		return "", err
	}
	var client struct{ ClientID, ClientSecret string }
	if err := json.Unmarshal([]byte(*secret.SecretString), &client); err != nil {
		return "", err
	}
	answer, err := t.http.PostForm(t.world.prerequisite["AuthorizationEndpoint"], url.Values{
		"grant_type": {"client_credentials"}, "scope": {t.world.prerequisite["OAuthScope"]},
		"client_id": {client.ClientID}, "client_secret": {client.ClientSecret},
	})
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var granted struct {
		Token string `json:"access_token"`
	}
	return granted.Token, json.NewDecoder(answer.Body).Decode(&granted)
}

// put sends n events, at most ten, in one request.
func (t *traffic) put(ctx context.Context, n int) ([]flight, error) {
	entries := make([]ebtypes.PutEventsRequestEntry, n)
	for i := range entries {
		entries[i] = ebtypes.PutEventsRequestEntry{
			EventBusName: aws.String(t.world.application["EventBusName"]), Source: aws.String("com.demo-event-bus.cmk"),
			DetailType: aws.String("demo-event-type"), Detail: aws.String(t.detail),
		}
	}
	began := time.Now()
	accepted, err := t.events.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: entries})
	if err != nil {
		return nil, err
	}
	var flights []flight
	for _, entry := range accepted.Entries {
		if entry.EventId == nil {
			return nil, fmt.Errorf("an event was refused: %s", aws.ToString(entry.ErrorMessage))
		}
		flights = append(flights, flight{id: *entry.EventId, sent: began})
	}
	return flights, nil
}

// post sends what the rule's input transformer makes of such an event.
func (t *traffic) post(ctx context.Context, id string) error {
	body := fmt.Sprintf(`{"id": %q, "time": %q, "source": "com.demo-event-bus.cmk", "detailType": "demo-event-type", "resources": [], "detail": %s}`,
		id, time.Now().UTC().Format(time.RFC3339), t.detail)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.api, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	request.Header.Set("Authorization", "Bearer "+t.token)
	request.Header.Set("User-Agent", "Amazon/EventBridge/ApiDestinations")
	answer, err := t.http.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode/100 != 2 {
		err = fmt.Errorf("the receiver answered HTTP %d: %s", answer.StatusCode, text)
	}
	return err
}

// handled is how many invocations of the receiver have ended.
func (t *traffic) handled(ctx context.Context) (int, error) {
	today := time.Now().UTC().Truncate(24 * time.Hour)
	counted, err := t.counts.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("AWS/Lambda"), MetricName: aws.String("Invocations"),
		Dimensions: []cwtypes.Dimension{{Name: aws.String("FunctionName"), Value: aws.String(t.world.physical["ReceiverFunction"])}},
		StartTime:  aws.Time(today.Add(-24 * time.Hour)), EndTime: aws.Time(today.Add(48 * time.Hour)), Period: aws.Int32(86400), Statistics: []cwtypes.Statistic{cwtypes.StatisticSum},
	})
	if err != nil {
		return 0, err
	}
	sum := 0
	for _, point := range counted.Datapoints {
		sum += int(*point.Sum)
	}
	return sum, nil
}

// burst sends n events by PutEvents, ten at a time, never more than window on
// their way, and returns when all are handled.
func (t *traffic) burst(ctx context.Context, n, window int) ([]flight, error) {
	before, err := t.handled(ctx)
	if err != nil {
		return nil, err
	}
	var sent []flight
	for handled := 0; handled < n; {
		if size := min(10, n-len(sent)); size > 0 && len(sent)-handled+size <= window {
			some, err := t.put(ctx, size)
			if err != nil {
				return nil, err
			}
			sent = append(sent, some...)
			continue
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return nil, err
		}
		now, err := t.handled(ctx)
		if err != nil {
			return nil, err
		}
		handled = now - before
	}
	return sent, nil
}

// barrage posts n events directly, window at a time.
func (t *traffic) barrage(ctx context.Context, n, window int) ([]flight, error) {
	sent := make([]flight, n)
	failures := make(chan error, window)
	next := make(chan int)
	var workers sync.WaitGroup
	for range window {
		workers.Go(func() {
			for i := range next {
				sent[i] = flight{id: uuid.NewString(), sent: time.Now()}
				if err := t.post(ctx, sent[i].id); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	for i := range n {
		select {
		case next <- i:
		case err := <-failures:
			close(next)
			return nil, err
		}
	}
	close(next)
	workers.Wait()
	return sent, nil
}

// steady sends n events, one each interval, without waiting for any, on the way
// that send takes.
func (t *traffic) steady(ctx context.Context, n int, interval time.Duration, send func(context.Context) (flight, error)) ([]flight, error) {
	sent, failures := make([]flight, n), make([]error, n)
	var all sync.WaitGroup
	clock := time.NewTicker(interval)
	defer clock.Stop()
	for i := range n {
		<-clock.C
		all.Go(func() { sent[i], failures[i] = send(ctx) })
	}
	all.Wait()
	for _, err := range failures {
		if err != nil {
			return nil, err
		}
	}
	return sent, nil
}

func (t *traffic) putOne(ctx context.Context) (flight, error) {
	sent, err := t.put(ctx, 1)
	if err != nil {
		return flight{}, err
	}
	return sent[0], nil
}

func (t *traffic) postOne(ctx context.Context) (flight, error) {
	sent := flight{id: uuid.NewString(), sent: time.Now()}
	return sent, t.post(ctx, sent.id)
}
