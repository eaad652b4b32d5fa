//go:build guard

package main

import (
	"io"
	"path/filepath"
	"testing"
)

// TestNothingOfOursHasGrownFarFromItsFloor is a guard with wide margins: what it
// stops is a dependency or a loop that nobody meant, not a slow day of a machine.
func TestNothingOfOursHasGrownFarFromItsFloor(t *testing.T) {
	b, err := newBench(filepath.Join("..", ".."), true, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.measure(t.Context(), "functions,receiver"); err != nil {
		t.Fatal(err)
	}
	limits := map[string]float64{ // ratios
		"receiver: init, exec to first poll":         2.5,
		"connection: init, exec to first poll":       4,
		"rotation: init, exec to first poll":         4,
		"follower: init, exec to first poll":         4,
		"receiver: zip":                              1.5,
		"connection: zip":                            2,
		"rotation: zip":                              2,
		"follower: zip":                              2,
		"receiver: peak memory, 1,000 invocations":   2,
		"connection: peak memory, 1,000 invocations": 3,
		"rotation: peak memory, 1,000 invocations":   3,
		"follower: peak memory, 1,000 invocations":   3,
		"receiver: HTTP API v2 event, time":          2.5,
		"receiver: HTTP API v2 event, allocations":   1.6,
	}
	for _, r := range b.report.Rows {
		limit, guarded := limits[r.What]
		if !guarded || r.Against == "same SDK packages imported" {
			continue
		}
		delete(limits, r.What)
		if r.Ratio > limit {
			t.Errorf("%s: %.2f times that of the %s, want at most %g: look at what came in with the last changes (go run ./local/bench -only %s)", r.What, r.Ratio, r.Against, limit, r.Section)
		}
	}
	if len(limits) > 0 {
		t.Errorf("not measured: %v", limits)
	}
}
