package eventbridge_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awseb "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const (
	archiveARN     = "arn:aws:events:us-east-1:123456789012:archive/kept"
	archiveRule    = "Events-Archive-kept"
	archiveRuleARN = "arn:aws:events:us-east-1:123456789012:rule/demo/" + archiveRule
)

// archive makes the bus with an archive.
func (w *world) archive(change func(*awseb.CreateArchiveInput)) {
	w.Helper()
	must[*awseb.CreateEventBusOutput](w.T)(w.CreateEventBus(w.ctx, &awseb.CreateEventBusInput{Name: aws.String("demo")}))
	in := &awseb.CreateArchiveInput{ArchiveName: aws.String("kept"), EventSourceArn: aws.String(busARN)}
	if change != nil {
		change(in)
	}
	made := must[*awseb.CreateArchiveOutput](w.T)(w.CreateArchive(w.ctx, in))
	if *made.ArchiveArn != archiveARN || made.State != types.ArchiveStateEnabled {
		w.Fatalf("created %+v", made)
	}
}

func (w *world) describeArchive() *awseb.DescribeArchiveOutput {
	w.Helper()
	return must[*awseb.DescribeArchiveOutput](w.T)(w.DescribeArchive(w.ctx, &awseb.DescribeArchiveInput{ArchiveName: aws.String("kept")}))
}

// putAs puts an event of a source and a time, and waits until it is where it goes.
func (w *world) putAs(source string, at time.Time) string {
	w.Helper()
	out := must[*awseb.PutEventsOutput](w.T)(w.PutEvents(w.ctx, &awseb.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		EventBusName: aws.String("demo"), Source: aws.String(source), DetailType: aws.String("order"), Detail: aws.String(`{"id":7}`), Time: aws.Time(at),
	}}}))
	w.idle()
	return *out.Entries[0].EventId
}

func TestAnArchiveKeepsWhatMatchesItsPattern(t *testing.T) {
	w := newWorld(t)
	w.archive(func(in *awseb.CreateArchiveInput) {
		in.EventPattern, in.Description, in.RetentionDays = aws.String(`{ "source": ["shop"] }`), aws.String("orders"), aws.Int32(7)
	})
	w.putAs("shop", w.clock.Now())
	w.putAs("other", w.clock.Now())
	w.putAs("shop", w.clock.Now())
	got := w.describeArchive()
	if got.SizeBytes < 200 {
		t.Errorf("two events have %d bytes", got.SizeBytes)
	}
	want := &awseb.DescribeArchiveOutput{
		ArchiveArn: aws.String(archiveARN), ArchiveName: aws.String("kept"), EventSourceArn: aws.String(busARN), Description: aws.String("orders"),
		EventPattern: aws.String(`{ "source": ["shop"] }`), RetentionDays: aws.Int32(7), State: types.ArchiveStateEnabled, EventCount: 2,
		CreationTime: aws.Time(time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)),
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(awseb.DescribeArchiveOutput{}), cmpopts.IgnoreFields(awseb.DescribeArchiveOutput{}, "SizeBytes", "ResultMetadata")); diff != "" {
		t.Error(diff)
	}
	listed := must[*awseb.ListArchivesOutput](t)(w.ListArchives(w.ctx, &awseb.ListArchivesInput{EventSourceArn: aws.String(busARN)}))
	if len(listed.Archives) != 1 || listed.Archives[0].EventCount != 2 || listed.Archives[0].SizeBytes != got.SizeBytes {
		t.Errorf("listed %+v", listed.Archives)
	}
}

