package cloudformation_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smtypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
	"api-destination-credentials/local/cloudformation"
)

var account = access.Account{ID: "123456789012", Region: "us-east-1"}

var deployer = access.Principal{ARN: "arn:aws:iam::123456789012:user/deployer", Administrator: true}

// world is an account with the type Test::Thing, secrets, objects and a function.
type world struct {
	*testing.T
	*cloudformation.Service
	clock clockwork.Clock

	mu      sync.Mutex
	made    int
	things  map[string]map[string]any // properties by physical id
	work    []string                  // what providers did: verb and logical id
	refuse  map[string]error          // by verb and logical id
	pause   map[string]chan struct{}  // what a provider waits for, likewise
	secrets map[string]string         // by secret id and, after a #, version stage
	objects map[string]string         // by bucket/key
	callers map[string]bool           // ARNs of those who called providers
	denied  map[string]bool           // actions that are refused
	respond func(customEvent) any     // what the function answers; nil for nothing
	asked   []customEvent
	answers sync.WaitGroup
}

func newWorld(t *testing.T, adjust ...func(*cloudformation.Config)) *world {
	w := &world{
		T: t, clock: clockwork.NewRealClock(), things: map[string]map[string]any{}, refuse: map[string]error{}, pause: map[string]chan struct{}{},
		secrets: map[string]string{}, objects: map[string]string{}, callers: map[string]bool{}, denied: map[string]bool{},
	}
	thing := cloudformation.Provider{
		Properties: map[string]bool{"Name": false, "Text": true, "List": false, "Document": false},
		Replace:    []string{"Name"},
		Create:     w.create, Update: w.update, Delete: w.delete,
	}
	fixed := thing
	fixed.Update = nil
	config := cloudformation.Config{
		Account: account, Auth: w, Clock: w.clock, Objects: w, Secrets: w, Functions: w,
		Types:       map[string]cloudformation.Provider{"Test::Thing": thing, "Test::Fixed": fixed, "AWS::IAM::Role": {Properties: map[string]bool{"RoleName": false}, Create: w.create, Delete: w.delete}},
		EndpointURL: "http://127.0.0.1:4566",
		Patience:    10 * time.Second,
	}
	for _, a := range adjust {
		a(&config)
	}
	w.clock = config.Clock
	w.Service = cloudformation.New(config)
	t.Cleanup(func() {
		w.Close()
		w.answers.Wait()
	})
	return w
}

func (w *world) Authorize(_ context.Context, request access.Request) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.denied[request.Action] {
		return &smithy.GenericAPIError{Code: "AccessDenied", Message: "not authorized to perform " + request.Action + " on " + request.Resource}
	}
	return nil
}

