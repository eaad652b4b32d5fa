package eventbridge

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"api-destination-credentials/local/eventbridge/transform"
)

// maximumArchivePattern is how long an archive's event pattern may be.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateArchive.html
const maximumArchivePattern = 4096

// archived is an event in an archive, under the archive's key.
type archived struct {
	event *event
	lock  lock
}

func (a *archive) ruleName() string { return "Events-Archive-" + a.name }

// putArchiveRule puts the rule on the bus that sends events to the archive:
// those that match its pattern, except what a replay brought.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html
func (s *Service) putArchiveRule(a *archive) error {
	b, err := s.bus(&a.bus)
	if err != nil {
		return err
	}
	text, err := withoutReplays(a.text)
	if err != nil {
		return err
	}
	// What is added must not make the archive's own pattern too long.
	compiled, err := compilePattern(text, len(text))
	if err != nil {
		return err
	}
	r := b.rules[a.ruleName()]
	switch {
	case r == nil:
		r = s.newRule(a.bus, a.ruleName())
		r.archive = a
		s.tags[r.arn] = map[string]string{}
	case r.archive != a:
		return invalid("Rule %s exists on the event bus %s, and the archive needs one of that name: delete or rename it.", r.name, a.bus)
	}
	into, err := s.archiveTarget(a)
	if err != nil {
		return err
	}
	r.text, r.pattern, r.state = text, compiled, types.RuleStateEnabled
	r.targets = map[string]*target{r.name: into}
	b.rules[r.name] = r
	return nil
}

// withoutReplays adds to a pattern that an event must not come from a replay.
func withoutReplays(text string) (string, error) {
	const head = `{"replay-name":[{"exists":false}]`
	fields := map[string]json.RawMessage{}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &fields); err != nil {
			return "", badPattern(err.Error())
		}
	}
	delete(fields, "replay-name")
	if len(fields) == 0 {
		return head + "}", nil
	}
	rest, err := json.Marshal(fields)
	if err != nil {
		return "", badPattern(err.Error())
	}
	return head + "," + string(rest[1:]), nil
}

// archiveTarget is the one target of an archive's rule, as AWS shows it.
func (s *Service) archiveTarget(a *archive) (*target, error) {
	shown := types.Target{
		Id: aws.String(a.ruleName()), Arn: aws.String("arn:aws:events:" + s.Account.Region + ":::"),
		InputTransformer: &types.InputTransformer{InputPathsMap: map[string]string{}, InputTemplate: aws.String(fmt.Sprintf(
			`{"archive-arn": "%s:%s","event": <aws.events.event.json>,"ingestion-time": <aws.events.event.ingestion-time>}`, a.arn, a.id))},
	}
	template, err := transform.Compile(nil, *shown.InputTransformer.InputTemplate)
	if err != nil {
		return nil, err
	}
	return &target{Target: shown, kind: archiveKind, template: template}, nil
}

// keep puts an event into the archive whose rule it met, under the archive's key.
func (s *Service) keep(ctx context.Context, d *delivery) *failure {
	a := d.rule.archive
	s.mu.Lock()
	key := a.key
	s.mu.Unlock()
	sealed, err := s.seal(ctx, a.busARN, key)
	if err != nil {
		return failed(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a.expire(s.now())
	a.events = append(a.events, &archived{event: d.event, lock: sealed})
	a.size += int64(len(d.event.text))
	return nil
}

// expire drops the events whose retention is over. It counts from their arrival
// and not from the time that they state, as seen at AWS.
func (a *archive) expire(now time.Time) {
	if a.days == 0 {
		return
	}
	gone := 0
	for gone < len(a.events) && now.Sub(a.events[gone].event.ingested).Hours()/24 >= float64(a.days) {
		a.size -= int64(len(a.events[gone].event.text))
		a.events[gone] = nil
		gone++
	}
	a.events = a.events[gone:]
}

// disable is what the deletion of its rule by force does to an archive. An
// update of the archive puts the rule back.
func (a *archive) disable() {
	a.state, a.reason = types.ArchiveStateDisabled, "Managed rule for the archive was forcefully deleted."
}

// reencrypt puts what the archive holds under its new key, in the background.
// What arrives meanwhile is under it already.
func (s *Service) reencrypt(a *archive, oldKey *string, oldARN string) {
	a.state = types.ArchiveStateUpdating
	events, key := a.events, a.key
	s.work.start(func(ctx context.Context) {
		locks, err := s.resealAll(ctx, a, events, key)
		s.mu.Lock()
		defer s.mu.Unlock()
		if err != nil {
			a.state, a.reason, a.key, a.keyARN = types.ArchiveStateUpdateFailed, keyReason(err), oldKey, oldARN
			return
		}
		for i, sealed := range locks {
			if events[i] != nil {
				events[i].lock = sealed
			}
		}
		a.state = types.ArchiveStateEnabled
	})
}

func (s *Service) resealAll(ctx context.Context, a *archive, events []*archived, key *string) ([]lock, error) {
	locks := make([]lock, len(events))
	for i := range events {
		s.mu.Lock()
		held := events[i]
		s.mu.Unlock()
		if held == nil { // its retention is over
			continue
		}
		var err error
		if locks[i], err = s.reseal(ctx, held.lock, a.busARN, key); err != nil {
			return nil, err
		}
	}
	return locks, nil
}
