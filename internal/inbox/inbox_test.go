package inbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/internal/inbox"
	"api-destination-credentials/internal/receiver"
	"api-destination-credentials/local/access"
	localdynamodb "api-destination-credentials/local/dynamodb"
	"api-destination-credentials/local/wire"
)

// world is a DynamoDB with a table, behind AWS's own wire protocol, and what is
// wrong on the way to it.
type world struct {
	*testing.T
	tables  *localdynamodb.Service
	clock   *clockwork.FakeClock
	server  *httptest.Server
	keyOff  atomic.Bool
	denied  atomic.Bool
	trouble atomic.Pointer[trouble]

	mu       sync.Mutex
	requests []*http.Request
}

// trouble is what happens to the next requests in place of an answer.
type trouble func(w http.ResponseWriter, r *http.Request, served http.Handler) (handled bool)

func newWorld(t *testing.T) *world {
	w := &world{T: t, clock: clockwork.NewFakeClockAt(time.Date(2026, 11, 23, 12, 0, 0, 500_000_000, time.UTC))}
	account := access.Account{ID: "123456789012", Region: "us-east-1"}
	w.tables = localdynamodb.New(localdynamodb.Config{Account: account, Auth: w, Clock: w.clock, Keys: w})
	served := wire.New(wire.Config{
		Account: account, Services: []wire.Service{{Name: "dynamodb", Impl: w.tables}},
		Identify: func(id string) (access.Principal, error) {
			return access.Principal{ARN: "arn:aws:iam::123456789012:user/" + id}, nil
		},
	})
	w.server = httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.requests = append(w.requests, r)
		w.mu.Unlock()
		if happens := w.trouble.Load(); happens != nil && (*happens)(answer, r, served) {
			return
		}
		served.ServeHTTP(answer, r)
	}))
	t.Cleanup(w.server.Close)
	_, err := w.tables.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("inbox"), BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		SSESpecification:     &types.SSESpecification{Enabled: aws.Bool(true), KMSMasterKeyId: aws.String("key")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.tables.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
		TableName: aws.String("inbox"), TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("expiresAt"), Enabled: aws.Bool(true)},
	}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) Authorize(_ context.Context, r access.Request) error {
	if w.denied.Load() && r.Action == "dynamodb:PutItem" {
		return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "User: somebody is not authorized to perform: dynamodb:PutItem"}
	}
	return nil
}

// The world's KMS has one key, which can be disabled.

func (w *world) DescribeKey(context.Context, *kms.DescribeKeyInput) (*kms.DescribeKeyOutput, error) {
	return &kms.DescribeKeyOutput{KeyMetadata: &kmstypes.KeyMetadata{Arn: aws.String("arn:key"), KeyState: kmstypes.KeyStateEnabled}}, nil
}

func (w *world) CreateGrant(context.Context, *kms.CreateGrantInput) (*kms.CreateGrantOutput, error) {
	return &kms.CreateGrantOutput{}, nil
}

func (w *world) Encrypt(context.Context, *kms.EncryptInput) (*kms.EncryptOutput, error) {
	return &kms.EncryptOutput{}, nil
}

func (w *world) ReEncrypt(context.Context, *kms.ReEncryptInput) (*kms.ReEncryptOutput, error) {
	return &kms.ReEncryptOutput{}, nil
}

func (w *world) GenerateDataKey(context.Context, *kms.GenerateDataKeyInput) (*kms.GenerateDataKeyOutput, error) {
	return &kms.GenerateDataKeyOutput{Plaintext: bytes.Repeat([]byte{7}, 32)}, nil
}

func (w *world) Decrypt(context.Context, *kms.DecryptInput) (*kms.DecryptOutput, error) {
	if w.keyOff.Load() {
		return nil, &kmstypes.DisabledException{Message: aws.String("arn:key is disabled.")}
	}
	return &kms.DecryptOutput{Plaintext: bytes.Repeat([]byte{7}, 32)}, nil
}

const (
	secretKey    = "secret-access-key-of-the-role"
	sessionToken = "session-token-of-the-role"
)

func (w *world) table() inbox.Table {
	return inbox.Table{
		Name: "inbox", Region: "us-east-1", URL: w.server.URL, Keep: 14 * 24 * time.Hour, HTTP: w.server.Client(), Now: w.clock.Now,
		Credentials: aws.Credentials{AccessKeyID: "receiver", SecretAccessKey: secretKey, SessionToken: sessionToken},
	}
}

