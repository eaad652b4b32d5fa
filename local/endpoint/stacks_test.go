package endpoint_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"api-destination-credentials/local/deploy"
	"api-destination-credentials/local/endpoint"
)

const root = "../.."

// account is an endpoint of the test's own with the prerequisite stack on it.
type account struct {
	*testing.T
	local        *endpoint.Endpoint
	aws          aws.Config
	deployer     *deploy.Deployer
	prerequisite map[string]string
}

// checkout is shared, so that the functions are built once.
var checkout = deploy.Open(root)

// lookAtSources lets the go command see which files a test depends on through
// other processes, which build the functions from them: it would take a cached
// result for good otherwise.
var lookAtSources = sync.OnceValue(func() error {
	for _, folder := range []string{"functions", "internal", "events"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, _ fs.DirEntry, err error) error {
			if err == nil {
				_, err = os.Stat(path)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
})

// openAccount is an endpoint with nothing on it.
func openAccount(t *testing.T, config endpoint.Config) *account {
	t.Helper()
	if err := lookAtSources(); err != nil {
		t.Fatal(err)
	}
	config.Log = slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	local, err := endpoint.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(local.Close)
	return &account{T: t, local: local, aws: local.AWS(), deployer: checkout.To(local.AWS(), func(types.StackEvent) {})}
}

func newAccount(t *testing.T) *account {
	t.Helper()
	a := openAccount(t, endpoint.Config{})
	var err error
	if a.prerequisite, err = a.deployer.Prerequisite(t.Context()); err != nil {
		t.Fatal(err)
	}
	return a
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(line []byte) (int, error) {
	fmt.Fprint(w.t.Output(), string(line))
	return len(line), nil
}

var _ io.Writer = testWriter{}

// deploy fails the test unless the application comes up.
func (a *account) deploy(parameters map[string]string) map[string]string {
	a.Helper()
	outputs, err := a.deployer.Application(a.Context(), parameters)
	if err != nil {
		a.Fatal(err)
	}
	return outputs
}

// clientSecret is the one that Cognito made.
func (a *account) clientSecret() string {
	a.Helper()
	client, err := cognitoidentityprovider.NewFromConfig(a.aws).DescribeUserPoolClient(a.Context(), &cognitoidentityprovider.DescribeUserPoolClientInput{
		ClientId: aws.String(a.prerequisite["ClientID"]), UserPoolId: aws.String(a.prerequisite["UserPoolId"]),
	})
	if err != nil {
		a.Fatal(err)
	}
	return aws.ToString(client.UserPoolClient.ClientSecret)
}

func (a *account) putSecret(value string) {
	a.Helper()
	if _, err := secretsmanager.NewFromConfig(a.aws).PutSecretValue(a.Context(), &secretsmanager.PutSecretValueInput{
		SecretId: aws.String(a.prerequisite["OAuthSecretArn"]), SecretString: aws.String(value),
	}); err != nil {
		a.Fatal(err)
	}
}

func (a *account) wrongSecret() string {
	return fmt.Sprintf(`{"ClientID":%q,"ClientSecret":"%s"}`, a.prerequisite["ClientID"], strings.Repeat("wrong", 8))
}

func (a *account) disableKey() {
	a.Helper()
	if _, err := kms.NewFromConfig(a.aws).DisableKey(a.Context(), &kms.DisableKeyInput{KeyId: aws.String(a.prerequisite["CMKKeyARN"])}); err != nil {
		a.Fatal(err)
	}
}

func (a *account) enableKey() {
	a.Helper()
	if _, err := kms.NewFromConfig(a.aws).EnableKey(a.Context(), &kms.EnableKeyInput{KeyId: aws.String(a.prerequisite["CMKKeyARN"])}); err != nil {
		a.Fatal(err)
	}
}

func (a *account) untagKey() {
	a.Helper()
	if _, err := kms.NewFromConfig(a.aws).UntagResource(a.Context(), &kms.UntagResourceInput{
		KeyId: aws.String(a.prerequisite["CMKKeyARN"]), TagKeys: []string{"EventBridgeApiDestinations"},
	}); err != nil {
		a.Fatal(err)
	}
}

func (a *account) tagKey() {
	a.Helper()
	if _, err := kms.NewFromConfig(a.aws).TagResource(a.Context(), &kms.TagResourceInput{
		KeyId: aws.String(a.prerequisite["CMKKeyARN"]), Tags: []kmstypes.Tag{{TagKey: aws.String("EventBridgeApiDestinations"), TagValue: aws.String("true")}},
	}); err != nil {
		a.Fatal(err)
	}
}

func (a *account) connection(name string) *eventbridge.DescribeConnectionOutput {
	a.Helper()
	shown, err := eventbridge.NewFromConfig(a.aws).DescribeConnection(a.Context(), &eventbridge.DescribeConnectionInput{Name: aws.String(name)})
	if err != nil {
		a.Fatal(err)
	}
	return shown
}

// reasons are those of the stack's failed events, oldest first.
func (a *account) reasons(stack string) string {
	a.Helper()
	events, err := cloudformation.NewFromConfig(a.aws).DescribeStackEvents(a.Context(), &cloudformation.DescribeStackEventsInput{StackName: aws.String(stack)})
	if err != nil {
		a.Fatal(err)
	}
	var reasons []string
	for _, event := range events.StackEvents {
		if strings.HasSuffix(string(event.ResourceStatus), "_FAILED") {
			reasons = append(reasons, aws.ToString(event.LogicalResourceId)+": "+aws.ToString(event.ResourceStatusReason))
		}
	}
	return strings.Join(reasons, "\n")
}

func (a *account) outputs(stack string) map[string]string {
	a.Helper()
	described, err := cloudformation.NewFromConfig(a.aws).DescribeStacks(a.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String(stack)})
	if err != nil {
		a.Fatal(err)
	}
	values := map[string]string{}
	for _, output := range described.Stacks[0].Outputs {
		values[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
	}
	return values
}

func (a *account) status(stack string) types.StackStatus {
	a.Helper()
	described, err := cloudformation.NewFromConfig(a.aws).DescribeStacks(a.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String(stack)})
	if err != nil {
		a.Fatal(err)
	}
	return described.Stacks[0].StackStatus
}

// badInputs are what users get wrong, with the words that a stack's events
// have for it: at creation, where CloudFormation itself or EventBridge may be
// the first to stumble, and at an update, where the custom resource speaks.
var badInputs = map[string]struct {
	parameters       func(*account) map[string]string
	spoil, restore   func(*account)
	onCreate, onSync string
}{
	"secret that is not JSON": {
		spoil:    func(a *account) { a.putSecret("plain text") },
		onCreate: "Could not parse SecretString JSON",
		onSync:   `is not a JSON object: store {"ClientID": "…", "ClientSecret": "…"}`,
	},
	"missing key": {
		spoil:    func(a *account) { a.putSecret(fmt.Sprintf(`{"ClientID":%q}`, a.prerequisite["ClientID"])) },
		onCreate: "Could not find a value associated with JSONKey in SecretString",
		onSync:   `has no text under the key "ClientSecret" (its keys: ClientID): store it there, or name the right key`,
	},
	"wrong client secret": {
		spoil:    func(a *account) { a.putSecret(a.wrongSecret()) },
		onCreate: "does not accept the client",
		onSync:   "does not accept the client",
	},
	"unreachable authorization endpoint": {
		parameters: func(a *account) map[string]string {
			return map[string]string{
				"ExternalAuthEndpoint": "https://127.0.0.1:1/oauth2/token",
				"ExternalIssuer":       a.prerequisite["Issuer"], "ExternalAudience": a.prerequisite["ClientID"],
			}
		},
		onCreate: "authorization endpoint https://127.0.0.1:1/oauth2/token cannot be reached",
		onSync:   "authorization endpoint https://127.0.0.1:1/oauth2/token cannot be reached",
	},
	"disabled key": {
		spoil:    (*account).disableKey,
		restore:  (*account).enableKey,
		onCreate: "is disabled",
		onSync:   "is disabled: enable it (aws kms enable-key --key-id",
	},
	"key without the tag": {
		spoil:    (*account).untagKey,
		restore:  (*account).tagKey,
		onCreate: "EventBridgeApiDestinations",
		onSync:   "lacks the tag EventBridgeApiDestinations=true",
	},
}

func TestABadInputRollsTheStackBackWithASentenceInItsEvents(t *testing.T) {
	t.Parallel()
	for name, input := range badInputs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Run("at creation", func(t *testing.T) {
				a := newAccount(t)
				parameters := map[string]string{}
				if input.parameters != nil {
					parameters = input.parameters(a)
				}
				if input.spoil != nil {
					input.spoil(a)
				}
				if _, err := a.deployer.Application(t.Context(), parameters); err == nil || a.status(deploy.ApplicationStack) != types.StackStatusRollbackComplete {
					t.Fatalf("the stack is %s with error %v, want it rolled back", a.status(deploy.ApplicationStack), err)
				}
				if reasons := a.reasons(deploy.ApplicationStack); !strings.Contains(reasons, input.onCreate) {
					t.Errorf("the events say\n%s\nand not %q", reasons, input.onCreate)
				}
			})
			t.Run("at an update", func(t *testing.T) {
				a := newAccount(t)
				before := a.deploy(nil)
				parameters := map[string]string{"CredentialsRevision": "2"}
				if input.parameters != nil {
					parameters = input.parameters(a)
				}
				if input.spoil != nil {
					input.spoil(a)
				}
				_, err := a.deployer.Application(t.Context(), parameters)
				if err == nil {
					t.Fatal("the update succeeded")
				}
				if reasons := a.reasons(deploy.ApplicationStack); !strings.Contains(reasons, input.onSync) {
					t.Errorf("the events say\n%s\nand not %q", reasons, input.onSync)
				}
				if input.restore != nil {
					input.restore(a)
				}
				if status := a.status(deploy.ApplicationStack); status != types.StackStatusUpdateRollbackComplete {
					t.Errorf("the stack is %s after a failed update, want it rolled back; its events say\n%s", status, a.reasons(deploy.ApplicationStack))
				}
				a.holdsStill(before)
			})
		})
	}
}

