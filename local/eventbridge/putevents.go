package eventbridge

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/google/uuid"
)

// maximumRequest is the documented limit on the sum of all entries of a request, in bytes.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
const maximumRequest = 256 * 1024

// event is an accepted event.
type event struct {
	id       string
	text     []byte    // the whole envelope, JSON
	at       time.Time // the time that it states, in whole seconds
	ingested time.Time
	lock     lock
}

// envelope is an event as targets get it.
// https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
type envelope struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       string          `json:"time"`
	Region     string          `json:"region"`
	Replay     string          `json:"replay-name,omitempty"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

// PutEvents accepts up to ten events. An entry that is not valid fails alone;
// one for a bus that does not exist gets an id and is dropped, as at AWS.
func (s *Service) PutEvents(ctx context.Context, in *eventbridge.PutEventsInput) (*eventbridge.PutEventsOutput, error) {
	if err := s.checkEntries(ctx, in); err != nil {
		return nil, err
	}
	out := &eventbridge.PutEventsOutput{}
	for _, entry := range in.Entries {
		if code, message := flaw(entry); code != "" {
			out.FailedEntryCount++
			out.Entries = append(out.Entries, types.PutEventsResultEntry{ErrorCode: aws.String(code), ErrorMessage: aws.String(message)})
			continue
		}
		out.Entries = append(out.Entries, types.PutEventsResultEntry{EventId: aws.String(s.accept(entry))})
	}
	return out, nil
}

// checkEntries refuses the request as a whole.
func (s *Service) checkEntries(ctx context.Context, in *eventbridge.PutEventsInput) error {
	if in.EndpointId != nil {
		return unsupported("EndpointId")
	}
	switch {
	case len(in.Entries) == 0:
		return invalid("1 validation error detected: Value '[]' at 'entries' failed to satisfy constraint: Member must have length greater than or equal to 1")
	case len(in.Entries) > 10:
		return invalid("1 validation error detected: Value '%s' at 'entries' failed to satisfy constraint: Member must have length less than or equal to 10",
			fmt.Sprintf("[%d entries]", len(in.Entries)))
	}
	total := 0
	for _, entry := range in.Entries {
		total += sizeOf(entry)
	}
	if total > maximumRequest {
		return invalid("Total size of the entries in the request is over the limit.")
	}
	for _, entry := range in.Entries {
		if err := s.authorize(ctx, "PutEvents", s.busARN(s.busNameOf(entry.EventBusName))); err != nil {
			return err
		}
	}
	return nil
}

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html
func sizeOf(entry types.PutEventsRequestEntry) int {
	size := len(value(entry.Source)) + len(value(entry.DetailType)) + len(value(entry.Detail))
	if entry.Time != nil {
		size += 14
	}
	for _, resource := range entry.Resources {
		size += len(resource)
	}
	return size
}

func flaw(entry types.PutEventsRequestEntry) (code, message string) {
	for _, required := range []struct {
		name  string
		given *string
	}{{"Source", entry.Source}, {"DetailType", entry.DetailType}, {"Detail", entry.Detail}} {
		if value(required.given) == "" {
			return "InvalidArgument", fmt.Sprintf("Parameter %s is not valid. Reason: %s is a required argument.", required.name, required.name)
		}
	}
	switch {
	case strings.HasPrefix(*entry.Source, "aws."):
		return "NotAuthorizedForSourceException", "Not authorized for the source."
	case len(*entry.DetailType) > 128:
		return "InvalidArgument", "Parameter DetailType is not valid. Reason: DetailType must be at most 128 characters long."
	case !isObject(*entry.Detail):
		return "MalformedDetail", "Detail is malformed."
	}
	return "", ""
}

func isObject(text string) bool {
	var object map[string]json.RawMessage
	return json.Unmarshal([]byte(text), &object) == nil && object != nil
}

// accept takes a valid entry and returns its event's id.
func (s *Service) accept(entry types.PutEventsRequestEntry) string {
	at := s.now()
	if entry.Time != nil {
		at = *entry.Time
	}
	e := s.newEvent(envelope{Source: *entry.Source, DetailType: *entry.DetailType, Resources: entry.Resources, Detail: []byte(*entry.Detail)}, at)
	bus := s.busNameOf(entry.EventBusName)
	s.observe(e, "put", bus, "", *entry.Source+": "+*entry.DetailType)
	s.put(bus, e, nil)
	return e.id
}

// put puts an event on a bus, where it meets all rules or only some, and under
// the key that the bus has. Without such a bus the event is dropped.
func (s *Service) put(busName string, e *event, only []string) {
	s.mu.Lock()
	b := s.buses[busName]
	if b == nil {
		s.mu.Unlock()
		s.observe(e, "dropped", busName, "", "There is no such event bus.")
		return
	}
	busARN, key, deadLetters := b.arn, b.key, b.deadLetters
	s.mu.Unlock()
	if key == nil {
		s.route(busName, e, only)
		return
	}
	s.work.start(func(ctx context.Context) {
		lock, err := s.seal(ctx, busARN, key)
		if err != nil {
			// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-dlq.html
			f := failureOf(err)
			kind := "dropped"
			if s.bury(ctx, letter{body: e.text, source: busARN, failure: f}, deadLetters) {
				kind = "dead-letter"
			}
			s.observe(e, kind, busName, f.code, f.message)
			return
		}
		e.lock = lock
		s.route(busName, e, only)
	})
}

// newEvent completes an envelope.
func (s *Service) newEvent(of envelope, at time.Time) *event {
	if of.Resources == nil {
		of.Resources = []string{}
	}
	e := &event{id: uuid.NewString(), at: at.UTC().Truncate(time.Second), ingested: s.now()}
	of.Version, of.ID, of.Account, of.Region, of.Time = "0", e.id, s.Account.ID, s.Account.Region, e.at.Format("2006-01-02T15:04:05Z")
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	// The detail is valid JSON already, so that this cannot fail.
	_ = encoder.Encode(of)
	e.text = bytes.TrimSpace(text.Bytes())
	return e
}

// checkEnvelope refuses a test event without all of an event's fields.
func checkEnvelope(text string) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &fields); err != nil || fields == nil {
		return invalid("Parameter Event is not valid. Reason: it is not a JSON object.")
	}
	for _, name := range []string{"id", "account", "source", "time", "region", "resources", "detail-type"} {
		if fields[name] == nil {
			return invalid("Parameter Event is not valid. Reason: it has no field %s.", name)
		}
	}
	return nil
}
