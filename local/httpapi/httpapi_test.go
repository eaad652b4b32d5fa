package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
	"api-destination-credentials/local/httpapi"
)

var start = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

const function = "arn:aws:lambda:us-east-1:123456789012:function:receiver"

// guard is an authorizer that keeps what it was asked and can refuse.
type guard struct {
	refuses bool
	asked   []access.Request
}

func (g *guard) Authorize(_ context.Context, r access.Request) error {
	g.asked = append(g.asked, r)
	if g.refuses {
		return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no"}
	}
	return nil
}

// functions is a Lambda whose one function answers with answer.
type functions struct {
	mu      sync.Mutex
	answer  func(context.Context) (*lambda.InvokeOutput, error)
	calls   int
	name    string
	caller  access.Principal
	event   events.APIGatewayV2HTTPRequest
	payload []byte
}

func (f *functions) Invoke(ctx context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	f.name, f.caller, f.payload, f.event = *in.FunctionName, access.Caller(ctx), in.Payload, events.APIGatewayV2HTTPRequest{}
	if err := json.Unmarshal(in.Payload, &f.event); err != nil {
		return nil, err
	}
	return f.answer(ctx)
}

func returning(payload string) func(context.Context) (*lambda.InvokeOutput, error) {
	return func(context.Context) (*lambda.InvokeOutput, error) {
		return &lambda.InvokeOutput{StatusCode: 200, Payload: []byte(payload)}, nil
	}
}

// gateway is a service whose requests come over a real connection.
type gateway struct {
	*testing.T
	*httpapi.Service
	guard     *guard
	functions *functions
	issuer    *issuer
	clock     *clockwork.FakeClock
	server    *httptest.Server
}

func newGateway(t *testing.T) *gateway {
	g := &gateway{
		T: t, guard: &guard{}, functions: &functions{answer: returning(`{"ok":true}`)},
		issuer: newIssuer(), clock: clockwork.NewFakeClockAt(start),
	}
	g.Service = httpapi.New(httpapi.Config{
		Account: access.Account{ID: "123456789012", Region: "us-east-1"},
		Auth:    g.guard, Clock: g.clock, Functions: g.functions, HTTP: g.issuer,
	})
	g.server = httptest.NewServer(g.Handler())
	t.Cleanup(g.server.Close)
	return g
}

// object is a part of an OpenAPI document.
type object = map[string]any

func integration() object {
	return object{
		"type": "aws_proxy", "httpMethod": "POST", "payloadFormatVersion": "2.0",
		"uri": "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + function + "/invocations",
	}
}

func operation(security ...any) object {
	made := object{"x-amazon-apigateway-integration": integration(), "responses": object{}}
	if len(security) > 0 {
		made["security"] = security
	}
	return made
}

// receiver is the document that SAM makes of the template's ReceiverApi.
func receiver(scopes ...string) object {
	all := operation(object{"AccessToken": append([]string{}, scopes...)})
	all["isDefaultRoute"] = true
	return object{
		"openapi": "3.0.1",
		"info":    object{"title": "stack", "version": "1.0", "description": "Takes events"},
		"paths":   object{"/$default": object{"x-amazon-apigateway-any-method": all}},
		"components": object{"securitySchemes": object{"AccessToken": object{
			"type": "oauth2",
			"x-amazon-apigateway-authorizer": object{
				"type": "jwt", "identitySource": "$request.header.Authorization",
				"jwtConfiguration": object{"issuer": issuerURL, "audience": []string{"client"}},
			},
		}}},
		"tags": []any{object{"name": "httpapi:createdBy", "x-amazon-apigateway-tag-value": "SAM"}},
	}
}

// open is a document of open routes, named METHOD /path.
func open(routes ...string) object {
	paths := object{}
	for _, route := range routes {
		method, path, _ := strings.Cut(route, " ")
		item, _ := paths[path].(object)
		if item == nil {
			item = object{}
			paths[path] = item
		}
		made := operation()
		if method = strings.ToLower(method); method == "any" {
			method = "x-amazon-apigateway-any-method"
			made["isDefaultRoute"] = path == "/$default"
		}
		item[method] = made
	}
	return object{"openapi": "3.0.1", "info": object{"title": "open", "version": "1.0"}, "paths": paths}
}

func text(document object) *string { return aws.String(string(must(json.Marshal(document)))) }

// serve imports a document and gives it a stage.
func (g *gateway) serve(document object) (apiID string) {
	g.Helper()
	out, err := g.ImportApi(g.Context(), &apigatewayv2.ImportApiInput{Body: text(document), FailOnWarnings: aws.Bool(true)})
	if err != nil {
		g.Fatal(err)
	}
	must(g.CreateStage(g.Context(), &apigatewayv2.CreateStageInput{ApiId: out.ApiId, StageName: aws.String("$default"), AutoDeploy: aws.Bool(true)}))
	return *out.ApiId
}

type answer struct {
	Status int
	Body   string
	Header http.Header
}

func (g *gateway) send(apiID, method, path, body string, header http.Header) answer {
	g.Helper()
	r := must(http.NewRequest(method, g.server.URL+path, strings.NewReader(body)))
	r.Header = header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Host = apiID + ".execute-api.us-east-1.amazonaws.com"
	response, err := g.server.Client().Do(r)
	if err != nil {
		g.Fatal(err)
	}
	defer response.Body.Close()
	return answer{response.StatusCode, string(must(io.ReadAll(response.Body))), response.Header}
}

