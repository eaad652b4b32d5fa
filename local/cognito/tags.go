package cognito

import (
	"context"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
)

// TagResource adds or overwrites tags of a user pool, named by its ARN.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_TagResource.html
func (s *Service) TagResource(ctx context.Context, in *cognitoidentityprovider.TagResourceInput) (*cognitoidentityprovider.TagResourceOutput, error) {
	_, err := s.tags(ctx, "TagResource", in.ResourceArn, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
	return &cognitoidentityprovider.TagResourceOutput{}, err
}

// UntagResource removes tags of a user pool, named by its ARN.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UntagResource.html
func (s *Service) UntagResource(ctx context.Context, in *cognitoidentityprovider.UntagResourceInput) (*cognitoidentityprovider.UntagResourceOutput, error) {
	_, err := s.tags(ctx, "UntagResource", in.ResourceArn, func(tags map[string]string) {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
	})
	return &cognitoidentityprovider.UntagResourceOutput{}, err
}

// ListTagsForResource returns the tags of a user pool, named by its ARN.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListTagsForResource.html
func (s *Service) ListTagsForResource(ctx context.Context, in *cognitoidentityprovider.ListTagsForResourceInput) (*cognitoidentityprovider.ListTagsForResourceOutput, error) {
	tags, err := s.tags(ctx, "ListTagsForResource", in.ResourceArn, func(map[string]string) {})
	return &cognitoidentityprovider.ListTagsForResourceOutput{Tags: tags}, err
}

// tags gives change a copy of a pool's tags, and keeps and returns what it leaves.
func (s *Service) tags(ctx context.Context, operation string, arn *string, change func(map[string]string)) (map[string]string, error) {
	id, found := strings.CutPrefix(aws.ToString(arn), s.arn(""))
	if !found {
		return nil, invalid("resourceArn is not the ARN of a user pool of this account and Region: it begins with %s", s.arn(""))
	}
	tags := map[string]string{}
	err := s.locked(ctx, operation, aws.String(id), func(p *pool) error {
		maps.Copy(tags, p.settings.UserPoolTags)
		change(tags)
		p.settings.UserPoolTags = tags
		return nil
	})
	return tags, err
}
