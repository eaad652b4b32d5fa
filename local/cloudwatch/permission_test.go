package cloudwatch_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
)

func TestEachOperationAsksForItsPermission(t *testing.T) {
	const onAlarm, onDashboard = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors", "arn:aws:cloudwatch::123456789012:dashboard/shop"
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for action, test := range map[string]struct {
		resource string
		call     func(*world) error
	}{
		"PutMetricData": {"*", func(w *world) error {
			_, err := w.PutMetricData(w.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("Shop")})
			return err
		}},
		"ListMetrics": {"*", func(w *world) error { _, err := w.ListMetrics(w.Context(), &cloudwatch.ListMetricsInput{}); return err }},
		"GetMetricStatistics": {"*", func(w *world) error {
			_, err := w.GetMetricStatistics(w.Context(), &cloudwatch.GetMetricStatisticsInput{})
			return err
		}},
		"GetMetricData": {"*", func(w *world) error {
			_, err := w.GetMetricData(w.Context(), &cloudwatch.GetMetricDataInput{StartTime: &now})
			return err
		}},
		"PutMetricAlarm": {onAlarm, func(w *world) error { _, err := w.PutMetricAlarm(w.Context(), alarm(nil)); return err }},
		"DescribeAlarms": {"arn:aws:cloudwatch:us-east-1:123456789012:alarm:*", func(w *world) error {
			_, err := w.DescribeAlarms(w.Context(), &cloudwatch.DescribeAlarmsInput{})
			return err
		}},
		"DescribeAlarmsForMetric": {"*", func(w *world) error {
			_, err := w.DescribeAlarmsForMetric(w.Context(), &cloudwatch.DescribeAlarmsForMetricInput{})
			return err
		}},
		"DescribeAlarmHistory": {onAlarm, func(w *world) error {
			_, err := w.DescribeAlarmHistory(w.Context(), &cloudwatch.DescribeAlarmHistoryInput{AlarmName: aws.String("errors")})
			return err
		}},
		"SetAlarmState": {onAlarm, func(w *world) error {
			_, err := w.SetAlarmState(w.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("errors")})
			return err
		}},
		"EnableAlarmActions": {onAlarm, func(w *world) error {
			_, err := w.EnableAlarmActions(w.Context(), &cloudwatch.EnableAlarmActionsInput{AlarmNames: []string{"errors"}})
			return err
		}},
		"DisableAlarmActions": {onAlarm, func(w *world) error {
			_, err := w.DisableAlarmActions(w.Context(), &cloudwatch.DisableAlarmActionsInput{AlarmNames: []string{"errors"}})
			return err
		}},
		"DeleteAlarms": {onAlarm, func(w *world) error {
			_, err := w.DeleteAlarms(w.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"errors"}})
			return err
		}},
		"PutDashboard": {onDashboard, func(w *world) error {
			_, err := w.PutDashboard(w.Context(), &cloudwatch.PutDashboardInput{DashboardName: aws.String("shop")})
			return err
		}},
		"GetDashboard": {onDashboard, func(w *world) error {
			_, err := w.GetDashboard(w.Context(), &cloudwatch.GetDashboardInput{DashboardName: aws.String("shop")})
			return err
		}},
		"ListDashboards": {"*", func(w *world) error {
			_, err := w.ListDashboards(w.Context(), &cloudwatch.ListDashboardsInput{})
			return err
		}},
		"DeleteDashboards": {onDashboard, func(w *world) error {
			_, err := w.DeleteDashboards(w.Context(), &cloudwatch.DeleteDashboardsInput{DashboardNames: []string{"shop"}})
			return err
		}},
		"TagResource": {onAlarm, func(w *world) error {
			_, err := w.TagResource(w.Context(), &cloudwatch.TagResourceInput{ResourceARN: aws.String(onAlarm)})
			return err
		}},
		"UntagResource": {onAlarm, func(w *world) error {
			_, err := w.UntagResource(w.Context(), &cloudwatch.UntagResourceInput{ResourceARN: aws.String(onAlarm)})
			return err
		}},
		"ListTagsForResource": {onAlarm, func(w *world) error {
			_, err := w.ListTagsForResource(w.Context(), &cloudwatch.ListTagsForResourceInput{ResourceARN: aws.String(onAlarm)})
			return err
		}},
	} {
		t.Run(action, func(t *testing.T) {
			w := newWorld(t)
			w.refused = "cloudwatch:" + action
			if err := test.call(w); code(err) != "AccessDeniedException" {
				t.Fatalf("error %v, want AccessDeniedException", err)
			}
			if asked := w.asked[len(w.asked)-1]; asked.Resource != test.resource {
				t.Errorf("asked for %s, want %s", asked.Resource, test.resource)
			}
		})
	}
}
