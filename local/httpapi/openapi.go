package httpapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"go.yaml.in/yaml/v3"
)

// definition is what an OpenAPI document says.
type definition struct {
	title, description, version string
	disabled                    bool // the execute-api host
	tags                        map[string]string
	routes                      []*route // by route key
	authorizers                 []types.Authorizer
	warnings                    []string
}

const (
	integrationKey = "x-amazon-apigateway-integration"
	authorizerKey  = "x-amazon-apigateway-authorizer"
	anyMethodKey   = "x-amazon-apigateway-any-method"

	// maxTimeout is the default of an integration and the most it can have.
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
	maxTimeout = 30 * time.Second
	minTimeout = 50 * time.Millisecond
)

// reader walks through a document and collects what is wrong with it.
type reader struct {
	definition *definition
	problems   []string
}

// parse reads a document with the API Gateway extensions, JSON or YAML. What
// only describes the API is passed over; anything else unknown is a problem.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
func parse(body string) (d *definition, problems []string) {
	r := &reader{definition: &definition{tags: map[string]string{}}}
	var document any
	err := json.Unmarshal([]byte(body), &document)
	if err != nil {
		err = yaml.Unmarshal([]byte(body), &document)
	}
	if err != nil {
		return r.definition, []string{"Unable to parse API definition because of a malformed input: " + err.Error()}
	}
	top := r.object("", document, "openapi", "info", "paths", "components", "tags", "servers", "externalDocs", "x-amazon-apigateway-importexport-version")
	if !strings.HasPrefix(fmt.Sprint(top["openapi"]), "3.0") {
		r.problem("openapi", "must be 3.0.x")
	}
	info := r.object("info", top["info"], "title", "version", "description", "termsOfService", "contact", "license")
	r.definition.title = r.text("info.title", info["title"])
	if info["version"] != nil {
		r.definition.version = r.text("info.version", info["version"])
	}
	if info["description"] != nil {
		r.definition.description = r.text("info.description", info["description"])
	}
	r.tags(top["tags"])
	r.servers(top["servers"])
	r.securitySchemes(top["components"])
	r.paths(top["paths"])
	return r.definition, r.problems
}

// tags are the API's where they have a value.
func (r *reader) tags(v any) {
	for i, tag := range r.list("tags", v) {
		at := fmt.Sprintf("tags[%d]", i)
		fields := r.object(at, tag, "name", "description", "externalDocs", "x-amazon-apigateway-tag-value")
		if value := fields["x-amazon-apigateway-tag-value"]; value != nil {
			r.definition.tags[r.text(at+".name", fields["name"])] = r.text(at+".x-amazon-apigateway-tag-value", value)
		}
	}
}

func (r *reader) servers(v any) {
	const key = "x-amazon-apigateway-endpoint-configuration"
	for i, server := range r.list("servers", v) {
		at := fmt.Sprintf("servers[%d]", i)
		configuration := r.object(at+"."+key, r.object(at, server, "url", "description", "variables", key)[key], "disableExecuteApiEndpoint")
		if disabled, is := configuration["disableExecuteApiEndpoint"].(bool); is {
			r.definition.disabled = disabled
		} else if configuration["disableExecuteApiEndpoint"] != nil {
			r.problem(at+"."+key+".disableExecuteApiEndpoint", "must be true or false")
		}
	}
}

// securitySchemes makes an authorizer of every scheme that has the extension.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-authorizer.html
func (r *reader) securitySchemes(v any) {
	components := r.object("components", v, "securitySchemes", "schemas", "responses", "parameters", "examples", "requestBodies", "headers", "links")
	schemes := r.anyObject("components.securitySchemes", components["securitySchemes"])
	for _, name := range slices.Sorted(maps.Keys(schemes)) {
		at := "components.securitySchemes." + name
		scheme := r.object(at, schemes[name], "type", "description", "flows", "openIdConnectUrl", "name", "in", "scheme", "bearerFormat", authorizerKey)
		if scheme[authorizerKey] != nil {
			r.authorizer(at+"."+authorizerKey, name, scheme[authorizerKey])
		}
	}
}

