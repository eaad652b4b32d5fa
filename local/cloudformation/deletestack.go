package cloudformation

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// CancelUpdateStack rolls an update back that is on its way.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CancelUpdateStack.html
func (s *Service) CancelUpdateStack(ctx context.Context, in *cloudformation.CancelUpdateStackInput) (*cloudformation.CancelUpdateStackOutput, error) {
	if err := s.authorize(ctx, "CancelUpdateStack", s.arnOf(in.StackName)); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.find(in.StackName)
	if err != nil {
		return nil, err
	}
	if st.status != types.StackStatusUpdateInProgress {
		return nil, invalid("CancelUpdateStack cannot be called from current stack status")
	}
	st.operation.cause = "User Initiated"
	st.operation.onFailure = types.OnFailureRollback
	st.operation.halt(true)
	return &cloudformation.CancelUpdateStackOutput{}, nil
}

// DeleteStack starts to delete a stack; one that does not exist is deleted
// already. An export that another stack uses keeps the stack as it is.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html
func (s *Service) DeleteStack(ctx context.Context, in *cloudformation.DeleteStackInput) (*cloudformation.DeleteStackOutput, error) {
	if err := unsupported(map[string]bool{
		"DeletionMode":     in.DeletionMode != "" && in.DeletionMode != types.DeletionModeStandard,
		"DeploymentConfig": in.DeploymentConfig != nil,
		"RoleARN":          in.RoleARN != nil,
	}); err != nil {
		return nil, err
	}
	if err := s.authorize(ctx, "DeleteStack", s.arnOf(in.StackName)); err != nil {
		return nil, err
	}
	op, err := s.launchDelete(ctx, in)
	if err != nil {
		return nil, err
	}
	if op != nil {
		op.settle(ctx)
	}
	return &cloudformation.DeleteStackOutput{}, nil
}

// launchDelete returns no operation where there is nothing to do.
func (s *Service) launchDelete(ctx context.Context, in *cloudformation.DeleteStackInput) (*operation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if aws.ToString(in.StackName) == "" {
		_, err := s.find(in.StackName)
		return nil, err
	}
	st := s.live(*in.StackName)
	if st == nil || st.status == types.StackStatusDeleteInProgress {
		return nil, nil
	}
	if err := st.checkDeletable(in.RetainResources); err != nil {
		return nil, err
	}
	if s.running.Err() != nil {
		return nil, errClosing
	}
	token := aws.ToString(in.ClientRequestToken)
	for _, name := range slices.Sorted(maps.Keys(st.outputs)) {
		export := st.outputs[name].export
		if users := s.importers(export); export != "" && len(users) > 0 {
			st.enter(s.Clock.Now(), st.status, "Export "+export+" cannot be deleted as it is in use by "+strings.Join(users, " and "), token)
			return nil, nil
		}
	}
	previous := st.operation
	if st.isBusy() {
		previous.abandoned = true
		previous.halt(true)
	}
	st.enter(s.Clock.Now(), types.StackStatusDeleteInProgress, "User Initiated", token)
	op := &operation{stack: st, token: token}
	s.begin(ctx, op, func(op *operation) {
		if previous != nil {
			<-previous.done
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		op.runDelete(in.RetainResources)
	})
	return op, nil
}

func (st *stack) checkDeletable(retained []string) error {
	switch {
	case st.protected:
		return invalid("Stack [%s] cannot be deleted while TerminationProtection is enabled", st.name)
	case st.isBusy() && st.status != types.StackStatusCreateInProgress:
		return invalid("Stack [%s] cannot be deleted while in status %s", st.name, st.status)
	case len(retained) > 0 && st.status != types.StackStatusDeleteFailed:
		return invalid("Invalid operation on stack [%s]. Specify RetainResources only for a stack in the state DELETE_FAILED", st.id)
	}
	return nil
}

// UpdateTerminationProtection switches the protection against deletion.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateTerminationProtection.html
func (s *Service) UpdateTerminationProtection(ctx context.Context, in *cloudformation.UpdateTerminationProtectionInput) (*cloudformation.UpdateTerminationProtectionOutput, error) {
	if err := s.authorize(ctx, "UpdateTerminationProtection", s.arnOf(in.StackName)); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.find(in.StackName)
	if err != nil {
		return nil, err
	}
	if in.EnableTerminationProtection == nil {
		return nil, invalid("EnableTerminationProtection must be given: true or false")
	}
	st.protected = *in.EnableTerminationProtection
	return &cloudformation.UpdateTerminationProtectionOutput{StackId: aws.String(st.id)}, nil
}