func TestAnArchiveHasARuleOfItsOwn(t *testing.T) {
	w := newWorld(t)
	w.archive(func(in *awseb.CreateArchiveInput) {
		in.EventPattern = aws.String(`{"source":["shop"],"replay-name":[{"exists":true}]}`)
	})
	bus, name := aws.String("demo"), aws.String(archiveRule)
	rule := must[*awseb.DescribeRuleOutput](t)(w.DescribeRule(w.ctx, &awseb.DescribeRuleInput{EventBusName: bus, Name: name}))
	if *rule.Arn != archiveRuleARN || *rule.EventPattern != `{"replay-name":[{"exists":false}],"source":["shop"]}` || aws.ToString(rule.ManagedBy) != "prod.vhs.events.aws.internal" {
		t.Errorf("the rule is %s, %s, managed by %s", *rule.Arn, *rule.EventPattern, aws.ToString(rule.ManagedBy))
	}
	targets := must[*awseb.ListTargetsByRuleOutput](t)(w.ListTargetsByRule(w.ctx, &awseb.ListTargetsByRuleInput{EventBusName: bus, Rule: name})).Targets
	if len(targets) != 1 || *targets[0].Id != archiveRule || !strings.Contains(*targets[0].InputTransformer.InputTemplate, archiveARN) {
		t.Errorf("the rule's targets are %+v", targets)
	}
	for what, refused := range map[string]error{
		"PutRule": last(w.PutRule(w.ctx, &awseb.PutRuleInput{EventBusName: bus, Name: name, EventPattern: aws.String(`{"source":["x"]}`)})),
		"Disable": last(w.DisableRule(w.ctx, &awseb.DisableRuleInput{EventBusName: bus, Name: name})),
		"Enable":  last(w.EnableRule(w.ctx, &awseb.EnableRuleInput{EventBusName: bus, Name: name})),
		"Delete":  last(w.DeleteRule(w.ctx, &awseb.DeleteRuleInput{EventBusName: bus, Name: name})),
		"PutTargets": last(w.PutTargets(w.ctx, &awseb.PutTargetsInput{EventBusName: bus, Rule: name,
			Targets: []types.Target{{Id: aws.String("q"), Arn: aws.String(queueARN)}}})),
		"RemoveTargets": last(w.RemoveTargets(w.ctx, &awseb.RemoveTargetsInput{EventBusName: bus, Rule: name, Ids: []string{archiveRule}})),
		"Tag":           last(w.TagResource(w.ctx, &awseb.TagResourceInput{ResourceARN: aws.String(archiveRuleARN)})),
		"Untag":         last(w.UntagResource(w.ctx, &awseb.UntagResourceInput{ResourceARN: aws.String(archiveRuleARN)})),
	} {
		t.Run(what, func(t *testing.T) { wantError(t, refused, "ManagedRuleException", archiveRule) })
	}
	_, err := w.DeleteEventBus(w.ctx, &awseb.DeleteEventBusInput{Name: bus})
	wantError(t, err, "ValidationException", "EventBus can't be deleted since it has rules.")
	must[*awseb.DeleteArchiveOutput](t)(w.DeleteArchive(w.ctx, &awseb.DeleteArchiveInput{ArchiveName: aws.String("kept")}))
	must[*awseb.DeleteEventBusOutput](t)(w.DeleteEventBus(w.ctx, &awseb.DeleteEventBusInput{Name: bus}))
}

func last[T any](_ T, err error) error { return err }

func TestForceTakesTheRuleFromAnArchiveAndAnUpdatePutsItBack(t *testing.T) {
	w := newWorld(t)
	w.archive(nil)
	bus, name := aws.String("demo"), aws.String(archiveRule)
	_, err := w.DeleteRule(w.ctx, &awseb.DeleteRuleInput{EventBusName: bus, Name: name, Force: true})
	wantError(t, err, "ValidationException", "Rule can't be deleted since it has targets.")
	must[*awseb.RemoveTargetsOutput](t)(w.RemoveTargets(w.ctx, &awseb.RemoveTargetsInput{EventBusName: bus, Rule: name, Ids: []string{archiveRule}, Force: true}))
	must[*awseb.DeleteRuleOutput](t)(w.DeleteRule(w.ctx, &awseb.DeleteRuleInput{EventBusName: bus, Name: name, Force: true}))
	if got := w.describeArchive(); got.State != types.ArchiveStateDisabled || *got.StateReason != "Managed rule for the archive was forcefully deleted." {
		t.Errorf("the archive is %s: %s", got.State, aws.ToString(got.StateReason))
	}
	w.putAs("shop", w.clock.Now())
	must[*awseb.UpdateArchiveOutput](t)(w.UpdateArchive(w.ctx, &awseb.UpdateArchiveInput{ArchiveName: aws.String("kept"), Description: aws.String("again")}))
	w.putAs("shop", w.clock.Now())
	if got := w.describeArchive(); got.State != types.ArchiveStateEnabled || got.StateReason != nil || got.EventCount != 1 {
		t.Errorf("the archive is %s with %d events", got.State, got.EventCount)
	}
}

