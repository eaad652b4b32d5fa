package main

import (
	_ "embed"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// row is one line of the table: something of ours beside its floor or peer.
type row struct {
	Section string `json:"section"`
	What    string `json:"what"`
	Against string `json:"against"`
	Unit    string `json:"unit"`
	Ours    series `json:"ours"`
	Other   series `json:"other,omitempty"`
	// Ratio is ours over other, pair by pair; its median. Zero for none.
	Ratio float64 `json:"ratio,omitempty"`
	Aim   string  `json:"aim,omitempty"`
	Met   string  `json:"met,omitempty"` // yes, no, or empty where nothing is aimed at
	Note  string  `json:"note,omitempty"`

	aim aim
}

// aim is what a row should come to.
type aim struct {
	words string
	holds func(row) bool
}

func ratioAtMost(limit float64) aim {
	return aim{fmt.Sprintf("≤ %g×", limit), func(r row) bool { return r.Ratio <= limit }}
}

func ratioAtLeast(percent float64) aim {
	return aim{fmt.Sprintf("≥ %g %%", percent), func(r row) bool { return r.Ratio >= percent/100 }}
}

// ahead is for peers.
func ahead() aim {
	return aim{"ahead", func(r row) bool { return r.Ratio < 1 }}
}

func medianAtMost(limit float64, unit string) aim {
	return aim{fmt.Sprintf("≤ %g %s", limit, unit), func(r row) bool { return r.Ours.median() <= limit }}
}

// addedAtMost is for what a longer way adds to a shorter one.
func addedAtMost(limit float64, unit string) aim {
	return aim{fmt.Sprintf("adds ≤ %g %s", limit, unit), func(r row) bool { return r.Ours.minus(r.Other) <= limit }}
}

// report is the outcome of a run.
type report struct {
	Quick   bool              `json:"quick,omitempty"`
	Machine machine           `json:"machine"`
	Version map[string]string `json:"versions"`
	Rows    []row             `json:"-"` // written one a line
	Curves  []curve           `json:"-"`
	notes   map[string][]string
}

func newReport(quick bool) *report {
	return &report{Quick: quick, Machine: thisMachine(), Version: map[string]string{}, notes: map[string][]string{}}
}

func (r *report) add(added row) {
	if len(added.Other) > 0 {
		added.Ratio = added.Ours.over(added.Other)
	}
	if added.aim.holds != nil {
		added.Aim, added.Met = added.aim.words, "no"
		if added.aim.holds(added) {
			added.Met = "yes"
		}
	}
	r.Rows = append(r.Rows, added)
}

// note adds a sentence below a section's table.
func (b *bench) note(format string, arguments ...any) {
	b.report.notes[b.current.name] = append(b.report.notes[b.current.name], fmt.Sprintf(format, arguments...))
}

const tableHead = `| What | Unit | n | Median | p95 | Against | Median | p95 | Ratio | Aim | Met |
|---|---|--:|--:|--:|---|--:|--:|--:|---|---|
`

func (r *report) markdown() string {
	var text strings.Builder
	for _, s := range sections {
		if rows := r.of(s.name); len(rows) > 0 || len(r.notes[s.name]) > 0 {
			fmt.Fprintf(&text, "## %s\n\n", s.title)
			if len(rows) > 0 {
				text.WriteString(tableHead)
			}
			for _, one := range rows {
				text.WriteString(r.line(one) + "\n")
			}
			text.WriteString("\n")
			if said := comment(s.name); said != "" {
				text.WriteString(said + "\n\n")
			}
			for _, note := range r.notes[s.name] {
				text.WriteString("- " + note + "\n")
			}
			if len(r.notes[s.name]) > 0 {
				text.WriteString("\n")
			}
			for _, c := range r.Curves {
				if c.section == s.name {
					fmt.Fprintf(&text, "![%s](%s)\n\n", c.title, c.file())
				}
			}
		}
	}
	return strings.TrimRight(text.String(), "\n") + "\n"
}

// comments are what a person has to say of the tables.
//
//go:embed comments.md
var comments string

// comment is what comments.md says under the name of a section.
func comment(section string) string {
	_, rest, _ := strings.Cut(comments, "## "+section+"\n")
	said, _, _ := strings.Cut(rest, "\n## ")
	return strings.TrimSpace(said)
}

func (r *report) of(section string) []row {
	var rows []row
	for _, one := range r.Rows {
		if one.Section == section {
			rows = append(rows, one)
		}
	}
	return rows
}

func (r *report) line(one row) string {
	ratio := ""
	if one.Ratio != 0 {
		ratio = strconv.FormatFloat(one.Ratio, 'f', 2, 64)
	}
	return fmt.Sprintf("| %s | %s | %d | %s | %s | %s | %s | %s | %s | %s | %s |",
		one.What, one.Unit, len(one.Ours), figure(one.Ours.median()), figure(one.Ours.at(0.95)),
		one.Against, figure(one.Other.median()), figure(one.Other.at(0.95)), ratio, one.Aim, one.Met)
}

// figure has three digits that count.
func figure(value float64) string {
	switch {
	case math.IsNaN(value):
		return ""
	case math.Abs(value) >= 100:
		return strconv.FormatFloat(value, 'f', 0, 64)
	case math.Abs(value) >= 10:
		return strconv.FormatFloat(value, 'f', 1, 64)
	}
	return strconv.FormatFloat(value, 'f', 2, 64)
}
