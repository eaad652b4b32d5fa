package wire_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"api-destination-credentials/local/wire"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	stack "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	metrics "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	identity "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"
)

// stacks describes the change set that it was given last.
type stacks struct {
	last *cloudformation.CreateChangeSetInput
}

func (s *stacks) CreateChangeSet(_ context.Context, in *cloudformation.CreateChangeSetInput) (*cloudformation.CreateChangeSetOutput, error) {
	s.last = in
	return &cloudformation.CreateChangeSetOutput{Id: in.ChangeSetName}, nil
}

func (s *stacks) DescribeChangeSet(context.Context, *cloudformation.DescribeChangeSetInput) (*cloudformation.DescribeChangeSetOutput, error) {
	return &cloudformation.DescribeChangeSetOutput{
		Parameters: s.last.Parameters, Tags: s.last.Tags, Capabilities: s.last.Capabilities,
		Changes: []stack.Change{}, CreationTime: aws.Time(moment), Description: aws.String("a < b & \"c\"\n"),
	}, nil
}

func (s *stacks) DescribeStacks(_ context.Context, in *cloudformation.DescribeStacksInput) (*cloudformation.DescribeStacksOutput, error) {
	if *in.StackName == "forbidden" {
		return nil, &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no"}
	}
	return nil, &smithy.GenericAPIError{Code: "ValidationError", Message: "Stack with id " + *in.StackName + " does not exist"}
}

func (s *stacks) DeleteStack(context.Context, *cloudformation.DeleteStackInput) (*cloudformation.DeleteStackOutput, error) {
	return nil, nil
}

func (s *stacks) GetTemplateSummary(_ context.Context, in *cloudformation.GetTemplateSummaryInput) (*cloudformation.GetTemplateSummaryOutput, error) {
	return nil, &stack.AlreadyExistsException{Message: in.TemplateBody}
}

func TestCloudFormationTakesAFormAndAnswersInXML(t *testing.T) {
	client := cloudformation.NewFromConfig(serve(t, wire.Config{Services: []wire.Service{{Name: "cloudformation", Impl: &stacks{}}}}))
	sent := cloudformation.CreateChangeSetInput{
		StackName: aws.String("app"), ChangeSetName: aws.String("first"), Capabilities: []stack.Capability{"CAPABILITY_IAM"},
		Tags: []stack.Tag{{Key: aws.String("a.b"), Value: aws.String("")}},
	}
	for i := range 12 { // more than nine, so that their order is by number
		sent.Parameters = append(sent.Parameters, stack.Parameter{
			ParameterKey: aws.String(strings.Repeat("p", i+1)), UsePreviousValue: aws.Bool(i%2 == 0),
		})
	}
	if _, err := client.CreateChangeSet(t.Context(), &sent); err != nil {
		t.Fatal(err)
	}
	got, err := client.DescribeChangeSet(t.Context(), &cloudformation.DescribeChangeSetInput{ChangeSetName: aws.String("first")})
	if err != nil {
		t.Fatal(err)
	}
	same(t, &cloudformation.DescribeChangeSetOutput{
		Parameters: sent.Parameters, Tags: sent.Tags, Capabilities: sent.Capabilities,
		Changes: []stack.Change{}, CreationTime: aws.Time(moment), Description: aws.String("a < b & \"c\"\n"),
	}, got)
	if _, err := client.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: aws.String("app")}); err != nil {
		t.Errorf("an operation without output: %v", err)
	}
}

func TestAnEmptyValueIsAnEmptyList(t *testing.T) {
	service := &stacks{}
	config := serve(t, wire.Config{Services: []wire.Service{{Name: "cloudformation", Impl: service}}})
	status, _, answer := send(t, form(config, "cloudformation", "Action=CreateChangeSet&Version=2010-05-15&StackName=app&ChangeSetName=c&Parameters=&Tags="))
	if status != http.StatusOK {
		t.Fatalf("the answer is %d %s", status, answer)
	}
	if service.last.Parameters == nil || len(service.last.Parameters) != 0 {
		t.Errorf("the parameters are %v; want an empty list", service.last.Parameters)
	}
}

// form is a request as the aws CLI sends it.
func form(config aws.Config, service, body string) *http.Request {
	request, _ := http.NewRequest(http.MethodPost, *config.BaseEndpoint, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+keyID+"/20260101/us-east-1/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	return request
}

func TestQueryErrorsKeepCodeAndMessage(t *testing.T) {
	client := cloudformation.NewFromConfig(serve(t, wire.Config{Services: []wire.Service{{Name: "cloudformation", Impl: &stacks{}}}}))
	_, err := client.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("app")})
	if code(err) != "ValidationError" || !strings.HasSuffix(err.Error(), "Stack with id app does not exist") {
		t.Errorf("the error is %v; want ValidationError, Stack with id app does not exist", err)
	}
	_, err = client.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("forbidden")})
	if code(err) != "AccessDenied" || !strings.Contains(err.Error(), "StatusCode: 403") {
		t.Errorf("the error is %v; want AccessDenied with 403", err)
	}
	_, err = client.GetTemplateSummary(t.Context(), &cloudformation.GetTemplateSummaryInput{TemplateBody: aws.String("text")})
	if code(err) != "AlreadyExistsException" {
		t.Errorf("the error is %v; want AlreadyExistsException", err)
	}
}

type roles struct{}