// holdsStill checks that the connection is authorized with the version from before.
func (a *account) holdsStill(before map[string]string) {
	a.Helper()
	shown := a.connection(before["ConnectionName"])
	if shown.ConnectionState != ebtypes.ConnectionStateAuthorized {
		a.Errorf("the connection is %s (%s), want AUTHORIZED", shown.ConnectionState, aws.ToString(shown.StateReason))
	}
	described, err := secretsmanager.NewFromConfig(a.aws).DescribeSecret(a.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String(a.prerequisite["OAuthSecretArn"])})
	if err != nil {
		a.Fatal(err)
	}
	labels := described.VersionIdsToStages[before["CredentialsVersion"]]
	if !strings.Contains(strings.Join(labels, " "), "eventbridge/"+before["ConnectionName"]) {
		a.Errorf("the version that the connection held is labelled %v, want the connection's label on it", labels)
	}
	value, err := secretsmanager.NewFromConfig(a.aws).GetSecretValue(a.Context(), &secretsmanager.GetSecretValueInput{SecretId: shown.SecretArn})
	if err != nil {
		a.Fatal(err)
	}
	if !strings.Contains(aws.ToString(value.SecretString), a.clientSecret()) {
		a.Error("the connection's own secret does not hold the old client secret any more")
	}
}

