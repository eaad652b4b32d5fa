package cloudformation

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// isCustom tells whether a function of the user's own stands behind a type.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources.html
func isCustom(kind string) bool {
	return strings.HasPrefix(kind, "Custom::") || kind == "AWS::CloudFormation::CustomResource"
}

// customRequest is what the function behind a custom resource gets.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html
type customRequest struct {
	RequestType           string
	ServiceToken          string
	ResponseURL           string
	StackId               string
	RequestId             string
	LogicalResourceId     string
	PhysicalResourceId    string `json:",omitempty"`
	ResourceType          string
	ResourceProperties    any
	OldResourceProperties any `json:",omitempty"`
}

// customAnswer is what the function puts to the ResponseURL.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
type customAnswer struct {
	Status             string
	Reason             string
	PhysicalResourceId string
	StackId            string
	RequestId          string
	LogicalResourceId  string
	NoEcho             bool
	Data               map[string]any
}

// createCustom makes up a physical id if the function does not answer, so that
// rollback can ask it to delete whatever it has made.
func (op *operation) createCustom(ctx context.Context, r Request) (Result, error) {
	answer, asked, err := op.ask(ctx, "Create", r)
	if answer.PhysicalResourceId == "" && asked {
		answer.PhysicalResourceId = fmt.Sprintf("%s-%s-%s", r.StackName, r.LogicalID, rand.Text()[:12])
	}
	return Result{PhysicalID: answer.PhysicalResourceId, Attributes: answer.Data}, err
}

func (op *operation) changeCustom(ctx context.Context, r Request) (Result, error) {
	if !same(r.Properties["ServiceToken"], r.OldProperties["ServiceToken"]) {
		return Result{}, invalid("Modifying service token is not allowed.")
	}
	answer, _, err := op.ask(ctx, "Update", r)
	return Result{PhysicalID: answer.PhysicalResourceId, Attributes: answer.Data}, err
}

func (op *operation) removeCustom(ctx context.Context, r Request) error {
	_, _, err := op.ask(ctx, "Delete", r)
	return err
}

// ask invokes the function and waits for what it puts to the response URL;
// asked tells whether the invocation was accepted.
func (op *operation) ask(ctx context.Context, requestType string, r Request) (answer customAnswer, asked bool, err error) {
	token, _ := r.Properties["ServiceToken"].(string)
	if token == "" {
		return answer, false, invalid("Properties validation failed for resource %s with message:\n[#: required key [ServiceToken] not found]", r.LogicalID)
	}
	patience, err := serviceTimeout(r.Properties["ServiceTimeout"])
	if err != nil {
		return answer, false, err
	}
	awaited, url := op.service.await(r)
	defer op.service.forget(awaited)
	payload, err := json.Marshal(customRequest{
		RequestType:           requestType,
		ServiceToken:          token,
		ResponseURL:           url,
		StackId:               r.StackID,
		RequestId:             r.Token,
		LogicalResourceId:     r.LogicalID,
		PhysicalResourceId:    r.PhysicalID,
		ResourceType:          r.Type,
		ResourceProperties:    asText(r.Properties),
		OldResourceProperties: asText(r.OldProperties),
	})
	if err != nil {
		return answer, false, err
	}
	timer := op.service.Clock.NewTimer(patience)
	defer timer.Stop()
	if _, err := op.service.Functions.Invoke(op.ctx, &lambda.InvokeInput{
		FunctionName:   aws.String(token),
		InvocationType: lambdatypes.InvocationTypeEvent,
		Payload:        payload,
	}); err != nil {
		return answer, false, fmt.Errorf("%s (RequestId: %s)", reasonOf(err), r.Token)
	}
	select {
	case body := <-awaited.body:
		answer, err = readAnswer(body, r)
	case <-timer.Chan():
		err = invalid("CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [%s]. If you are using the Python cfn-response module, you may need to update your Lambda function code so that CloudFormation can attach the updated version.", r.Token)
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	return answer, true, err
}

// serviceTimeout is in seconds, at most an hour, which is also the default.
func serviceTimeout(value any) (time.Duration, error) {
	if value == nil {
		return time.Hour, nil
	}
	text, _ := scalar(value)
	seconds, err := strconv.Atoi(text)
	if err != nil || seconds < 1 || seconds > 3600 {
		return 0, invalid("ServiceTimeout must be an integer between 1 and 3600")
	}
	return time.Duration(seconds) * time.Second, nil
}

func readAnswer(body []byte, r Request) (customAnswer, error) {
	var answer customAnswer
	if err := json.Unmarshal(body, &answer); err != nil {
		return customAnswer{}, invalid("Response is not valid JSON (RequestId: %s)", r.Token)
	}
	for _, property := range []struct{ name, got, want string }{
		{"StackId", answer.StackId, r.StackID},
		{"RequestId", answer.RequestId, r.Token},
		{"LogicalResourceId", answer.LogicalResourceId, r.LogicalID},
	} {
		if property.got != property.want {
			return customAnswer{}, invalid("Invalid response object: Value of property %s must be that of the request (RequestId: %s)", property.name, r.Token)
		}
	}
	switch {
	case answer.Status == "FAILED":
		return answer, invalid("Received response status [FAILED] from custom resource. Message returned: %s (RequestId: %s)", answer.Reason, r.Token)
	case answer.Status != "SUCCESS":
		return answer, invalid("Invalid response object: Value of property Status must be SUCCESS or FAILED (RequestId: %s)", r.Token)
	case answer.PhysicalResourceId == "" || len(answer.PhysicalResourceId) > 1024:
		return answer, invalid("Invalid PhysicalResourceId (RequestId: %s)", r.Token)
	}
	return answer, nil
}

// asText turns every scalar into a string, as functions get them.
func asText(properties map[string]any) any {
	if properties == nil {
		return nil
	}
	return textOf(properties)
}

func textOf(value any) any {
	switch value := value.(type) {
	case map[string]any:
		members := make(map[string]any, len(value))
		for key, member := range value {
			members[key] = textOf(member)
		}
		return members
	case []any:
		items := make([]any, len(value))
		for i, item := range value {
			items[i] = textOf(item)
		}
		return items
	}
	if text, ok := scalar(value); ok {
		return text
	}
	return value
}
