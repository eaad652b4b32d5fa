package endpoint_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/creack/pty"

	"api-destination-credentials/local/deploy"
)

// architecture is this machine's: the endpoint runs functions natively.
var architecture = "Architecture=" + map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]

// samCLI runs the unmodified SAM CLI in a copy of the application, which it
// writes to.
type samCLI struct {
	*testing.T
	folder string
	home   string
	url    string
}

func newSAM(t *testing.T, url string) samCLI {
	t.Helper()
	s := samCLI{t, t.TempDir(), t.TempDir(), url}
	for _, name := range []string{"template.yaml", "prerequisite.yaml", "samconfig.toml", "testEvent.json", "go.mod", "go.sum", "functions", "internal", "events"} {
		if output, err := exec.Command("cp", "-R", filepath.Join(root, name), s.folder).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
	}
	return s
}

func (s samCLI) command(arguments ...string) *exec.Cmd {
	s.Helper()
	binary, err := filepath.Abs(filepath.Join(root, ".venv/bin/sam"))
	if err != nil {
		s.Fatal(err)
	}
	if _, err := os.Stat(binary); err != nil {
		s.Fatalf("%v: run the tests with make test, which installs the SAM CLI", err)
	}
	command := exec.CommandContext(s.Context(), binary, arguments...)
	command.Dir = s.folder
	command.Env = append(os.Environ(),
		"AWS_ENDPOINT_URL="+s.url, "AWS_DEFAULT_REGION=us-east-1", "AWS_ACCESS_KEY_ID=dummy", "AWS_SECRET_ACCESS_KEY=dummy", "AWS_EC2_METADATA_DISABLED=true",
		"SAM_CLI_TELEMETRY=0", "SAM_CLI_POLL_DELAY=1", "__SAM_CLI_APP_DIR="+s.home, "CGO_ENABLED=0", "COLUMNS=240",
	)
	return command
}

// run returns what the command printed, and whether it succeeded.
func (s samCLI) run(arguments ...string) (output string, ok bool) {
	s.Helper()
	printed, err := s.command(arguments...).CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		s.Fatalf("sam %s: %v", strings.Join(arguments, " "), err)
	}
	return string(printed), err == nil
}

func (s samCLI) must(arguments ...string) string {
	s.Helper()
	output, ok := s.run(arguments...)
	if !ok {
		s.Fatalf("sam %s failed\n%s", strings.Join(arguments, " "), output)
	}
	return output
}

// enter runs the command in a terminal and answers every question with Enter.
func (s samCLI) enter(arguments ...string) string {
	s.Helper()
	return inTerminal(s.T, s.command(arguments...), "")
}

// inTerminal runs a command in a terminal, where every question gets the same
// answer, and returns what it shows.
func inTerminal(t *testing.T, command *exec.Cmd, answer string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	terminal, err := pty.StartWithSize(command, &pty.Winsize{Rows: 50, Cols: 240})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	go func() {
		for ctx.Err() == nil {
			// A terminal takes lines ahead of the questions.
			_, _ = io.WriteString(terminal, answer+"\n")
			time.Sleep(100 * time.Millisecond)
		}
	}()
	var printed bytes.Buffer
	// The terminal ends with an error once nobody holds its other side.
	_, _ = io.Copy(&printed, terminal)
	if err := command.Wait(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, printed.String())
	}
	return printed.String()
}

func TestTheSAMCLIDeploysChangesAndDeletesUnmodified(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	cli := awsCLI{t, *a.aws.BaseEndpoint}
	sam := newSAM(t, *a.aws.BaseEndpoint)

	sam.must("build", "--parameter-overrides", architecture)
	guided := sam.enter("deploy", "--guided", "--parameter-overrides", architecture)
	if !strings.Contains(guided, "Successfully created/updated stack - api-destination") || a.status(deploy.ApplicationStack) != types.StackStatusCreateComplete {
		t.Fatalf("the guided deployment ended in %s\n%s", a.status(deploy.ApplicationStack), guided)
	}
	// The file that it wrote serves the next plain deployment, which changes nothing.
	if output, ok := sam.run("deploy"); ok || !strings.Contains(output, "No changes to deploy") {
		t.Errorf("a second deployment without changes: %v\n%s", ok, output)
	}

	outputs := a.outputs(deploy.ApplicationStack)
	var put struct{ Entries []struct{ EventId string } }
	cli.run(&put, "events", "put-events", "--entries", "file://testEvent.json")
	id := put.Entries[0].EventId
	a.eventually("the event to reach the log that sam logs shows", func() bool {
		output, ok := sam.run("logs", "--stack-name", deploy.ApplicationStack, "--name", "ReceiverFunction")
		return ok && strings.Contains(output, id)
	})
	if listed := sam.must("list", "stack-outputs", "--stack-name", deploy.ApplicationStack, "--output", "json"); !strings.Contains(listed, outputs["ConnectionName"]) {
		t.Errorf("sam list stack-outputs does not show the connection\n%s", listed)
	}
	if listed := sam.must("list", "resources", "--stack-name", deploy.ApplicationStack, "--output", "json"); !strings.Contains(listed, "ReceiverFunction") {
		t.Errorf("sam list resources does not show the receiver\n%s", listed)
	}
	invoked := sam.must("remote", "invoke", "ReceiverFunction", "--stack-name", deploy.ApplicationStack, "--event-file", "events/receiver-health.json")
	if !strings.Contains(invoked, `"statusCode":200`) && !strings.Contains(invoked, `"statusCode": 200`) {
		t.Errorf("sam remote invoke answered\n%s", invoked)
	}

	connection := outputs["ConnectionName"]
	before := a.see(cli, connection)
	cli.run(new(struct{}), "secretsmanager", "rotate-secret", "--secret-id", a.prerequisite["OAuthSecretArn"])
	a.eventually("the rotation to reach the connection", func() bool {
		now := a.see(cli, connection)
		return now.current != before.current && now.held == now.current && now.state == "AUTHORIZED"
	})
	sam.must("deploy", "--parameter-overrides", architecture, "CredentialsRevision=2")
	if status := a.status(deploy.ApplicationStack); status != types.StackStatusUpdateComplete {
		t.Errorf("after a change the stack is %s", status)
	}

	sam.must("deploy", "--stack-name", "second", "--parameter-overrides", architecture, "EventBusName=second-bus", "RotationSchedule=off")
	if status := a.status("second"); status != types.StackStatusCreateComplete {
		t.Errorf("the second stack is %s", status)
	}
	for _, stack := range []string{"second", deploy.ApplicationStack} {
		sam.must("delete", "--no-prompts", "--stack-name", stack, "--region", "us-east-1")
	}
	if err := a.deployer.Delete(t.Context(), deploy.PrerequisiteStack); err != nil {
		t.Fatal(err)
	}
	a.nothingLeft()
}

