package httpapi

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
)

// api is an HTTP API: what it is called, where it leads, what serves it.
type api struct {
	settings   types.Api
	definition *definition
	stages     []types.Stage
}

// CreateApi makes an API without routes; ReimportApi gives it some.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html
func (s *Service) CreateApi(ctx context.Context, in *apigatewayv2.CreateApiInput) (*apigatewayv2.CreateApiOutput, error) {
	if err := s.authorize(ctx, "POST", "/apis"); err != nil {
		return nil, err
	}
	if err := onlySupported(in, "Name", "ProtocolType", "Description", "Version", "Tags", "DisableExecuteApiEndpoint"); err != nil {
		return nil, err
	}
	if aws.ToString(in.Name) == "" {
		return nil, badRequest("Name is missing: name the API.")
	}
	if in.ProtocolType != types.ProtocolTypeHttp {
		return nil, badRequest("Invalid protocol specified. Must be one of [HTTP]")
	}
	a := s.newAPI(&definition{})
	a.settings.Name, a.settings.Description, a.settings.Version = in.Name, in.Description, in.Version
	a.settings.DisableExecuteApiEndpoint = aws.Bool(aws.ToBool(in.DisableExecuteApiEndpoint))
	a.settings.Tags = in.Tags
	s.keep(a)
	out := apigatewayv2.CreateApiOutput(a.output())
	return &out, nil
}

// ImportApi makes an API from an OpenAPI document.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-open-api.html
func (s *Service) ImportApi(ctx context.Context, in *apigatewayv2.ImportApiInput) (*apigatewayv2.ImportApiOutput, error) {
	if err := s.authorize(ctx, "PUT", "/apis"); err != nil {
		return nil, err
	}
	if err := onlySupported(in, "Body", "FailOnWarnings"); err != nil {
		return nil, err
	}
	d, err := s.parse(ctx, in.Body, in.FailOnWarnings)
	if err != nil {
		return nil, err
	}
	a := s.newAPI(d)
	a.describe(d)
	s.keep(a)
	out := apigatewayv2.ImportApiOutput(a.output())
	out.Warnings = d.warnings
	return &out, nil
}

// ReimportApi replaces an API's routes and descriptions; its stages serve them at once.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid.html
func (s *Service) ReimportApi(ctx context.Context, in *apigatewayv2.ReimportApiInput) (*apigatewayv2.ReimportApiOutput, error) {
	if err := s.locked(ctx, "PUT", in.ApiId, "", func(*api) error { return nil }); err != nil {
		return nil, err
	}
	if err := onlySupported(in, "ApiId", "Body", "FailOnWarnings"); err != nil {
		return nil, err
	}
	d, err := s.parse(ctx, in.Body, in.FailOnWarnings) // asks the issuers, so not under the lock
	if err != nil {
		return nil, err
	}
	var out apigatewayv2.ReimportApiOutput
	err = s.locked(ctx, "PUT", in.ApiId, "", func(a *api) error {
		a.definition = d
		a.describe(d)
		out = apigatewayv2.ReimportApiOutput(a.output())
		out.Warnings = d.warnings
		return nil
	})
	return &out, err
}

// UpdateApi changes those of an API's descriptions that are given.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid.html
func (s *Service) UpdateApi(ctx context.Context, in *apigatewayv2.UpdateApiInput) (*apigatewayv2.UpdateApiOutput, error) {
	var out apigatewayv2.UpdateApiOutput
	err := s.locked(ctx, "PATCH", in.ApiId, "", func(a *api) error {
		if err := onlySupported(in, "ApiId", "Name", "Description", "Version", "DisableExecuteApiEndpoint"); err != nil {
			return err
		}
		if in.Name != nil {
			a.settings.Name = in.Name
		}
		if in.Description != nil {
			a.settings.Description = in.Description
		}
		if in.Version != nil {
			a.settings.Version = in.Version
		}
		if in.DisableExecuteApiEndpoint != nil {
			a.settings.DisableExecuteApiEndpoint = in.DisableExecuteApiEndpoint
		}
		out = apigatewayv2.UpdateApiOutput(a.output())
		return nil
	})
	return &out, err
}

