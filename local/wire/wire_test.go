package wire_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"api-destination-credentials/local/access"
	"api-destination-credentials/local/wire"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

const keyID = "AKIAEXAMPLE"

var administrator = access.Principal{ARN: "arn:aws:iam::111122223333:user/administrator", Administrator: true}

// serve starts an endpoint and returns a client configuration for it.
func serve(t *testing.T, config wire.Config) aws.Config {
	t.Helper()
	config.Account = access.Account{ID: "111122223333", Region: "us-east-1"}
	config.Identify = func(given string) (access.Principal, error) {
		if given != keyID {
			return access.Principal{}, &smithy.GenericAPIError{
				Code: "InvalidClientTokenId", Message: "The security token included in the request is invalid.",
			}
		}
		return administrator, nil
	}
	server := httptest.NewServer(wire.New(config))
	t.Cleanup(server.Close)
	return aws.Config{
		Region:           "us-east-1",
		BaseEndpoint:     aws.String(server.URL),
		Credentials:      credentials(keyID),
		RetryMaxAttempts: 1,
	}
}

func credentials(keyID string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: keyID, SecretAccessKey: "not-verified"}, nil
	})
}

// same fails the test where a client did not get what the service gave.
func same(t *testing.T, want, got any) {
	t.Helper()
	onlyMembers := cmp.FilterPath(func(p cmp.Path) bool {
		field, ok := p.Last().(cmp.StructField)
		return ok && (field.Name() == "ResultMetadata" || field.Name() == "noSmithyDocumentSerde")
	}, cmp.Ignore())
	if diff := cmp.Diff(want, got, onlyMembers); diff != "" {
		t.Errorf("what arrived differs from what was sent (-sent +arrived):\n%s", diff)
	}
}

func code(err error) string {
	var known smithy.APIError
	if errors.As(err, &known) {
		return known.ErrorCode()
	}
	return ""
}

type whoami struct{}

func (whoami) GetCallerIdentity(ctx context.Context, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	return &sts.GetCallerIdentityOutput{Account: aws.String("111122223333"), Arn: aws.String(access.Caller(ctx).ARN)}, nil
}

func (whoami) Close() {}

func TestTheAccessKeyDecidesWhoCalls(t *testing.T) {
	config := serve(t, wire.Config{Services: []wire.Service{{Name: "sts", Impl: whoami{}}}})

	answer, err := sts.NewFromConfig(config).GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	same(t, &sts.GetCallerIdentityOutput{Account: aws.String("111122223333"), Arn: aws.String(administrator.ARN)}, answer)

	config.Credentials = credentials("AKIASTRANGER")
	if _, err := sts.NewFromConfig(config).GetCallerIdentity(t.Context(), nil); code(err) != "InvalidClientTokenId" {
		t.Errorf("an unknown access key is answered with %v; want InvalidClientTokenId", err)
	}
}

func TestAnyRegionOfASignatureIsAcceptedAndLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	config := serve(t, wire.Config{
		Services: []wire.Service{{Name: "sts", Impl: whoami{}}},
		Log:      slog.New(slog.NewTextHandler(&log, nil)),
	})
	config.Region = "eu-central-1"
	for range 2 {
		if _, err := sts.NewFromConfig(config).GetCallerIdentity(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	if lines := strings.Count(log.String(), "eu-central-1"); lines != 1 {
		t.Errorf("the other Region is logged %d times; want once", lines)
	}
}

type nothing struct{}

func TestWhatTheEndpointLacksIsNamed(t *testing.T) {
	config := serve(t, wire.Config{Services: []wire.Service{
		{Name: "events", Impl: nothing{}}, {Name: "sts", Impl: nothing{}},
	}})
	for name, test := range map[string]struct {
		ask  func() error
		want string
	}{
		"an operation of a JSON service": {
			func() error {
				_, err := eventbridge.NewFromConfig(config).ListRules(t.Context(), nil)
				return err
			}, "events:ListRules",
		},
		"an operation of a Query service": {
			func() error {
				_, err := sts.NewFromConfig(config).GetSessionToken(t.Context(), nil)
				return err
			}, "sts:GetSessionToken",
		},
		"a service": {
			func() error {
				_, err := kms.NewFromConfig(config).ListKeys(t.Context(), nil)
				return err
			}, "TrentService",
		},
		"S3": {
			func() error {
				_, err := s3.NewFromConfig(config).ListBuckets(t.Context(), nil)
				return err
			}, "s3",
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.ask()
			if code(err) != "UnknownOperationException" || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the answer is %v; want UnknownOperationException naming %s", err, test.want)
			}
		})
	}
}

func TestAnUnsignedRequestIsRefusedInItsOwnStyle(t *testing.T) {
	config := serve(t, wire.Config{
		Services: []wire.Service{{Name: "events", Impl: nothing{}}, {Name: "sts", Impl: nothing{}}},
		S3:       http.NotFoundHandler(),
	})
	for name, test := range map[string]struct {
		header, value, body, want string
	}{
		"JSON":  {"X-Amz-Target", "AWSEvents.ListRules", "{}", `"__type":"MissingAuthenticationToken"`},
		"Query": {"Content-Type", "application/x-www-form-urlencoded", "Action=GetCallerIdentity", "<ErrorResponse><Error><Type>Sender</Type><Code>MissingAuthenticationToken</Code>"},
		"S3":    {"Content-Type", "text/plain", "an object", "<Error><Code>MissingAuthenticationToken</Code>"},
	} {
		t.Run(name, func(t *testing.T) {
			request, _ := http.NewRequest(http.MethodPost, *config.BaseEndpoint, strings.NewReader(test.body))
			request.Header.Set(test.header, test.value)
			status, header, body := send(t, request)
			if status != http.StatusForbidden || !strings.Contains(body, test.want) {
				t.Errorf("the answer is %d %s; want 403 with %s", status, body, test.want)
			}
			if header.Get("x-amzn-RequestId") == "" {
				t.Error("the answer has no x-amzn-RequestId")
			}
		})
	}
}

