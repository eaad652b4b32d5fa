package kms_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
	localkms "api-destination-credentials/local/kms"
)

// gate records what is asked, and refuses the actions that are in refused and
// every policy that says "locked".
type gate struct {
	mu      sync.Mutex
	asked   []access.Request
	refused map[string]bool
}

func (g *gate) Authorize(_ context.Context, request access.Request) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked = append(g.asked, request)
	if g.refused[request.Action] || strings.Contains(request.Policy, "locked") {
		return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no " + request.Action}
	}
	return nil
}

func (g *gate) last() access.Request {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asked[len(g.asked)-1]
}

type world struct {
	*localkms.Service
	t     *testing.T
	ctx   context.Context
	gate  *gate
	clock *clockwork.FakeClock
}

var account = access.Account{ID: "123456789012", Region: "us-east-1"}

func newWorld(t *testing.T) *world {
	w := &world{
		t: t, gate: &gate{refused: map[string]bool{}}, clock: clockwork.NewFakeClock(),
		ctx: access.WithCaller(context.Background(), access.Principal{ARN: "arn:aws:iam::123456789012:user/local", Administrator: true}),
	}
	w.Service = localkms.New(localkms.Config{Account: account, Auth: w.gate, Clock: w.clock})
	return w
}

func (w *world) key(change ...func(*kms.CreateKeyInput)) string {
	w.t.Helper()
	in := &kms.CreateKeyInput{}
	for _, c := range change {
		c(in)
	}
	return *must(w.CreateKey(w.ctx, in))(w.t).KeyMetadata.Arn
}

func (w *world) encrypted(key string, encryptionContext map[string]string) []byte {
	w.t.Helper()
	return must(w.Encrypt(w.ctx, &kms.EncryptInput{KeyId: &key, Plaintext: []byte("plain"), EncryptionContext: encryptionContext}))(w.t).CiphertextBlob
}

func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func fails[T any](t *testing.T, code, message string) func(T, error) {
	return func(_ T, err error) {
		t.Helper()
		var fault smithy.APIError
		if !errors.As(err, &fault) || fault.ErrorCode() != code || !strings.Contains(fault.ErrorMessage(), message) {
			t.Errorf("got %v; want %s with %q", err, code, message)
		}
	}
}

func TestACiphertextOpensOnlyUnderItsOwnEncryptionContext(t *testing.T) {
	w := newWorld(t)
	key := w.key()
	whole := map[string]string{"SecretARN": "arn:secret", "SecretVersionId": "1"}
	blob := w.encrypted(key, whole)
	for name, given := range map[string]map[string]string{
		"none":       nil,
		"a part":     {"SecretARN": "arn:secret"},
		"other":      {"SecretARN": "arn:secret", "SecretVersionId": "2"},
		"run across": {"SecretARN": "arn:secretSecretVersionId1"},
	} {
		t.Run(name, func(t *testing.T) {
			fails[*kms.DecryptOutput](t, "InvalidCiphertextException", "")(w.Decrypt(w.ctx, &kms.DecryptInput{CiphertextBlob: blob, EncryptionContext: given}))
		})
	}
	out := must(w.Decrypt(w.ctx, &kms.DecryptInput{CiphertextBlob: blob, EncryptionContext: whole}))(t)
	if string(out.Plaintext) != "plain" || *out.KeyId != key {
		t.Errorf("decrypted %q with %s; want \"plain\" with %s", out.Plaintext, *out.KeyId, key)
	}
}

func TestADamagedCiphertextIsRefused(t *testing.T) {
	w := newWorld(t)
	blob := w.encrypted(w.key(), nil)
	flipped := append([]byte{}, blob...)
	flipped[len(flipped)-1] ^= 1
	for name, given := range map[string][]byte{"flipped": flipped, "cut": blob[:len(blob)-1], "header": blob[:17], "text": []byte("text")} {
		t.Run(name, func(t *testing.T) {
			fails[*kms.DecryptOutput](t, "InvalidCiphertextException", "")(w.Decrypt(w.ctx, &kms.DecryptInput{CiphertextBlob: given}))
		})
	}
	other := w.key()
	fails[*kms.DecryptOutput](t, "IncorrectKeyException", "")(w.Decrypt(w.ctx, &kms.DecryptInput{CiphertextBlob: blob, KeyId: &other}))
}

