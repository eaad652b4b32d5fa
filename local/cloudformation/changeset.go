package cloudformation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/google/uuid"
)

// changeSet is a plan that waits to be executed.
type changeSet struct {
	id, name, description string
	stack                 *stack
	kind                  types.ChangeSetType
	status                types.ChangeSetStatus
	reason                string
	execution             types.ExecutionStatus
	created               time.Time
	template              *template
	prepared              *prepared
	plan                  *plan
	tags                  []types.Tag
	capabilities          []types.Capability
	onFailure             types.OnStackFailure
	nested                *bool
	operation             *operation // that executes it
}

// CreateChangeSet works out what a template would change. The answer is ready
// at once. A template that cannot be carried out gives a change set that has
// failed, with the reason.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
func (s *Service) CreateChangeSet(ctx context.Context, in *cloudformation.CreateChangeSetInput) (*cloudformation.CreateChangeSetOutput, error) {
	if err := unsupported(map[string]bool{
		"ChangeSetType IMPORT":    in.ChangeSetType == types.ChangeSetTypeImport,
		"DeploymentConfig":        in.DeploymentConfig != nil,
		"DeploymentMode":          in.DeploymentMode != "",
		"ImportExistingResources": aws.ToBool(in.ImportExistingResources),
		"NotificationARNs":        len(in.NotificationARNs) > 0,
		"ResourceTypes":           len(in.ResourceTypes) > 0,
		"ResourcesToImport":       len(in.ResourcesToImport) > 0,
		"RoleARN":                 in.RoleARN != nil,
	}); err != nil {
		return nil, err
	}
	if err := checkName(aws.ToString(in.ChangeSetName), "changeSetName"); err != nil {
		return nil, err
	}
	if err := s.authorize(ctx, "CreateChangeSet", s.arnOf(in.StackName)); err != nil {
		return nil, err
	}
	body, location, err := s.previousTemplate(in.StackName, in.UsePreviousTemplate, in.TemplateBody, in.TemplateURL)
	if err != nil {
		return nil, err
	}
	original, err := s.read(ctx, body, location)
	if err != nil {
		return nil, err
	}
	expanded, transformError := original.transformed(s.Transform)
	if transformError != nil {
		expanded = original
	}
	if err := expanded.checkCapabilities(in.Capabilities, false); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st, isNew, err := s.stackOfChangeSet(in)
	if err != nil {
		return nil, err
	}
	cs := s.newChangeSet(in, st, expanded)
	err = transformError
	if err == nil {
		if cs.prepared, err = s.prepare(st, expanded, in.Parameters, st.given); err != nil {
			return nil, err
		}
		cs.plan, err = s.planUpdate(st, cs.prepared)
	}
	switch {
	case err != nil:
		cs.fail(reasonOf(err))
	case !isNew && cs.isEmpty():
		cs.fail("The submitted information didn't contain changes. Submit different information to create a change set.")
	}
	if isNew {
		s.stacks = append(s.stacks, st)
		st.enter(s.Clock.Now(), types.StackStatusReviewInProgress, "User Initiated", aws.ToString(in.ClientToken))
	}
	st.changeSets = append(st.changeSets, cs)
	return &cloudformation.CreateChangeSetOutput{Id: aws.String(cs.id), StackId: aws.String(st.id)}, nil
}

func (s *Service) newChangeSet(in *cloudformation.CreateChangeSetInput, st *stack, t *template) *changeSet {
	name := aws.ToString(in.ChangeSetName)
	cs := &changeSet{
		id:           s.Account.ARN("cloudformation", "changeSet/"+name+"/"+uuid.NewString()),
		name:         name,
		description:  aws.ToString(in.Description),
		stack:        st,
		kind:         in.ChangeSetType,
		status:       types.ChangeSetStatusCreateComplete,
		execution:    types.ExecutionStatusAvailable,
		created:      s.Clock.Now(),
		template:     t,
		tags:         in.Tags,
		capabilities: in.Capabilities,
		onFailure:    in.OnStackFailure,
		nested:       in.IncludeNestedStacks,
	}
	if cs.tags == nil {
		cs.tags = st.tags
	}
	return cs
}

// stackOfChangeSet returns the stack that a change set is for; a new one for a
// stack to create.
func (s *Service) stackOfChangeSet(in *cloudformation.CreateChangeSetInput) (st *stack, isNew bool, err error) {
	name := aws.ToString(in.StackName)
	st = s.live(name)
	if st != nil && slices.ContainsFunc(st.changeSets, func(cs *changeSet) bool { return cs.name == aws.ToString(in.ChangeSetName) }) {
		return nil, false, &types.AlreadyExistsException{Message: aws.String(fmt.Sprintf("ChangeSet %s already exists", *in.ChangeSetName))}
	}
	if in.ChangeSetType != types.ChangeSetTypeCreate {
		if st == nil {
			return nil, false, invalid("Stack [%s] does not exist", name)
		}
		st, err = s.updatable(in.StackName)
		return st, false, err
	}
	if st == nil {
		if err := checkName(name, "stackName"); err != nil {
			return nil, false, err
		}
		return s.newStack(name, s.Clock.Now()), true, nil
	}
	if st.status != types.StackStatusReviewInProgress {
		return nil, false, invalid("Stack [%s] already exists and cannot be created again with the changeSet [%s].", name, *in.ChangeSetName)
	}
	return st, false, nil
}

func (cs *changeSet) fail(reason string) {
	cs.status, cs.execution, cs.reason = types.ChangeSetStatusFailed, types.ExecutionStatusUnavailable, reason
}