// nothingLeft looks for stacks, objects, log groups and secrets; the bucket that
// the SAM CLI keeps for itself stays, empty.
func (a *account) nothingLeft() {
	a.Helper()
	stacks, err := cloudformation.NewFromConfig(a.aws).DescribeStacks(a.Context(), &cloudformation.DescribeStacksInput{})
	if err != nil {
		a.Fatal(err)
	}
	for _, stack := range stacks.Stacks {
		if aws.ToString(stack.StackName) != "aws-sam-cli-managed-default" {
			a.Errorf("stack %s is left behind", aws.ToString(stack.StackName))
		}
		for _, output := range stack.Outputs {
			if aws.ToString(output.OutputKey) == "SourceBucket" {
				a.bucketIsEmpty(aws.ToString(output.OutputValue))
			}
		}
	}
	groups, err := cloudwatchlogs.NewFromConfig(a.aws).DescribeLogGroups(a.Context(), &cloudwatchlogs.DescribeLogGroupsInput{})
	if err != nil {
		a.Fatal(err)
	}
	secrets, err := secretsmanager.NewFromConfig(a.aws).ListSecrets(a.Context(), &secretsmanager.ListSecretsInput{IncludePlannedDeletion: aws.Bool(true)})
	if err != nil {
		a.Fatal(err)
	}
	if len(groups.LogGroups)+len(secrets.SecretList) > 0 {
		a.Errorf("%d log groups and %d secrets are left behind", len(groups.LogGroups), len(secrets.SecretList))
	}
}

func (a *account) bucketIsEmpty(bucket string) {
	a.Helper()
	objects, err := s3.NewFromConfig(a.aws, func(o *s3.Options) { o.UsePathStyle = true }).ListObjectsV2(a.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(bucket)})
	if err != nil {
		a.Fatal(err)
	}
	for _, object := range objects.Contents {
		a.Errorf("object %s is left behind in bucket %s", aws.ToString(object.Key), bucket)
	}
}

func TestAFailedDeploymentShowsItsCauseInTheSAMCLIsTableAndTheNextOneRecovers(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	sam := newSAM(t, *a.aws.BaseEndpoint)
	sam.must("build", "--parameter-overrides", architecture)
	sam.must("deploy", "--parameter-overrides", architecture)
	before := a.outputs(deploy.ApplicationStack)
	for _, name := range []string{"wrong client secret", "secret that is not JSON", "key without the tag"} {
		input := badInputs[name]
		good := a.current()
		input.spoil(a)
		output, ok := sam.run("deploy", "--parameter-overrides", architecture, "CredentialsRevision=bad-"+strings.ReplaceAll(name, " ", "-"))
		if ok {
			t.Errorf("%s: the deployment succeeded", name)
		}
		// The table breaks lines at the width of its columns.
		if words := inTable[name]; !strings.Contains(output, "UPDATE_FAILED") || !strings.Contains(output, words) {
			t.Errorf("%s: the table does not show %q\n%s", name, words, output)
		}
		if input.restore != nil {
			input.restore(a)
		}
		a.holdsStill(before)
		a.putSecret(good)
		sam.must("deploy", "--parameter-overrides", architecture, "CredentialsRevision=good-"+strings.ReplaceAll(name, " ", "-"))
		before = a.outputs(deploy.ApplicationStack)
	}
}

// inTable are words of the causes that no line break in a table's column parts.
var inTable = map[string]string{
	"wrong client secret": "invalid_client", "secret that is not JSON": "JSON", "key without the tag": "EventBridgeApiDestinations",
}

// current is the JSON of AWSCURRENT.
func (a *account) current() string {
	a.Helper()
	value, err := secretsmanager.NewFromConfig(a.aws).GetSecretValue(a.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String(a.prerequisite["OAuthSecretArn"])})
	if err != nil {
		a.Fatal(err)
	}
	return aws.ToString(value.SecretString)
}
