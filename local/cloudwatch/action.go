package cloudwatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/uuid"

	"api-destination-credentials/local/access"
)

// change is an alarm that has another state than before.
type change struct {
	alarm    types.MetricAlarm // with its new state
	previous types.MetricAlarm
}

// turn gives an alarm a state; nil where it has it already. It needs the lock held.
func (a *alarm) turn(to verdict, now time.Time) *change {
	if to.state == a.StateValue {
		return nil
	}
	previous := a.MetricAlarm
	a.StateValue, a.StateReason, a.StateReasonData = to.state, aws.String(to.reason), to.data
	a.StateUpdatedTimestamp, a.StateTransitionedTimestamp = aws.Time(now), aws.Time(now)
	return &change{a.MetricAlarm, previous}
}

// act announces a change and runs the actions of the new state, once.
func (s *Service) act(ctx context.Context, c change) {
	itself := access.Principal{Service: "cloudwatch.amazonaws.com", SourceARN: *c.alarm.AlarmArn}
	ctx = access.WithCaller(context.WithoutCancel(ctx), itself)
	if s.config.Events != nil {
		s.config.Events.Publish(ctx, "aws.cloudwatch", "CloudWatch Alarm State Change", []string{*c.alarm.AlarmArn}, c.detail())
	}
	if !*c.alarm.ActionsEnabled {
		return
	}
	message := []byte(document(c.message(s.config.Account)))
	for _, topic := range c.actions() {
		subject := fmt.Sprintf("%s: %q in %s", c.alarm.StateValue, *c.alarm.AlarmName, place(s.config.Account.Region))
		err := s.notify(ctx, topic, subject, message)
		s.mu.Lock()
		s.note(c.action(topic, err))
		s.mu.Unlock()
	}
}

func (s *Service) notify(ctx context.Context, topic, subject string, message []byte) error {
	if s.config.Notify == nil {
		return errors.New("the local endpoint has no SNS; read the alarm's state instead")
	}
	return s.config.Notify(ctx, topic, subject, message)
}

func (c change) actions() []string {
	switch c.alarm.StateValue {
	case types.StateValueAlarm:
		return c.alarm.AlarmActions
	case types.StateValueOk:
		return c.alarm.OKActions
	}
	return c.alarm.InsufficientDataActions
}

// detail is that of the event.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
func (c change) detail() map[string]any {
	a := c.alarm
	watched := map[string]any{"namespace": *a.Namespace, "name": *a.MetricName, "dimensions": dimensionsOf(a.Dimensions)}
	stat := map[string]any{"metric": watched, "period": *a.Period, "stat": (&alarm{MetricAlarm: a}).statistic()}
	if a.Unit != "" {
		stat["unit"] = a.Unit
	}
	configuration := map[string]any{"metrics": []any{map[string]any{
		"id": uuid.NewSHA1(uuid.NameSpaceURL, []byte(*a.AlarmArn)).String(), "metricStat": stat, "returnData": true,
	}}}
	if a.AlarmDescription != nil {
		configuration["description"] = *a.AlarmDescription
	}
	return map[string]any{
		"alarmName": *a.AlarmName, "configuration": configuration, "state": stateOf(a), "previousState": stateOf(c.previous),
	}
}

func stateOf(a types.MetricAlarm) map[string]any {
	state := map[string]any{"value": a.StateValue, "reason": aws.ToString(a.StateReason), "timestamp": stamp(*a.StateUpdatedTimestamp)}
	if a.StateReasonData != nil {
		state["reasonData"] = *a.StateReasonData
	}
	return state
}

// message is what an SNS topic gets.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
func (c change) message(account access.Account) map[string]any {
	a := c.alarm
	trigger := map[string]any{
		"MetricName": a.MetricName, "Namespace": a.Namespace, "Dimensions": pairs(a.Dimensions), "Unit": orNull(string(a.Unit)),
		"Period": a.Period, "EvaluationPeriods": a.EvaluationPeriods, "DatapointsToAlarm": a.DatapointsToAlarm,
		"ComparisonOperator": a.ComparisonOperator, "Threshold": a.Threshold, "TreatMissingData": (&alarm{MetricAlarm: a}).treatment(),
		"EvaluateLowSampleCountPercentile": aws.ToString(a.EvaluateLowSampleCountPercentile),
	}
	if a.ExtendedStatistic != nil {
		trigger["StatisticType"], trigger["ExtendedStatistic"] = "ExtendedStatistic", a.ExtendedStatistic
	} else {
		trigger["StatisticType"], trigger["Statistic"] = "Statistic", upper[a.Statistic]
	}
	return map[string]any{
		"AlarmName": a.AlarmName, "AlarmDescription": a.AlarmDescription, "AWSAccountId": account.ID, "AlarmArn": a.AlarmArn,
		"AlarmConfigurationUpdatedTimestamp": stamp(*a.AlarmConfigurationUpdatedTimestamp), "Region": place(account.Region),
		"NewStateValue": a.StateValue, "NewStateReason": a.StateReason, "StateChangeTime": stamp(*a.StateUpdatedTimestamp),
		"OldStateValue": c.previous.StateValue, "OKActions": a.OKActions, "AlarmActions": a.AlarmActions,
		"InsufficientDataActions": a.InsufficientDataActions, "Trigger": trigger,
	}
}

// upper is how notifications write statistics.
var upper = map[types.Statistic]string{
	types.StatisticSum: "SUM", types.StatisticAverage: "AVERAGE", types.StatisticMinimum: "MINIMUM",
	types.StatisticMaximum: "MAXIMUM", types.StatisticSampleCount: "SAMPLE_COUNT",
}

func pairs(dimensions []types.Dimension) []map[string]string {
	list := []map[string]string{}
	for _, dimension := range dimensions {
		list = append(list, map[string]string{"name": *dimension.Name, "value": *dimension.Value})
	}
	return list
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// place is a Region's name for people, as far as it is the endpoint's own.
func place(region string) string {
	if region == "us-east-1" {
		return "US East (N. Virginia)"
	}
	return region
}
