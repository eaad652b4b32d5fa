package receiver

import "sync"

// recent remembers the last ids it was given, the oldest leaving first. It
// knows of this instance only: EventBridge delivers at least once, and another
// instance may have seen an id that is new here.
type recent struct {
	mu    sync.Mutex
	known map[string]struct{}
	order []string
	next  int
}

func newRecent(size int) *recent {
	return &recent{known: make(map[string]struct{}), order: make([]string, size)}
}

// add remembers id and tells whether it was known already.
func (r *recent) add(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.known[id]; ok {
		return true
	}
	delete(r.known, r.order[r.next])
	r.order[r.next] = id
	r.next = (r.next + 1) % len(r.order)
	r.known[id] = struct{}{}
	return false
}
