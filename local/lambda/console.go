package lambda

import (
	"bufio"
	"bytes"
	"os"
	"sync"

	"github.com/google/uuid"
)

// longestLine is where longer lines are cut, in bytes.
const longestLine = 256 << 10

// console reads what a function prints, line by line.
type console struct {
	write  *os.File // the function's standard output and error
	read   *os.File
	marker []byte
	seen   chan struct{} // one token a marker
	mu     sync.Mutex    // one drain at a time
	done   bool
}

// newConsole calls line for every line, in order. Close it.
func newConsole(line func(string)) (*console, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	c := &console{write: write, read: read, marker: []byte("\x00" + uuid.NewString()), seen: make(chan struct{})}
	go c.scan(line)
	return c, nil
}

// drain returns when everything that was printed before has been passed on. A
// pipe keeps its order, so a marker of our own tells.
func (c *console) drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done {
		return
	}
	// The line break before ends whatever the function left unfinished.
	if _, err := c.write.Write([]byte("\n" + string(c.marker) + "\n")); err != nil {
		return
	}
	<-c.seen
}

// close passes on what is left and stops reading, even where a stray process
// still holds the other end.
func (c *console) close() {
	c.drain()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.done {
		c.done = true
		c.write.Close()
		c.read.Close()
	}
}

func (c *console) scan(line func(string)) {
	reader := bufio.NewReader(c.read)
	var held []byte
	for {
		part, err := reader.ReadSlice('\n')
		held = append(held, part...)
		if err == bufio.ErrBufferFull && len(held) < longestLine {
			continue
		}
		text := bytes.TrimSuffix(held, []byte("\n"))
		held = held[:0]
		switch {
		case bytes.Equal(text, c.marker):
			c.seen <- struct{}{}
		case len(text) > 0:
			line(string(text))
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}