var identitySource = regexp.MustCompile(`^\$request\.(header|querystring)\.[A-Za-z0-9_.-]+$`)

func (r *reader) authorizer(at, name string, v any) {
	fields := r.object(at, v, "type", "jwtConfiguration", "identitySource")
	if fields["type"] != "jwt" {
		r.problem(at+".type", "must be jwt: the local endpoint has no other authorizers")
	}
	source := r.text(at+".identitySource", fields["identitySource"])
	if !identitySource.MatchString(source) {
		r.problem(at+".identitySource", "must be one $request.header.NAME or $request.querystring.NAME")
	}
	at += ".jwtConfiguration"
	configuration := r.object(at, fields["jwtConfiguration"], "issuer", "audience")
	var audience []string
	for i, entry := range r.list(at+".audience", configuration["audience"]) {
		audience = append(audience, r.text(fmt.Sprintf("%s.audience[%d]", at, i), entry))
	}
	if len(audience) == 0 {
		r.problem(at+".audience", "must list at least one audience or client id")
	}
	issuer := r.text(at+".issuer", configuration["issuer"])
	if !strings.HasPrefix(issuer, "https://") {
		r.problem(at+".issuer", "must be an https URL")
	}
	r.definition.authorizers = append(r.definition.authorizers, types.Authorizer{
		AuthorizerId:     aws.String(newID(6)),
		AuthorizerType:   types.AuthorizerTypeJwt,
		IdentitySource:   []string{source},
		JwtConfiguration: &types.JWTConfiguration{Audience: audience, Issuer: aws.String(issuer)},
		Name:             aws.String(name),
	})
}

var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", anyMethodKey}

func (r *reader) paths(v any) {
	if v == nil {
		r.problem("paths", "is missing")
	}
	paths := r.anyObject("paths", v)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		at := "paths." + path
		if !strings.HasPrefix(path, "/") {
			r.definition.warnings = append(r.definition.warnings, "Parse issue: attribute "+at+". Resource "+path+" should start with /")
		}
		item := r.object(at, paths[path], append(methods, "summary", "description", "parameters")...)
		for _, method := range methods {
			if item[method] != nil {
				r.operation(at+"."+method, path, method, item[method])
			}
		}
	}
	slices.SortFunc(r.definition.routes, func(a, b *route) int { return strings.Compare(*a.settings.RouteKey, *b.settings.RouteKey) })
}

func (r *reader) operation(at, path, method string, v any) {
	fields := r.object(at, v, integrationKey, "security", "isDefaultRoute",
		"responses", "parameters", "requestBody", "operationId", "summary", "description", "tags", "deprecated")
	made := newRoute(path, method, fields["isDefaultRoute"] == true)
	made.integration, made.function, made.timeout = r.integration(at+"."+integrationKey, fields[integrationKey])
	made.settings.Target = aws.String("integrations/" + *made.integration.IntegrationId)
	r.security(at+".security", made, fields["security"])
	r.definition.routes = append(r.definition.routes, made)
}

var functionURI = regexp.MustCompile(`^arn:[^:]+:apigateway:[^:]+:lambda:path/2015-03-31/functions/(arn:[^/]+)/invocations$`)

// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-integration.html
func (r *reader) integration(at string, v any) (made types.Integration, function string, timeout time.Duration) {
	made = types.Integration{
		ConnectionType:    types.ConnectionTypeInternet,
		IntegrationId:     aws.String(newID(7)),
		IntegrationMethod: aws.String("POST"),
		IntegrationType:   types.IntegrationTypeAwsProxy,
	}
	if v == nil {
		r.problem(at, "is missing: every method needs an integration")
		return made, "", 0
	}
	fields := r.object(at, v, "type", "httpMethod", "payloadFormatVersion", "uri", "timeoutInMillis", "connectionType", "description")
	if !strings.EqualFold(fmt.Sprint(fields["type"]), "aws_proxy") {
		r.problem(at+".type", "must be aws_proxy: the local endpoint integrates Lambda functions only")
	}
	if connection := fields["connectionType"]; connection != nil && connection != "INTERNET" {
		r.problem(at+".connectionType", "must be INTERNET: the local endpoint has no VPC links")
	}
	if version := fmt.Sprint(fields["payloadFormatVersion"]); version != "2.0" && version != "2" {
		r.problem(at+".payloadFormatVersion", `must be "2.0": the local endpoint has no other format`)
	}
	made.PayloadFormatVersion = aws.String("2.0")
	uri := r.text(at+".uri", fields["uri"])
	match := functionURI.FindStringSubmatch(uri)
	if match == nil {
		r.problem(at+".uri", "must be arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/FUNCTION_ARN/invocations")
		match = []string{"", ""}
	}
	made.IntegrationUri = aws.String(uri)
	timeout = maxTimeout
	if given := fields["timeoutInMillis"]; given != nil {
		milliseconds, err := strconv.ParseInt(fmt.Sprint(given), 10, 32) // more would overflow the duration
		timeout = time.Duration(milliseconds) * time.Millisecond
		if err != nil || timeout < minTimeout || timeout > maxTimeout {
			r.problem(at+".timeoutInMillis", "must be between 50 and 30000")
		}
	}
	made.TimeoutInMillis = aws.Int32(int32(timeout / time.Millisecond))
	return made, match[1], timeout
}

// security gives a route its authorizer and scopes. SAM writes NONE for a route
// that is open on purpose.
func (r *reader) security(at string, to *route, v any) {
	requirements := r.list(at, v)
	if len(requirements) == 0 {
		return
	}
	requirement := r.anyObject(at+"[0]", requirements[0])
	if len(requirements) > 1 || len(requirement) != 1 {
		r.problem(at, "must name one authorizer: a route has at most one")
		return
	}
	name := slices.Collect(maps.Keys(requirement))[0]
	var scopes []string
	for i, scope := range r.list(at+"[0]."+name, requirement[name]) {
		scopes = append(scopes, r.text(fmt.Sprintf("%s[0].%s[%d]", at, name, i), scope))
	}
	i := slices.IndexFunc(r.definition.authorizers, func(a types.Authorizer) bool { return *a.Name == name })
	switch {
	case i >= 0:
		to.authorizer = &r.definition.authorizers[i]
		to.settings.AuthorizationType = types.AuthorizationTypeJwt
		to.settings.AuthorizerId = to.authorizer.AuthorizerId
		to.settings.AuthorizationScopes = scopes
	case name == "NONE" && len(scopes) == 0:
	default:
		r.problem(at, "names the authorizer "+name+", which components.securitySchemes does not declare")
	}
}

func (r *reader) problem(at, what string) { r.problems = append(r.problems, at+" "+what) }

// object returns a map whose members are known; absent ones are fine.
func (r *reader) object(at string, v any, known ...string) map[string]any {
	object := r.anyObject(at, v)
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if !slices.Contains(known, key) {
			r.problem(strings.TrimPrefix(at+"."+key, "."), "is not supported by the local endpoint")
		}
	}
	return object
}

func (r *reader) anyObject(at string, v any) map[string]any {
	object, isObject := v.(map[string]any)
	if v != nil && !isObject {
		r.problem(at, "must be an object")
	}
	return object
}

func (r *reader) list(at string, v any) []any {
	list, isList := v.([]any)
	if v != nil && !isList {
		r.problem(at, "must be a list")
	}
	return list
}

func (r *reader) text(at string, v any) string {
	text, isText := v.(string)
	if !isText || text == "" {
		r.problem(at, "must be a text")
	}
	return text
}
