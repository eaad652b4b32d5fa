package httpapi_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"api-destination-credentials/local/access"
)

func TestTheReceiverGetsTheRequestWithItsVerifiedClaims(t *testing.T) {
	g := newGateway(t)
	g.functions.answer = returning(`{"statusCode":202,"headers":{"content-type":"application/json","x-list":1},"cookies":["a=1","b=2"],"body":"{\"id\":\"e-1\"}","isBase64Encoded":false}`)
	id := g.serve(receiver("events/write", "events/admin"))
	got := g.send(id, "POST", "/a%20b/c?x=1&y=2&x=3", `{"id":"e-1"}`, http.Header{
		"Authorization": {"Bearer " + g.issuer.token(nil)}, "Content-Type": {"application/json; charset=utf-8"},
		"X-Many": {"1", "2"}, "Cookie": {"k=v; l=w"}, "User-Agent": {"Amazon/EventBridge/ApiDestinations"},
	})
	g.expect(got, 202, `{"id":"e-1"}`)
	if diff := cmp.Diff([]string{"a=1", "b=2"}, got.Header.Values("Set-Cookie")); diff != "" {
		t.Error(diff)
	}
	if got.Header.Get("Content-Type") != "application/json" || got.Header.Get("X-List") != "1" {
		t.Errorf("answered with the headers %v", got.Header)
	}

	event := g.functions.event
	for _, name := range []string{"authorization", "content-length", "x-forwarded-for", "x-amzn-trace-id", "accept-encoding"} {
		if event.Headers[name] == "" {
			t.Errorf("the header %s is missing", name)
		}
		delete(event.Headers, name)
	}
	if event.RequestContext.RequestID != got.Header.Get("Apigw-Requestid") {
		t.Error("the event's request id is not the answer's")
	}
	event.RequestContext.RequestID = ""
	want := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: "$default", RawPath: "/a%20b/c", RawQueryString: "x=1&y=2&x=3",
		Cookies: []string{"k=v", "l=w"},
		Headers: map[string]string{
			"host": id + ".execute-api.us-east-1.amazonaws.com", "content-type": "application/json; charset=utf-8", "x-many": "1,2",
			"user-agent": "Amazon/EventBridge/ApiDestinations", "x-forwarded-port": "443", "x-forwarded-proto": "https",
		},
		QueryStringParameters: map[string]string{"x": "1,3", "y": "2"},
		Body:                  `{"id":"e-1"}`,
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: "$default", AccountID: "123456789012", Stage: "$default", APIID: id,
			DomainName: id + ".execute-api.us-east-1.amazonaws.com", DomainPrefix: id,
			Time: "23/Nov/2026:08:00:00 +0000", TimeEpoch: start.UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: "POST", Path: "/a%20b/c", Protocol: "HTTP/1.1", SourceIP: "127.0.0.1", UserAgent: "Amazon/EventBridge/ApiDestinations",
			},
			Authorizer: &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{
				Claims: map[string]string{
					"iss": issuerURL, "client_id": "client", "sub": "client", "scope": "events/write events/read",
					"exp": "1795424400", "iat": "1795420800", "groups": "[a b]",
				},
				Scopes: []string{"events/write"},
			}},
		},
	}
	if diff := cmp.Diff(want, event); diff != "" {
		t.Error(diff)
	}
	caller := access.Principal{Service: "apigateway.amazonaws.com", SourceARN: "arn:aws:execute-api:us-east-1:123456789012:" + id + "/$default/$default"}
	if diff := cmp.Diff(caller, g.functions.caller); diff != "" || g.functions.name != function {
		t.Errorf("%s was invoked by %s", g.functions.name, diff)
	}
}

func TestBodiesThatAreNoTextTravelInBase64(t *testing.T) {
	g := newGateway(t)
	id := g.serve(open("ANY /$default"))
	for contentType, encoded := range map[string]bool{
		"application/json": false, "text/csv": false, "application/xml": false,
		"application/octet-stream": true, "application/x-www-form-urlencoded": true, "": true,
	} {
		g.send(id, "POST", "/", "a=b", http.Header{"Content-Type": {contentType}})
		want := map[bool]string{false: "a=b", true: "YT1i"}[encoded]
		if got := g.functions.event; got.IsBase64Encoded != encoded || got.Body != want {
			t.Errorf("%q: body %q (base64 %t), want %q", contentType, got.Body, got.IsBase64Encoded, want)
		}
	}
}

