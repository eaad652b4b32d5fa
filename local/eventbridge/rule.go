package eventbridge

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"api-destination-credentials/local/access"
	"api-destination-credentials/local/eventbridge/pattern"
)

// maximumPattern is the quota on an event pattern's length.
const maximumPattern = 2048

// managedBy is who manages the rules of archives.
const managedBy = "prod.vhs.events.aws.internal"

func (r *rule) managedBy() *string {
	if r.archive == nil {
		return nil
	}
	return aws.String(managedBy)
}

// managed refuses to change an archive's own rule, unless by force where that
// is possible.
func (r *rule) managed(remedy string) error {
	if r == nil || r.archive == nil {
		return nil
	}
	return &types.ManagedRuleException{Message: aws.String(r.name + " is a managed rule." + remedy)}
}

const orForce = " Set 'force' parameter to true to override."

type rule struct {
	name, arn, bus string
	dimensions     map[string]string // of its metrics
	archive        *archive          // whose own rule it is, or nil
	description    *string
	text           string           // of the event pattern
	pattern        *pattern.Pattern // nil without one
	timing         timing
	state          types.RuleState
	role           *string
	targets        map[string]*target
}

// PutRule creates a rule or replaces one; its targets stay. A rule has an event
// pattern, a schedule or both.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
func (s *Service) PutRule(ctx context.Context, in *eventbridge.PutRuleInput) (*eventbridge.PutRuleOutput, error) {
	if err := first(
		anyName.check("name", in.Name),
		atMost("description", in.Description, 512),
		atMost("scheduleExpression", in.ScheduleExpression, 256),
	); err != nil {
		return nil, err
	}
	state := in.State
	if state == "" {
		state = types.RuleStateEnabled
	}
	if err := oneOf("state", state, types.RuleState("").Values()); err != nil {
		return nil, err
	}
	if value(in.EventPattern) == "" && value(in.ScheduleExpression) == "" {
		return nil, invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
	}
	name := s.busNameOf(in.EventBusName)
	timing, err := s.newTiming(name, value(in.ScheduleExpression))
	if err != nil {
		return nil, err
	}
	var compiled *pattern.Pattern
	if value(in.EventPattern) != "" {
		if compiled, err = compilePattern(*in.EventPattern, maximumPattern); err != nil {
			return nil, err
		}
	}
	arn := s.ruleARN(name, *in.Name)
	if err := s.authorize(ctx, "PutRule", arn); err != nil {
		return nil, err
	}
	if err := s.passRole(ctx, in.RoleArn); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.bus(in.EventBusName)
	if err != nil {
		return nil, err
	}
	r := b.rules[*in.Name]
	if err := r.managed(""); err != nil {
		return nil, err
	}
	if r == nil {
		r = s.newRule(b.name, *in.Name)
		b.rules[r.name], s.tags[arn] = r, tagged(in.Tags)
	}
	r.description, r.text, r.pattern, r.role = in.Description, value(in.EventPattern), compiled, in.RoleArn
	// A rule put again with the schedule that it has keeps its rhythm.
	if r.timing.expression != timing.expression {
		r.timing = timing
	}
	r.setState(state, s.now())
	s.setAlarm()
	return &eventbridge.PutRuleOutput{RuleArn: aws.String(arn)}, nil
}

func (s *Service) newRule(bus, name string) *rule {
	return &rule{name: name, arn: s.ruleARN(bus, name), bus: bus, dimensions: dimensionsOf(bus, name), targets: map[string]*target{}}
}

func compilePattern(text string, longest int) (*pattern.Pattern, error) {
	if len(text) > longest {
		return nil, badPattern(fmt.Sprintf("the pattern has %d characters and %d is the maximum", len(text), longest))
	}
	compiled, err := pattern.Compile(text)
	if err != nil {
		return nil, badPattern(err.Error())
	}
	return compiled, nil
}

func badPattern(reason string) error {
	return &types.InvalidEventPatternException{Message: aws.String("Event pattern is not valid. Reason: " + reason)}
}

// passRole asks for iam:PassRole, without which nobody may lend a role to EventBridge.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-identity-based.html
func (s *Service) passRole(ctx context.Context, role *string) error {
	if role == nil {
		return nil
	}
	return s.Auth.Authorize(ctx, access.Request{
		Action: "iam:PassRole", Resource: *role, Conditions: map[string]string{"iam:PassedToService": "events.amazonaws.com"},
	})
}

// DescribeRule shows a rule.
func (s *Service) DescribeRule(ctx context.Context, in *eventbridge.DescribeRuleInput) (*eventbridge.DescribeRuleOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.ruleFor(ctx, "DescribeRule", in.EventBusName, in.Name)
	if err != nil {
		return nil, err
	}
	return &eventbridge.DescribeRuleOutput{
		Arn: aws.String(r.arn), Name: aws.String(r.name), EventBusName: aws.String(r.bus), Description: r.description,
		EventPattern: given(aws.String(r.text)), ScheduleExpression: given(aws.String(r.timing.expression)), State: r.state, RoleArn: r.role, CreatedBy: aws.String(s.Account.ID), ManagedBy: r.managedBy(),
	}, nil
}

