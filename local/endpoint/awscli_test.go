package endpoint_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"api-destination-credentials/local/endpoint"
)

// awsCLI runs the unmodified AWS CLI in the repository's root, with the
// endpoint, a Region and dummy credentials and nothing else in its environment.
type awsCLI struct {
	*testing.T
	url string
}

// run decodes the command's answer.
func (c awsCLI) run(into any, arguments ...string) {
	c.Helper()
	answer := c.text(arguments...)
	if err := json.Unmarshal([]byte(answer), into); err != nil {
		c.Fatalf("aws %s answered %q: %v", strings.Join(arguments, " "), answer, err)
	}
}

// text returns what the command prints.
func (c awsCLI) text(arguments ...string) string {
	c.Helper()
	binary, err := filepath.Abs(filepath.Join(root, ".venv/bin/aws"))
	if err != nil {
		c.Fatal(err)
	}
	if _, err := os.Stat(binary); err != nil {
		c.Fatalf("%v: run the tests with make test, which installs the AWS CLI", err)
	}
	command := exec.CommandContext(c.Context(), binary, arguments...)
	command.Dir = root
	command.Env = []string{
		"AWS_ENDPOINT_URL=" + c.url, "AWS_DEFAULT_REGION=us-east-1", "AWS_ACCESS_KEY_ID=dummy", "AWS_SECRET_ACCESS_KEY=dummy",
		"HOME=" + c.TempDir(), "PATH=" + os.Getenv("PATH"),
	}
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		c.Fatalf("aws %s: %v\n%s", strings.Join(arguments, " "), err, stderr.String())
	}
	return stdout.String()
}

type described struct {
	Stacks []struct {
		StackStatus string
		Outputs     []struct{ OutputKey, OutputValue, ExportName string }
	}
}

func TestTheAWSCLICreatesThePrerequisiteStackOnAnEmptyEndpoint(t *testing.T) {
	t.Parallel()
	local, err := endpoint.Start(endpoint.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(local.Close)
	aws := awsCLI{t, local.URL()}
	var created struct{ StackId string }
	aws.run(&created, "cloudformation", "create-stack", "--stack-name", "api-destination-prerequisite", "--template-body", "file://prerequisite.yaml")
	if !strings.HasPrefix(created.StackId, "arn:aws:cloudformation:us-east-1:123456789012:stack/api-destination-prerequisite/") {
		t.Errorf("the stack's id is %q", created.StackId)
	}
	var shown described
	for deadline := time.Now().Add(time.Minute); ; {
		aws.run(&shown, "cloudformation", "describe-stacks", "--stack-name", "api-destination-prerequisite")
		if !strings.HasSuffix(shown.Stacks[0].StackStatus, "_IN_PROGRESS") || time.Now().After(deadline) {
			break
		}
	}
	if status := shown.Stacks[0].StackStatus; status != "CREATE_COMPLETE" {
		t.Fatalf("the stack is %s", status)
	}
	var names []string
	for _, output := range shown.Stacks[0].Outputs {
		if output.OutputValue == "" || output.ExportName != "api-destination-prerequisite-"+output.OutputKey {
			t.Errorf("output %+v has no value or is not exported under its name", output)
		}
		names = append(names, output.OutputKey)
	}
	slices.Sort(names)
	if want := []string{"AuthorizationEndpoint", "CMKKeyARN", "ClientID", "Issuer", "OAuthScope", "OAuthSecretArn", "UserPoolId"}; !slices.Equal(names, want) {
		t.Errorf("outputs %v, want %v", names, want)
	}
}

func TestMakeLocalServesBothStacksAndTheTestEventReachesTheReceiversLog(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	server := exec.Command("make", "local", fmt.Sprintf("PORT=%d", port))
	server.Dir = root
	server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var output bytes.Buffer
	server.Stdout, server.Stderr = &output, &output
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	t.Cleanup(func() { _ = syscall.Kill(-server.Process.Pid, syscall.SIGKILL) })

	awaitHealth(t, url, ended, &output)
	aws := awsCLI{t, url}
	var put struct {
		FailedEntryCount int
		Entries          []struct{ EventId string }
	}
	aws.run(&put, "events", "put-events", "--entries", "file://testEvent.json")
	if put.FailedEntryCount != 0 || len(put.Entries) != 1 || put.Entries[0].EventId == "" {
		t.Fatalf("put-events answered %+v", put)
	}
	var shown described
	aws.run(&shown, "cloudformation", "describe-stacks", "--stack-name", "api-destination")
	var group string
	for _, output := range shown.Stacks[0].Outputs {
		if output.OutputKey == "ReceiverLogGroup" {
			group = output.OutputValue
		}
	}
	var found struct{ Events []struct{ Message string } }
	for deadline := time.Now().Add(30 * time.Second); len(found.Events) == 0 && time.Now().Before(deadline); {
		aws.run(&found, "logs", "filter-log-events", "--log-group-name", group, "--filter-pattern", `"`+put.Entries[0].EventId+`"`)
	}
	if len(found.Events) != 1 {
		t.Fatalf("the receiver's log has %d lines with the event's id, want 1", len(found.Events))
	}
	var line map[string]any
	if err := json.Unmarshal([]byte(found.Events[0].Message), &line); err != nil {
		t.Fatal(err)
	}
	if line["eventId"] != put.Entries[0].EventId || line["source"] != "com.demo-event-bus.cmk" || line["detailType"] != "demo-event-type" || line["clientId"] == "" || line["duplicate"] != false {
		t.Errorf("the receiver logged %v", line)
	}

	children := bootstraps(t, server.Process.Pid)
	if len(children) < 2 {
		t.Errorf("function processes %v are running, want the receiver and the custom resource", children)
	}
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Fatalf("SIGTERM did not stop the endpoint\n%s", output.String())
	}
	for _, child := range children {
		if syscall.Kill(child, 0) == nil {
			t.Errorf("function process %d outlived the endpoint", child)
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

func awaitHealth(t *testing.T, url string, ended <-chan error, output fmt.Stringer) {
	t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); {
		answer, err := http.Get(url + "/_health")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case err := <-ended:
			t.Fatalf("the endpoint ended (%v)\n%s", err, output)
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatal("the endpoint did not become healthy in three minutes")
}

// bootstraps finds the function processes below a process.
func bootstraps(t *testing.T, ancestor int) []int {
	t.Helper()
	listing, err := exec.Command("ps", "-A", "-o", "pid=,ppid=,comm=").Output()
	if err != nil {
		t.Fatal(err)
	}
	parents, found := map[int]int{}, []int{}
	names := map[int]string{}
	for line := range strings.Lines(string(listing)) {
		var pid, parent int
		var name string
		if _, err := fmt.Sscan(line, &pid, &parent, &name); err == nil {
			parents[pid], names[pid] = parent, name
		}
	}
	for pid, name := range names {
		for up := pid; filepath.Base(name) == "bootstrap" && up != 0; up = parents[up] {
			if up == ancestor {
				found = append(found, pid)
			}
		}
	}
	return found
}
