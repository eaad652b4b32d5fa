package logs

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// page is how many events an answer holds when no limit is given.
const page = 10000

// PutLogEvents adds events to a stream.
func (s *Service) PutLogEvents(ctx context.Context, in *cloudwatchlogs.PutLogEventsInput) (*cloudwatchlogs.PutLogEventsOutput, error) {
	if err := s.authorizeStream(ctx, "PutLogEvents", in.LogGroupName, in.LogStreamName); err != nil {
		return nil, err
	}
	key, err := s.keyOf(in.LogGroupName)
	if err != nil {
		return nil, err
	}
	if err := s.useKey(ctx, aws.ToString(in.LogGroupName), key); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	holder, into, err := s.stream(in.LogGroupName, in.LogStreamName)
	if err != nil {
		return nil, err
	}
	now := s.config.Clock.Now()
	for _, entry := range in.LogEvents {
		if aws.ToString(entry.Message) == "" {
			return nil, invalid("Log event message must not be empty")
		}
		s.last++
		into.add(event{s.last, aws.ToInt64(entry.Timestamp), now.UnixMilli(), aws.ToString(entry.Message)})
	}
	holder.measure(s.config.Metrics, in.LogEvents)
	if old := into.before(holder.horizon(now)); old > 0 {
		into.events = slices.Delete(into.events, 0, old)
	}
	return &cloudwatchlogs.PutLogEventsOutput{}, nil
}

func (s *Service) keyOf(name *string) (string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	found, err := s.group(aws.ToString(name))
	if err != nil {
		return "", err
	}
	return found.key, nil
}

// add keeps the events in the order of their timestamps. The newest comes last
// almost always.
func (s *stream) add(e event) {
	s.events = slices.Insert(s.events, s.before(e.timestamp+1), e)
}

// before counts the events that are older than a timestamp.
func (s *stream) before(timestamp int64) int {
	if last := len(s.events) - 1; last >= 0 && s.events[last].timestamp < timestamp {
		return last + 1
	}
	i, _ := slices.BinarySearchFunc(s.events, timestamp, func(e event, timestamp int64) int { return cmp.Compare(e.timestamp, timestamp) })
	return i
}

// horizon is the timestamp of the oldest event that is kept.
func (g *group) horizon(now time.Time) int64 {
	if g.retention == 0 {
		return math.MinInt64
	}
	return now.AddDate(0, 0, -int(g.retention)).UnixMilli()
}

func (g *group) expired(e event, now time.Time) bool { return e.timestamp < g.horizon(now) }

// GetLogEvents reads one stream from its start or its end, in one page.
func (s *Service) GetLogEvents(ctx context.Context, in *cloudwatchlogs.GetLogEventsInput) (*cloudwatchlogs.GetLogEventsOutput, error) {
	if err := s.authorizeStream(ctx, "GetLogEvents", in.LogGroupName, in.LogStreamName); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	holder, from, err := s.stream(in.LogGroupName, in.LogStreamName)
	if err != nil {
		return nil, err
	}
	span := window{start: in.StartTime, end: in.EndTime}
	answer := &cloudwatchlogs.GetLogEventsOutput{Events: []types.OutputLogEvent{}}
	next := "f/" + fmt.Sprint(s.last)
	for _, e := range from.events {
		if span.holds(e) && !holder.expired(e, s.config.Clock.Now()) && aws.ToString(in.NextToken) != next {
			answer.Events = append(answer.Events, types.OutputLogEvent{Message: aws.String(e.message), Timestamp: aws.Int64(e.timestamp), IngestionTime: aws.Int64(e.ingested)})
		}
	}
	if limit := int(aws.ToInt32(in.Limit)); limit > 0 && limit < len(answer.Events) {
		if aws.ToBool(in.StartFromHead) {
			answer.Events = answer.Events[:limit]
		} else {
			answer.Events = answer.Events[len(answer.Events)-limit:]
		}
	}
	answer.NextForwardToken, answer.NextBackwardToken = aws.String(next), aws.String("b/"+fmt.Sprint(s.last))
	return answer, nil
}

// FilterLogEvents finds events of a group by time, stream and pattern, oldest first.
func (s *Service) FilterLogEvents(ctx context.Context, in *cloudwatchlogs.FilterLogEventsInput) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	name := aws.ToString(in.LogGroupName)
	if name == "" {
		name = nameOf(aws.ToString(in.LogGroupIdentifier))
	}
	if err := s.authorize(ctx, "FilterLogEvents", name); err != nil {
		return nil, err
	}
	matches, err := pattern(aws.ToString(in.FilterPattern))
	if err != nil {
		return nil, err
	}
	skip := 0
	if token := aws.ToString(in.NextToken); token != "" {
		if _, err := fmt.Sscanf(token, "after-%d", &skip); err != nil {
			return nil, invalid("The specified nextToken is invalid.")
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	found, err := s.group(name)
	if err != nil {
		return nil, err
	}
	span := window{start: in.StartTime, end: in.EndTime}
	type placed struct {
		event
		stream string
	}
	var all []placed
	for streamName, from := range found.streams {
		if len(in.LogStreamNames) > 0 && !slices.Contains(in.LogStreamNames, streamName) || !strings.HasPrefix(streamName, aws.ToString(in.LogStreamNamePrefix)) {
			continue
		}
		for _, e := range from.events {
			if span.holds(e) && !found.expired(e, s.config.Clock.Now()) && matches(e.message) {
				all = append(all, placed{e, streamName})
			}
		}
	}
	slices.SortFunc(all, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.timestamp, b.timestamp), cmp.Compare(a.number, b.number))
	})
	limit := page
	if asked := int(aws.ToInt32(in.Limit)); asked > 0 {
		limit = asked
	}
	answer := &cloudwatchlogs.FilterLogEventsOutput{Events: []types.FilteredLogEvent{}, SearchedLogStreams: []types.SearchedLogStream{}}
	for _, e := range all[min(skip, len(all)):min(skip+limit, len(all))] {
		answer.Events = append(answer.Events, types.FilteredLogEvent{
			EventId: aws.String(fmt.Sprintf("%032d", e.number)), LogStreamName: aws.String(e.stream),
			Message: aws.String(e.message), Timestamp: aws.Int64(e.timestamp), IngestionTime: aws.Int64(e.ingested),
		})
	}
	if skip+limit < len(all) {
		answer.NextToken = aws.String(fmt.Sprintf("after-%d", skip+limit))
	}
	return answer, nil
}

// nameOf takes a group's name out of its ARN.
func nameOf(identifier string) string {
	if _, name, ok := strings.Cut(identifier, ":log-group:"); ok {
		return strings.TrimSuffix(name, ":*")
	}
	return identifier
}

// window is a span of time in milliseconds: the start belongs to it, the end does not.
type window struct{ start, end *int64 }

func (w window) holds(e event) bool {
	return (w.start == nil || e.timestamp >= *w.start) && (w.end == nil || e.timestamp < *w.end)
}
