package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"api-destination-credentials/local/eventbridge/pattern"
)

// pair is a pattern and an event as JSON texts.
type pair struct{ pattern, event string }

// judged is a pair with both answers: true, false, or invalid and why.
type judged struct {
	pair
	ours, theirs string
}

func (j judged) String() string {
	return fmt.Sprintf("pattern %s\n  event %s\n  ours %s, event-ruler %s", j.pattern, j.event, j.ours, j.theirs)
}

// ours is the local matcher's answer: true, false, or invalid and why.
func ours(one pair) string {
	compiled, err := pattern.Compile(one.pattern)
	if err != nil {
		return "invalid " + err.Error()
	}
	event, err := pattern.ReadEvent([]byte(one.event))
	if err != nil {
		return "failed " + err.Error()
	}
	return strconv.FormatBool(compiled.Matches(event))
}

// ruler is a running Ruler.java.
type ruler struct {
	process *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
}

func startRuler(folder, libraries string) (*ruler, error) {
	process := exec.Command("java", "-cp", filepath.Join(libraries, "*"), filepath.Join(folder, "Ruler.java"))
	process.Stderr = os.Stderr
	in, err := process.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(); err != nil {
		return nil, fmt.Errorf("java, of a JDK from version 11 on, could not be started: %w", err)
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	return &ruler{process: process, in: in, out: lines}, nil
}

// judge returns event-ruler's answers, in the order of the pairs.
func (r *ruler) judge(pairs []pair) ([]string, error) {
	written := make(chan error, 1)
	go func() { written <- r.write(pairs) }()
	answers := make([]string, 0, len(pairs))
	for len(answers) < len(pairs) && r.out.Scan() {
		answers = append(answers, r.out.Text())
	}
	if err := <-written; err != nil {
		return nil, err
	}
	if len(answers) < len(pairs) {
		return nil, fmt.Errorf("the Java program ended early; are the libraries of pom.xml in place? (%v)", r.out.Err())
	}
	return answers, nil
}

func (r *ruler) write(pairs []pair) error {
	buffered := bufio.NewWriter(r.in)
	lines := json.NewEncoder(buffered)
	for _, one := range pairs {
		if err := lines.Encode(map[string]string{"pattern": one.pattern, "event": one.event}); err != nil {
			return err
		}
	}
	return buffered.Flush()
}

func (r *ruler) close() {
	// It ends at the end of its input.
	_ = r.in.Close()
	_ = r.process.Wait()
}
