package eventbridge

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// TagResource adds tags to an event bus or rule.
func (s *Service) TagResource(ctx context.Context, in *eventbridge.TagResourceInput) (*eventbridge.TagResourceOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tags, err := s.tagsFor(ctx, "TagResource", in.ResourceARN)
	if err == nil {
		err = s.unmanaged(*in.ResourceARN)
	}
	if err != nil {
		return nil, err
	}
	maps.Copy(tags, tagged(in.Tags))
	return &eventbridge.TagResourceOutput{}, nil
}

// UntagResource removes tags.
func (s *Service) UntagResource(ctx context.Context, in *eventbridge.UntagResourceInput) (*eventbridge.UntagResourceOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tags, err := s.tagsFor(ctx, "UntagResource", in.ResourceARN)
	if err == nil {
		err = s.unmanaged(*in.ResourceARN)
	}
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(tags, key)
	}
	return &eventbridge.UntagResourceOutput{}, nil
}

// ListTagsForResource lists tags by key.
func (s *Service) ListTagsForResource(ctx context.Context, in *eventbridge.ListTagsForResourceInput) (*eventbridge.ListTagsForResourceOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tags, err := s.tagsFor(ctx, "ListTagsForResource", in.ResourceARN)
	if err != nil {
		return nil, err
	}
	out := &eventbridge.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return out, nil
}

func (s *Service) tagsFor(ctx context.Context, action string, arn *string) (map[string]string, error) {
	if arn == nil {
		return nil, missing("resourceARN")
	}
	if err := s.authorize(ctx, action, *arn); err != nil {
		return nil, err
	}
	if tags := s.tags[*arn]; tags != nil {
		return tags, nil
	}
	return nil, &types.ResourceNotFoundException{Message: aws.String(fmt.Sprintf("Resource %s does not exist.", *arn))}
}

// unmanaged refuses to tag an archive's own rule.
func (s *Service) unmanaged(arn string) error {
	for _, a := range s.archives {
		if a.ruleARN == arn {
			return &types.ManagedRuleException{Message: aws.String("Tag related operations on the managed rule " + a.ruleName() + " is not allowed.")}
		}
	}
	return nil
}
