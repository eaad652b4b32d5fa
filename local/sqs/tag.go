package sqs

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// TagQueue adds tags.
func (s *Service) TagQueue(ctx context.Context, in *sqs.TagQueueInput) (*sqs.TagQueueOutput, error) {
	_, err := s.with(ctx, "TagQueue", in.QueueUrl, func(q *queue) {
		if q.tags == nil {
			q.tags = map[string]string{}
		}
		maps.Copy(q.tags, in.Tags)
	})
	return &sqs.TagQueueOutput{}, err
}

// UntagQueue takes tags away.
func (s *Service) UntagQueue(ctx context.Context, in *sqs.UntagQueueInput) (*sqs.UntagQueueOutput, error) {
	_, err := s.with(ctx, "UntagQueue", in.QueueUrl, func(q *queue) {
		maps.DeleteFunc(q.tags, func(name, _ string) bool { return slices.Contains(in.TagKeys, name) })
	})
	return &sqs.UntagQueueOutput{}, err
}

// ListQueueTags reads the tags.
func (s *Service) ListQueueTags(ctx context.Context, in *sqs.ListQueueTagsInput) (*sqs.ListQueueTagsOutput, error) {
	listed := &sqs.ListQueueTagsOutput{}
	_, err := s.with(ctx, "ListQueueTags", in.QueueUrl, func(q *queue) { listed.Tags = maps.Clone(q.tags) })
	return listed, err
}
