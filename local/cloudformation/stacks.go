package cloudformation

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

var stackName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z][-a-zA-Z0-9]{0,127}$`) })

func checkName(name, member string) error {
	if !stackName().MatchString(name) {
		return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*", name, member)
	}
	return nil
}

// CreateStack starts to make a stack. All that can be known about the template
// before a resource is made is checked first.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
func (s *Service) CreateStack(ctx context.Context, in *cloudformation.CreateStackInput) (*cloudformation.CreateStackOutput, error) {
	if err := unsupported(map[string]bool{
		"DeploymentConfig":     in.DeploymentConfig != nil,
		"NotificationARNs":     len(in.NotificationARNs) > 0,
		"ResourceTypes":        len(in.ResourceTypes) > 0,
		"RetainExceptOnCreate": aws.ToBool(in.RetainExceptOnCreate),
		"RoleARN":              in.RoleARN != nil,
		"StackPolicyBody":      in.StackPolicyBody != nil,
		"StackPolicyURL":       in.StackPolicyURL != nil,
		"TimeoutInMinutes":     in.TimeoutInMinutes != nil,
	}); err != nil {
		return nil, err
	}
	name := aws.ToString(in.StackName)
	if err := checkName(name, "stackName"); err != nil {
		return nil, err
	}
	onFailure, err := failureMode(in.OnFailure, in.DisableRollback)
	if err != nil {
		return nil, err
	}
	if err := s.authorize(ctx, "CreateStack", s.arnOf(in.StackName)); err != nil {
		return nil, err
	}
	t, err := s.expand(ctx, in.TemplateBody, in.TemplateURL)
	if err != nil {
		return nil, err
	}
	if err := t.checkCapabilities(in.Capabilities, true); err != nil {
		return nil, err
	}
	op, err := s.launchNew(ctx, in, t, onFailure)
	if err != nil {
		return nil, err
	}
	op.settle(ctx)
	return &cloudformation.CreateStackOutput{StackId: aws.String(op.stack.id)}, nil
}

func (s *Service) launchNew(ctx context.Context, in *cloudformation.CreateStackInput, t *template, onFailure types.OnFailure) (*operation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := aws.ToString(in.StackName)
	if s.live(name) != nil {
		return nil, &types.AlreadyExistsException{Message: aws.String("Stack [" + name + "] already exists")}
	}
	st := s.newStack(name, s.Clock.Now())
	st.tags, st.capabilities, st.protected = in.Tags, in.Capabilities, aws.ToBool(in.EnableTerminationProtection)
	p, err := s.prepare(st, t, in.Parameters, nil)
	if err != nil {
		return nil, err
	}
	planned, err := s.plan(st, p)
	if err != nil {
		return nil, err
	}
	s.stacks = append(s.stacks, st)
	return s.startCreate(ctx, st, p, planned, onFailure, aws.ToString(in.ClientRequestToken))
}

// failureMode reads what is to follow a failed create; the standard is ROLLBACK.
func failureMode(given types.OnFailure, disableRollback *bool) (types.OnFailure, error) {
	switch {
	case given != "" && disableRollback != nil:
		return "", invalid("Either DisableRollback or OnFailure can be specified, not both.")
	case aws.ToBool(disableRollback):
		return types.OnFailureDoNothing, nil
	case given == "":
		return types.OnFailureRollback, nil
	case !slices.Contains(given.Values(), given):
		return "", invalid("1 validation error detected: Value '%s' at 'onFailure' failed to satisfy constraint: Member must satisfy enum value set: [ROLLBACK, DELETE, DO_NOTHING]", given)
	}
	return given, nil
}

func (s *Service) startCreate(ctx context.Context, st *stack, p *prepared, planned *plan, onFailure types.OnFailure, token string) (*operation, error) {
	if s.running.Err() != nil {
		return nil, errClosing
	}
	st.template, st.given, st.imports = p.template, p.given, planned.imports
	st.disableRollback = onFailure == types.OnFailureDoNothing
	st.enter(s.Clock.Now(), types.StackStatusCreateInProgress, "User Initiated", token)
	op := &operation{stack: st, token: token, next: p, imports: planned.imports, onFailure: onFailure}
	s.begin(ctx, op, (*operation).runCreate)
	return op, nil
}

var errClosing = invalid("The local endpoint is closing: start it again")

// UpdateStack starts to bring a stack to another template or other parameters.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStack.html
func (s *Service) UpdateStack(ctx context.Context, in *cloudformation.UpdateStackInput) (*cloudformation.UpdateStackOutput, error) {
	if err := unsupported(map[string]bool{
		"DeploymentConfig":            in.DeploymentConfig != nil,
		"NotificationARNs":            len(in.NotificationARNs) > 0,
		"ResourceTypes":               len(in.ResourceTypes) > 0,
		"RetainExceptOnCreate":        aws.ToBool(in.RetainExceptOnCreate),
		"RoleARN":                     in.RoleARN != nil,
		"StackPolicyBody":             in.StackPolicyBody != nil,
		"StackPolicyDuringUpdateBody": in.StackPolicyDuringUpdateBody != nil,
		"StackPolicyDuringUpdateURL":  in.StackPolicyDuringUpdateURL != nil,
		"StackPolicyURL":              in.StackPolicyURL != nil,
	}); err != nil {
		return nil, err
	}
	if err := s.authorize(ctx, "UpdateStack", s.arnOf(in.StackName)); err != nil {
		return nil, err
	}
	body, location, err := s.previousTemplate(in.StackName, in.UsePreviousTemplate, in.TemplateBody, in.TemplateURL)
	if err != nil {
		return nil, err
	}
	t, err := s.expand(ctx, body, location)
	if err != nil {
		return nil, err
	}
	if err := t.checkCapabilities(in.Capabilities, true); err != nil {
		return nil, err
	}
	op, err := s.launchUpdate(ctx, in, t)
	if err != nil {
		return nil, err
	}
	op.settle(ctx)
	return &cloudformation.UpdateStackOutput{StackId: aws.String(op.stack.id)}, nil
}

func (s *Service) launchUpdate(ctx context.Context, in *cloudformation.UpdateStackInput, t *template) (*operation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.updatable(in.StackName)
	if err != nil {
		return nil, err
	}
	p, err := s.prepare(st, t, in.Parameters, st.given)
	if err != nil {
		return nil, err
	}
	planned, err := s.planUpdate(st, p)
	if err != nil {
		return nil, err
	}
	if len(planned.changes) == 0 && !planned.elsewhere && (in.Tags == nil || sameTags(in.Tags, st.tags)) {
		return nil, invalid("No updates are to be performed.")
	}
	if in.Tags != nil {
		st.tags = in.Tags
	}
	st.capabilities = in.Capabilities
	onFailure, _ := failureMode("", in.DisableRollback)
	return s.startUpdate(ctx, st, p, planned, onFailure, aws.ToString(in.ClientRequestToken))
}

// planUpdate refuses a resource that would become one of another type.
func (s *Service) planUpdate(st *stack, p *prepared) (*plan, error) {
	var others []string
	for _, id := range slices.Sorted(maps.Keys(p.needs)) {
		if r := st.resources[id]; r != nil && !r.isGone() && r.definition.kind != p.resources[id].kind {
			others = append(others, id)
		}
	}
	if len(others) > 0 {
		return nil, invalid("Update of resource type is not permitted. The new template modifies resource type of the following resources: [%s]", strings.Join(others, ", "))
	}
	return s.plan(st, p)
}

func (s *Service) startUpdate(ctx context.Context, st *stack, p *prepared, planned *plan, onFailure types.OnFailure, token string) (*operation, error) {
	if s.running.Err() != nil {
		return nil, errClosing
	}
	st.updated = s.Clock.Now()
	st.disableRollback = onFailure == types.OnFailureDoNothing
	st.enter(st.updated, types.StackStatusUpdateInProgress, "User Initiated", token)
	op := &operation{stack: st, token: token, next: p, imports: planned.imports, onFailure: onFailure}
	s.begin(ctx, op, (*operation).runUpdate)
	// Until the update has ended, both templates' imports are in use.
	st.imports = maps.Clone(st.imports)
	maps.Copy(st.imports, planned.imports)
	return op, nil
}

// updatable returns a stack that stands still in a state that can be updated.
func (s *Service) updatable(nameOrID *string) (*stack, error) {
	st, err := s.find(nameOrID)
	if err != nil {
		return nil, err
	}
	switch st.status {
	case types.StackStatusCreateComplete, types.StackStatusUpdateComplete, types.StackStatusUpdateRollbackComplete,
		types.StackStatusCreateFailed, types.StackStatusUpdateFailed:
		return st, nil
	case types.StackStatusDeleteComplete:
		return nil, invalid("Stack [%s] does not exist", st.name)
	}
	return nil, invalid("Stack:%s is in %s state and can not be updated.", st.id, st.status)
}

// previousTemplate replaces UsePreviousTemplate by the template that it means.
func (s *Service) previousTemplate(nameOrID *string, previous *bool, body, location *string) (*string, *string, error) {
	if !aws.ToBool(previous) {
		return body, location, nil
	}
	if body != nil || location != nil {
		return nil, nil, invalid("You must specify exactly one of TemplateBody, TemplateURL and UsePreviousTemplate")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.find(nameOrID)
	if err != nil {
		return nil, nil, err
	}
	if st.template == nil {
		return nil, nil, invalid("Stack [%s] has no template yet", st.name)
	}
	return aws.String(st.template.body), nil, nil
}

func sameTags(a, b []types.Tag) bool {
	asMap := func(tags []types.Tag) map[string]string {
		m := map[string]string{}
		for _, tag := range tags {
			m[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
		}
		return m
	}
	return maps.Equal(asMap(a), asMap(b))
}
