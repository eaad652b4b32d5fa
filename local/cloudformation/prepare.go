package cloudformation

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// prepared is a template for one stack: parameters bound, rules checked,
// conditions decided, references resolved to an order.
type prepared struct {
	*template
	given map[string]string // parameter values
	scope *scope
	needs map[string][]string // per resource to have, those that come first
}

func (s *Service) prepare(st *stack, t *template, given []types.Parameter, previous map[string]string) (*prepared, error) {
	if err := s.checkTypes(t); err != nil {
		return nil, err
	}
	if err := t.checkReferences(); err != nil {
		return nil, err
	}
	bound, err := bind(t.parameters, given, previous)
	if err != nil {
		return nil, err
	}
	p := &prepared{template: t, given: bound, scope: &scope{values: s.pseudoParameters(st), mappings: t.mappings}}
	for name, text := range bound {
		p.scope.values[name] = t.parameters[name].value(text)
	}
	if err := checkRules(t.rules, p.scope); err != nil {
		return nil, err
	}
	if err := judgeConditions(t.conditions, p.scope); err != nil {
		return nil, err
	}
	if p.needs, err = t.dependencies(p.scope); err != nil {
		return nil, err
	}
	return p, nil
}

func (s *Service) pseudoParameters(st *stack) map[string]any {
	return map[string]any{
		"AWS::AccountId":        s.Account.ID,
		"AWS::NotificationARNs": []any{},
		"AWS::Partition":        "aws",
		"AWS::Region":           s.Account.Region,
		"AWS::StackId":          st.id,
		"AWS::StackName":        st.name,
		"AWS::URLSuffix":        "amazonaws.com",
	}
}

func (s *Service) checkTypes(t *template) error {
	strangers := map[string]string{} // by type, a resource that has it
	for _, id := range slices.Sorted(maps.Keys(t.resources)) {
		kind := t.resources[id].kind
		if _, known := s.Types[kind]; !known && !isCustom(kind) {
			strangers[kind] = id
		}
	}
	if len(strangers) > 0 {
		return invalid("Template format error: Unrecognized resource types: [%s] (of %s). The local endpoint supports %s",
			strings.Join(slices.Sorted(maps.Keys(strangers)), ", "), strings.Join(slices.Sorted(maps.Values(strangers)), ", "), strings.Join(slices.Sorted(maps.Keys(s.Types)), ", "))
	}
	return nil
}

// namedIAM are the properties that give IAM resources names of the user's own.
var namedIAM = map[string]string{
	"AWS::IAM::Role":            "RoleName",
	"AWS::IAM::User":            "UserName",
	"AWS::IAM::Group":           "GroupName",
	"AWS::IAM::ManagedPolicy":   "ManagedPolicyName",
	"AWS::IAM::InstanceProfile": "InstanceProfileName",
}

// capabilities are those that a template needs, and the types that need them.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
func (t *template) capabilities() (needed []types.Capability, because []string) {
	for _, id := range slices.Sorted(maps.Keys(t.resources)) {
		d := t.resources[id]
		if !strings.HasPrefix(d.kind, "AWS::IAM::") {
			continue
		}
		capability := types.CapabilityCapabilityIam
		if _, named := d.properties[namedIAM[d.kind]]; named {
			capability = types.CapabilityCapabilityNamedIam
		}
		if !slices.Contains(needed, capability) {
			needed = append(needed, capability)
		}
		if !slices.Contains(because, d.kind) {
			because = append(because, d.kind)
		}
	}
	if slices.Contains(needed, types.CapabilityCapabilityNamedIam) {
		needed = []types.Capability{types.CapabilityCapabilityNamedIam}
	}
	return needed, because
}

// checkCapabilities refuses what the user has not acknowledged. Change sets
// show what a transform made, so they need no CAPABILITY_AUTO_EXPAND.
func (t *template) checkCapabilities(given []types.Capability, direct bool) error {
	needed, _ := t.capabilities()
	if direct && len(t.transforms) > 0 {
		needed = append(needed, types.CapabilityCapabilityAutoExpand)
	}
	var missing []string
	for _, capability := range needed {
		covered := capability == types.CapabilityCapabilityIam && slices.Contains(given, types.CapabilityCapabilityNamedIam)
		if !covered && !slices.Contains(given, capability) {
			missing = append(missing, string(capability))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return &types.InsufficientCapabilitiesException{Message: aws.String("Requires capabilities : [" + strings.Join(missing, ", ") + "]")}
}
