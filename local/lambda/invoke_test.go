package lambda_test

import (
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

type served struct {
	Served, PID int
	Text        string
}

func TestAnEnvironmentIsReusedForTheNextEvent(t *testing.T) {
	w := newWorld(t)
	w.create()
	first := decoded[served](t, w.invoke(map[string]any{"text": "one"}).Payload)
	second := decoded[served](t, w.invoke(map[string]any{"text": "two"}).Payload)
	if diff := cmp.Diff(served{Served: 2, PID: first.PID, Text: "two"}, second); diff != "" {
		t.Error(diff)
	}
}

func TestCodeComesFromS3(t *testing.T) {
	w := newWorld(t)
	w.create(func(in *sdk.CreateFunctionInput) {
		in.Code = &types.FunctionCode{S3Bucket: aws.String("artifacts"), S3Key: aws.String("greeter.zip")}
	})
	if got := decoded[served](t, w.invoke(map[string]any{"text": "hello"}).Payload); got.Text != "hello" {
		t.Errorf("got %+v", got)
	}
}

func TestConcurrentEventsGetEnvironmentsOfTheirOwn(t *testing.T) {
	w := newWorld(t)
	w.create()
	ended := make(chan *sdk.InvokeOutput)
	files := []string{filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")}
	for _, file := range files {
		go func() {
			out, _ := w.Invoke(w.ctx, request(map[string]any{"do": "wait", "text": file}))
			ended <- out
		}()
	}
	var pids []string
	for _, file := range files {
		eventually(t, "both events are being handled", func() bool {
			pid, err := os.ReadFile(file)
			return err == nil && len(pid) > 0
		})
		pid, _ := os.ReadFile(file)
		pids = append(pids, string(pid))
		defer os.Remove(file)
	}
	if pids[0] == pids[1] {
		t.Error("one process handles two events at a time")
	}
	os.Remove(files[0])
	os.Remove(files[1])
	for range files {
		if out := <-ended; out == nil || out.FunctionError != nil {
			t.Errorf("got %+v", out)
		}
	}
}

func TestAFunctionSeesItsDeadlineAndIdentity(t *testing.T) {
	w := newWorld(t)
	w.create()
	got := decoded[struct {
		Seconds float64
		ID, ARN string
	}](t, w.invoke(map[string]any{"do": "deadline"}).Payload)
	if got.Seconds < 8 || got.Seconds > 10 || got.ARN != greeterARN || len(got.ID) != 36 {
		t.Errorf("got %+v", got)
	}
}

func TestAFunctionsEnvironmentIsLambdasAndNotTheHosts(t *testing.T) {
	t.Setenv("A_SECRET_OF_THE_HOST", "1")
	w := newWorld(t)
	w.create(func(in *sdk.CreateFunctionInput) {
		in.Environment = &types.Environment{Variables: map[string]string{"GREETING": "hello"}}
		in.LoggingConfig = &types.LoggingConfig{LogFormat: types.LogFormatJson}
	})
	got := decoded[[]string](t, w.invoke(map[string]any{"do": "environment"}).Payload)
	var names []string
	for i, variable := range got {
		name, _, _ := strings.Cut(variable, "=")
		names = append(names, name)
		switch name {
		case "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "AWS_LAMBDA_LOG_STREAM_NAME", "_X_AMZN_TRACE_ID":
			got[i] = name
		}
	}
	slices.Sort(got)
	want := []string{
		"AWS_ACCESS_KEY_ID=ASIA2", // the first session proved at creation that the role can be assumed
		"AWS_DEFAULT_REGION=us-east-1",
		"AWS_ENDPOINT_URL=http://127.0.0.1:4566",
		"AWS_EXECUTION_ENV=AWS_Lambda_provided.al2023",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
		"AWS_LAMBDA_FUNCTION_NAME=greeter",
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_FORMAT=JSON",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/greeter",
		"AWS_LAMBDA_LOG_LEVEL=INFO",
		"AWS_LAMBDA_LOG_STREAM_NAME",
		"AWS_LAMBDA_RUNTIME_API",
		"AWS_REGION=us-east-1",
		"AWS_SECRET_ACCESS_KEY=secret",
		"AWS_SESSION_TOKEN=token",
		"GREETING=hello",
		"LAMBDA_TASK_ROOT",
		"LANG=en_US.UTF-8",
		"PATH=/usr/local/bin:/usr/bin:/bin:/opt/bin",
		"TZ=:UTC",
		"_HANDLER=bootstrap",
		"_X_AMZN_TRACE_ID",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if slices.Contains(names, "A_SECRET_OF_THE_HOST") {
		t.Error("the host's environment leaks into the function")
	}
}

func TestFunctionErrors(t *testing.T) {
	for name, test := range map[string]struct {
		event             map[string]any
		timeout           int32
		errorType, says   string
		logged            string
		survives, initial bool
	}{
		"an error":           {event: map[string]any{"do": "fail", "text": "no luck"}, errorType: "errorString", says: "no luck", survives: true},
		"a panic":            {event: map[string]any{"do": "panic", "text": "dropped"}, errorType: "string", says: "dropped"},
		"an exit":            {event: map[string]any{"do": "exit", "code": 7}, errorType: "Runtime.ExitError", says: "Error: Runtime exited with error: exit status 7", logged: "exit status 7"},
		"a silent exit":      {event: map[string]any{"do": "exit"}, errorType: "Runtime.ExitError", says: "Error: Runtime exited without providing a reason", logged: "without providing a reason"},
		"a timeout":          {event: map[string]any{"do": "hang"}, timeout: 1, errorType: "Sandbox.Timedout", says: "Error: Task timed out after 1.00 seconds", logged: "Task timed out after 1.00 seconds"},
		"a failing start":    {initial: true, errorType: "Runtime.ExitError", says: "Error: Runtime exited with error: exit status 3", logged: "cannot start"},
		"too large a result": {event: map[string]any{"do": "large"}, errorType: "Function.ResponseSizeTooLarge", says: "maximum allowed payload size", survives: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.create(func(in *sdk.CreateFunctionInput) {
				if test.timeout > 0 {
					in.Timeout = &test.timeout
				}
				if test.initial {
					in.Environment = &types.Environment{Variables: map[string]string{"FAIL_INIT": "1"}}
				}
			})
			out := w.invoke(test.event)
			got := decoded[struct{ ErrorType, ErrorMessage string }](t, out.Payload)
			if aws.ToString(out.FunctionError) != "Unhandled" || out.StatusCode != 200 || got.ErrorType != test.errorType || !strings.Contains(got.ErrorMessage, test.says) {
				t.Errorf("got %s %s", aws.ToString(out.FunctionError), out.Payload)
			}
			tail, _ := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
			if !strings.Contains(strings.Join(w.logs.lines("/aws/lambda/greeter"), ""), test.logged) || !strings.Contains(string(tail), "Status: ") {
				t.Errorf("logged\n%s", tail)
			}
			if test.initial {
				return
			}
			next := decoded[served](t, w.invoke(map[string]any{"text": "again"}).Payload)
			if survived := next.Served == 2; survived != test.survives {
				t.Errorf("survived: %t, want %t", survived, test.survives)
			}
		})
	}
}

func TestAnEnvironmentThatDiedWhileIdleIsReplaced(t *testing.T) {
	w := newWorld(t)
	w.create()
	first := decoded[served](t, w.invoke(map[string]any{}).Payload)
	if err := syscall.Kill(first.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	// The event may still reach the dying process; that invocation fails, as in Lambda.
	eventually(t, "a new environment answers", func() bool {
		got := decoded[served](t, w.invoke(map[string]any{"text": "still there"}).Payload)
		return got.Text == "still there" && got.PID != first.PID
	})
}

func TestTextLogsReadAsLambdaWritesThem(t *testing.T) {
	w := newWorld(t)
	w.create()
	out := w.invoke(map[string]any{"do": "print", "text": "first line\nunfinished"})
	want := []string{
		`INIT_START Runtime Version: provided:al2023\.local\n`,
		`START RequestId: [0-9a-f-]{36} Version: \$LATEST\n`,
		`first line\n`,
		`unfinished\n`,
		`END RequestId: [0-9a-f-]{36}\n`,
		`REPORT RequestId: [0-9a-f-]{36}\tDuration: [0-9.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tMax Memory Used: \d+ MB\tInit Duration: [0-9.]+ ms\t\n`,
	}
	got := w.logs.lines("/aws/lambda/greeter")
	if !regexp.MustCompile("^"+strings.Join(want, "")+"$").MatchString(strings.Join(got, "")) || len(got) != len(want) {
		t.Errorf("got %q", got)
	}
	tail, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
	if diff := cmp.Diff(strings.Join(got[1:], ""), string(tail)); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if streams := w.logs.streams("/aws/lambda/greeter"); !regexp.MustCompile(`^2026/11/02/\[\$LATEST\][0-9a-f]{32}$`).MatchString(streams[0]) {
		t.Errorf("the stream is called %s", streams[0])
	}
	if w.logs.caller.RoleARN != role || w.logs.caller.ARN != "arn:aws:sts::123456789012:assumed-role/function/greeter" {
		t.Errorf("the log is written by %+v", w.logs.caller)
	}
}

func TestJSONLogsHavePlatformRecordsAndLevels(t *testing.T) {
	w := newWorld(t)
	w.create(func(in *sdk.CreateFunctionInput) {
		in.LoggingConfig = &types.LoggingConfig{LogFormat: types.LogFormatJson, LogGroup: aws.String("shared"), ApplicationLogLevel: types.ApplicationLogLevelWarn}
	})
	kept := `{"timestamp":"2026-11-02T10:00:00Z","level":"ERROR","message":"kept"}`
	w.invoke(map[string]any{"do": "print", "text": kept + "\n" + strings.Replace(kept, "ERROR", "INFO", 1) + "\nplain\n"})
	var kinds []string
	for _, line := range w.logs.lines("shared") {
		if line == kept {
			kinds = append(kinds, "the function's line")
			continue
		}
		record := decoded[struct {
			Time   time.Time
			Type   string
			Record struct{ Status string }
		}](t, []byte(line))
		kinds = append(kinds, record.Type+record.Record.Status)
	}
	want := []string{"platform.initStart", "platform.start", "the function's line", "platform.reportsuccess"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Error(diff)
	}
	if streams := w.logs.streams("shared"); !strings.HasPrefix(streams[0], "2026/11/02/greeter[$LATEST]") {
		t.Errorf("the stream is called %s", streams[0])
	}
}

func TestLinesThatTheRoleMayNotWriteAreDroppedAndReportedOnce(t *testing.T) {
	w := newWorld(t)
	w.logs.denied = true
	w.create()
	for range 2 {
		if out := w.invoke(map[string]any{"do": "print", "text": "lost"}); out.FunctionError != nil {
			t.Errorf("got %s", out.Payload)
		}
	}
	if lines := w.logs.lines("/aws/lambda/greeter"); lines != nil {
		t.Errorf("logged %q", lines)
	}
	if n := strings.Count(w.report.String(), "log lines of a function are dropped"); n != 1 {
		t.Errorf("reported %d times, want once", n)
	}
}

func TestAnEventIsRetriedTwiceWithTheSameRequestID(t *testing.T) {
	w := newWorld(t)
	w.create()
	in := request(map[string]any{"do": "fail", "text": "not yet"})
	in.InvocationType = types.InvocationTypeEvent
	out, err := w.Invoke(w.ctx, in)
	if err != nil || out.StatusCode != 202 {
		t.Fatal(out, err)
	}
	attempts := func() (ids []string) {
		w.idle()
		for _, line := range w.logs.lines("/aws/lambda/greeter") {
			if id, found := strings.CutPrefix(line, "END RequestId: "); found {
				ids = append(ids, id)
			}
		}
		return ids
	}
	counts := []int{len(attempts())}
	for range 4 {
		w.clock.Advance(time.Minute)
		counts = append(counts, len(attempts()))
	}
	if diff := cmp.Diff([]int{1, 2, 2, 3, 3}, counts); diff != "" {
		t.Error("attempts after each minute: ", diff)
	}
	if ids := slices.Compact(attempts()); len(ids) != 1 {
		t.Errorf("request ids %v", ids)
	}
}

func TestRetriesCanBeTurnedOff(t *testing.T) {
	w := newWorld(t)
	w.create()
	if _, err := w.PutFunctionEventInvokeConfig(w.ctx, &sdk.PutFunctionEventInvokeConfigInput{FunctionName: aws.String("greeter"), MaximumRetryAttempts: aws.Int32(0)}); err != nil {
		t.Fatal(err)
	}
	in := request(map[string]any{"do": "fail"})
	in.InvocationType = types.InvocationTypeEvent
	if _, err := w.Invoke(w.ctx, in); err != nil {
		t.Fatal(err)
	}
	w.idle()
	w.clock.Advance(time.Hour)
	w.idle()
	if n := strings.Count(strings.Join(w.logs.lines("/aws/lambda/greeter"), ""), "END RequestId"); n != 1 {
		t.Errorf("%d attempts, want 1", n)
	}
}

func TestReservedConcurrencyThrottles(t *testing.T) {
	w := newWorld(t)
	w.create()
	if _, err := w.PutFunctionConcurrency(w.ctx, &sdk.PutFunctionConcurrencyInput{FunctionName: aws.String("greeter"), ReservedConcurrentExecutions: aws.Int32(0)}); err != nil {
		t.Fatal(err)
	}
	_, err := w.Invoke(w.ctx, request(nil))
	throttled, ok := err.(*types.TooManyRequestsException)
	if !ok || throttled.Reason != types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded {
		t.Fatalf("got %v", err)
	}
	in := request(map[string]any{"do": "print", "text": "at last"})
	in.InvocationType = types.InvocationTypeEvent
	if _, err := w.Invoke(w.ctx, in); err != nil {
		t.Fatal(err)
	}
	w.idle()
	if _, err := w.DeleteFunctionConcurrency(w.ctx, &sdk.DeleteFunctionConcurrencyInput{FunctionName: aws.String("greeter")}); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Second)
	w.idle()
	if !w.logs.contain("/aws/lambda/greeter", "at last") {
		t.Error("the throttled event was not retried")
	}
}

func TestAnEnvironmentEndsWithItsIdleTimeItsCredentialsAndItsDeployment(t *testing.T) {
	for name, end := range map[string]func(*world){
		"idle":    func(w *world) { w.clock.Advance(6 * time.Minute) },
		"expired": func(w *world) { w.clock.Advance(2 * time.Hour) },
		"deployed": func(w *world) {
			_, err := w.UpdateFunctionCode(w.ctx, &sdk.UpdateFunctionCodeInput{FunctionName: aws.String("greeter"), S3Bucket: aws.String("artifacts"), S3Key: aws.String("greeter.zip")})
			if err != nil {
				w.t.Error(err)
			}
		},
		"configured": func(w *world) {
			if _, err := w.UpdateFunctionConfiguration(w.ctx, &sdk.UpdateFunctionConfigurationInput{FunctionName: aws.String("greeter"), MemorySize: aws.Int32(256)}); err != nil {
				w.t.Error(err)
			}
		},
		"deleted": func(w *world) {
			if _, err := w.DeleteFunction(w.ctx, &sdk.DeleteFunctionInput{FunctionName: aws.String(greeterARN)}); err != nil {
				w.t.Error(err)
			}
		},
		"closed": func(w *world) { w.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.create()
			pids := decoded[[]int](t, w.invoke(map[string]any{"do": "spawn"}).Payload)
			end(w)
			for _, pid := range pids {
				eventually(t, "the function's processes are gone", func() bool { return gone(pid) })
			}
			if name == "deleted" || name == "closed" {
				_, err := w.Invoke(w.ctx, request(nil))
				if code(err) != "ResourceNotFoundException" {
					t.Errorf("got %v", err)
				}
				return
			}
			if got := decoded[served](t, w.invoke(nil).Payload); got.PID == pids[0] || got.Served != 1 {
				t.Errorf("got %+v after %d", got, pids[0])
			}
		})
	}
}

// gone says whether a process ended; it may still wait for someone to notice.
func gone(pid int) bool {
	if syscall.Kill(pid, 0) == syscall.ESRCH {
		return true
	}
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	return err == nil && strings.Contains(string(status), "State:\tZ")
}

func TestCloseEndsARunningInvocationAndLeavesNoCode(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	w := newWorld(t)
	w.create(func(in *sdk.CreateFunctionInput) { in.Timeout = aws.Int32(900) })
	ended := make(chan *sdk.InvokeOutput)
	go func() {
		out, _ := w.Invoke(w.ctx, request(map[string]any{"do": "hang"}))
		ended <- out
	}()
	eventually(t, "the function runs", func() bool { return w.logs.contain("/aws/lambda/greeter", "hanging") })
	w.Close()
	if out := <-ended; out == nil || !strings.Contains(string(out.Payload), "Runtime.ExitError") {
		t.Errorf("got %+v", out)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestTheFunctionGoesOnWhenItsCallerLeaves(t *testing.T) {
	w := newWorld(t)
	w.create()
	file := filepath.Join(t.TempDir(), "wait")
	ctx, leave := context.WithCancel(w.ctx)
	left := make(chan error)
	go func() {
		_, err := w.Invoke(ctx, request(map[string]any{"do": "wait", "text": file}))
		left <- err
	}()
	eventually(t, "the function runs", func() bool { _, err := os.Stat(file); return err == nil })
	leave()
	if err := <-left; err != context.Canceled {
		t.Errorf("got %v", err)
	}
	os.Remove(file)
	w.idle()
	if !w.logs.contain("/aws/lambda/greeter", "REPORT") {
		t.Error("the invocation has no end")
	}
}
