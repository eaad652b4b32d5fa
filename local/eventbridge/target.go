package eventbridge

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"api-destination-credentials/local/eventbridge/transform"
)

// The limits and defaults of a target.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RetryPolicy.html
const (
	targetsPerRule  = 5
	defaultRetries  = 185
	defaultEventAge = 24 * time.Hour
)

// target is a target with its input compiled. It does not change once put.
type target struct {
	types.Target
	kind     targetKind
	path     transform.Path // nil without InputPath
	template *transform.Template
}

func (t *target) retries() int {
	if t.RetryPolicy == nil || t.RetryPolicy.MaximumRetryAttempts == nil {
		return defaultRetries
	}
	return int(*t.RetryPolicy.MaximumRetryAttempts)
}

func (t *target) eventAge() time.Duration {
	if t.RetryPolicy == nil || t.RetryPolicy.MaximumEventAgeInSeconds == nil {
		return defaultEventAge
	}
	return time.Duration(*t.RetryPolicy.MaximumEventAgeInSeconds) * time.Second
}

// The kinds of target that there are. Only an archive's own rule has an archive
// as a target.
type targetKind int

const (
	unknownKind targetKind = iota
	destinationKind
	functionKind
	queueKind
	archiveKind
)

func kindOf(arn string) targetKind {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return unknownKind
	}
	switch {
	case parts[2] == "events" && strings.HasPrefix(parts[5], "api-destination/"):
		return destinationKind
	case parts[2] == "lambda" && strings.HasPrefix(parts[5], "function:"):
		return functionKind
	case parts[2] == "sqs":
		return queueKind
	}
	return unknownKind
}

