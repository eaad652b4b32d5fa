package lambda

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
	"github.com/jonboulle/clockwork"
)

// initTimeout is how long a function may take until it asks for its first event.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
const initTimeout = 10 * time.Second

// sandbox is one execution environment: a process, its Runtime API and its log
// stream. It handles one event at a time.
type sandbox struct {
	service       *Service
	function      *function
	configuration *types.FunctionConfiguration
	code          *code
	reaper        clockwork.Timer // set while idle; guarded by Service.mu

	log     *stream
	console *console
	command *exec.Cmd
	expires time.Time // of the role's credentials
	begun   time.Time // real time
	warm    bool      // the first event was asked for; of the invoking goroutine

	events  chan delivery
	ready   chan struct{} // holds a token when the function asks for an event
	quit    chan struct{}
	stopped sync.Once
	exited  chan struct{} // closed when the process is gone and its output is logged

	mu     sync.Mutex
	active string  // id of the event that the function works on
	answer *answer // its answer
	failed *answer // what the function reported while it initialised
}

// delivery is an event with its deadline in real time.
type delivery struct {
	*invocation
	deadline time.Time
}

// answer is what a function posts to the Runtime API.
type answer struct {
	payload   []byte
	errorType string // empty for a response
	logged    string // what Lambda logs of a failure that it found itself
}

// newSandbox prepares an environment of the current deployment; s.mu is held.
// Either its process ends or forget is called.
func (s *Service) newSandbox(f *function) *sandbox {
	b := &sandbox{
		service: s, function: f, configuration: f.configuration, code: f.code,
		events: make(chan delivery), ready: make(chan struct{}, 1), quit: make(chan struct{}), exited: make(chan struct{}),
	}
	s.sandboxes[b] = struct{}{}
	s.work.Add(1)
	b.code.users.Add(1)
	return b
}

func (s *Service) forget(b *sandbox) {
	s.mu.Lock()
	delete(s.sandboxes, b)
	s.mu.Unlock()
	b.code.users.Done()
	s.work.Done()
}

// start assumes the role and starts the process; it does not wait for it to be ready.
func (b *sandbox) start() error {
	session, err := b.service.assume(*b.configuration.Role, b.function.arn)
	if err != nil {
		return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "The role defined for the function cannot be assumed by Lambda."}
	}
	b.expires = aws.ToTime(session.Credentials.Expiration)
	b.log = b.service.newStream(b.function, b.configuration, session)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if b.console, err = newConsole(b.log.application); err != nil {
		listener.Close()
		return err
	}
	b.command = &exec.Cmd{
		Path:        filepath.Join(b.code.folder, "bootstrap"),
		Args:        []string{"bootstrap"},
		Dir:         b.code.folder,
		Env:         b.service.variables(b, session.Credentials, listener.Addr().String()),
		Stdout:      b.console.write,
		Stderr:      b.console.write,
		SysProcAttr: attributes(),
	}
	b.begun = time.Now()
	b.log.initStart()
	started := make(chan error)
	go b.watch(started)
	if err := <-started; err != nil {
		listener.Close()
		b.console.close()
		return err
	}
	api := &http.Server{Handler: b.runtimeAPI(), ReadHeaderTimeout: initTimeout}
	go api.Serve(listener)
	go func() {
		select {
		case <-b.quit:
			b.kill()
		case <-b.exited:
		}
		<-b.exited
		api.Close()
		b.service.forget(b)
	}()
	return nil
}

// watch starts the process and sees to its end. It keeps its thread, because the
// kernel takes the end of the thread that started a process for the end of the
// parent (PR_SET_PDEATHSIG).
func (b *sandbox) watch(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := b.command.Start()
	started <- err
	if err != nil {
		return
	}
	b.command.Wait()
	b.kill() // what the function itself has started
	b.console.close()
	close(b.exited)
}