func TestADataKeyComesPlainAndEncrypted(t *testing.T) {
	w := newWorld(t)
	key := w.key()
	made := must(w.GenerateDataKey(w.ctx, &kms.GenerateDataKeyInput{KeyId: &key, KeySpec: types.DataKeySpecAes256}))(t)
	opened := must(w.Decrypt(w.ctx, &kms.DecryptInput{CiphertextBlob: made.CiphertextBlob}))(t)
	if diff := cmp.Diff(made.Plaintext, opened.Plaintext); diff != "" || len(made.Plaintext) != 32 {
		t.Errorf("a data key of %d bytes opens differently: %s", len(made.Plaintext), diff)
	}
	blind := must(w.GenerateDataKeyWithoutPlaintext(w.ctx, &kms.GenerateDataKeyWithoutPlaintextInput{KeyId: &key, NumberOfBytes: aws.Int32(7)}))(t)
	if got := must(w.Decrypt(w.ctx, &kms.DecryptInput{CiphertextBlob: blind.CiphertextBlob}))(t); len(got.Plaintext) != 7 {
		t.Errorf("got %d bytes; want 7", len(got.Plaintext))
	}
	fails[*kms.GenerateDataKeyOutput](t, "ValidationException", "either number of bytes or key spec")(w.GenerateDataKey(w.ctx, &kms.GenerateDataKeyInput{KeyId: &key}))
}

func TestReEncryptMovesACiphertextToAnotherKey(t *testing.T) {
	w := newWorld(t)
	from, to := w.key(), w.key()
	out := must(w.ReEncrypt(w.ctx, &kms.ReEncryptInput{CiphertextBlob: w.encrypted(from, nil), DestinationKeyId: &to, DestinationEncryptionContext: map[string]string{"a": "b"}}))(t)
	if *out.SourceKeyId != from || *out.KeyId != to {
		t.Errorf("moved from %s to %s; want %s to %s", *out.SourceKeyId, *out.KeyId, from, to)
	}
	opened := must(w.Decrypt(w.ctx, &kms.DecryptInput{CiphertextBlob: out.CiphertextBlob, KeyId: &to, EncryptionContext: map[string]string{"a": "b"}}))(t)
	if string(opened.Plaintext) != "plain" {
		t.Errorf("got %q; want \"plain\"", opened.Plaintext)
	}
}

func TestADisabledKeyRefusesToDecryptUntilItIsEnabled(t *testing.T) {
	w := newWorld(t)
	key := w.key()
	blob := w.encrypted(key, nil)
	must(w.DisableKey(w.ctx, &kms.DisableKeyInput{KeyId: &key}))(t)
	fails[*kms.DecryptOutput](t, "DisabledException", key+" is disabled.")(w.Decrypt(w.ctx, &kms.DecryptInput{CiphertextBlob: blob}))
	fails[*kms.EnableKeyRotationOutput](t, "DisabledException", key+" is disabled.")(w.EnableKeyRotation(w.ctx, &kms.EnableKeyRotationInput{KeyId: &key}))
	must(w.EnableKey(w.ctx, &kms.EnableKeyInput{KeyId: &key}))(t)
	must(w.Decrypt(w.ctx, &kms.DecryptInput{CiphertextBlob: blob}))(t)
}

func TestAKeyPendingDeletionIsUnusableAndThenGone(t *testing.T) {
	w := newWorld(t)
	key := w.key()
	blob := w.encrypted(key, nil)
	must(w.CreateAlias(w.ctx, &kms.CreateAliasInput{AliasName: aws.String("alias/mine"), TargetKeyId: &key}))(t)
	fails[*kms.ScheduleKeyDeletionOutput](t, "ValidationException", "7 to 30")(w.ScheduleKeyDeletion(w.ctx, &kms.ScheduleKeyDeletionInput{KeyId: &key, PendingWindowInDays: aws.Int32(6)}))
	must(w.ScheduleKeyDeletion(w.ctx, &kms.ScheduleKeyDeletionInput{KeyId: &key, PendingWindowInDays: aws.Int32(7)}))(t)
	fails[*kms.DecryptOutput](t, "KMSInvalidStateException", key+" is pending deletion.")(w.Decrypt(w.ctx, &kms.DecryptInput{CiphertextBlob: blob}))
	fails[*kms.EnableKeyOutput](t, "KMSInvalidStateException", "pending deletion")(w.EnableKey(w.ctx, &kms.EnableKeyInput{KeyId: &key}))
	if got := must(w.DescribeKey(w.ctx, &kms.DescribeKeyInput{KeyId: &key}))(t).KeyMetadata.KeyState; got != types.KeyStatePendingDeletion {
		t.Errorf("the key is %s; want PendingDeletion", got)
	}

	must(w.CancelKeyDeletion(w.ctx, &kms.CancelKeyDeletionInput{KeyId: &key}))(t)
	fails[*kms.DecryptOutput](t, "DisabledException", "is disabled")(w.Decrypt(w.ctx, &kms.DecryptInput{CiphertextBlob: blob}))

	must(w.ScheduleKeyDeletion(w.ctx, &kms.ScheduleKeyDeletionInput{KeyId: &key, PendingWindowInDays: aws.Int32(7)}))(t)
	w.clock.Advance(7 * 24 * time.Hour)
	fails[*kms.DecryptOutput](t, "NotFoundException", "does not exist")(w.Decrypt(w.ctx, &kms.DecryptInput{CiphertextBlob: blob}))
	fails[*kms.DescribeKeyOutput](t, "NotFoundException", "alias/mine is not found.")(w.DescribeKey(w.ctx, &kms.DescribeKeyInput{KeyId: aws.String("alias/mine")}))
}

