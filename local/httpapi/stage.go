package httpapi

import (
	"context"
	"regexp"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
)

// defaultStage serves an API at the root of its host; other stages serve it
// below their name.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.html
const defaultStage = "$default"

var stageName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(\$default|[A-Za-z0-9_-]{1,128})$`) })

// CreateStage serves an API. Its changes are deployed at once (AutoDeploy);
// throttling and access log settings are stored, not enforced.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages.html
func (s *Service) CreateStage(ctx context.Context, in *apigatewayv2.CreateStageInput) (*apigatewayv2.CreateStageOutput, error) {
	var out apigatewayv2.CreateStageOutput
	err := s.locked(ctx, "POST", in.ApiId, "/stages", func(a *api) error {
		if err := onlySupported(in, "ApiId", "StageName", "AccessLogSettings", "AutoDeploy", "DefaultRouteSettings", "Description",
			"RouteSettings", "StageVariables", "Tags"); err != nil {
			return err
		}
		if !stageName().MatchString(aws.ToString(in.StageName)) {
			return badRequest("Stage name only allows alphanumeric characters, hyphens and underscores, or $default.")
		}
		if !aws.ToBool(in.AutoDeploy) {
			return badRequest("AutoDeploy must be true: the local endpoint has no deployments of their own.")
		}
		if a.stage(*in.StageName) >= 0 {
			return &types.ConflictException{Message: aws.String("Stage already exists")}
		}
		now := aws.Time(s.Clock.Now())
		stage := types.Stage{
			AccessLogSettings:    in.AccessLogSettings,
			AutoDeploy:           in.AutoDeploy,
			CreatedDate:          now,
			DefaultRouteSettings: in.DefaultRouteSettings,
			Description:          in.Description,
			LastUpdatedDate:      now,
			RouteSettings:        in.RouteSettings,
			StageName:            in.StageName,
			StageVariables:       in.StageVariables,
			Tags:                 in.Tags,
		}
		a.stages = append(slices.Clip(a.stages), stage)
		out = apigatewayv2.CreateStageOutput(stageOutput(stage))
		return nil
	})
	return &out, err
}

// UpdateStage changes those of a stage's settings that are given.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename.html
func (s *Service) UpdateStage(ctx context.Context, in *apigatewayv2.UpdateStageInput) (*apigatewayv2.UpdateStageOutput, error) {
	var out apigatewayv2.UpdateStageOutput
	err := s.onStage(ctx, "PATCH", in.ApiId, in.StageName, func(a *api, i int) error {
		if err := onlySupported(in, "ApiId", "StageName", "AccessLogSettings", "AutoDeploy", "DefaultRouteSettings", "Description",
			"RouteSettings", "StageVariables"); err != nil {
			return err
		}
		if in.AutoDeploy != nil && !*in.AutoDeploy {
			return badRequest("AutoDeploy must be true: the local endpoint has no deployments of their own.")
		}
		stage := a.stages[i]
		if in.AccessLogSettings != nil {
			stage.AccessLogSettings = in.AccessLogSettings
		}
		if in.DefaultRouteSettings != nil {
			stage.DefaultRouteSettings = in.DefaultRouteSettings
		}
		if in.Description != nil {
			stage.Description = in.Description
		}
		if in.RouteSettings != nil {
			stage.RouteSettings = in.RouteSettings
		}
		if in.StageVariables != nil {
			stage.StageVariables = in.StageVariables
		}
		stage.LastUpdatedDate = aws.Time(s.Clock.Now())
		a.stages = slices.Clone(a.stages)
		a.stages[i] = stage
		out = apigatewayv2.UpdateStageOutput(stageOutput(stage))
		return nil
	})
	return &out, err
}

// GetStage returns a stage.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename.html
func (s *Service) GetStage(ctx context.Context, in *apigatewayv2.GetStageInput) (*apigatewayv2.GetStageOutput, error) {
	var out apigatewayv2.GetStageOutput
	err := s.onStage(ctx, "GET", in.ApiId, in.StageName, func(a *api, i int) error {
		out = stageOutput(a.stages[i])
		return nil
	})
	return &out, err
}

// GetStages returns an API's stages in order of creation.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages.html
func (s *Service) GetStages(ctx context.Context, in *apigatewayv2.GetStagesInput) (*apigatewayv2.GetStagesOutput, error) {
	out := &apigatewayv2.GetStagesOutput{}
	err := s.locked(ctx, "GET", in.ApiId, "/stages", func(a *api) error {
		stages, next, err := page(a.stages, in.MaxResults, in.NextToken)
		out.Items, out.NextToken = append([]types.Stage{}, stages...), next
		return err
	})
	return out, err
}

// DeleteStage ends a stage; the API is no longer served there.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename.html
func (s *Service) DeleteStage(ctx context.Context, in *apigatewayv2.DeleteStageInput) (*apigatewayv2.DeleteStageOutput, error) {
	err := s.onStage(ctx, "DELETE", in.ApiId, in.StageName, func(a *api, i int) error {
		a.stages = slices.Delete(slices.Clone(a.stages), i, i+1)
		return nil
	})
	return &apigatewayv2.DeleteStageOutput{}, err
}

func (s *Service) onStage(ctx context.Context, method string, apiID, name *string, f func(*api, int) error) error {
	return s.locked(ctx, method, apiID, "/stages/"+aws.ToString(name), func(a *api) error {
		i := a.stage(aws.ToString(name))
		if i < 0 {
			return notFound("Invalid stage identifier specified")
		}
		return f(a, i)
	})
}

func (a *api) stage(name string) int {
	return slices.IndexFunc(a.stages, func(stage types.Stage) bool { return *stage.StageName == name })
}

func stageOutput(stage types.Stage) apigatewayv2.GetStageOutput {
	return apigatewayv2.GetStageOutput{
		AccessLogSettings:    stage.AccessLogSettings,
		AutoDeploy:           stage.AutoDeploy,
		CreatedDate:          stage.CreatedDate,
		DefaultRouteSettings: stage.DefaultRouteSettings,
		Description:          stage.Description,
		LastUpdatedDate:      stage.LastUpdatedDate,
		RouteSettings:        stage.RouteSettings,
		StageName:            stage.StageName,
		StageVariables:       stage.StageVariables,
		Tags:                 stage.Tags,
	}
}