// kill ends the process group. It may be gone already.
func (b *sandbox) kill() { syscall.Kill(-b.command.Process.Pid, syscall.SIGKILL) }

// stop ends the environment soon; exited says when it has.
func (b *sandbox) stop() { b.stopped.Do(func() { close(b.quit) }) }

// usable says whether the environment can take another invocation that ends
// before the role's credentials do.
func (b *sandbox) usable(now time.Time) bool {
	select {
	case <-b.exited:
		return false
	case <-b.quit:
		return false
	default:
	}
	longest := time.Duration(*b.configuration.Timeout)*time.Second + time.Minute
	return b.warm && b.expires.After(now.Add(longest))
}

// invoke handles one event from START to REPORT. It reports false where an
// environment that had been idle turns out to be dead.
func (b *sandbox) invoke(call *invocation) (outcome, bool) {
	var initialisation time.Duration
	var end *answer
	fresh := !b.warm
	if fresh {
		end = b.initialise(call.id)
		initialisation = time.Since(b.begun)
	}
	b.console.drain()
	b.log.start(call.id)
	begun := time.Now()
	if end == nil {
		end = b.handle(call)
	}
	if end == nil && !fresh {
		return outcome{}, false
	}
	if end == nil {
		end = b.crash(call.id)
	}
	b.console.drain()
	report := report{
		id: call.id, errorType: end.errorType, logged: end.logged,
		duration: time.Since(begun), initialisation: initialisation, memory: peakMemory(b.command.Process.Pid),
	}
	b.log.end(report)
	return outcome{payload: end.payload, errorType: end.errorType, duration: report.duration, log: b.log.tail()}, true
}

// initialise waits until the function asks for its first event; it returns an
// answer where that does not happen.
func (b *sandbox) initialise(id string) *answer {
	timer := time.NewTimer(initTimeout - time.Since(b.begun))
	defer timer.Stop()
	select {
	case <-b.ready:
		b.warm = true
		return nil
	case <-b.exited:
		return b.crash(id)
	case <-timer.C:
		b.stop()
		<-b.exited
		return timedOut(id, initTimeout)
	}
}

// handle gives the event to the function and waits until the function asks for
// the next one, ends, or runs out of time; nil where it ended before it took the event.
func (b *sandbox) handle(call *invocation) *answer {
	timeout := time.Duration(*b.configuration.Timeout) * time.Second
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	b.expect(call.id)
	select {
	case b.events <- delivery{call, time.Now().Add(timeout)}:
	case <-b.exited:
		return nil
	}
	select {
	case <-b.ready:
	case <-b.exited:
	case <-timer.C:
		b.stop()
		<-b.exited
		if given := b.given(); given != nil {
			return given
		}
		return timedOut(call.id, timeout)
	}
	if given := b.given(); given != nil {
		return given
	}
	<-b.exited
	return b.crash(call.id)
}

func (b *sandbox) expect(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.active, b.answer = id, nil
}

func (b *sandbox) given() *answer {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.answer
}

// crash is the answer of a process that ended without one.
func (b *sandbox) crash(id string) *answer {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed != nil {
		return b.failed
	}
	message := "Runtime exited without providing a reason"
	if state := b.command.ProcessState; !state.Success() {
		message = "Runtime exited with error: " + state.String()
	}
	message = fmt.Sprintf("RequestId: %s Error: %s", id, message)
	end := failure("Runtime.ExitError", message)
	end.logged = message
	return end
}

func timedOut(id string, after time.Duration) *answer {
	message := fmt.Sprintf("Task timed out after %.2f seconds", after.Seconds())
	end := failure("Sandbox.Timedout", fmt.Sprintf("RequestId: %s Error: %s", id, message))
	end.logged = id + " " + message
	return end
}

func failure(errorType, message string) *answer {
	payload, _ := json.Marshal(map[string]string{"errorType": errorType, "errorMessage": message})
	return &answer{payload: payload, errorType: errorType}
}
