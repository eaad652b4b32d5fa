package terminal_test

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"api-destination-credentials/internal/terminal"
)

// watched is a terminal of 40 columns, or a pipe, and what shows on it.
func watched(t *testing.T, isTerminal bool) (out *os.File, shown func() string) {
	t.Helper()
	open := os.Pipe
	if isTerminal {
		open = pty.Open
	}
	in, out, err := open()
	if err != nil {
		t.Fatal(err)
	}
	if isTerminal {
		if err := pty.Setsize(out, &pty.Winsize{Rows: 10, Cols: 40}); err != nil {
			t.Fatal(err)
		}
	}
	read := make(chan string, 1)
	go func() {
		// A terminal that is closed ends with an error, after what was written.
		text, _ := io.ReadAll(in)
		read <- strings.ReplaceAll(string(text), "\r\n", "\n")
	}()
	return out, func() string {
		out.Close()
		select {
		case text := <-read:
			return text
		case <-time.After(10 * time.Second):
			t.Fatal("the output does not come to its end")
			return ""
		}
	}
}

func TestColourIsForATerminalThatTakesItAndAPersonWhoDoesNotRefuseIt(t *testing.T) {
	const painted, plain = "\x1b[1mtitle\x1b[0m \x1b[32mok\x1b[0m\n", "title ok\n"
	for _, c := range []struct {
		name, term, noColor string
		isTerminal          bool
		want                string
	}{
		{"a terminal", "xterm-256color", "", true, painted},
		{"a terminal with NO_COLOR", "xterm-256color", "1", true, plain},
		{"a terminal that is dumb", "dumb", "", true, plain},
		{"a pipe", "xterm-256color", "", false, plain},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("TERM", c.term)
			t.Setenv("NO_COLOR", c.noColor)
			out, shown := watched(t, c.isTerminal)
			screen := terminal.On(out)
			_, _ = io.WriteString(screen, screen.Bold("title")+" "+screen.Good("ok")+"\n")
			if got := shown(); got != c.want {
				t.Errorf("shown %q, want %q", got, c.want)
			}
		})
	}
}

func TestANullDeviceIsNoTerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if got := terminal.On(null).Bad("no"); got != "no" {
		t.Errorf("painted %q", got)
	}
}

func TestProgressTakesOneLineOfATerminalAndMakesRoomForWhatIsSaid(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	out, shown := watched(t, true)
	screen := terminal.On(out)
	screen.Progress("one")
	screen.Progress(strings.Repeat("x", 100)) // would wrap
	_, _ = io.WriteString(screen.Beside(out), "a log line\n")
	screen.Progress("three")
	screen.Keep()
	want := "one\r\x1b[K" + strings.Repeat("x", 39) + "\r\x1b[Ka log line\nthree\n"
	if got := shown(); got != want {
		t.Errorf("shown %q, want %q", got, want)
	}
}

func TestPlainOutputHasALineForEachProgress(t *testing.T) {
	var out bytes.Buffer
	screen := terminal.On(&out)
	screen.Progress("one")
	screen.Progress("two")
	screen.Keep()
	screen.Busy("work")()
	if got := out.String(); got != "one\ntwo\n" {
		t.Errorf("written %q", got)
	}
}

func TestWorkThatTakesOverASecondSaysWhatItIsAndThenLeavesNoTrace(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	in, out, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	screen := terminal.On(out)
	screen.Busy("quick")()
	done := screen.Busy("slow")
	shown, buffer := "", make([]byte, 100)
	for !strings.Contains(shown, " s") {
		n, err := in.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		shown += string(buffer[:n])
	}
	done()
	out.Close()
	rest, _ := io.ReadAll(in)
	if got := shown + string(rest); !strings.HasPrefix(got, "slow, 1 s") || !strings.HasSuffix(got, "\r\x1b[K") {
		t.Errorf("shown %q", got)
	}
}
