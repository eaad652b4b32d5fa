package eventbridge

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// The quota on replays that are under way, and how long ended ones are shown.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html
const (
	maximumReplays = 10
	replayHistory  = 90 * 24 * time.Hour
)

// replay puts events of an archive on its bus again.
type replay struct {
	name, arn    string
	description  *string
	archive      *archive
	only         []string // ARNs of the rules that may get the events; empty for all
	from, to     time.Time
	state        types.ReplayState
	reason       string
	started      time.Time
	ended        *time.Time // nil until it has ended
	lastReplayed *time.Time // the minute; nil before the first
}

func (r *replay) active() bool { return r.ended == nil }

// StartReplay puts the archive's events of a span of time on the bus that they
// came from: from EventStartTime to before EventEndTime, by the time that each
// event states. The rules that the bus has by then apply, or those of them that
// FilterArns names.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html
func (s *Service) StartReplay(ctx context.Context, in *eventbridge.StartReplayInput) (*eventbridge.StartReplayOutput, error) {
	if err := checkReplay(in); err != nil {
		return nil, err
	}
	arn := s.replayARN(*in.ReplayName)
	for _, resource := range []string{*in.EventSourceArn, arn} {
		if err := s.authorize(ctx, "StartReplay", resource); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.checkDestination(in)
	if err != nil {
		return nil, err
	}
	s.forgetReplays()
	if s.replays[*in.ReplayName] != nil {
		return nil, &types.ResourceAlreadyExistsException{Message: aws.String(fmt.Sprintf("Replay %s already exists.", *in.ReplayName))}
	}
	active := 0
	for _, r := range s.replays {
		if r.active() {
			active++
		}
	}
	if active >= maximumReplays {
		return nil, &types.LimitExceededException{Message: aws.String("The requested resource exceeds the maximum number allowed.")}
	}
	r := &replay{
		name: *in.ReplayName, arn: arn, description: in.Description, archive: a, only: in.Destination.FilterArns,
		from: in.EventStartTime.UTC(), to: in.EventEndTime.UTC(), state: types.ReplayStateStarting, started: s.now().Truncate(time.Second),
	}
	s.replays[r.name] = r
	s.work.after(beforeReplay, func(ctx context.Context) { s.runReplay(ctx, r) })
	return &eventbridge.StartReplayOutput{ReplayArn: aws.String(arn), ReplayStartTime: aws.Time(r.started), State: r.state}, nil
}

func checkReplay(in *eventbridge.StartReplayInput) error {
	if err := first(
		anyName.check("replayName", in.ReplayName),
		atMost("description", in.Description, 512),
		checkSource("eventSourceArn", in.EventSourceArn),
	); err != nil {
		return err
	}
	switch {
	case in.Destination == nil:
		return missing("destination")
	case in.Destination.Arn == nil:
		return missing("destination.arn")
	case in.EventStartTime == nil:
		return missing("eventStartTime")
	case in.EventEndTime == nil:
		return missing("eventEndTime")
	case !in.EventStartTime.Before(*in.EventEndTime):
		return invalid("Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.")
	}
	return nil
}

// checkDestination finds the archive, to whose bus a replay has to go.
func (s *Service) checkDestination(in *eventbridge.StartReplayInput) (*archive, error) {
	b, err := s.bus(in.Destination.Arn)
	if err != nil {
		return nil, err
	}
	name := strings.TrimPrefix(*in.EventSourceArn, s.archiveARN(""))
	a := s.archives[name]
	switch {
	case a == nil:
		return nil, invalid("Parameter EventSourceArn is not valid. Reason: Archive %s does not exist.", name)
	case a.busARN != b.arn:
		return nil, invalid("Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.")
	}
	for _, arn := range in.Destination.FilterArns {
		if b.rules[strings.TrimPrefix(arn, s.ruleARN(b.name, ""))] == nil {
			return nil, invalid("Parameter Destination.FilterArns is not valid. Reason: Rule %s does not exist on the event bus %s.", arn, b.name)
		}
	}
	return a, nil
}

// DescribeReplay shows a replay and how far it has come.
func (s *Service) DescribeReplay(ctx context.Context, in *eventbridge.DescribeReplayInput) (*eventbridge.DescribeReplayOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.replayFor(ctx, "DescribeReplay", in.ReplayName)
	if err != nil {
		return nil, err
	}
	return &eventbridge.DescribeReplayOutput{
		ReplayName: aws.String(r.name), ReplayArn: aws.String(r.arn), Description: r.description, State: r.state, StateReason: text(r.reason),
		EventSourceArn: aws.String(r.archive.arn), Destination: &types.ReplayDestination{Arn: aws.String(r.archive.busARN), FilterArns: r.only},
		EventStartTime: aws.Time(r.from), EventEndTime: aws.Time(r.to), EventLastReplayedTime: r.lastReplayed,
		ReplayStartTime: aws.Time(r.started), ReplayEndTime: r.ended,
	}, nil
}

// ListReplays lists replays by name; at most one filter is allowed.
func (s *Service) ListReplays(ctx context.Context, in *eventbridge.ListReplaysInput) (*eventbridge.ListReplaysOutput, error) {
	if err := s.authorize(ctx, "ListReplays", "*"); err != nil {
		return nil, err
	}
	if err := oneFilter("ListReplays", in.NamePrefix, in.EventSourceArn, string(in.State)); err != nil {
		return nil, err
	}
	if in.State != "" {
		if err := oneOf("state", in.State, in.State.Values()); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetReplays()
	shown := []types.Replay{}
	for _, name := range slices.Sorted(maps.Keys(s.replays)) {
		r := s.replays[name]
		if !strings.HasPrefix(name, value(in.NamePrefix)) || (in.EventSourceArn != nil && *in.EventSourceArn != r.archive.arn) || (in.State != "" && in.State != r.state) {
			continue
		}
		shown = append(shown, types.Replay{
			ReplayName: aws.String(name), EventSourceArn: aws.String(r.archive.arn), State: r.state, StateReason: text(r.reason),
			EventStartTime: aws.Time(r.from), EventEndTime: aws.Time(r.to), EventLastReplayedTime: r.lastReplayed,
			ReplayStartTime: aws.Time(r.started), ReplayEndTime: r.ended,
		})
	}
	shown, next, err := page(shown, func(r types.Replay) string { return *r.ReplayName }, in.Limit, in.NextToken)
	return &eventbridge.ListReplaysOutput{Replays: shown, NextToken: next}, err
}

// CancelReplay ends a replay that is STARTING or RUNNING. What is on the bus
// already stays there.
func (s *Service) CancelReplay(ctx context.Context, in *eventbridge.CancelReplayInput) (*eventbridge.CancelReplayOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.replayFor(ctx, "CancelReplay", in.ReplayName)
	if err != nil {
		return nil, err
	}
	if r.state != types.ReplayStateStarting && r.state != types.ReplayStateRunning {
		return nil, &types.IllegalStatusException{Message: aws.String(fmt.Sprintf("Replay %s is not in a valid state for this operation.", r.name))}
	}
	r.state = types.ReplayStateCancelling
	return &eventbridge.CancelReplayOutput{ReplayArn: aws.String(r.arn), State: r.state}, nil
}

func (s *Service) replayARN(name string) string { return s.Account.ARN("events", "replay/"+name) }

// replayFor finds a replay for an action that the caller has to be allowed.
func (s *Service) replayFor(ctx context.Context, action string, name *string) (*replay, error) {
	if err := anyName.check("replayName", name); err != nil {
		return nil, err
	}
	if err := s.authorize(ctx, action, s.replayARN(*name)); err != nil {
		return nil, err
	}
	s.forgetReplays()
	if r := s.replays[*name]; r != nil {
		return r, nil
	}
	return nil, &types.ResourceNotFoundException{Message: aws.String(fmt.Sprintf("Replay %s does not exist.", *name))}
}

// forgetReplays drops the replays that ended too long ago to be shown.
func (s *Service) forgetReplays() {
	now := s.now()
	maps.DeleteFunc(s.replays, func(_ string, r *replay) bool { return !r.active() && now.Sub(*r.ended) >= replayHistory })
}
