package wire_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"api-destination-credentials/local/access"
	"api-destination-credentials/local/wire"

	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/google/go-cmp/cmp"
)

// mirror checks what arrives: encoding and decoding it once more changes nothing.
type mirror struct{ *testing.T }

func reflected[In, Out any](m mirror, in *In) (*Out, error) {
	m.Helper()
	again := new(In)
	if err := wire.Decode(wire.Encode(in), again); err != nil {
		m.Errorf("%+v cannot be decoded again: %v", in, err)
	} else if !cmp.Equal(wire.Encode(in), wire.Encode(again)) {
		m.Errorf("decoded again it differs: %s", cmp.Diff(wire.Encode(in), wire.Encode(again)))
	}
	// What an operation answers with are mostly the same members.
	out := new(Out)
	from, to := reflect.ValueOf(in).Elem(), reflect.ValueOf(out).Elem()
	for _, field := range reflect.VisibleFields(from.Type()) {
		if target := to.FieldByName(field.Name); field.IsExported() && target.IsValid() && target.Type() == field.Type {
			target.Set(from.FieldByIndex(field.Index))
		}
	}
	return out, nil
}

type mirroredEvents struct{ mirror }

func (m mirroredEvents) PutTargets(_ context.Context, in *eventbridge.PutTargetsInput) (*eventbridge.PutTargetsOutput, error) {
	return reflected[eventbridge.PutTargetsInput, eventbridge.PutTargetsOutput](m.mirror, in)
}

type mirroredStacks struct{ mirror }

func (m mirroredStacks) CreateStack(_ context.Context, in *cloudformation.CreateStackInput) (*cloudformation.CreateStackOutput, error) {
	return reflected[cloudformation.CreateStackInput, cloudformation.CreateStackOutput](m.mirror, in)
}

type mirroredMetrics struct{ mirror }

func (m mirroredMetrics) PutMetricData(_ context.Context, in *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataOutput, error) {
	return reflected[cloudwatch.PutMetricDataInput, cloudwatch.PutMetricDataOutput](m.mirror, in)
}

type mirroredFunctions struct{ mirror }

func (m mirroredFunctions) CreateFunction(_ context.Context, in *lambda.CreateFunctionInput) (*lambda.CreateFunctionOutput, error) {
	return reflected[lambda.CreateFunctionInput, lambda.CreateFunctionOutput](m.mirror, in)
}

func (m mirroredFunctions) Invoke(_ context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	return reflected[lambda.InvokeInput, lambda.InvokeOutput](m.mirror, in)
}

type mirroredAPIs struct{ mirror }

func (m mirroredAPIs) UntagResource(_ context.Context, in *apigatewayv2.UntagResourceInput) (*apigatewayv2.UntagResourceOutput, error) {
	return reflected[apigatewayv2.UntagResourceInput, apigatewayv2.UntagResourceOutput](m.mirror, in)
}