func event(id string) receiver.Event {
	return receiver.Event{ID: id, Time: "2026-11-23T11:59:59Z", Source: "com.demo", DetailType: "demo <&> \u2028", Detail: []byte(`{"a": "<b>"}`)}
}

func (w *world) accept(id string) (bool, error) {
	ctx, cancel := context.WithTimeout(w.Context(), 5*time.Second)
	defer cancel()
	return w.table().Accept(ctx, event(id))
}

func (w *world) wantAccepted(id string, duplicate bool) {
	w.Helper()
	got, err := w.accept(id)
	if err != nil || got != duplicate {
		w.Errorf("event %s: got duplicate %v, %v; want %v", id, got, err, duplicate)
	}
}

// kept is the item of an event; nil where there is none.
func (w *world) kept(id string) map[string]string {
	w.Helper()
	w.keyOff.Store(false)
	out, err := w.tables.GetItem(w.Context(), &dynamodb.GetItemInput{TableName: aws.String("inbox"), Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}}})
	if err != nil {
		w.Fatal(err)
	}
	var found map[string]string
	for name, value := range out.Item {
		if found == nil {
			found = map[string]string{}
		}
		switch v := value.(type) {
		case *types.AttributeValueMemberS:
			found[name] = "S " + v.Value
		case *types.AttributeValueMemberN:
			found[name] = "N " + v.Value
		}
	}
	return found
}

func (w *world) sent() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.requests)
}

func TestAnEventIsKeptOnce(t *testing.T) {
	w := newWorld(t)
	w.wantAccepted("e-1", false)
	want := map[string]string{
		"id": "S e-1", "time": "S 2026-11-23T11:59:59Z", "source": "S com.demo", "detailType": "S demo <&> \u2028", "detail": `S {"a": "<b>"}`,
		"receivedAt": "S 2026-11-23T12:00:00.500Z", "expiresAt": fmt.Sprintf("N %d", w.clock.Now().Add(14*24*time.Hour).Unix()),
	}
	got := w.kept("e-1")
	delete(got, "receipt")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("item (-want +got):\n%s", diff)
	}
	w.clock.Advance(time.Hour)
	w.wantAccepted("e-1", true)
	w.wantAccepted("e-2", false)
	if got := w.kept("e-1")["receivedAt"]; got != want["receivedAt"] {
		t.Errorf("the duplicate has changed what is kept: %s", got)
	}
	if w.sent() != 3 {
		t.Errorf("%d requests for three events", w.sent())
	}
}

func TestAnEventIsForgottenAfterItsTime(t *testing.T) {
	w := newWorld(t)
	w.wantAccepted("e-1", false)
	w.clock.Advance(14*24*time.Hour - time.Minute)
	w.wantAccepted("e-1", true)
	w.clock.Advance(2 * time.Minute)
	w.wantAccepted("e-1", false)
}

func TestRequestsAreSignedWithTheRole(t *testing.T) {
	w := newWorld(t)
	w.wantAccepted("e-1", false)
	r := w.requests[0]
	signature := r.Header.Get("Authorization")
	for _, part := range []string{"AWS4-HMAC-SHA256 Credential=receiver/20261123/us-east-1/dynamodb/aws4_request", "content-type", "x-amz-security-token", "x-amz-target"} {
		if !strings.Contains(signature, part) {
			t.Errorf("the signature lacks %s: %s", part, signature)
		}
	}
	if r.Header.Get("X-Amz-Security-Token") != sessionToken {
		t.Error("the session token is not sent")
	}
}

func TestOfTwoInstancesOneKeepsTheEvent(t *testing.T) {
	w := newWorld(t)
	for i := range 20 {
		id := fmt.Sprintf("e-%d", i)
		var both sync.WaitGroup
		var duplicates atomic.Int32
		for range 2 {
			instance := w.table()
			both.Go(func() {
				duplicate, err := instance.Accept(t.Context(), event(id))
				if err != nil {
					t.Error(err)
				}
				if duplicate {
					duplicates.Add(1)
				}
			})
		}
		both.Wait()
		if duplicates.Load() != 1 {
			t.Errorf("event %s: %d of two instances called it a duplicate, want 1", id, duplicates.Load())
		}
	}
}

// answering makes the first requests fail with an error of DynamoDB's.
func answering(times, status int, body string) *trouble {
	var left atomic.Int32
	left.Store(int32(times))
	happens := trouble(func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		if left.Add(-1) < 0 {
			return false
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	})
	return &happens
}

