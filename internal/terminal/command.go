package terminal

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// Command is a program that a person runs, as its -h describes it.
type Command struct {
	Name  string   // as it is typed: go run ./local
	About string   // what it does, in whole sentences
	Usage []string // what follows the name
	Words []string // that may follow the name, one at a time
	More  string   // examples, environment variables and exit status
}

// Parse reads the flags that are registered with package flag, and returns the
// word that was given, or none. It ends the program with the help, status 0, for
// -h and help, and with status 2 for what the command does not know.
func (c Command) Parse() (word string) {
	flag.CommandLine.Init(c.Name, flag.ContinueOnError)
	flag.CommandLine.SetOutput(io.Discard)
	rest := os.Args[1:]
	for {
		err := flag.CommandLine.Parse(rest)
		if errors.Is(err, flag.ErrHelp) || flag.Arg(0) == "help" {
			c.help(os.Stdout)
			os.Exit(0)
		}
		if err != nil {
			c.Refuse("%w", err)
		}
		if flag.NArg() == 0 {
			return word
		}
		if word != "" || !slices.Contains(c.Words, flag.Arg(0)) {
			c.Refuse("there is no argument %q", flag.Arg(0))
		}
		// Flags may follow the word.
		word, rest = flag.Arg(0), flag.Args()[1:]
	}
}

// Refuse ends the program with status 2, as what was typed cannot be meant.
func (c Command) Refuse(format string, values ...any) {
	Fail(2, fmt.Errorf(format+": %s -h shows what there is", append(values, c.Name)...))
}

func (c Command) help(out io.Writer) {
	fmt.Fprintf(out, "%s\n\nUsage:\n", c.About)
	for _, usage := range c.Usage {
		fmt.Fprintf(out, "  %s\n", strings.TrimSpace(c.Name+" "+usage))
	}
	fmt.Fprint(out, "\nFlags:\n")
	flag.CommandLine.SetOutput(out)
	flag.PrintDefaults()
	fmt.Fprintf(out, "\n%s", c.More)
}

// Fail says on the standard error why the program cannot go on, and ends it.
func Fail(status int, err error) {
	fmt.Fprintln(os.Stderr, On(os.Stderr).Bad("failed:"), err)
	os.Exit(status)
}

// Interrupted tells whether what failed was interrupted. Ctrl-C ends the programs
// that this one has started as well, and what becomes of them may be known first.
func Interrupted(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return true
	case <-time.After(100 * time.Millisecond):
		return false
	}
}