// PutTargets adds targets to a rule, or replaces those with the same Id.
func (s *Service) PutTargets(ctx context.Context, in *eventbridge.PutTargetsInput) (*eventbridge.PutTargetsOutput, error) {
	if len(in.Targets) == 0 {
		return nil, invalid("1 validation error detected: Value '[]' at 'targets' failed to satisfy constraint: Member must have length greater than or equal to 1")
	}
	compiled := map[string]*target{}
	for _, t := range in.Targets {
		checked, err := compileTarget(t)
		if err != nil {
			return nil, err
		}
		compiled[*t.Id] = checked
	}
	for _, t := range compiled {
		if err := s.passRole(ctx, t.RoleArn); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.ruleFor(ctx, "PutTargets", in.EventBusName, in.Rule)
	if err != nil {
		return nil, err
	}
	if err := r.managed(""); err != nil {
		return nil, err
	}
	all := maps.Clone(r.targets)
	maps.Copy(all, compiled)
	if len(all) > targetsPerRule {
		return nil, &types.LimitExceededException{Message: aws.String("The requested resource exceeds the maximum number allowed.")}
	}
	r.targets = all
	return &eventbridge.PutTargetsOutput{FailedEntries: []types.PutTargetsResultEntry{}}, nil
}

func compileTarget(t types.Target) (*target, error) {
	if err := first(anyName.check("targets.1.member.id", t.Id), checkTarget(t)); err != nil {
		return nil, err
	}
	compiled := &target{Target: t, kind: kindOf(*t.Arn)}
	var err error
	switch {
	case t.InputPath != nil:
		if compiled.path, err = transform.ParsePath(*t.InputPath); err != nil {
			return nil, invalid("Invalid InputPath for target %s: %s", *t.Id, err)
		}
	case t.InputTransformer != nil:
		compiled.template, err = transform.Compile(t.InputTransformer.InputPathsMap, value(t.InputTransformer.InputTemplate))
		if undefined := (transform.UndefinedPlaceholderError{}); errors.As(err, &undefined) {
			return nil, invalid("InputTemplate for target %s contains invalid placeholder %s.", *t.Id, undefined.Name)
		}
		if err != nil {
			return nil, invalid("Invalid InputTransformer for target %s: %s", *t.Id, err)
		}
	}
	return compiled, nil
}

func checkTarget(t types.Target) error {
	if t.Arn == nil {
		return missing("targets.1.member.arn")
	}
	inputs := 0
	for _, is := range []bool{t.Input != nil, t.InputPath != nil, t.InputTransformer != nil} {
		if is {
			inputs++
		}
	}
	kind := kindOf(*t.Arn)
	switch {
	case kind == unknownKind:
		return invalid("Target %s with ARN %s is of a kind that the local endpoint does not support: use an API destination, a Lambda function or an SQS queue.", *t.Id, *t.Arn)
	case inputs > 1:
		return invalid("Only one of Input, InputPath, or InputTransformer must be provided for target %s.", *t.Id)
	case t.Input != nil && !json.Valid([]byte(*t.Input)):
		return invalid("JSON syntax error in input for target %s", *t.Id)
	case kind == destinationKind && value(t.RoleArn) == "":
		return invalid("RoleArn is required for target %s.", *t.Arn)
	case kind != destinationKind && t.RoleArn != nil:
		return invalid("RoleArn is not supported for target %s.", *t.Arn)
	case kind != destinationKind && t.HttpParameters != nil:
		return invalid("Parameter(s) HttpParameters not valid for target %s.", *t.Id)
	case t.DeadLetterConfig != nil && value(t.DeadLetterConfig.Arn) != "" && kindOf(*t.DeadLetterConfig.Arn) != queueKind:
		return invalid("Dead-letter queue %s of target %s is not an SQS queue: give a queue's ARN.", *t.DeadLetterConfig.Arn, *t.Id)
	}
	if err := first(atMost("targets.1.member.input", t.Input, 8192), atMost("targets.1.member.inputPath", t.InputPath, 256)); err != nil {
		return err
	}
	if t.InputTransformer != nil {
		if err := atMost("targets.1.member.inputTransformer.inputTemplate", t.InputTransformer.InputTemplate, 8192); err != nil {
			return err
		}
	}
	if p := t.RetryPolicy; p != nil {
		if err := first(
			between("targets.1.member.retryPolicy.maximumRetryAttempts", p.MaximumRetryAttempts, 0, defaultRetries),
			between("targets.1.member.retryPolicy.maximumEventAgeInSeconds", p.MaximumEventAgeInSeconds, 60, int32(defaultEventAge/time.Second)),
		); err != nil {
			return err
		}
	}
	return refuse(map[string]bool{
		"AppSyncParameters": t.AppSyncParameters != nil, "BatchParameters": t.BatchParameters != nil, "EcsParameters": t.EcsParameters != nil,
		"KinesisParameters": t.KinesisParameters != nil, "RedshiftDataParameters": t.RedshiftDataParameters != nil,
		"RunCommandParameters": t.RunCommandParameters != nil, "SageMakerPipelineParameters": t.SageMakerPipelineParameters != nil,
		"SqsParameters": t.SqsParameters != nil,
	})
}

// RemoveTargets removes targets by Id. An Id that is not there is reported as a
// failed entry.
func (s *Service) RemoveTargets(ctx context.Context, in *eventbridge.RemoveTargetsInput) (*eventbridge.RemoveTargetsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.ruleFor(ctx, "RemoveTargets", in.EventBusName, in.Rule)
	if err != nil {
		return nil, err
	}
	if err := r.managed(orForce); err != nil && !in.Force {
		return nil, err
	}
	out := &eventbridge.RemoveTargetsOutput{FailedEntries: []types.RemoveTargetsResultEntry{}}
	left := maps.Clone(r.targets)
	for _, id := range in.Ids {
		if left[id] == nil {
			out.FailedEntryCount++
			out.FailedEntries = append(out.FailedEntries, types.RemoveTargetsResultEntry{
				TargetId: aws.String(id), ErrorCode: aws.String("ResourceNotFoundException"),
				ErrorMessage: aws.String("Rule " + r.name + " has no target with the Id " + id + "."),
			})
		}
		delete(left, id)
	}
	r.targets = left
	return out, nil
}

// ListTargetsByRule lists a rule's targets by Id.
func (s *Service) ListTargetsByRule(ctx context.Context, in *eventbridge.ListTargetsByRuleInput) (*eventbridge.ListTargetsByRuleOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.ruleFor(ctx, "ListTargetsByRule", in.EventBusName, in.Rule)
	if err != nil {
		return nil, err
	}
	var shown []types.Target
	for _, id := range slices.Sorted(maps.Keys(r.targets)) {
		shown = append(shown, r.targets[id].Target)
	}
	shown, next, err := page(shown, func(t types.Target) string { return *t.Id }, in.Limit, in.NextToken)
	return &eventbridge.ListTargetsByRuleOutput{Targets: shown, NextToken: next}, err
}

// input is what the target gets for an event.
func (t *target) input(event []byte, occasion transform.Occasion) ([]byte, error) {
	switch {
	case t.Input != nil:
		return []byte(*t.Input), nil
	case t.path != nil:
		selected, found := t.path.Select(event)
		if !found {
			return []byte(`""`), nil
		}
		return selected, nil
	case t.template != nil:
		return t.template.Render(event, occasion)
	}
	return event, nil
}

var dynamic = regexp.MustCompile(`^\$\.\S+$`)

// resolved is an HTTP parameter's value; $.detail.x is taken from the event,
// not from the transformed input.
func resolved(text string, event []byte) string {
	if !dynamic.MatchString(text) {
		return text
	}
	path, err := transform.ParsePath(text)
	if err != nil {
		return text
	}
	selected, found := path.Select(event)
	if !found {
		return ""
	}
	var inner string
	if json.Unmarshal(selected, &inner) == nil {
		return inner
	}
	return string(selected)
}
