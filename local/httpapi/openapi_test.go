package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/google/go-cmp/cmp"
)

func TestADocumentBecomesAnAPIAndReplacesIt(t *testing.T) {
	g, ctx := newGateway(t), t.Context()
	id := g.serve(receiver("events/write"))
	api := must(g.GetApi(ctx, &apigatewayv2.GetApiInput{ApiId: &id}))
	if *api.Name != "stack" || *api.Description != "Takes events" || *api.ApiEndpoint != "https://"+id+".execute-api.us-east-1.amazonaws.com" ||
		!cmp.Equal(api.Tags, map[string]string{"httpapi:createdBy": "SAM"}) {
		t.Errorf("the API is %+v", api)
	}
	route := must(g.GetRoutes(ctx, &apigatewayv2.GetRoutesInput{ApiId: &id})).Items[0]
	authorizer := must(g.GetAuthorizers(ctx, &apigatewayv2.GetAuthorizersInput{ApiId: &id})).Items[0]
	integration := must(g.GetIntegrations(ctx, &apigatewayv2.GetIntegrationsInput{ApiId: &id})).Items[0]
	if *route.RouteKey != "$default" || *route.AuthorizerId != *authorizer.AuthorizerId || !cmp.Equal(route.AuthorizationScopes, []string{"events/write"}) ||
		*route.Target != "integrations/"+*integration.IntegrationId || *integration.TimeoutInMillis != 30000 {
		t.Errorf("the route is %+v, its integration %+v", route, integration)
	}
	must(g.ReimportApi(ctx, &apigatewayv2.ReimportApiInput{ApiId: &id, Body: text(open("GET /new"))}))
	g.expect(g.send(id, "GET", "/new", "", nil), 200, `{"ok":true}`)
	g.expect(g.send(id, "GET", "/old", "", nil), 404, `{"message":"Not Found"}`)
	if apis := must(g.GetApis(ctx, &apigatewayv2.GetApisInput{})).Items; len(apis) != 1 || *apis[0].Name != "open" {
		t.Errorf("the APIs are %+v", apis)
	}
	must(g.DeleteApi(ctx, &apigatewayv2.DeleteApiInput{ApiId: &id}))
	if _, err := g.GetApi(ctx, &apigatewayv2.GetApiInput{ApiId: &id}); codeOf(err) != "NotFoundException" {
		t.Errorf("a deleted API gives %v", err)
	}
}

func TestADocumentMayBeYAML(t *testing.T) {
	g := newGateway(t)
	out := must(g.ImportApi(t.Context(), &apigatewayv2.ImportApiInput{Body: aws.String("openapi: 3.0.1\ninfo: {title: yaml, version: '1'}\npaths: {}\n")}))
	if *out.Name != "yaml" {
		t.Errorf("the API is called %s", *out.Name)
	}
}

func TestATimeoutThatNoDurationHoldsIsRefused(t *testing.T) {
	g := newGateway(t)
	// In YAML, whole numbers stay whole; as nanoseconds of 64 bits this one is 100 ms.
	document := `openapi: 3.0.1
info: {title: yaml, version: '1'}
paths: {/: {get: {x-amazon-apigateway-integration: {type: aws_proxy, payloadFormatVersion: "2.0", timeoutInMillis: 18446744073810,
  uri: "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/` + function + `/invocations"}}}}
`
	_, err := g.ImportApi(t.Context(), &apigatewayv2.ImportApiInput{Body: &document})
	if err == nil || !strings.Contains(err.Error(), "timeoutInMillis must be between 50 and 30000") {
		t.Errorf("got %v", err)
	}
}

