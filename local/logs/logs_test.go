package logs_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
	"api-destination-credentials/local/logs"
)

// world is the account around the service: one key, and one action refused.
type world struct {
	clock    *clockwork.FakeClock
	service  *logs.Service
	refused  string // resource of a refused request
	disabled bool
	used     []string // by whom the key was used, for what
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{clock: clockwork.NewFakeClock()}
	w.service = logs.New(logs.Config{Account: access.Account{ID: "123456789012", Region: "us-east-1"}, Auth: w, Clock: w.clock, Keys: w})
	return w
}

func (w *world) Authorize(_ context.Context, r access.Request) error {
	if w.refused != "" && r.Resource == w.refused {
		return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not authorized"}
	}
	return nil
}

func (w *world) GenerateDataKey(ctx context.Context, in *kms.GenerateDataKeyInput) (*kms.GenerateDataKeyOutput, error) {
	return &kms.GenerateDataKeyOutput{}, w.use(ctx, "GenerateDataKey", in.EncryptionContext)
}

func (w *world) Encrypt(ctx context.Context, in *kms.EncryptInput) (*kms.EncryptOutput, error) {
	return &kms.EncryptOutput{}, w.use(ctx, "Encrypt", in.EncryptionContext)
}

func (w *world) Decrypt(ctx context.Context, in *kms.DecryptInput) (*kms.DecryptOutput, error) {
	return &kms.DecryptOutput{}, w.use(ctx, "Decrypt", in.EncryptionContext)
}

func (w *world) ReEncrypt(ctx context.Context, in *kms.ReEncryptInput) (*kms.ReEncryptOutput, error) {
	return &kms.ReEncryptOutput{}, w.use(ctx, "ReEncrypt", in.DestinationEncryptionContext)
}

func (w *world) use(ctx context.Context, operation string, encryptionContext map[string]string) error {
	if w.disabled {
		return &kmstypes.DisabledException{Message: aws.String("key is disabled.")}
	}
	w.used = append(w.used, operation+" "+access.Caller(ctx).Service+" "+encryptionContext["aws:logs:arn"])
	return nil
}

func (w *world) group(t *testing.T, in *cloudwatchlogs.CreateLogGroupInput, streams ...string) {
	t.Helper()
	if _, err := w.service.CreateLogGroup(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	for _, stream := range streams {
		if _, err := w.service.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: in.LogGroupName, LogStreamName: aws.String(stream)}); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) put(t *testing.T, stream string, messages ...string) {
	t.Helper()
	for _, message := range messages {
		if _, err := w.service.PutLogEvents(t.Context(), &cloudwatchlogs.PutLogEventsInput{
			LogGroupName: aws.String("g"), LogStreamName: aws.String(stream),
			LogEvents: []types.InputLogEvent{{Message: aws.String(message), Timestamp: aws.Int64(w.clock.Now().UnixMilli())}},
		}); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(time.Second)
	}
}

func (w *world) filter(t *testing.T, in cloudwatchlogs.FilterLogEventsInput) []string {
	t.Helper()
	in.LogGroupName = aws.String("g")
	found := []string{}
	for {
		answer, err := w.service.FilterLogEvents(t.Context(), &in)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range answer.Events {
			found = append(found, aws.ToString(e.Message))
		}
		if in.NextToken = answer.NextToken; in.NextToken == nil {
			return found
		}
	}
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

func TestEventsAreFoundByPatternTimeAndStreamInTheirOrder(t *testing.T) {
	w := newWorld(t)
	w.group(t, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("g")}, "a", "b")
	start := w.clock.Now().UnixMilli()
	w.put(t, "a", `{"eventId":"1-2","level":"INFO"}`)
	w.put(t, "b", "START RequestId: 7")
	w.put(t, "a", "ERROR the second thing")
	for name, test := range map[string]struct {
		in   cloudwatchlogs.FilterLogEventsInput
		want []string
	}{
		"everything":   {cloudwatchlogs.FilterLogEventsInput{}, []string{`{"eventId":"1-2","level":"INFO"}`, "START RequestId: 7", "ERROR the second thing"}},
		"in pages":     {cloudwatchlogs.FilterLogEventsInput{Limit: aws.Int32(2)}, []string{`{"eventId":"1-2","level":"INFO"}`, "START RequestId: 7", "ERROR the second thing"}},
		"phrase":       {cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String(`"1-2"`)}, []string{`{"eventId":"1-2","level":"INFO"}`}},
		"all terms":    {cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String("ERROR thing")}, []string{"ERROR the second thing"}},
		"one of terms": {cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String("?ERROR ?START")}, []string{"START RequestId: 7", "ERROR the second thing"}},
		"not a term":   {cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String(`-"START"`)}, []string{`{"eventId":"1-2","level":"INFO"}`, "ERROR the second thing"}},
		"no such term": {cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String("absent")}, []string{}},
		"since":        {cloudwatchlogs.FilterLogEventsInput{StartTime: aws.Int64(start + 1000)}, []string{"START RequestId: 7", "ERROR the second thing"}},
		"until":        {cloudwatchlogs.FilterLogEventsInput{EndTime: aws.Int64(start + 1000)}, []string{`{"eventId":"1-2","level":"INFO"}`}},
		"one stream":   {cloudwatchlogs.FilterLogEventsInput{LogStreamNames: []string{"b"}}, []string{"START RequestId: 7"}},
		"by prefix":    {cloudwatchlogs.FilterLogEventsInput{LogStreamNamePrefix: aws.String("a")}, []string{`{"eventId":"1-2","level":"INFO"}`, "ERROR the second thing"}},
	} {
		t.Run(name, func(t *testing.T) {
			if difference := cmp.Diff(test.want, w.filter(t, test.in)); difference != "" {
				t.Error(difference)
			}
		})
	}
}

