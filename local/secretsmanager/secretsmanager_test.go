package secretsmanager_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
	service "api-destination-credentials/local/secretsmanager"
)

// world is the account around the service: keys that can fail, an authorizer
// that can refuse one action, and an event bus.
type world struct {
	*testing.T
	*service.Service
	clock   *clockwork.FakeClock
	refused string
	asked   []access.Request
	key     error             // what the keys answer, nil for a data key
	context map[string]string // encryption context of the last use
	via     string            // by way of which service the key was last used
	keyID   string            // key of the last encryption
	events  []string          // label and version of each announcement
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, clock: clockwork.NewFakeClock()}
	w.Service = service.New(service.Config{Account: access.Account{ID: "123456789012", Region: "us-east-1"}, Auth: w, Clock: w.clock, Keys: w, Events: w})
	return w
}

func (w *world) Authorize(_ context.Context, r access.Request) error {
	w.asked = append(w.asked, r)
	if r.Action == w.refused {
		return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not authorized to perform " + r.Action}
	}
	return nil
}

var dataKey = bytes.Repeat([]byte{7}, 32)

func (w *world) GenerateDataKey(ctx context.Context, in *kms.GenerateDataKeyInput) (*kms.GenerateDataKeyOutput, error) {
	w.context, w.via, w.keyID = in.EncryptionContext, access.Caller(ctx).Via, aws.ToString(in.KeyId)
	return &kms.GenerateDataKeyOutput{Plaintext: dataKey, CiphertextBlob: []byte("sealed")}, w.key
}

func (w *world) Decrypt(ctx context.Context, in *kms.DecryptInput) (*kms.DecryptOutput, error) {
	w.context, w.via = in.EncryptionContext, access.Caller(ctx).Via
	if w.key != nil {
		return nil, w.key
	}
	return &kms.DecryptOutput{Plaintext: dataKey}, nil
}

func (w *world) Publish(_ context.Context, source, detailType string, resources []string, detail any) {
	moved := detail.(map[string]string)
	if source != "aws.secretsmanager" || detailType != "Secret Label Updated" || len(resources) != 1 || !strings.HasSuffix(resources[0][:len(resources[0])-7], ":"+moved["name"]) {
		w.Errorf("announced %s %s %v %v", source, detailType, resources, moved)
	}
	w.events = append(w.events, moved["labelUpdated"]+" "+moved["versionId"])
}

func token(n int) *string { return aws.String(fmt.Sprintf("%032d", n)) }

func (w *world) create() string {
	w.Helper()
	made, err := w.CreateSecret(w.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String("source"), SecretString: aws.String("first"), ClientRequestToken: token(1), KmsKeyId: aws.String("key-1"),
	})
	if err != nil {
		w.Fatal(err)
	}
	return aws.ToString(made.ARN)
}

func (w *world) put(n int, value string, stages ...string) error {
	_, err := w.PutSecretValue(w.Context(), &secretsmanager.PutSecretValueInput{
		SecretId: aws.String("source"), SecretString: aws.String(value), ClientRequestToken: token(n), VersionStages: stages,
	})
	return err
}

func (w *world) move(label string, from, to *string) error {
	_, err := w.UpdateSecretVersionStage(w.Context(), &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: aws.String("source"), VersionStage: aws.String(label), RemoveFromVersionId: from, MoveToVersionId: to,
	})
	return err
}

func (w *world) get(in secretsmanager.GetSecretValueInput) (string, error) {
	if in.SecretId == nil {
		in.SecretId = aws.String("source")
	}
	found, err := w.GetSecretValue(w.Context(), &in)
	if err != nil {
		return "", err
	}
	return aws.ToString(found.SecretString), nil
}

// stages tells which number of version carries each label.
func (w *world) stages() map[string]int {
	w.Helper()
	shown, err := w.DescribeSecret(w.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("source")})
	if err != nil {
		w.Fatal(err)
	}
	holders := map[string]int{}
	for id, labels := range shown.VersionIdsToStages {
		for _, label := range labels {
			var n int
			fmt.Sscan(strings.TrimLeft(id, "0"), &n)
			holders[label] = n
		}
	}
	return holders
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

func TestASecretIsFoundByNameARNAndARNWithoutItsRandomEnd(t *testing.T) {
	w := newWorld(t)
	arn := w.create()
	for _, id := range []string{"source", arn, arn[:len(arn)-7]} {
		if value, err := w.get(secretsmanager.GetSecretValueInput{SecretId: aws.String(id)}); err != nil || value != "first" {
			t.Errorf("%s: %q, %v", id, value, err)
		}
	}
}