func TestAFailureThatPassesIsTriedOnceMore(t *testing.T) {
	for name, happens := range map[string]func() *trouble{
		"throttled": func() *trouble {
			return answering(1, 400, `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow down"}`)
		},
		"a fault of the service": func() *trouble { return answering(1, 500, `{"__type":"InternalServerError","message":"oops"}`) },
		"unavailable":            func() *trouble { return answering(1, 503, `<html>`) },
		"no answer":              func() *trouble { return lost(false) },
		// It was written, and is still no duplicate: nobody else has sent it.
		"the answer lost": func() *trouble { return lost(true) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.trouble.Store(happens())
			w.wantAccepted("e-1", false)
			if w.sent() != 2 {
				t.Errorf("%d requests, want 2", w.sent())
			}
			w.wantAccepted("e-1", true)
		})
	}
}

// lost breaks the first connection, before or after the request is served.
func lost(served bool) *trouble {
	var once atomic.Bool
	happens := trouble(func(w http.ResponseWriter, r *http.Request, service http.Handler) bool {
		if once.Swap(true) {
			return false
		}
		if served {
			service.ServeHTTP(httptest.NewRecorder(), r)
		}
		panic(http.ErrAbortHandler)
	})
	return &happens
}

func TestAnEventThatCouldNotBeKeptIsNotAccepted(t *testing.T) {
	for name, test := range map[string]struct {
		spoil    func(*world, *inbox.Table)
		requests int
		want     string
	}{
		"no table":     {func(_ *world, table *inbox.Table) { table.Name = "absent" }, 1, "ResourceNotFoundException: Requested resource not found"},
		"key disabled": {func(w *world, _ *inbox.Table) { w.keyOff.Store(true) }, 1, "AccessDeniedException: KMS key access denied error: DisabledException"},
		"not allowed":  {func(w *world, _ *inbox.Table) { w.denied.Store(true) }, 1, "AccessDeniedException: User: somebody is not authorized"},
		"throttled twice": {func(w *world, _ *inbox.Table) {
			w.trouble.Store(answering(2, 400, `{"__type":"x#ThrottlingException","Message":"slow down"}`))
		}, 2, "status 400, ThrottlingException: slow down"},
		"down":        {func(w *world, _ *inbox.Table) { w.trouble.Store(answering(2, 500, `{"__type":"InternalServerError"}`)) }, 2, "status 500, InternalServerError"},
		"no DynamoDB": {func(w *world, _ *inbox.Table) { w.trouble.Store(answering(2, 404, `not found`)) }, 1, "none of DynamoDB's; check AWS_ENDPOINT_URL"},
		"redirected elsewhere": {func(w *world, table *inbox.Table) {
			table.HTTP.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			w.trouble.Store(answering(2, 307, ``))
		}, 1, "status 307"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			table := w.table()
			test.spoil(w, &table)
			duplicate, err := table.Accept(t.Context(), event("e-1"))
			if err == nil || duplicate || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got duplicate %v, %v; want %s", duplicate, err, test.want)
			}
			if strings.Contains(err.Error(), secretKey) || strings.Contains(err.Error(), sessionToken) {
				t.Errorf("the error tells a secret: %v", err)
			}
			if w.sent() != test.requests {
				t.Errorf("%d requests, want %d", w.sent(), test.requests)
			}
			if kept := w.kept("e-1"); kept != nil {
				t.Errorf("it is kept all the same: %v", kept)
			}
		})
	}
}

// silent gives the first requests no answer.
func silent(times int) *trouble {
	var left atomic.Int32
	left.Store(int32(times))
	happens := trouble(func(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		if left.Add(-1) < 0 {
			return false
		}
		// The connection is watched only once the body is read.
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		return true
	})
	return &happens
}

func TestASlowTableIsGivenUpInTime(t *testing.T) {
	w := newWorld(t)
	w.trouble.Store(silent(2))
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := w.table().Accept(ctx, event("e-1"))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %s", took)
	}
	if w.kept("e-1") != nil {
		t.Error("it is kept all the same")
	}
}

func TestASlowAnswerLeavesTimeForAnotherAttempt(t *testing.T) {
	w := newWorld(t)
	w.trouble.Store(silent(1))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if duplicate, err := w.table().Accept(ctx, event("e-1")); err != nil || duplicate {
		t.Errorf("got duplicate %v, %v; want it accepted by the second attempt", duplicate, err)
	}
}
