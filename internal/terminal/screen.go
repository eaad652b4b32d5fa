// Package terminal is how the commands of this repository speak with a person:
// their help, what they say when they fail, and, where the output is a terminal,
// a little colour and a line that tells what is going on. A file or a pipe gets
// the same words without either.
package terminal

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/creack/pty"
)

// Screen is an output that may be a terminal. It is safe for concurrent use.
type Screen struct {
	out   io.Writer
	width int // in columns; 0 where the output is to be plain

	mu      sync.Mutex
	passing bool // the line that the cursor is on will be written over
}

// On writes to out. Colour and progress are for a terminal that takes them, and
// for a person who does not refuse them. https://no-color.org
func On(out io.Writer) *Screen {
	if s, ok := out.(*Screen); ok {
		return s
	}
	s := &Screen{out: out}
	file, ok := out.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" || os.Getenv("NO_COLOR") != "" {
		return s
	}
	// Terminals alone have a size; /dev/null is a character device as well.
	if _, columns, err := pty.Getsize(file); err == nil {
		s.width = columns
		if columns == 0 {
			s.width = 80 // the terminal does not know
		}
	}
	return s
}

// Bold is for titles.
func (s *Screen) Bold(text string) string { return s.paint("1", text) }

// Dim is for what only some readers look for, such as times.
func (s *Screen) Dim(text string) string { return s.paint("2", text) }

// Good is green.
func (s *Screen) Good(text string) string { return s.paint("32", text) }

// Doubtful is yellow.
func (s *Screen) Doubtful(text string) string { return s.paint("33", text) }

// Bad is red.
func (s *Screen) Bad(text string) string { return s.paint("31", text) }

func (s *Screen) paint(colour, text string) string {
	if s.width == 0 {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// Write writes whole lines; a progress line that is on display makes room.
func (s *Screen) Write(lines []byte) (int, error) { return s.write(s.out, lines) }

// Beside is another output, such as the standard error, that may show on the same
// terminal: what is written to it does not run into a progress line.
func (s *Screen) Beside(out io.Writer) io.Writer { return beside{s, out} }

type beside struct {
	*Screen
	other io.Writer
}

func (b beside) Write(lines []byte) (int, error) { return b.write(b.other, lines) }

func (s *Screen) write(to io.Writer, lines []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	return to.Write(lines)
}

func (s *Screen) erase() {
	if s.passing {
		_, _ = io.WriteString(s.out, "\r\x1b[K")
		s.passing = false
	}
}

// Progress puts text in the place of the progress before it. Plain output gets
// a line of each.
func (s *Screen) Progress(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.width == 0 {
		fmt.Fprintln(s.out, text)
		return
	}
	s.erase()
	// A line that wraps could not be erased.
	fmt.Fprintf(s.out, "%.*s", s.width-1, text)
	s.passing = true
}

// Keep leaves the progress that is on display where it is.
func (s *Screen) Keep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.passing {
		fmt.Fprintln(s.out)
		s.passing = false
	}
}

// Busy shows what is being done, and for how long, until done is called: from the
// first second on, and on a terminal only.
func (s *Screen) Busy(what string) (done func()) {
	if s.width == 0 {
		return func() {}
	}
	began := time.Now()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		each := time.NewTicker(time.Second)
		defer each.Stop()
		for {
			select {
			case <-stop:
				return
			case <-each.C:
				s.Progress(fmt.Sprintf("%s, %.0f s", what, time.Since(began).Seconds()))
			}
		}
	}()
	return func() {
		close(stop)
		<-stopped
		_, _ = s.Write(nil)
	}
}
