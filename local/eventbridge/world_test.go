package eventbridge_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awseb "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
	"api-destination-credentials/local/eventbridge"
)

const (
	roleARN     = "arn:aws:iam::123456789012:role/target"
	queueARN    = "arn:aws:sqs:us-east-1:123456789012:dead"
	keyARN      = "arn:aws:kms:us-east-1:123456789012:key/k"
	otherKeyARN = "arn:aws:kms:us-east-1:123456789012:key/other"
	busARN      = "arn:aws:events:us-east-1:123456789012:event-bus/demo"
	ruleARN     = "arn:aws:events:us-east-1:123456789012:rule/demo/rule"
	linked      = "arn:aws:iam::123456789012:role/aws-service-role/apidestinations.events.amazonaws.com/AWSServiceRoleForAmazonEventBridgeApiDestinations"
)

// world is an EventBridge and everything around it, as small state machines.
type world struct {
	*testing.T
	*eventbridge.Service
	ctx   context.Context
	clock *clockwork.FakeClock

	mu            sync.Mutex
	denied        map[string]bool // actions
	asked         []access.Request
	secrets       map[string]string // value by ARN
	secretKeys    map[string]string
	keyDisabled   bool
	keyUntagged   bool
	contexts      []map[string]string
	onKeyUse      func()
	forgetful     bool // keeps no record of what comes in masses
	dead          []*sqs.SendMessageInput
	queueRefuses  string // with this code
	invoked       []*lambda.InvokeInput
	refusals      []error  // of the next invocations
	sources       []string // on whose behalf queues and functions were called
	unassumable   bool
	clientSecret  string // that the token endpoint accepts
	tokens        int
	tokenRequests []*http.Request
	tokenBodies   []string
	tokenDown     bool
	lifetime      int // of tokens, seconds
	answer        func(n int, w http.ResponseWriter, r *http.Request)
	received      []string // bodies at the destination
	requests      []*http.Request
	counted       map[string]float64
	published     map[string]bool // namespace, unit and dimensions
}

func newWorld(t *testing.T) *world {
	w := &world{
		T: t, clock: clockwork.NewFakeClockAt(time.Date(2026, 5, 6, 7, 8, 9, 123456789, time.UTC)),
		denied: map[string]bool{}, secrets: map[string]string{}, secretKeys: map[string]string{}, clientSecret: "good", lifetime: 3600,
		answer: func(int, http.ResponseWriter, *http.Request) {}, counted: map[string]float64{}, published: map[string]bool{},
	}
	w.ctx = access.WithCaller(t.Context(), access.Principal{ARN: "arn:aws:iam::123456789012:user/me", Administrator: true})
	w.Service = eventbridge.New(eventbridge.Config{
		Account: access.Account{ID: "123456789012", Region: "us-east-1"}, Auth: fakeAuth{w}, Clock: w.clock,
		Secrets: fakeSecrets{w}, Keys: fakeKeys{w}, Queues: fakeQueues{w}, Functions: fakeFunctions{w}, Roles: fakeRoles{w}, HTTP: fakeNetwork{w}, Metrics: fakeMetrics{w},
	})
	t.Cleanup(w.Close)
	return w
}

// is reads state that background work writes.
func (w *world) is(check func() bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return check()
}

func (w *world) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// eventually lets virtual time pass in steps until something holds.
func (w *world) eventually(what string, step time.Duration, holds func() bool) {
	w.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); {
		if time.Now().After(deadline) {
			w.Fatalf("waited in vain for %s", what)
		}
		w.clock.Advance(step)
		time.Sleep(100 * time.Microsecond)
	}
}

// pass lets virtual time pass, from one thing that is due to the next.
func (w *world) pass(d time.Duration) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 20*time.Second)
	defer cancel()
	for end := w.clock.Now().Add(d); ; {
		if err := w.Settle(ctx); err != nil {
			w.Fatal(err)
		}
		due := w.Due()
		if due.IsZero() || due.After(end) {
			w.clock.Advance(end.Sub(w.clock.Now()))
			return
		}
		w.clock.Advance(due.Sub(w.clock.Now()))
	}
}

