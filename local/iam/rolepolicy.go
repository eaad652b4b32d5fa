package iam

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"api-destination-credentials/local/iam/policy"
)

// managed are the policies of AWS's own that roles here can have.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSLambdaBasicExecutionRole.html
var managed = map[string]string{
	"arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole": `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]}`,
}

// PutRolePolicy adds an inline policy or replaces the one of that name.
func (s *Service) PutRolePolicy(ctx context.Context, in *iam.PutRolePolicyInput) (*iam.PutRolePolicyOutput, error) {
	made, err := parse(aws.ToString(in.PolicyDocument), policy.Identity)
	if err != nil {
		return nil, err
	}
	return &iam.PutRolePolicyOutput{}, s.change(ctx, "PutRolePolicy", in.RoleName, func(r *role) error {
		r.inline[aws.ToString(in.PolicyName)] = made
		return nil
	})
}

// GetRolePolicy reads an inline policy.
func (s *Service) GetRolePolicy(ctx context.Context, in *iam.GetRolePolicyInput) (*iam.GetRolePolicyOutput, error) {
	answer := &iam.GetRolePolicyOutput{RoleName: in.RoleName, PolicyName: in.PolicyName}
	err := s.change(ctx, "GetRolePolicy", in.RoleName, func(r *role) error {
		found, ok := r.inline[aws.ToString(in.PolicyName)]
		if !ok {
			return noPolicy(in.PolicyName)
		}
		answer.PolicyDocument = aws.String(url.PathEscape(found.text))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// ListRolePolicies lists the inline policies by name.
func (s *Service) ListRolePolicies(ctx context.Context, in *iam.ListRolePoliciesInput) (*iam.ListRolePoliciesOutput, error) {
	answer := &iam.ListRolePoliciesOutput{PolicyNames: []string{}}
	err := s.change(ctx, "ListRolePolicies", in.RoleName, func(r *role) error {
		answer.PolicyNames = slices.AppendSeq(answer.PolicyNames, maps.Keys(r.inline))
		slices.Sort(answer.PolicyNames)
		return nil
	})
	return answer, err
}

// DeleteRolePolicy removes an inline policy.
func (s *Service) DeleteRolePolicy(ctx context.Context, in *iam.DeleteRolePolicyInput) (*iam.DeleteRolePolicyOutput, error) {
	return &iam.DeleteRolePolicyOutput{}, s.change(ctx, "DeleteRolePolicy", in.RoleName, func(r *role) error {
		if _, ok := r.inline[aws.ToString(in.PolicyName)]; !ok {
			return noPolicy(in.PolicyName)
		}
		delete(r.inline, aws.ToString(in.PolicyName))
		return nil
	})
}

// AttachRolePolicy gives the role one of the managed policies that are known here.
func (s *Service) AttachRolePolicy(ctx context.Context, in *iam.AttachRolePolicyInput) (*iam.AttachRolePolicyOutput, error) {
	text, ok := managed[aws.ToString(in.PolicyArn)]
	if !ok {
		return nil, &types.NoSuchEntityException{Message: aws.String(fmt.Sprintf(
			"Policy %s does not exist or is not attachable; the local endpoint knows %v", aws.ToString(in.PolicyArn), slices.Sorted(maps.Keys(managed))))}
	}
	made, err := parse(text, policy.Identity)
	if err != nil {
		return nil, err
	}
	return &iam.AttachRolePolicyOutput{}, s.change(ctx, "AttachRolePolicy", in.RoleName, func(r *role) error {
		r.attached[aws.ToString(in.PolicyArn)] = made
		return nil
	})
}

// DetachRolePolicy takes it away.
func (s *Service) DetachRolePolicy(ctx context.Context, in *iam.DetachRolePolicyInput) (*iam.DetachRolePolicyOutput, error) {
	return &iam.DetachRolePolicyOutput{}, s.change(ctx, "DetachRolePolicy", in.RoleName, func(r *role) error {
		if _, ok := r.attached[aws.ToString(in.PolicyArn)]; !ok {
			return noPolicy(in.PolicyArn)
		}
		delete(r.attached, aws.ToString(in.PolicyArn))
		return nil
	})
}

// ListAttachedRolePolicies lists the managed policies of a role.
func (s *Service) ListAttachedRolePolicies(ctx context.Context, in *iam.ListAttachedRolePoliciesInput) (*iam.ListAttachedRolePoliciesOutput, error) {
	answer := &iam.ListAttachedRolePoliciesOutput{AttachedPolicies: []types.AttachedPolicy{}}
	err := s.change(ctx, "ListAttachedRolePolicies", in.RoleName, func(r *role) error {
		for _, arn := range slices.Sorted(maps.Keys(r.attached)) {
			answer.AttachedPolicies = append(answer.AttachedPolicies, types.AttachedPolicy{PolicyArn: aws.String(arn), PolicyName: aws.String(path.Base(arn))})
		}
		return nil
	})
	return answer, err
}

func noPolicy(name *string) error {
	return &types.NoSuchEntityException{Message: aws.String(fmt.Sprintf("The role policy with name %s cannot be found.", aws.ToString(name)))}
}
