package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const introduction = `# Benchmarks

Written by ` + "`make bench`" + `; do not edit. Each row was measured in one run against its
floor (the least that a program of its kind costs here) or a peer, in turn: ours,
theirs, ours, theirs, …, so that a slow moment of the machine is a slow moment for
both. The ratio is the median of the ratios pair by pair, and the only thing that
is claimed. [benchmarks.json](benchmarks.json) has every single measurement.

`

// write puts the report into a folder: benchmarks.md, its plots, benchmarks.json.
func (r *report) write(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	var text strings.Builder
	text.WriteString(introduction)
	fmt.Fprintf(&text, "%s, %d cores, %s, %s, %s.\n", r.Machine.CPU, r.Machine.Cores, r.Machine.Kernel, r.Machine.System, r.Machine.Go)
	var versions []string
	for _, name := range slices.Sorted(maps.Keys(r.Version)) {
		versions = append(versions, name+" "+r.Version[name])
	}
	if len(versions) > 0 {
		fmt.Fprintf(&text, "%s.\n", strings.Join(versions, ", "))
	}
	if r.Quick {
		text.WriteString("\nA smoke run: these numbers mean little.\n")
	}
	text.WriteString("\n" + r.markdown())
	if err := os.WriteFile(filepath.Join(folder, "benchmarks.md"), []byte(text.String()), 0o644); err != nil {
		return err
	}
	for _, c := range r.Curves {
		if err := os.WriteFile(filepath.Join(folder, c.file()), []byte(c.svg()), 0o644); err != nil {
			return err
		}
	}
	raw, err := r.raw()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "benchmarks.json"), raw, 0o644)
}

// raw is the report as JSON, a row a line.
func (r *report) raw() ([]byte, error) {
	head, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	text.Write(bytes.TrimSuffix(head, []byte("}")))
	text.WriteString(",\n\"rows\":[")
	for i, one := range r.Rows {
		line, err := json.Marshal(one)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteByte('\n')
		text.Write(line)
	}
	text.WriteString("\n]}\n")
	return text.Bytes(), nil
}

// MarshalJSON keeps four digits that count, more than there is to know.
func (s series) MarshalJSON() ([]byte, error) {
	text := []byte{'['}
	for i, value := range s {
		if i > 0 {
			text = append(text, ',')
		}
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return nil, fmt.Errorf("measurement %d is %v", i, value)
		}
		text = strconv.AppendFloat(text, value, 'g', 4, 64)
	}
	return append(text, ']'), nil
}
