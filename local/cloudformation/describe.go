package cloudformation

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// DescribeStacks answers one stack, or all that are not deleted, newest first.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
func (s *Service) DescribeStacks(ctx context.Context, in *cloudformation.DescribeStacksInput) (*cloudformation.DescribeStacksOutput, error) {
	resource := "*"
	if in.StackName != nil {
		resource = s.arnOf(in.StackName)
	}
	if err := s.authorize(ctx, "DescribeStacks", resource); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if in.StackName != nil {
		st, err := s.find(in.StackName)
		if err != nil {
			return nil, err
		}
		return &cloudformation.DescribeStacksOutput{Stacks: []types.Stack{st.describe()}}, nil
	}
	out := &cloudformation.DescribeStacksOutput{Stacks: []types.Stack{}}
	for _, st := range slices.Backward(s.stacks) {
		if !st.isDeleted() {
			out.Stacks = append(out.Stacks, st.describe())
		}
	}
	return out, nil
}

func (st *stack) describe() types.Stack {
	described := types.Stack{
		StackId:                     aws.String(st.id),
		StackName:                   aws.String(st.name),
		StackStatus:                 st.status,
		StackStatusReason:           given(st.reason),
		CreationTime:                aws.Time(st.created),
		LastUpdatedTime:             moment(st.updated),
		DeletionTime:                moment(st.deleted),
		ChangeSetId:                 given(st.changeSet),
		Capabilities:                st.capabilities,
		DisableRollback:             aws.Bool(st.disableRollback),
		DriftInformation:            &types.StackDriftInformation{StackDriftStatus: types.StackDriftStatusNotChecked},
		EnableTerminationProtection: aws.Bool(st.protected),
		NotificationARNs:            []string{},
		RollbackConfiguration:       &types.RollbackConfiguration{},
		Tags:                        append([]types.Tag{}, st.tags...),
	}
	if st.template != nil {
		described.Description = given(st.template.description)
		described.Parameters = shown(st.template.parameters, st.given)
	}
	for _, name := range slices.Sorted(maps.Keys(st.outputs)) {
		o := st.outputs[name]
		described.Outputs = append(described.Outputs, types.Output{
			OutputKey: aws.String(name), OutputValue: aws.String(o.value), Description: given(o.description), ExportName: given(o.export),
		})
	}
	return described
}

// ListStacks answers stacks in the wanted states, deleted ones included.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStacks.html
func (s *Service) ListStacks(ctx context.Context, in *cloudformation.ListStacksInput) (*cloudformation.ListStacksOutput, error) {
	if err := s.authorize(ctx, "ListStacks", "*"); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &cloudformation.ListStacksOutput{StackSummaries: []types.StackSummary{}}
	for _, st := range slices.Backward(s.stacks) {
		if len(in.StackStatusFilter) > 0 && !slices.Contains(in.StackStatusFilter, st.status) {
			continue
		}
		summary := types.StackSummary{
			StackId: aws.String(st.id), StackName: aws.String(st.name), StackStatus: st.status, StackStatusReason: given(st.reason),
			CreationTime: aws.Time(st.created), LastUpdatedTime: moment(st.updated), DeletionTime: moment(st.deleted),
			DriftInformation: &types.StackDriftInformationSummary{StackDriftStatus: types.StackDriftStatusNotChecked},
		}
		if st.template != nil {
			summary.TemplateDescription = given(st.template.description)
		}
		out.StackSummaries = append(out.StackSummaries, summary)
	}
	return out, nil
}

// eventsPerPage is how many events one answer has.
const eventsPerPage = 100

// DescribeStackEvents answers a stack's events, newest first. The token counts
// from the oldest event, so that pages stay put while events arrive.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackEvents.html
func (s *Service) DescribeStackEvents(ctx context.Context, in *cloudformation.DescribeStackEventsInput) (*cloudformation.DescribeStackEventsOutput, error) {
	if err := s.authorize(ctx, "DescribeStackEvents", s.arnOf(in.StackName)); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.find(in.StackName)
	if err != nil {
		return nil, invalid("Stack [%s] does not exist", aws.ToString(in.StackName))
	}
	end := len(st.events)
	if in.NextToken != nil {
		if end, err = strconv.Atoi(*in.NextToken); err != nil || end < 1 || end > len(st.events) {
			return nil, invalid("NextToken is not one that DescribeStackEvents has answered")
		}
	}
	start := max(0, end-eventsPerPage)
	out := &cloudformation.DescribeStackEventsOutput{StackEvents: slices.Clone(st.events[start:end])}
	slices.Reverse(out.StackEvents)
	if start > 0 {
		out.NextToken = aws.String(strconv.Itoa(start))
	}
	return out, nil
}

