package resources

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"api-destination-credentials/local/cloudformation"
)

// Monitoring is Amazon CloudWatch.
type Monitoring interface {
	PutMetricAlarm(context.Context, *cloudwatch.PutMetricAlarmInput) (*cloudwatch.PutMetricAlarmOutput, error)
	DescribeAlarms(context.Context, *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error)
	DeleteAlarms(context.Context, *cloudwatch.DeleteAlarmsInput) (*cloudwatch.DeleteAlarmsOutput, error)
	PutDashboard(context.Context, *cloudwatch.PutDashboardInput) (*cloudwatch.PutDashboardOutput, error)
	DeleteDashboards(context.Context, *cloudwatch.DeleteDashboardsInput) (*cloudwatch.DeleteDashboardsOutput, error)
	TagResource(context.Context, *cloudwatch.TagResourceInput) (*cloudwatch.TagResourceOutput, error)
	UntagResource(context.Context, *cloudwatch.UntagResourceInput) (*cloudwatch.UntagResourceOutput, error)
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-alarm.html
type alarm struct{ monitoring Monitoring }

func (a alarm) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known([]string{"ComparisonOperator", "EvaluationPeriods"}, "ActionsEnabled", "AlarmActions", "AlarmDescription", "AlarmName",
			"DatapointsToAlarm", "Dimensions", "EvaluateLowSampleCountPercentile", "ExtendedStatistic", "InsufficientDataActions", "MetricName",
			"Metrics", "Namespace", "OKActions", "Period", "Statistic", "Tags", "Threshold", "ThresholdMetricId", "TreatMissingData", "Unit"),
		Replace: []string{"AlarmName"},
		Create:  a.create,
		Update:  a.update,
		Delete:  a.delete,
	}
}

func (a alarm) create(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	name, err := given(r, "AlarmName", stackName(r, 255))
	if err != nil {
		return cloudformation.Result{}, err
	}
	if err := do(ctx, a.monitoring.PutMetricAlarm, with(r.Properties, object{"AlarmName": name})); err != nil {
		return cloudformation.Result{}, err
	}
	return a.result(ctx, name)
}

// update sends every setting: what is left out goes back to its default. Tags
// have operations of their own, as PutMetricAlarm leaves those of an alarm alone.
func (a alarm) update(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	if err := do(ctx, a.monitoring.PutMetricAlarm, with(r.Properties, object{"AlarmName": r.PhysicalID, "Tags": nil})); err != nil {
		return cloudformation.Result{}, err
	}
	result, err := a.result(ctx, r.PhysicalID)
	if err != nil {
		return result, err
	}
	target := object{"ResourceARN": result.Attributes["Arn"]}
	return result, retag(ctx, r, target, keysAndValues, a.monitoring.UntagResource, a.monitoring.TagResource)
}

func (a alarm) delete(ctx context.Context, r cloudformation.Request) error {
	err := do(ctx, a.monitoring.DeleteAlarms, object{"AlarmNames": []string{r.PhysicalID}})
	var gone *types.ResourceNotFound
	if errors.As(err, &gone) {
		return nil
	}
	return err
}

func (a alarm) result(ctx context.Context, name string) (cloudformation.Result, error) {
	found := cloudformation.Result{PhysicalID: name}
	listed, err := call(ctx, a.monitoring.DescribeAlarms, object{"AlarmNames": []string{name}})
	if err != nil {
		return found, err
	}
	if len(listed.MetricAlarms) == 0 {
		return found, errors.New("the alarm " + name + " does not exist; deploy again")
	}
	found.Attributes = object{"Arn": aws.ToString(listed.MetricAlarms[0].AlarmArn)}
	return found, nil
}
