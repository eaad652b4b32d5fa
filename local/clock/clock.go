// Package clock is a clock that can be set ahead, so that retries, alarms and
// schedules of days pass in a moment.
package clock

import (
	"time"

	"github.com/jonboulle/clockwork"
)

// Jumping runs like the machine's clock from the moment it was made, and Advance
// sets it ahead. Function processes do not see it.
type Jumping struct {
	*clockwork.FakeClock
	ended, stopped chan struct{}
}

// tick is how often it is set to the time that has passed.
const tick = 2 * time.Millisecond

// New returns a clock that runs until Stop.
func New() Jumping {
	c := Jumping{clockwork.NewFakeClockAt(time.Now()), make(chan struct{}), make(chan struct{})}
	go c.run()
	return c
}

func (c Jumping) run() {
	defer close(c.stopped)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for last := time.Now(); ; {
		select {
		case <-c.ended:
			return
		case now := <-ticker.C:
			c.Advance(now.Sub(last))
			last = now
		}
	}
}

// Stop ends the clock's own running.
func (c Jumping) Stop() {
	close(c.ended)
	<-c.stopped
}
