package terminal_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

const root = "../.."

// build compiles a command of the repository.
func build(t *testing.T, folder string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "command")
	compile := exec.Command("go", "build", "-o", binary, folder)
	compile.Dir = root
	// Without cgo, as make builds them.
	compile.Env = append(os.Environ(), "CGO_ENABLED=0")
	if report, err := compile.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", folder, err, report)
	}
	return binary
}

func TestEachCommandHelpsAndNamesWhatItDoesNotKnow(t *testing.T) {
	for folder, typed := range map[string]struct{ flag, example, environment string }{
		"./local":                    {"(default 4566)", "make demo", "AWS_ENDPOINT_URL"},
		"./internal/doctor/command":  {`(default "api-destination")`, "make doctor", "AWS_ENDPOINT_URL"},
		"./internal/redrive/command": {`(default "api-destination")`, "make redrive", "AWS_ENDPOINT_URL"},
		"./local/soak/command":       {"(default 100000)", "make soak", "NO_COLOR"},
		"./local/compare/ruler":      {"(default 1000000)", "make compare", "NO_COLOR"},
	} {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			binary := build(t, folder)
			name := "go run " + folder
			for _, c := range []struct {
				argument string
				status   int
				wants    []string
			}{
				{"-h", 0, []string{"Usage:\n  " + name, "Flags:\n", typed.flag, "Examples:\n", typed.example, "Environment:\n", typed.environment}},
				{"--help", 0, []string{"Usage:\n  " + name}},
				{"help", 0, []string{"Usage:\n  " + name}},
				{"-nonsense", 2, []string{"-nonsense", name + " -h"}},
				{"stray", 2, []string{`"stray"`, name + " -h"}},
			} {
				said, status := run(t, binary, c.argument)
				if status != c.status {
					t.Errorf("%s ends with status %d, want %d", c.argument, status, c.status)
				}
				for _, want := range c.wants {
					if !strings.Contains(said, want) {
						t.Errorf("%s does not say %q:\n%s", c.argument, want, said)
					}
				}
				if c.status != 0 && strings.Count(said, "\n") != 1 {
					t.Errorf("%s is answered with more than a sentence:\n%s", c.argument, said)
				}
			}
		})
	}
}

func run(t *testing.T, binary string, arguments ...string) (said string, status int) {
	t.Helper()
	command := exec.CommandContext(t.Context(), binary, arguments...)
	command.Dir = root
	output, err := command.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return string(output), command.ProcessState.ExitCode()
}

func TestTheLocalCommandRefusesWhatCannotBeMeant(t *testing.T) {
	t.Parallel()
	binary := build(t, "./local")
	for typed, want := range map[string]string{
		"demo -port 3": "demo takes no flags", "-port 99999": "there is no port 99999", "-port x": `"x" for flag -port`, "demo demo": `"demo"`,
	} {
		if said, status := run(t, binary, strings.Fields(typed)...); status != 2 || !strings.Contains(said, want) {
			t.Errorf("%s ends with status %d and says %s", typed, status, said)
		}
	}
}

func TestTheDemoIsColouredOnATerminalOnly(t *testing.T) {
	binary := build(t, "./local")
	const title = "Deploy prerequisite.yaml: identity provider, key, source secret"
	for _, c := range []struct {
		name        string
		environment []string
		start       func(*exec.Cmd) (io.ReadCloser, error)
		coloured    bool
	}{
		{"a terminal", []string{"TERM=xterm", "NO_COLOR="}, onTerminal, true},
		{"a terminal with NO_COLOR", []string{"TERM=xterm", "NO_COLOR=1"}, onTerminal, false},
		{"a terminal that is dumb", []string{"TERM=dumb", "NO_COLOR="}, onTerminal, false},
		{"a pipe", []string{"TERM=xterm", "NO_COLOR="}, intoPipe, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			demo := exec.CommandContext(ctx, binary, "demo")
			// What the demo begins with is enough.
			demo.Cancel = func() error { return demo.Process.Signal(os.Interrupt) }
			demo.Dir, demo.Env = root, append(os.Environ(), c.environment...)
			out, err := c.start(demo)
			if err != nil {
				t.Fatal(err)
			}
			var shown bytes.Buffer
			for buffer := make([]byte, 4096); !strings.Contains(shown.String(), "CREATE_COMPLETE"); {
				n, err := out.Read(buffer)
				shown.Write(buffer[:n])
				if err != nil {
					t.Fatalf("%v after\n%s", err, shown.String())
				}
			}
			cancel()
			_, _ = io.Copy(&shown, out)
			_ = demo.Wait()
			if !strings.Contains(shown.String(), title) {
				t.Fatalf("the demo does not begin as it should:\n%s", shown.String())
			}
			painted := strings.Contains(shown.String(), "\x1b[1m"+title+"\x1b[0m") && strings.Contains(shown.String(), "\x1b[32mCREATE_COMPLETE")
			if escaped := strings.Contains(shown.String(), "\x1b"); painted != c.coloured || escaped != c.coloured {
				t.Errorf("coloured %v (any escape: %v), want %v:\n%q", painted, escaped, c.coloured, shown.String())
			}
		})
	}
}

func onTerminal(command *exec.Cmd) (io.ReadCloser, error) { return pty.Start(command) }

func intoPipe(command *exec.Cmd) (io.ReadCloser, error) {
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return out, command.Start()
}