func TestANewVersionIsCurrentAndTheFormerOnePrevious(t *testing.T) {
	w := newWorld(t)
	w.create()
	must(t, w.put(2, "second"), w.put(3, "third"))
	if difference := cmp.Diff(map[string]int{"AWSCURRENT": 3, "AWSPREVIOUS": 2}, w.stages()); difference != "" {
		t.Error(difference)
	}
	for in, want := range map[secretsmanager.GetSecretValueInput]string{
		{}: "third",
		{VersionStage: aws.String("AWSPREVIOUS")}: "second",
		{VersionId: token(1)}:                     "first",
	} {
		if value, err := w.get(in); err != nil || value != want {
			t.Errorf("%q, %v, want %q", value, err, want)
		}
	}
	must(t, w.move("AWSCURRENT", token(3), token(2)))
	if difference := cmp.Diff(map[string]int{"AWSCURRENT": 2, "AWSPREVIOUS": 3}, w.stages()); difference != "" {
		t.Errorf("after moving back: %s", difference)
	}
}

func TestLabelsOfOnesOwnStayWhereTheyArePut(t *testing.T) {
	w := newWorld(t)
	w.create()
	must(t, w.move("eventbridge/demo", nil, token(1)), w.put(2, "second"), w.put(3, "third", "AWSPENDING"))
	if difference := cmp.Diff(map[string]int{"AWSCURRENT": 2, "AWSPREVIOUS": 1, "eventbridge/demo": 1, "AWSPENDING": 3}, w.stages()); difference != "" {
		t.Error(difference)
	}
	if err := w.move("eventbridge/demo", nil, token(2)); code(err) != "InvalidParameterException" || !strings.Contains(err.Error(), "currently attached to version "+*token(1)) {
		t.Errorf("moving without naming the holder: %v", err)
	}
	if err := w.move("eventbridge/demo", token(2), token(3)); code(err) != "InvalidParameterException" {
		t.Errorf("moving from a version that does not hold the label: %v", err)
	}
	must(t, w.move("eventbridge/demo", token(1), token(2)), w.move("eventbridge/demo", token(2), nil))
	if difference := cmp.Diff(map[string]int{"AWSCURRENT": 2, "AWSPREVIOUS": 1, "AWSPENDING": 3}, w.stages()); difference != "" {
		t.Error(difference)
	}
	want := []string{"eventbridge/demo " + *token(1), "AWSCURRENT " + *token(2), "eventbridge/demo " + *token(2)}
	if difference := cmp.Diff(want, w.events); difference != "" {
		t.Errorf("announcements: %s", difference)
	}
}

func TestTheSameTokenIsTheSameVersion(t *testing.T) {
	w := newWorld(t)
	w.create()
	must(t, w.put(2, "second", "AWSPENDING"), w.put(2, "second", "extra"))
	if difference := cmp.Diff(map[string]int{"AWSCURRENT": 1, "AWSPENDING": 2, "extra": 2}, w.stages()); difference != "" {
		t.Error(difference)
	}
	if err := w.put(2, "other"); code(err) != "ResourceExistsException" || strings.Contains(err.Error(), "other") {
		t.Errorf("another value under the same token: %v", err)
	}
}

func TestValuesAreEncryptedForTheirVersionByWayOfSecretsManager(t *testing.T) {
	w := newWorld(t)
	arn := w.create()
	if w.context["SecretARN"] != arn || w.context["SecretVersionId"] != *token(1) || w.via != "secretsmanager.us-east-1.amazonaws.com" || w.keyID != "key-1" {
		t.Errorf("the key %s was used for %v by way of %s", w.keyID, w.context, w.via)
	}
	w.key = &kmstypes.DisabledException{Message: aws.String("key-1 is disabled.")}
	if _, err := w.get(secretsmanager.GetSecretValueInput{}); code(err) != "DecryptionFailure" || !strings.Contains(err.Error(), "key-1 is disabled.") {
		t.Errorf("reading: %v", err)
	}
	if err := w.put(2, "second"); code(err) != "EncryptionFailure" {
		t.Errorf("writing: %v", err)
	}
	w.key = &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no"}
	if _, err := w.get(secretsmanager.GetSecretValueInput{}); code(err) != "AccessDeniedException" || !strings.Contains(err.Error(), "Access to KMS is not allowed") {
		t.Errorf("reading without the right to: %v", err)
	}
	w.key = nil
	if difference := cmp.Diff(map[string]int{"AWSCURRENT": 1}, w.stages()); difference != "" {
		t.Errorf("a failed write left something: %s", difference)
	}
	if _, err := w.UpdateSecret(t.Context(), &secretsmanager.UpdateSecretInput{SecretId: aws.String("source"), KmsKeyId: aws.String("key-2")}); err != nil || w.keyID != "key-2" {
		t.Errorf("changing the key: %v, encrypted with %s", err, w.keyID)
	}
	if value, err := w.get(secretsmanager.GetSecretValueInput{}); err != nil || value != "first" {
		t.Errorf("%q, %v", value, err)
	}
}