func (w *world) idle() {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 10*time.Second)
	defer cancel()
	if err := w.Idle(ctx); err != nil {
		w.Fatal(err)
	}
}

func must[T any](t testing.TB) func(out T, err error) T {
	return func(out T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func wantError(t *testing.T, err error, code, words string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), words) {
		t.Errorf("got error %v, want %s with %q", err, code, words)
	}
}

func oauthConnection(change func(*awseb.CreateConnectionInput)) *awseb.CreateConnectionInput {
	in := &awseb.CreateConnectionInput{
		Name: aws.String("conn"), AuthorizationType: types.ConnectionAuthorizationTypeOauthClientCredentials,
		AuthParameters: &types.CreateConnectionAuthRequestParameters{OAuthParameters: &types.CreateConnectionOAuthRequestParameters{
			AuthorizationEndpoint: aws.String("https://idp.test/token"), HttpMethod: types.ConnectionOAuthHttpMethodPost,
			ClientParameters: &types.CreateConnectionOAuthClientRequestParameters{ClientID: aws.String("client"), ClientSecret: aws.String("good")},
			OAuthHttpParameters: &types.ConnectionHttpParameters{
				HeaderParameters: []types.ConnectionHeaderParameter{{Key: aws.String("X-Hidden"), Value: aws.String("hidden"), IsValueSecret: true}},
				BodyParameters:   []types.ConnectionBodyParameter{{Key: aws.String("grant_type"), Value: aws.String("client_credentials")}},
			},
		}},
	}
	if change != nil {
		change(in)
	}
	return in
}

func (w *world) connect(change func(*awseb.CreateConnectionInput)) *awseb.DescribeConnectionOutput {
	w.Helper()
	must[*awseb.CreateConnectionOutput](w.T)(w.CreateConnection(w.ctx, oauthConnection(change)))
	w.idle()
	return w.connection()
}

func (w *world) connection() *awseb.DescribeConnectionOutput {
	w.Helper()
	return must[*awseb.DescribeConnectionOutput](w.T)(w.DescribeConnection(w.ctx, &awseb.DescribeConnectionInput{Name: aws.String("conn")}))
}

// update sends a new client secret.
func (w *world) update(secret string) (*awseb.UpdateConnectionOutput, error) {
	return w.UpdateConnection(w.ctx, &awseb.UpdateConnectionInput{
		Name: aws.String("conn"), AuthorizationType: types.ConnectionAuthorizationTypeOauthClientCredentials,
		AuthParameters: &types.UpdateConnectionAuthRequestParameters{OAuthParameters: &types.UpdateConnectionOAuthRequestParameters{
			ClientParameters: &types.UpdateConnectionOAuthClientRequestParameters{ClientSecret: aws.String(secret)},
		}},
	})
}

// journey makes what an event needs to get to the destination: a bus, a rule,
// a connection, a destination and a target.
func (w *world) journey(change func(*types.Target)) {
	w.Helper()
	if w.is(func() bool { return len(w.secrets) == 0 }) {
		w.connect(nil)
	}
	must[*awseb.CreateEventBusOutput](w.T)(w.CreateEventBus(w.ctx, &awseb.CreateEventBusInput{Name: aws.String("demo")}))
	w.target(w.destination(), change)
}

func (w *world) destination() *string {
	w.Helper()
	return must[*awseb.CreateApiDestinationOutput](w.T)(w.CreateApiDestination(w.ctx, &awseb.CreateApiDestinationInput{
		Name: aws.String("dest"), ConnectionArn: w.connection().ConnectionArn, HttpMethod: types.ApiDestinationHttpMethodPost,
		InvocationEndpoint: aws.String("https://api.test/orders/*"),
	})).ApiDestinationArn
}

func (w *world) target(arn *string, change func(*types.Target)) {
	w.Helper()
	must[*awseb.PutRuleOutput](w.T)(w.PutRule(w.ctx, &awseb.PutRuleInput{
		Name: aws.String("rule"), EventBusName: aws.String("demo"), EventPattern: aws.String(`{"source":["shop"]}`),
	}))
	target := types.Target{Id: aws.String("t"), Arn: arn, RoleArn: aws.String(roleARN), DeadLetterConfig: &types.DeadLetterConfig{Arn: aws.String(queueARN)}}
	if change != nil {
		change(&target)
	}
	must[*awseb.PutTargetsOutput](w.T)(w.PutTargets(w.ctx, &awseb.PutTargetsInput{
		Rule: aws.String("rule"), EventBusName: aws.String("demo"), Targets: []types.Target{target},
	}))
}

