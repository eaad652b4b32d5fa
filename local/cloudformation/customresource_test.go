package cloudformation_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/cloudformation"
)

type customEvent struct {
	RequestType, ServiceToken, ResponseURL, StackId, RequestId string
	LogicalResourceId, PhysicalResourceId, ResourceType        string
	ResourceProperties, OldResourceProperties                  map[string]any
}

const function = "arn:aws:lambda:us-east-1:123456789012:function:f"

// Invoke is a function that answers what the test wants, later.
func (w *world) Invoke(_ context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	if *in.FunctionName != function || in.InvocationType != lambdatypes.InvocationTypeEvent {
		return nil, &lambdatypes.ResourceNotFoundException{Message: aws.String("Function not found: " + *in.FunctionName)}
	}
	var event customEvent
	if err := json.Unmarshal(in.Payload, &event); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, event)
	w.answers.Add(1)
	go func() {
		defer w.answers.Done()
		w.mu.Lock()
		respond := w.respond
		w.mu.Unlock()
		if answer := respond(event); answer != nil {
			w.put(event.ResponseURL, answer)
		}
	}()
	return &lambda.InvokeOutput{StatusCode: 202}, nil
}

func (w *world) put(url string, answer any) int {
	body, ok := answer.(string)
	if !ok {
		encoded, err := json.Marshal(answer)
		if err != nil {
			w.Error(err)
		}
		body = string(encoded)
	}
	recorder := httptest.NewRecorder()
	w.ResponseHandler().ServeHTTP(recorder, httptest.NewRequest(http.MethodPut, url, strings.NewReader(body)))
	return recorder.Code
}

func (w *world) requests() []customEvent {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]customEvent{}, w.asked...)
}

// success answers with the physical id that the property Id asks for.
func success(e customEvent) any {
	return map[string]any{
		"Status": "SUCCESS", "PhysicalResourceId": e.ResourceProperties["Id"], "StackId": e.StackId, "RequestId": e.RequestId, "LogicalResourceId": e.LogicalResourceId,
		"Data": map[string]any{"Version": e.ResourceProperties["Revision"]},
	}
}

func failure(e customEvent, reason string) any {
	return map[string]any{"Status": "FAILED", "Reason": reason, "PhysicalResourceId": e.PhysicalResourceId, "StackId": e.StackId, "RequestId": e.RequestId, "LogicalResourceId": e.LogicalResourceId}
}

const custom = `
Parameters:
  Revision: {Type: String, Default: "1"}
  Id: {Type: String, Default: first}
Resources:
  Custom:
    Type: Custom::Thing
    Properties:
      ServiceToken: arn:aws:lambda:us-east-1:123456789012:function:f
      ServiceTimeout: 60
      Id: !Ref Id
      Revision: !Ref Revision
      Nested: {Flag: true, List: [1, 2.5]}
Outputs:
  Version: {Value: !GetAtt Custom.Version}
  Id: {Value: !Ref Custom}
`

func TestACustomResourceIsItsFunctionsAnswer(t *testing.T) {
	w := newWorld(t)
	w.respond = success
	if status := w.deploy("custom", custom); status != types.StackStatusCreateComplete {
		t.Fatalf("the stack is %s:\n%s", status, w.reasons("custom"))
	}
	if diff := cmp.Diff(map[string]string{"Version": "1", "Id": "first"}, w.outputs("custom")); diff != "" {
		t.Error(diff)
	}
	first := w.requests()[0]
	want := map[string]any{"ServiceToken": function, "ServiceTimeout": "60", "Id": "first", "Revision": "1", "Nested": map[string]any{"Flag": "true", "List": []any{"1", "2.5"}}}
	if diff := cmp.Diff(want, first.ResourceProperties); diff != "" {
		t.Error(diff)
	}
	if first.RequestType != "Create" || first.ResourceType != "Custom::Thing" || first.PhysicalResourceId != "" || !strings.HasPrefix(first.ResponseURL, "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com/") {
		t.Errorf("the request is %+v", first)
	}
	if code := w.put(first.ResponseURL, success(first)); code != http.StatusForbidden {
		t.Errorf("a second answer is taken with HTTP %d", code)
	}
	if strings.Contains(w.reasons("custom"), "X-Amz-Signature") {
		t.Error("the events show the response URL")
	}

	w.change("custom", custom, "Revision=2")
	second := w.requests()[1]
	if second.RequestType != "Update" || second.PhysicalResourceId != "first" || second.OldResourceProperties["Revision"] != "1" {
		t.Errorf("the update's request is %+v", second)
	}
	w.change("custom", custom, "Revision=2", "Id=other")
	if last := w.requests()[3]; last.RequestType != "Delete" || last.PhysicalResourceId != "first" || last.ResourceProperties["Id"] != "first" {
		t.Errorf("after another physical id comes %+v, want the old one's deletion", last)
	}
	w.drop("custom")
	if last := w.requests()[4]; last.RequestType != "Delete" || last.PhysicalResourceId != "other" {
		t.Errorf("the deletion's request is %+v", last)
	}
}

