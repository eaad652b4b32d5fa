package lambda

import (
	"context"
	"maps"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// TagResource adds or overwrites tags of a function, named by its ARN.
// https://docs.aws.amazon.com/lambda/latest/api/API_TagResource.html
func (s *Service) TagResource(ctx context.Context, in *lambda.TagResourceInput) (*lambda.TagResourceOutput, error) {
	err := s.changeTags(ctx, "lambda:TagResource", in.Resource, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
	return &lambda.TagResourceOutput{}, err
}

// UntagResource removes tags of a function, named by its ARN.
// https://docs.aws.amazon.com/lambda/latest/api/API_UntagResource.html
func (s *Service) UntagResource(ctx context.Context, in *lambda.UntagResourceInput) (*lambda.UntagResourceOutput, error) {
	err := s.changeTags(ctx, "lambda:UntagResource", in.Resource, func(tags map[string]string) {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
	})
	return &lambda.UntagResourceOutput{}, err
}

// ListTags returns the tags of a function, named by its ARN.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListTags.html
func (s *Service) ListTags(ctx context.Context, in *lambda.ListTagsInput) (*lambda.ListTagsOutput, error) {
	var tags map[string]string
	err := s.changeTags(ctx, "lambda:ListTags", in.Resource, func(current map[string]string) { tags = current })
	return &lambda.ListTagsOutput{Tags: tags}, err
}

// changeTags gives change a copy of the tags and keeps what it leaves.
func (s *Service) changeTags(ctx context.Context, action string, resource *string, change func(map[string]string)) error {
	_, name, err := s.authorize(ctx, action, resource, nil)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.find(name)
	if err != nil {
		return err
	}
	tags := maps.Clone(f.tags)
	if tags == nil {
		tags = map[string]string{}
	}
	change(tags)
	f.tags = tags
	return nil
}
