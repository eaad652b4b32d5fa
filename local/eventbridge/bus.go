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

const defaultBus = "default"

type bus struct {
	name, arn         string
	description       *string
	key               *string // nil for the AWS owned key
	deadLetters       *types.DeadLetterConfig
	created, modified time.Time
	rules             map[string]*rule
}

func (s *Service) newBus(name string) *bus {
	return &bus{name: name, arn: s.busARN(name), created: s.now(), modified: s.now(), rules: map[string]*rule{}}
}

// CreateEventBus creates a custom event bus. A customer managed key has to be
// enabled, symmetric and open to events.amazonaws.com.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-cmkey.html
func (s *Service) CreateEventBus(ctx context.Context, in *eventbridge.CreateEventBusInput) (*eventbridge.CreateEventBusOutput, error) {
	if err := first(
		busName.check("name", in.Name),
		atMost("description", in.Description, 512),
		refuse(map[string]bool{"EventSourceName": in.EventSourceName != nil, "LogConfig": in.LogConfig != nil}),
	); err != nil {
		return nil, err
	}
	arn := s.busARN(*in.Name)
	if err := s.authorize(ctx, "CreateEventBus", arn); err != nil {
		return nil, err
	}
	if strings.Contains(*in.Name, "/") || *in.Name == defaultBus {
		return nil, invalid("Event bus name must not contain '/' and must not be 'default'.")
	}
	if err := s.checkBusKey(ctx, arn, in.KmsKeyIdentifier); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.buses[*in.Name] != nil {
		return nil, &types.ResourceAlreadyExistsException{Message: aws.String(fmt.Sprintf("Event bus %s already exists.", *in.Name))}
	}
	b := s.newBus(*in.Name)
	b.description, b.key, b.deadLetters = in.Description, given(in.KmsKeyIdentifier), in.DeadLetterConfig
	s.buses[b.name], s.tags[b.arn] = b, tagged(in.Tags)
	return &eventbridge.CreateEventBusOutput{
		EventBusArn: aws.String(b.arn), Description: b.description, KmsKeyIdentifier: b.key, DeadLetterConfig: b.deadLetters,
	}, nil
}

// UpdateEventBus replaces description, key and dead-letter queue of a bus; what
// is left out goes back to its default.
func (s *Service) UpdateEventBus(ctx context.Context, in *eventbridge.UpdateEventBusInput) (*eventbridge.UpdateEventBusOutput, error) {
	if err := first(atMost("description", in.Description, 512), refuse(map[string]bool{"LogConfig": in.LogConfig != nil})); err != nil {
		return nil, err
	}
	arn := s.busARN(s.busNameOf(in.Name))
	if err := s.authorize(ctx, "UpdateEventBus", arn); err != nil {
		return nil, err
	}
	if err := s.checkBusKey(ctx, arn, in.KmsKeyIdentifier); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.bus(in.Name)
	if err != nil {
		return nil, err
	}
	b.description, b.key, b.deadLetters, b.modified = in.Description, given(in.KmsKeyIdentifier), in.DeadLetterConfig, s.now()
	return &eventbridge.UpdateEventBusOutput{
		Arn: aws.String(b.arn), Name: aws.String(b.name), Description: b.description, KmsKeyIdentifier: b.key, DeadLetterConfig: b.deadLetters,
	}, nil
}

// DescribeEventBus shows a bus by name or ARN; the default one without a name.
func (s *Service) DescribeEventBus(ctx context.Context, in *eventbridge.DescribeEventBusInput) (*eventbridge.DescribeEventBusOutput, error) {
	if err := s.authorize(ctx, "DescribeEventBus", s.busARN(s.busNameOf(in.Name))); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.bus(in.Name)
	if err != nil {
		return nil, err
	}
	return &eventbridge.DescribeEventBusOutput{
		Arn: aws.String(b.arn), Name: aws.String(b.name), Description: b.description, KmsKeyIdentifier: b.key,
		DeadLetterConfig: b.deadLetters, CreationTime: aws.Time(b.created), LastModifiedTime: aws.Time(b.modified),
	}, nil
}

// DeleteEventBus deletes a custom bus that has no rules; one that does not
// exist is deleted already.
func (s *Service) DeleteEventBus(ctx context.Context, in *eventbridge.DeleteEventBusInput) (*eventbridge.DeleteEventBusOutput, error) {
	if err := busName.check("name", in.Name); err != nil {
		return nil, err
	}
	if err := s.authorize(ctx, "DeleteEventBus", s.busARN(*in.Name)); err != nil {
		return nil, err
	}
	if *in.Name == defaultBus {
		return nil, invalid("Cannot delete event bus default.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buses[*in.Name]
	if b == nil {
		return &eventbridge.DeleteEventBusOutput{}, nil
	}
	if len(b.rules) > 0 {
		return nil, invalid("EventBus can't be deleted since it has rules.")
	}
	delete(s.buses, b.name)
	delete(s.tags, b.arn)
	return &eventbridge.DeleteEventBusOutput{}, nil
}

// ListEventBuses lists the buses by name.
func (s *Service) ListEventBuses(ctx context.Context, in *eventbridge.ListEventBusesInput) (*eventbridge.ListEventBusesOutput, error) {
	if err := s.authorize(ctx, "ListEventBuses", "*"); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var shown []types.EventBus
	for _, name := range slices.Sorted(maps.Keys(s.buses)) {
		if b := s.buses[name]; strings.HasPrefix(name, value(in.NamePrefix)) {
			shown = append(shown, types.EventBus{
				Arn: aws.String(b.arn), Name: aws.String(name), Description: b.description,
				CreationTime: aws.Time(b.created), LastModifiedTime: aws.Time(b.modified),
			})
		}
	}
	shown, next, err := page(shown, func(b types.EventBus) string { return *b.Name }, in.Limit, in.NextToken)
	return &eventbridge.ListEventBusesOutput{EventBuses: shown, NextToken: next}, err
}

func (s *Service) busARN(name string) string { return s.Account.ARN("events", "event-bus/"+name) }

// busNameOf reads a bus's name or ARN; nothing stands for the default bus.
func (s *Service) busNameOf(nameOrARN *string) string {
	if value(nameOrARN) == "" {
		return defaultBus
	}
	return strings.TrimPrefix(*nameOrARN, s.busARN(""))
}

func (s *Service) bus(nameOrARN *string) (*bus, error) {
	name := s.busNameOf(nameOrARN)
	if b := s.buses[name]; b != nil {
		return b, nil
	}
	return nil, &types.ResourceNotFoundException{Message: aws.String(fmt.Sprintf("Event bus %s does not exist.", name))}
}

// given is nil for an empty text, which stands for nothing or, as a key, for the
// AWS owned one.
func given(s *string) *string {
	if value(s) == "" {
		return nil
	}
	return s
}
