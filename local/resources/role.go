package resources

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"api-destination-credentials/local/cloudformation"
)

// Roles is AWS IAM.
type Roles interface {
	CreateRole(context.Context, *iam.CreateRoleInput) (*iam.CreateRoleOutput, error)
	GetRole(context.Context, *iam.GetRoleInput) (*iam.GetRoleOutput, error)
	UpdateRole(context.Context, *iam.UpdateRoleInput) (*iam.UpdateRoleOutput, error)
	UpdateAssumeRolePolicy(context.Context, *iam.UpdateAssumeRolePolicyInput) (*iam.UpdateAssumeRolePolicyOutput, error)
	DeleteRole(context.Context, *iam.DeleteRoleInput) (*iam.DeleteRoleOutput, error)
	PutRolePolicy(context.Context, *iam.PutRolePolicyInput) (*iam.PutRolePolicyOutput, error)
	DeleteRolePolicy(context.Context, *iam.DeleteRolePolicyInput) (*iam.DeleteRolePolicyOutput, error)
	AttachRolePolicy(context.Context, *iam.AttachRolePolicyInput) (*iam.AttachRolePolicyOutput, error)
	DetachRolePolicy(context.Context, *iam.DetachRolePolicyInput) (*iam.DetachRolePolicyOutput, error)
	TagRole(context.Context, *iam.TagRoleInput) (*iam.TagRoleOutput, error)
	UntagRole(context.Context, *iam.UntagRoleInput) (*iam.UntagRoleOutput, error)
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html
type role struct{ roles Roles }

func (t role) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known([]string{"AssumeRolePolicyDocument"}, "Description", "ManagedPolicyArns", "MaxSessionDuration", "Path",
			"Policies", "RoleName", "Tags"),
		Replace: []string{"Path", "RoleName"},
		Create:  t.create,
		Update:  t.update,
		Delete:  t.delete,
	}
}

func (t role) create(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	name, err := given(r, "RoleName", stackName(r, 64))
	if err != nil {
		return cloudformation.Result{}, err
	}
	trust, err := document(r.Properties["AssumeRolePolicyDocument"])
	if err != nil {
		return cloudformation.Result{}, err
	}
	made, err := call(ctx, t.roles.CreateRole, with(pick(r.Properties, "Description", "MaxSessionDuration", "Path", "Tags"),
		object{"RoleName": name, "AssumeRolePolicyDocument": trust}))
	if err != nil {
		return cloudformation.Result{}, err
	}
	result := cloudformation.Result{PhysicalID: name, Attributes: object{
		"Arn": aws.ToString(made.Role.Arn), "RoleId": aws.ToString(made.Role.RoleId),
	}}
	return result, t.grant(ctx, r, name)
}

func (t role) update(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	name := r.PhysicalID
	if changed(r, "Description", "MaxSessionDuration") {
		settings := pick(complete(r, object{"Description": "", "MaxSessionDuration": 3600}), "Description", "MaxSessionDuration")
		if err := do(ctx, t.roles.UpdateRole, with(settings, object{"RoleName": name})); err != nil {
			return cloudformation.Result{}, err
		}
	}
	if changed(r, "AssumeRolePolicyDocument") {
		trust, err := document(r.Properties["AssumeRolePolicyDocument"])
		if err != nil {
			return cloudformation.Result{}, err
		}
		if err := do(ctx, t.roles.UpdateAssumeRolePolicy, object{"RoleName": name, "PolicyDocument": trust}); err != nil {
			return cloudformation.Result{}, err
		}
	}
	if err := t.grant(ctx, r, name); err != nil {
		return cloudformation.Result{}, err
	}
	if err := retag(ctx, r, object{"RoleName": name}, keysAndValues, t.roles.UntagRole, t.roles.TagRole); err != nil {
		return cloudformation.Result{}, err
	}
	found, err := call(ctx, t.roles.GetRole, object{"RoleName": name})
	if err != nil {
		return cloudformation.Result{}, err
	}
	return cloudformation.Result{PhysicalID: name, Attributes: object{
		"Arn": aws.ToString(found.Role.Arn), "RoleId": aws.ToString(found.Role.RoleId),
	}}, nil
}

// delete takes the role's own policies away first: a role that has some cannot
// be deleted.
func (t role) delete(ctx context.Context, r cloudformation.Request) error {
	r.OldProperties, r.Properties = r.Properties, object{}
	if err := t.grant(ctx, r, r.PhysicalID); err != nil {
		return err
	}
	return unlessGone(do(ctx, t.roles.DeleteRole, object{"RoleName": r.PhysicalID}))
}

