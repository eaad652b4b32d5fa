package eventbridge_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awseb "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/google/go-cmp/cmp"
)

func entry(change func(*types.PutEventsRequestEntry)) types.PutEventsRequestEntry {
	e := types.PutEventsRequestEntry{Source: aws.String("shop"), DetailType: aws.String("order"), Detail: aws.String(`{}`)}
	change(&e)
	return e
}

func TestAnEntryThatIsNotValidFailsAlone(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		change func(*types.PutEventsRequestEntry)
		code   string
		words  string
	}{
		"no source":      {func(e *types.PutEventsRequestEntry) { e.Source = nil }, "InvalidArgument", "Parameter Source is not valid. Reason: Source is a required argument."},
		"no detail type": {func(e *types.PutEventsRequestEntry) { e.DetailType = nil }, "InvalidArgument", "DetailType is a required argument."},
		"no detail":      {func(e *types.PutEventsRequestEntry) { e.Detail = nil }, "InvalidArgument", "Detail is a required argument."},
		"list":           {func(e *types.PutEventsRequestEntry) { e.Detail = aws.String(`[]`) }, "MalformedDetail", "Detail is malformed."},
		"null":           {func(e *types.PutEventsRequestEntry) { e.Detail = aws.String(`null`) }, "MalformedDetail", "Detail is malformed."},
		"broken JSON":    {func(e *types.PutEventsRequestEntry) { e.Detail = aws.String(`{`) }, "MalformedDetail", "Detail is malformed."},
		"AWS's source":   {func(e *types.PutEventsRequestEntry) { e.Source = aws.String("aws.s3") }, "NotAuthorizedForSourceException", "Not authorized for the source."},
	} {
		out := must[*awseb.PutEventsOutput](t)(w.PutEvents(w.ctx, &awseb.PutEventsInput{Entries: []types.PutEventsRequestEntry{
			entry(c.change), entry(func(e *types.PutEventsRequestEntry) { e.EventBusName = aws.String("no-such-bus") }),
		}}))
		if out.FailedEntryCount != 1 || aws.ToString(out.Entries[0].ErrorCode) != c.code || !strings.Contains(aws.ToString(out.Entries[0].ErrorMessage), c.words) {
			t.Errorf("%s: %v", name, out.Entries[0])
		}
		if out.Entries[1].EventId == nil {
			t.Errorf("%s: the entry for an unknown bus has no id", name)
		}
	}
}

func TestPutEventsRefusesWhatIsTooMuchOrNotAllowed(t *testing.T) {
	w := newWorld(t)
	good := entry(func(*types.PutEventsRequestEntry) {})
	_, err := w.PutEvents(w.ctx, &awseb.PutEventsInput{})
	wantError(t, err, "ValidationException", "greater than or equal to 1")
	_, err = w.PutEvents(w.ctx, &awseb.PutEventsInput{Entries: []types.PutEventsRequestEntry{good, good, good, good, good, good, good, good, good, good, good}})
	wantError(t, err, "ValidationException", "less than or equal to 10")
	_, err = w.PutEvents(w.ctx, &awseb.PutEventsInput{Entries: []types.PutEventsRequestEntry{entry(func(e *types.PutEventsRequestEntry) {
		e.Detail = aws.String(`{"a":"` + strings.Repeat("x", 256*1024) + `"}`)
	})}})
	wantError(t, err, "ValidationException", "Total size of the entries in the request is over the limit.")
	w.denied["events:PutEvents"] = true
	_, err = w.PutEvents(w.ctx, &awseb.PutEventsInput{Entries: []types.PutEventsRequestEntry{good}})
	wantError(t, err, "AccessDeniedException", "")
}

func TestABusIsDeletedAfterItsRulesAndARuleAfterItsTargets(t *testing.T) {
	w := newWorld(t)
	w.journey(nil)
	bus, rule := aws.String("demo"), aws.String("rule")
	_, err := w.DeleteEventBus(w.ctx, &awseb.DeleteEventBusInput{Name: bus})
	wantError(t, err, "ValidationException", "rules")
	_, err = w.DeleteRule(w.ctx, &awseb.DeleteRuleInput{Name: rule, EventBusName: bus})
	wantError(t, err, "ValidationException", "Rule can't be deleted since it has targets.")
	removed := must[*awseb.RemoveTargetsOutput](t)(w.RemoveTargets(w.ctx, &awseb.RemoveTargetsInput{Rule: rule, EventBusName: aws.String(busARN), Ids: []string{"t", "x"}}))
	if removed.FailedEntryCount != 1 || *removed.FailedEntries[0].TargetId != "x" {
		t.Errorf("removing answered %+v", removed)
	}
	must[*awseb.DeleteRuleOutput](t)(w.DeleteRule(w.ctx, &awseb.DeleteRuleInput{Name: rule, EventBusName: bus}))
	must[*awseb.DeleteEventBusOutput](t)(w.DeleteEventBus(w.ctx, &awseb.DeleteEventBusInput{Name: bus}))
	listed := must[*awseb.ListEventBusesOutput](t)(w.ListEventBuses(w.ctx, &awseb.ListEventBusesInput{}))
	if len(listed.EventBuses) != 1 || *listed.EventBuses[0].Name != "default" {
		t.Errorf("left are %v", listed.EventBuses)
	}
}

