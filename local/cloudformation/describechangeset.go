package cloudformation

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// DescribeChangeSet answers all changes on one page.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html
func (s *Service) DescribeChangeSet(ctx context.Context, in *cloudformation.DescribeChangeSetInput) (*cloudformation.DescribeChangeSetOutput, error) {
	if err := unsupported(map[string]bool{"IncludePropertyValues": aws.ToBool(in.IncludePropertyValues)}); err != nil {
		return nil, err
	}
	if err := s.authorize(ctx, "DescribeChangeSet", s.arnOfChangeSet(in.ChangeSetName, in.StackName)); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	cs, err := s.findChangeSet(in.ChangeSetName, in.StackName)
	if err != nil {
		return nil, err
	}
	out := &cloudformation.DescribeChangeSetOutput{
		ChangeSetId:           aws.String(cs.id),
		ChangeSetName:         aws.String(cs.name),
		StackId:               aws.String(cs.stack.id),
		StackName:             aws.String(cs.stack.name),
		Description:           given(cs.description),
		Status:                cs.status,
		StatusReason:          given(cs.reason),
		ExecutionStatus:       cs.executionStatus(),
		CreationTime:          aws.Time(cs.created),
		Capabilities:          cs.capabilities,
		IncludeNestedStacks:   aws.Bool(aws.ToBool(cs.nested)),
		NotificationARNs:      []string{},
		OnStackFailure:        cs.onFailure,
		RollbackConfiguration: &types.RollbackConfiguration{},
		Tags:                  cs.tags,
		Changes:               []types.Change{},
	}
	if cs.prepared != nil {
		out.Parameters = shown(cs.template.parameters, cs.prepared.given)
	}
	if cs.plan == nil {
		return out, nil
	}
	for _, c := range cs.plan.changes {
		out.Changes = append(out.Changes, types.Change{Type: types.ChangeTypeResource, ResourceChange: c.describe()})
	}
	return out, nil
}

func (c change) describe() *types.ResourceChange {
	described := &types.ResourceChange{
		Action:             c.action,
		LogicalResourceId:  aws.String(c.logicalID),
		PhysicalResourceId: given(c.physicalID),
		ResourceType:       aws.String(c.kind),
		Scope:              []types.ResourceAttribute{},
		Details:            []types.ResourceChangeDetail{},
	}
	if c.action != types.ChangeActionModify {
		return described
	}
	described.Replacement = c.replacement
	if len(c.properties) > 0 {
		described.Scope = append(described.Scope, types.ResourceAttributeProperties)
	}
	if c.metadata {
		described.Scope = append(described.Scope, types.ResourceAttributeMetadata)
	}
	for _, p := range c.properties {
		described.Details = append(described.Details, p.describe())
	}
	return described
}

func (p propertyChange) describe() types.ResourceChangeDetail {
	detail := types.ResourceChangeDetail{
		ChangeSource: types.ChangeSourceDirectModification,
		Evaluation:   types.EvaluationTypeStatic,
		Target: &types.ResourceTargetDefinition{
			Attribute:          types.ResourceAttributeProperties,
			Name:               aws.String(p.name),
			RequiresRecreation: types.RequiresRecreationNever,
		},
	}
	if p.recreates {
		detail.Target.RequiresRecreation = types.RequiresRecreationAlways
	}
	if p.dynamic {
		detail.ChangeSource, detail.Evaluation = types.ChangeSourceResourceReference, types.EvaluationTypeDynamic
		if p.recreates {
			detail.Target.RequiresRecreation = types.RequiresRecreationConditionally
		}
	}
	return detail
}

// ListChangeSets answers a stack's change sets.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListChangeSets.html
func (s *Service) ListChangeSets(ctx context.Context, in *cloudformation.ListChangeSetsInput) (*cloudformation.ListChangeSetsOutput, error) {
	if err := s.authorize(ctx, "ListChangeSets", s.arnOf(in.StackName)); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.find(in.StackName)
	if err != nil {
		return nil, err
	}
	out := &cloudformation.ListChangeSetsOutput{Summaries: []types.ChangeSetSummary{}}
	for _, cs := range st.changeSets {
		out.Summaries = append(out.Summaries, types.ChangeSetSummary{
			ChangeSetId: aws.String(cs.id), ChangeSetName: aws.String(cs.name), StackId: aws.String(st.id), StackName: aws.String(st.name),
			Status: cs.status, StatusReason: given(cs.reason), ExecutionStatus: cs.executionStatus(),
			CreationTime: aws.Time(cs.created), Description: given(cs.description),
		})
	}
	return out, nil
}