func TestAKeyIsFoundByEveryOneOfItsNames(t *testing.T) {
	w := newWorld(t)
	key := w.key()
	must(w.CreateAlias(w.ctx, &kms.CreateAliasInput{AliasName: aws.String("alias/mine"), TargetKeyId: &key}))(t)
	for _, name := range []string{key, key[strings.Index(key, "/")+1:], "alias/mine", "arn:aws:kms:us-east-1:123456789012:alias/mine"} {
		if got := *must(w.DescribeKey(w.ctx, &kms.DescribeKeyInput{KeyId: &name}))(t).KeyMetadata.Arn; got != key {
			t.Errorf("%s is %s; want %s", name, got, key)
		}
	}
	for name, message := range map[string]string{
		"nonsense":                             "Invalid keyId 'nonsense'",
		"00000000-0000-0000-0000-000000000000": "Key 'arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000' does not exist",
		"alias/none":                           "Alias arn:aws:kms:us-east-1:123456789012:alias/none is not found.",
		"arn:aws:kms:us-east-1:999999999999:alias/mine": "does not exist",
	} {
		fails[*kms.DescribeKeyOutput](t, "NotFoundException", message)(w.DescribeKey(w.ctx, &kms.DescribeKeyInput{KeyId: &name}))
	}
	fails[*kms.DescribeKeyOutput](t, "ValidationException", "KeyId")(w.DescribeKey(w.ctx, &kms.DescribeKeyInput{}))
}

func TestTheWrongKindOfKeyDoesNotEncrypt(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		spec  types.KeySpec
		usage types.KeyUsageType
	}{
		{types.KeySpecRsa2048, types.KeyUsageTypeEncryptDecrypt},
		{types.KeySpecRsa2048, types.KeyUsageTypeSignVerify},
		{types.KeySpecEccNistP256, types.KeyUsageTypeSignVerify},
		{types.KeySpecHmac256, types.KeyUsageTypeGenerateVerifyMac},
	} {
		t.Run(string(c.spec+" "+types.KeySpec(c.usage)), func(t *testing.T) {
			key := w.key(func(in *kms.CreateKeyInput) { in.KeySpec, in.KeyUsage = c.spec, c.usage })
			fails[*kms.GenerateDataKeyOutput](t, "InvalidKeyUsageException", "not valid for GenerateDataKey")(
				w.GenerateDataKey(w.ctx, &kms.GenerateDataKeyInput{KeyId: &key, KeySpec: types.DataKeySpecAes256}))
		})
	}
}

