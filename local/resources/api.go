package resources

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"

	"api-destination-credentials/local/cloudformation"
)

// Gateway is Amazon API Gateway's HTTP APIs.
type Gateway interface {
	ImportApi(context.Context, *apigatewayv2.ImportApiInput) (*apigatewayv2.ImportApiOutput, error)
	ReimportApi(context.Context, *apigatewayv2.ReimportApiInput) (*apigatewayv2.ReimportApiOutput, error)
	UpdateApi(context.Context, *apigatewayv2.UpdateApiInput) (*apigatewayv2.UpdateApiOutput, error)
	DeleteApi(context.Context, *apigatewayv2.DeleteApiInput) (*apigatewayv2.DeleteApiOutput, error)
	CreateStage(context.Context, *apigatewayv2.CreateStageInput) (*apigatewayv2.CreateStageOutput, error)
	UpdateStage(context.Context, *apigatewayv2.UpdateStageInput) (*apigatewayv2.UpdateStageOutput, error)
	DeleteStage(context.Context, *apigatewayv2.DeleteStageInput) (*apigatewayv2.DeleteStageOutput, error)
}

// api is an HTTP API that an OpenAPI definition describes.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-api.html
type api struct{ gateway Gateway }

func (a api) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known([]string{"Body"}, "BasePath", "CorsConfiguration", "Description", "DisableExecuteApiEndpoint", "FailOnWarnings", "Name", "Version"),
		Create:     a.create,
		Update:     a.update,
		Delete: func(ctx context.Context, r cloudformation.Request) error {
			return unlessGone(do(ctx, a.gateway.DeleteApi, object{"ApiId": r.PhysicalID}))
		},
	}
}

func (a api) create(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	definition, err := definitionOf(r.Properties)
	if err != nil {
		return cloudformation.Result{}, err
	}
	made, err := call(ctx, a.gateway.ImportApi, definition)
	if err != nil {
		return cloudformation.Result{}, err
	}
	result := apiResult(made.ApiId, made.ApiEndpoint)
	return result, a.set(ctx, r, result.PhysicalID)
}

func (a api) update(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	definition, err := definitionOf(r.Properties)
	if err != nil {
		return cloudformation.Result{}, err
	}
	made, err := call(ctx, a.gateway.ReimportApi, with(definition, object{"ApiId": r.PhysicalID}))
	if err != nil {
		return cloudformation.Result{}, err
	}
	return apiResult(made.ApiId, made.ApiEndpoint), a.set(ctx, r, r.PhysicalID)
}

// set applies the properties that stand beside the definition, and win over it.
func (a api) set(ctx context.Context, r cloudformation.Request, id string) error {
	settings := pick(r.Properties, "CorsConfiguration", "Description", "DisableExecuteApiEndpoint", "Name", "Version")
	if len(settings) == 0 {
		return nil
	}
	return do(ctx, a.gateway.UpdateApi, with(settings, object{"ApiId": id}))
}

func definitionOf(properties object) (object, error) {
	body, err := document(properties["Body"])
	if err != nil {
		return nil, err
	}
	return with(pick(properties, "FailOnWarnings"), object{"Body": body, "Basepath": properties["BasePath"]}), nil
}

func apiResult(id, endpoint *string) cloudformation.Result {
	return cloudformation.Result{PhysicalID: aws.ToString(id), Attributes: object{
		"ApiId": aws.ToString(id), "ApiEndpoint": aws.ToString(endpoint),
	}}
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-stage.html
type stage struct{ gateway Gateway }

func (s stage) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known([]string{"ApiId", "StageName"}, "AccessLogSettings", "AutoDeploy", "DefaultRouteSettings", "Description",
			"RouteSettings", "StageVariables", "Tags"),
		Replace: []string{"ApiId", "StageName"},
		Create: func(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
			name, err := member[string](r.Properties, "StageName")
			if err != nil {
				return cloudformation.Result{}, err
			}
			return created(name, do(ctx, s.gateway.CreateStage, r.Properties))
		},
		Update: func(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
			if err := unchangeable(r, "Tags"); err != nil {
				return cloudformation.Result{}, err
			}
			members := with(complete(r, object{"AutoDeploy": false, "Description": ""}), object{"Tags": nil})
			return cloudformation.Result{PhysicalID: r.PhysicalID}, do(ctx, s.gateway.UpdateStage, members)
		},
		Delete: func(ctx context.Context, r cloudformation.Request) error {
			return unlessGone(do(ctx, s.gateway.DeleteStage, with(pick(r.Properties, "ApiId"), object{"StageName": r.PhysicalID})))
		},
	}
}
