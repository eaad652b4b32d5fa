//go:build idp

// Package idp shows the application with an identity provider that is not
// Cognito: the certified oidc-provider, on this machine.
package idp

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"api-destination-credentials/local/deploy"
	"api-destination-credentials/local/endpoint"
)

const (
	root     = "../.."
	client   = "orders"
	audience = "https://api.example/events"
)

// TestTheConnectionFollowsAnOwnIdentityProvidersSecret has no user pool. The
// provider takes one client secret at a time, and people change it by hand.
func TestTheConnectionFollowsAnOwnIdentityProvidersSecret(t *testing.T) {
	p := startProvider(t)
	p.change("first-secret-of-the-client-orders")
	w := newWorld(t)

	prerequisite := w.prerequisite()
	created, err := w.secrets.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String("OAuthClientSecret-orders"), KmsKeyId: aws.String(prerequisite["CMKKeyARN"]), SecretString: aws.String(value("first-secret-of-the-client-orders")),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.source = *created.ARN
	w.application, err = deploy.Open(root).To(w.local.AWS(), func(types.StackEvent) {}).Application(t.Context(), map[string]string{
		"ExternalAuthEndpoint": p.issuer + "/token", "ExternalIssuer": p.issuer, "ExternalAudience": audience,
		"OAuthAudience": audience, "OAuthScope": "events/write", "OAuthSecretArn": w.source,
		"SecretClientIDKey": "client_id", "SecretClientSecretKey": "client_secret",
	})
	if err != nil {
		t.Fatal(err)
	}
	pools, err := cognitoidentityprovider.NewFromConfig(w.local.AWS()).ListUserPools(t.Context(), &cognitoidentityprovider.ListUserPoolsInput{MaxResults: aws.Int32(1)})
	if err != nil || len(pools.UserPools) > 0 {
		t.Fatalf("%d user pools (%v), want none", len(pools.UserPools), err)
	}
	w.arrives()

	// The provider first: from here on the connection's secret is worth nothing,
	// but its token is. Then the source secret.
	p.change("second-secret-of-the-client-orders")
	w.follows(w.put("second-secret-of-the-client-orders"))
	w.arrives()

	// A slip of the hand reaches the source secret and nothing else.
	before := w.labelled("eventbridge/" + w.application["ConnectionName"])
	wrong := w.put("a-secret-that-nobody-has-seen")
	w.eventually("the follower to refuse it", func() bool {
		return len(w.lines(w.application["FollowerLogGroup"], `"does not accept the client secret"`)) > 0
	})
	if held := w.labelled("eventbridge/" + w.application["ConnectionName"]); held != before || held == wrong || w.state() != ebtypes.ConnectionStateAuthorized {
		t.Errorf("after a wrong secret the connection is %s with version %s, want AUTHORIZED with %s", w.state(), held, before)
	}
	w.arrives()
	w.follows(w.put("second-secret-of-the-client-orders"))
}

// value is the source secret's JSON, under names that are not the templates'.
func value(secret string) string {
	text, _ := json.Marshal(map[string]string{"client_id": client, "client_secret": secret})
	return string(text)
}

// provider is the OAuth server, in a process of its own.
type provider struct {
	*testing.T
	issuer string
	file   string // of its client
}

// startProvider makes everybody in this process trust the provider's certificate,
// as SSL_CERT_FILE does for make local.
func startProvider(t *testing.T) *provider {
	t.Helper()
	if _, err := os.Stat("node_modules"); err != nil {
		t.Fatalf("%v: make idp installs oidc-provider", err)
	}
	folder := t.TempDir()
	certificate, key := filepath.Join(folder, "certificate.pem"), filepath.Join(folder, "key.pem")
	certify(t, certificate, key)
	t.Setenv("SSL_CERT_FILE", certificate)
	p := &provider{T: t, file: filepath.Join(folder, "client.json")}
	process := exec.CommandContext(t.Context(), "node", "server.mjs", certificate, key, p.file)
	process.Stderr = t.Output()
	output, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	for p.issuer == "" && lines.Scan() {
		if strings.HasPrefix(lines.Text(), "https://") {
			p.issuer = lines.Text()
		}
	}
	if p.issuer == "" {
		t.Fatalf("the provider does not start: %v", process.Wait())
	}
	go func() {
		for lines.Scan() {
		}
	}()
	t.Cleanup(func() { _ = process.Wait() })
	return p
}

// change gives the client another secret, and takes the one before away.
func (p *provider) change(secret string) {
	p.Helper()
	text, err := json.Marshal(map[string]string{"id": client, "secret": secret})
	if err != nil {
		p.Fatal(err)
	}
	if err := os.WriteFile(p.file, text, 0o600); err != nil {
		p.Fatal(err)
	}
}

