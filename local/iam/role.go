package iam

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"

	"api-destination-credentials/local/access"
	"api-destination-credentials/local/iam/policy"
)

// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
var roleName = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)

// CreateRole makes a role with its trust policy.
func (s *Service) CreateRole(ctx context.Context, in *iam.CreateRoleInput) (*iam.CreateRoleOutput, error) {
	if err := s.ask(ctx, "CreateRole", aws.ToString(in.RoleName)); err != nil {
		return nil, err
	}
	if in.PermissionsBoundary != nil {
		return nil, invalid("PermissionsBoundary: the local endpoint knows no permissions boundaries; leave it out")
	}
	path := "/"
	if in.Path != nil {
		path = *in.Path
	}
	return s.create(in, path)
}

func (s *Service) create(in *iam.CreateRoleInput, path string) (*iam.CreateRoleOutput, error) {
	name := aws.ToString(in.RoleName)
	if !roleName.MatchString(name) {
		return nil, invalid("1 validation error detected: Value at 'roleName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]+ and have length less than or equal to 64")
	}
	trust, err := parse(aws.ToString(in.AssumeRolePolicyDocument), policy.Trust)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.roles[name] != nil {
		return nil, &types.EntityAlreadyExistsException{Message: aws.String(fmt.Sprintf("Role with name %s already exists.", name))}
	}
	made := &role{
		id: newID("AROA"), name: name, path: path, description: aws.ToString(in.Description), created: s.Clock.Now(), maxSession: 3600,
		trust: trust, inline: map[string]document{}, attached: map[string]document{}, tags: in.Tags,
	}
	if in.MaxSessionDuration != nil {
		made.maxSession = *in.MaxSessionDuration
	}
	s.roles[name] = made
	return &iam.CreateRoleOutput{Role: s.describe(made)}, nil
}

// CreateServiceLinkedRole makes the role that API destinations read the
// secrets of their connections with.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/using-service-linked-roles-service-action-1.html
func (s *Service) CreateServiceLinkedRole(ctx context.Context, in *iam.CreateServiceLinkedRoleInput) (*iam.CreateServiceLinkedRoleOutput, error) {
	const service, name = "apidestinations.events.amazonaws.com", "AWSServiceRoleForAmazonEventBridgeApiDestinations"
	if aws.ToString(in.AWSServiceName) != service {
		return nil, invalid(fmt.Sprintf("AWSServiceName %s: the local endpoint has a service-linked role for %s only", aws.ToString(in.AWSServiceName), service))
	}
	if err := s.ask(ctx, "CreateServiceLinkedRole", name); err != nil {
		return nil, err
	}
	made, err := s.create(&iam.CreateRoleInput{
		RoleName: aws.String(name),
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}]}`),
	}, "/aws-service-role/"+service+"/")
	if exists := (*types.EntityAlreadyExistsException)(nil); errors.As(err, &exists) {
		return nil, &types.InvalidInputException{Message: aws.String(fmt.Sprintf("Service role name %s has been taken in this account, please try a different suffix.", name))}
	}
	if err != nil {
		return nil, err
	}
	allowed, err := parse(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["secretsmanager:CreateSecret","secretsmanager:UpdateSecret","secretsmanager:DescribeSecret",
			"secretsmanager:DeleteSecret","secretsmanager:GetSecretValue","secretsmanager:PutSecretValue"],
			"Resource":"arn:aws:secretsmanager:*:*:secret:events!connection/*"},
		{"Effect":"Allow","Action":["kms:DescribeKey","kms:GenerateDataKey","kms:Decrypt","kms:Encrypt"],"Resource":"*",
			"Condition":{"StringEquals":{"aws:ResourceTag/EventBridgeApiDestinations":"true"}}}]}`, policy.Identity)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roles[name].inline["AmazonEventBridgeApiDestinationsServiceRolePolicy"] = allowed
	return &iam.CreateServiceLinkedRoleOutput{Role: made.Role}, nil
}

// GetRole shows a role.
func (s *Service) GetRole(ctx context.Context, in *iam.GetRoleInput) (*iam.GetRoleOutput, error) {
	if err := s.ask(ctx, "GetRole", aws.ToString(in.RoleName)); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	found, err := s.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	return &iam.GetRoleOutput{Role: s.describe(found)}, nil
}

