package secretsmanager

import (
	"context"
	"slices"
)

// start runs a task in the background. It needs the lock held.
func (s *Service) start(task func()) {
	s.running++
	go func() {
		defer s.done()
		task()
	}()
}

func (s *Service) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	s.notify()
}

// notify wakes who waits. It needs the lock held.
func (s *Service) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Idle waits until no step of a rotation runs and none is due, or until ctx is
// done. It does not wait for attempts and rotations that are due later.
func (s *Service) Idle(ctx context.Context) error {
	return s.wait(ctx, func() bool {
		return s.running == 0 && (s.ctx.Err() != nil || !slices.ContainsFunc(s.secrets, s.overdue))
	})
}

// Close ends the rotations that are under way before their next step, waits for
// them, and starts no more.
func (s *Service) Close() {
	s.stop()
	s.mu.Lock()
	s.arrange()
	s.mu.Unlock()
	_ = s.wait(context.Background(), func() bool { return s.running == 0 }) // never ends early
}

// wait waits until a condition holds, which is asked with the lock held.
func (s *Service) wait(ctx context.Context, holds func() bool) error {
	for {
		s.mu.Lock()
		held, changed := holds(), s.changed
		s.mu.Unlock()
		if held {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