func (w *world) put() string {
	w.Helper()
	out := must[*awseb.PutEventsOutput](w.T)(w.PutEvents(w.ctx, &awseb.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		EventBusName: aws.String("demo"), Source: aws.String("shop"), DetailType: aws.String("order"), Detail: aws.String(`{"id":7,"payload":{"b":1,"a":2}}`),
	}}}))
	if out.FailedEntryCount != 0 {
		w.Fatalf("the event was refused: %s", aws.ToString(out.Entries[0].ErrorMessage))
	}
	return *out.Entries[0].EventId
}

// letter waits for the one dead letter and returns its attributes.
func (w *world) letter() (body string, attributes map[string]string) {
	w.Helper()
	w.eventually("a dead letter", time.Minute, func() bool { return w.is(func() bool { return len(w.dead) > 0 }) })
	w.idle()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.dead) != 1 {
		w.Fatalf("%d dead letters, want 1", len(w.dead))
	}
	attributes = map[string]string{}
	for name, attribute := range w.dead[0].MessageAttributes {
		attributes[name] = *attribute.StringValue
	}
	return *w.dead[0].MessageBody, attributes
}

func refusal(code string) error {
	return &smithy.GenericAPIError{Code: code, Message: "refused with " + code, Fault: smithy.FaultClient}
}

type fakeAuth struct{ *world }

func (f fakeAuth) Authorize(ctx context.Context, r access.Request) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.forgetful {
		f.asked = append(f.asked, r)
	}
	if f.denied[r.Action] || access.Caller(ctx) == (access.Principal{}) {
		return refusal("AccessDeniedException")
	}
	return nil
}

type fakeSecrets struct{ *world }

func (f fakeSecrets) CreateOwnedSecret(ctx context.Context, owner string, in *secretsmanager.CreateSecretInput) (*secretsmanager.CreateSecretOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if owner != "events" || !strings.HasPrefix(*in.Name, "events!connection/conn/") || access.Caller(ctx).Via != "events.us-east-1.amazonaws.com" {
		return nil, refusal("InvalidRequestException")
	}
	arn := "arn:aws:secretsmanager:us-east-1:123456789012:secret:" + *in.Name + "-abcdef"
	f.secrets[arn], f.secretKeys[arn] = *in.SecretString, aws.ToString(in.KmsKeyId)
	return &secretsmanager.CreateSecretOutput{ARN: aws.String(arn)}, nil
}

func (f fakeSecrets) PutSecretValue(_ context.Context, in *secretsmanager.PutSecretValueInput) (*secretsmanager.PutSecretValueOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.secrets[*in.SecretId] = *in.SecretString
	return &secretsmanager.PutSecretValueOutput{}, nil
}

func (f fakeSecrets) UpdateSecret(_ context.Context, in *secretsmanager.UpdateSecretInput) (*secretsmanager.UpdateSecretOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.secretKeys[*in.SecretId] = *in.KmsKeyId
	return &secretsmanager.UpdateSecretOutput{}, nil
}

func (f fakeSecrets) GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput) (*secretsmanager.GetSecretValueOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	held, ok := f.secrets[*in.SecretId]
	switch caller := access.Caller(ctx); {
	case !ok:
		return nil, refusal("ResourceNotFoundException")
	case !caller.Administrator && caller.RoleARN != linked:
		return nil, refusal("AccessDeniedException")
	case f.keyDisabled && f.secretKeys[*in.SecretId] != "":
		return nil, refusal("DisabledException")
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: aws.String(held)}, nil
}

func (f fakeSecrets) DeleteSecret(ctx context.Context, in *secretsmanager.DeleteSecretInput) (*secretsmanager.DeleteSecretOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if access.Caller(ctx).RoleARN != linked || !aws.ToBool(in.ForceDeleteWithoutRecovery) {
		return nil, refusal("AccessDeniedException")
	}
	delete(f.secrets, *in.SecretId)
	return &secretsmanager.DeleteSecretOutput{}, nil
}

