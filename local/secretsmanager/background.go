package secretsmanager

import "context"

// start runs a task in the background, unless the service is closed. It needs
// the lock held.
func (s *Service) start(task func()) {
	if s.ctx.Err() != nil {
		return
	}
	if s.running == 0 {
		s.rest = make(chan struct{})
	}
	s.running++
	go func() {
		defer s.done()
		task()
	}()
}

func (s *Service) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running--; s.running == 0 {
		close(s.rest)
	}
}

// Idle waits until no rotation is under way, or until ctx is done.
func (s *Service) Idle(ctx context.Context) error {
	select {
	case <-s.resting():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends the rotations that are under way before their next step, and
// waits for them.
func (s *Service) Close() {
	s.stop()
	<-s.resting()
}

func (s *Service) resting() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rest
}
