package sam

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// openAPI writes the API's document with the API Gateway extensions: the
// template's own DefinitionBody, or one made of the routes of the functions.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
func (d *document) openAPI(a *httpAPI) (map[string]any, error) {
	body, paths, err := d.definition(a)
	if err != nil {
		return nil, err
	}
	if err := a.addInfo(body); err != nil {
		return nil, err
	}
	if err := a.addAuth(body, paths); err != nil {
		return nil, err
	}
	if err := a.addCors(body); err != nil {
		return nil, err
	}
	a.addTags(body)
	if disable := a.properties["DisableExecuteApiEndpoint"]; disable != nil {
		addEndpointConfiguration(body, disable)
	}
	// API Gateway warns about a path without a slash, which FailOnWarnings makes an error.
	if item, ok := paths[defaultPath]; ok && a.failsOnWarnings() {
		delete(paths, defaultPath)
		paths["/"+defaultPath] = item
	}
	return body, nil
}

var openAPI3 = regexp.MustCompile(`^3(\.\d){0,2}$`)

func (d *document) definition(a *httpAPI) (body, paths map[string]any, err error) {
	body, own := a.properties["DefinitionBody"].(map[string]any)
	if own {
		paths, _ = body["paths"].(map[string]any)
		if paths == nil || !openAPI3.MatchString(fmt.Sprint(body["openapi"])) {
			return nil, nil, fault("Invalid OpenApi document. Invalid values or missing keys for 'openapi' or 'paths' in 'DefinitionBody'.")
		}
		return body, paths, nil
	}
	paths, err = d.paths(a)
	return map[string]any{
		"openapi": "3.0.1",
		"info":    map[string]any{"version": "1.0", "title": ref("AWS::StackName")},
		"paths":   paths,
	}, paths, err
}

// paths writes the API's routes; a path is there when any of its functions is.
func (d *document) paths(a *httpAPI) (map[string]any, error) {
	byPath := map[string][]route{}
	for _, r := range a.routes {
		byPath[r.path] = append(byPath[r.path], r)
	}
	paths := map[string]any{}
	for _, path := range slices.Sorted(maps.Keys(byPath)) {
		item := map[string]any{}
		for _, r := range byPath[path] {
			item[r.method] = r.operation()
		}
		condition, err := d.anyOf(a.id+pathName(path)+"PathCondition", conditions(byPath[path]))
		if err != nil {
			return nil, err
		}
		paths[path] = provided(condition, item)
	}
	return paths, nil
}

func pathName(path string) string {
	return strings.NewReplacer("/", "SLASH", "{", "OB", "}", "CB").Replace(path)
}

// addInfo puts Name and Description where the document has not its own.
func (a *httpAPI) addInfo(body map[string]any) error {
	info := member(body, "info")
	const taken = "Unable to set %s because it is already defined within inline OpenAPI specified in the 'DefinitionBody' property."
	if name := a.properties["Name"]; name != nil {
		if !reflect.DeepEqual(info["title"], any(ref("AWS::StackName"))) {
			return fault(taken, "Name")
		}
		info["title"] = name
	}
	if description := a.properties["Description"]; description != nil {
		if info["description"] != nil {
			return fault(taken, "Description")
		}
		info["description"] = description
	}
	return nil
}

// addAuth declares the authorizers and gives the default one to every
// integrated method without security of its own; a preflight (OPTIONS) stays open.
func (a *httpAPI) addAuth(body, paths map[string]any) error {
	schemes, err := a.securitySchemes()
	if err != nil {
		return err
	}
	if len(schemes) > 0 {
		maps.Copy(member(member(body, "components"), "securitySchemes"), schemes)
	}
	security, err := a.defaultSecurity()
	if err != nil || security == nil {
		return err
	}
	for _, path := range paths {
		for _, item := range alternatives(path) {
			for method, operations := range item {
				if strings.EqualFold(method, "options") {
					continue
				}
				for _, operation := range alternatives(operations) {
					if own, _ := operation["security"].([]any); operation[integrationKey] != nil && len(own) == 0 {
						operation["security"] = clone(security)
					}
				}
			}
		}
	}
	return nil
}

// alternatives are the maps that v stands for: both branches of an Fn::If that
// have a value, or v itself.
func alternatives(v any) []map[string]any {
	var found []map[string]any
	values := []any{v}
	if _, branches, isIf := branches(v); isIf {
		values = branches[:]
	}
	for _, value := range values {
		if m, isMap := value.(map[string]any); isMap && !isIntrinsic(m) {
			found = append(found, m)
		}
	}
	return found
}

// addCors writes CorsConfiguration with the names that OpenAPI uses; true
// allows every origin.
func (a *httpAPI) addCors(body map[string]any) error {
	const key = "x-amazon-apigateway-cors"
	names := []string{"AllowCredentials", "AllowHeaders", "AllowMethods", "AllowOrigins", "ExposeHeaders", "MaxAge"}
	configuration := a.properties["CorsConfiguration"]
	switch configuration {
	case nil, false:
		return nil
	case true:
		member(body, key)["allowOrigins"] = []any{"*"}
		return nil
	}
	stated, _ := configuration.(map[string]any)
	if isIntrinsic(stated) || isIntrinsic(stated["AllowOrigins"]) {
		return fault("Intrinsic functions for 'CorsConfiguration' or its AllowOrigins are not supported by the local endpoint; put them into the list of origins.")
	}
	cors := member(body, key)
	for _, name := range slices.Sorted(maps.Keys(stated)) {
		value := stated[name]
		if !slices.Contains(names, name) {
			return fault("Invalid key '%s' for 'Cors' property.", name)
		}
		if value == nil || name == "AllowCredentials" && value != true {
			continue
		}
		cors[strings.ToLower(name[:1])+name[1:]] = value
	}
	if origins := listOf(stated["AllowOrigins"]); stated["AllowCredentials"] == true && len(origins) == 1 && origins[0] == "*" {
		return fault("Unable to add Cors configuration because 'AllowCredentials' can not be true when 'AllowOrigin' is \"'*'\" or not set.")
	}
	return nil
}

// addTags lists the API's tags, which API Gateway takes from the document.
func (a *httpAPI) addTags(body map[string]any) {
	tags := a.tags()
	objects, _ := body["tags"].([]any)
	objects = slices.DeleteFunc(objects, func(object any) bool {
		tag, _ := object.(map[string]any)
		name, _ := tag["name"].(string)
		return tags[name] != nil
	})
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		objects = append(objects, map[string]any{"name": key, "x-amazon-apigateway-tag-value": tags[key]})
	}
	body["tags"] = objects
}

func addEndpointConfiguration(body map[string]any, disable any) {
	servers, _ := body["servers"].([]any)
	if len(servers) == 0 {
		servers = []any{map[string]any{}}
	}
	for _, server := range servers {
		if server, ok := server.(map[string]any); ok {
			member(server, "x-amazon-apigateway-endpoint-configuration")["disableExecuteApiEndpoint"] = disable
		}
	}
	body["servers"] = servers
}

// member returns the map under a key of m, made where there is none.
func member(m map[string]any, key string) map[string]any {
	inner, _ := m[key].(map[string]any)
	if inner == nil {
		inner = map[string]any{}
		m[key] = inner
	}
	return inner
}
