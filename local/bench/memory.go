package main

import (
	"context"
	"fmt"
	"time"
)

// measureMemory looks at the memory of an endpoint with both stacks before and
// after many events, sent as fast as an API destination takes them.
func measureMemory(ctx context.Context, b *bench) error {
	w, err := b.open(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	if err := pause(ctx, 5*time.Second); err != nil {
		return err
	}
	idle, err := resident(w.process.Process.Pid)
	if err != nil {
		return err
	}
	b.add(row{What: "endpoint: resident, idle, both stacks deployed", Unit: "MiB", Ours: series{idle}, aim: medianAtMost(30, "MiB")})
	t, err := newTraffic(ctx, w)
	if err != nil {
		return err
	}
	before, err := t.handled(ctx)
	if err != nil {
		return err
	}
	events := 100_000
	if b.quick {
		events = 500
	}
	began, clock := time.Now(), time.NewTicker(10*time.Second/290)
	defer clock.Stop()
	shown := 0
	for sent, handled := 0, 0; handled < events; {
		<-clock.C
		if sent < events && sent-handled <= window {
			if _, err := t.put(ctx, 10); err != nil {
				return err
			}
			sent += 10
		}
		if handled, err = t.handled(ctx); err != nil {
			return err
		}
		handled -= before
		if handled >= shown+10_000 {
			shown = handled
			now, err := resident(w.process.Process.Pid)
			if err != nil {
				return err
			}
			b.say("  %d events: %s MiB", handled, figure(now))
		}
	}
	rate := float64(events) / time.Since(began).Seconds()
	if err := pause(ctx, 10*time.Second); err != nil {
		return err
	}
	after, err := resident(w.process.Process.Pid)
	if err != nil {
		return err
	}
	b.add(row{What: fmt.Sprintf("endpoint: resident, after %d events", events), Unit: "MiB", Ours: series{after}, Against: "idle, both stacks deployed", Other: series{idle}, aim: ratioAtMost(1.1)})
	b.note("The %d events arrived at %s a second; a destination takes 300. Each left %s KB behind.", events, figure(rate), figure((after-idle)*1024/float64(events)))
	return nil
}