// DescribeStackResources answers a stack's resources, of a stack or of the
// stack that a physical id belongs to.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResources.html
func (s *Service) DescribeStackResources(ctx context.Context, in *cloudformation.DescribeStackResourcesInput) (*cloudformation.DescribeStackResourcesOutput, error) {
	if (in.StackName == nil) == (in.PhysicalResourceId == nil) {
		return nil, invalid("Give either StackName or PhysicalResourceId")
	}
	st, err := s.stackOfResource(in.StackName, in.PhysicalResourceId)
	if err != nil {
		return nil, err
	}
	if err := s.authorize(ctx, "DescribeStackResources", st.id); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &cloudformation.DescribeStackResourcesOutput{StackResources: []types.StackResource{}}
	for _, r := range st.listed() {
		if in.LogicalResourceId != nil && *in.LogicalResourceId != r.logicalID {
			continue
		}
		out.StackResources = append(out.StackResources, types.StackResource{
			StackId: aws.String(st.id), StackName: aws.String(st.name), LogicalResourceId: aws.String(r.logicalID), PhysicalResourceId: given(r.physicalID),
			ResourceType: aws.String(r.definition.kind), ResourceStatus: r.status, ResourceStatusReason: given(r.reason), Timestamp: aws.Time(r.updated),
			DriftInformation: &types.StackResourceDriftInformation{StackResourceDriftStatus: types.StackResourceDriftStatusNotChecked},
		})
	}
	return out, nil
}

func (s *Service) stackOfResource(stackName, physicalID *string) (*stack, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stackName != nil {
		return s.find(stackName)
	}
	for _, st := range s.stacks {
		for _, r := range st.resources {
			if !st.isDeleted() && r.physicalID == *physicalID {
				return st, nil
			}
		}
	}
	return nil, invalid("Stack for %s does not exist", *physicalID)
}

// listed are a stack's resources by logical id.
func (st *stack) listed() []*resource {
	var list []*resource
	for _, id := range slices.Sorted(maps.Keys(st.resources)) {
		// Those that are about to be noted for the first time have no state yet.
		if r := st.resources[id]; r.status != "" {
			list = append(list, r)
		}
	}
	return list
}

// DescribeStackResource answers one resource.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResource.html
func (s *Service) DescribeStackResource(ctx context.Context, in *cloudformation.DescribeStackResourceInput) (*cloudformation.DescribeStackResourceOutput, error) {
	if err := s.authorize(ctx, "DescribeStackResource", s.arnOf(in.StackName)); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.find(in.StackName)
	if err != nil {
		return nil, err
	}
	r := st.resources[aws.ToString(in.LogicalResourceId)]
	if r == nil {
		return nil, invalid("Resource %s does not exist for stack %s", aws.ToString(in.LogicalResourceId), st.name)
	}
	detail := &types.StackResourceDetail{
		StackId: aws.String(st.id), StackName: aws.String(st.name), LogicalResourceId: aws.String(r.logicalID), PhysicalResourceId: given(r.physicalID),
		ResourceType: aws.String(r.definition.kind), ResourceStatus: r.status, ResourceStatusReason: given(r.reason), LastUpdatedTimestamp: aws.Time(r.updated),
		DriftInformation: &types.StackResourceDriftInformation{StackResourceDriftStatus: types.StackResourceDriftStatusNotChecked},
	}
	if r.definition.metadata != nil {
		text, err := json.Marshal(r.definition.metadata)
		if err != nil {
			return nil, err
		}
		detail.Metadata = aws.String(string(text))
	}
	return &cloudformation.DescribeStackResourceOutput{StackResourceDetail: detail}, nil
}

// ListStackResources answers a stack's resources on one page.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html
func (s *Service) ListStackResources(ctx context.Context, in *cloudformation.ListStackResourcesInput) (*cloudformation.ListStackResourcesOutput, error) {
	if err := s.authorize(ctx, "ListStackResources", s.arnOf(in.StackName)); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.find(in.StackName)
	if err != nil {
		return nil, err
	}
	out := &cloudformation.ListStackResourcesOutput{StackResourceSummaries: []types.StackResourceSummary{}}
	for _, r := range st.listed() {
		out.StackResourceSummaries = append(out.StackResourceSummaries, types.StackResourceSummary{
			LogicalResourceId: aws.String(r.logicalID), PhysicalResourceId: given(r.physicalID), ResourceType: aws.String(r.definition.kind),
			ResourceStatus: r.status, ResourceStatusReason: given(r.reason), LastUpdatedTimestamp: aws.Time(r.updated),
			DriftInformation: &types.StackResourceDriftInformationSummary{StackResourceDriftStatus: types.StackResourceDriftStatusNotChecked},
		})
	}
	return out, nil
}

// given leaves out what is empty.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return aws.String(text)
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return aws.Time(t)
}
