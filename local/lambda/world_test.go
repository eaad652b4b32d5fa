package lambda_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
	"api-destination-credentials/local/lambda"
)

const (
	role       = "arn:aws:iam::123456789012:role/function"
	otherRole  = "arn:aws:iam::123456789012:role/trusts-nobody"
	greeterARN = "arn:aws:lambda:us-east-1:123456789012:function:greeter"
)

// bootstrap is testdata/function, compiled for this machine, and packed its archive.
var (
	bootstrap []byte
	packed    = sync.OnceValue(func() []byte { return archiveOf("bootstrap", bootstrap, 0o755) })
)

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "bootstrap-")
	if err != nil {
		panic(err)
	}
	file := filepath.Join(folder, "bootstrap")
	build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", file, "./testdata/function")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if report, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("%v\n%s", err, report))
	}
	if bootstrap, err = os.ReadFile(file); err != nil {
		panic(err)
	}
	os.RemoveAll(folder)
	os.Exit(m.Run())
}

// world is a service and the neighbours it needs.
type world struct {
	*lambda.Service
	t      *testing.T
	clock  *clockwork.FakeClock
	auth   *auth
	logs   *logs
	roles  *roles
	report *bytes.Buffer
	ctx    context.Context
}

func newWorld(t *testing.T) *world {
	t.Helper()
	clock := clockwork.NewFakeClockAt(time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC))
	w := &world{
		t: t, clock: clock, auth: &auth{}, report: &bytes.Buffer{},
		logs:  &logs{groups: map[string]map[string][]string{"/aws/lambda/greeter": {}}},
		roles: &roles{clock: clock},
		ctx:   access.WithCaller(context.Background(), access.Principal{ARN: "arn:aws:iam::123456789012:user/me", Administrator: true}),
	}
	w.Service = lambda.New(lambda.Config{
		Account: access.Account{ID: "123456789012", Region: "us-east-1"},
		Auth:    w.auth, Clock: clock, Roles: w.roles, Logs: w.logs,
		Objects:     objects{"artifacts/greeter.zip": packed()},
		Environment: map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"},
		Log:         slog.New(slog.NewTextHandler(w.report, nil)),
	})
	t.Cleanup(w.Close)
	return w
}

// host is this machine in Lambda's words, and foreign is the other one.
func host() (here, foreign types.Architecture) {
	if runtime.GOARCH == "arm64" {
		return types.ArchitectureArm64, types.ArchitectureX8664
	}
	return types.ArchitectureX8664, types.ArchitectureArm64
}

// function is a complete request, changed by each of changes.
func function(changes ...func(*sdk.CreateFunctionInput)) *sdk.CreateFunctionInput {
	here, _ := host()
	in := &sdk.CreateFunctionInput{
		FunctionName: aws.String("greeter"), Runtime: types.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Role: aws.String(role), Architectures: []types.Architecture{here}, Timeout: aws.Int32(10),
		Code: &types.FunctionCode{ZipFile: packed()},
	}
	for _, change := range changes {
		change(in)
	}
	return in
}

func (w *world) create(changes ...func(*sdk.CreateFunctionInput)) {
	w.t.Helper()
	if _, err := w.CreateFunction(w.ctx, function(changes...)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) invoke(event map[string]any) *sdk.InvokeOutput {
	w.t.Helper()
	out, err := w.Invoke(w.ctx, request(event))
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func request(event map[string]any) *sdk.InvokeInput {
	payload, err := json.Marshal(event)
	if err != nil {
		panic(err)
	}
	return &sdk.InvokeInput{FunctionName: aws.String("greeter"), Payload: payload, LogType: types.LogTypeTail}
}

func (w *world) idle() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := w.Idle(ctx); err != nil {
		w.t.Fatal("the service is still busy: ", err)
	}
}

func decoded[T any](t *testing.T, payload []byte) T {
	t.Helper()
	var value T
	if err := json.Unmarshal(payload, &value); err != nil {
		t.Fatalf("%v in %s", err, payload)
	}
	return value
}

// eventually polls, for what another process does.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatal("never came true: " + what)
}

// archiveOf is a zip archive with one file.
func archiveOf(name string, content []byte, mode os.FileMode) []byte {
	var buffer bytes.Buffer
	writer := zip.NewWriter(&buffer)
	header := &zip.FileHeader{Name: name}
	header.SetMode(mode)
	file, err := writer.CreateHeader(header)
	if err != nil {
		panic(err)
	}
	file.Write(content)
	if err := writer.Close(); err != nil {
		panic(err)
	}
	return buffer.Bytes()
}