func TestAnswersAreReadAsPayloadFormat2(t *testing.T) {
	g := newGateway(t)
	id := g.serve(open("ANY /$default"))
	const failure = `{"message":"Internal Server Error"}`
	for name, test := range map[string]struct {
		payload     string
		status      int
		body        string
		contentType string
	}{
		"an object":            {`{"a":1}`, 200, `{"a":1}`, "application/json"},
		"a text":               {`"hello"`, 200, "hello", "application/json"},
		"null":                 {`null`, 200, "null", "application/json"},
		"a status alone":       {`{"statusCode":204}`, 204, "", "text/plain;charset=UTF-8"},
		"a body in base64":     {`{"statusCode":200,"body":"aGk=","isBase64Encoded":true}`, 200, "hi", "text/plain;charset=UTF-8"},
		"a wrong length":       {`{"statusCode":200,"body":"hi","headers":{"content-length":"9"}}`, 200, "hi", "text/plain;charset=UTF-8"},
		"a status of nonsense": {`{"statusCode":1000}`, 500, failure, "application/json"},
		"a body that is none":  {`{"statusCode":200,"body":{}}`, 500, failure, "application/json"},
		"a body not in base64": {`{"statusCode":200,"body":"?","isBase64Encoded":true}`, 500, failure, "application/json"},
		"no JSON":              {`hello`, 500, failure, "application/json"},
	} {
		t.Run(name, func(t *testing.T) {
			g.functions.answer = returning(test.payload)
			got := g.send(id, "GET", "/", "", nil)
			if got.Status != test.status || got.Body != test.body || got.Header.Get("Content-Type") != test.contentType {
				t.Errorf("answered %d %s (%s), want %d %s (%s)", got.Status, got.Body, got.Header.Get("Content-Type"), test.status, test.body, test.contentType)
			}
		})
	}
}

func TestFunctionsThatFailOrDawdleAreServerErrors(t *testing.T) {
	g := newGateway(t)
	document := open("GET /quick", "GET /slow")
	document["paths"].(object)["/slow"].(object)["get"].(object)["x-amazon-apigateway-integration"].(object)["timeoutInMillis"] = 50
	id := g.serve(document)

	g.functions.answer = func(ctx context.Context) (*lambda.InvokeOutput, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	g.expect(g.send(id, "GET", "/slow", "", nil), 503, `{"message":"Service Unavailable"}`)
	g.functions.answer = func(context.Context) (*lambda.InvokeOutput, error) {
		return &lambda.InvokeOutput{StatusCode: 200, FunctionError: aws.String("Unhandled"), Payload: []byte(`{"errorMessage":"secret"}`)}, nil
	}
	g.expect(g.send(id, "GET", "/quick", "", nil), 500, `{"message":"Internal Server Error"}`)
	g.functions.answer = func(context.Context) (*lambda.InvokeOutput, error) {
		return nil, &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no permission"}
	}
	g.expect(g.send(id, "GET", "/quick", "", nil), 500, `{"message":"Internal Server Error"}`)
}

func TestTenMegabytesAreTheMost(t *testing.T) {
	g := newGateway(t)
	id := g.serve(open("ANY /$default"))
	g.expect(g.send(id, "POST", "/", strings.Repeat("x", 10<<20+1), nil), 413, `{"message":"Request Entity Too Large"}`)
	if g.functions.calls != 0 {
		t.Error("the function was invoked")
	}
}

func TestTheClosestRouteIsTaken(t *testing.T) {
	g := newGateway(t)
	id := g.serve(open("GET /pets/dog/1", "GET /pets/dog/{id}", "ANY /pets/dog/{id}", "GET /pets/{proxy+}", "POST /pets/dog", "ANY /$default"))
	for request, want := range map[string]struct {
		route, source string
		variables     map[string]string
	}{
		"GET /pets/dog/1":      {"GET /pets/dog/1", "GET/pets/dog/1", nil},
		"GET /pets/dog/2":      {"GET /pets/dog/{id}", "GET/pets/dog/{id}", map[string]string{"id": "2"}},
		"PUT /pets/dog/2":      {"ANY /pets/dog/{id}", "ANY/pets/dog/{id}", map[string]string{"id": "2"}},
		"GET /pets/cat/3%20/4": {"GET /pets/{proxy+}", "GET/pets/{proxy+}", map[string]string{"proxy": "cat/3 /4"}},
		"GET /pets":            {"$default", "$default", nil},
		"POST /pets/dog":       {"POST /pets/dog", "POST/pets/dog", nil},
		"POST /pets/dog/":      {"$default", "$default", nil},
		"PUT /":                {"$default", "$default", nil},
	} {
		method, path, _ := strings.Cut(request, " ")
		g.send(id, method, path, "", nil)
		if got := g.functions.event; got.RouteKey != want.route || !cmp.Equal(want.variables, got.PathParameters) {
			t.Errorf("%s: route %s with %v, want %s with %v", request, got.RouteKey, got.PathParameters, want.route, want.variables)
		}
		if source := "arn:aws:execute-api:us-east-1:123456789012:" + id + "/$default/" + want.source; g.functions.caller.SourceARN != source {
			t.Errorf("%s: source %s, want %s", request, g.functions.caller.SourceARN, source)
		}
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	g := newGateway(t)
	id := g.serve(open("GET /here"))
	g.expect(g.send(id, "GET", "/there", "", nil), 404, `{"message":"Not Found"}`)
	g.expect(g.send(id, "POST", "/here", "", nil), 404, `{"message":"Not Found"}`)
	g.expect(g.send("unknown", "GET", "/here", "", nil), 404, `{"message":"There is no API unknown on the local endpoint"}`)
	must(g.UpdateApi(t.Context(), &apigatewayv2.UpdateApiInput{ApiId: &id, DisableExecuteApiEndpoint: aws.Bool(true)}))
	g.expect(g.send(id, "GET", "/here", "", nil), 404, `{"message":"Not Found"}`)
}
