package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"api-destination-credentials/internal/receiver"
	"api-destination-credentials/internal/telemetry"
	"api-destination-credentials/local/bench/floor/typed"
)

// cost is what one event takes.
type cost struct{ microseconds, allocations, kilobytes float64 }

// measureReceiver compares the receiver's handler, from the bytes of an HTTP API
// event to the bytes of its response, with a bare typed handler.
func measureReceiver(ctx context.Context, b *bench) error {
	next, err := b.receiverEvent()
	if err != nil {
		return err
	}
	var batch [][]byte
	for range 500 {
		batch = append(batch, next())
	}
	log := telemetry.Logger(io.Discard)
	handlers := []lambda.Handler{
		lambda.NewHandler(httpadapter.NewV2(receiver.New(bottomless{}, log)).ProxyWithContext),
		lambda.NewHandler(typed.Handler(bottomless{}, log)),
	}
	var times, allocations, kilobytes [2]series
	for round := range b.times(200) + 1 {
		for i := range handlers {
			which := (round + i) % len(handlers)
			one, err := costOf(ctx, handlers[which], batch)
			if err != nil {
				return err
			}
			if round == 0 {
				continue // the caches are cold
			}
			times[which] = append(times[which], one.microseconds)
			allocations[which] = append(allocations[which], one.allocations)
			kilobytes[which] = append(kilobytes[which], one.kilobytes)
		}
	}
	const what, against = "receiver: HTTP API v2 event, ", "bare typed handler"
	b.add(row{What: what + "time", Unit: "µs", Ours: times[0], Against: against, Other: times[1], aim: ratioAtMost(1.3)})
	b.add(row{What: what + "allocations", Unit: "1", Ours: allocations[0], Against: against, Other: allocations[1], aim: ratioAtMost(1.3)})
	b.add(row{What: what + "allocated", Unit: "KB", Ours: kilobytes[0], Against: against, Other: kilobytes[1]})
	return nil
}

// bottomless is an inbox that takes no time: what the receiver does is measured,
// not its table.
type bottomless struct{}

// Accept implements receiver.Inbox.
func (bottomless) Accept(context.Context, receiver.Event) (bool, error) { return false, nil }

func costOf(ctx context.Context, handler lambda.Handler, batch [][]byte) (cost, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	var last []byte
	for _, event := range batch {
		answer, err := handler.Invoke(ctx, event)
		if err != nil {
			return cost{}, err
		}
		last = answer
	}
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	var answer events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(last, &answer); err != nil || answer.StatusCode != 202 {
		return cost{}, fmt.Errorf("an event was answered with %.200s", last)
	}
	n := float64(len(batch))
	return cost{
		microseconds: float64(took.Microseconds()) / n,
		allocations:  float64(after.Mallocs-before.Mallocs) / n,
		kilobytes:    float64(after.TotalAlloc-before.TotalAlloc) / n / 1e3,
	}, nil
}
