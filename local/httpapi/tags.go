package httpapi

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
)

// TagResource adds or overwrites tags of an API or a stage, named by its ARN.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/tags-resource-arn.html
func (s *Service) TagResource(ctx context.Context, in *apigatewayv2.TagResourceInput) (*apigatewayv2.TagResourceOutput, error) {
	_, err := s.tags(ctx, "POST", in.ResourceArn, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
	return &apigatewayv2.TagResourceOutput{}, err
}

// UntagResource removes tags of an API or a stage, named by its ARN.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/tags-resource-arn.html
func (s *Service) UntagResource(ctx context.Context, in *apigatewayv2.UntagResourceInput) (*apigatewayv2.UntagResourceOutput, error) {
	_, err := s.tags(ctx, "DELETE", in.ResourceArn, func(tags map[string]string) {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
	})
	return &apigatewayv2.UntagResourceOutput{}, err
}

// GetTags returns the tags of an API or a stage, named by its ARN.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/tags-resource-arn.html
func (s *Service) GetTags(ctx context.Context, in *apigatewayv2.GetTagsInput) (*apigatewayv2.GetTagsOutput, error) {
	tags, err := s.tags(ctx, "GET", in.ResourceArn, func(map[string]string) {})
	return &apigatewayv2.GetTagsOutput{Tags: tags}, err
}

// tags gives change a copy of a resource's tags, and keeps and returns what it leaves.
func (s *Service) tags(ctx context.Context, method string, arn *string, change func(map[string]string)) (map[string]string, error) {
	path, found := strings.CutPrefix(aws.ToString(arn), s.arn("/apis/"))
	if !found {
		return nil, badRequest("ResourceArn is not the ARN of an API or a stage of this Region: it begins with %s", s.arn("/apis/"))
	}
	id, stage, _ := strings.Cut(path, "/stages/")
	tags := map[string]string{}
	if stage == "" {
		return tags, s.locked(ctx, method, &id, "", func(a *api) error {
			maps.Copy(tags, a.settings.Tags)
			change(tags)
			a.settings.Tags = tags
			return nil
		})
	}
	return tags, s.onStage(ctx, method, &id, &stage, func(a *api, i int) error {
		maps.Copy(tags, a.stages[i].Tags)
		change(tags)
		a.stages = slices.Clone(a.stages)
		a.stages[i].Tags = tags
		return nil
	})
}