func (g *gateway) expect(got answer, status int, body string) {
	g.Helper()
	if got.Status != status || got.Body != body {
		g.Errorf("answered %d %s, want %d %s", got.Status, got.Body, status, body)
	}
	if len(got.Header.Get("Apigw-Requestid")) != 16 {
		g.Errorf("the request id is %q", got.Header.Get("Apigw-Requestid"))
	}
}

func must[T any](out T, err error) T {
	if err != nil {
		panic(err)
	}
	return out
}

func codeOf(err error) string {
	var known smithy.APIError
	if !errors.As(err, &known) {
		return ""
	}
	return known.ErrorCode()
}

func TestStagesServeTheAPIBelowTheirName(t *testing.T) {
	g, ctx := newGateway(t), t.Context()
	id := g.serve(open("GET /here"))
	must(g.CreateStage(ctx, &apigatewayv2.CreateStageInput{
		ApiId: &id, StageName: aws.String("beta"), AutoDeploy: aws.Bool(true), StageVariables: map[string]string{"k": "v"},
		DefaultRouteSettings: &types.RouteSettings{ThrottlingBurstLimit: aws.Int32(10)}, AccessLogSettings: &types.AccessLogSettings{Format: aws.String("$context.requestId")},
	}))
	g.expect(g.send(id, "GET", "/beta/here", "", nil), 200, `{"ok":true}`)
	if got := g.functions.event; got.RawPath != "/beta/here" || got.RequestContext.Stage != "beta" || got.StageVariables["k"] != "v" {
		t.Errorf("the function got path %s, stage %s, variables %v", got.RawPath, got.RequestContext.Stage, got.StageVariables)
	}
	if _, err := g.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: &id, StageName: aws.String("beta"), AutoDeploy: aws.Bool(true)}); codeOf(err) != "ConflictException" {
		t.Errorf("a second stage of the name gives %v", err)
	}
	if _, err := g.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: &id, StageName: aws.String("by-hand")}); codeOf(err) != "BadRequestException" {
		t.Errorf("a stage without AutoDeploy gives %v", err)
	}
	must(g.UpdateStage(ctx, &apigatewayv2.UpdateStageInput{ApiId: &id, StageName: aws.String("beta"), Description: aws.String("try it")}))
	got := must(g.GetStage(ctx, &apigatewayv2.GetStageInput{ApiId: &id, StageName: aws.String("beta")}))
	if *got.Description != "try it" || *got.DefaultRouteSettings.ThrottlingBurstLimit != 10 || got.AccessLogSettings == nil {
		t.Errorf("the stage is now %+v", got)
	}
	must(g.DeleteStage(ctx, &apigatewayv2.DeleteStageInput{ApiId: &id, StageName: aws.String("beta")}))
	g.expect(g.send(id, "GET", "/beta/here", "", nil), 404, `{"message":"Not Found"}`)
	if stages := must(g.GetStages(ctx, &apigatewayv2.GetStagesInput{ApiId: &id})).Items; len(stages) != 1 {
		t.Errorf("%d stages are left, want 1", len(stages))
	}
}

func TestUnsupportedFieldsAreRefusedByName(t *testing.T) {
	g := newGateway(t)
	_, err := g.CreateApi(t.Context(), &apigatewayv2.CreateApiInput{Name: aws.String("x"), ProtocolType: types.ProtocolTypeHttp, Target: aws.String(function)})
	if codeOf(err) != "ValidationException" || !strings.Contains(err.Error(), "Target") {
		t.Error(err)
	}
}

func TestTagsAreThoseOfTheAPIAndTheStage(t *testing.T) {
	g, ctx := newGateway(t), t.Context()
	id := g.serve(open("GET /"))
	for _, path := range []string{"/apis/" + id, "/apis/" + id + "/stages/$default"} {
		arn := aws.String("arn:aws:apigateway:us-east-1::" + path)
		must(g.TagResource(ctx, &apigatewayv2.TagResourceInput{ResourceArn: arn, Tags: map[string]string{"a": path, "b": "2"}}))
		must(g.UntagResource(ctx, &apigatewayv2.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"b"}}))
		if diff := cmp.Diff(map[string]string{"a": path}, must(g.GetTags(ctx, &apigatewayv2.GetTagsInput{ResourceArn: arn})).Tags); diff != "" {
			t.Error(diff)
		}
	}
}

func TestManagementAsksForPermission(t *testing.T) {
	g := newGateway(t)
	g.guard.refuses = true
	_, create := g.ImportApi(t.Context(), &apigatewayv2.ImportApiInput{Body: text(open())})
	_, stage := g.GetStage(t.Context(), &apigatewayv2.GetStageInput{ApiId: aws.String("a"), StageName: aws.String("$default")})
	if codeOf(create) != "AccessDeniedException" || codeOf(stage) != "AccessDeniedException" {
		t.Errorf("%v and %v, want AccessDeniedException", create, stage)
	}
	want := []access.Request{
		{Action: "apigateway:PUT", Resource: "arn:aws:apigateway:us-east-1::/apis"},
		{Action: "apigateway:GET", Resource: "arn:aws:apigateway:us-east-1::/apis/a/stages/$default"},
	}
	if diff := cmp.Diff(want, g.guard.asked); diff != "" {
		t.Error(diff)
	}
}