func code(err error) string {
	if fault, ok := err.(smithy.APIError); ok {
		return fault.ErrorCode()
	}
	return fmt.Sprint(err)
}

// auth allows everything but denied actions, and remembers what it was asked.
type auth struct {
	mu       sync.Mutex
	denied   string
	requests []access.Request
}

func (a *auth) Authorize(_ context.Context, r access.Request) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests = append(a.requests, r)
	if r.Action == a.denied {
		return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not authorized to perform: " + r.Action}
	}
	return nil
}

func (a *auth) last(action string) access.Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range slices.Backward(a.requests) {
		if r.Action == action {
			return r
		}
	}
	return access.Request{}
}

// roles lets Lambda assume one role.
type roles struct {
	clock *clockwork.FakeClock
	mu    sync.Mutex
	made  int
}

func (r *roles) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if *in.RoleArn != role || access.Caller(ctx).Service != "lambda.amazonaws.com" {
		return nil, &smithy.GenericAPIError{Code: "AccessDenied", Message: "not authorized to perform: sts:AssumeRole"}
	}
	r.made++
	return &sts.AssumeRoleOutput{
		AssumedRoleUser: &ststypes.AssumedRoleUser{Arn: aws.String("arn:aws:sts::123456789012:assumed-role/function/" + *in.RoleSessionName)},
		Credentials: &ststypes.Credentials{
			AccessKeyId: aws.String(fmt.Sprintf("ASIA%d", r.made)), SecretAccessKey: aws.String("secret"),
			SessionToken: aws.String("token"), Expiration: aws.Time(r.clock.Now().Add(time.Hour)),
		},
	}, nil
}

type objects map[string][]byte

func (o objects) GetObject(_ context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	content, ok := o[*in.Bucket+"/"+*in.Key]
	if !ok {
		return nil, &smithy.GenericAPIError{Code: "NoSuchKey", Message: "The specified key does not exist."}
	}
	return &s3.GetObjectOutput{Body: io.NopCloser(bytes.NewReader(content))}, nil
}

// logs holds lines by group and stream; it takes none from a denied caller.
type logs struct {
	mu     sync.Mutex
	groups map[string]map[string][]string
	denied bool
	caller access.Principal
}

func (l *logs) CreateLogGroup(_ context.Context, in *cloudwatchlogs.CreateLogGroupInput) (*cloudwatchlogs.CreateLogGroupOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.groups[*in.LogGroupName] = map[string][]string{}
	return &cloudwatchlogs.CreateLogGroupOutput{}, nil
}

func (l *logs) CreateLogStream(_ context.Context, in *cloudwatchlogs.CreateLogStreamInput) (*cloudwatchlogs.CreateLogStreamOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.denied {
		return nil, &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not authorized to perform: logs:CreateLogStream"}
	}
	if l.groups[*in.LogGroupName] == nil {
		return nil, &logstypes.ResourceNotFoundException{Message: aws.String("The specified log group does not exist.")}
	}
	l.groups[*in.LogGroupName][*in.LogStreamName] = []string{}
	return &cloudwatchlogs.CreateLogStreamOutput{}, nil
}

func (l *logs) PutLogEvents(ctx context.Context, in *cloudwatchlogs.PutLogEventsInput) (*cloudwatchlogs.PutLogEventsOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.caller = access.Caller(ctx)
	group := l.groups[*in.LogGroupName]
	if group[*in.LogStreamName] == nil {
		return nil, &logstypes.ResourceNotFoundException{Message: aws.String("The specified log stream does not exist.")}
	}
	for _, event := range in.LogEvents {
		group[*in.LogStreamName] = append(group[*in.LogStreamName], *event.Message)
	}
	return &cloudwatchlogs.PutLogEventsOutput{}, nil
}

// lines are those of a group, stream after stream.
func (l *logs) lines(group string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, stream := range slices.Sorted(maps.Keys(l.groups[group])) {
		all = append(all, l.groups[group][stream]...)
	}
	return all
}

func (l *logs) streams(group string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(maps.Keys(l.groups[group]))
}

func (l *logs) contain(group, text string) bool {
	return slices.ContainsFunc(l.lines(group), func(line string) bool { return strings.Contains(line, text) })
}