// DeleteRule deletes a rule that has no targets; one that does not exist is
// deleted already.
func (s *Service) DeleteRule(ctx context.Context, in *eventbridge.DeleteRuleInput) (*eventbridge.DeleteRuleOutput, error) {
	if err := anyName.check("name", in.Name); err != nil {
		return nil, err
	}
	arn := s.ruleARN(s.busNameOf(in.EventBusName), *in.Name)
	if err := s.authorize(ctx, "DeleteRule", arn); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.bus(in.EventBusName)
	if err != nil {
		return nil, err
	}
	r := b.rules[*in.Name]
	if r == nil {
		return &eventbridge.DeleteRuleOutput{}, nil
	}
	if err := r.managed(orForce); err != nil && !in.Force {
		return nil, err
	}
	if len(r.targets) > 0 {
		return nil, invalid("Rule can't be deleted since it has targets.")
	}
	if r.archive != nil {
		r.archive.disable()
	}
	delete(b.rules, r.name)
	delete(s.tags, r.arn)
	s.setAlarm()
	return &eventbridge.DeleteRuleOutput{}, nil
}

// EnableRule lets a rule match events and run on its schedule.
func (s *Service) EnableRule(ctx context.Context, in *eventbridge.EnableRuleInput) (*eventbridge.EnableRuleOutput, error) {
	return &eventbridge.EnableRuleOutput{}, s.setRuleState(ctx, "EnableRule", in.EventBusName, in.Name, types.RuleStateEnabled)
}

// DisableRule keeps a rule from matching events and from running on its schedule.
func (s *Service) DisableRule(ctx context.Context, in *eventbridge.DisableRuleInput) (*eventbridge.DisableRuleOutput, error) {
	return &eventbridge.DisableRuleOutput{}, s.setRuleState(ctx, "DisableRule", in.EventBusName, in.Name, types.RuleStateDisabled)
}

func (s *Service) setRuleState(ctx context.Context, action string, bus, name *string, state types.RuleState) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.ruleFor(ctx, action, bus, name)
	if err != nil {
		return err
	}
	if err := r.managed(""); err != nil {
		return err
	}
	r.setState(state, s.now())
	s.setAlarm()
	return nil
}

// ListRules lists a bus's rules by name.
func (s *Service) ListRules(ctx context.Context, in *eventbridge.ListRulesInput) (*eventbridge.ListRulesOutput, error) {
	if err := s.authorize(ctx, "ListRules", s.ruleARN(s.busNameOf(in.EventBusName), "*")); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.bus(in.EventBusName)
	if err != nil {
		return nil, err
	}
	var shown []types.Rule
	for _, name := range slices.Sorted(maps.Keys(b.rules)) {
		if r := b.rules[name]; strings.HasPrefix(name, value(in.NamePrefix)) {
			shown = append(shown, types.Rule{
				Arn: aws.String(r.arn), Name: aws.String(name), EventBusName: aws.String(r.bus), Description: r.description,
				EventPattern: given(aws.String(r.text)), ScheduleExpression: given(aws.String(r.timing.expression)), State: r.state, RoleArn: r.role, ManagedBy: r.managedBy(),
			})
		}
	}
	shown, next, err := page(shown, func(r types.Rule) string { return *r.Name }, in.Limit, in.NextToken)
	return &eventbridge.ListRulesOutput{Rules: shown, NextToken: next}, err
}

// ListRuleNamesByTarget lists the bus's rules that have a target with the ARN.
func (s *Service) ListRuleNamesByTarget(ctx context.Context, in *eventbridge.ListRuleNamesByTargetInput) (*eventbridge.ListRuleNamesByTargetOutput, error) {
	if in.TargetArn == nil {
		return nil, missing("targetArn")
	}
	if err := s.authorize(ctx, "ListRuleNamesByTarget", s.ruleARN(s.busNameOf(in.EventBusName), "*")); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.bus(in.EventBusName)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(b.rules)) {
		for _, t := range b.rules[name].targets {
			if value(t.Arn) == *in.TargetArn && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	names, next, err := page(names, func(name string) string { return name }, in.Limit, in.NextToken)
	return &eventbridge.ListRuleNamesByTargetOutput{RuleNames: names, NextToken: next}, err
}

// TestEventPattern tells whether an event, which needs its whole envelope,
// matches a pattern.
func (s *Service) TestEventPattern(ctx context.Context, in *eventbridge.TestEventPatternInput) (*eventbridge.TestEventPatternOutput, error) {
	switch {
	case in.Event == nil:
		return nil, missing("event")
	case in.EventPattern == nil:
		return nil, missing("eventPattern")
	}
	if err := s.authorize(ctx, "TestEventPattern", "*"); err != nil {
		return nil, err
	}
	compiled, err := compilePattern(*in.EventPattern, maximumPattern)
	if err != nil {
		return nil, err
	}
	if err := checkEnvelope(*in.Event); err != nil {
		return nil, err
	}
	event, err := pattern.ReadEvent([]byte(*in.Event))
	if err != nil {
		return nil, invalid("Parameter Event is not valid. Reason: %s", err)
	}
	return &eventbridge.TestEventPatternOutput{Result: compiled.Matches(event)}, nil
}

// ruleARN leaves the default bus out, as AWS does.
func (s *Service) ruleARN(bus, name string) string {
	if bus == defaultBus {
		return s.Account.ARN("events", "rule/"+name)
	}
	return s.Account.ARN("events", "rule/"+bus+"/"+name)
}

// ruleFor finds a rule for an action that the caller has to be allowed.
func (s *Service) ruleFor(ctx context.Context, action string, bus, name *string) (*rule, error) {
	if err := anyName.check("name", name); err != nil {
		return nil, err
	}
	busName := s.busNameOf(bus)
	if err := s.authorize(ctx, action, s.ruleARN(busName, *name)); err != nil {
		return nil, err
	}
	b, err := s.bus(bus)
	if err != nil {
		return nil, err
	}
	if r := b.rules[*name]; r != nil {
		return r, nil
	}
	return nil, &types.ResourceNotFoundException{Message: aws.String(fmt.Sprintf("Rule %s does not exist on EventBus %s.", *name, busName))}
}
