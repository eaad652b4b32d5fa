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

// History is kept for 30 days, also that of deleted alarms, and here at most
// this many items of all alarms together.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html
const (
	historyDays  = 30
	historyItems = 10000
)

// note adds an item of now. It needs the lock held.
func (s *Service) note(item types.AlarmHistoryItem) {
	now := s.config.Clock.Now().UTC()
	item.Timestamp = aws.Time(now)
	s.history = append(s.history, item)
	oldest := now.AddDate(0, 0, -historyDays)
	if len(s.history) > historyItems || s.history[0].Timestamp.Before(oldest) {
		s.history = slices.DeleteFunc(s.history[max(0, len(s.history)-historyItems):], func(i types.AlarmHistoryItem) bool { return i.Timestamp.Before(oldest) })
	}
}

// item is the history's word on a change of state.
func (c change) item() types.AlarmHistoryItem {
	data := map[string]any{"version": "1.0", "oldState": historyState(c.previous), "newState": historyState(c.alarm)}
	return types.AlarmHistoryItem{
		AlarmName: c.alarm.AlarmName, AlarmType: types.AlarmTypeMetricAlarm, HistoryItemType: types.HistoryItemTypeStateUpdate,
		HistorySummary: aws.String(fmt.Sprintf("Alarm updated from %s to %s", c.previous.StateValue, c.alarm.StateValue)),
		HistoryData:    aws.String(document(data)),
	}
}

func historyState(a types.MetricAlarm) map[string]any {
	return map[string]any{"stateValue": a.StateValue, "stateReason": aws.ToString(a.StateReason), "stateReasonData": aws.ToString(a.StateReasonData)}
}

// action is the history's word on a notification.
func (c change) action(topic string, failure error) types.AlarmHistoryItem {
	state, summary := "Succeeded", "Successfully executed action "+topic
	data := map[string]any{"notificationResource": topic, "stateUpdateTimestamp": c.alarm.StateUpdatedTimestamp.UnixMilli()}
	if failure != nil {
		state, summary = "Failed", "Failed to execute action "+topic+". Received error: \""+failure.Error()+"\""
		data["error"] = failure.Error()
	}
	data["actionState"] = state
	return types.AlarmHistoryItem{
		AlarmName: c.alarm.AlarmName, AlarmType: types.AlarmTypeMetricAlarm, HistoryItemType: types.HistoryItemTypeAction,
		HistorySummary: aws.String(summary), HistoryData: aws.String(document(data)),
	}
}

// DescribeAlarmHistory lists what happened to one alarm or to all, newest first
// unless asked otherwise.
func (s *Service) DescribeAlarmHistory(ctx context.Context, in *cloudwatch.DescribeAlarmHistoryInput) (*cloudwatch.DescribeAlarmHistoryOutput, error) {
	name := aws.ToString(in.AlarmName)
	if name == "" {
		name = "*"
	}
	if err := s.authorize(ctx, "DescribeAlarmHistory", s.alarmARN(name)); err != nil {
		return nil, err
	}
	if err := unsupported(named("AlarmContributorId", in.AlarmContributorId != nil)); err != nil {
		return nil, err
	}
	most, err := records(in.MaxRecords, 50)
	if err != nil {
		return nil, err
	}
	s.refresh(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []types.AlarmHistoryItem{}
	for _, item := range s.history {
		if selects(in, item) {
			found = append(found, item)
		}
	}
	if in.ScanBy != types.ScanByTimestampAscending {
		slices.Reverse(found)
	}
	shown, next, err := page(found, most, in.NextToken)
	return &cloudwatch.DescribeAlarmHistoryOutput{AlarmHistoryItems: shown, NextToken: next}, err
}

func selects(in *cloudwatch.DescribeAlarmHistoryInput, item types.AlarmHistoryItem) bool {
	return matches(in.AlarmName, *item.AlarmName) &&
		(in.HistoryItemType == "" || in.HistoryItemType == item.HistoryItemType) &&
		(len(in.AlarmTypes) == 0 || slices.Contains(in.AlarmTypes, item.AlarmType)) &&
		!before(item.Timestamp, in.StartDate) && !before(in.EndDate, item.Timestamp)
}

// before tells whether a time is set and earlier than another that is set.
func before(a, b *time.Time) bool { return a != nil && b != nil && a.Before(*b) }
