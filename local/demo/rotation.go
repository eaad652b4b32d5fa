package demo

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

const (
	betweenEvents = 25 * time.Millisecond
	rotationTime  = 2 * time.Minute // bounds a rotation
)

// rotate rotates the source secret while events flow, shows what moves when,
// and insists that every event arrived.
func (s *story) rotate(ctx context.Context) error {
	s.chapter("Rotate the client secret through Secrets Manager while events flow")
	sending, stop := context.WithCancel(ctx)
	defer stop()
	flow := make(chan stream, 1)
	go func() { flow <- s.stream(sending) }()

	before, err := s.ready(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	rotated, err := s.secrets.RotateSecret(ctx, &secretsmanager.RotateSecretInput{SecretId: aws.String(s.prerequisite["OAuthSecretArn"])})
	if err != nil {
		return err
	}
	if err := s.watch(ctx, began, before, aws.ToString(rotated.VersionId)); err != nil {
		return err
	}
	// The first events after the switch use the new client secret.
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(20 * betweenEvents):
	}
	stop()
	sent := <-flow
	if sent.err != nil {
		return sent.err
	}
	return s.account(ctx, sent.ids)
}

// ready waits until the test of the rotation that belongs to a deployment is over.
func (s *story) ready(ctx context.Context) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, rotationTime)
	defer cancel()
	for {
		seen, err := s.look(ctx)
		if err != nil || seen["AWSPENDING"] == "" {
			return seen, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("the deployment's test of the rotation did not end within %s: look at log group %s", rotationTime, s.application["RotationLogGroup"])
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// stream is what was sent until it was told to end.
type stream struct {
	ids []string
	err error
}

func (s *story) stream(ctx context.Context) (sent stream) {
	for {
		id, err := s.put(ctx)
		if ctx.Err() != nil {
			return sent
		}
		if err != nil {
			return stream{sent.ids, err}
		}
		sent.ids = append(sent.ids, id)
		select {
		case <-ctx.Done():
			return sent
		case <-time.After(betweenEvents):
		}
	}
}

// watch tells each change of the labels and of the connection until the
// rotation is done.
func (s *story) watch(ctx context.Context, began time.Time, before map[string]string, version string) error {
	ctx, cancel := context.WithTimeout(ctx, rotationTime)
	defer cancel()
	for {
		now, err := s.look(ctx)
		if err != nil {
			return err
		}
		for _, what := range []string{"rotation", "AWSPENDING", "connection", "connection's label", "AWSCURRENT", "AWSPREVIOUS"} {
			if now[what] != before[what] {
				s.fact(fmt.Sprintf("+%4d ms", time.Since(began).Milliseconds()), "%-20s %s", what, cmp.Or(now[what], "-"))
			}
		}
		before = now
		if now["rotation"] == "finishSecret" && now["AWSCURRENT"] == version && now["connection's label"] == version {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the rotation did not end within %s: look at log group %s", rotationTime, s.application["RotationLogGroup"])
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// look reads where the labels are, what the connection's state is, and which
// rotation step was the last to be done.
func (s *story) look(ctx context.Context) (map[string]string, error) {
	seen := map[string]string{}
	described, err := s.secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String(s.prerequisite["OAuthSecretArn"])})
	if err != nil {
		return nil, err
	}
	for version, labels := range described.VersionIdsToStages {
		for _, label := range labels {
			seen[label] = version
		}
	}
	seen["connection's label"] = seen["eventbridge/"+s.application["ConnectionName"]]
	connection, err := s.events.DescribeConnection(ctx, &eventbridge.DescribeConnectionInput{Name: aws.String(s.application["ConnectionName"])})
	if err != nil {
		return nil, err
	}
	seen["connection"] = string(connection.ConnectionState)
	lines, err := s.lines(ctx, s.application["RotationLogGroup"], `"rotation step done"`)
	if err != nil {
		return nil, err
	}
	for _, line := range lines {
		var step struct{ Step, VersionID string }
		if json.Unmarshal([]byte(line), &step) == nil && slices.Contains([]string{seen["AWSPENDING"], seen["AWSCURRENT"]}, step.VersionID) {
			seen["rotation"] = step.Step
		}
	}
	return seen, nil
}

// account waits until every event is in the receiver's log.
func (s *story) account(ctx context.Context, sent []string) error {
	ctx, cancel := context.WithTimeout(ctx, arrival)
	defer cancel()
	for {
		lines, err := s.lines(ctx, s.application["ReceiverLogGroup"], `"event accepted"`)
		if err != nil {
			return err
		}
		arrived := strings.Join(lines, "\n")
		missing := slices.DeleteFunc(slices.Clone(sent), func(id string) bool { return strings.Contains(arrived, id) })
		if len(missing) == 0 {
			s.fact("events", "%d sent during the rotation, %d delivered, 0 lost", len(sent), len(sent))
			s.sent += len(sent)
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d events are lost, the first is %s: look for it in the dead-letter queue %s", len(missing), len(sent), missing[0], s.application["DeadLetterQueueURL"])
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// lines are the messages of a log group that match a filter pattern.
func (s *story) lines(ctx context.Context, group, pattern string) ([]string, error) {
	if group == "" {
		return nil, errors.New("the application's stack has no such log group among its outputs")
	}
	var messages []string
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(s.logs, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String(group), FilterPattern: aws.String(pattern)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, event := range page.Events {
			messages = append(messages, aws.ToString(event.Message))
		}
	}
	return messages, nil
}
