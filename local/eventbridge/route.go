package eventbridge

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"api-destination-credentials/local/eventbridge/pattern"
)

// Publish puts an event of an AWS service on the default bus. The detail has
// to encode as a JSON object; AWS's own events are not encrypted with the
// bus's key.
func (s *Service) Publish(ctx context.Context, source, detailType string, resources []string, detail any) {
	encoded, err := json.Marshal(detail)
	if err != nil {
		s.Log.ErrorContext(ctx, "event cannot be encoded", "source", source, "detailType", detailType, "error", err.Error())
		return
	}
	e := s.newEvent(envelope{Source: source, DetailType: detailType, Resources: resources, Detail: encoded}, s.now())
	s.observe(e, "put", defaultBus, "", source+": "+detailType)
	s.route(defaultBus, e, nil)
}

// route triggers every rule that the event matches; of those in only, where it
// names some by ARN.
func (s *Service) route(busName string, e *event, only []string) {
	read, err := pattern.ReadEvent(e.text)
	if err != nil {
		s.Log.Error("event cannot be read", "eventId", e.id, "error", err.Error())
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buses[busName]
	if b == nil {
		return
	}
	wanted := false
	for _, name := range slices.Sorted(maps.Keys(b.rules)) {
		r := b.rules[name]
		if r.state == types.RuleStateDisabled || r.pattern == nil || (len(only) > 0 && !slices.Contains(only, r.arn)) || !r.pattern.Matches(read) {
			continue
		}
		s.count(r, matchedEvents)
		s.trigger(r, e)
		wanted = wanted || r.archive == nil
	}
	if !wanted {
		s.observe(e, "dropped", busName, "", "No rule matched.")
	}
}

// trigger starts a delivery to every target of a rule.
func (s *Service) trigger(r *rule, e *event) {
	s.count(r, triggeredRules)
	for _, id := range slices.Sorted(maps.Keys(r.targets)) {
		d := &delivery{event: e, rule: r, target: r.targets[id]}
		s.observeDelivery(d, "matched", nil, "")
		s.work.start(func(ctx context.Context) { s.deliver(ctx, d) })
	}
}
