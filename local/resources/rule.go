package resources

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"api-destination-credentials/local/cloudformation"
)

// rule is an EventBridge rule with its targets. Its physical id is NAME on the
// default bus and BUS|NAME on any other.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html
type rule struct{ events Events }

func (t rule) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known(nil, "Description", "EventBusName", "EventPattern", "Name", "RoleArn", "ScheduleExpression", "State", "Tags", "Targets"),
		Replace:    []string{"EventBusName", "Name"},
		Create:     t.create,
		Update:     t.update,
		Delete:     t.delete,
	}
}

func (t rule) create(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	name, err := given(r, "Name", stackName(r, 64))
	if err != nil {
		return cloudformation.Result{}, err
	}
	bus, err := member[string](r.Properties, "EventBusName")
	if err != nil {
		return cloudformation.Result{}, err
	}
	result, err := t.put(ctx, r, name, r.Properties["Tags"])
	if err != nil {
		return cloudformation.Result{}, err
	}
	result.PhysicalID = ruleID(bus, name)
	return result, t.aim(ctx, r, name)
}

// update sends every property: what is left out goes back to its default.
func (t rule) update(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	_, name := ruleOf(r.PhysicalID)
	result, err := t.put(ctx, r, name, nil)
	if err != nil {
		return cloudformation.Result{}, err
	}
	result.PhysicalID = r.PhysicalID
	if err := t.aim(ctx, r, name); err != nil {
		return result, err
	}
	target := object{"ResourceARN": result.Attributes["Arn"]}
	return result, retag(ctx, r, target, keysAndValues, t.events.UntagResource, t.events.TagResource)
}

// delete removes all targets first: a rule that has some cannot be deleted.
func (t rule) delete(ctx context.Context, r cloudformation.Request) error {
	bus, name := ruleOf(r.PhysicalID)
	for {
		listed, err := call(ctx, t.events.ListTargetsByRule, object{"EventBusName": bus, "Rule": name})
		if err != nil {
			return unlessGone(err)
		}
		if len(listed.Targets) == 0 {
			break
		}
		var ids []string
		for _, target := range listed.Targets {
			ids = append(ids, aws.ToString(target.Id))
		}
		if err := t.release(ctx, bus, name, ids); err != nil {
			return unlessGone(err)
		}
	}
	return unlessGone(do(ctx, t.events.DeleteRule, object{"EventBusName": bus, "Name": name}))
}

func (t rule) put(ctx context.Context, r cloudformation.Request, name string, tags any) (cloudformation.Result, error) {
	pattern, err := document(r.Properties["EventPattern"])
	if err != nil {
		return cloudformation.Result{}, err
	}
	made, err := call(ctx, t.events.PutRule, with(r.Properties, object{"Name": name, "EventPattern": pattern, "Tags": tags, "Targets": nil}))
	if err != nil {
		return cloudformation.Result{}, err
	}
	return cloudformation.Result{Attributes: object{"Arn": aws.ToString(made.RuleArn)}}, nil
}

// aim makes the rule's targets those of the template.
func (t rule) aim(ctx context.Context, r cloudformation.Request, name string) error {
	bus := r.Properties["EventBusName"]
	targets, err := targetIDs(r.Properties)
	if err != nil {
		return err
	}
	old, err := targetIDs(r.OldProperties)
	if err != nil {
		return err
	}
	if left := without(old, targets); len(left) > 0 {
		if err := t.release(ctx, bus, name, left); err != nil {
			return err
		}
	}
	if len(targets) == 0 {
		return nil
	}
	out, err := call(ctx, t.events.PutTargets, with(pick(r.Properties, "EventBusName", "Targets"), object{"Rule": name}))
	if err != nil {
		return err
	}
	for _, failed := range out.FailedEntries {
		return fmt.Errorf("the target %s: %s: %s", aws.ToString(failed.TargetId), aws.ToString(failed.ErrorCode), aws.ToString(failed.ErrorMessage))
	}
	return nil
}

func (t rule) release(ctx context.Context, bus any, name string, ids []string) error {
	out, err := call(ctx, t.events.RemoveTargets, with(object{"Rule": name, "Ids": ids}, object{"EventBusName": bus}))
	if err != nil {
		return err
	}
	for _, failed := range out.FailedEntries {
		return fmt.Errorf("the target %s: %s: %s", aws.ToString(failed.TargetId), aws.ToString(failed.ErrorCode), aws.ToString(failed.ErrorMessage))
	}
	return nil
}

func targetIDs(properties object) ([]string, error) {
	targets, err := member[[]types.Target](properties, "Targets")
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, target := range targets {
		ids = append(ids, aws.ToString(target.Id))
	}
	return ids, nil
}

// ruleID is a rule's physical id; the bus may be given by name or ARN.
func ruleID(bus, name string) string {
	if _, after, isARN := strings.Cut(bus, ":event-bus/"); isARN {
		bus = after
	}
	if bus == "" || bus == "default" {
		return name
	}
	return bus + "|" + name
}

func ruleOf(id string) (bus, name string) {
	if bus, name, found := strings.Cut(id, "|"); found {
		return bus, name
	}
	return "default", id
}
