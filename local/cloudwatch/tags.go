package cloudwatch

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// TagResource adds tags to an alarm or a dashboard, or gives them new values.
func (s *Service) TagResource(ctx context.Context, in *cloudwatch.TagResourceInput) (*cloudwatch.TagResourceOutput, error) {
	err := s.withTags(ctx, "TagResource", in.ResourceARN, func(tags map[string]string) { maps.Copy(tags, tagged(in.Tags)) })
	return &cloudwatch.TagResourceOutput{}, err
}

// UntagResource takes tags away.
func (s *Service) UntagResource(ctx context.Context, in *cloudwatch.UntagResourceInput) (*cloudwatch.UntagResourceOutput, error) {
	err := s.withTags(ctx, "UntagResource", in.ResourceARN, func(tags map[string]string) {
		maps.DeleteFunc(tags, func(key, _ string) bool { return slices.Contains(in.TagKeys, key) })
	})
	return &cloudwatch.UntagResourceOutput{}, err
}

// ListTagsForResource lists tags by key.
func (s *Service) ListTagsForResource(ctx context.Context, in *cloudwatch.ListTagsForResourceInput) (*cloudwatch.ListTagsForResourceOutput, error) {
	answer := &cloudwatch.ListTagsForResourceOutput{Tags: []types.Tag{}}
	err := s.withTags(ctx, "ListTagsForResource", in.ResourceARN, func(tags map[string]string) {
		for _, key := range slices.Sorted(maps.Keys(tags)) {
			answer.Tags = append(answer.Tags, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
		}
	})
	return answer, err
}

func (s *Service) withTags(ctx context.Context, action string, arn *string, do func(map[string]string)) error {
	if arn == nil {
		return missing("ResourceARN")
	}
	if err := s.authorize(ctx, action, *arn); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.exists(*arn) {
		return &types.ResourceNotFoundException{Message: aws.String("Resource " + *arn + " does not exist.")}
	}
	if s.tags[*arn] == nil {
		s.tags[*arn] = map[string]string{}
	}
	do(s.tags[*arn])
	return nil
}

// exists needs the lock held.
func (s *Service) exists(arn string) bool {
	if name, ok := strings.CutPrefix(arn, s.alarmARN("")); ok {
		return s.alarms[name] != nil
	}
	name, ok := strings.CutPrefix(arn, s.dashboardARN(""))
	return ok && s.dashboards[name] != nil
}

func tagged(tags []types.Tag) map[string]string {
	found := map[string]string{}
	for _, tag := range tags {
		found[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return found
}
