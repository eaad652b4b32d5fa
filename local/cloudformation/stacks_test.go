package cloudformation_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"api-destination-credentials/local/cloudformation"
)

// chain is three things, each of which needs the one before.
const chain = `
Description: Three things
Parameters:
  Word: {Type: String, Default: one}
  Naming: {Type: String, Default: first}
Resources:
  C: {Type: Test::Thing, DependsOn: B, Properties: {Text: fixed}}
  B: {Type: Test::Thing, Properties: {Text: !Sub "${A} of ${AWS::StackName}"}}
  A: {Type: Test::Thing, Properties: {Text: !Ref Word, Name: !Ref Naming}}
Outputs:
  Arn: {Value: !GetAtt A.Arn, Description: Its name}
  Text: {Value: !GetAtt B.Deep.Text, Export: {Name: !Sub "${AWS::StackName}-text"}}
`

func TestAStackIsMadeInTheOrderOfItsReferencesAndDeletedInReverse(t *testing.T) {
	w := newWorld(t)
	if status := w.deploy("chain", chain); status != types.StackStatusCreateComplete {
		t.Fatalf("the stack is %s:\n%s", status, w.reasons("chain"))
	}
	if diff := cmp.Diff([]string{"create A", "create B", "create C"}, w.worked()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"Arn": "arn:thing/a-1", "Text": "a-1 of chain"}, w.outputs("chain")); diff != "" {
		t.Error(diff)
	}
	want := []string{
		"chain CREATE_IN_PROGRESS User Initiated",
		"A CREATE_IN_PROGRESS", "A CREATE_IN_PROGRESS Resource creation Initiated", "A CREATE_COMPLETE",
		"B CREATE_IN_PROGRESS", "B CREATE_IN_PROGRESS Resource creation Initiated", "B CREATE_COMPLETE",
		"C CREATE_IN_PROGRESS", "C CREATE_IN_PROGRESS Resource creation Initiated", "C CREATE_COMPLETE",
		"chain CREATE_COMPLETE",
	}
	if diff := cmp.Diff(want, w.events("chain")); diff != "" {
		t.Error(diff)
	}
	if !w.callers[deployer.ARN] || len(w.callers) != 1 {
		t.Errorf("providers were called by %v, want the deployer only", w.callers)
	}

	id := *w.stack("chain").StackId
	if status := w.drop("chain"); status != types.StackStatusDeleteComplete {
		t.Fatalf("the stack is %s:\n%s", status, w.reasons(id))
	}
	if diff := cmp.Diff([]string{"delete C", "delete B", "delete A"}, w.worked()); diff != "" {
		t.Error(diff)
	}
	_, err := w.DescribeStacks(w.context(), &sdk.DescribeStacksInput{StackName: aws.String("chain")})
	wantError(t, err, "ValidationError", "Stack with id chain does not exist")
	if _, err := w.DeleteStack(w.context(), &sdk.DeleteStackInput{StackName: aws.String("chain")}); err != nil {
		t.Errorf("deleting what is deleted: %v", err)
	}
	listed, err := w.ListStacks(w.context(), &sdk.ListStacksInput{StackStatusFilter: []types.StackStatus{types.StackStatusDeleteComplete}})
	if err != nil || len(listed.StackSummaries) != 1 {
		t.Errorf("deleted stacks: %v, %v", listed, err)
	}
}

func TestIndependentResourcesAreMadeAtTheSameTime(t *testing.T) {
	w := newWorld(t, func(c *cloudformation.Config) { c.Patience = 0 })
	first, second := make(chan struct{}), make(chan struct{})
	w.pause["create A"], w.pause["create B"] = first, second
	if err := w.tryCreate("pair", `Resources: {A: {Type: Test::Thing, Properties: {Text: a}}, B: {Type: Test::Thing, Properties: {Text: b}}}`); err != nil {
		t.Fatal(err)
	}
	w.haveBegun(2)
	close(first)
	close(second)
	if status := w.settled("pair"); status != types.StackStatusCreateComplete {
		t.Errorf("the stack is %s", status)
	}
}

