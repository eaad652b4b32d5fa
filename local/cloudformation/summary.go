package cloudformation

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// GetTemplate answers a template as it was handed in, to the byte, or after
// its transform. Dynamic references stay text in both.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplate.html
func (s *Service) GetTemplate(ctx context.Context, in *cloudformation.GetTemplateInput) (*cloudformation.GetTemplateOutput, error) {
	resource := s.arnOf(in.StackName)
	if in.ChangeSetName != nil {
		resource = s.arnOfChangeSet(in.ChangeSetName, in.StackName)
	}
	if err := s.authorize(ctx, "GetTemplate", resource); err != nil {
		return nil, err
	}
	t, err := s.storedTemplate(in.StackName, in.ChangeSetName)
	if err != nil {
		return nil, err
	}
	out := &cloudformation.GetTemplateOutput{
		StagesAvailable: []types.TemplateStage{types.TemplateStageOriginal, types.TemplateStageProcessed},
		TemplateBody:    aws.String(""),
	}
	if t == nil {
		return out, nil
	}
	out.TemplateBody = aws.String(t.body)
	if in.TemplateStage == types.TemplateStageOriginal || len(t.transforms) == 0 {
		return out, nil
	}
	processed, err := json.Marshal(t.document)
	if err != nil {
		return nil, err
	}
	out.TemplateBody = aws.String(string(processed))
	return out, nil
}

// storedTemplate is nil for a stack that is under review.
func (s *Service) storedTemplate(stackName, changeSet *string) (*template, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if changeSet != nil {
		cs, err := s.findChangeSet(changeSet, stackName)
		if err != nil {
			return nil, err
		}
		return cs.template, nil
	}
	st, err := s.find(stackName)
	if err != nil {
		return nil, err
	}
	return st.template, nil
}

// GetTemplateSummary answers what a template declares and needs.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplateSummary.html
func (s *Service) GetTemplateSummary(ctx context.Context, in *cloudformation.GetTemplateSummaryInput) (*cloudformation.GetTemplateSummaryOutput, error) {
	if err := unsupported(map[string]bool{"CallAs": in.CallAs == types.CallAsDelegatedAdmin, "StackSetName": in.StackSetName != nil}); err != nil {
		return nil, err
	}
	resource := "*"
	if in.StackName != nil {
		resource = s.arnOf(in.StackName)
	}
	if err := s.authorize(ctx, "GetTemplateSummary", resource); err != nil {
		return nil, err
	}
	t, err := s.summarized(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &cloudformation.GetTemplateSummaryOutput{
		DeclaredTransforms: t.transforms,
		Description:        given(t.description),
		Version:            given(t.version),
		Parameters:         []types.ParameterDeclaration{},
		ResourceTypes:      t.kinds(),
	}
	out.Capabilities, out.CapabilitiesReason = t.acknowledgements()
	if t.metadata != nil {
		text, err := json.Marshal(t.metadata)
		if err != nil {
			return nil, err
		}
		out.Metadata = aws.String(string(text))
	}
	for _, name := range slices.Sorted(maps.Keys(t.parameters)) {
		p := t.parameters[name]
		out.Parameters = append(out.Parameters, types.ParameterDeclaration{
			ParameterKey: aws.String(name), ParameterType: aws.String(p.kind), DefaultValue: p.standard, NoEcho: aws.Bool(p.noEcho),
			Description: given(p.description), ParameterConstraints: &types.ParameterConstraints{AllowedValues: p.allowed},
		})
	}
	return out, nil
}

func (s *Service) summarized(ctx context.Context, in *cloudformation.GetTemplateSummaryInput) (*template, error) {
	if in.StackName == nil {
		return s.read(ctx, in.TemplateBody, in.TemplateURL)
	}
	t, err := s.storedTemplate(in.StackName, nil)
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, invalid("Stack [%s] has no template yet: execute a change set first", *in.StackName)
	}
	return t, nil
}

func (t *template) kinds() []string {
	kinds := map[string]bool{}
	for _, d := range t.resources {
		kinds[d.kind] = true
	}
	return slices.Sorted(maps.Keys(kinds))
}

// acknowledgements are the capabilities that a request for this template must name.
func (t *template) acknowledgements() ([]types.Capability, *string) {
	capabilities, because := t.capabilities()
	if len(t.transforms) > 0 {
		capabilities = append(capabilities, types.CapabilityCapabilityAutoExpand)
	}
	if len(because) == 0 {
		return capabilities, nil
	}
	return capabilities, aws.String(fmt.Sprintf("The following resource(s) require capabilities: [%s]", strings.Join(because, ", ")))
}

// ValidateTemplate checks a template's shape and references; the types and
// properties of resources are checked when a stack is made.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ValidateTemplate.html
func (s *Service) ValidateTemplate(ctx context.Context, in *cloudformation.ValidateTemplateInput) (*cloudformation.ValidateTemplateOutput, error) {
	if err := s.authorize(ctx, "ValidateTemplate", "*"); err != nil {
		return nil, err
	}
	t, err := s.read(ctx, in.TemplateBody, in.TemplateURL)
	if err != nil {
		return nil, err
	}
	// Before its transform a template may refer to what the transform makes.
	if len(t.transforms) == 0 {
		if err := t.checkReferences(); err != nil {
			return nil, err
		}
	}
	out := &cloudformation.ValidateTemplateOutput{
		DeclaredTransforms: t.transforms,
		Description:        given(t.description),
		Parameters:         []types.TemplateParameter{},
	}
	out.Capabilities, out.CapabilitiesReason = t.acknowledgements()
	for _, name := range slices.Sorted(maps.Keys(t.parameters)) {
		p := t.parameters[name]
		out.Parameters = append(out.Parameters, types.TemplateParameter{
			ParameterKey: aws.String(name), DefaultValue: p.standard, NoEcho: aws.Bool(p.noEcho), Description: given(p.description),
		})
	}
	return out, nil
}