func TestAFailedCustomUpdateIsAskedToGoBack(t *testing.T) {
	w := newWorld(t)
	w.respond = success
	w.deploy("custom", custom)
	statuses := []types.StackStatus{}
	w.mu.Lock()
	w.respond = func(e customEvent) any {
		// The function looks at its stack, as rollback-aware ones do.
		statuses = append(statuses, w.stack(e.StackId).StackStatus)
		if e.ResourceProperties["Revision"] == "2" {
			return failure(e, "revision 2 is bad")
		}
		return success(e)
	}
	w.mu.Unlock()
	if status := w.change("custom", custom, "Revision=2"); status != types.StackStatusUpdateRollbackComplete {
		t.Fatalf("the stack is %s:\n%s", status, w.reasons("custom"))
	}
	asked := w.requests()
	back := asked[len(asked)-1]
	if len(asked) != 3 || back.RequestType != "Update" || back.ResourceProperties["Revision"] != "1" || back.OldResourceProperties["Revision"] != "2" {
		t.Errorf("the way back is %+v", back)
	}
	if diff := cmp.Diff([]types.StackStatus{types.StackStatusUpdateInProgress, types.StackStatusUpdateRollbackInProgress}, statuses); diff != "" {
		t.Error(diff)
	}
	want := "Custom UPDATE_FAILED Received response status [FAILED] from custom resource. Message returned: revision 2 is bad (RequestId: " + asked[1].RequestId + ")"
	if !strings.Contains(w.reasons("custom"), want) {
		t.Errorf("the events lack %q:\n%s", want, w.reasons("custom"))
	}
}

func TestAFailedCustomUpdateWithANewIDIsDeletedOnTheWayBack(t *testing.T) {
	w := newWorld(t)
	w.respond = success
	body := strings.ReplaceAll(custom, "Outputs:", "  Last: {Type: Test::Thing, Properties: {Text: !Ref Custom}}\nOutputs:")
	w.deploy("custom", body)
	w.refuse["update Last"] = context.DeadlineExceeded
	w.change("custom", body, "Id=other")
	w.mu.Lock()
	delete(w.refuse, "update Last")
	w.mu.Unlock()
	var kinds []string
	for _, e := range w.requests() {
		kinds = append(kinds, e.RequestType+" "+e.PhysicalResourceId)
	}
	if diff := cmp.Diff([]string{"Create ", "Update first", "Update other"}, kinds); diff != "" {
		t.Error(diff)
	}
	if status := w.stack("custom").StackStatus; status != types.StackStatusUpdateRollbackFailed {
		t.Errorf("the stack is %s; its last resource refuses to go back", status)
	}
}

func TestBadAnswersFailTheResource(t *testing.T) {
	answers := map[string]struct {
		answer func(customEvent) any
		want   string
	}{
		"failed":        {func(e customEvent) any { return failure(e, "no") }, "Received response status [FAILED] from custom resource. Message returned: no"},
		"no JSON":       {func(customEvent) any { return "hello" }, "Response is not valid JSON"},
		"other request": {func(e customEvent) any { e.RequestId = "other"; return success(e) }, "Invalid response object: Value of property RequestId"},
		"other stack":   {func(e customEvent) any { e.StackId = "other"; return success(e) }, "Invalid response object: Value of property StackId"},
		"no id":         {func(e customEvent) any { e.ResourceProperties["Id"] = ""; return success(e) }, "Invalid PhysicalResourceId"},
		"no status": {func(e customEvent) any {
			return map[string]any{"PhysicalResourceId": "x", "StackId": e.StackId, "RequestId": e.RequestId, "LogicalResourceId": e.LogicalResourceId}
		}, "Value of property Status"},
	}
	for name, c := range answers {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.respond = func(e customEvent) any {
				if e.RequestType == "Delete" {
					e.ResourceProperties["Id"] = e.PhysicalResourceId
					return success(e)
				}
				return c.answer(e)
			}
			if status := w.deploy("custom", custom); status != types.StackStatusRollbackComplete {
				t.Errorf("the stack is %s:\n%s", status, w.reasons("custom"))
			}
			if !strings.Contains(w.reasons("custom"), c.want) {
				t.Errorf("the events lack %q:\n%s", c.want, w.reasons("custom"))
			}
		})
	}
}