type fakeKeys struct{ *world }

func (f fakeKeys) DescribeKey(_ context.Context, in *kms.DescribeKeyInput) (*kms.DescribeKeyOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	arn := keyARN
	if *in.KeyId == otherKeyARN {
		arn = otherKeyARN
	}
	state := kmstypes.KeyStateEnabled
	if f.keyDisabled {
		state = kmstypes.KeyStateDisabled
	}
	return &kms.DescribeKeyOutput{KeyMetadata: &kmstypes.KeyMetadata{
		Arn: aws.String(arn), KeyState: state, KeySpec: kmstypes.KeySpecSymmetricDefault, KeyUsage: kmstypes.KeyUsageTypeEncryptDecrypt,
	}}, nil
}

func (f fakeKeys) ListResourceTags(context.Context, *kms.ListResourceTagsInput) (*kms.ListResourceTagsOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.keyUntagged {
		return &kms.ListResourceTagsOutput{}, nil
	}
	return &kms.ListResourceTagsOutput{Tags: []kmstypes.Tag{{TagKey: aws.String("EventBridgeApiDestinations"), TagValue: aws.String("true")}}}, nil
}

func (f fakeKeys) GenerateDataKey(ctx context.Context, in *kms.GenerateDataKeyInput) (*kms.GenerateDataKeyOutput, error) {
	return &kms.GenerateDataKeyOutput{CiphertextBlob: []byte("sealed")}, f.use(ctx, "kms:GenerateDataKey", in.EncryptionContext)
}

func (f fakeKeys) Decrypt(ctx context.Context, in *kms.DecryptInput) (*kms.DecryptOutput, error) {
	return &kms.DecryptOutput{}, f.use(ctx, "kms:Decrypt", in.EncryptionContext)
}

func (f fakeKeys) ReEncrypt(ctx context.Context, in *kms.ReEncryptInput) (*kms.ReEncryptOutput, error) {
	if in.DestinationKeyId == nil {
		return nil, refusal("ValidationException")
	}
	if err := f.use(ctx, "kms:ReEncrypt", in.SourceEncryptionContext); err != nil {
		return nil, err
	}
	return &kms.ReEncryptOutput{CiphertextBlob: []byte("sealed again")}, f.use(ctx, "kms:ReEncrypt", in.DestinationEncryptionContext)
}

func (f fakeKeys) use(ctx context.Context, action string, with map[string]string) error {
	caller := access.Caller(ctx)
	if hook := f.onKeyUse; hook != nil && !caller.Administrator {
		hook()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if caller.Administrator {
		if caller.Via != "events.us-east-1.amazonaws.com" || f.denied[action] {
			return refusal("AccessDeniedException")
		}
		return nil
	}
	f.contexts = append(f.contexts, with)
	if caller.Service != "events.amazonaws.com" || caller.SourceARN != busARN || (f.denied[action] && action != "kms:GenerateDataKey") {
		return refusal("AccessDeniedException")
	}
	if f.keyDisabled {
		return refusal("DisabledException")
	}
	return nil
}

type fakeQueues struct{ *world }

func (f fakeQueues) SendMessage(ctx context.Context, in *sqs.SendMessageInput) (*sqs.SendMessageOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !strings.HasSuffix(*in.QueueUrl, "/123456789012/dead") {
		return nil, refusal("AWS.SimpleQueueService.NonExistentQueue")
	}
	if f.queueRefuses != "" {
		return nil, refusal(f.queueRefuses)
	}
	f.dead = append(f.dead, in)
	f.sources = append(f.sources, access.Caller(ctx).SourceARN)
	return &sqs.SendMessageOutput{}, nil
}

type fakeFunctions struct{ *world }

func (f fakeFunctions) Invoke(ctx context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if access.Caller(ctx).Service != "events.amazonaws.com" {
		return nil, refusal("AccessDeniedException")
	}
	if f.forgetful {
		return &lambda.InvokeOutput{StatusCode: 202}, nil
	}
	f.invoked = append(f.invoked, in)
	f.sources = append(f.sources, access.Caller(ctx).SourceARN)
	if len(f.refusals) > 0 {
		err := f.refusals[0]
		f.refusals = f.refusals[1:]
		return nil, err
	}
	return &lambda.InvokeOutput{StatusCode: 202}, nil
}

type fakeRoles struct{ *world }

func (f fakeRoles) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.unassumable || access.Caller(ctx).SourceARN != ruleARN {
		return nil, refusal("AccessDenied")
	}
	return &sts.AssumeRoleOutput{Credentials: &ststypes.Credentials{AccessKeyId: aws.String("ASIA" + *in.RoleArn)}}, nil
}