func TestUnsupportedPartsOfADocumentAreNamed(t *testing.T) {
	g := newGateway(t)
	at := func(document object, path ...string) object {
		for _, key := range path {
			document = document[key].(object)
		}
		return document
	}
	authorizer := []string{"components", "securitySchemes", "AccessToken", "x-amazon-apigateway-authorizer"}
	method := []string{"paths", "/$default", "x-amazon-apigateway-any-method"}
	for name, test := range map[string]struct {
		edit func(object)
		want string
	}{
		"swagger":           {func(d object) { d["openapi"] = "2.0" }, "openapi must be 3.0.x"},
		"CORS":              {func(d object) { d["x-amazon-apigateway-cors"] = object{} }, "x-amazon-apigateway-cors is not supported"},
		"no title":          {func(d object) { delete(at(d, "info"), "title") }, "info.title must be a text"},
		"no paths":          {func(d object) { delete(d, "paths") }, "paths is missing"},
		"Lambda authorizer": {func(d object) { at(d, authorizer...)["type"] = "request" }, "x-amazon-apigateway-authorizer.type must be jwt"},
		"no audience":       {func(d object) { at(d, append(authorizer, "jwtConfiguration")...)["audience"] = nil }, "audience must list at least one"},
		"dead issuer":       {func(d object) { at(d, append(authorizer, "jwtConfiguration")...)["issuer"] = "https://nobody.example" }, "Invalid issuer: https://nobody.example"},
		"odd identity":      {func(d object) { at(d, authorizer...)["identitySource"] = "$context.x" }, "identitySource must be one"},
		"no integration":    {func(d object) { delete(at(d, method...), "x-amazon-apigateway-integration") }, "x-amazon-apigateway-integration is missing"},
		"HTTP integration":  {func(d object) { at(d, append(method, "x-amazon-apigateway-integration")...)["type"] = "http_proxy" }, "type must be aws_proxy"},
		"old payload": {func(d object) {
			at(d, append(method, "x-amazon-apigateway-integration")...)["payloadFormatVersion"] = "1.0"
		}, "payloadFormatVersion must be"},
		"long timeout":   {func(d object) { at(d, append(method, "x-amazon-apigateway-integration")...)["timeoutInMillis"] = 30001 }, "timeoutInMillis must be between"},
		"no function":    {func(d object) { at(d, append(method, "x-amazon-apigateway-integration")...)["uri"] = "https://x" }, "uri must be arn:"},
		"credentials":    {func(d object) { at(d, append(method, "x-amazon-apigateway-integration")...)["credentials"] = "arn" }, "credentials is not supported"},
		"unknown scheme": {func(d object) { at(d, method...)["security"] = []any{object{"Other": []any{}}} }, "names the authorizer Other"},
		"two schemes":    {func(d object) { at(d, method...)["security"] = []any{object{}, object{}} }, "must name one authorizer"},
		"a path that SAM would not write": {func(d object) {
			at(d, "paths")["$default"] = at(d, "paths")["/$default"]
		}, "Warnings found during import:\n\tParse issue: attribute paths.$default."},
	} {
		t.Run(name, func(t *testing.T) {
			document := receiver()
			test.edit(document)
			_, err := g.ImportApi(t.Context(), &apigatewayv2.ImportApiInput{Body: text(document), FailOnWarnings: aws.Bool(true)})
			if codeOf(err) != "BadRequestException" || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
	if apis := must(g.GetApis(t.Context(), &apigatewayv2.GetApisInput{})).Items; len(apis) != 0 {
		t.Errorf("%d APIs came of documents that were refused", len(apis))
	}
}

func TestRoutesMayChangeUnderTraffic(t *testing.T) {
	g := newGateway(t)
	id := g.serve(receiver("events/write"))
	header := http.Header{"Authorization": {g.issuer.token(nil)}}
	var requests sync.WaitGroup
	for range 4 {
		requests.Go(func() {
			for range 10 {
				r := httptest.NewRequest("POST", "/", nil)
				r.Host, r.Header = id+".execute-api.us-east-1.amazonaws.com", header.Clone()
				w := httptest.NewRecorder()
				g.Handler().ServeHTTP(w, r)
				if w.Code != 200 {
					t.Errorf("answered %d %s", w.Code, w.Body)
				}
			}
		})
	}
	for range 10 {
		must(g.ReimportApi(t.Context(), &apigatewayv2.ReimportApiInput{ApiId: &id, Body: text(receiver("events/write"))}))
	}
	requests.Wait()
}
