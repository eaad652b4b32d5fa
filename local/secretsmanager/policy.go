package secretsmanager

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// PutResourcePolicy gives the secret a policy of its own.
func (s *Service) PutResourcePolicy(ctx context.Context, in *secretsmanager.PutResourcePolicyInput) (*secretsmanager.PutResourcePolicyOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.writable(ctx, "PutResourcePolicy", in.SecretId)
	if err != nil {
		return nil, err
	}
	if aws.ToBool(in.BlockPublicPolicy) {
		return nil, invalidParameter("BlockPublicPolicy: the local endpoint does not look for public policies; leave it out")
	}
	if !json.Valid([]byte(aws.ToString(in.ResourcePolicy))) {
		return nil, &types.MalformedPolicyDocumentException{Message: aws.String("This resource policy contains invalid Json.")}
	}
	found.policy = aws.ToString(in.ResourcePolicy)
	return &secretsmanager.PutResourcePolicyOutput{ARN: aws.String(found.arn), Name: aws.String(found.name)}, nil
}

// GetResourcePolicy reads it.
func (s *Service) GetResourcePolicy(ctx context.Context, in *secretsmanager.GetResourcePolicyInput) (*secretsmanager.GetResourcePolicyOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.alive(ctx, "GetResourcePolicy", in.SecretId, nil)
	if err != nil {
		return nil, err
	}
	return &secretsmanager.GetResourcePolicyOutput{ARN: aws.String(found.arn), Name: aws.String(found.name), ResourcePolicy: optional(found.policy)}, nil
}

// DeleteResourcePolicy takes it away.
func (s *Service) DeleteResourcePolicy(ctx context.Context, in *secretsmanager.DeleteResourcePolicyInput) (*secretsmanager.DeleteResourcePolicyOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.writable(ctx, "DeleteResourcePolicy", in.SecretId)
	if err != nil {
		return nil, err
	}
	found.policy = ""
	return &secretsmanager.DeleteResourcePolicyOutput{ARN: aws.String(found.arn), Name: aws.String(found.name)}, nil
}