// FuzzRequest holds that every request is answered in its protocol: well-formed,
// an error with its code and message, and never as if the endpoint had failed.
func FuzzRequest(f *testing.F) {
	const form = "application/x-www-form-urlencoded"
	alarm := cbor.Encode(cbor.Map{
		"Namespace": cbor.String("n"),
		"MetricData": cbor.List{cbor.Map{
			"MetricName": cbor.String("m"), "Value": cbor.Float64(1), "Timestamp": &cbor.Tag{ID: 1, Value: cbor.Float64(1.5e9)}, "Counts": cbor.List{cbor.Uint(1), cbor.NegInt(2)},
		}},
	})
	var zipped bytes.Buffer
	writer := gzip.NewWriter(&zipped)
	_, _ = writer.Write([]byte(`{"Rule":"a"}`))
	_ = writer.Close()
	for _, seed := range []struct {
		service, target, path, header string
		body                          []byte
	}{
		{"events", "AWSEvents.PutTargets", "POST /", "", []byte(`{"Rule":"a","Targets":[{"Id":"1","Arn":"arn","HttpParameters":{"HeaderParameters":{"a":"b"},"PathParameterValues":["c"]},"RetryPolicy":{"MaximumRetryAttempts":"3"},"InputTransformer":{"InputPathsMap":{"a":"$.a"},"InputTemplate":"<a>"}}]}`)},
		{"events", "AWSEvents.PutTargets", "POST /", "", []byte(`{"Targets":{"Id":[]},"rule":1e400,"":null}`)},
		{"events", "AWSEvents.PutTargets", "POST /", "gzip", zipped.Bytes()},
		{"events", "AWSEvents.PutTargets", "POST /", "gzip", zipped.Bytes()[:20]},
		{"events", "AWSEvents.Nothing", "POST /", "", nil},
		{"monitoring", "", "POST /service/GraniteServiceVersion20100801/operation/PutMetricData", "rpc-v2-cbor", alarm},
		{"monitoring", "", "POST /service/GraniteServiceVersion20100801/operation/PutMetricData", "rpc-v2-cbor", []byte("\xa1jMetricData\x9b\x00\x00\x00\xff\xff\xff\xff\xff")},
		{"monitoring", "GraniteServiceVersion20100801.PutMetricData", "POST /", "", []byte(`{"MetricData":[{"Value":"NaN","Timestamp":"Infinity","Values":["-Infinity",1e308]}]}`)},
		{"monitoring", "", "POST /", form, []byte("Action=PutMetricData&MetricData.member.1.Value=NaN&MetricData.member.1.Timestamp=2026-11-23T08:00:00Z&MetricData.member.2.Timestamp=1e300")},
		{"cloudformation", "", "POST /?Version=1", form, []byte("Action=CreateStack&StackName=s&Parameters.member.1.ParameterKey=a&Parameters.member.1.UsePreviousValue=true&Capabilities.member.1=x&Tags=&TemplateBody=%00%zz")},
		{"cloudformation", "", "POST /", form, []byte("Action=CreateStack&Parameters.member.-1=a&Parameters.member.x.y=b&Parameters=c&RollbackConfiguration.RollbackTriggers.member.1.Arn=d&..=e")},
		{"lambda", "", "POST /2015-03-31/functions", "", []byte(`{"FunctionName":"f","Code":{"ZipFile":"!"},"Environment":{"Variables":{"A":"b"}},"Timeout":3.0,"Architectures":["arm64"]}`)},
		{"lambda", "", "POST /2015-03-31/functions/a%2Fb/invocations?Qualifier=1&FunctionName=c", "", []byte("\xff")},
		{"apigateway", "", "DELETE /v2/tags/arn%3Aaws?tagKeys=a&tagKeys=b&nonsense=c", "", nil},
		{"apigateway", "", "DELETE /v2/tags/%zz", "", []byte("null")},
		{"", "", "GET /", "", nil}, {"s3", "", "GET /b/k", "", nil}, {"sqs", "", "POST /", form, []byte("Action=SendMessage")},
	} {
		f.Add(seed.service, seed.target, seed.path, seed.header, seed.body)
	}
	f.Fuzz(func(t *testing.T, service, target, line, kind string, body []byte) {
		method, path, _ := strings.Cut(line, " ")
		request, err := http.NewRequest(method, "http://endpoint"+path, bytes.NewReader(body))
		if err != nil {
			return // net/http answers such requests itself
		}
		request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+keyID+"/20261123/us-east-1/"+service+"/aws4_request")
		request.Header.Set("X-Amz-Target", target)
		switch kind {
		case "gzip":
			request.Header.Set("Content-Encoding", kind)
		case "rpc-v2-cbor":
			request.Header.Set("Smithy-Protocol", kind)
		default:
			request.Header.Set("Content-Type", kind)
		}
		m := mirror{t}
		answered := httptest.NewRecorder()
		wire.New(wire.Config{
			Account: access.Account{ID: "111122223333", Region: "us-east-1"}, Identify: func(string) (access.Principal, error) { return administrator, nil },
			S3: http.NotFoundHandler(),
			Services: []wire.Service{
				{Name: "events", Impl: mirroredEvents{m}}, {Name: "cloudformation", Impl: mirroredStacks{m}}, {Name: "monitoring", Impl: mirroredMetrics{m}},
				{Name: "lambda", Impl: mirroredFunctions{m}}, {Name: "apigateway", Impl: mirroredAPIs{m}},
			},
		}).ServeHTTP(answered, request)
		if answered.Code >= 500 {
			t.Fatalf("answers %d %s", answered.Code, answered.Body)
		}
		code, message, ok := read(answered)
		if !ok {
			t.Errorf("the answer %d %v is malformed: %q", answered.Code, answered.Header(), answered.Body)
		}
		if isError := answered.Code >= 400; isError && (code == "" || message == "") {
			t.Errorf("the error %d lacks its code or message: %q", answered.Code, answered.Body)
		}
	})
}

// read reads an answer in its protocol.
func read(answered *httptest.ResponseRecorder) (code, message string, ok bool) {
	body := answered.Body.Bytes()
	switch media := answered.Header().Get("Content-Type"); {
	case strings.Contains(media, "json"):
		var object struct {
			Code    string `json:"__type"`
			Message string `json:"Message"`
		}
		err := json.Unmarshal(body, &object)
		return object.Code, object.Message, err == nil || answered.Code < 300 // a function's payload may be anything
	case strings.Contains(media, "xml"):
		var whole struct {
			Error         struct{ Code, Message string }
			Code, Message string
		}
		err := xml.Unmarshal(body, &whole)
		return whole.Error.Code + whole.Code, whole.Error.Message + whole.Message, err == nil
	case strings.Contains(media, "cbor"):
		value, err := cbor.Decode(body)
		object, isMap := value.(cbor.Map)
		written, _ := object["__type"].(cbor.String)
		told, _ := object["message"].(cbor.String)
		return string(written), string(told), err == nil && isMap
	}
	return "other", "404 page not found", answered.Code == http.StatusNoContent || answered.Code == http.StatusNotFound
}