func TestEventsOlderThanTheRetentionAreForgotten(t *testing.T) {
	w := newWorld(t)
	w.group(t, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("g")}, "a")
	if _, err := w.service.PutRetentionPolicy(t.Context(), &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String("g"), RetentionInDays: aws.Int32(30)}); err != nil {
		t.Fatal(err)
	}
	w.put(t, "a", "old")
	w.clock.Advance(29 * 24 * time.Hour)
	w.put(t, "a", "young")
	w.clock.Advance(24 * time.Hour)
	if difference := cmp.Diff([]string{"young"}, w.filter(t, cloudwatchlogs.FilterLogEventsInput{})); difference != "" {
		t.Error(difference)
	}
}

func TestAKeyIsUsedByTheServiceForThisGroupOnly(t *testing.T) {
	w := newWorld(t)
	in := &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("g"), KmsKeyId: aws.String("arn:aws:kms:us-east-1:123456789012:key/1")}
	w.group(t, in, "a")
	w.put(t, "a", "line")
	use := " logs.us-east-1.amazonaws.com arn:aws:logs:us-east-1:123456789012:log-group:g"
	want := []string{"Encrypt" + use, "ReEncrypt" + use, "Decrypt" + use, "GenerateDataKey" + use, "GenerateDataKey" + use}
	if difference := cmp.Diff(want, w.used); difference != "" {
		t.Error(difference)
	}
	w.disabled = true
	if _, err := w.service.PutLogEvents(t.Context(), &cloudwatchlogs.PutLogEventsInput{
		LogGroupName: aws.String("g"), LogStreamName: aws.String("a"), LogEvents: []types.InputLogEvent{{Message: aws.String("x"), Timestamp: aws.Int64(1)}},
	}); code(err) != "InvalidParameterException" {
		t.Errorf("a disabled key took an event: %v", err)
	}
	in.LogGroupName = aws.String("h")
	if _, err := w.service.CreateLogGroup(t.Context(), in); err == nil || !strings.Contains(err.Error(), "log-group:h") {
		t.Errorf("error %v, want one that names the log group", err)
	}
}

func TestAGroupIsDescribedAsItWasMade(t *testing.T) {
	w := newWorld(t)
	w.group(t, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("g"), KmsKeyId: aws.String("key")}, "a", "b")
	w.put(t, "a", "line")
	groups, err := w.service.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("g")})
	if err != nil {
		t.Fatal(err)
	}
	if len(groups.LogGroups) != 1 || aws.ToString(groups.LogGroups[0].Arn) != "arn:aws:logs:us-east-1:123456789012:log-group:g:*" || aws.ToString(groups.LogGroups[0].KmsKeyId) != "key" {
		t.Errorf("groups %+v", groups.LogGroups)
	}
	streams, err := w.service.DescribeLogStreams(t.Context(), &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: aws.String("g"), OrderBy: types.OrderByLastEventTime, Descending: aws.Bool(true), Limit: aws.Int32(1)})
	if err != nil {
		t.Fatal(err)
	}
	if len(streams.LogStreams) != 1 || aws.ToString(streams.LogStreams[0].LogStreamName) != "a" {
		t.Errorf("streams %+v, want the one with the newest event", streams.LogStreams)
	}
	if _, err := w.service.DeleteLogGroup(t.Context(), &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String("g")}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.service.DescribeLogStreams(t.Context(), &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: aws.String("g")}); code(err) != "ResourceNotFoundException" {
		t.Errorf("error %v, want ResourceNotFoundException", err)
	}
}

func TestBadInputIsRefused(t *testing.T) {
	w := newWorld(t)
	w.group(t, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("g")}, "a")
	w.refused = "arn:aws:logs:us-east-1:123456789012:log-group:g:log-stream:secret"
	for name, test := range map[string]struct {
		want    string
		attempt func() error
	}{
		"group twice": {"ResourceAlreadyExistsException", func() error {
			_, err := w.service.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("g")})
			return err
		}},
		"group without a name": {"InvalidParameterException", func() error {
			_, err := w.service.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{})
			return err
		}},
		"odd retention": {"InvalidParameterException", func() error {
			_, err := w.service.PutRetentionPolicy(t.Context(), &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String("g"), RetentionInDays: aws.Int32(31)})
			return err
		}},
		"stream that is not there": {"ResourceNotFoundException", func() error {
			_, err := w.service.PutLogEvents(t.Context(), &cloudwatchlogs.PutLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("b")})
			return err
		}},
		"stream that is not allowed": {"AccessDeniedException", func() error {
			_, err := w.service.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("secret")})
			return err
		}},
		"open quotation": {"InvalidParameterException", func() error {
			_, err := w.service.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("g"), FilterPattern: aws.String(`"open`)})
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := test.attempt(); code(err) != test.want {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}
