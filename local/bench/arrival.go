package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
)

// land finds out when each event arrived; all of them have to.
func (t *traffic) land(ctx context.Context, sent []flight) error {
	since := sent[0].sent
	if err := t.wait(ctx, since, len(sent)); err != nil {
		return err
	}
	arrived, err := t.arrivals(ctx, since)
	if err != nil {
		return err
	}
	for i := range sent {
		if sent[i].arrived = arrived[sent[i].id]; sent[i].arrived.IsZero() {
			return fmt.Errorf("event %s did not reach the receiver's log", sent[i].id)
		}
	}
	return nil
}

// wait returns when n events that arrived after since are in the log.
func (t *traffic) wait(ctx context.Context, since time.Time, n int) error {
	for deadline := time.Now().Add(patience); ; {
		arrived, err := t.arrivals(ctx, since)
		if err != nil || len(arrived) >= n {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("only %d of %d events reached the receiver's log in %s", len(arrived), n, patience)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// arrivals are the times at which the receiver logged each event since then.
func (t *traffic) arrivals(ctx context.Context, since time.Time) (map[string]time.Time, error) {
	arrived := map[string]time.Time{}
	err := t.lines(ctx, t.world.application["ReceiverLogGroup"], `"event accepted"`, since, func(text string) error {
		var line struct {
			Timestamp time.Time
			EventID   string
		}
		err := json.Unmarshal([]byte(text), &line)
		arrived[line.EventID] = line.Timestamp
		return err
	})
	return arrived, err
}

// lines hands on a log group's messages since then that match a pattern.
func (t *traffic) lines(ctx context.Context, group, pattern string, since time.Time, use func(string) error) error {
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(t.logs, &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: aws.String(group), FilterPattern: aws.String(pattern), StartTime: aws.Int64(since.UnixMilli()),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, event := range page.Events {
			if err := use(*event.Message); err != nil {
				return err
			}
		}
	}
	return nil
}

func latencies(flights []flight) series {
	var s series
	for _, f := range flights {
		s = append(s, milliseconds(f.arrived.Sub(f.sent)))
	}
	return s
}

// rate is how many events a second arrived, from the first's sending to the last's arrival.
func rate(flights []flight) float64 {
	first, last := flights[0].sent, flights[0].arrived
	for _, f := range flights {
		if f.sent.Before(first) {
			first = f.sent
		}
		if f.arrived.After(last) {
			last = f.arrived
		}
	}
	return float64(len(flights)) / last.Sub(first).Seconds()
}
