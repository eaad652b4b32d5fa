package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// program is something that asks Lambda's Runtime API for events.
type program struct {
	name        string
	command     []string
	folder      string   // to run in; empty for the current one
	environment []string // beside what every function has
}

// running is a process of a program with a Runtime API of its own.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
type running struct {
	program
	command *exec.Cmd
	server  *http.Server
	log     *os.File
	init    time.Duration // from exec to the first request for an event

	asked   chan time.Time
	events  chan []byte
	answers chan answer
	exited  chan struct{}
}

type answer struct {
	payload []byte
	at      time.Time
	failed  bool
}

// patience bounds an init and an invocation.
const patience = 30 * time.Second

// start runs a program until it asks for its first event.
func (b *bench) start(p program) (*running, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &running{
		program: p, asked: make(chan time.Time, 1), events: make(chan []byte), answers: make(chan answer, 1), exited: make(chan struct{}),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", r.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{outcome}", r.answered)
	r.server = &http.Server{Handler: mux}
	go r.server.Serve(listener)

	if r.log, err = os.Create(filepath.Join(b.work, p.name+".log")); err != nil {
		return nil, err
	}
	r.command = exec.Command(p.command[0], p.command[1:]...)
	r.command.Dir, r.command.Stdout, r.command.Stderr = p.folder, r.log, r.log
	r.command.Env = append([]string{
		"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=en_US.UTF-8", "TZ=:UTC", "_HANDLER=handler.handle", "LAMBDA_TASK_ROOT=" + p.folder,
		"AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String(), "AWS_LAMBDA_FUNCTION_NAME=" + p.name, "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128", "AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local",
	}, p.environment...)
	began := time.Now()
	if err := r.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = r.command.Wait() // it is killed in the end
		close(r.exited)
	}()
	select {
	case at := <-r.asked:
		r.init = at.Sub(began)
		r.asked <- at
		return r, nil
	case <-r.exited:
		return nil, fmt.Errorf("%s ended before it asked for an event: see %s", p.name, r.log.Name())
	case <-time.After(patience):
		r.stop()
		return nil, fmt.Errorf("%s did not ask for an event: see %s", p.name, r.log.Name())
	}
}

func (r *running) next(w http.ResponseWriter, request *http.Request) {
	r.asked <- time.Now()
	select {
	case <-request.Context().Done():
	case event := <-r.events:
		header := w.Header()
		header.Set("Content-Type", "application/json")
		header.Set("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
		header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(5*time.Minute).UnixMilli(), 10))
		header.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:"+r.name)
		header.Set("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0")
		_, _ = w.Write(event)
	}
}

func (r *running) answered(w http.ResponseWriter, request *http.Request) {
	at := time.Now()
	payload, _ := io.ReadAll(request.Body)
	w.WriteHeader(http.StatusAccepted)
	r.answers <- answer{payload, at, request.PathValue("outcome") != "response"}
}

// invoke hands over an event and returns the answer and how long it took.
func (r *running) invoke(ctx context.Context, event []byte) ([]byte, time.Duration, error) {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case <-r.asked:
	case <-r.exited:
		return nil, 0, fmt.Errorf("%s ended: see %s", r.name, r.log.Name())
	case <-timeout.C:
		return nil, 0, fmt.Errorf("%s asks for no more events: see %s", r.name, r.log.Name())
	}
	began := time.Now()
	r.events <- event
	select {
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	case given := <-r.answers:
		if given.failed {
			return nil, 0, fmt.Errorf("%s failed: %.500s", r.name, given.payload)
		}
		return given.payload, given.at.Sub(began), nil
	case <-r.exited:
		return nil, 0, fmt.Errorf("%s ended without an answer: see %s", r.name, r.log.Name())
	case <-timeout.C:
		return nil, 0, fmt.Errorf("%s did not answer: see %s", r.name, r.log.Name())
	}
}

// stop ends the process.
func (r *running) stop() {
	_ = r.command.Process.Kill()
	<-r.exited
	_ = r.server.Close()
	_ = r.log.Close()
}

// peak is the most memory that a process has had resident, in MiB. The figure
// that wait4 gives counts what the parent had at exec as well.
func peak(pid int) (float64, error) { return memoryOf(pid, "VmHWM") }

// resident is what a process has resident now, in MiB.
func resident(pid int) (float64, error) { return memoryOf(pid, "VmRSS") }

// residentTree counts a process's children as well, on Linux.
func residentTree(pid int) (float64, error) {
	sum, err := resident(pid)
	if err != nil {
		return 0, err
	}
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, child := range strings.Fields(string(children)) {
		number, err := strconv.Atoi(child)
		if err != nil {
			return 0, err
		}
		more, err := residentTree(number)
		if err != nil {
			return 0, err
		}
		sum += more
	}
	return sum, nil
}

// memoryOf reads proc(5), on other systems than Linux ps(1) instead, which knows
// no peak.
func memoryOf(pid int, field string) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	number := ""
	if err == nil {
		_, rest, _ := strings.Cut(string(text), field+":")
		number, _, _ = strings.Cut(strings.TrimSpace(rest), " ")
	} else {
		number = said("ps", "-o", "rss=", "-p", strconv.Itoa(pid))
	}
	kilobytes, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0, fmt.Errorf("memory of process %d: %w", pid, err)
	}
	return kilobytes / 1024, nil
}
