// Command bench measures the functions and the local endpoint against floors (the
// least a program of that kind can cost on this machine) and against peers, each
// pair in turn in one run, so that a machine which speeds up or slows down does so
// for both. It writes a table with its raw numbers and plots to docs/. Only ratios
// are claimed: a figure alone says more of the machine than of the program.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"api-destination-credentials/internal/terminal"
	"api-destination-credentials/local/deploy"
)

// section is a group of rows that are measured together.
type section struct {
	name, title string
	measure     func(context.Context, *bench) error
}

var sections = []section{
	{"functions", "Functions: init, size and memory", measureFunctions},
	{"receiver", "Receiver: one HTTP API event", measureReceiver},
	{"peers", "The same work in Python and Node", measurePeers},
	{"start", "Endpoint: start and idle memory", measureStart},
	{"deploy", "Endpoint: deployment", measureDeployment},
	{"events", "Endpoint: events", measureEvents},
	{"rotation", "Endpoint: rotation", measureRotation},
	{"growth", "Endpoint: growth", measureGrowth},
	{"memory", "Endpoint: memory after many events", measureMemory},
}

var command = terminal.Command{
	Name:  "go run ./local/bench",
	About: "Measures the functions and the local endpoint beside floors and peers, and writes\ndocs/benchmarks.md with its raw numbers and plots. It takes half an hour on a\nmachine that does nothing else. Run it in the repository's root folder.",
	Usage: []string{"[-only section,…] [-quick] [-output folder]"},
	More: `Examples:
  make bench
  make bench ONLY=functions,receiver
  go run ./local/bench -quick -output .build/bench

Environment:
  NO_COLOR           any value: no colour
`,
}

func main() {
	only := flag.String("only", "", "comma-separated sections: "+strings.Join(names(), ", ")+"; empty for all")
	quick := flag.Bool("quick", false, "few repetitions: a smoke run, its numbers mean little")
	output := flag.String("output", "", "folder for benchmarks.md, its plots and benchmarks.json (default docs for a whole run, otherwise nothing is written)")
	command.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *only, *quick, *output); err != nil {
		terminal.Fail(1, err)
	}
}

func names() []string {
	var all []string
	for _, s := range sections {
		all = append(all, s.name)
	}
	return all
}

func run(ctx context.Context, only string, quick bool, output string) error {
	if only == "" && !quick && output == "" {
		output = "docs"
	}
	b, err := newBench(".", quick, os.Stderr)
	if err != nil {
		return err
	}
	if err := b.measure(ctx, only); err != nil {
		return err
	}
	fmt.Print(b.report.markdown())
	if output == "" {
		return nil
	}
	return b.report.write(output)
}

// bench is one run.
type bench struct {
	root     string // the repository
	work     string // for what is built and installed
	quick    bool
	progress io.Writer
	checkout *deploy.Checkout
	report   *report
	current  section
}

func newBench(root string, quick bool, progress io.Writer) (*bench, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	work := filepath.Join(root, ".build", "bench")
	if err := os.MkdirAll(work, 0o755); err != nil {
		return nil, err
	}
	return &bench{
		root: root, work: work, quick: quick, progress: progress,
		checkout: deploy.Open(root), report: newReport(quick),
	}, nil
}

// measure runs the sections named in only, or all of them.
func (b *bench) measure(ctx context.Context, only string) error {
	chosen := names()
	if only != "" {
		chosen = strings.Split(only, ",")
	}
	for _, name := range chosen {
		if !slices.Contains(names(), name) {
			return fmt.Errorf("there is no section %q: use some of %s", name, strings.Join(names(), ", "))
		}
	}
	for _, s := range sections {
		if !slices.Contains(chosen, s.name) {
			continue
		}
		began := time.Now()
		b.current = s
		b.say("%s", s.title)
		if err := s.measure(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		b.say("  took %s", time.Since(began).Round(time.Second))
	}
	return nil
}

// times is how often something is repeated: n times, or a few in a smoke run.
func (b *bench) times(n int) int {
	if b.quick {
		return max(3, n/10)
	}
	return n
}

func (b *bench) say(format string, arguments ...any) {
	fmt.Fprintf(b.progress, format+"\n", arguments...)
}

// add puts a row into the table and shows it.
func (b *bench) add(r row) {
	r.Section = b.current.name
	b.report.add(r)
	b.say("  %s", b.report.line(b.report.Rows[len(b.report.Rows)-1]))
}