func send(t *testing.T, request *http.Request) (int, http.Header, string) {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(body)
}

func TestS3GetsItsRequestsWithTheirCaller(t *testing.T) {
	config := serve(t, wire.Config{S3: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("ETag", access.Caller(r.Context()).ARN+" "+r.Method+" "+r.URL.Path+" "+string(body))
	})})
	client := s3.NewFromConfig(config, func(o *s3.Options) {
		o.UsePathStyle = true
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	})

	answer, err := client.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String("bucket"), Key: aws.String("key"), Body: strings.NewReader("zip"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := administrator.ARN + " PUT /bucket/key zip"; *answer.ETag != want {
		t.Errorf("S3 saw %q; want %q", *answer.ETag, want)
	}

	presigned, err := s3.NewPresignClient(client).PresignGetObject(t.Context(), &s3.GetObjectInput{
		Bucket: aws.String("bucket"), Key: aws.String("key"),
	})
	if err != nil {
		t.Fatal(err)
	}
	request, _ := http.NewRequest(http.MethodGet, presigned.URL, nil)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded") // as curl has it
	if _, header, _ := send(t, request); header.Get("ETag") != administrator.ARN+" GET /bucket/key" {
		t.Errorf("S3 saw %q of a presigned URL", header.Get("ETag"))
	}
}

func TestInternalPathsNeedNoSignature(t *testing.T) {
	config := serve(t, wire.Config{Internal: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "internal "+r.URL.Path)
	})})
	request, _ := http.NewRequest(http.MethodGet, *config.BaseEndpoint+"/_health", nil)
	if status, _, body := send(t, request); status != http.StatusOK || body != "internal /_health" {
		t.Errorf("the answer is %d %q", status, body)
	}
}

type broken struct{}

func (broken) ListRules(context.Context, *eventbridge.ListRulesInput) (*eventbridge.ListRulesOutput, error) {
	return nil, errors.New("hunter2 does not open the store")
}

func (broken) ListEventBuses(context.Context, *eventbridge.ListEventBusesInput) (*eventbridge.ListEventBusesOutput, error) {
	panic("hunter2 is gone")
}

func TestAnErrorOfOursIsLoggedAndNotTold(t *testing.T) {
	var log bytes.Buffer
	config := serve(t, wire.Config{
		Services: []wire.Service{{Name: "events", Impl: broken{}}},
		Log:      slog.New(slog.NewTextHandler(&log, nil)),
	})
	client := eventbridge.NewFromConfig(config)
	_, failed := client.ListRules(t.Context(), nil)
	_, panicked := client.ListEventBuses(t.Context(), nil)
	for _, err := range []error{failed, panicked} {
		if code(err) != "InternalFailure" || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the client is told %v; want InternalFailure without the cause", err)
		}
	}
	for _, want := range []string{"events:ListRules", "hunter2 does not open", "events:ListEventBuses", "hunter2 is gone"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q: %s", want, log.String())
		}
	}
}

func TestABodyBeyondTheLimitIsRefused(t *testing.T) {
	config := serve(t, wire.Config{Services: []wire.Service{{Name: "sqs", Impl: &queues{}}}})
	_, err := sqs.NewFromConfig(config).CreateQueue(t.Context(), &sqs.CreateQueueInput{
		QueueName: aws.String(strings.Repeat("q", 17<<20)),
	})
	if code(err) != "RequestEntityTooLargeException" {
		t.Errorf("the answer is %v; want RequestEntityTooLargeException", err)
	}
}

func TestAMemberThatNoServiceKnowsIsNamed(t *testing.T) {
	config := serve(t, wire.Config{Services: []wire.Service{{Name: "events", Impl: broken{}}}})
	for body, want := range map[string]string{
		`{"Limit":5,"Shade":"red"}`: "ValidationException unknown member Shade",
		`{"Limit":"many"}`:          "SerializationException Limit must be a whole number, not text",
		`{"Limit":`:                 "SerializationException no JSON",
		`{} {}`:                     "SerializationException goes on after",
	} {
		request, _ := http.NewRequest(http.MethodPost, *config.BaseEndpoint, strings.NewReader(body))
		request.Header.Set("X-Amz-Target", "AWSEvents.ListRules")
		request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+keyID+"/20260101/us-east-1/events/aws4_request, SignedHeaders=host, Signature=0")
		status, _, answer := send(t, request)
		wantCode, wantMessage, _ := strings.Cut(want, " ")
		if status != http.StatusBadRequest || !strings.Contains(answer, wantCode) || !strings.Contains(answer, wantMessage) {
			t.Errorf("%s is answered with %d %s; want %s", body, status, answer, want)
		}
	}
}