func TestADeletedSecretCanBeRestoredUntilItsTimeIsUp(t *testing.T) {
	w := newWorld(t)
	w.create()
	remove := func(in secretsmanager.DeleteSecretInput) {
		in.SecretId = aws.String("source")
		_, err := w.DeleteSecret(t.Context(), &in)
		must(t, err)
	}
	remove(secretsmanager.DeleteSecretInput{RecoveryWindowInDays: aws.Int64(7)})
	if _, err := w.get(secretsmanager.GetSecretValueInput{}); code(err) != "InvalidRequestException" {
		t.Errorf("reading a deleted secret: %v", err)
	}
	if _, err := w.RestoreSecret(t.Context(), &secretsmanager.RestoreSecretInput{SecretId: aws.String("source")}); err != nil {
		t.Fatal(err)
	}
	if value, err := w.get(secretsmanager.GetSecretValueInput{}); err != nil || value != "first" {
		t.Errorf("%q, %v", value, err)
	}
	remove(secretsmanager.DeleteSecretInput{RecoveryWindowInDays: aws.Int64(7)})
	w.clock.Advance(7 * 24 * time.Hour)
	if _, err := w.get(secretsmanager.GetSecretValueInput{}); code(err) != "ResourceNotFoundException" {
		t.Errorf("reading a secret that is gone: %v", err)
	}
	w.create()
	remove(secretsmanager.DeleteSecretInput{ForceDeleteWithoutRecovery: aws.Bool(true)})
	w.create()
}

func TestAManagedSecretIsChangedByWayOfItsOwnerOnly(t *testing.T) {
	w := newWorld(t)
	owner := access.WithCaller(t.Context(), access.Principal{ARN: "arn:aws:iam::123456789012:user/u"}.Through("events", "us-east-1"))
	made, err := w.CreateOwnedSecret(owner, "events", &secretsmanager.CreateSecretInput{
		Name: aws.String("events!connection/demo/1"), SecretString: aws.String("{}"), ClientRequestToken: token(1),
	})
	must(t, err)
	shown, err := w.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: made.ARN})
	must(t, err)
	if aws.ToString(shown.OwningService) != "events" {
		t.Errorf("owned by %q", aws.ToString(shown.OwningService))
	}
	put := &secretsmanager.PutSecretValueInput{SecretId: made.ARN, SecretString: aws.String("{1}"), ClientRequestToken: token(2)}
	if _, err := w.PutSecretValue(t.Context(), put); code(err) != "InvalidRequestException" || !strings.Contains(err.Error(), "Operation is not allowed on secret owned by events") {
		t.Errorf("somebody else changed it: %v", err)
	}
	if _, err := w.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: made.ARN}); code(err) != "InvalidRequestException" {
		t.Errorf("somebody else deleted it: %v", err)
	}
	if _, err := w.PutSecretValue(owner, put); err != nil {
		t.Errorf("its owner could not change it: %v", err)
	}
	if _, err := w.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("events!connection/fake/1")}); code(err) != "InvalidParameterException" {
		t.Errorf("somebody made a secret under a managed name: %v", err)
	}
}

func TestPermissionIsAskedForTheSecretWithItsPolicyAndTags(t *testing.T) {
	w := newWorld(t)
	arn := w.create()
	_, err := w.TagResource(t.Context(), &secretsmanager.TagResourceInput{SecretId: aws.String(arn), Tags: nil})
	must(t, err)
	_, err = w.PutResourcePolicy(t.Context(), &secretsmanager.PutResourcePolicyInput{SecretId: aws.String(arn), ResourcePolicy: aws.String("{}")})
	must(t, err)
	w.asked = nil
	must(t, w.move("label", nil, token(1)))
	want := []access.Request{{Action: "secretsmanager:UpdateSecretVersionStage", Resource: arn, Policy: "{}", Conditions: map[string]string{"secretsmanager:VersionStage": "label"}}}
	if difference := cmp.Diff(want, w.asked); difference != "" {
		t.Error(difference)
	}
	w.refused = "secretsmanager:GetSecretValue"
	for _, id := range []string{"source", "no-such-secret"} {
		if _, err := w.get(secretsmanager.GetSecretValueInput{SecretId: aws.String(id)}); code(err) != "AccessDeniedException" {
			t.Errorf("%s: %v, want it denied", id, err)
		}
	}
}

