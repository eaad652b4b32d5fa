package wire_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"api-destination-credentials/local/wire"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	events "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

func TestTemplatePropertiesBecomeAnInput(t *testing.T) {
	var got eventbridge.PutTargetsInput
	err := wire.Decode(map[string]any{
		"rule": "rule",
		"Targets": []any{map[string]any{
			"Id":          42,
			"RetryPolicy": map[string]any{"MaximumRetryAttempts": "3", "MaximumEventAgeInSeconds": 60.0},
			"HttpParameters": map[string]any{
				"HeaderParameters":    map[string]string{"X-Count": "1"},
				"PathParameterValues": []string{"p"},
			},
			"RoleArn": nil, // AWS::NoValue
		}},
	}, &got)
	if err != nil {
		t.Fatal(err)
	}
	same(t, eventbridge.PutTargetsInput{
		Rule: aws.String("rule"),
		Targets: []events.Target{{
			Id:             aws.String("42"),
			RetryPolicy:    &events.RetryPolicy{MaximumRetryAttempts: aws.Int32(3), MaximumEventAgeInSeconds: aws.Int32(60)},
			HttpParameters: &events.HttpParameters{HeaderParameters: map[string]string{"X-Count": "1"}, PathParameterValues: []string{"p"}},
		}},
	}, got)
}

func TestScalarsBecomeWhatTheFieldAsksFor(t *testing.T) {
	type holder struct {
		Text   *string
		Number *int32
		Truth  *bool
		Share  *float64
		Blob   []byte
	}
	for name, test := range map[string]struct {
		given map[string]any
		want  holder
	}{
		"a number as text":            {map[string]any{"Text": 30}, holder{Text: aws.String("30")}},
		"a fraction as text":          {map[string]any{"Text": 0.5}, holder{Text: aws.String("0.5")}},
		"a long number as text":       {map[string]any{"Text": 111122223333.0}, holder{Text: aws.String("111122223333")}},
		"a truth as text":             {map[string]any{"Text": true}, holder{Text: aws.String("true")}},
		"text as a number":            {map[string]any{"Number": "-7"}, holder{Number: aws.Int32(-7)}},
		"a whole fraction":            {map[string]any{"Number": json.Number("30.0")}, holder{Number: aws.Int32(30)}},
		"text as a truth":             {map[string]any{"Truth": "False"}, holder{Truth: aws.Bool(false)}},
		"a whole number as a number":  {map[string]any{"Share": 1}, holder{Share: aws.Float64(1)}},
		"base64 as a blob":            {map[string]any{"Blob": "AAH/"}, holder{Blob: []byte{0, 1, 255}}},
		"a member with small letters": {map[string]any{"text": "t"}, holder{Text: aws.String("t")}},
	} {
		t.Run(name, func(t *testing.T) {
			var got holder
			if err := wire.Decode(test.given, &got); err != nil {
				t.Fatal(err)
			}
			same(t, test.want, got)
		})
	}
}

func TestTimesComeAsTextOrAsSeconds(t *testing.T) {
	for _, given := range []any{"2026-11-05T12:30:15.123Z", "2026-11-05T13:30:15.123+01:00", json.Number("1793881815.123"), 1793881815.123} {
		var got struct{ At events.PutEventsRequestEntry }
		if err := wire.Decode(map[string]any{"At": map[string]any{"Time": given}}, &got); err != nil {
			t.Fatal(err)
		}
		if !got.At.Time.Equal(moment) {
			t.Errorf("%v became %v; want %v", given, got.At.Time, moment)
		}
	}
}

func TestWhatDoesNotFitIsNamedWithoutItsValue(t *testing.T) {
	for name, test := range map[string]struct {
		given any
		want  string
	}{
		"a list for an object":  {[]any{"hunter2"}, "the input must be an object, not a list"},
		"text for an object":    {map[string]any{"Targets": []any{"hunter2"}}, "Targets[0] must be an object, not text"},
		"an object for a list":  {map[string]any{"Targets": map[string]any{}}, "Targets must be a list, not an object"},
		"text for a number":     {map[string]any{"Targets": []any{map[string]any{"RetryPolicy": map[string]any{"MaximumRetryAttempts": "hunter2"}}}}, "Targets[0].RetryPolicy.MaximumRetryAttempts must be a whole number, not text"},
		"a number out of range": {map[string]any{"Targets": []any{map[string]any{"RetryPolicy": map[string]any{"MaximumRetryAttempts": 1 << 40}}}}, "Targets[0].RetryPolicy.MaximumRetryAttempts must be a whole number"},
		"an object for text":    {map[string]any{"Rule": map[string]any{"hunter2": 1}}, "Rule must be text, not an object"},
	} {
		t.Run(name, func(t *testing.T) {
			err := wire.Decode(test.given, &eventbridge.PutTargetsInput{})
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error is %v; want %s", err, test.want)
			}
		})
	}
}

func TestAnUnknownMemberIsNamedWithItsWholePath(t *testing.T) {
	for path, given := range map[string]map[string]any{
		"Targets[1].RetryPolicy.Attempts": {"Targets": []any{map[string]any{}, map[string]any{"RetryPolicy": map[string]any{"Attempts": 1}}}},
		"rULE":                            {"rULE": "r"},
		"ResultMetadata":                  {"ResultMetadata": map[string]any{}},
		"noSmithyDocumentSerde":           {"noSmithyDocumentSerde": map[string]any{}},
	} {
		err := wire.Decode(given, &eventbridge.PutTargetsInput{})
		var unknown wire.UnknownMemberError
		if !errors.As(err, &unknown) || unknown.Path != path {
			t.Errorf("the error is %v; want one that names %s", err, path)
		}
	}
}

func TestWhatIsEncodedCanBeDecoded(t *testing.T) {
	sent := kms.EncryptInput{KeyId: aws.String("key"), Plaintext: []byte{0, 255}, EncryptionContext: map[string]string{"a": "b"}, GrantTokens: []string{}}
	encoded := wire.Encode(&sent)
	same(t, map[string]any{"KeyId": "key", "Plaintext": "AP8=", "EncryptionContext": map[string]any{"a": "b"}, "GrantTokens": []any{}}, encoded)
	var got kms.EncryptInput
	if err := wire.Decode(encoded, &got); err != nil {
		t.Fatal(err)
	}
	same(t, sent, got)

	entry := events.PutEventsRequestEntry{Time: aws.Time(moment)}
	same(t, map[string]any{"Time": "2026-11-05T12:30:15.123Z"}, wire.Encode(entry))
}
