package kms

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// TagResource adds tags or gives them new values.
func (s *Service) TagResource(ctx context.Context, in *kms.TagResourceInput) (*kms.TagResourceOutput, error) {
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	return &kms.TagResourceOutput{}, s.change(ctx, "TagResource", in.KeyId, func(k *key) error {
		kept := slices.DeleteFunc(slices.Clone(k.tags), func(old types.Tag) bool {
			return slices.ContainsFunc(in.Tags, func(tag types.Tag) bool { return aws.ToString(tag.TagKey) == aws.ToString(old.TagKey) })
		})
		k.tags = append(kept, in.Tags...)
		return nil
	})
}

// https://docs.aws.amazon.com/kms/latest/developerguide/tagging-keys.html
func checkTags(tags []types.Tag) error {
	for _, tag := range tags {
		name := aws.ToString(tag.TagKey)
		if name == "" || len(name) > 128 || len(aws.ToString(tag.TagValue)) > 256 || strings.HasPrefix(name, "aws:") {
			return &types.TagException{Message: aws.String(fmt.Sprintf("Tag '%s': a tag key has 1 to 128 characters and does not begin with aws:, a value has at most 256; change it", name))}
		}
	}
	return nil
}

// UntagResource takes tags away.
func (s *Service) UntagResource(ctx context.Context, in *kms.UntagResourceInput) (*kms.UntagResourceOutput, error) {
	return &kms.UntagResourceOutput{}, s.change(ctx, "UntagResource", in.KeyId, func(k *key) error {
		k.tags = slices.DeleteFunc(slices.Clone(k.tags), func(tag types.Tag) bool { return slices.Contains(in.TagKeys, aws.ToString(tag.TagKey)) })
		return nil
	})
}

// ListResourceTags lists the tags of a key.
func (s *Service) ListResourceTags(ctx context.Context, in *kms.ListResourceTagsInput) (*kms.ListResourceTagsOutput, error) {
	found, err := s.allowed(ctx, "ListResourceTags", in.KeyId, nil)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	tags, next, err := page(found.tags, in.Limit, in.Marker, 50, 50)
	if err != nil {
		return nil, err
	}
	return &kms.ListResourceTagsOutput{Tags: append([]types.Tag{}, tags...), NextMarker: next, Truncated: next != nil}, nil
}