func TestWhatCannotBeMadeIsRefused(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		in      kms.CreateKeyInput
		code    string
		message string
	}{
		"multi-Region":     {kms.CreateKeyInput{MultiRegion: aws.Bool(true)}, "UnsupportedOperationException", "MultiRegion"},
		"imported":         {kms.CreateKeyInput{Origin: types.OriginTypeExternal}, "UnsupportedOperationException", "Origin"},
		"no usage":         {kms.CreateKeyInput{KeySpec: types.KeySpecRsa2048}, "ValidationException", "KeyUsage"},
		"other usage":      {kms.CreateKeyInput{KeySpec: types.KeySpecHmac256, KeyUsage: types.KeyUsageTypeSignVerify}, "ValidationException", "not compatible"},
		"reserved tag":     {kms.CreateKeyInput{Tags: []types.Tag{{TagKey: aws.String("aws:x"), TagValue: aws.String("y")}}}, "TagException", "aws:x"},
		"a policy of text": {kms.CreateKeyInput{Policy: aws.String("text")}, "MalformedPolicyDocumentException", "statements"},
		"locking out":      {kms.CreateKeyInput{Policy: aws.String(`{"Statement":["locked"]}`)}, "MalformedPolicyDocumentException", "will not allow you to update the key policy"},
		"unknown key spec": {kms.CreateKeyInput{KeySpec: "ROT13", KeyUsage: types.KeyUsageTypeEncryptDecrypt}, "ValidationException", "ROT13"},
	} {
		t.Run(name, func(t *testing.T) {
			fails[*kms.CreateKeyOutput](t, c.code, c.message)(w.CreateKey(w.ctx, &c.in))
		})
	}
	if got := must(w.ListKeys(w.ctx, &kms.ListKeysInput{}))(t).Keys; len(got) != 0 {
		t.Errorf("refused keys are listed: %v", got)
	}
	w.key(func(in *kms.CreateKeyInput) {
		in.Policy, in.BypassPolicyLockoutSafetyCheck = aws.String(`{"Statement":["locked"]}`), true
	})
}

func TestAUseAsksTheKeyPolicyWithContextAndTags(t *testing.T) {
	w := newWorld(t)
	policy := `{"Version":"2012-10-17","Statement":[]}`
	key := w.key(func(in *kms.CreateKeyInput) {
		in.Policy = &policy
		in.Tags = []types.Tag{{TagKey: aws.String("EventBridgeApiDestinations"), TagValue: aws.String("true")}}
	})
	must(w.CreateAlias(w.ctx, &kms.CreateAliasInput{AliasName: aws.String("alias/mine"), TargetKeyId: &key}))(t)
	must(w.GenerateDataKey(w.ctx, &kms.GenerateDataKeyInput{
		KeyId: aws.String("alias/mine"), KeySpec: types.DataKeySpecAes256, EncryptionContext: map[string]string{"SecretARN": "arn:secret"},
	}))(t)
	want := access.Request{
		Action: "kms:GenerateDataKey", Resource: key, Policy: policy, PolicyGoverns: true,
		Conditions: map[string]string{
			"aws:ResourceTag/EventBridgeApiDestinations": "true",
			"kms:CallerAccount":                          "123456789012",
			"kms:EncryptionContext:SecretARN":            "arn:secret",
		},
	}
	if diff := cmp.Diff(want, w.gate.last()); diff != "" {
		t.Error(diff)
	}
}

func TestARefusedCallerLearnsNothingAndChangesNothing(t *testing.T) {
	w := newWorld(t)
	key := w.key()
	blob := w.encrypted(key, nil)
	for _, action := range []string{"kms:Decrypt", "kms:DisableKey", "kms:DescribeKey"} {
		w.gate.refused[action] = true
	}
	fails[*kms.DecryptOutput](t, "AccessDeniedException", "kms:Decrypt")(w.Decrypt(w.ctx, &kms.DecryptInput{CiphertextBlob: blob}))
	fails[*kms.DescribeKeyOutput](t, "AccessDeniedException", "kms:DescribeKey")(w.DescribeKey(w.ctx, &kms.DescribeKeyInput{KeyId: &key}))
	fails[*kms.DisableKeyOutput](t, "AccessDeniedException", "kms:DisableKey")(w.DisableKey(w.ctx, &kms.DisableKeyInput{KeyId: &key}))
	must(w.GenerateDataKey(w.ctx, &kms.GenerateDataKeyInput{KeyId: &key, KeySpec: types.DataKeySpecAes128}))(t)
}

