package eventbridge

import (
	"context"
	"sync"
)

// work is everything that runs in the background.
type work struct {
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	running int
	rest    chan struct{} // closed when nothing runs
	closed  bool
}

func newWork() *work {
	ctx, cancel := context.WithCancel(context.Background())
	rest := make(chan struct{})
	close(rest)
	return &work{ctx: ctx, cancel: cancel, rest: rest}
}

// start runs task in the background. Its context ends when the service closes.
func (w *work) start(task func(ctx context.Context)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	if w.running == 0 {
		w.rest = make(chan struct{})
	}
	w.running++
	go func() {
		defer w.done()
		task(w.ctx)
	}()
}

func (w *work) done() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running--; w.running == 0 {
		close(w.rest)
	}
}

func (w *work) idle(ctx context.Context) error {
	select {
	case <-w.resting():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *work) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.cancel()
	<-w.resting()
}

func (w *work) resting() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rest
}
