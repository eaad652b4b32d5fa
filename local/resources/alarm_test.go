package resources_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"api-destination-credentials/local/cloudformation"
	"api-destination-credentials/local/resources"
)

// monitoring is CloudWatch, where nothing can be deleted twice.
type monitoring struct {
	resources.Monitoring
	calls
}

func (f *monitoring) PutMetricAlarm(_ context.Context, in *cloudwatch.PutMetricAlarmInput) (*cloudwatch.PutMetricAlarmOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *monitoring) DescribeAlarms(_ context.Context, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
	return &cloudwatch.DescribeAlarmsOutput{MetricAlarms: []types.MetricAlarm{{AlarmArn: aws.String("arn:alarm:" + in.AlarmNames[0])}}}, nil
}

func (f *monitoring) DeleteAlarms(_ context.Context, in *cloudwatch.DeleteAlarmsInput) (*cloudwatch.DeleteAlarmsOutput, error) {
	f.note(in)
	return nil, &types.ResourceNotFound{Message: aws.String("it is not there")}
}

func (f *monitoring) PutDashboard(_ context.Context, in *cloudwatch.PutDashboardInput) (*cloudwatch.PutDashboardOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *monitoring) DeleteDashboards(_ context.Context, in *cloudwatch.DeleteDashboardsInput) (*cloudwatch.DeleteDashboardsOutput, error) {
	f.note(in)
	return nil, &types.DashboardNotFoundError{Message: aws.String("it is not there")}
}

func (f *monitoring) TagResource(_ context.Context, in *cloudwatch.TagResourceInput) (*cloudwatch.TagResourceOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *monitoring) UntagResource(_ context.Context, in *cloudwatch.UntagResourceInput) (*cloudwatch.UntagResourceOutput, error) {
	f.note(in)
	return nil, nil
}

func TestAnAlarmHasTheSettingsOfTheTemplate(t *testing.T) {
	fake := &monitoring{}
	p := provider(t, resources.Services{Monitoring: fake}, "AWS::CloudWatch::Alarm")
	const settings = `"Namespace": "N", "MetricName": "M", "Dimensions": [{"Name": "D", "Value": "1"}], "Statistic": "Sum", "Period": "60",
		"EvaluationPeriods": 1, "Threshold": "0", "ComparisonOperator": "GreaterThanThreshold"`
	want := func(name string, change func(*cloudwatch.PutMetricAlarmInput)) *cloudwatch.PutMetricAlarmInput {
		in := &cloudwatch.PutMetricAlarmInput{
			AlarmName: aws.String(name), Namespace: aws.String("N"), MetricName: aws.String("M"), Statistic: types.StatisticSum,
			Dimensions: []types.Dimension{{Name: aws.String("D"), Value: aws.String("1")}}, Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1),
			Threshold: aws.Float64(0), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
		}
		change(in)
		return in
	}

	result, err := p.Create(context.Background(), request(t, `{"AlarmName": "a", "Tags": [{"Key": "k", "Value": "v"}], `+settings+`}`))
	check(t, err)
	wantResult(t, result, cloudformation.Result{PhysicalID: "a", Attributes: map[string]any{"Arn": "arn:alarm:a"}})
	wantCalls(t, fake.take(), want("a", func(in *cloudwatch.PutMetricAlarmInput) {
		in.Tags = []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}
	}))

	_, err = p.Update(context.Background(), change(t, "a",
		`{"AlarmName": "a", "Tags": [{"Key": "k", "Value": "v"}], `+settings+`}`,
		`{"AlarmName": "a", "Tags": [{"Key": "l", "Value": "w"}], "AlarmActions": ["arn:topic"], `+settings+`}`))
	check(t, err)
	wantCalls(t, fake.take(),
		want("a", func(in *cloudwatch.PutMetricAlarmInput) { in.AlarmActions = []string{"arn:topic"} }),
		&cloudwatch.UntagResourceInput{ResourceARN: aws.String("arn:alarm:a"), TagKeys: []string{"k"}},
		&cloudwatch.TagResourceInput{ResourceARN: aws.String("arn:alarm:a"), Tags: []types.Tag{{Key: aws.String("l"), Value: aws.String("w")}}})

	gone := request(t, `{}`)
	gone.PhysicalID = "a"
	check(t, p.Delete(context.Background(), gone))
	wantCalls(t, fake.take(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"a"}})
}

func TestADashboardHasTheBodyOfTheTemplate(t *testing.T) {
	fake := &monitoring{}
	p := provider(t, resources.Services{Monitoring: fake}, "AWS::CloudWatch::Dashboard")
	result, err := p.Create(context.Background(), request(t, `{"DashboardName": "d", "DashboardBody": "{}"}`))
	check(t, err)
	wantResult(t, result, cloudformation.Result{PhysicalID: "d"})
	_, err = p.Update(context.Background(), change(t, "d", `{"DashboardBody": "{}"}`, `{"DashboardBody": "{\"widgets\":[]}"}`))
	check(t, err)
	gone := request(t, `{}`)
	gone.PhysicalID = "d"
	check(t, p.Delete(context.Background(), gone))
	wantCalls(t, fake.take(),
		&cloudwatch.PutDashboardInput{DashboardName: aws.String("d"), DashboardBody: aws.String("{}")},
		&cloudwatch.PutDashboardInput{DashboardName: aws.String("d"), DashboardBody: aws.String(`{"widgets":[]}`)},
		&cloudwatch.DeleteDashboardsInput{DashboardNames: []string{"d"}})
}

// filters are a log group's, where nothing can be deleted twice.
type filters struct{ calls }

func (f *filters) PutMetricFilter(_ context.Context, in *cloudwatchlogs.PutMetricFilterInput) (*cloudwatchlogs.PutMetricFilterOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *filters) DeleteMetricFilter(_ context.Context, in *cloudwatchlogs.DeleteMetricFilterInput) (*cloudwatchlogs.DeleteMetricFilterOutput, error) {
	f.note(in)
	return nil, missing("ResourceNotFoundException")
}

func TestAMetricFilterReadsDimensionsAsTemplatesStateThem(t *testing.T) {
	fake := &filters{}
	p := provider(t, resources.Services{MetricFilters: fake}, "AWS::Logs::MetricFilter")
	properties := `{"FilterName": "f", "LogGroupName": "g", "FilterPattern": "ERROR", "MetricTransformations": [
		{"MetricNamespace": "N", "MetricName": "M", "MetricValue": 1, "Dimensions": [{"Key": "Route", "Value": "$.route"}]}]}`
	result, err := p.Create(context.Background(), request(t, properties))
	check(t, err)
	wantResult(t, result, cloudformation.Result{PhysicalID: "f"})
	gone := request(t, properties)
	gone.PhysicalID = "f"
	check(t, p.Delete(context.Background(), gone))
	wantCalls(t, fake.take(),
		&cloudwatchlogs.PutMetricFilterInput{
			FilterName: aws.String("f"), LogGroupName: aws.String("g"), FilterPattern: aws.String("ERROR"), MetricTransformations: []logstypes.MetricTransformation{{
				MetricNamespace: aws.String("N"), MetricName: aws.String("M"), MetricValue: aws.String("1"), Dimensions: map[string]string{"Route": "$.route"},
			}},
		},
		&cloudwatchlogs.DeleteMetricFilterInput{FilterName: aws.String("f"), LogGroupName: aws.String("g")})
}