func TestAKeyPolicyIsReplacedUnlessItLocksTheCallerOut(t *testing.T) {
	w := newWorld(t)
	key := w.key()
	if got := *must(w.GetKeyPolicy(w.ctx, &kms.GetKeyPolicyInput{KeyId: &key}))(t).Policy; !strings.Contains(got, `"kms:*"`) || !strings.Contains(got, "123456789012:root") {
		t.Errorf("the default policy is %s; want kms:* for the account", got)
	}
	next := `{"Statement":[{"Sid":"next"}]}`
	must(w.PutKeyPolicy(w.ctx, &kms.PutKeyPolicyInput{KeyId: &key, Policy: &next}))(t)
	fails[*kms.PutKeyPolicyOutput](t, "MalformedPolicyDocumentException", "will not allow you")(
		w.PutKeyPolicy(w.ctx, &kms.PutKeyPolicyInput{KeyId: &key, Policy: aws.String(`{"Statement":["locked"]}`)}))
	if got := *must(w.GetKeyPolicy(w.ctx, &kms.GetKeyPolicyInput{KeyId: &key, PolicyName: aws.String("default")}))(t).Policy; got != next {
		t.Errorf("the policy is %s; want %s", got, next)
	}
}

func TestAnAWSManagedKeyComesToBeOnFirstUseAndBelongsToItsService(t *testing.T) {
	w := newWorld(t)
	first := must(w.DescribeKey(w.ctx, &kms.DescribeKeyInput{KeyId: aws.String("alias/aws/secretsmanager")}))(t).KeyMetadata
	again := must(w.DescribeKey(w.ctx, &kms.DescribeKeyInput{KeyId: aws.String("arn:aws:kms:us-east-1:123456789012:alias/aws/secretsmanager")}))(t).KeyMetadata
	if first.KeyManager != types.KeyManagerTypeAws || *first.Arn != *again.Arn {
		t.Errorf("got a key of %s, %s and then %s; want one key of AWS", first.KeyManager, *first.Arn, *again.Arn)
	}
	if got := w.gate.last().Policy; !strings.Contains(got, "secretsmanager.us-east-1.amazonaws.com") {
		t.Errorf("the key's policy is %s; want it to name its service", got)
	}
	fails[*kms.CreateAliasOutput](t, "InvalidAliasNameException", "not with alias/aws/")(w.CreateAlias(w.ctx, &kms.CreateAliasInput{AliasName: aws.String("alias/aws/mine"), TargetKeyId: first.Arn}))
	fails[*kms.DescribeKeyOutput](t, "NotFoundException", "alias/aws/ebs")(w.DescribeKey(w.ctx, &kms.DescribeKeyInput{KeyId: aws.String("alias/aws/ebs")}))
}

func TestAnAliasIsMadeMovedAndTakenAway(t *testing.T) {
	w := newWorld(t)
	one, two, name := w.key(), w.key(), aws.String("alias/mine")
	must(w.CreateAlias(w.ctx, &kms.CreateAliasInput{AliasName: name, TargetKeyId: &one}))(t)
	fails[*kms.CreateAliasOutput](t, "AlreadyExistsException", "An alias with the name arn:aws:kms:us-east-1:123456789012:alias/mine already exists")(
		w.CreateAlias(w.ctx, &kms.CreateAliasInput{AliasName: name, TargetKeyId: &two}))
	must(w.UpdateAlias(w.ctx, &kms.UpdateAliasInput{AliasName: name, TargetKeyId: &two}))(t)
	listed := must(w.ListAliases(w.ctx, &kms.ListAliasesInput{KeyId: &two}))(t).Aliases
	if len(listed) != 1 || !strings.HasSuffix(two, *listed[0].TargetKeyId) {
		t.Errorf("got %v; want one alias of %s", listed, two)
	}
	signing := w.key(func(in *kms.CreateKeyInput) {
		in.KeySpec, in.KeyUsage = types.KeySpecEccNistP256, types.KeyUsageTypeSignVerify
	})
	fails[*kms.UpdateAliasOutput](t, "ValidationException", "another kind")(w.UpdateAlias(w.ctx, &kms.UpdateAliasInput{AliasName: name, TargetKeyId: &signing}))
	w.gate.refused["kms:DeleteAlias"] = true
	fails[*kms.DeleteAliasOutput](t, "AccessDeniedException", "kms:DeleteAlias")(w.DeleteAlias(w.ctx, &kms.DeleteAliasInput{AliasName: name}))
	delete(w.gate.refused, "kms:DeleteAlias")
	must(w.DeleteAlias(w.ctx, &kms.DeleteAliasInput{AliasName: name}))(t)
	if got := w.gate.last().Resource; got != "arn:aws:kms:us-east-1:123456789012:alias/mine" {
		t.Errorf("permission was asked for %s; want the alias beside its key", got)
	}
	fails[*kms.DeleteAliasOutput](t, "NotFoundException", "alias/mine is not found.")(w.DeleteAlias(w.ctx, &kms.DeleteAliasInput{AliasName: name}))
}