func TestAFunctionThatIsSilentFailsAfterItsServiceTimeout(t *testing.T) {
	clock := clockwork.NewFakeClock()
	w := newWorld(t, func(c *cloudformation.Config) { c.Clock, c.Patience = clock, 0 })
	tried := make(chan struct{})
	w.respond = func(e customEvent) any {
		if e.RequestType == "Create" {
			defer close(tried)
			if code := w.put(e.ResponseURL, strings.Repeat("x", 4097)); code == http.StatusOK {
				t.Error("an answer above 4096 bytes is taken")
			}
			if code := w.put(strings.Replace(e.ResponseURL, "X-Amz-Signature=", "X-Amz-Signature=0", 1), success(e)); code != http.StatusForbidden {
				t.Error("an answer to a guessed URL is taken")
			}
			return nil
		}
		e.ResourceProperties["Id"] = e.PhysicalResourceId
		return success(e)
	}
	if err := w.tryCreate("custom", custom); err != nil {
		t.Fatal(err)
	}
	<-tried
	clock.Advance(59 * time.Second)
	if status := w.stack("custom").StackStatus; status != types.StackStatusCreateInProgress {
		t.Fatalf("a second too early the stack is %s", status)
	}
	clock.Advance(time.Second)
	if status := w.settled("custom"); status != types.StackStatusRollbackComplete {
		t.Fatalf("the stack is %s", status)
	}
	asked := w.requests()
	if want := "CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [" + asked[0].RequestId + "]"; !strings.Contains(w.reasons("custom"), want) {
		t.Errorf("the events lack %q:\n%s", want, w.reasons("custom"))
	}
	if last := asked[1]; last.RequestType != "Delete" || !strings.HasPrefix(last.PhysicalResourceId, "custom-Custom-") {
		t.Errorf("after silence comes %+v, want a deletion with an id made up", last)
	}
}

func TestAFunctionThatCannotBeInvokedIsNotAskedToDelete(t *testing.T) {
	w := newWorld(t)
	if status := w.deploy("custom", strings.ReplaceAll(custom, "function:f", "function:g")); status != types.StackStatusRollbackComplete {
		t.Errorf("the stack is %s", status)
	}
	if !strings.Contains(w.reasons("custom"), "Custom CREATE_FAILED Function not found: ") {
		t.Error(w.reasons("custom"))
	}
}

func TestTheServiceTokenStays(t *testing.T) {
	w := newWorld(t)
	w.respond = success
	w.deploy("custom", custom)
	if err := w.tryUpdate("custom", strings.ReplaceAll(custom, "function:f", "function:g")); err != nil {
		t.Fatal(err)
	}
	w.settled("custom")
	if !strings.Contains(w.reasons("custom"), "Modifying service token is not allowed.") {
		t.Error(w.reasons("custom"))
	}
}

func TestAFailureElsewhereEndsTheWaitForACustomResource(t *testing.T) {
	clock := clockwork.NewFakeClock()
	w := newWorld(t, func(c *cloudformation.Config) { c.Clock, c.Patience = clock, 0 })
	w.respond = func(e customEvent) any {
		if e.RequestType == "Create" {
			return nil
		}
		e.ResourceProperties["Id"] = e.PhysicalResourceId
		return success(e)
	}
	wait := make(chan struct{})
	w.pause["create Other"], w.refuse["create Other"] = wait, context.DeadlineExceeded
	if err := w.tryCreate("custom", strings.ReplaceAll(custom, "Outputs:", "  Other: {Type: Test::Thing, Properties: {Text: x}}\nOutputs:")); err != nil {
		t.Fatal(err)
	}
	w.eventually("the function is invoked", func() bool { return len(w.requests()) == 1 })
	close(wait)
	if status := w.settled("custom"); status != types.StackStatusRollbackComplete {
		t.Errorf("the stack is %s", status)
	}
	if !strings.Contains(w.reasons("custom"), "Custom CREATE_FAILED Resource creation cancelled") {
		t.Error(w.reasons("custom"))
	}
}

func TestAMissingAttributeOfACustomResourceIsNamed(t *testing.T) {
	w := newWorld(t)
	w.respond = success
	body := strings.ReplaceAll(custom, "Custom.Version", "Custom.Other")
	if _, err := w.CreateStack(w.context(), &sdk.CreateStackInput{StackName: aws.String("custom"), TemplateBody: aws.String(body)}); err != nil {
		t.Fatal(err)
	}
	w.settled("custom")
	if !strings.Contains(w.reasons("custom"), "CustomResource attribute error: Vendor response doesn't contain Other attribute in object") {
		t.Error(w.reasons("custom"))
	}
}