func TestAnUpdateOfAnArchiveChangesWhatIsGiven(t *testing.T) {
	w := newWorld(t)
	w.archive(func(in *awseb.CreateArchiveInput) {
		in.EventPattern, in.Description, in.RetentionDays = aws.String(`{"source":["shop"]}`), aws.String("orders"), aws.Int32(7)
	})
	update := func(in *awseb.UpdateArchiveInput) {
		in.ArchiveName = aws.String("kept")
		must[*awseb.UpdateArchiveOutput](t)(w.UpdateArchive(w.ctx, in))
	}
	update(&awseb.UpdateArchiveInput{RetentionDays: aws.Int32(1)})
	if got := w.describeArchive(); *got.RetentionDays != 1 || *got.Description != "orders" || *got.EventPattern != `{"source":["shop"]}` {
		t.Errorf("the archive is %+v", got)
	}
	update(&awseb.UpdateArchiveInput{EventPattern: aws.String(""), Description: aws.String("")})
	w.putAs("other", w.clock.Now())
	if got := w.describeArchive(); got.EventPattern != nil || got.Description != nil || got.EventCount != 1 {
		t.Errorf("the archive is %+v", got)
	}
	_, err := w.UpdateArchive(w.ctx, &awseb.UpdateArchiveInput{ArchiveName: aws.String("kept")})
	wantError(t, err, "ValidationException", "At least one of EventPattern, RetentionDays or Description must be provided.")
	_, err = w.UpdateArchive(w.ctx, &awseb.UpdateArchiveInput{ArchiveName: aws.String("kept"), Description: aws.String("no"), EventPattern: aws.String("{}")})
	wantError(t, err, "InvalidEventPatternException", "Event pattern is not valid.")
	if got := w.describeArchive(); got.Description != nil {
		t.Error("an update that is refused has changed something")
	}
}

func TestRetentionCountsFromTheArrival(t *testing.T) {
	w := newWorld(t)
	w.archive(func(in *awseb.CreateArchiveInput) { in.RetentionDays = aws.Int32(1) })
	w.putAs("shop", w.clock.Now().Add(-48*time.Hour))
	w.clock.Advance(12 * time.Hour)
	w.putAs("shop", w.clock.Now())
	one := w.describeArchive().SizeBytes / 2
	for _, want := range []int64{2, 1, 0} {
		if got := w.describeArchive(); got.EventCount != want || got.SizeBytes != want*one {
			t.Errorf("at %s the archive has %d events and %d bytes, want %d of %d bytes each", w.clock.Now(), got.EventCount, got.SizeBytes, want, one)
		}
		w.clock.Advance(12 * time.Hour)
	}
}

func TestAnEncryptedArchiveNeedsItsKey(t *testing.T) {
	w := newWorld(t)
	for name, spoil := range map[string]func(){
		"disabled":            func() { w.keyDisabled = true },
		"not for the caller":  func() { w.denied["kms:GenerateDataKey"] = true },
		"not for EventBridge": func() { w.denied["kms:Decrypt"] = true },
	} {
		w.set(spoil)
		_, err := w.CreateArchive(w.ctx, &awseb.CreateArchiveInput{ArchiveName: aws.String("no"), EventSourceArn: aws.String(busARN), KmsKeyIdentifier: aws.String(keyARN)})
		t.Run(name, func(t *testing.T) { wantError(t, err, "ValidationException", "") })
		w.set(func() { w.keyDisabled, w.denied = false, map[string]bool{} })
	}
	w.archive(func(in *awseb.CreateArchiveInput) { in.KmsKeyIdentifier = aws.String(keyARN) })
	w.contexts = nil
	w.putAs("shop", w.clock.Now())
	if diff := cmp.Diff([]map[string]string{{"aws:events:event-bus:arn": busARN}}, w.contexts); diff != "" {
		t.Error(diff)
	}
	w.set(func() { w.keyDisabled = true })
	w.putAs("shop", w.clock.Now())
	if got := w.describeArchive(); got.EventCount != 1 || *got.KmsKeyIdentifier != keyARN {
		t.Errorf("the archive has %d events under %s", got.EventCount, aws.ToString(got.KmsKeyIdentifier))
	}
}