func TestAConnectionNameThatDoesNotExistRollsTheStackBack(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.deploy(nil)
	stacks := cloudformation.NewFromConfig(a.aws)
	template, err := json.Marshal(map[string]any{"Resources": map[string]any{"Credentials": map[string]any{
		"Type": "Custom::ConnectionCredentials",
		"Properties": map[string]any{
			"ServiceToken":   fmt.Sprintf("arn:aws:lambda:us-east-1:123456789012:function:%s", a.physicalID(deploy.ApplicationStack, "ConnectionFunction")),
			"ServiceTimeout": 60,
			"ConnectionName": "no-such-connection",
			"SecretId":       a.prerequisite["OAuthSecretArn"], "KmsKeyArn": a.prerequisite["CMKKeyARN"],
			"AuthorizationEndpoint": a.prerequisite["AuthorizationEndpoint"], "Scope": a.prerequisite["OAuthScope"],
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stacks.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("stray"), TemplateBody: aws.String(string(template))}); err != nil {
		t.Fatal(err)
	}
	a.eventually("the stray stack to come to rest", func() bool { return !strings.HasSuffix(string(a.status("stray")), "_IN_PROGRESS") })
	if status := a.status("stray"); status != types.StackStatusRollbackComplete {
		t.Errorf("the stack is %s, want it rolled back", status)
	}
	// The function's role may see its own connection only, so that a wrong name
	// is a missing permission or a missing connection; both name it.
	if reasons := a.reasons("stray"); !strings.Contains(reasons, "no-such-connection") || !strings.Contains(reasons, "cannot be described") {
		t.Errorf("the events say\n%s", reasons)
	}
}

func (a *account) eventually(what string, done func() bool) {
	a.Helper()
	ctx, cancel := context.WithTimeout(a.Context(), time.Minute)
	defer cancel()
	for !done() {
		select {
		case <-ctx.Done():
			a.Fatalf("waited in vain for %s", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// refusal is what CloudFormation says of a template that it cannot deploy, at
// once or in the stack's events.
func (a *account) refusal(t *testing.T, stack, template string) string {
	t.Helper()
	stacks := cloudformation.NewFromConfig(a.aws)
	_, err := stacks.CreateStack(t.Context(), &cloudformation.CreateStackInput{
		StackName: aws.String(stack), TemplateBody: aws.String(template), Capabilities: []types.Capability{types.CapabilityCapabilityIam},
	})
	if err != nil {
		return err.Error()
	}
	a.eventually("the stack has ended", func() bool { return !strings.HasSuffix(string(a.status(stack)), "_IN_PROGRESS") })
	if a.status(stack) != types.StackStatusRollbackComplete {
		t.Fatalf("the stack is %s, want ROLLBACK_COMPLETE", a.status(stack))
	}
	return a.reasons(stack)
}
