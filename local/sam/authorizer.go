package sam

import (
	"maps"
	"slices"
	"strings"
)

// securitySchemes returns the API's JWT authorizers as OpenAPI security schemes.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-httpapi-oauth2authorizer.html
func (a *httpAPI) securitySchemes() (map[string]any, error) {
	for _, property := range slices.Sorted(maps.Keys(a.auth())) {
		if property != "Authorizers" && property != "DefaultAuthorizer" {
			return nil, fault("Invalid value for 'Auth' property. The local endpoint supports Authorizers and DefaultAuthorizer, not %s.", property)
		}
	}
	if authorizers := a.auth()["Authorizers"]; authorizers != nil && !isA[map[string]any](authorizers) {
		return nil, fault("Property 'Auth.Authorizers' should be a map.")
	}
	schemes := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(a.authorizers())) {
		authorizer, isMap := a.authorizers()[name].(map[string]any)
		if !isMap {
			return nil, fault("Property 'Auth.Authorizers.%s' should be a map.", name)
		}
		scheme, err := securityScheme(name, authorizer)
		if err != nil {
			return nil, err
		}
		schemes[name] = scheme
	}
	return schemes, nil
}

func securityScheme(name string, authorizer map[string]any) (map[string]any, error) {
	for _, property := range slices.Sorted(maps.Keys(authorizer)) {
		switch property {
		case "AuthorizationScopes", "IdentitySource", "JwtConfiguration":
		default:
			return nil, fault("%s of authorizer %s is not supported by the local endpoint; it supports OAuth2 authorizers with "+
				"AuthorizationScopes, IdentitySource and JwtConfiguration.", property, name)
		}
	}
	if scopes := authorizer["AuthorizationScopes"]; scopes != nil && !isA[[]any](scopes) {
		return nil, fault("AuthorizationScopes must be a list.")
	}
	stated, isMap := authorizer["JwtConfiguration"].(map[string]any)
	if !isMap || isIntrinsic(stated) {
		return nil, fault("%s OAuth2 Authorizer must define 'JwtConfiguration'.", name)
	}
	if authorizer["IdentitySource"] == nil {
		return nil, fault("%s OAuth2 Authorizer must define 'IdentitySource'.", name)
	}
	configuration := map[string]any{}
	for key, value := range stated {
		configuration[strings.ToLower(key)] = value
	}
	return map[string]any{
		"type": "oauth2",
		"x-amazon-apigateway-authorizer": map[string]any{
			"type":             "jwt",
			"identitySource":   authorizer["IdentitySource"],
			"jwtConfiguration": configuration,
		},
	}, nil
}

// defaultSecurity is what routes that say nothing of their own ask for; nil
// leaves them open.
func (a *httpAPI) defaultSecurity() ([]any, error) {
	name := a.auth()["DefaultAuthorizer"]
	if name == nil || name == "" || isNoValue(name) {
		return nil, nil
	}
	text, isText := name.(string)
	if !isText {
		return nil, fault("Property 'Auth.DefaultAuthorizer' should be a string.")
	}
	if a.authorizers()[text] == nil {
		return nil, fault("Unable to set DefaultAuthorizer because '%s' was not defined in 'Authorizers'.", text)
	}
	return requirement(text, a.scopes(text)), nil
}

// security is what one route asks for by its event's own Auth section.
func (a *httpAPI) security(auth map[string]any, r route) ([]any, error) {
	where := "on API method [" + r.method + "] for path [" + r.path + "]"
	for _, property := range slices.Sorted(maps.Keys(auth)) {
		if property != "Authorizer" && property != "AuthorizationScopes" {
			return nil, fault("%s in 'Auth' is not supported by the local endpoint; it supports Authorizer and AuthorizationScopes.", property)
		}
	}
	name := auth["Authorizer"]
	if name == nil {
		name = a.auth()["DefaultAuthorizer"]
	}
	if name == nil {
		return nil, fault("'Auth' section requires either an explicit 'Authorizer' set or a 'DefaultAuthorizer' configured on the HttpApi.")
	}
	authorizer, isText := name.(string)
	if !isText {
		return nil, fault("Unable to set Authorizer [%v] %s. The method authorizer must be a string with a corresponding dict entry in the api authorizer.", name, where)
	}
	if authorizer == "NONE" {
		if a.auth()["DefaultAuthorizer"] == nil {
			return nil, fault("Unable to set Authorizer %s because 'NONE' is only a valid value when a DefaultAuthorizer on the API is specified.", where)
		}
		return requirement("NONE", []any{}), nil
	}
	if len(a.authorizers()) == 0 {
		return nil, fault("Unable to set Authorizer [%s] %s because the related API does not define any Authorizers.", authorizer, where)
	}
	if a.authorizers()[authorizer] == nil {
		return nil, fault("Unable to set Authorizer [%s] %s because it wasn't defined in the API's Authorizers.", authorizer, where)
	}
	scopes := a.scopes(authorizer)
	if own := auth["AuthorizationScopes"]; own != nil {
		list, isList := own.([]any)
		if !isList {
			return nil, fault("Unable to set Authorizer %s because 'AuthorizationScopes' must be a list of strings.", where)
		}
		if len(list) > 0 {
			scopes = list
		}
	}
	return requirement(authorizer, scopes), nil
}

func (a *httpAPI) auth() map[string]any {
	auth, _ := a.properties["Auth"].(map[string]any)
	return auth
}

func (a *httpAPI) authorizers() map[string]any {
	authorizers, _ := a.auth()["Authorizers"].(map[string]any)
	return authorizers
}

func (a *httpAPI) scopes(authorizer string) []any {
	properties, _ := a.authorizers()[authorizer].(map[string]any)
	if scopes, ok := properties["AuthorizationScopes"].([]any); ok {
		return scopes
	}
	return []any{}
}

// requirement is an OpenAPI security requirement.
func requirement(authorizer string, scopes []any) []any {
	return []any{map[string]any{authorizer: scopes}}
}
