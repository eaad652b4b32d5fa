package cloudwatch_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"
)

func TestAChangeIsAnnouncedToTheTopicTheBusAndTheHistory(t *testing.T) {
	w := newWorld(t)
	w.put(func(in *cloudwatch.PutMetricAlarmInput) {
		in.AlarmActions, in.AlarmDescription = []string{topic}, aws.String("Look at the log.")
		in.Dimensions = []types.Dimension{{Name: aws.String("Till"), Value: aws.String("7")}}
	})
	w.Record("Shop", "Errors", "Count", map[string]string{"Till": "7"}, 1)
	w.clock.Advance(time.Minute) // nobody reads: the clock alone evaluates

	arn := "arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors"
	notice := strings.SplitN(next(t, w.notices), "\n", 5)
	if diff := cmp.Diff([]string{"cloudwatch.amazonaws.com", arn, topic, `ALARM: "errors" in US East (N. Virginia)`}, notice[:4]); diff != "" {
		t.Error(diff)
	}
	var message struct {
		AlarmName, NewStateValue, OldStateValue, NewStateReason, AlarmDescription string
		Trigger                                                                   struct {
			Statistic  string
			Threshold  float64
			Dimensions []map[string]string
		}
	}
	must(t, 0, json.Unmarshal([]byte(notice[4]), &message))
	if message.NewStateValue != "ALARM" || message.OldStateValue != "INSUFFICIENT_DATA" || message.Trigger.Statistic != "SUM" || message.Trigger.Dimensions[0]["value"] != "7" {
		t.Errorf("message %+v", message)
	}

	event := next(t, w.events)
	detail := event["detail"].(map[string]any)
	state, previous := detail["state"].(map[string]any), detail["previousState"].(map[string]any)
	got := []any{event["source"], event["detail-type"], event["resources"], detail["alarmName"], state["value"], previous["value"], state["timestamp"]}
	want := []any{"aws.cloudwatch", "CloudWatch Alarm State Change", []string{arn}, "errors", "ALARM", "INSUFFICIENT_DATA", "2026-11-23T12:01:00.000+0000"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]any{
		"description": "Look at the log.",
		"metrics": []any{map[string]any{"id": "36a7b2fa", "returnData": true, "metricStat": map[string]any{
			"metric": map[string]any{"namespace": "Shop", "name": "Errors", "dimensions": map[string]any{"Till": "7"}}, "period": 60.0, "stat": "Sum",
		}}},
	}, detail["configuration"], cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == `["id"]` }, cmp.Ignore())); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{`Alarm "errors" created`, "Alarm updated from INSUFFICIENT_DATA to ALARM", "Successfully executed action " + topic}, w.history("")); diff != "" {
		t.Error(diff)
	}
}

func TestAnActionThatFailsOrIsSwitchedOffStandsInTheHistory(t *testing.T) {
	w := newWorld(t)
	w.broken = errors.New("the topic does not exist")
	w.put(func(in *cloudwatch.PutMetricAlarmInput) {
		in.AlarmActions, in.OKActions = []string{topic}, []string{topic}
	})
	w.Record("Shop", "Errors", "Count", nil, 1)
	w.state("errors")
	failed := `Failed to execute action ` + topic + `. Received error: "the topic does not exist"`
	if diff := cmp.Diff([]string{failed}, w.history(types.HistoryItemTypeAction)); diff != "" {
		t.Error(diff)
	}
	_, err := w.DisableAlarmActions(t.Context(), &cloudwatch.DisableAlarmActionsInput{AlarmNames: []string{"errors"}})
	must(t, 0, err)
	w.clock.Advance(time.Minute)
	w.Record("Shop", "Errors", "Count", nil, 0)
	if got := w.state("errors").StateValue; got != types.StateValueOk {
		t.Errorf("state %s, want OK", got)
	}
	if diff := cmp.Diff([]string{failed}, w.history(types.HistoryItemTypeAction)); diff != "" {
		t.Error(diff)
	}
}