func TestVersionsWithoutLabelsAreKeptADayAndThenTheOldestGo(t *testing.T) {
	w := newWorld(t)
	w.create()
	for n := 2; n <= 120; n++ {
		must(t, w.put(n, "value"))
	}
	listed := func() int {
		all, err := w.ListSecretVersionIds(t.Context(), &secretsmanager.ListSecretVersionIdsInput{SecretId: aws.String("source"), IncludeDeprecated: aws.Bool(true)})
		must(t, err)
		return len(all.Versions)
	}
	if n := listed(); n != 120 {
		t.Errorf("%d versions on the first day, want all 120", n)
	}
	w.clock.Advance(25 * time.Hour)
	must(t, w.put(121, "value"))
	if n := listed(); n != 100 {
		t.Errorf("%d versions a day later, want 100", n)
	}
	if _, err := w.get(secretsmanager.GetSecretValueInput{VersionStage: aws.String("AWSPREVIOUS")}); err != nil {
		t.Errorf("a version with a label went: %v", err)
	}
}

func TestSecretsAreListedByName(t *testing.T) {
	w := newWorld(t)
	w.create()
	listed, err := w.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{})
	must(t, err)
	if len(listed.SecretList) != 1 || !slices.Equal(listed.SecretList[0].SecretVersionsToStages[*token(1)], []string{"AWSCURRENT"}) {
		t.Errorf("listed %+v", listed.SecretList)
	}
}

func TestAListComesInPages(t *testing.T) {
	w := newWorld(t)
	w.create()
	must(t, w.put(2, "second"), w.put(3, "third"))
	var pages []int
	in := &secretsmanager.ListSecretVersionIdsInput{SecretId: aws.String("source"), IncludeDeprecated: aws.Bool(true), MaxResults: aws.Int32(2)}
	for more := true; more; more = in.NextToken != nil {
		listed, err := w.ListSecretVersionIds(t.Context(), in)
		must(t, err)
		pages, in.NextToken = append(pages, len(listed.Versions)), listed.NextToken
	}
	if difference := cmp.Diff([]int{2, 1}, pages); difference != "" {
		t.Error(difference)
	}
}

func TestBadInputIsRefused(t *testing.T) {
	w := newWorld(t)
	w.create()
	for name, test := range map[string]struct {
		want string
		err  error
	}{
		"no such secret":    {"ResourceNotFoundException", second(w.get(secretsmanager.GetSecretValueInput{SecretId: aws.String("none")}))},
		"no such version":   {"ResourceNotFoundException", second(w.get(secretsmanager.GetSecretValueInput{VersionId: token(9)}))},
		"no such label":     {"ResourceNotFoundException", second(w.get(secretsmanager.GetSecretValueInput{VersionStage: aws.String("none")}))},
		"label and version": {"InvalidRequestException", second(w.get(secretsmanager.GetSecretValueInput{VersionStage: aws.String("none"), VersionId: token(1)}))},
		"short token": {"InvalidParameterException", second(w.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{
			SecretId: aws.String("source"), SecretString: aws.String("x"), ClientRequestToken: aws.String("1"),
		}))},
		"no value":          {"InvalidRequestException", second(w.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String("source"), ClientRequestToken: token(5)}))},
		"large value":       {"InvalidParameterException", w.put(6, strings.Repeat("x", 65537))},
		"empty label":       {"InvalidParameterException", w.put(7, "x", "")},
		"no current":        {"InvalidParameterException", w.move("AWSCURRENT", token(1), nil)},
		"nowhere":           {"InvalidParameterException", w.move("label", nil, nil)},
		"to no version":     {"ResourceNotFoundException", w.move("label", nil, token(9))},
		"the name is taken": {"ResourceExistsException", second(w.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("source")}))},
		"a policy of text": {"MalformedPolicyDocumentException", second(w.PutResourcePolicy(t.Context(), &secretsmanager.PutResourcePolicyInput{
			SecretId: aws.String("source"), ResourcePolicy: aws.String("text"),
		}))},
		"two windows": {"InvalidParameterException", second(w.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{
			SecretId: aws.String("source"), ForceDeleteWithoutRecovery: aws.Bool(true), RecoveryWindowInDays: aws.Int64(7),
		}))},
	} {
		if code(test.err) != test.want {
			t.Errorf("%s: %v, want %s", name, test.err, test.want)
		}
	}
}

func second[T any](_ T, err error) error { return err }