// grant makes the role's inline and managed policies those of the template.
func (t role) grant(ctx context.Context, r cloudformation.Request, name string) error {
	inline, err := inlinePolicies(r.Properties)
	if err != nil {
		return err
	}
	oldInline, err := inlinePolicies(r.OldProperties)
	if err != nil {
		return err
	}
	managed, err := member[[]string](r.Properties, "ManagedPolicyArns")
	if err != nil {
		return err
	}
	oldManaged, err := member[[]string](r.OldProperties, "ManagedPolicyArns")
	if err != nil {
		return err
	}

	for _, policy := range slices.Sorted(maps.Keys(inline)) {
		if old, was := oldInline[policy]; was && old == inline[policy] {
			continue
		}
		if err := do(ctx, t.roles.PutRolePolicy, object{"RoleName": name, "PolicyName": policy, "PolicyDocument": inline[policy]}); err != nil {
			return err
		}
	}
	for _, policy := range slices.Sorted(maps.Keys(oldInline)) {
		if _, stays := inline[policy]; stays {
			continue
		}
		if err := unlessGone(do(ctx, t.roles.DeleteRolePolicy, object{"RoleName": name, "PolicyName": policy})); err != nil {
			return err
		}
	}
	for _, arn := range without(managed, oldManaged) {
		if err := do(ctx, t.roles.AttachRolePolicy, object{"RoleName": name, "PolicyArn": arn}); err != nil {
			return err
		}
	}
	for _, arn := range without(oldManaged, managed) {
		if err := unlessGone(do(ctx, t.roles.DetachRolePolicy, object{"RoleName": name, "PolicyArn": arn})); err != nil {
			return err
		}
	}
	return nil
}

// inlinePolicies are the documents of Policies by name.
func inlinePolicies(properties object) (map[string]string, error) {
	list, err := member[[]struct {
		PolicyName     string
		PolicyDocument any
	}](properties, "Policies")
	if err != nil {
		return nil, err
	}
	policies := map[string]string{}
	for i, entry := range list {
		statements, err := document(entry.PolicyDocument)
		if err != nil {
			return nil, err
		}
		if entry.PolicyName == "" || statements == nil {
			return nil, fmt.Errorf("property Policies[%d] needs a PolicyName and a PolicyDocument", i)
		}
		if _, twice := policies[entry.PolicyName]; twice {
			return nil, fmt.Errorf("property Policies names %s twice; give each policy its own name", entry.PolicyName)
		}
		policies[entry.PolicyName] = statements.(string)
	}
	return policies, nil
}

// without returns what is in list and not in others.
func without(list, others []string) []string {
	var rest []string
	for _, item := range list {
		if !slices.Contains(others, item) {
			rest = append(rest, item)
		}
	}
	return rest
}

// policy is an inline policy that stands outside its roles.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-policy.html
type policy struct{ roles Roles }

func (p policy) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known([]string{"PolicyDocument", "PolicyName"}, "Roles"),
		Create: func(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
			// The id stands already when one role fails: rollback then takes
			// the policy from the others.
			result := policyResult(stackName(r, 128))
			return result, p.put(ctx, r)
		},
		Update: p.update,
		Delete: func(ctx context.Context, r cloudformation.Request) error {
			roles, err := member[[]string](r.Properties, "Roles")
			if err != nil {
				return err
			}
			return p.remove(ctx, roles, r.Properties["PolicyName"])
		},
	}
}

func (p policy) put(ctx context.Context, r cloudformation.Request) error {
	roles, err := member[[]string](r.Properties, "Roles")
	if err != nil {
		return err
	}
	if len(roles) == 0 {
		return errors.New("property Roles must name at least one role; the local endpoint knows no users and groups")
	}
	statements, err := document(r.Properties["PolicyDocument"])
	if err != nil {
		return err
	}
	for _, name := range roles {
		if err := do(ctx, p.roles.PutRolePolicy, with(pick(r.Properties, "PolicyName"), object{"RoleName": name, "PolicyDocument": statements})); err != nil {
			return err
		}
	}
	return nil
}

func (p policy) update(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	if err := p.put(ctx, r); err != nil {
		return cloudformation.Result{}, err
	}
	roles, err := member[[]string](r.Properties, "Roles")
	if err != nil {
		return cloudformation.Result{}, err
	}
	left, err := member[[]string](r.OldProperties, "Roles")
	if err != nil {
		return cloudformation.Result{}, err
	}
	if !changed(r, "PolicyName") {
		left = without(left, roles)
	}
	return policyResult(r.PhysicalID), p.remove(ctx, left, r.OldProperties["PolicyName"])
}

func (p policy) remove(ctx context.Context, roles []string, name any) error {
	for _, role := range roles {
		if err := unlessGone(do(ctx, p.roles.DeleteRolePolicy, object{"RoleName": role, "PolicyName": name})); err != nil {
			return err
		}
	}
	return nil
}

func policyResult(id string) cloudformation.Result {
	return cloudformation.Result{PhysicalID: id, Attributes: object{"Id": id}}
}