func TestAFailedCreateIsRolledBackWithTheProvidersReason(t *testing.T) {
	w := newWorld(t)
	w.refuse["create B"] = &smithy.GenericAPIError{Code: "AccessDeniedException", Message: `not allowed to "touch" B`}
	if status := w.deploy("chain", chain); status != types.StackStatusRollbackComplete {
		t.Fatalf("the stack is %s", status)
	}
	if len(w.living()) != 0 {
		t.Errorf("%v are left", w.living())
	}
	reasons := w.reasons("chain")
	for _, want := range []string{
		`B CREATE_FAILED Resource handler returned message: "not allowed to "touch" B" (RequestToken: `, ", HandlerErrorCode: AccessDenied)",
		"chain ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [B]. Rollback requested by user.",
		"B DELETE_COMPLETE\nA DELETE_IN_PROGRESS\nA DELETE_COMPLETE\nchain ROLLBACK_COMPLETE",
	} {
		if !strings.Contains(reasons, want) {
			t.Errorf("the events lack %q:\n%s", want, reasons)
		}
	}
	wantError(t, w.tryUpdate("chain", chain, "Word=two"), "ValidationError", "is in ROLLBACK_COMPLETE state and can not be updated.")
	wantError(t, w.tryCreate("chain", chain), "AlreadyExistsException", "Stack [chain] already exists")
}

func TestWhatIsInFlightWhenAnotherFailsIsCancelled(t *testing.T) {
	w := newWorld(t, func(c *cloudformation.Config) { c.Patience = 0 })
	slow, failing := make(chan struct{}), make(chan struct{})
	w.pause["create A"], w.pause["create B"] = slow, failing
	w.refuse["create B"] = errors.New("no")
	if err := w.tryCreate("pair", `Resources: {A: {Type: Test::Thing, Properties: {Text: a}}, B: {Type: Test::Thing, Properties: {Text: b}}}`); err != nil {
		t.Fatal(err)
	}
	w.haveBegun(2)
	close(failing)
	w.eventually("B has failed", func() bool { return strings.Contains(w.reasons("pair"), "B CREATE_FAILED") })
	close(slow)
	if status := w.settled("pair"); status != types.StackStatusRollbackComplete {
		t.Errorf("the stack is %s", status)
	}
	for _, want := range []string{"A CREATE_FAILED Resource creation cancelled", "failed to create: [A, B]. Rollback"} {
		if !strings.Contains(w.reasons("pair"), want) {
			t.Errorf("the events lack %q:\n%s", want, w.reasons("pair"))
		}
	}
	if len(w.living()) != 0 {
		t.Errorf("%v are left", w.living())
	}
}

func TestOnFailureChoosesWhatFollowsAFailedCreate(t *testing.T) {
	for mode, want := range map[types.OnFailure]types.StackStatus{
		types.OnFailureDoNothing: types.StackStatusCreateFailed,
		types.OnFailureDelete:    types.StackStatusDeleteComplete,
	} {
		w := newWorld(t)
		w.refuse["create B"] = errors.New("no")
		out, err := w.CreateStack(w.context(), &sdk.CreateStackInput{StackName: aws.String("chain"), TemplateBody: aws.String(chain), OnFailure: mode})
		if err != nil {
			t.Fatal(err)
		}
		if status := w.settled(*out.StackId); status != want {
			t.Errorf("with %s the stack is %s, want %s", mode, status, want)
		}
		if left := len(w.living()) > 0; left != (mode == types.OnFailureDoNothing) {
			t.Errorf("with %s %v are left", mode, w.living())
		}
	}
}

