package page

import (
	"slices"
	"sync"
	"time"
)

// Kinds of steps. Every journey to a target ends with Delivered, DeadLetter or
// Dropped.
const (
	Put        = "put"         // on a bus
	Matched    = "matched"     // a rule, for one of its targets
	Token      = "token"       // the connection obtained an access token, or could not
	Attempt    = "attempt"     // made; with Code and Detail where it failed
	Retry      = "retry"       // another attempt comes later
	Delivered  = "delivered"   // the target has it
	DeadLetter = "dead-letter" // the dead-letter queue has it
	Dropped    = "dropped"     // nobody has it: no rule matched, or there is no queue that takes it
)

// Step is one thing that happened to an event. It has no room for an event's
// body, a secret or a token, and Code and Detail are never made of one.
type Step struct {
	EventID string
	Time    time.Time
	Kind    string
	Rule    string // its name; empty while no rule is concerned
	Target  string // its ARN; for Put and a Dropped without rule, the bus's name
	Status  int    // of an HTTP answer; 0 for none
	Attempt int    // from 1; 0 where it does not apply
	Code    string // an error code as dead letters carry it; empty for success
	Detail  string // a few words; for Put, source and detail type
}

const (
	maximumJourneys = 200
	// A day of retries has more steps than anybody reads: the first ones and
	// the last ones are kept.
	firstSteps, lastSteps = 6, 18
	maximumDetail         = 300
)

// Recorder remembers the last events' journeys and counts all steps since it
// was made. It is safe for concurrent use.
type Recorder struct {
	mu       sync.Mutex
	journeys []*journey // oldest first
	byID     map[string]*journey
	totals   map[total]int
}

type journey struct {
	id      string
	steps   []Step
	omitted int // after the first ones
}

// total is what steps are counted by: a rule, or a bus.
type total struct{ kind, name string }

// NewRecorder returns one that has seen nothing.
func NewRecorder() *Recorder {
	return &Recorder{byID: map[string]*journey{}, totals: map[total]int{}}
}

// Observe records a step.
func (r *Recorder) Observe(step Step) {
	if text := []rune(step.Detail); len(text) > maximumDetail {
		step.Detail = string(text[:maximumDetail]) + "…"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	name := step.Rule
	if name == "" {
		name = step.Target
	}
	r.totals[total{step.Kind, name}]++
	r.journey(step.EventID).add(step)
}

// Total is how many steps of a kind a rule has seen; or a bus, for Put.
func (r *Recorder) Total(kind, name string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.totals[total{kind, name}]
}

// latest returns copies of the journeys, newest first.
func (r *Recorder) latest() []journey {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []journey
	for _, j := range slices.Backward(r.journeys) {
		found = append(found, journey{j.id, slices.Clone(j.steps), j.omitted})
	}
	return found
}

func (r *Recorder) journey(id string) *journey {
	if j := r.byID[id]; j != nil {
		return j
	}
	if len(r.journeys) == maximumJourneys {
		delete(r.byID, r.journeys[0].id)
		r.journeys = slices.Delete(r.journeys, 0, 1)
	}
	j := &journey{id: id}
	r.byID[id] = j
	r.journeys = append(r.journeys, j)
	return j
}

func (j *journey) add(step Step) {
	if len(j.steps) == firstSteps+lastSteps {
		j.steps = slices.Delete(j.steps, firstSteps, firstSteps+1)
		j.omitted++
	}
	j.steps = append(j.steps, step)
}