func TestADisabledRuleMatchesNothing(t *testing.T) {
	w := newWorld(t)
	w.journey(nil)
	must[*awseb.DisableRuleOutput](t)(w.DisableRule(w.ctx, &awseb.DisableRuleInput{Name: aws.String("rule"), EventBusName: aws.String("demo")}))
	w.put()
	w.idle()
	must[*awseb.EnableRuleOutput](t)(w.EnableRule(w.ctx, &awseb.EnableRuleInput{Name: aws.String("rule"), EventBusName: aws.String("demo")}))
	id := w.put()
	w.idle()
	if len(w.received) != 1 || !strings.Contains(w.received[0], id) {
		t.Errorf("received %q", w.received)
	}
}

func TestATargetThatCannotWorkIsRefused(t *testing.T) {
	w := newWorld(t)
	w.journey(nil)
	arn := aws.String("arn:aws:events:us-east-1:123456789012:api-destination/dest/x")
	for name, c := range map[string]struct {
		target types.Target
		words  string
	}{
		"no role":      {types.Target{Arn: arn}, "RoleArn is required for target"},
		"two inputs":   {types.Target{Arn: arn, RoleArn: aws.String(roleARN), Input: aws.String("1"), InputPath: aws.String("$")}, "Only one of Input, InputPath, or InputTransformer must be provided for target t."},
		"placeholder":  {types.Target{Arn: arn, RoleArn: aws.String(roleARN), InputTransformer: &types.InputTransformer{InputTemplate: aws.String("<x>")}}, "InputTemplate for target t contains invalid placeholder x."},
		"kind":         {types.Target{Arn: aws.String("arn:aws:sns:us-east-1:123456789012:topic")}, "use an API destination, a Lambda function or an SQS queue"},
		"age":          {types.Target{Arn: arn, RoleArn: aws.String(roleARN), RetryPolicy: &types.RetryPolicy{MaximumEventAgeInSeconds: aws.Int32(59)}}, "greater than or equal to 60"},
		"unsupported":  {types.Target{Arn: aws.String(queueARN), SqsParameters: &types.SqsParameters{}}, "SqsParameters"},
		"role for SQS": {types.Target{Arn: aws.String(queueARN), RoleArn: aws.String(roleARN)}, "RoleArn is not supported"},
	} {
		t.Run(name, func(t *testing.T) {
			c.target.Id = aws.String("t")
			_, err := w.PutTargets(w.ctx, &awseb.PutTargetsInput{Rule: aws.String("rule"), EventBusName: aws.String("demo"), Targets: []types.Target{c.target}})
			wantError(t, err, "ValidationException", c.words)
		})
	}
}

func TestTagsStayWithTheirResource(t *testing.T) {
	w := newWorld(t)
	must[*awseb.CreateEventBusOutput](t)(w.CreateEventBus(w.ctx, &awseb.CreateEventBusInput{Name: aws.String("demo"), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}}))
	must[*awseb.TagResourceOutput](t)(w.TagResource(w.ctx, &awseb.TagResourceInput{ResourceARN: aws.String(busARN), Tags: []types.Tag{{Key: aws.String("b"), Value: aws.String("2")}}}))
	must[*awseb.UntagResourceOutput](t)(w.UntagResource(w.ctx, &awseb.UntagResourceInput{ResourceARN: aws.String(busARN), TagKeys: []string{"a"}}))
	listed := must[*awseb.ListTagsForResourceOutput](t)(w.ListTagsForResource(w.ctx, &awseb.ListTagsForResourceInput{ResourceARN: aws.String(busARN)}))
	if len(listed.Tags) != 1 || *listed.Tags[0].Key != "b" {
		t.Errorf("tags %v", listed.Tags)
	}
}

func TestListsComeInPages(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"a", "b", "c"} {
		must[*awseb.CreateEventBusOutput](t)(w.CreateEventBus(w.ctx, &awseb.CreateEventBusInput{Name: aws.String(name)}))
	}
	var names []string
	for in := (&awseb.ListEventBusesInput{Limit: aws.Int32(3)}); ; {
		out := must[*awseb.ListEventBusesOutput](t)(w.ListEventBuses(w.ctx, in))
		for _, bus := range out.EventBuses {
			names = append(names, *bus.Name)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "default"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestAPatternIsTestedAgainstAWholeEvent(t *testing.T) {
	w := newWorld(t)
	const event = `{"id":"1","account":"1","source":"shop","time":"2026-01-01T00:00:00Z","region":"r","resources":[],"detail-type":"order","detail":{"n":5}}`
	for pattern, want := range map[string]bool{`{"detail":{"n":[{"numeric":[">",4]}]}}`: true, `{"source":["other"]}`: false} {
		out := must[*awseb.TestEventPatternOutput](t)(w.TestEventPattern(w.ctx, &awseb.TestEventPatternInput{Event: aws.String(event), EventPattern: aws.String(pattern)}))
		if out.Result != want {
			t.Errorf("%s: %v", pattern, out.Result)
		}
	}
	_, err := w.TestEventPattern(w.ctx, &awseb.TestEventPatternInput{Event: aws.String(event), EventPattern: aws.String(`{"source":"shop"}`)})
	wantError(t, err, "InvalidEventPatternException", "Event pattern is not valid. Reason: ")
	_, err = w.TestEventPattern(w.ctx, &awseb.TestEventPatternInput{Event: aws.String(event), EventPattern: aws.String("")})
	wantError(t, err, "InvalidEventPatternException", "Event pattern is not valid. Reason: ")
	_, err = w.TestEventPattern(w.ctx, &awseb.TestEventPatternInput{Event: aws.String(`{"source":"shop"}`), EventPattern: aws.String(`{"source":["shop"]}`)})
	wantError(t, err, "ValidationException", "no field id")
}
