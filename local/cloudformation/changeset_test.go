package cloudformation_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/google/go-cmp/cmp"

	"api-destination-credentials/local/cloudformation"
)

func (w *world) plan(stack, name, body string, kind types.ChangeSetType, parameters ...string) *sdk.DescribeChangeSetOutput {
	w.Helper()
	out, err := w.CreateChangeSet(w.context(), &sdk.CreateChangeSetInput{
		StackName: &stack, ChangeSetName: &name, TemplateBody: &body, ChangeSetType: kind, Parameters: parametersOf(parameters),
	})
	if err != nil {
		w.Fatal(err)
	}
	shown, err := w.DescribeChangeSet(w.context(), &sdk.DescribeChangeSetInput{ChangeSetName: out.Id})
	if err != nil {
		w.Fatal(err)
	}
	return shown
}

func (w *world) execute(stack, name string) error {
	_, err := w.ExecuteChangeSet(w.context(), &sdk.ExecuteChangeSetInput{StackName: &stack, ChangeSetName: &name})
	return err
}

// changesOf lists changes as SAM CLI prints them.
func changesOf(shown *sdk.DescribeChangeSetOutput) []string {
	var lines []string
	for _, c := range shown.Changes {
		r := c.ResourceChange
		lines = append(lines, strings.TrimSpace(strings.Join([]string{string(r.Action), *r.LogicalResourceId, string(r.Replacement)}, " ")))
	}
	return lines
}

func TestAChangeSetCreatesAStackThatIsUnderReviewUntilThen(t *testing.T) {
	w := newWorld(t)
	shown := w.plan("chain", "make", chain, types.ChangeSetTypeCreate)
	if shown.Status != types.ChangeSetStatusCreateComplete || shown.ExecutionStatus != types.ExecutionStatusAvailable {
		t.Errorf("the change set is %s and %s", shown.Status, shown.ExecutionStatus)
	}
	if diff := cmp.Diff([]string{"Add A", "Add B", "Add C"}, changesOf(shown)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"chain REVIEW_IN_PROGRESS User Initiated"}, w.events("chain")); diff != "" {
		t.Error(diff)
	}
	if err := w.execute("chain", "make"); err != nil {
		t.Fatal(err)
	}
	if status := w.settled("chain"); status != types.StackStatusCreateComplete {
		t.Errorf("the stack is %s", status)
	}
	if again := w.execute("chain", "make"); again == nil || !strings.Contains(again.Error(), "cannot be executed") {
		t.Errorf("executing twice: %v", again)
	}
	_, err := w.CreateChangeSet(w.context(), &sdk.CreateChangeSetInput{StackName: aws.String("chain"), ChangeSetName: aws.String("b"), TemplateBody: aws.String(chain), ChangeSetType: types.ChangeSetTypeCreate})
	wantError(t, err, "ValidationError", "Stack [chain] already exists and cannot be created again with the changeSet [b].")
}

func TestAChangeSetTellsReplacementsAndWhatMayFollowFromThem(t *testing.T) {
	w := newWorld(t)
	w.deploy("chain", chain)
	body := strings.ReplaceAll(chain, "  C: {Type: Test::Thing, DependsOn: B, Properties: {Text: fixed}}", "  D: {Type: Test::Fixed, Properties: {Text: !Ref A}}")
	shown := w.plan("chain", "next", body, types.ChangeSetTypeUpdate, "Naming=second")
	if diff := cmp.Diff([]string{"Modify A True", "Modify B False", "Remove C", "Add D"}, changesOf(shown)); diff != "" {
		t.Error(diff)
	}
	detail := shown.Changes[0].ResourceChange.Details[0]
	if *detail.Target.Name != "Name" || detail.Target.RequiresRecreation != types.RequiresRecreationAlways || detail.Evaluation != types.EvaluationTypeStatic {
		t.Errorf("A's change is told as %+v", detail)
	}
	if follows := shown.Changes[1].ResourceChange.Details[0]; follows.Evaluation != types.EvaluationTypeDynamic {
		t.Errorf("B's change is told as %+v", follows)
	}
	if w.stack("chain").StackStatus != types.StackStatusCreateComplete {
		t.Error("a change set has changed the stack")
	}
	w.plan("chain", "rival", body, types.ChangeSetTypeUpdate, "Word=x")
	if err := w.execute("chain", "next"); err != nil {
		t.Fatal(err)
	}
	if status := w.settled("chain"); status != types.StackStatusUpdateComplete {
		t.Errorf("the stack is %s:\n%s", status, w.reasons("chain"))
	}
	list, err := w.ListChangeSets(w.context(), &sdk.ListChangeSetsInput{StackName: aws.String("chain")})
	if err != nil || len(list.Summaries) != 2 || list.Summaries[0].ExecutionStatus != types.ExecutionStatusExecuteComplete || list.Summaries[1].ExecutionStatus != types.ExecutionStatusObsolete {
		t.Errorf("change sets: %+v, %v", list, err)
	}
}

func TestAChangeSetWithoutChangesFailsInAWSsWords(t *testing.T) {
	w := newWorld(t)
	w.deploy("chain", chain)
	shown := w.plan("chain", "same", chain, types.ChangeSetTypeUpdate)
	if shown.Status != types.ChangeSetStatusFailed || *shown.StatusReason != "The submitted information didn't contain changes. Submit different information to create a change set." || shown.Changes == nil {
		t.Errorf("the change set is %+v", shown)
	}
	wantError(t, w.execute("chain", "same"), "InvalidChangeSetStatus", "cannot be executed in its current status of [FAILED]")
	if _, err := w.DeleteChangeSet(w.context(), &sdk.DeleteChangeSetInput{StackName: aws.String("chain"), ChangeSetName: aws.String("same")}); err != nil {
		t.Fatal(err)
	}
	_, err := w.DescribeChangeSet(w.context(), &sdk.DescribeChangeSetInput{StackName: aws.String("chain"), ChangeSetName: aws.String("same")})
	wantError(t, err, "ChangeSetNotFound", "ChangeSet [same] does not exist")
}

func TestATransformThatFailsFailsTheChangeSet(t *testing.T) {
	w := newWorld(t, func(c *cloudformation.Config) {
		c.Transform = func(map[string]any) (map[string]any, error) { return nil, errors.New("Number of errors found: 1.") }
	})
	shown := w.plan("s", "make", serverless, types.ChangeSetTypeCreate)
	if shown.Status != types.ChangeSetStatusFailed || *shown.StatusReason != "Transform AWS::Serverless-2016-10-31 failed with: Number of errors found: 1." {
		t.Errorf("the change set is %s: %s", shown.Status, aws.ToString(shown.StatusReason))
	}
	if status := w.drop("s"); status != types.StackStatusDeleteComplete {
		t.Errorf("the stack under review is %s after its deletion", status)
	}
}

func TestAMissingImportFailsTheChangeSet(t *testing.T) {
	w := newWorld(t)
	shown := w.plan("s", "make", importing, types.ChangeSetTypeCreate, "From=nobody")
	if shown.Status != types.ChangeSetStatusFailed || *shown.StatusReason != "No export named nobody-text found." {
		t.Errorf("the change set is %s: %s", shown.Status, aws.ToString(shown.StatusReason))
	}
}