func TestAFailedCreateThatWasLeftIsMendedByAnUpdate(t *testing.T) {
	w := newWorld(t)
	w.refuse["create B"] = errors.New("no")
	if _, err := w.CreateStack(w.context(), &sdk.CreateStackInput{StackName: aws.String("chain"), TemplateBody: aws.String(chain), DisableRollback: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	delete(w.refuse, "create B")
	w.worked()
	if status := w.change("chain", chain); status != types.StackStatusUpdateComplete {
		t.Fatalf("the stack is %s:\n%s", status, w.reasons("chain"))
	}
	if diff := cmp.Diff([]string{"create B", "create C"}, w.worked()); diff != "" {
		t.Error(diff)
	}
}

func TestAnUpdateTouchesOnlyWhatChanges(t *testing.T) {
	w := newWorld(t)
	w.deploy("chain", chain)
	w.worked()
	wantError(t, w.tryUpdate("chain", chain), "ValidationError", "No updates are to be performed.")
	if status := w.change("chain", chain, "Word=two"); status != types.StackStatusUpdateComplete {
		t.Fatalf("the stack is %s:\n%s", status, w.reasons("chain"))
	}
	if diff := cmp.Diff([]string{"update A"}, w.worked()); diff != "" {
		t.Error(diff)
	}
	if got := w.thing("a-1")["Text"]; got != "two" {
		t.Errorf("A's text is %v", got)
	}
	tail := w.events("chain")[11:]
	if diff := cmp.Diff([]string{"chain UPDATE_IN_PROGRESS User Initiated", "A UPDATE_IN_PROGRESS", "A UPDATE_COMPLETE", "chain UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "chain UPDATE_COMPLETE"}, tail); diff != "" {
		t.Error(diff)
	}
}

func TestAReplacementIsMadeBeforeTheOldOneIsDeleted(t *testing.T) {
	w := newWorld(t)
	w.deploy("chain", chain)
	w.worked()
	if status := w.change("chain", chain, "Naming=second"); status != types.StackStatusUpdateComplete {
		t.Fatalf("the stack is %s:\n%s", status, w.reasons("chain"))
	}
	if diff := cmp.Diff([]string{"create A", "update B", "delete A"}, w.worked()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a-4", "b-2", "c-3"}, w.living()); diff != "" {
		t.Error(diff)
	}
	if got := w.outputs("chain")["Text"]; got != "a-4 of chain" {
		t.Errorf("B's text is %q", got)
	}
	if want := "A UPDATE_IN_PROGRESS Requested update requires the creation of a new physical resource; hence creating one."; !slices.Contains(w.events("chain"), want) {
		t.Errorf("the events lack %q", want)
	}
}

func TestAFailedUpdateGoesBackToWhatWasThere(t *testing.T) {
	changes := map[string]struct {
		refuse, body string
		parameters   []string
		work         []string
	}{
		"in place": {
			refuse: "update B", parameters: []string{"Word=two"},
			body: strings.ReplaceAll(chain, "of ${AWS::StackName}", "of ${Word}"),
			work: []string{"update A", "update B", "update A", "update B"},
		},
		"replaced": {
			refuse: "update B", parameters: []string{"Naming=second"}, body: chain,
			work: []string{"create A", "update B", "update B", "delete A"},
		},
		"added": {
			refuse: "create D", body: strings.ReplaceAll(chain, "Outputs:", "  D: {Type: Test::Thing, Properties: {Text: !Ref E}}\n  E: {Type: Test::Thing, Properties: {Text: new}}\nOutputs:"),
			work: []string{"create E", "create D", "delete E"},
		},
	}
	for name, c := range changes {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.deploy("chain", chain)
			before := w.outputs("chain")
			w.worked()
			// Only the first attempt fails, as the way back uses the same verb.
			w.refuse[c.refuse] = errors.New("no")
			done := make(chan struct{})
			w.pause[c.refuse] = done
			go func() {
				defer close(done)
				for {
					w.mu.Lock()
					begun := slices.Contains(w.work, c.refuse)
					if begun {
						delete(w.refuse, c.refuse)
					}
					w.mu.Unlock()
					if begun || w.Context().Err() != nil {
						return
					}
				}
			}()
			if status := w.change("chain", c.body, c.parameters...); status != types.StackStatusUpdateRollbackComplete {
				t.Fatalf("the stack is %s:\n%s", status, w.reasons("chain"))
			}
			if diff := cmp.Diff(c.work, w.worked()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{"a-1", "b-2", "c-3"}, w.living()); diff != "" {
				t.Error(diff)
			}
			if text, of := w.thing("a-1")["Text"], w.thing("b-2")["Text"]; text != "one" || of != "a-1 of chain" {
				t.Errorf("after the rollback A says %v and B %v", text, of)
			}
			if diff := cmp.Diff(before, w.outputs("chain")); diff != "" {
				t.Error(diff)
			}
			verb, id, _ := strings.Cut(c.refuse, " ")
			if want := "chain UPDATE_ROLLBACK_IN_PROGRESS The following resource(s) failed to " + verb + ": [" + id + "]."; !slices.Contains(w.events("chain"), want) {
				t.Errorf("the events lack %q:\n%s", want, w.reasons("chain"))
			}
			if status := w.change("chain", chain, "Word=three"); status != types.StackStatusUpdateComplete {
				t.Errorf("a later update ends in %s", status)
			}
		})
	}
}

func TestARollbackThatFailsSaysSo(t *testing.T) {
	w := newWorld(t)
	w.deploy("chain", chain)
	w.refuse["update A"] = errors.New("no")
	if status := w.change("chain", chain, "Word=two"); status != types.StackStatusUpdateRollbackFailed {
		t.Errorf("the stack is %s", status)
	}
}

func TestADeletionThatFailsKeepsWhatIsNeeded(t *testing.T) {
	w := newWorld(t)
	w.deploy("chain", chain)
	w.worked()
	w.refuse["delete B"] = errors.New("it is in use")
	if status := w.drop("chain"); status != types.StackStatusDeleteFailed {
		t.Fatalf("the stack is %s", status)
	}
	if diff := cmp.Diff([]string{"delete C", "delete B"}, w.worked()); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(w.reasons("chain"), "chain DELETE_FAILED The following resource(s) failed to delete: [B].") {
		t.Error(w.reasons("chain"))
	}
	if _, err := w.DeleteStack(w.context(), &sdk.DeleteStackInput{StackName: aws.String("chain"), RetainResources: []string{"B"}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"b-2"}, w.living()); diff != "" {
		t.Error(diff)
	}
}

func TestRetainedResourcesOutliveTheirStack(t *testing.T) {
	w := newWorld(t)
	w.deploy("kept", `Resources: {A: {Type: Test::Thing, DeletionPolicy: Retain, Properties: {Text: a}}, B: {Type: Test::Fixed, UpdateReplacePolicy: Retain, Properties: {Text: b}}}`)
	w.change("kept", `Resources: {A: {Type: Test::Thing, DeletionPolicy: Retain, Properties: {Text: a}}, B: {Type: Test::Fixed, UpdateReplacePolicy: Retain, Properties: {Text: c}}}`)
	if len(w.living()) != 3 {
		t.Errorf("%v live, want A and both Bs", w.living())
	}
	id := *w.stack("kept").StackId
	w.drop("kept")
	if len(w.living()) != 2 || !strings.Contains(w.reasons(id), "A DELETE_SKIPPED") {
		t.Errorf("%v live, want A and the first B\n%s", w.living(), w.reasons(id))
	}
}

func TestAProtectedStackIsNotDeleted(t *testing.T) {
	w := newWorld(t)
	w.deploy("chain", chain)
	if _, err := w.UpdateTerminationProtection(w.context(), &sdk.UpdateTerminationProtectionInput{StackName: aws.String("chain"), EnableTerminationProtection: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	_, err := w.DeleteStack(w.context(), &sdk.DeleteStackInput{StackName: aws.String("chain")})
	wantError(t, err, "ValidationError", "Stack [chain] cannot be deleted while TerminationProtection is enabled")
}

const importing = `
Parameters: {From: {Type: String}}
Resources: {I: {Type: Test::Thing, Properties: {Text: !ImportValue {"Fn::Sub": "${From}-text"}}}}
`

func TestAnExportInUseCanNeitherGoNorChange(t *testing.T) {
	w := newWorld(t)
	wantError(t, w.tryCreate("user", importing, "From=chain"), "ValidationError", "No export named chain-text found.")
	w.deploy("chain", chain)
	w.deploy("user", importing, "From=chain")
	if got := w.thing("i-4")["Text"]; got != "a-1 of chain" {
		t.Errorf("the import is %v", got)
	}
	imports, err := w.ListImports(w.context(), &sdk.ListImportsInput{ExportName: aws.String("chain-text")})
	if err != nil || !slices.Equal(imports.Imports, []string{"user"}) {
		t.Errorf("imports: %v, %v", imports, err)
	}
	if status := w.drop("chain"); status != types.StackStatusCreateComplete || *w.stack("chain").StackStatusReason != "Export chain-text cannot be deleted as it is in use by user" {
		t.Errorf("the stack is %s: %s", status, aws.ToString(w.stack("chain").StackStatusReason))
	}
	if status := w.change("chain", chain, "Naming=second"); status != types.StackStatusUpdateRollbackComplete {
		t.Errorf("the stack is %s", status)
	}
	if !strings.Contains(w.reasons("chain"), "UPDATE_ROLLBACK_IN_PROGRESS Export chain-text cannot be updated as it is in use by user.") {
		t.Error(w.reasons("chain"))
	}
	wantError(t, w.tryCreate("clash", strings.ReplaceAll(chain, "${AWS::StackName}-text", "chain-text")), "ValidationError", "Export with name chain-text is already exported by stack chain")
	w.drop("user")
	if status := w.change("chain", chain, "Naming=third"); status != types.StackStatusUpdateComplete {
		t.Errorf("the stack is %s", status)
	}
	exports, err := w.ListExports(w.context(), &sdk.ListExportsInput{})
	if err != nil || len(exports.Exports) != 1 {
		t.Errorf("exports: %v, %v", exports, err)
	}
}

func TestAStackThatIsBeingMadeCanBeDeleted(t *testing.T) {
	w := newWorld(t, func(c *cloudformation.Config) { c.Patience = 0 })
	wait := make(chan struct{})
	w.pause["create B"] = wait
	if err := w.tryCreate("chain", chain); err != nil {
		t.Fatal(err)
	}
	w.eventually("B is under way", func() bool { return strings.Contains(w.reasons("chain"), "B CREATE_IN_PROGRESS") })
	id := *w.stack("chain").StackId
	if _, err := w.DeleteStack(w.context(), &sdk.DeleteStackInput{StackName: aws.String("chain")}); err != nil {
		t.Fatal(err)
	}
	close(wait)
	if status := w.settled(id); status != types.StackStatusDeleteComplete || len(w.living()) > 0 {
		t.Errorf("the stack is %s and %v are left", status, w.living())
	}
}

func TestACancelledUpdateIsRolledBack(t *testing.T) {
	w := newWorld(t, func(c *cloudformation.Config) { c.Patience = 0 })
	w.deploy("chain", chain)
	wait := make(chan struct{})
	w.mu.Lock()
	w.pause["update A"] = wait
	w.mu.Unlock()
	if err := w.tryUpdate("chain", chain, "Word=two"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.CancelUpdateStack(w.context(), &sdk.CancelUpdateStackInput{StackName: aws.String("chain")}); err != nil {
		t.Fatal(err)
	}
	close(wait)
	if status := w.settled("chain"); status != types.StackStatusUpdateRollbackComplete || w.thing("a-1")["Text"] != "one" {
		t.Errorf("the stack is %s and A says %v", status, w.thing("a-1")["Text"])
	}
}

func TestCloseEndsWhatRuns(t *testing.T) {
	w := newWorld(t, func(c *cloudformation.Config) { c.Patience = 0 })
	w.pause["create A"] = make(chan struct{})
	if err := w.tryCreate("chain", chain); err != nil {
		t.Fatal(err)
	}
	w.Close()
	wantError(t, w.tryCreate("other", chain), "ValidationError", "closing")
}

func TestAnOperationNeedsItsPermission(t *testing.T) {
	w := newWorld(t)
	w.denied["cloudformation:CreateStack"] = true
	wantError(t, w.tryCreate("chain", chain), "AccessDenied", "stack/chain/*")
}

func TestStacksAreDescribedAsTheirClientsNeedIt(t *testing.T) {
	w := newWorld(t)
	w.deploy("chain", chain)
	shown := w.stack("chain")
	if shown.EnableTerminationProtection == nil || shown.CreationTime == nil || *shown.Description != "Three things" {
		t.Errorf("%+v lacks what SAM CLI reads", shown)
	}
	if diff := cmp.Diff("chain-text", *shown.Outputs[1].ExportName); diff != "" {
		t.Error(diff)
	}
	resources, err := w.DescribeStackResources(w.context(), &sdk.DescribeStackResourcesInput{PhysicalResourceId: aws.String("b-2")})
	if err != nil || len(resources.StackResources) != 3 || *resources.StackResources[1].PhysicalResourceId != "b-2" {
		t.Errorf("resources: %+v, %v", resources, err)
	}
	one, err := w.DescribeStackResource(w.context(), &sdk.DescribeStackResourceInput{StackName: aws.String("chain"), LogicalResourceId: aws.String("A")})
	if err != nil || *one.StackResourceDetail.PhysicalResourceId != "a-1" {
		t.Errorf("resource: %+v, %v", one, err)
	}
	list, err := w.ListStackResources(w.context(), &sdk.ListStackResourcesInput{StackName: aws.String("chain")})
	if err != nil || len(list.StackResourceSummaries) != 3 {
		t.Errorf("resources: %+v, %v", list, err)
	}
	original, err := w.GetTemplate(w.context(), &sdk.GetTemplateInput{StackName: aws.String("chain"), TemplateStage: types.TemplateStageOriginal})
	if err != nil || *original.TemplateBody != chain {
		t.Errorf("the original template is not what was handed in: %v", err)
	}
	summary, err := w.GetTemplateSummary(w.context(), &sdk.GetTemplateSummaryInput{StackName: aws.String("chain")})
	if err != nil || len(summary.Parameters) != 2 || !slices.Equal(summary.ResourceTypes, []string{"Test::Thing"}) {
		t.Errorf("summary: %+v, %v", summary, err)
	}
}

func TestALongHistoryComesInPages(t *testing.T) {
	w := newWorld(t)
	var body strings.Builder
	body.WriteString("Resources:\n")
	for _, letter := range strings.Split("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "") {
		body.WriteString("  " + letter + ": {Type: Test::Thing, Properties: {Text: x}}\n")
	}
	w.deploy("long", body.String())
	if got, want := len(w.events("long")), 52*3+2; got != want {
		t.Errorf("%d events, want %d", got, want)
	}
}

func TestATemplateIsReadFromABucket(t *testing.T) {
	w := newWorld(t)
	w.objects["bucket/some/key.yaml"] = chain
	for _, location := range []string{"http://127.0.0.1:4566//bucket/some/key.yaml", "https://s3.us-east-1.amazonaws.com/bucket/some/key.yaml", "https://bucket.s3.amazonaws.com/some/key.yaml"} {
		if _, err := w.ValidateTemplate(w.context(), &sdk.ValidateTemplateInput{TemplateURL: aws.String(location)}); err != nil {
			t.Errorf("%s: %v", location, err)
		}
	}
	_, err := w.ValidateTemplate(w.context(), &sdk.ValidateTemplateInput{TemplateURL: aws.String("http://127.0.0.1:4566/bucket/other")})
	wantError(t, err, "ValidationError", "S3 error: The specified key does not exist.")
	_, err = w.ValidateTemplate(w.context(), &sdk.ValidateTemplateInput{TemplateURL: aws.String("https://example.org/bucket/other")})
	wantError(t, err, "ValidationError", "TemplateURL must be a supported URL")
}

func TestWhatIsNotSupportedIsNamed(t *testing.T) {
	w := newWorld(t)
	_, err := w.CreateStack(w.context(), &sdk.CreateStackInput{StackName: aws.String("chain"), TemplateBody: aws.String(chain), RoleARN: aws.String("arn:aws:iam::123456789012:role/r"), TimeoutInMinutes: aws.Int32(1)})
	wantError(t, err, "ValidationError", "[RoleARN TimeoutInMinutes]")
}
