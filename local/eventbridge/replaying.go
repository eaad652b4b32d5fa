package eventbridge

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// beforeReplay is how long a replay is STARTING. AWS takes about a minute.
const beforeReplay = time.Second

// runReplay goes minute by minute: events come in the order of the minutes that
// they state, within one minute in the order of their arrival. A replay is
// COMPLETED when all its events are on the bus; they are delivered after that.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html
func (s *Service) runReplay(ctx context.Context, r *replay) {
	events, found := s.beginReplay(r)
	if !found {
		return
	}
	for _, held := range events {
		if !s.proceed(r, held.event.at.Truncate(time.Minute)) {
			return
		}
		if err := s.open(ctx, held.lock); err != nil {
			s.Log.WarnContext(ctx, "replay failed: the archive's key cannot be used", "replay", r.name, "reason", failureOf(err).message)
			// AWS's own words.
			s.fault(r, "Internal Failure.")
			return
		}
		s.putAgain(r, held.event)
		if ctx.Err() != nil {
			return
		}
	}
	s.complete(r)
}

// beginReplay takes the events out of the archive, or ends the replay.
func (s *Service) beginReplay(r *replay) (events []archived, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case r.state == types.ReplayStateCancelling:
		s.finish(r, types.ReplayStateCancelled, "")
		return nil, false
	case s.archives[r.archive.name] != r.archive:
		s.finish(r, types.ReplayStateFailed, "Archive resource not found.")
		return nil, false
	}
	r.state = types.ReplayStateRunning
	r.archive.expire(s.now())
	for _, held := range r.archive.events {
		if at := held.event.at; !at.Before(r.from) && at.Before(r.to) {
			events = append(events, *held)
		}
	}
	slices.SortStableFunc(events, func(a, b archived) int {
		return a.event.at.Truncate(time.Minute).Compare(b.event.at.Truncate(time.Minute))
	})
	return events, true
}

// proceed says how far the replay has come, or ends it because it is cancelled.
func (s *Service) proceed(r *replay, minute time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.state == types.ReplayStateCancelling {
		s.finish(r, types.ReplayStateCancelled, "")
		return false
	}
	r.lastReplayed = aws.Time(minute)
	return true
}

// putAgain puts an event on its bus once more: with an id of its own and the
// replay's name, which keeps it out of archives.
func (s *Service) putAgain(r *replay, old *event) {
	var of envelope
	if err := json.Unmarshal(old.text, &of); err != nil {
		s.Log.Error("archived event cannot be read", "eventId", old.id, "error", err.Error())
		return
	}
	of.Replay = r.name
	s.put(r.archive.bus, s.newEvent(of, old.at), r.only)
}

// complete ends a replay that has put all its events on the bus. Its last minute
// counts as replayed, with or without events, if it is past.
func (s *Service) complete(r *replay) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.state == types.ReplayStateCancelling {
		s.finish(r, types.ReplayStateCancelled, "")
		return
	}
	if last := r.to.Add(-time.Nanosecond).Truncate(time.Minute); last.Before(s.now().Truncate(time.Minute)) {
		r.lastReplayed = aws.Time(last)
	}
	s.finish(r, types.ReplayStateCompleted, "")
}

func (s *Service) fault(r *replay, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finish(r, types.ReplayStateFailed, reason)
}

func (s *Service) finish(r *replay, state types.ReplayState, reason string) {
	r.state, r.reason, r.ended = state, reason, aws.Time(s.now().Truncate(time.Second))
}