// GetApi returns an API.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid.html
func (s *Service) GetApi(ctx context.Context, in *apigatewayv2.GetApiInput) (*apigatewayv2.GetApiOutput, error) {
	var out apigatewayv2.GetApiOutput
	err := s.locked(ctx, "GET", in.ApiId, "", func(a *api) error {
		out = a.output()
		return nil
	})
	return &out, err
}

// GetApis returns the APIs in order of creation.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html
func (s *Service) GetApis(ctx context.Context, in *apigatewayv2.GetApisInput) (*apigatewayv2.GetApisOutput, error) {
	if err := s.authorize(ctx, "GET", "/apis"); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	apis, next, err := page(s.apis, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &apigatewayv2.GetApisOutput{Items: []types.Api{}, NextToken: next}
	for _, a := range apis {
		out.Items = append(out.Items, a.settings)
	}
	return out, nil
}

// DeleteApi deletes an API with its stages.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid.html
func (s *Service) DeleteApi(ctx context.Context, in *apigatewayv2.DeleteApiInput) (*apigatewayv2.DeleteApiOutput, error) {
	err := s.locked(ctx, "DELETE", in.ApiId, "", func(a *api) error {
		s.apis = slices.DeleteFunc(s.apis, func(other *api) bool { return other == a })
		return nil
	})
	return &apigatewayv2.DeleteApiOutput{}, err
}

func (s *Service) newAPI(d *definition) *api {
	id := newID(10)
	return &api{definition: d, settings: types.Api{
		ApiId:                     aws.String(id),
		ApiEndpoint:               aws.String("https://" + id + ".execute-api." + s.Account.Region + ".amazonaws.com"),
		ApiKeySelectionExpression: aws.String("$request.header.x-api-key"),
		CreatedDate:               aws.Time(s.Clock.Now()),
		DisableExecuteApiEndpoint: aws.Bool(false),
		ProtocolType:              types.ProtocolTypeHttp,
		RouteSelectionExpression:  aws.String("$request.method $request.path"),
	}}
}

func (s *Service) keep(a *api) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apis = append(s.apis, a)
}

// describe takes over what a document says of the API itself.
func (a *api) describe(d *definition) {
	a.settings.Name = aws.String(d.title)
	a.settings.Version = aws.String(d.version)
	a.settings.Description = aws.String(d.description)
	a.settings.DisableExecuteApiEndpoint = aws.Bool(d.disabled)
	if len(d.tags) > 0 {
		a.settings.Tags = d.tags
	}
}

func (a *api) output() apigatewayv2.GetApiOutput {
	return apigatewayv2.GetApiOutput{
		ApiEndpoint:               a.settings.ApiEndpoint,
		ApiId:                     a.settings.ApiId,
		ApiKeySelectionExpression: a.settings.ApiKeySelectionExpression,
		CreatedDate:               a.settings.CreatedDate,
		Description:               a.settings.Description,
		DisableExecuteApiEndpoint: a.settings.DisableExecuteApiEndpoint,
		Name:                      a.settings.Name,
		ProtocolType:              a.settings.ProtocolType,
		RouteSelectionExpression:  a.settings.RouteSelectionExpression,
		Tags:                      a.settings.Tags,
		Version:                   a.settings.Version,
	}
}

// parse reads a document and asks its issuers for their discovery documents,
// as API Gateway does before it accepts an authorizer.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
func (s *Service) parse(ctx context.Context, body *string, failOnWarnings *bool) (*definition, error) {
	d, problems := parse(aws.ToString(body))
	if aws.ToBool(failOnWarnings) && len(problems) == 0 && len(d.warnings) > 0 {
		return nil, badRequest("Warnings found during import:\n\t%s", strings.Join(d.warnings, "\n\t"))
	}
	for _, authorizer := range d.authorizers {
		if len(problems) > 0 {
			break
		}
		if issuer := *authorizer.JwtConfiguration.Issuer; s.keys.discover(ctx, issuer) != nil {
			problems = append(problems, "Invalid issuer: "+issuer+". Issuer must have a valid discovery endpoint ended with '/.well-known/openid-configuration'")
		}
	}
	if len(problems) > 0 {
		return nil, badRequest("Errors found during import:\n\t%s", strings.Join(problems, "\n\t"))
	}
	return d, nil
}
