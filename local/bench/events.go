package main

import (
	"context"
	"time"
)

// measureEvents compares the way of an event by rule, token and API destination
// with a POST to the same receiver through the same HTTP API.
func measureEvents(ctx context.Context, b *bench) error {
	w, err := b.open(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	t, err := newTraffic(ctx, w)
	if err != nil {
		return err
	}
	if err := b.throughput(ctx, t); err != nil {
		return err
	}
	return b.latency(ctx, t)
}

// An API destination takes 300 invocations a second, and as many at once after a
// second of rest: bursts of fewer, with a rest after each, are not held up.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
const (
	burst = 250
	rest  = time.Second
	// window is how many events are on their way at a time; a function runs 50
	// times at most here.
	window = 30
)

func (b *bench) throughput(ctx context.Context, t *traffic) error {
	rated := func(send func(context.Context, int, int) ([]flight, error)) func() (float64, error) {
		return func() (float64, error) {
			if err := pause(ctx, rest); err != nil {
				return 0, err
			}
			sent, err := send(ctx, burst, window)
			if err != nil {
				return 0, err
			}
			if err := t.land(ctx, sent); err != nil {
				return 0, err
			}
			return rate(sent), nil
		}
	}
	measured, err := inTurn(ctx, b.times(30), rated(t.burst), rated(t.barrage))
	if err != nil {
		return err
	}
	b.add(row{What: "PutEvents → rule, token, API destination → receiver", Unit: "events/s", Ours: measured[0], Against: "POST to the same receiver", Other: measured[1], aim: ratioAtLeast(50)})
	return nil
}

func (b *bench) latency(ctx context.Context, t *traffic) error {
	var by [2]series
	var middle, late [2]series
	sends := []func(context.Context) (flight, error){t.putOne, t.postOne}
	for round := range b.times(40) {
		for i := range sends {
			which := (round + i) % len(sends)
			sent, err := t.steady(ctx, 100, 10*time.Millisecond, sends[which])
			if err != nil {
				return err
			}
			if err := t.land(ctx, sent); err != nil {
				return err
			}
			took := latencies(sent)
			by[which] = append(by[which], took...)
			middle[which], late[which] = append(middle[which], took.median()), append(late[which], took.at(0.99))
		}
	}
	const what, against = "latency at 100 events/s, ", "POST to the same receiver"
	b.add(row{What: what + "p50 of 100", Unit: "ms", Ours: middle[0], Against: against, Other: middle[1], aim: addedAtMost(1, "ms")})
	b.add(row{What: what + "p99 of 100", Unit: "ms", Ours: late[0], Against: against, Other: late[1], aim: addedAtMost(5, "ms")})
	b.note("Latency is from the call to the receiver's own log line. Over all %d events on each way p50 is %s ms and %s ms, p99 %s ms and %s ms. The median of what the long way adds, burst by burst: %s ms to p50, %s ms to p99.",
		len(by[0]), figure(by[0].median()), figure(by[1].median()), figure(by[0].at(0.99)), figure(by[1].at(0.99)),
		figure(middle[0].minus(middle[1])), figure(late[0].minus(late[1])))
	return nil
}
