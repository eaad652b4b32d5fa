package soak

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Failed says in one sentence what went wrong; empty where nothing did.
func (r Report) Failed() string {
	var wrong []string
	for _, found := range []struct {
		count int
		what  string
	}{
		{len(r.Lost), "lost"}, {len(r.Twice), "acted on twice"}, {len(r.Strangers), "arrived without having been put"}, {r.DeadLetter, "left in the dead-letter queue"},
	} {
		if found.count > 0 {
			wrong = append(wrong, fmt.Sprintf("%d events are %s", found.count, found.what))
		}
	}
	return strings.Join(wrong, ", ")
}

// String is a Markdown table.
func (r Report) String() string {
	var table strings.Builder
	row := func(what string, value any) { fmt.Fprintf(&table, "| %s | %v |\n", what, value) }
	table.WriteString("| | |\n|---|---|\n")
	row("events accepted by the bus", r.Accepted)
	row("events a second, on average", fmt.Sprintf("%.0f", r.PerSecond))
	row("refused by the bus (key disabled), the producer was told", r.Refused)
	row("rotations", r.Rotations)
	for _, name := range slices.Sorted(maps.Keys(r.Faults)) {
		row("fault: "+name, r.Faults[name])
	}
	row("**lost**", len(r.Lost))
	row("**acted on twice**", len(r.Twice))
	row("duplicates recognized", r.Duplicates)
	row("redriven from the dead-letter queue", r.Redriven)
	row("left in the dead-letter queue", r.DeadLetter)
	row("longest gap between two arrivals", r.LongestGap.Round(time.Millisecond))
	row("took", r.Took.Round(time.Second))
	return table.String()
}
