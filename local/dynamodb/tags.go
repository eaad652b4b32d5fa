package dynamodb

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TagResource adds tags to a table, or gives them new values.
func (s *Service) TagResource(ctx context.Context, in *dynamodb.TagResourceInput) (*dynamodb.TagResourceOutput, error) {
	return &dynamodb.TagResourceOutput{}, s.with(ctx, "TagResource", in.ResourceArn, func(t *table) error {
		maps.Copy(t.tags, tagged(in.Tags))
		return nil
	})
}

// UntagResource takes tags away.
func (s *Service) UntagResource(ctx context.Context, in *dynamodb.UntagResourceInput) (*dynamodb.UntagResourceOutput, error) {
	return &dynamodb.UntagResourceOutput{}, s.with(ctx, "UntagResource", in.ResourceArn, func(t *table) error {
		maps.DeleteFunc(t.tags, func(key, _ string) bool { return slices.Contains(in.TagKeys, key) })
		return nil
	})
}

// ListTagsOfResource lists tags by key, in one page.
func (s *Service) ListTagsOfResource(ctx context.Context, in *dynamodb.ListTagsOfResourceInput) (*dynamodb.ListTagsOfResourceOutput, error) {
	answer := &dynamodb.ListTagsOfResourceOutput{Tags: []types.Tag{}}
	return answer, s.with(ctx, "ListTagsOfResource", in.ResourceArn, func(t *table) error {
		for _, key := range slices.Sorted(maps.Keys(t.tags)) {
			answer.Tags = append(answer.Tags, types.Tag{Key: aws.String(key), Value: aws.String(t.tags[key])})
		}
		return nil
	})
}

func tagged(tags []types.Tag) map[string]string {
	found := map[string]string{}
	for _, tag := range tags {
		found[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return found
}