func TestAnArchiveIsEncryptedAnewUnderAnotherKey(t *testing.T) {
	w := newWorld(t)
	w.archive(func(in *awseb.CreateArchiveInput) { in.KmsKeyIdentifier = aws.String(keyARN) })
	w.putAs("shop", w.clock.Now())
	update := func(key string) types.ArchiveState {
		t.Helper()
		return must[*awseb.UpdateArchiveOutput](t)(w.UpdateArchive(w.ctx, &awseb.UpdateArchiveInput{ArchiveName: aws.String("kept"), KmsKeyIdentifier: aws.String(key)})).State
	}
	if state := update("alias/same"); state != types.ArchiveStateEnabled {
		t.Errorf("another name of the key makes it %s", state)
	}
	w.set(func() { w.denied["kms:ReEncrypt"] = true })
	if state := update(otherKeyARN); state != types.ArchiveStateUpdating {
		t.Errorf("another key makes it %s", state)
	}
	w.idle()
	if got := w.describeArchive(); got.State != types.ArchiveStateUpdateFailed || !strings.Contains(*got.StateReason, "events.amazonaws.com is not authorized") || *got.KmsKeyIdentifier != "alias/same" {
		t.Errorf("the archive is %s under %s: %s", got.State, *got.KmsKeyIdentifier, aws.ToString(got.StateReason))
	}
	w.set(func() { w.denied = map[string]bool{} })
	for _, key := range []string{otherKeyARN, ""} {
		if state := update(key); state != types.ArchiveStateUpdating {
			t.Errorf("the key %q makes it %s", key, state)
		}
		w.idle()
		if got := w.describeArchive(); got.State != types.ArchiveStateEnabled || aws.ToString(got.KmsKeyIdentifier) != key || got.EventCount != 1 {
			t.Errorf("the archive is %s under %q with %d events", got.State, aws.ToString(got.KmsKeyIdentifier), got.EventCount)
		}
	}
}

func TestAnArchiveThatCannotBeIsRefused(t *testing.T) {
	w := newWorld(t)
	w.archive(nil)
	for name, c := range map[string]struct {
		change      func(*awseb.CreateArchiveInput)
		code, words string
	}{
		"name":        {func(in *awseb.CreateArchiveInput) { in.ArchiveName = aws.String("a b") }, "ValidationException", "at 'archiveName' failed to satisfy constraint: Member must satisfy regular expression pattern"},
		"long name":   {func(in *awseb.CreateArchiveInput) { in.ArchiveName = aws.String(strings.Repeat("x", 49)) }, "ValidationException", "length less than or equal to 48"},
		"bus by name": {func(in *awseb.CreateArchiveInput) { in.EventSourceArn = aws.String("demo") }, "ValidationException", "at 'eventSourceArn'"},
		"bus missing": {func(in *awseb.CreateArchiveInput) { in.EventSourceArn = aws.String(busARN + "x") }, "ResourceNotFoundException", "Event bus demox does not exist."},
		"not a bus":   {func(in *awseb.CreateArchiveInput) { in.EventSourceArn = aws.String(ruleARN) }, "ValidationException", "Must contain an event bus ARN."},
		"pattern":     {func(in *awseb.CreateArchiveInput) { in.EventPattern = aws.String("[]") }, "InvalidEventPatternException", "Filter is not an object"},
		"long pattern": {func(in *awseb.CreateArchiveInput) {
			in.EventPattern = aws.String(`{"source":["` + strings.Repeat("x", 4096) + `"]}`)
		}, "InvalidEventPatternException", "4096 is the maximum"},
		"retention": {func(in *awseb.CreateArchiveInput) { in.RetentionDays = aws.Int32(-1) }, "ValidationException", "at 'retentionDays' failed to satisfy constraint: Member must have value greater than or equal to 0"},
		"twice":     {func(in *awseb.CreateArchiveInput) { in.ArchiveName = aws.String("kept") }, "ResourceAlreadyExistsException", "Archive kept already exists."},
		"rule in use": {func(in *awseb.CreateArchiveInput) {
			must[*awseb.PutRuleOutput](t)(w.PutRule(w.ctx, &awseb.PutRuleInput{Name: aws.String("Events-Archive-new"), EventBusName: aws.String("demo"), EventPattern: aws.String(`{"source":["x"]}`)}))
		}, "ValidationException", "delete or rename it"},
	} {
		t.Run(name, func(t *testing.T) {
			in := &awseb.CreateArchiveInput{ArchiveName: aws.String("new"), EventSourceArn: aws.String(busARN)}
			c.change(in)
			_, err := w.CreateArchive(w.ctx, in)
			wantError(t, err, c.code, c.words)
		})
	}
	_, err := w.DescribeArchive(w.ctx, &awseb.DescribeArchiveInput{ArchiveName: aws.String("new")})
	wantError(t, err, "ResourceNotFoundException", "Archive new does not exist.")
	_, err = w.ListArchives(w.ctx, &awseb.ListArchivesInput{NamePrefix: aws.String("k"), State: types.ArchiveStateEnabled})
	wantError(t, err, "ValidationException", "At most one filter is allowed for ListArchives.")
	for _, resource := range []string{archiveARN, busARN} {
		found := false
		for _, request := range w.asked {
			found = found || request.Action == "events:CreateArchive" && request.Resource == resource
		}
		if !found {
			t.Errorf("nobody asked for events:CreateArchive on %s", resource)
		}
	}
}
