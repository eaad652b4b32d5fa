package httpapi

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
)

// route leads requests to a function.
type route struct {
	settings    types.Route
	method      string   // ANY for every method
	segments    []string // of the path; nil for $default
	integration types.Integration
	function    string // ARN
	timeout     time.Duration
	authorizer  *types.Authorizer // nil for an open route
}

const defaultRoute = "$default"

func newRoute(path, method string, isDefault bool) *route {
	made := &route{method: strings.ToUpper(method)}
	if method == anyMethodKey {
		made.method = "ANY"
	}
	key := made.method + " " + path
	if isDefault {
		key, made.method = defaultRoute, "ANY"
	} else {
		made.segments = segmentsOf(path)
	}
	made.settings = types.Route{
		ApiKeyRequired:    aws.Bool(false),
		AuthorizationType: types.AuthorizationTypeNone,
		RouteId:           aws.String(newID(7)),
		RouteKey:          aws.String(key),
	}
	return made
}

// segmentsOf keeps the empty segment of a trailing slash: /a/ is not /a.
func segmentsOf(path string) []string { return strings.Split(strings.TrimPrefix(path, "/"), "/") }

// find returns the route for a request and the path's variables; nil where no
// route matches. A full match goes before one with a greedy variable, that
// before $default; among full matches a fixed segment goes before a variable,
// and a method before ANY.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
func (d *definition) find(method, path string) (*route, map[string]string) {
	var best *route
	var variables map[string]string
	given := segmentsOf(path)
	for _, candidate := range d.routes {
		if candidate.method != "ANY" && candidate.method != method {
			continue
		}
		found, ok := candidate.match(given)
		if ok && (best == nil || candidate.before(best)) {
			best, variables = candidate, found
		}
	}
	return best, variables
}

func (r *route) match(given []string) (map[string]string, bool) {
	if r.segments == nil {
		return nil, true
	}
	variables := map[string]string{}
	for i, segment := range r.segments {
		name, isVariable := variable(segment)
		switch {
		case isGreedy(segment):
			if i >= len(given) {
				return nil, false
			}
			variables[name] = unescaped(strings.Join(given[i:], "/"))
			return variables, true
		case i >= len(given), !isVariable && segment != given[i], isVariable && given[i] == "":
			return nil, false
		case isVariable:
			variables[name] = unescaped(given[i])
		}
	}
	return variables, len(given) == len(r.segments)
}

// before tells whether r is the closer match of two that match.
func (r *route) before(other *route) bool {
	return slices.Compare(r.distance(), other.distance()) < 0
}

// distance has a number for each kind of inexactness, the gravest first.
func (r *route) distance() []int {
	greedy, byDefault, anyMethod := 0, 0, 0
	if r.segments == nil {
		byDefault = 1
	}
	if r.method == "ANY" {
		anyMethod = 1
	}
	var variables []int
	for _, segment := range r.segments {
		_, isVariable := variable(segment)
		switch {
		case isGreedy(segment):
			greedy = 1
			variables = append(variables, 2)
		case isVariable:
			variables = append(variables, 1)
		default:
			variables = append(variables, 0)
		}
	}
	return append(append([]int{byDefault, greedy}, variables...), anyMethod)
}

func variable(segment string) (name string, is bool) {
	is = strings.HasPrefix(segment, "{") && strings.HasSuffix(segment, "}")
	return strings.TrimSuffix(strings.Trim(segment, "{}"), "+"), is
}

func isGreedy(segment string) bool { return strings.HasSuffix(segment, "+}") }

func unescaped(text string) string {
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}

// sourceARN is what Lambda sees as the caller's source: API/STAGE/METHOD/PATH,
// or API/STAGE/$default for the default route.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
func (s *Service) sourceARN(apiID, stage string, r *route) string {
	key := strings.Replace(*r.settings.RouteKey, " ", "", 1)
	return s.Account.ARN("execute-api", apiID+"/"+stage+"/"+key)
}

// GetRoutes returns an API's routes by their keys.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-routes.html
func (s *Service) GetRoutes(ctx context.Context, in *apigatewayv2.GetRoutesInput) (*apigatewayv2.GetRoutesOutput, error) {
	out := &apigatewayv2.GetRoutesOutput{Items: []types.Route{}}
	err := s.locked(ctx, "GET", in.ApiId, "/routes", func(a *api) error {
		routes, next, err := page(a.definition.routes, in.MaxResults, in.NextToken)
		for _, r := range routes {
			out.Items = append(out.Items, r.settings)
		}
		out.NextToken = next
		return err
	})
	return out, err
}

// GetIntegrations returns an API's integrations, one for each route.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations.html
func (s *Service) GetIntegrations(ctx context.Context, in *apigatewayv2.GetIntegrationsInput) (*apigatewayv2.GetIntegrationsOutput, error) {
	out := &apigatewayv2.GetIntegrationsOutput{Items: []types.Integration{}}
	err := s.locked(ctx, "GET", in.ApiId, "/integrations", func(a *api) error {
		routes, next, err := page(a.definition.routes, in.MaxResults, in.NextToken)
		for _, r := range routes {
			out.Items = append(out.Items, r.integration)
		}
		out.NextToken = next
		return err
	})
	return out, err
}

// GetAuthorizers returns an API's authorizers by their names.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-authorizers.html
func (s *Service) GetAuthorizers(ctx context.Context, in *apigatewayv2.GetAuthorizersInput) (*apigatewayv2.GetAuthorizersOutput, error) {
	out := &apigatewayv2.GetAuthorizersOutput{Items: []types.Authorizer{}}
	err := s.locked(ctx, "GET", in.ApiId, "/authorizers", func(a *api) error {
		authorizers, next, err := page(a.definition.authorizers, in.MaxResults, in.NextToken)
		out.Items, out.NextToken = append(out.Items, authorizers...), next
		return err
	})
	return out, err
}
