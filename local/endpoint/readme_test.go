package endpoint_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"api-destination-credentials/local/deploy"
	"api-destination-credentials/local/endpoint"
)

// TestEachCommandOfTheREADMEDoesWhatItSays runs them in the order in which they
// are read, as somebody would who follows it with the local endpoint.
func TestEachCommandOfTheREADMEDoesWhatItSays(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	for _, command := range readme(t) {
		r.follow(command)
	}
}

// readmeCommand is a command in one of the README's sh blocks.
type readmeCommand struct {
	line int
	text string
}

// readme finds the commands, without comments and with their lines joined.
func readme(t *testing.T) []readmeCommand {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var commands []readmeCommand
	comment := regexp.MustCompile(`\s+#.*$`)
	in, going := false, false
	for i, line := range strings.Split(string(text), "\n") {
		switch {
		case strings.HasPrefix(line, "```"):
			in = line == "```sh"
		case in:
			if line = comment.ReplaceAllString(" "+line, ""); strings.TrimSpace(line) == "" {
				continue
			}
			more := strings.HasSuffix(line, `\`)
			line = strings.TrimSpace(strings.TrimSuffix(line, `\`))
			if going {
				commands[len(commands)-1].text += " " + line
			} else {
				commands = append(commands, readmeCommand{i + 1, line})
			}
			going = more
		}
	}
	if len(commands) == 0 {
		t.Fatal("README.md has no command in a ```sh block")
	}
	return commands
}

// reader follows the README in a copy of the application, with an endpoint of
// the test's own on which nothing is deployed yet.
type reader struct {
	samCLI
	account *account
	cli     awsCLI
	// environment is what the README's own export says.
	environment []string
	eventID     string
}

func newReader(t *testing.T) *reader {
	t.Helper()
	a := openAccount(t, endpoint.Config{})
	return &reader{samCLI: newSAM(t, a.local.URL()), account: a, cli: awsCLI{t, a.local.URL()}}
}

// promises are what commands have to come to; the first that fits is taken. A
// command that none fits fails the test: nothing in the README goes untried.
var promises = []struct {
	command string // regular expression
	keep    func(r *reader, command string)
}{
	{`^make demo$`, (*reader).demo},
	{`^make local$`, (*reader).serve},
	{`^export `, (*reader).export},
	{`^aws cloudformation create-stack `, (*reader).succeed},
	{`^aws cloudformation wait stack-create-complete `, (*reader).created},
	{`^sam build$`, func(r *reader, command string) { r.succeed(command + " --parameter-overrides " + architecture) }},
	{`^sam deploy --guided$`, (*reader).deploy},
	{`^aws events put-events `, (*reader).put},
	{`^sam remote invoke `, (*reader).invoke},
	{`^sam local invoke `, (*reader).invokeInDocker},
	{`^sam logs$`, (*reader).logged},
	{`^sam list stack-outputs$`, shows("ConnectionName")},
	{`^aws events describe-connection `, shows(`"ConnectionState": "AUTHORIZED"`)},
	{`^aws secretsmanager describe-secret `, shows(`"eventbridge/`)},
	{`^aws sqs receive-message `, (*reader).nothingInTheQueue},
	{`^aws secretsmanager (rotate-secret|put-secret-value) `, (*reader).changeTheSecret},
	{`^make logs$`, (*reader).logged},
	{`^make doctor$`, shows("Nothing is wrong here.")},
	{`^make redrive$`, shows("the dead-letter queue is empty")},
	{`^sam delete$`, (*reader).remove},
	{`^aws cloudformation delete-stack `, (*reader).clear},
}

func (r *reader) follow(command readmeCommand) {
	r.Helper()
	r.Logf("README.md:%d: %s", command.line, command.text)
	for _, promise := range promises {
		if regexp.MustCompile(promise.command).MatchString(command.text) {
			promise.keep(r, r.filledIn(command))
			if r.Failed() {
				r.FailNow()
			}
			return
		}
	}
	r.Fatalf("README.md:%d: nothing is known of %q: add to promises what it has to come to", command.line, command.text)
}

// outputName is a word that a reader replaces by an output of one of the stacks.
var outputName = regexp.MustCompile(`\b[A-Z]+(?:_[A-Z]+)+\b`)

func (r *reader) filledIn(command readmeCommand) string {
	r.Helper()
	if strings.HasPrefix(command.text, "export ") {
		return command.text // these are names of variables
	}
	return outputName.ReplaceAllStringFunc(command.text, func(name string) string {
		switch name {
		case "CONNECTION_NAME":
			return r.account.outputs(deploy.ApplicationStack)["ConnectionName"]
		case "SECRET_ARN":
			return r.account.outputs(deploy.PrerequisiteStack)["OAuthSecretArn"]
		case "QUEUE_URL":
			return r.account.outputs(deploy.ApplicationStack)["DeadLetterQueueURL"]
		}
		r.Fatalf("README.md:%d: no stack output is known for %s: name it here", command.line, name)
		return ""
	})
}

// bash is the command in a shell of its own. What make does happens in the
// repository, which it writes nothing to but what git ignores.
func (r *reader) bash(text string) *exec.Cmd {
	r.Helper()
	command := r.command()
	command.Path, command.Args = "/bin/bash", []string{"bash", "-euo", "pipefail", "-c", text}
	tools, err := filepath.Abs(filepath.Join(root, ".venv", "bin"))
	if err != nil {
		r.Fatal(err)
	}
	if strings.HasPrefix(text, "make ") {
		command.Dir = root
	}
	// Nothing leads to an account before the README leads to the endpoint.
	ours := slices.DeleteFunc(os.Environ(), func(variable string) bool { return strings.HasPrefix(variable, "AWS_") })
	command.Env = append(ours, "HOME="+r.home, "PATH="+tools+":"+os.Getenv("PATH"), "GOPATH="+goEnvironment("GOPATH"), "GOCACHE="+goEnvironment("GOCACHE"), "GOMODCACHE="+goEnvironment("GOMODCACHE"),
		"__SAM_CLI_APP_DIR="+r.home, "SAM_CLI_TELEMETRY=0", "SAM_CLI_POLL_DELAY=1", "CGO_ENABLED=0", "COLUMNS=240", "NO_COLOR=1")
	command.Env = append(command.Env, r.environment...)
	return command
}

func goEnvironment(name string) string {
	value, _ := exec.Command("go", "env", name).Output()
	return strings.TrimSpace(string(value))
}

// output runs a command that has to succeed.
func (r *reader) output(text string) string {
	r.Helper()
	printed, err := r.bash(text).CombinedOutput()
	if err != nil {
		r.Fatalf("%s: %v\n%s", text, err, printed)
	}
	return string(printed)
}

func (r *reader) succeed(command string) { r.output(command) }

// shows is a promise that a command's output holds these words.
func shows(words string) func(*reader, string) {
	return func(r *reader, command string) {
		if output := r.output(command); !strings.Contains(output, words) {
			r.Errorf("%s does not show %s\n%s", command, words, output)
		}
	}
}

func (r *reader) demo(command string) {
	output := r.output(command)
	for _, words := range []string{"0 lost", "nothing: no stack, connection, secret or log group"} {
		if !strings.Contains(output, words) {
			r.Errorf("%s does not say %q\n%s", command, words, output)
		}
	}
}

// serve starts the endpoint, looks at the page whose address it prints, and stops
// it. Port 4566 may be somebody else's.
func (r *reader) serve(command string) {
	port := freePort(r.T)
	server := r.bash(fmt.Sprintf("make local PORT=%d", port))
	server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var output bytes.Buffer
	server.Stdout, server.Stderr = &output, &output
	if err := server.Start(); err != nil {
		r.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	defer func() { _ = syscall.Kill(-server.Process.Pid, syscall.SIGKILL) }()
	awaitHealth(r.T, fmt.Sprintf("http://127.0.0.1:%d", port), ended, &output)
	page, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/_page/", port))
	if err != nil {
		r.Fatal(err)
	}
	page.Body.Close()
	if page.StatusCode != http.StatusOK {
		r.Errorf("the page answers HTTP %d", page.StatusCode)
	}
	_ = server.Process.Signal(syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		r.Error("SIGTERM does not stop it")
	}
}

// export keeps what the README sets, but for the port.
func (r *reader) export(command string) {
	for _, setting := range strings.Fields(strings.TrimPrefix(command, "export ")) {
		if address, given := strings.CutPrefix(setting, "AWS_ENDPOINT_URL="); given {
			if usual := r.output("make -pn help | sed -n 's/^PORT := //p;s/^PORT = //p'"); !strings.HasSuffix(address, ":"+strings.TrimSpace(usual)) {
				r.Errorf("the README exports %s, and make local takes port %s", address, usual)
			}
			setting = "AWS_ENDPOINT_URL=" + r.url
		}
		r.environment = append(r.environment, setting)
	}
}

func (r *reader) created(command string) {
	r.output(command)
	r.account.prerequisite = r.account.outputs(deploy.PrerequisiteStack)
	if status := r.account.status(deploy.PrerequisiteStack); status != "CREATE_COMPLETE" {
		r.Errorf("the stack is %s", status)
	}
}

func (r *reader) deploy(command string) {
	output := inTerminal(r.T, r.bash(command+" --parameter-overrides "+architecture), "")
	if status := r.account.status(deploy.ApplicationStack); status != "CREATE_COMPLETE" {
		r.Errorf("the stack is %s\n%s", status, output)
	}
}

func (r *reader) put(command string) {
	var put struct{ Entries []struct{ EventID string } }
	if err := json.Unmarshal([]byte(r.output(command)), &put); err != nil || len(put.Entries) != 1 {
		r.Fatalf("%s put %+v (%v)", command, put, err)
	}
	r.eventID = put.Entries[0].EventID
}

func (r *reader) invoke(command string) {
	if output := strings.ReplaceAll(r.output(command), " ", ""); !strings.Contains(output, `"statusCode":200`) {
		r.Errorf("%s answers\n%s", command, output)
	}
}

// invokeInDocker runs in Lambda's image where there is one. Without Docker the
// command has to come as far as to say so, which it does for a function and a
// payload that exist.
func (r *reader) invokeInDocker(command string) {
	printed, err := r.bash(command + " --skip-pull-image --parameter-overrides " + architecture).CombinedOutput()
	if err != nil && !regexp.MustCompile(`(?i)docker|container runtime|no such image`).Match(printed) {
		r.Errorf("%s: %v\n%s", command, err, printed)
	}
	if err == nil && !strings.Contains(string(printed), "statusCode") {
		r.Errorf("%s answers\n%s", command, printed)
	}
	words := strings.Fields(command)
	if _, err := os.Stat(filepath.Join(r.folder, words[len(words)-1])); err != nil {
		r.Errorf("%s: %v", command, err)
	}
	if r.account.physicalID(deploy.ApplicationStack, words[3]) == "" {
		r.Errorf("%s: the template has no %s", command, words[3])
	}
}

func (r *reader) logged(command string) {
	r.account.eventually("the event that was put to show in the logs", func() bool {
		return strings.Contains(r.output(command), r.eventID)
	})
}

// nothingInTheQueue does what the README says of the AWS CLI's first version.
func (r *reader) nothingInTheQueue(command string) {
	if output := r.output(command + " --endpoint-url " + r.url); strings.Contains(output, "MessageId") {
		r.Errorf("there are dead letters\n%s", output)
	}
}

// changeTheSecret expects the connection to follow. What is put by hand is the
// client secret before the rotation, which the app client still knows.
func (r *reader) changeTheSecret(command string) {
	connection := r.account.outputs(deploy.ApplicationStack)["ConnectionName"]
	before := r.account.see(r.cli, connection)
	value := filepath.Join(r.folder, "new.json")
	if strings.Contains(command, "rotate-secret") {
		if err := os.WriteFile(value, []byte(r.account.current()), 0o600); err != nil {
			r.Fatal(err)
		}
	} else if _, err := os.Stat(value); err != nil {
		r.Fatalf("%s comes before the README has rotated: %v", command, err)
	}
	r.output(command)
	r.account.eventually("the connection to follow the secret", func() bool {
		now := r.account.see(r.cli, connection)
		return now.current != before.current && now.held == now.current && now.state == "AUTHORIZED"
	})
}

func (r *reader) remove(command string) {
	inTerminal(r.T, r.bash(command), "y")
}

func (r *reader) clear(command string) {
	r.output(command)
	r.output("aws cloudformation wait stack-delete-complete --stack-name " + deploy.PrerequisiteStack)
	r.account.nothingLeft()
}
