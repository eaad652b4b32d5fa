package dynamodb_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
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

	"api-destination-credentials/local/access"
	service "api-destination-credentials/local/dynamodb"
)

var account = access.Account{ID: "123456789012", Region: "us-east-1"}

// world is the account around the service: who may do what, and one KMS key.
type world struct {
	*testing.T
	*service.Service
	clock   *clockwork.FakeClock
	keys    keys
	mu      sync.Mutex
	refused string // action that is not allowed
	asked   []access.Request
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, clock: clockwork.NewFakeClockAt(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))}
	w.Service = service.New(service.Config{Account: account, Auth: w, Clock: w.clock, Keys: &w.keys})
	return w
}

func (w *world) Authorize(_ context.Context, r access.Request) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, r)
	if r.Action == w.refused {
		return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not authorized"}
	}
	return nil
}

// keys is one KMS key. Its data keys open only in the context they were made in.
type keys struct {
	state   kmstypes.KeyState
	refused string   // operation that the key policy does not allow
	used    []string // operations, with who called and for what
	made    int
}

const keyARN = "arn:aws:kms:us-east-1:123456789012:key/one"

func (k *keys) use(ctx context.Context, operation string, detail any) error {
	k.used = append(k.used, fmt.Sprintf("%s by way of %s %v", operation, access.Caller(ctx).Via, detail))
	switch {
	case operation == k.refused:
		return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not authorized to perform: kms:" + operation}
	case k.state == kmstypes.KeyStateDisabled && operation != "DescribeKey":
		return &kmstypes.DisabledException{Message: aws.String(keyARN + " is disabled.")}
	}
	return nil
}

func (k *keys) DescribeKey(ctx context.Context, in *kms.DescribeKeyInput) (*kms.DescribeKeyOutput, error) {
	if k.state == "" {
		k.state = kmstypes.KeyStateEnabled
	}
	return &kms.DescribeKeyOutput{KeyMetadata: &kmstypes.KeyMetadata{Arn: aws.String(strings.Replace(*in.KeyId, "alias/one", keyARN, 1)), KeyState: k.state}}, k.use(ctx, "DescribeKey", *in.KeyId)
}

func (k *keys) CreateGrant(ctx context.Context, in *kms.CreateGrantInput) (*kms.CreateGrantOutput, error) {
	return &kms.CreateGrantOutput{}, k.use(ctx, "CreateGrant", *in.GranteePrincipal)
}

func (k *keys) GenerateDataKey(ctx context.Context, in *kms.GenerateDataKeyInput) (*kms.GenerateDataKeyOutput, error) {
	k.made++
	plaintext := []byte(fmt.Sprintf("%032d", k.made))
	return &kms.GenerateDataKeyOutput{Plaintext: plaintext, CiphertextBlob: []byte(fmt.Sprint(in.EncryptionContext, string(plaintext)))}, k.use(ctx, "GenerateDataKey", in.EncryptionContext)
}

func (k *keys) Decrypt(ctx context.Context, in *kms.DecryptInput) (*kms.DecryptOutput, error) {
	plaintext, ok := strings.CutPrefix(string(in.CiphertextBlob), fmt.Sprint(in.EncryptionContext))
	if !ok {
		return nil, &kmstypes.InvalidCiphertextException{}
	}
	return &kms.DecryptOutput{Plaintext: []byte(plaintext)}, k.use(ctx, "Decrypt", in.EncryptionContext)
}

func (k *keys) Encrypt(ctx context.Context, in *kms.EncryptInput) (*kms.EncryptOutput, error) {
	return &kms.EncryptOutput{}, k.use(ctx, "Encrypt", in.EncryptionContext)
}

func (k *keys) ReEncrypt(ctx context.Context, in *kms.ReEncryptInput) (*kms.ReEncryptOutput, error) {
	return &kms.ReEncryptOutput{}, k.use(ctx, "ReEncrypt", in.DestinationEncryptionContext)
}

func must[T any](t *testing.T, value T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func refusal(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode() + ": " + api.ErrorMessage()
	}
	return fmt.Sprint(err)
}

func wantRefusal(t *testing.T, err error, want string) {
	t.Helper()
	if got := refusal(err); err == nil || !strings.Contains(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

func same(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.FilterPath(func(p cmp.Path) bool {
		return p.Last().String() == ".noSmithyDocumentSerde"
	}, cmp.Ignore())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// inbox is the table that most tests use.
func inbox(change func(*dynamodb.CreateTableInput)) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{
		TableName: aws.String("inbox"), BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
	}
	if change != nil {
		change(in)
	}
	return in
}

func encrypted(in *dynamodb.CreateTableInput) {
	in.SSESpecification = &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms, KMSMasterKeyId: aws.String("alias/one")}
}

func (w *world) create(change func(*dynamodb.CreateTableInput)) {
	w.Helper()
	made, err := w.CreateTable(w.Context(), inbox(change))
	must(w.T, made, err)
}

func text(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }
func num(value string) types.AttributeValue  { return &types.AttributeValueMemberN{Value: value} }

type item = map[string]types.AttributeValue

func (w *world) put(one item) error {
	_, err := w.PutItem(w.Context(), &dynamodb.PutItemInput{TableName: aws.String("inbox"), Item: one})
	return err
}

func (w *world) get(id string) (item, error) {
	found, err := w.GetItem(w.Context(), &dynamodb.GetItemInput{TableName: aws.String("inbox"), Key: item{"id": text(id)}})
	if err != nil {
		return nil, err
	}
	return found.Item, nil
}