func TestTagsAreAddedOverwrittenAndRemoved(t *testing.T) {
	w := newWorld(t)
	tag := func(name, value string) types.Tag {
		return types.Tag{TagKey: aws.String(name), TagValue: aws.String(value)}
	}
	key := w.key(func(in *kms.CreateKeyInput) { in.Tags = []types.Tag{tag("a", "1"), tag("b", "2")} })
	must(w.TagResource(w.ctx, &kms.TagResourceInput{KeyId: &key, Tags: []types.Tag{tag("b", "3"), tag("c", "4")}}))(t)
	must(w.UntagResource(w.ctx, &kms.UntagResourceInput{KeyId: &key, TagKeys: []string{"a", "none"}}))(t)
	got := map[string]string{}
	in := &kms.ListResourceTagsInput{KeyId: &key, Limit: aws.Int32(1)}
	for more := true; more; more = in.Marker != nil {
		out := must(w.ListResourceTags(w.ctx, in))(t)
		for _, one := range out.Tags {
			got[*one.TagKey] = *one.TagValue
		}
		in.Marker = out.NextMarker
	}
	if diff := cmp.Diff(map[string]string{"b": "3", "c": "4"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestRotationHasAPeriodAndANextDate(t *testing.T) {
	w := newWorld(t)
	key := w.key()
	status := func() *kms.GetKeyRotationStatusOutput {
		return must(w.GetKeyRotationStatus(w.ctx, &kms.GetKeyRotationStatusInput{KeyId: &key}))(t)
	}
	if status().KeyRotationEnabled {
		t.Error("a new key rotates; want it not to")
	}
	start := w.clock.Now()
	must(w.EnableKeyRotation(w.ctx, &kms.EnableKeyRotationInput{KeyId: &key, RotationPeriodInDays: aws.Int32(90)}))(t)
	w.clock.Advance(100 * 24 * time.Hour)
	got := status()
	if want := start.Add(180 * 24 * time.Hour); !got.KeyRotationEnabled || *got.RotationPeriodInDays != 90 || !got.NextRotationDate.Equal(want) {
		t.Errorf("got %+v; want every 90 days, next %s", got, want)
	}
	must(w.DisableKeyRotation(w.ctx, &kms.DisableKeyRotationInput{KeyId: &key}))(t)
	if status().KeyRotationEnabled {
		t.Error("the key rotates after DisableKeyRotation")
	}
}

func TestADryRunIsRefused(t *testing.T) {
	w := newWorld(t)
	key := w.key()
	fails[*kms.EncryptOutput](t, "ValidationException", "DryRun")(
		w.Encrypt(w.ctx, &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x"), DryRun: aws.Bool(true)}))
}

func TestManyCallersUseOneServiceAtOnce(t *testing.T) {
	w := newWorld(t)
	key := w.key()
	var group sync.WaitGroup
	name := aws.String("alias/mine")
	must(w.CreateAlias(w.ctx, &kms.CreateAliasInput{AliasName: name, TargetKeyId: &key}))(t)
	for range 8 {
		group.Go(func() {
			// Changes of tags, policy and alias run beside each other: the race detector looks on.
			if _, err := w.TagResource(w.ctx, &kms.TagResourceInput{KeyId: &key, Tags: []types.Tag{{TagKey: aws.String("a"), TagValue: aws.String("b")}}}); err != nil {
				t.Error(err)
			}
			if _, err := w.PutKeyPolicy(w.ctx, &kms.PutKeyPolicyInput{KeyId: &key, Policy: aws.String(`{"Statement":[]}`)}); err != nil {
				t.Error(err)
			}
			if _, err := w.UpdateAlias(w.ctx, &kms.UpdateAliasInput{AliasName: name, TargetKeyId: &key}); err != nil {
				t.Error(err)
			}
			out, err := w.Encrypt(w.ctx, &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x")})
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := w.Decrypt(w.ctx, &kms.DecryptInput{CiphertextBlob: out.CiphertextBlob}); err != nil {
				t.Error(err)
			}
			if _, err := w.DescribeKey(w.ctx, &kms.DescribeKeyInput{KeyId: aws.String("alias/aws/sqs")}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := must(w.ListKeys(w.ctx, &kms.ListKeysInput{}))(t).Keys; len(got) != 2 {
		t.Errorf("there are %d keys; want one and the AWS managed one", len(got))
	}
}