func TestAStateThatIsSetStandsUntilTheNextEvaluation(t *testing.T) {
	w := newWorld(t)
	w.put(func(in *cloudwatch.PutMetricAlarmInput) { in.TreatMissingData = aws.String("notBreaching") })
	_, err := w.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("errors"), StateValue: types.StateValueAlarm, StateReason: aws.String("drill")})
	must(t, 0, err)
	w.want("errors", types.StateValueAlarm, "drill")
	w.clock.Advance(time.Minute)
	if got := w.state("errors").StateValue; got != types.StateValueOk {
		t.Errorf("state %s a minute later, want OK", got)
	}
}

func TestAlarmsAreFoundByNamePrefixStateActionAndMetric(t *testing.T) {
	w := newWorld(t)
	w.put(func(in *cloudwatch.PutMetricAlarmInput) { in.OKActions = []string{topic} })
	w.put(func(in *cloudwatch.PutMetricAlarmInput) {
		in.AlarmName, in.MetricName, in.TreatMissingData = aws.String("erratic"), aws.String("Other"), aws.String("breaching")
	})
	w.put(func(in *cloudwatch.PutMetricAlarmInput) { in.AlarmName = aws.String("late") })
	for name, test := range map[string]struct {
		in   cloudwatch.DescribeAlarmsInput
		want []string
	}{
		"all":            {cloudwatch.DescribeAlarmsInput{}, []string{"erratic", "errors", "late"}},
		"in pages":       {cloudwatch.DescribeAlarmsInput{MaxRecords: aws.Int32(2)}, []string{"erratic", "errors", "late"}},
		"names":          {cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"late", "absent"}}, []string{"late"}},
		"prefix":         {cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String("err")}, []string{"erratic", "errors"}},
		"state":          {cloudwatch.DescribeAlarmsInput{StateValue: types.StateValueAlarm}, []string{"erratic"}},
		"action":         {cloudwatch.DescribeAlarmsInput{ActionPrefix: aws.String("arn:aws:sns")}, []string{"errors"}},
		"composite only": {cloudwatch.DescribeAlarmsInput{AlarmTypes: []types.AlarmType{types.AlarmTypeCompositeAlarm}}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := []string{}
			for {
				out, err := w.DescribeAlarms(t.Context(), &test.in)
				for _, a := range must(t, out, err).MetricAlarms {
					got = append(got, *a.AlarmName)
				}
				if test.in.NextToken = out.NextToken; out.NextToken == nil {
					break
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	out, err := w.DescribeAlarmsForMetric(t.Context(), &cloudwatch.DescribeAlarmsForMetricInput{Namespace: aws.String("Shop"), MetricName: aws.String("Other")})
	if found := must(t, out, err).MetricAlarms; len(found) != 1 || *found[0].AlarmName != "erratic" {
		t.Errorf("alarms for the metric: %v", found)
	}
}

func TestSettingsReplaceThoseBeforeAndLeaveTheState(t *testing.T) {
	w := newWorld(t)
	w.put(func(in *cloudwatch.PutMetricAlarmInput) { in.AlarmDescription = aws.String("old") })
	w.Record("Shop", "Errors", "Count", nil, 1)
	w.state("errors")
	w.put(func(in *cloudwatch.PutMetricAlarmInput) { in.Threshold = aws.Float64(0.5) })
	found := w.state("errors")
	if found.StateValue != types.StateValueAlarm || found.AlarmDescription != nil || *found.Threshold != 0.5 {
		t.Errorf("alarm %+v", found)
	}
	if diff := cmp.Diff([]string{"Alarm updated from INSUFFICIENT_DATA to ALARM"}, w.history(types.HistoryItemTypeStateUpdate)); diff != "" {
		t.Error(diff)
	}
	_, err := w.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"errors"}})
	must(t, 0, err)
	want := []string{`Alarm "errors" created`, `Alarm "errors" updated`, `Alarm "errors" deleted`}
	if diff := cmp.Diff(want, w.history(types.HistoryItemTypeConfigurationUpdate)); diff != "" {
		t.Error(diff)
	}
	w.clock.Advance(31 * 24 * time.Hour)
	w.put(nil)
	if diff := cmp.Diff(want[:1], w.history("")); diff != "" {
		t.Errorf("history of the last 30 days: %s", diff)
	}
}
