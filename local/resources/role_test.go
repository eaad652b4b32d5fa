package resources_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"api-destination-credentials/local/resources"
)

// roles is IAM whose roles lack what is to be deleted.
type roles struct {
	resources.Roles
	calls
}

var roleMade = &types.Role{Arn: aws.String("arn:r"), RoleId: aws.String("AROA")}

func (f *roles) CreateRole(_ context.Context, in *iam.CreateRoleInput) (*iam.CreateRoleOutput, error) {
	f.note(in)
	return &iam.CreateRoleOutput{Role: roleMade}, nil
}

func (f *roles) GetRole(context.Context, *iam.GetRoleInput) (*iam.GetRoleOutput, error) {
	return &iam.GetRoleOutput{Role: roleMade}, nil
}

func (f *roles) UpdateRole(_ context.Context, in *iam.UpdateRoleInput) (*iam.UpdateRoleOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *roles) UpdateAssumeRolePolicy(_ context.Context, in *iam.UpdateAssumeRolePolicyInput) (*iam.UpdateAssumeRolePolicyOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *roles) PutRolePolicy(_ context.Context, in *iam.PutRolePolicyInput) (*iam.PutRolePolicyOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *roles) AttachRolePolicy(_ context.Context, in *iam.AttachRolePolicyInput) (*iam.AttachRolePolicyOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *roles) DetachRolePolicy(_ context.Context, in *iam.DetachRolePolicyInput) (*iam.DetachRolePolicyOutput, error) {
	f.note(in)
	return nil, &types.NoSuchEntityException{}
}

func (f *roles) DeleteRolePolicy(_ context.Context, in *iam.DeleteRolePolicyInput) (*iam.DeleteRolePolicyOutput, error) {
	f.note(in)
	return nil, &types.NoSuchEntityException{}
}

func (f *roles) DeleteRole(_ context.Context, in *iam.DeleteRoleInput) (*iam.DeleteRoleOutput, error) {
	f.note(in)
	return nil, &types.NoSuchEntityException{}
}

func TestAnUpdateOfARoleTouchesThePoliciesThatDiffer(t *testing.T) {
	fake := &roles{}
	_, err := provider(t, resources.Services{Roles: fake}, "AWS::IAM::Role").Update(context.Background(), change(t, "r",
		`{"AssumeRolePolicyDocument": {"a": 1}, "Description": "d", "ManagedPolicyArns": ["m1", "m2"], "Policies": [
			{"PolicyName": "Same", "PolicyDocument": {"s": 1}}, {"PolicyName": "Changed", "PolicyDocument": {"c": 1}}, {"PolicyName": "Left", "PolicyDocument": {}}]}`,
		`{"AssumeRolePolicyDocument": {"a": 2}, "ManagedPolicyArns": ["m2", "m3"], "Policies": [
			{"PolicyName": "Same", "PolicyDocument": {"s": 1}}, {"PolicyName": "Changed", "PolicyDocument": {"c": 2}}, {"PolicyName": "New", "PolicyDocument": {}}]}`))
	check(t, err)
	role := aws.String("r")
	wantCalls(t, fake.take(),
		&iam.UpdateRoleInput{RoleName: role, Description: aws.String("")},
		&iam.UpdateAssumeRolePolicyInput{RoleName: role, PolicyDocument: aws.String(`{"a":2}`)},
		&iam.PutRolePolicyInput{RoleName: role, PolicyName: aws.String("Changed"), PolicyDocument: aws.String(`{"c":2}`)},
		&iam.PutRolePolicyInput{RoleName: role, PolicyName: aws.String("New"), PolicyDocument: aws.String(`{}`)},
		&iam.DeleteRolePolicyInput{RoleName: role, PolicyName: aws.String("Left")},
		&iam.AttachRolePolicyInput{RoleName: role, PolicyArn: aws.String("m3")},
		&iam.DetachRolePolicyInput{RoleName: role, PolicyArn: aws.String("m1")})
}

func TestARoleLosesItsPoliciesBeforeItIsDeleted(t *testing.T) {
	fake := &roles{}
	r := request(t, `{"AssumeRolePolicyDocument": {}, "ManagedPolicyArns": ["m"], "Policies": [{"PolicyName": "P", "PolicyDocument": {}}]}`)
	r.PhysicalID = "r"
	check(t, provider(t, resources.Services{Roles: fake}, "AWS::IAM::Role").Delete(context.Background(), r))
	wantCalls(t, fake.take(),
		&iam.DeleteRolePolicyInput{RoleName: aws.String("r"), PolicyName: aws.String("P")},
		&iam.DetachRolePolicyInput{RoleName: aws.String("r"), PolicyArn: aws.String("m")},
		&iam.DeleteRoleInput{RoleName: aws.String("r")})
}

func TestTwoInlinePoliciesOfOneNameAreRefused(t *testing.T) {
	fake := &roles{}
	result, err := provider(t, resources.Services{Roles: fake}, "AWS::IAM::Role").Create(context.Background(), request(t,
		`{"AssumeRolePolicyDocument": {}, "Policies": [{"PolicyName": "P", "PolicyDocument": {}}, {"PolicyName": "P", "PolicyDocument": {}}]}`))
	wantError(t, err, "Policies names P twice")
	if result.PhysicalID == "" {
		t.Error("the role that was made is not named, so rollback cannot delete it")
	}
}

func TestAPolicyFollowsItsRolesAndItsName(t *testing.T) {
	fake := &roles{}
	p := provider(t, resources.Services{Roles: fake}, "AWS::IAM::Policy")
	_, err := p.Update(context.Background(), change(t, "id",
		`{"PolicyName": "P", "PolicyDocument": {}, "Roles": ["a", "b"]}`, `{"PolicyName": "P", "PolicyDocument": {}, "Roles": ["b"]}`))
	check(t, err)
	wantCalls(t, fake.take(),
		&iam.PutRolePolicyInput{RoleName: aws.String("b"), PolicyName: aws.String("P"), PolicyDocument: aws.String(`{}`)},
		&iam.DeleteRolePolicyInput{RoleName: aws.String("a"), PolicyName: aws.String("P")})

	_, err = p.Update(context.Background(), change(t, "id",
		`{"PolicyName": "P", "PolicyDocument": {}, "Roles": ["b"]}`, `{"PolicyName": "Q", "PolicyDocument": {}, "Roles": ["b"]}`))
	check(t, err)
	wantCalls(t, fake.take(),
		&iam.PutRolePolicyInput{RoleName: aws.String("b"), PolicyName: aws.String("Q"), PolicyDocument: aws.String(`{}`)},
		&iam.DeleteRolePolicyInput{RoleName: aws.String("b"), PolicyName: aws.String("P")})
}
