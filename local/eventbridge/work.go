package eventbridge

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"
)

// work is everything that runs in the background, at once or when the clock
// reaches a time. What waits for its time is an entry of the agenda and not a
// goroutine, so that a day of retries of many events costs little.
type work struct {
	clock  clockwork.Clock
	ctx    context.Context
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	mu      sync.Mutex
	running int // tasks that do not pause
	agenda  agenda
	timer   clockwork.Timer // for the agenda's first entry; nil for none
	alarm   time.Time       // when that timer fires
	rest    chan struct{}   // closed when the last running task ends or pauses
	closed  bool
}

func newWork(clock clockwork.Clock) *work {
	ctx, cancel := context.WithCancel(context.Background())
	return &work{clock: clock, ctx: ctx, cancel: cancel, rest: make(chan struct{})}
}

// start runs task in the background. Its context ends when the service closes.
func (w *work) start(task func(ctx context.Context)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.run(task)
	}
}

// after runs task in the background once d has passed.
func (w *work) after(d time.Duration, task func(ctx context.Context)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.enter(d, func() { w.run(task) })
	}
}

// pause lets the task that calls it wait for d. It returns false because the
// service closes.
func (w *work) pause(ctx context.Context, d time.Duration) bool {
	over := make(chan struct{})
	w.mu.Lock()
	if !w.closed {
		w.enter(d, func() {
			w.running++
			close(over)
		})
	}
	w.stop()
	w.mu.Unlock()
	select {
	case <-over:
		return true
	case <-ctx.Done():
		w.mu.Lock()
		defer w.mu.Unlock()
		w.running++
		return false
	}
}

// due is when the first entry of the agenda is due, or zero.
func (w *work) due() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.agenda) == 0 {
		return time.Time{}
	}
	return w.agenda[0].at
}

// settle waits until all that is left waits for its time.
func (w *work) settle(ctx context.Context) error {
	return w.await(ctx, func() bool { return w.running == 0 })
}

// idle waits until nothing is left.
func (w *work) idle(ctx context.Context) error {
	return w.await(ctx, func() bool { return w.running == 0 && len(w.agenda) == 0 })
}

func (w *work) await(ctx context.Context, holds func() bool) error {
	for {
		w.mu.Lock()
		// The clock may be further than its timers have told.
		w.begin()
		done, rest := holds(), w.rest
		w.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-rest:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// close drops the agenda, ends the tasks and waits for them.
func (w *work) close() {
	w.mu.Lock()
	w.closed, w.agenda = true, nil
	w.setTimer()
	w.mu.Unlock()
	w.cancel()
	w.tasks.Wait()
}

func (w *work) run(task func(ctx context.Context)) {
	w.running++
	w.tasks.Go(func() {
		task(w.ctx)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.stop()
	})
}

func (w *work) stop() {
	if w.running--; w.running == 0 {
		close(w.rest)
		w.rest = make(chan struct{})
	}
}

func (w *work) enter(d time.Duration, begin func()) {
	heap.Push(&w.agenda, entry{w.clock.Now().Add(d), begin})
	w.begin()
}

// begin begins what is due.
func (w *work) begin() {
	now := w.clock.Now()
	for len(w.agenda) > 0 && !w.agenda[0].at.After(now) {
		heap.Pop(&w.agenda).(entry).begin()
	}
	w.setTimer()
}

// setTimer has begin called when the first entry is due.
func (w *work) setTimer() {
	var next time.Time
	if len(w.agenda) > 0 {
		next = w.agenda[0].at
	}
	if next.Equal(w.alarm) {
		return
	}
	if w.timer != nil {
		w.timer.Stop()
	}
	w.timer, w.alarm = nil, next
	if next.IsZero() {
		return
	}
	w.timer = w.clock.AfterFunc(next.Sub(w.clock.Now()), func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.alarm = time.Time{} // it is over, even if it came too early
		w.begin()
	})
}

// entry is something that begins at a time.
type entry struct {
	at    time.Time
	begin func()
}

// agenda is a heap, the earliest entry first.
type agenda []entry

func (a agenda) Len() int           { return len(a) }
func (a agenda) Less(i, j int) bool { return a[i].at.Before(a[j].at) }
func (a agenda) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)        { *a = append(*a, x.(entry)) }

func (a *agenda) Pop() any {
	old := *a
	last := old[len(old)-1]
	old[len(old)-1] = entry{} // so that what it holds can be freed
	*a = old[:len(old)-1]
	return last
}
