package cloudwatch

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// alarm is one metric alarm, as it is described.
type alarm struct {
	types.MetricAlarm
	// held is until when SetAlarmState's state stands.
	held time.Time
}

// PutMetricAlarm makes an alarm, or replaces its settings and leaves its state.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
func (s *Service) PutMetricAlarm(ctx context.Context, in *cloudwatch.PutMetricAlarmInput) (*cloudwatch.PutMetricAlarmOutput, error) {
	arn := s.alarmARN(aws.ToString(in.AlarmName))
	if err := s.authorize(ctx, "PutMetricAlarm", arn); err != nil {
		return nil, err
	}
	if len(in.Tags) > 0 {
		if err := s.authorize(ctx, "TagResource", arn); err != nil {
			return nil, err
		}
	}
	if err := checkSettings(in); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.config.Clock.Now().UTC()
	made := &alarm{MetricAlarm: settings(in, arn, now)}
	if held := s.alarms[*in.AlarmName]; held != nil {
		made.StateValue, made.StateReason, made.StateReasonData = held.StateValue, held.StateReason, held.StateReasonData
		made.StateUpdatedTimestamp, made.StateTransitionedTimestamp = held.StateUpdatedTimestamp, held.StateTransitionedTimestamp
		made.held = held.held
		s.configured(made, "updated")
	} else {
		s.configured(made, "created")
		if len(in.Tags) > 0 {
			s.tags[arn] = tagged(in.Tags)
		}
	}
	s.alarms[*in.AlarmName] = made
	s.arrange()
	return &cloudwatch.PutMetricAlarmOutput{}, nil
}

// settings is a new alarm with the defaults of what is left out.
func settings(in *cloudwatch.PutMetricAlarmInput, arn string, now time.Time) types.MetricAlarm {
	enabled := in.ActionsEnabled == nil || *in.ActionsEnabled
	return types.MetricAlarm{
		AlarmName: in.AlarmName, AlarmArn: aws.String(arn), AlarmDescription: in.AlarmDescription,
		ActionsEnabled: aws.Bool(enabled), AlarmActions: orEmpty(in.AlarmActions), OKActions: orEmpty(in.OKActions),
		InsufficientDataActions: orEmpty(in.InsufficientDataActions),
		Namespace:               in.Namespace, MetricName: in.MetricName, Dimensions: listed(dimensionsOf(in.Dimensions)), Unit: in.Unit,
		Statistic: in.Statistic, ExtendedStatistic: in.ExtendedStatistic, Period: in.Period,
		EvaluationPeriods: in.EvaluationPeriods, DatapointsToAlarm: in.DatapointsToAlarm,
		Threshold: in.Threshold, ComparisonOperator: in.ComparisonOperator, TreatMissingData: in.TreatMissingData,
		EvaluateLowSampleCountPercentile:   in.EvaluateLowSampleCountPercentile,
		AlarmConfigurationUpdatedTimestamp: aws.Time(now),
		StateValue:                         types.StateValueInsufficientData, StateReason: aws.String("Unchecked: Initial alarm creation"),
		StateUpdatedTimestamp: aws.Time(now), StateTransitionedTimestamp: aws.Time(now),
	}
}

// orEmpty keeps an empty list in the answer, where clients look for it.
func orEmpty(list []string) []string { return append([]string{}, list...) }

// DeleteAlarms removes alarms; where one does not exist it removes none.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteAlarms.html
func (s *Service) DeleteAlarms(ctx context.Context, in *cloudwatch.DeleteAlarmsInput) (*cloudwatch.DeleteAlarmsOutput, error) {
	err := s.change(ctx, "DeleteAlarms", in.AlarmNames, func(a *alarm) {
		delete(s.alarms, *a.AlarmName)
		delete(s.tags, *a.AlarmArn)
		s.configured(a, "deleted")
	})
	return &cloudwatch.DeleteAlarmsOutput{}, err
}

// EnableAlarmActions has alarms act when their state changes.
func (s *Service) EnableAlarmActions(ctx context.Context, in *cloudwatch.EnableAlarmActionsInput) (*cloudwatch.EnableAlarmActionsOutput, error) {
	err := s.change(ctx, "EnableAlarmActions", in.AlarmNames, func(a *alarm) { s.enable(a, true) })
	return &cloudwatch.EnableAlarmActionsOutput{}, err
}

// DisableAlarmActions has alarms change their state without acting.
func (s *Service) DisableAlarmActions(ctx context.Context, in *cloudwatch.DisableAlarmActionsInput) (*cloudwatch.DisableAlarmActionsOutput, error) {
	err := s.change(ctx, "DisableAlarmActions", in.AlarmNames, func(a *alarm) { s.enable(a, false) })
	return &cloudwatch.DisableAlarmActionsOutput{}, err
}

func (s *Service) enable(a *alarm, enabled bool) {
	if *a.ActionsEnabled == enabled {
		return
	}
	a.ActionsEnabled = aws.Bool(enabled)
	s.configured(a, "updated")
}

// change applies something to alarms that all exist, in the order given.
func (s *Service) change(ctx context.Context, action string, names []string, apply func(*alarm)) error {
	if len(names) == 0 {
		return missing("AlarmNames")
	}
	if len(names) > 100 {
		return invalidValue("The collection AlarmNames must not have a size greater than 100.")
	}
	for _, name := range names {
		if err := s.authorize(ctx, action, s.alarmARN(name)); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		if s.alarms[name] == nil {
			return notFound("The alarm %s does not exist.", name)
		}
	}
	for _, name := range names {
		if a := s.alarms[name]; a != nil { // a name may be given twice
			apply(a)
		}
	}
	return nil
}

// SetAlarmState changes an alarm's state until its next evaluation, with all
// that follows from a change.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html
func (s *Service) SetAlarmState(ctx context.Context, in *cloudwatch.SetAlarmStateInput) (*cloudwatch.SetAlarmStateOutput, error) {
	name := aws.ToString(in.AlarmName)
	if err := s.authorize(ctx, "SetAlarmState", s.alarmARN(name)); err != nil {
		return nil, err
	}
	if !slices.Contains(in.StateValue.Values(), in.StateValue) {
		return nil, invalid("1 validation error detected: Value '%s' at 'stateValue' failed to satisfy constraint: Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]", in.StateValue)
	}
	if in.StateReason == nil {
		return nil, missing("StateReason")
	}
	now := s.config.Clock.Now().UTC()
	s.mu.Lock()
	held := s.alarms[name]
	if held == nil {
		s.mu.Unlock()
		return nil, notFound("The alarm %s does not exist.", name)
	}
	held.held = s.next(now)
	changed := held.turn(verdict{in.StateValue, *in.StateReason, in.StateReasonData}, now)
	if changed != nil {
		s.note(changed.item())
	}
	s.mu.Unlock()
	if changed != nil {
		s.act(ctx, *changed)
	}
	return &cloudwatch.SetAlarmStateOutput{}, nil
}

// configured needs the lock held.
func (s *Service) configured(a *alarm, what string) {
	s.note(types.AlarmHistoryItem{
		AlarmName: a.AlarmName, AlarmType: types.AlarmTypeMetricAlarm, HistoryItemType: types.HistoryItemTypeConfigurationUpdate,
		HistorySummary: aws.String(fmt.Sprintf("Alarm %q %s", *a.AlarmName, what)),
		HistoryData:    aws.String(document(map[string]any{"version": "1.0", "type": what, "alarmName": *a.AlarmName})),
	})
}