func (s *Service) describe(r *role) *types.Role {
	return &types.Role{
		Arn: aws.String(s.arn(r)), RoleName: aws.String(r.name), RoleId: aws.String(r.id), Path: aws.String(r.path), CreateDate: aws.Time(r.created),
		// Documents travel URL-encoded.
		// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html
		AssumeRolePolicyDocument: aws.String(url.PathEscape(r.trust.text)),
		Description:              aws.String(r.description), MaxSessionDuration: aws.Int32(r.maxSession), Tags: r.tags,
	}
}

// ListRoles lists every role by name, in one page.
func (s *Service) ListRoles(ctx context.Context, _ *iam.ListRolesInput) (*iam.ListRolesOutput, error) {
	if err := s.ask(ctx, "ListRoles", ""); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	listed := &iam.ListRolesOutput{Roles: []types.Role{}}
	for _, name := range slices.Sorted(maps.Keys(s.roles)) {
		listed.Roles = append(listed.Roles, *s.describe(s.roles[name]))
	}
	return listed, nil
}

// DeleteRole removes a role without policies.
func (s *Service) DeleteRole(ctx context.Context, in *iam.DeleteRoleInput) (*iam.DeleteRoleOutput, error) {
	return &iam.DeleteRoleOutput{}, s.change(ctx, "DeleteRole", in.RoleName, func(r *role) error {
		if len(r.attached) > 0 {
			return &types.DeleteConflictException{Message: aws.String("Cannot delete entity, must detach all policies first.")}
		}
		if len(r.inline) > 0 {
			return &types.DeleteConflictException{Message: aws.String("Cannot delete entity, must delete policies first.")}
		}
		delete(s.roles, r.name)
		return nil
	})
}

// UpdateRole changes the description and the longest session.
func (s *Service) UpdateRole(ctx context.Context, in *iam.UpdateRoleInput) (*iam.UpdateRoleOutput, error) {
	return &iam.UpdateRoleOutput{}, s.change(ctx, "UpdateRole", in.RoleName, func(r *role) error {
		r.description = aws.ToString(in.Description)
		if in.MaxSessionDuration != nil {
			r.maxSession = *in.MaxSessionDuration
		}
		return nil
	})
}

// UpdateAssumeRolePolicy replaces the trust policy.
func (s *Service) UpdateAssumeRolePolicy(ctx context.Context, in *iam.UpdateAssumeRolePolicyInput) (*iam.UpdateAssumeRolePolicyOutput, error) {
	trust, err := parse(aws.ToString(in.PolicyDocument), policy.Trust)
	if err != nil {
		return nil, err
	}
	return &iam.UpdateAssumeRolePolicyOutput{}, s.change(ctx, "UpdateAssumeRolePolicy", in.RoleName, func(r *role) error { r.trust = trust; return nil })
}

// TagRole adds tags or gives them new values.
func (s *Service) TagRole(ctx context.Context, in *iam.TagRoleInput) (*iam.TagRoleOutput, error) {
	return &iam.TagRoleOutput{}, s.change(ctx, "TagRole", in.RoleName, func(r *role) error {
		kept := slices.DeleteFunc(slices.Clone(r.tags), func(old types.Tag) bool {
			return slices.ContainsFunc(in.Tags, func(tag types.Tag) bool { return aws.ToString(tag.Key) == aws.ToString(old.Key) })
		})
		r.tags = append(kept, in.Tags...)
		return nil
	})
}

// UntagRole takes tags away.
func (s *Service) UntagRole(ctx context.Context, in *iam.UntagRoleInput) (*iam.UntagRoleOutput, error) {
	return &iam.UntagRoleOutput{}, s.change(ctx, "UntagRole", in.RoleName, func(r *role) error {
		r.tags = slices.DeleteFunc(slices.Clone(r.tags), func(tag types.Tag) bool { return slices.Contains(in.TagKeys, aws.ToString(tag.Key)) })
		return nil
	})
}

// change does something to a role, with the lock held, if the caller may.
func (s *Service) change(ctx context.Context, action string, name *string, do func(*role) error) error {
	if err := s.ask(ctx, action, aws.ToString(name)); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.role(name)
	if err != nil {
		return err
	}
	return do(found)
}

func (s *Service) ask(ctx context.Context, action, role string) error {
	return s.Authorize(ctx, access.Request{Action: "iam:" + action, Resource: fmt.Sprintf("arn:aws:iam::%s:role/%s", s.Account.ID, role)})
}

func invalid(message string) error {
	return &smithy.GenericAPIError{Code: "ValidationError", Message: message}
}
