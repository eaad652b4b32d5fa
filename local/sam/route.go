package sam

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-httpapi.html
var httpAPIEventShape = shape{
	"ApiId":                text,
	"Auth":                 object,
	"Method":               text,
	"Path":                 text,
	"PayloadFormatVersion": text,
	"TimeoutInMillis":      integer,
}

const (
	defaultPath = "$default"
	anyMethod   = "x-amazon-apigateway-any-method"
	implicitAPI = "ServerlessHttpApi"

	integrationKey = "x-amazon-apigateway-integration"
)

// route is a path and method of an API that a function answers.
type route struct {
	path, method string // method in lower case, or anyMethod
	function     serverless
	properties   map[string]any // of the event
	security     []any          // nil leaves it to the API's default authorizer
}

func (d *document) httpAPIEvent(e event) error {
	api, reference, err := d.apiOf(e)
	if err != nil {
		return err
	}
	if api.properties["DefinitionBody"] != nil {
		return fault("The API %s has a DefinitionBody, to which the local endpoint adds no events; write the route there and an AWS::Lambda::Permission beside it.", api.id)
	}
	r, err := readRoute(e)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(api.routes, func(known route) bool { return known.path == r.path && known.method == r.method }) {
		return fault("API method '%s' defined multiple times for path '%s'.", r.method, r.path)
	}
	if auth, ok := e.properties["Auth"].(map[string]any); ok {
		if r.security, err = api.security(auth, r); err != nil {
			return err
		}
	}
	coveredBy := func(known route) bool {
		return known.function.id == e.function.id && known.path == defaultPath && known.method == anyMethod
	}
	covered := slices.ContainsFunc(api.routes, coveredBy)
	api.routes = append(api.routes, r)
	if covered {
		return nil
	}
	return d.permit(e, "apigateway.amazonaws.com", map[string]any{"Fn::Sub": []any{
		"arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/${__Stage__}" + r.permitted(),
		map[string]any{"__ApiId__": reference, "__Stage__": "*"},
	}})
}

// apiOf returns the API that an event names, and how it names it. Events that
// name none share an implicit API.
func (d *document) apiOf(e event) (*httpAPI, any, error) {
	reference := e.properties["ApiId"]
	if reference == nil {
		return d.implicitAPI(), ref(implicitAPI), nil
	}
	id := reference
	if intrinsic, ok := reference.(map[string]any); ok && intrinsic["Ref"] != nil {
		id = intrinsic["Ref"]
	}
	logicalID, isText := id.(string)
	if !isText {
		return nil, nil, fault("Property 'ApiId' should be a string.")
	}
	api := d.apis[logicalID]
	if api == nil {
		return nil, nil, fault("ApiId must be a valid reference to an '%s' resource in same template.", httpAPIType)
	}
	return api, reference, nil
}

func (d *document) implicitAPI() *httpAPI {
	if d.apis[implicitAPI] == nil {
		d.apis[implicitAPI] = &httpAPI{implicit: true, serverless: serverless{
			id: implicitAPI, kind: httpAPIType, attributes: map[string]any{}, properties: d.globals.merge(httpAPIType, nil),
		}}
	}
	return d.apis[implicitAPI]
}

func readRoute(e event) (route, error) {
	r := route{function: e.function, properties: e.properties, path: defaultPath, method: anyMethod}
	path, method := e.properties["Path"], e.properties["Method"]
	if path == nil && method == nil {
		return r, nil
	}
	for property, into := range map[string]*string{"Path": &r.path, "Method": &r.method} {
		value := e.properties[property]
		if value == nil {
			return r, fault("Property '%s' is required.", property)
		}
		written, isText := value.(string)
		if !isText {
			return r, fault("Property '%s' should be a string.", property)
		}
		*into = written
	}
	if r.method = strings.ToLower(r.method); r.method == "any" {
		r.method = anyMethod
	}
	return r, nil
}

var pathParameter = regexp.MustCompile(`{(.*?)}`)

// permitted is the part of the execute-api ARN that stands for the route's
// method and path.
func (r route) permitted() string {
	if r.path == defaultPath {
		if r.method == anyMethod {
			return "/*"
		}
		return "/" + strings.ToUpper(r.method)
	}
	path := r.path
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	path = pathParameter.ReplaceAllString(path, "*")
	if r.method == anyMethod {
		if path == "/"+defaultPath {
			return path
		}
		return "/*" + path
	}
	return "/" + strings.ToUpper(r.method) + path
}

// operation is the route's entry in the OpenAPI document.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
func (r route) operation() any {
	condition := r.function.condition()
	integration := map[string]any{
		"type":                 "aws_proxy",
		"httpMethod":           "POST",
		"payloadFormatVersion": "2.0",
		"uri": provided(condition, map[string]any{
			"Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${" + r.function.id + ".Arn}/invocations",
		}),
	}
	if version := r.properties["PayloadFormatVersion"]; version != nil {
		integration["payloadFormatVersion"] = version
	}
	if timeout := r.properties["TimeoutInMillis"]; timeout != nil {
		integration["timeoutInMillis"] = timeout
	}
	operation := map[string]any{integrationKey: integration, "responses": map[string]any{}}
	if r.path == defaultPath && r.method == anyMethod {
		operation["isDefaultRoute"] = true
	}
	var parameters []any
	for _, match := range pathParameter.FindAllStringSubmatch(r.path, -1) {
		parameters = append(parameters, map[string]any{"name": match[1], "in": "path", "required": true})
	}
	if parameters != nil {
		operation["parameters"] = parameters
	}
	if r.security != nil {
		operation["security"] = r.security
	}
	return provided(condition, operation)
}

// conditions are the conditions of the functions behind routes, sorted; nil if
// any of the functions exists whatever happens.
func conditions(routes []route) []string {
	set := map[string]bool{}
	for _, r := range routes {
		if r.function.condition() == "" {
			return nil
		}
		set[r.function.condition()] = true
	}
	return slices.Sorted(maps.Keys(set))
}