// begin notes a provider's work, waits where the test wants it to, and fails
// where the test wants that.
func (w *world) begin(ctx context.Context, verb string, r cloudformation.Request) error {
	w.mu.Lock()
	w.callers[access.Caller(ctx).ARN] = true
	w.work = append(w.work, verb+" "+r.LogicalID)
	wait, err := w.pause[verb+" "+r.LogicalID], w.refuse[verb+" "+r.LogicalID]
	w.mu.Unlock()
	if wait != nil {
		select {
		case <-wait:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return err
}

func (w *world) create(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	if err := w.begin(ctx, "create", r); err != nil {
		return cloudformation.Result{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.made++
	id := fmt.Sprintf("%s-%d", strings.ToLower(r.LogicalID), w.made)
	w.things[id] = r.Properties
	return resultOf(id, r), nil
}

func (w *world) update(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	if err := w.begin(ctx, "update", r); err != nil {
		return cloudformation.Result{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.things[r.PhysicalID] = r.Properties
	return resultOf(r.PhysicalID, r), nil
}

func (w *world) delete(ctx context.Context, r cloudformation.Request) error {
	if err := w.begin(ctx, "delete", r); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.things, r.PhysicalID)
	return nil
}

func resultOf(id string, r cloudformation.Request) cloudformation.Result {
	return cloudformation.Result{PhysicalID: id, Attributes: map[string]any{"Arn": "arn:thing/" + id, "Deep.Text": fmt.Sprint(r.Properties["Text"])}}
}

func (w *world) GetSecretValue(_ context.Context, in *secretsmanager.GetSecretValueInput) (*secretsmanager.GetSecretValueOutput, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := aws.ToString(in.SecretId)
	if in.VersionStage != nil {
		id += "#" + *in.VersionStage
	}
	value, ok := w.secrets[id]
	if !ok {
		return nil, &smtypes.ResourceNotFoundException{Message: aws.String("Secrets Manager can't find the specified secret.")}
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: aws.String(value)}, nil
}

func (w *world) GetObject(_ context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	body, ok := w.objects[*in.Bucket+"/"+*in.Key]
	if !ok {
		return nil, &s3types.NoSuchKey{Message: aws.String("The specified key does not exist.")}
	}
	return &s3.GetObjectOutput{Body: io.NopCloser(strings.NewReader(body))}, nil
}

// deploy creates a stack and returns its final status.
func (w *world) deploy(name, body string, parameters ...string) types.StackStatus {
	w.Helper()
	if err := w.tryCreate(name, body, parameters...); err != nil {
		w.Fatal(err)
	}
	return w.settled(name)
}

func (w *world) tryCreate(name, body string, parameters ...string) error {
	_, err := w.CreateStack(w.context(), &sdk.CreateStackInput{StackName: &name, TemplateBody: &body, Parameters: parametersOf(parameters)})
	return err
}

func (w *world) change(name, body string, parameters ...string) types.StackStatus {
	w.Helper()
	if err := w.tryUpdate(name, body, parameters...); err != nil {
		w.Fatal(err)
	}
	return w.settled(name)
}

func (w *world) tryUpdate(name, body string, parameters ...string) error {
	_, err := w.UpdateStack(w.context(), &sdk.UpdateStackInput{StackName: &name, TemplateBody: &body, Parameters: parametersOf(parameters)})
	return err
}

// drop deletes a stack and returns its final status.
func (w *world) drop(name string) types.StackStatus {
	w.Helper()
	id := w.stack(name).StackId
	if _, err := w.DeleteStack(w.context(), &sdk.DeleteStackInput{StackName: &name}); err != nil {
		w.Fatal(err)
	}
	return w.settled(*id)
}

func (w *world) context() context.Context { return access.WithCaller(w.Context(), deployer) }

// parametersOf reads NAME=VALUE.
func parametersOf(texts []string) []types.Parameter {
	var list []types.Parameter
	for _, text := range texts {
		name, value, _ := strings.Cut(text, "=")
		list = append(list, types.Parameter{ParameterKey: aws.String(name), ParameterValue: aws.String(value)})
	}
	return list
}

func (w *world) stack(nameOrID string) types.Stack {
	w.Helper()
	out, err := w.DescribeStacks(w.context(), &sdk.DescribeStacksInput{StackName: &nameOrID})
	if err != nil {
		w.Fatal(err)
	}
	return out.Stacks[0]
}

func (w *world) settled(nameOrID string) types.StackStatus {
	w.Helper()
	w.eventually("the stack comes to rest", func() bool {
		return !strings.HasSuffix(string(w.stack(nameOrID).StackStatus), "_IN_PROGRESS")
	})
	return w.stack(nameOrID).StackStatus
}

func (w *world) eventually(what string, holds func() bool) {
	w.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			w.Fatalf("waited in vain until %s", what)
		}
	}
}

// haveBegun waits until providers are at work on this many resources.
func (w *world) haveBegun(count int) {
	w.Helper()
	w.eventually("the providers have begun", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.work) == count
	})
}

func (w *world) outputs(name string) map[string]string {
	values := map[string]string{}
	for _, o := range w.stack(name).Outputs {
		values[*o.OutputKey] = aws.ToString(o.OutputValue)
	}
	return values
}

// events are the stack's, oldest first: id, status and reason.
func (w *world) events(nameOrID string) []string {
	w.Helper()
	var all []types.StackEvent
	pages := &sdk.DescribeStackEventsInput{StackName: &nameOrID}
	for {
		page, err := w.DescribeStackEvents(w.context(), pages)
		if err != nil {
			w.Fatal(err)
		}
		all = append(all, page.StackEvents...)
		if pages.NextToken = page.NextToken; page.NextToken == nil {
			break
		}
	}
	slices.Reverse(all)
	var lines []string
	seen := map[string]bool{}
	for i, e := range all {
		if i > 0 && !e.Timestamp.After(*all[i-1].Timestamp) {
			w.Errorf("event %s is not later than the one before", *e.EventId)
		}
		if seen[*e.EventId] {
			w.Errorf("event id %s appears twice", *e.EventId)
		}
		seen[*e.EventId] = true
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s", *e.LogicalResourceId, e.ResourceStatus, aws.ToString(e.ResourceStatusReason))))
	}
	return lines
}

// reasons joins all events for a search.
func (w *world) reasons(nameOrID string) string {
	w.Helper()
	return strings.Join(w.events(nameOrID), "\n")
}

func (w *world) worked() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	done := w.work
	w.work = nil
	return done
}

func (w *world) living() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.things))
}

func (w *world) thing(id string) map[string]any {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.things[id]
}

func wantError(t *testing.T, err error, code, text string) {
	t.Helper()
	var refused smithy.APIError
	if !errors.As(err, &refused) {
		t.Fatalf("got %v, want a %s", err, code)
	}
	if refused.ErrorCode() != code || !strings.Contains(refused.ErrorMessage(), text) {
		t.Errorf("got %s: %s\nwant %s: %s", refused.ErrorCode(), refused.ErrorMessage(), code, text)
	}
}