func (cs *changeSet) isEmpty() bool {
	return len(cs.plan.changes) == 0 && !cs.plan.elsewhere && sameTags(cs.tags, cs.stack.tags)
}

// outdate makes plans obsolete that another operation overtakes.
func (st *stack) outdate() {
	for _, cs := range st.changeSets {
		if cs.execution == types.ExecutionStatusAvailable {
			cs.execution = types.ExecutionStatusObsolete
		}
	}
}

// executionStatus follows the operation that executes the change set.
func (cs *changeSet) executionStatus() types.ExecutionStatus {
	switch {
	case cs.operation == nil:
		return cs.execution
	case !cs.operation.isDone():
		return types.ExecutionStatusExecuteInProgress
	case !cs.operation.made:
		return types.ExecutionStatusExecuteFailed
	}
	return types.ExecutionStatusExecuteComplete
}

// findChangeSet returns a change set by its id, or by its name and its stack's.
func (s *Service) findChangeSet(name, stackName *string) (*changeSet, error) {
	wanted := aws.ToString(name)
	if aws.ToString(stackName) != "" {
		st, err := s.find(stackName)
		if err != nil {
			return nil, err
		}
		for _, cs := range st.changeSets {
			if cs.name == wanted || cs.id == wanted {
				return cs, nil
			}
		}
		return nil, noChangeSet(wanted)
	}
	for _, st := range s.stacks {
		for _, cs := range st.changeSets {
			if cs.id == wanted {
				return cs, nil
			}
		}
	}
	if !strings.HasPrefix(wanted, "arn:") {
		return nil, invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
	}
	return nil, noChangeSet(wanted)
}

func noChangeSet(name string) error {
	return &types.ChangeSetNotFoundException{Message: aws.String(fmt.Sprintf("ChangeSet [%s] does not exist", name))}
}

// ExecuteChangeSet starts to carry out a change set; the stack's others are
// obsolete from then on.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ExecuteChangeSet.html
func (s *Service) ExecuteChangeSet(ctx context.Context, in *cloudformation.ExecuteChangeSetInput) (*cloudformation.ExecuteChangeSetOutput, error) {
	if err := unsupported(map[string]bool{"RetainExceptOnCreate": aws.ToBool(in.RetainExceptOnCreate)}); err != nil {
		return nil, err
	}
	if err := s.authorize(ctx, "ExecuteChangeSet", s.arnOfChangeSet(in.ChangeSetName, in.StackName)); err != nil {
		return nil, err
	}
	op, err := s.launchChangeSet(ctx, in)
	if err != nil {
		return nil, err
	}
	op.settle(ctx)
	return &cloudformation.ExecuteChangeSetOutput{}, nil
}

func (s *Service) launchChangeSet(ctx context.Context, in *cloudformation.ExecuteChangeSetInput) (*operation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	cs, err := s.findChangeSet(in.ChangeSetName, in.StackName)
	if err != nil {
		return nil, err
	}
	if cs.executionStatus() != types.ExecutionStatusAvailable {
		return nil, &types.InvalidChangeSetStatusException{Message: aws.String(fmt.Sprintf("ChangeSet [%s] cannot be executed in its current status of [%s]", cs.id, cs.status))}
	}
	onFailure, err := cs.failureMode(in.DisableRollback)
	if err != nil {
		return nil, err
	}
	st, token := cs.stack, aws.ToString(in.ClientRequestToken)
	start := s.startUpdate
	if st.status == types.StackStatusReviewInProgress {
		start = s.startCreate
	} else if _, err := s.updatable(&st.id); err != nil {
		return nil, err
	}
	st.tags, st.capabilities, st.changeSet = cs.tags, cs.capabilities, cs.id
	cs.operation, err = start(ctx, st, cs.prepared, cs.plan, onFailure, token)
	return cs.operation, err
}

func (cs *changeSet) failureMode(disableRollback *bool) (types.OnFailure, error) {
	if cs.onFailure != "" && aws.ToBool(disableRollback) {
		return "", invalid("DisableRollback cannot be specified for a change set with OnStackFailure")
	}
	if cs.onFailure != "" {
		return types.OnFailure(cs.onFailure), nil
	}
	return failureMode("", disableRollback)
}

// DeleteChangeSet forgets a change set.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteChangeSet.html
func (s *Service) DeleteChangeSet(ctx context.Context, in *cloudformation.DeleteChangeSetInput) (*cloudformation.DeleteChangeSetOutput, error) {
	if err := s.authorize(ctx, "DeleteChangeSet", s.arnOfChangeSet(in.ChangeSetName, in.StackName)); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	cs, err := s.findChangeSet(in.ChangeSetName, in.StackName)
	var missing *types.ChangeSetNotFoundException
	if errors.As(err, &missing) {
		return &cloudformation.DeleteChangeSetOutput{}, nil
	}
	if err != nil {
		return nil, err
	}
	if cs.executionStatus() == types.ExecutionStatusExecuteInProgress {
		return nil, &types.InvalidChangeSetStatusException{Message: aws.String(fmt.Sprintf("ChangeSet [%s] cannot be deleted while it is executed", cs.id))}
	}
	cs.stack.changeSets = slices.DeleteFunc(cs.stack.changeSets, func(other *changeSet) bool { return other == cs })
	return &cloudformation.DeleteChangeSetOutput{}, nil
}

func (s *Service) arnOfChangeSet(name, stackName *string) string {
	if stackName != nil {
		return s.arnOf(stackName)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if cs, err := s.findChangeSet(name, nil); err == nil {
		return cs.stack.id
	}
	return "*"
}