func (f fakeRoles) Identify(id string) (access.Principal, error) {
	return access.Principal{RoleARN: strings.TrimPrefix(id, "ASIA")}, nil
}

func (f fakeRoles) CreateServiceLinkedRole(context.Context, *iam.CreateServiceLinkedRoleInput) (*iam.CreateServiceLinkedRoleOutput, error) {
	return &iam.CreateServiceLinkedRoleOutput{}, nil
}

type fakeMetrics struct{ *world }

func (f fakeMetrics) Record(namespace, name, unit string, dimensions map[string]string, n float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.forgetful {
		f.published[fmt.Sprint(namespace, " ", unit, " ", dimensions)] = true
	}
	if dimensions["EventBusName"] == "demo" {
		f.counted[name] += n
	}
}

// fakeNetwork knows two hosts: an identity provider and an API.
type fakeNetwork struct{ *world }

func (f fakeNetwork) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	recorder := httptest.NewRecorder()
	switch {
	case r.URL.Scheme != "https":
		return nil, errors.New("not HTTPS")
	case r.URL.Host == "idp.test":
		return f.token(recorder, r, string(body))
	case r.URL.Host != "api.test":
		return nil, errors.New("no such host")
	}
	var n int
	var answer func(int, http.ResponseWriter, *http.Request)
	f.set(func() {
		if !f.forgetful {
			f.received = append(f.received, string(body))
			f.requests = append(f.requests, r)
		}
		n, answer = len(f.received), f.answer
	})
	answer(n, recorder, r)
	if recorder.Header().Get("Hung") != "" { // the answer came too late
		return nil, r.Context().Err()
	}
	return recorder.Result(), nil
}

func (f fakeNetwork) token(w *httptest.ResponseRecorder, r *http.Request, body string) (*http.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tokenRequests, f.tokenBodies = append(f.tokenRequests, r), append(f.tokenBodies, body)
	if f.tokenDown {
		return nil, errors.New("connection refused")
	}
	if !strings.Contains(body, "client_secret="+f.clientSecret) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":"invalid_client","error_description":"%s"}`, body)
		return w.Result(), nil
	}
	f.tokens++
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": fmt.Sprintf("token-%d", f.tokens), "expires_in": f.lifetime, "token_type": "Bearer"})
	return w.Result(), nil
}

// subscribe subscribes a queue to the connection's events on the default bus
// and returns the detail types so far.
func (w *world) subscribe() func() []string {
	w.Helper()
	must[*awseb.PutRuleOutput](w.T)(w.PutRule(w.ctx, &awseb.PutRuleInput{Name: aws.String("own"), EventPattern: aws.String(`{"source":["aws.events"]}`)}))
	must[*awseb.PutTargetsOutput](w.T)(w.PutTargets(w.ctx, &awseb.PutTargetsInput{Rule: aws.String("own"), Targets: []types.Target{
		{Id: aws.String("q"), Arn: aws.String(queueARN)},
	}}))
	return func() []string {
		w.idle()
		w.mu.Lock()
		defer w.mu.Unlock()
		var kinds []string
		for _, message := range w.dead {
			var event struct {
				DetailType string `json:"detail-type"`
			}
			if err := json.Unmarshal([]byte(*message.MessageBody), &event); err != nil {
				w.Error(err)
			}
			kinds = append(kinds, event.DetailType)
		}
		slices.Sort(kinds)
		return kinds
	}
}
