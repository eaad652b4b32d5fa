package endpoint_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"api-destination-credentials/local/demo"
	"api-destination-credentials/local/deploy"
	"api-destination-credentials/local/endpoint"
)

// wiretap keeps every response of the endpoint, and calls inspect before a
// stack is deleted, while there is still something to look at.
type wiretap struct {
	mu        sync.Mutex
	responses bytes.Buffer
	inspect   func()
}

// handsOut are the operations whose job is to return a secret.
var handsOut = regexp.MustCompile(`GetSecretValue|DescribeUserPoolClient|AddUserPoolClientSecret|CreateUserPoolClient`)

func (w *wiretap) Do(request *http.Request) (*http.Response, error) {
	target := request.Header.Get("X-Amz-Target")
	if request.Body != nil && target == "" {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return nil, err
		}
		request.Body = io.NopCloser(bytes.NewReader(body))
		if bytes.Contains(body, []byte("Action=DeleteStack")) {
			w.inspect()
		}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(body))
	if !handsOut.MatchString(target) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.responses.Write(body)
	}
	return response, err
}

// tokens matches any JSON Web Token.
var tokens = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.`)

func TestTheWholeDemoShowsNoClientSecretAndNoToken(t *testing.T) {
	t.Parallel()
	var printed, logged bytes.Buffer
	local, err := endpoint.Start(endpoint.Config{Log: slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(local.Close)
	plain := local.AWS()
	seen := map[string]string{} // where: what was shown there
	secrets := map[string]bool{}
	tap := &wiretap{}
	tap.inspect = func() { inspect(t, plain, seen, secrets) }
	tapped := plain.Copy()
	tapped.HTTPClient = tap
	if err := (demo.Demo{AWS: tapped, Root: root, Out: &printed}).Run(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, printed.String())
	}
	local.Close()
	seen["the demo's own words"], seen["the endpoint's log"], seen["a response"] = printed.String(), logged.String(), tap.responses.String()

	if len(secrets) != 2 {
		t.Fatalf("%d client secrets are known, want the two of the demo", len(secrets))
	}
	for _, want := range []string{
		"the demo's own words", "a response", "a log group", "a stack's events", "a stack's outputs", "a template", "the connection", "a function's environment",
		"the receiver's table", "a metric", "an alarm", "a process's arguments",
	} {
		if seen[want] == "" {
			t.Errorf("nothing was seen in %s, so that a search shows nothing", want)
		}
	}
	for where, text := range seen {
		if tokens.MatchString(text) {
			t.Errorf("%s shows a token", where)
		}
		for secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows a client secret", where)
			}
		}
	}
}

// inspect collects what a curious user can read without asking for a secret,
// and the secrets themselves.
func inspect(t *testing.T, configuration aws.Config, seen map[string]string, secrets map[string]bool) {
	ctx := context.Background()
	keep := func(where string, value any, err error) {
		if err != nil {
			t.Errorf("%s: %v", where, err)
			return
		}
		text, err := json.Marshal(value)
		if err != nil {
			t.Errorf("%s: %v", where, err)
		}
		seen[where] += string(text)
	}
	learn(t, configuration, secrets)
	stacks := cloudformation.NewFromConfig(configuration)
	listed, err := stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{})
	keep("a stack's outputs", listed, err)
	for _, stack := range []string{deploy.PrerequisiteStack, deploy.ApplicationStack} {
		name := aws.String(stack)
		if _, err := stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: name}); err != nil {
			continue // deleted by now
		}
		events, err := stacks.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: name})
		keep("a stack's events", events, err)
		template, err := stacks.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: name, TemplateStage: "Processed"})
		keep("a template", template, err)
	}
	logs := cloudwatchlogs.NewFromConfig(configuration)
	groups, err := logs.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{})
	keep("a log group", groups, err)
	for _, group := range groups.LogGroups {
		lines, err := logs.FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: group.LogGroupName})
		keep("a log group", lines, err)
	}
	events := eventbridge.NewFromConfig(configuration)
	connections, err := events.ListConnections(ctx, &eventbridge.ListConnectionsInput{})
	keep("the connection", connections, err)
	for _, connection := range connections.Connections {
		shown, err := events.DescribeConnection(ctx, &eventbridge.DescribeConnectionInput{Name: connection.Name})
		keep("the connection", shown, err)
	}
	functions, err := lambda.NewFromConfig(configuration).ListFunctions(ctx, &lambda.ListFunctionsInput{})
	keep("a function's environment", functions, err)
	tables := dynamodb.NewFromConfig(configuration)
	names, err := tables.ListTables(ctx, &dynamodb.ListTablesInput{})
	keep("the receiver's table", names, err)
	for _, name := range names.TableNames {
		items, err := tables.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(name)})
		keep("the receiver's table", items, err)
	}
	monitoring := cloudwatch.NewFromConfig(configuration)
	metrics, err := monitoring.ListMetrics(ctx, &cloudwatch.ListMetricsInput{})
	keep("a metric", metrics, err)
	alarms, err := monitoring.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{})
	keep("an alarm", alarms, err)
	processes, err := exec.Command("ps", "-A", "-o", "args=").Output()
	keep("a process's arguments", string(processes), err)
}

// learn remembers the client secret of every version of the source secret.
func learn(t *testing.T, configuration aws.Config, secrets map[string]bool) {
	ctx := context.Background()
	client := secretsmanager.NewFromConfig(configuration)
	listed, err := client.ListSecrets(ctx, &secretsmanager.ListSecretsInput{})
	if err != nil {
		t.Error(err)
		return
	}
	for _, entry := range listed.SecretList {
		for version := range entry.SecretVersionsToStages {
			answer, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: entry.ARN, VersionId: aws.String(version)})
			if err != nil {
				t.Error(err)
				continue
			}
			var credentials struct{ ClientSecret string }
			if err := json.Unmarshal([]byte(aws.ToString(answer.SecretString)), &credentials); err == nil && credentials.ClientSecret != "" {
				secrets[credentials.ClientSecret] = true
			}
		}
	}
}
