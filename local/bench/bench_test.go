package main

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheReportIsATableWithEveryMeasurementBesideIt(t *testing.T) {
	r := newReport(false)
	r.Version["moto"] = "5.2.5"
	r.add(row{Section: "start", What: "endpoint: start", Unit: "ms", Ours: series{10, 12, 11}, Against: "empty", Other: series{5, 4, 5}, aim: ratioAtMost(2)})
	r.add(row{Section: "start", What: "endpoint: resident", Unit: "MiB", Ours: series{28}, aim: medianAtMost(30, "MiB")})
	r.Curves = append(r.Curves, curve{section: "growth", name: "rules", title: "By rules", across: "rules", up: "ms", x: []float64{1, 10, 100}, y: []float64{1, 1.2, 4}})
	folder := t.TempDir()
	if err := r.write(folder); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(folder, "benchmarks.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| endpoint: start | ms | 3 | 11.0 | 12.0 | empty | 5.00 | 5.00 | 2.20 | ≤ 2× | no |",
		"| endpoint: resident | MiB | 1 | 28.0 | 28.0 |  |  |  |  | ≤ 30 MiB | yes |",
		"moto 5.2.5",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	raw, err := os.ReadFile(filepath.Join(folder, "benchmarks.json"))
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Machine machine
		Rows    []struct{ Ours, Other []float64 }
	}
	if err := json.Unmarshal(raw, &read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float64{10, 12, 11}, read.Rows[0].Ours); diff != "" || read.Machine.Cores == 0 {
		t.Errorf("benchmarks.json (-want +got):\n%s%s", diff, raw)
	}
	plot, err := os.Open(filepath.Join(folder, "benchmarks-rules.svg"))
	if err != nil {
		t.Fatal(err)
	}
	defer plot.Close()
	for decoder := xml.NewDecoder(plot); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the plot is not XML: %v", err)
		}
	}
}

func TestARatioIsTheMedianOfTheRatiosPairByPair(t *testing.T) {
	for name, test := range map[string]struct {
		ours, other series
		want        float64
	}{
		"a slow moment of the machine hits both": {series{2, 20, 2}, series{1, 10, 1}, 2},
		"one outlier does not count":             {series{3, 90, 3}, series{1, 1, 1}, 3},
		"of different lengths: the medians":      {series{4, 4, 100}, series{2, 2}, 2},
	} {
		if got := test.ours.over(test.other); got != test.want {
			t.Errorf("%s: %g, want %g", name, got, test.want)
		}
	}
}

func TestPercentilesAreMeasurements(t *testing.T) {
	var hundred series
	for i := range 100 {
		hundred = append(hundred, float64(100-i))
	}
	for q, want := range map[float64]float64{0: 1, 0.5: 50, 0.95: 95, 0.99: 99, 1: 100} {
		if got := hundred.at(q); got != want {
			t.Errorf("at %g: %g, want %g", q, got, want)
		}
	}
	if got := (series{}).median(); !math.IsNaN(got) {
		t.Errorf("nothing measured, and the median is %g", got)
	}
}

func TestCandidatesTakeTurns(t *testing.T) {
	var order string
	candidate := func(name string, value float64) func() (float64, error) {
		return func() (float64, error) {
			order += name
			return value, nil
		}
	}
	measured, err := inTurn(context.Background(), 3, candidate("a", 1), candidate("b", 2))
	if err != nil {
		t.Fatal(err)
	}
	if order != "abbaab" {
		t.Errorf("order %s, want each round to begin with another one", order)
	}
	if diff := cmp.Diff([]series{{1, 1, 1}, {2, 2, 2}}, measured); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestACurveKnowsHowItGrows(t *testing.T) {
	c := curve{x: []float64{1, 10, 100}, y: []float64{1, 10, 10}}
	if got := c.slope(); math.Abs(got-0.5) > 1e-9 {
		t.Errorf("slope %g, want 0.5", got)
	}
	if got := c.steepest(); math.Abs(got-1) > 1e-9 {
		t.Errorf("steepest %g, want 1", got)
	}
}
