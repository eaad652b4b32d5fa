package credentials_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"api-destination-credentials/internal/oauth"
)

var update = flag.Bool("update", false, "write docs/faults.md anew")

const faultsPage = "../../docs/faults.md"

// faults are what can happen to one call: before its effect or after it.
var faults = []struct {
	name  string
	after bool
	err   error
}{
	{"throttled", false, errThrottled},
	{"server error", false, &smithy.GenericAPIError{Code: "InternalServiceError", Message: "An error occurred on the server side.", Fault: smithy.FaultServer}},
	{"denied", false, &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not authorized"}},
	{"no answer, without effect", false, errors.New("request canceled while waiting for the answer")},
	{"no answer, with effect", true, errors.New("request canceled while waiting for the answer")},
	{"conflict", false, &smithy.GenericAPIError{Code: "ConcurrentModificationException", Message: "modified concurrently"}},
	{"key disabled", false, &smithy.GenericAPIError{Code: "DecryptionFailure", Message: "the key is disabled"}},
}

// tokenFaults are those of the authorization endpoint.
var tokenFaults = []struct {
	name string
	err  error
}{
	{"invalid_client", fmt.Errorf("not accepted: %w", oauth.ErrRejected)},
	{"down", fmt.Errorf("cannot be reached: %w", oauth.ErrUnavailable)},
}

// outcome plays a scenario in which one call meets a fault, once or always, and
// says what a user sees.
func outcome(t *testing.T, name string, s scenario, at int, after bool, err error, always bool) string {
	t.Helper()
	c := newCloud()
	s.prepare(c)
	held, calls, met := c.held, 0, ""
	c.wrongs = nil
	c.fault = func(call string, effective bool) error {
		if !effective {
			calls++
		}
		if effective != after {
			return nil
		}
		if calls-1 == at {
			met = call
		}
		if calls-1 == at || always && call == met {
			return err
		}
		return nil
	}
	run := func() error {
		for _, make := range s.run(c) {
			if err := make().finish(); err != nil {
				return err
			}
		}
		return nil
	}
	first := run()
	seen := "done"
	switch {
	case first == nil:
	case c.held == held:
		seen = "fails, connection as before"
	default:
		seen = "fails, connection switched"
	}
	c.fault = func(string, bool) error { return nil }
	for range 4 {
		if run() == nil {
			break
		}
		c.now = c.now.Add(2 * time.Hour)
	}
	if trouble := s.settled(c); trouble != "" {
		t.Errorf("%s, call %d (%s): after the fault is over: %s", name, at, met, trouble)
	}
	for _, wrong := range c.wrongs {
		if !strings.Contains(wrong, "DEAUTHORIZED") {
			t.Errorf("%s, call %d (%s): %s", name, at, met, wrong)
		}
	}
	if first != nil && !strings.ContainsAny(first.Error(), ":") {
		t.Errorf("%s, call %d (%s): the error %q does not say what was tried", name, at, met, first)
	}
	return seen
}

// TestEveryFaultEndsAsTheDocumentationSays makes every call of every process
// fail in every way, and compares what comes of it with docs/faults.md.
func TestEveryFaultEndsAsTheDocumentationSays(t *testing.T) {
	var page strings.Builder
	page.WriteString("# What a fault does\n\nMade by the tests (`go test ./internal/credentials -run EveryFault -update`): every call of every process\nmeets every fault, for good while the process runs. In each case the next attempt after the fault is over\nbrings everything in step, and the connection holds a client secret that works all the time.\n")
	all := scenarios()
	for _, name := range []string{"rotation", "rotation with two client secrets", "follower after a change by hand", "follower after the grace time", "custom resource create", "custom resource update", "custom resource delete"} {
		s := all[name]
		names := callsOf(s)
		fmt.Fprintf(&page, "\n## %s\n\n| Call | Fault | Outcome |\n|---|---|---|\n", strings.ToUpper(name[:1])+name[1:])
		for at, call := range names {
			if slices.Index(names, call) != at {
				// A persistent fault meets the first call of a kind already.
				outcome(t, name, s, at, false, errThrottled, false)
				continue
			}
			outcomes := map[string][]string{}
			if call == "token request" {
				for _, fault := range tokenFaults {
					seen := outcome(t, name, s, at, false, fault.err, true)
					outcomes[seen] = append(outcomes[seen], fault.name)
				}
			} else {
				for _, fault := range faults {
					if fault.name == "conflict" && call != "UpdateConnection" || fault.name == "key disabled" && !strings.Contains(call, "SecretValue") {
						continue
					}
					// The same fault once is over at the next attempt as well.
					outcome(t, name, s, at, fault.after, fault.err, false)
					seen := outcome(t, name, s, at, fault.after, fault.err, fault.name != "conflict")
					outcomes[seen] = append(outcomes[seen], fault.name)
				}
			}
			for _, seen := range []string{"done", "fails, connection as before", "fails, connection switched"} {
				if met := outcomes[seen]; met != nil {
					fmt.Fprintf(&page, "| %s | %s | %s |\n", call, strings.Join(met, "; "), seen)
				}
			}
		}
	}
	if *update {
		if err := os.WriteFile(faultsPage, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(faultsPage)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(string(written), page.String()); difference != "" {
		t.Errorf("docs/faults.md is not what happens; look, and write it anew with -update:\n%s", difference)
	}
}

// callsOf are the calls of an undisturbed run.
func callsOf(s scenario) []string {
	c := newCloud()
	s.prepare(c)
	c.calls = nil
	for _, make := range s.run(c) {
		_ = make().finish()
	}
	return c.calls
}
