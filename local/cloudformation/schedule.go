package cloudformation

import (
	"maps"
	"slices"
)

// walk visits every node once those that it needs are done, independent ones
// at the same time. What needs a node whose visit answered false is not
// visited. It returns when no visit runs any more.
func walk(needs map[string][]string, visit func(id string) bool) {
	waiting, dependents := map[string]int{}, map[string][]string{}
	for id, needed := range needs {
		for _, name := range needed {
			if _, among := needs[name]; among {
				waiting[id]++
				dependents[name] = append(dependents[name], id)
			}
		}
	}
	type visited struct {
		id string
		ok bool
	}
	ended, running := make(chan visited), 0
	start := func(id string) {
		running++
		go func() { ended <- visited{id, visit(id)} }()
	}
	for _, id := range slices.Sorted(maps.Keys(needs)) {
		if waiting[id] == 0 {
			start(id)
		}
	}
	for running > 0 {
		last := <-ended
		running--
		if !last.ok {
			continue
		}
		for _, id := range slices.Sorted(slices.Values(dependents[last.id])) {
			if waiting[id]--; waiting[id] == 0 {
				start(id)
			}
		}
	}
}

// inOrder lists every node after those that it needs.
func inOrder(needs map[string][]string) []string {
	var order []string
	seen := map[string]bool{}
	var add func(id string)
	add = func(id string) {
		if _, among := needs[id]; !among || seen[id] {
			return
		}
		seen[id] = true
		for _, name := range needs[id] {
			add(name)
		}
		order = append(order, id)
	}
	for _, id := range slices.Sorted(maps.Keys(needs)) {
		add(id)
	}
	return order
}

// reversed swaps who needs whom.
func reversed(needs map[string][]string) map[string][]string {
	turned := map[string][]string{}
	for id := range needs {
		turned[id] = nil
	}
	for id, needed := range needs {
		for _, name := range needed {
			if _, among := needs[name]; among {
				turned[name] = append(turned[name], id)
			}
		}
	}
	return turned
}