func (roles) GetRole(_ context.Context, in *iam.GetRoleInput) (*iam.GetRoleOutput, error) {
	if *in.RoleName == "missing" {
		return nil, &identity.NoSuchEntityException{Message: aws.String("The role with name missing cannot be found.")}
	}
	return &iam.GetRoleOutput{Role: &identity.Role{
		RoleName: in.RoleName, Arn: aws.String("arn"), Path: aws.String("/"), RoleId: aws.String("AROA"), CreateDate: aws.Time(moment), MaxSessionDuration: aws.Int32(3600),
	}}, nil
}

func (roles) ListRoles(context.Context, *iam.ListRolesInput) (*iam.ListRolesOutput, error) {
	return &iam.ListRolesOutput{Roles: []identity.Role{}, IsTruncated: true, Marker: aws.String("next")}, nil
}

func TestIAMGivesNestedStructuresAndItsOwnErrors(t *testing.T) {
	client := iam.NewFromConfig(serve(t, wire.Config{Services: []wire.Service{{Name: "iam", Impl: roles{}}}}))
	got, err := client.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("follower")})
	if err != nil {
		t.Fatal(err)
	}
	same(t, &identity.Role{
		RoleName: aws.String("follower"), Arn: aws.String("arn"), Path: aws.String("/"), RoleId: aws.String("AROA"), CreateDate: aws.Time(moment), MaxSessionDuration: aws.Int32(3600),
	}, got.Role)
	listed, err := client.ListRoles(t.Context(), &iam.ListRolesInput{})
	if err != nil {
		t.Fatal(err)
	}
	same(t, &iam.ListRolesOutput{Roles: []identity.Role{}, IsTruncated: true, Marker: aws.String("next")}, listed)

	_, err = client.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("missing")})
	var missing *identity.NoSuchEntityException
	if !errors.As(err, &missing) || missing.ErrorMessage() != "The role with name missing cannot be found." {
		t.Errorf("the error is %v; want IAM's NoSuchEntityException", err)
	}
}

// alarms keeps the metric data that it got last.
type alarms struct{ data []metrics.MetricDatum }

func (a *alarms) PutMetricData(_ context.Context, in *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataOutput, error) {
	a.data = in.MetricData
	return &cloudwatch.PutMetricDataOutput{}, nil
}

func (a *alarms) DescribeAlarms(_ context.Context, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
	if in.StateValue == metrics.StateValueInsufficientData {
		return nil, &metrics.ResourceNotFoundException{Message: aws.String("no alarm")}
	}
	return &cloudwatch.DescribeAlarmsOutput{MetricAlarms: []metrics.MetricAlarm{{
		AlarmName: aws.String(strings.Join(in.AlarmNames, ",")), StateUpdatedTimestamp: aws.Time(moment), Threshold: aws.Float64(-1.5), Period: aws.Int32(60),
		ActionsEnabled: aws.Bool(true), Dimensions: []metrics.Dimension{}, StateValue: metrics.StateValueAlarm,
	}}}, nil
}

func TestCloudWatchSpeaksCBORWithTheGoSDK(t *testing.T) {
	service := &alarms{}
	client := cloudwatch.NewFromConfig(serve(t, wire.Config{Services: []wire.Service{{Name: "monitoring", Impl: service}}}))
	sent := []metrics.MetricDatum{{
		MetricName: aws.String("InStep"), Value: aws.Float64(0.25), Timestamp: aws.Time(moment), StorageResolution: aws.Int32(1),
		Dimensions: []metrics.Dimension{{Name: aws.String("Connection"), Value: aws.String("c")}}, Values: []float64{-1, 2},
	}}
	for range 7 { // from 10 KiB on, the client compresses
		sent = append(sent, sent...)
	}
	if _, err := client.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("App"), MetricData: sent}); err != nil {
		t.Fatal(err)
	}
	same(t, sent, service.data)

	got, err := client.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"a", "b"}})
	if err != nil {
		t.Fatal(err)
	}
	same(t, []metrics.MetricAlarm{{
		AlarmName: aws.String("a,b"), StateUpdatedTimestamp: aws.Time(moment), Threshold: aws.Float64(-1.5), Period: aws.Int32(60),
		ActionsEnabled: aws.Bool(true), Dimensions: []metrics.Dimension{}, StateValue: metrics.StateValueAlarm,
	}}, got.MetricAlarms)

	_, err = client.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{StateValue: metrics.StateValueInsufficientData})
	var missing *metrics.ResourceNotFoundException
	if !errors.As(err, &missing) || missing.ErrorMessage() != "no alarm" {
		t.Errorf("the error is %v; want CloudWatch's ResourceNotFoundException", err)
	}
}

func TestCloudWatchSpeaksQueryAndJSONWithOtherClients(t *testing.T) {
	config := serve(t, wire.Config{Services: []wire.Service{{Name: "monitoring", Impl: &alarms{}}}})
	status, _, answer := send(t, form(config, "monitoring", "Action=DescribeAlarms&Version=2010-08-01&AlarmNames.member.1=a&AlarmNames.member.2=b"))
	if status != http.StatusOK || !strings.Contains(answer, "<MetricAlarms><member><ActionsEnabled>true</ActionsEnabled><AlarmName>a,b</AlarmName>") ||
		!strings.Contains(answer, "<StateUpdatedTimestamp>2026-11-05T12:30:15.123Z</StateUpdatedTimestamp>") {
		t.Errorf("the Query answer is %d %s", status, answer)
	}

	request := form(config, "monitoring", `{"AlarmNames":["a","b"]}`)
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "GraniteServiceVersion20100801.DescribeAlarms")
	status, _, answer = send(t, request)
	if status != http.StatusOK || !strings.Contains(answer, `"StateUpdatedTimestamp":1793881815.123`) || !strings.Contains(answer, `"Dimensions":[]`) {
		t.Errorf("the JSON answer is %d %s", status, answer)
	}
}