func certify(t *testing.T, certificateFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{certificateFile: {Type: "CERTIFICATE", Bytes: signed}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// world is a local endpoint and what is deployed there.
type world struct {
	*testing.T
	local       *endpoint.Endpoint
	events      *eventbridge.Client
	secrets     *secretsmanager.Client
	logs        *cloudwatchlogs.Client
	source      string // ARN of the source secret
	application map[string]string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	local, err := endpoint.Start(endpoint.Config{Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(local.Close)
	return &world{
		T: t, local: local, events: eventbridge.NewFromConfig(local.AWS()), secrets: secretsmanager.NewFromConfig(local.AWS()), logs: cloudwatchlogs.NewFromConfig(local.AWS()),
	}
}

// prerequisite deploys the key alone.
func (w *world) prerequisite() map[string]string {
	w.Helper()
	template, err := os.ReadFile(filepath.Join(root, "prerequisite.yaml"))
	if err != nil {
		w.Fatal(err)
	}
	stacks := cloudformation.NewFromConfig(w.local.AWS())
	if _, err := stacks.CreateStack(w.Context(), &cloudformation.CreateStackInput{
		StackName: aws.String(deploy.PrerequisiteStack), TemplateBody: aws.String(string(template)),
		Parameters: []types.Parameter{{ParameterKey: aws.String("IdentityProvider"), ParameterValue: aws.String("own")}},
	}); err != nil {
		w.Fatal(err)
	}
	outputs := map[string]string{}
	w.eventually("the key", func() bool {
		shown, err := stacks.DescribeStacks(w.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String(deploy.PrerequisiteStack)})
		if err != nil {
			w.Fatal(err)
		}
		for _, output := range shown.Stacks[0].Outputs {
			outputs[*output.OutputKey] = *output.OutputValue
		}
		return shown.Stacks[0].StackStatus == types.StackStatusCreateComplete
	})
	return outputs
}

// put stores a client secret by hand and returns the new version.
func (w *world) put(secret string) string {
	w.Helper()
	stored, err := w.secrets.PutSecretValue(w.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String(w.source), SecretString: aws.String(value(secret))})
	if err != nil {
		w.Fatal(err)
	}
	return *stored.VersionId
}

func (w *world) follows(version string) {
	w.Helper()
	w.eventually("the connection to follow", func() bool {
		return w.labelled("eventbridge/"+w.application["ConnectionName"]) == version && w.state() == ebtypes.ConnectionStateAuthorized
	})
}

// arrives puts an event and waits until the receiver has logged it.
func (w *world) arrives() {
	w.Helper()
	put, err := w.events.PutEvents(w.Context(), &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{{
		EventBusName: aws.String(w.application["EventBusName"]), Source: aws.String("com.demo-event-bus.cmk"), DetailType: aws.String("demo-event-type"), Detail: aws.String(`{"order":7}`),
	}}})
	if err != nil || put.FailedEntryCount > 0 {
		w.Fatalf("the event was not put: %v", err)
	}
	id := *put.Entries[0].EventId
	w.eventually("the event to arrive", func() bool {
		return slices.ContainsFunc(w.lines(w.application["ReceiverLogGroup"], `"event accepted"`), func(line string) bool { return strings.Contains(line, id) })
	})
}

func (w *world) state() ebtypes.ConnectionState {
	w.Helper()
	shown, err := w.events.DescribeConnection(w.Context(), &eventbridge.DescribeConnectionInput{Name: aws.String(w.application["ConnectionName"])})
	if err != nil {
		w.Fatal(err)
	}
	return shown.ConnectionState
}

// labelled is the version of the source secret with a staging label.
func (w *world) labelled(label string) string {
	w.Helper()
	shown, err := w.secrets.DescribeSecret(w.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String(w.source)})
	if err != nil {
		w.Fatal(err)
	}
	for version, labels := range shown.VersionIdsToStages {
		if slices.Contains(labels, label) {
			return version
		}
	}
	return ""
}

func (w *world) lines(group, pattern string) []string {
	w.Helper()
	found, err := w.logs.FilterLogEvents(w.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String(group), FilterPattern: aws.String(pattern)})
	if err != nil {
		w.Fatal(err)
	}
	var lines []string
	for _, event := range found.Events {
		lines = append(lines, *event.Message)
	}
	return lines
}

func (w *world) eventually(what string, done func() bool) {
	w.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.Fatalf("waited in vain for %s", what)
		}
	}
}
