package eventbridge

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/google/uuid"
)

// archive keeps the events of a bus that match its pattern.
type archive struct {
	name, arn   string
	id          string // tells it from an archive of the same name before it
	bus, busARN string
	ruleARN     string // of its own rule on the bus
	description *string
	text        string  // of the event pattern; empty for all events
	key         *string // as the caller named it; nil for the AWS owned key
	keyARN      string
	days        int32 // of retention; 0 for ever
	state       types.ArchiveState
	reason      string
	created     time.Time
	events      []*archived // the oldest arrival first
	size        int64       // of their envelopes, in bytes
}

var (
	archiveName   = newNaming(`[\.\-_A-Za-z0-9]+`, 48)
	sourcePattern = `^arn:aws([a-z]|\-)*:events:([a-z]|\d|\-)*:([0-9]{12})?:.+\/.+$`
	sourceARN     = regexp.MustCompile(sourcePattern)
)

// CreateArchive creates an archive, which from now on keeps the bus's events
// that match. With a customer managed key, EventBridge has to be allowed to
// describe the key, to encrypt and to decrypt, and the caller to encrypt.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html
func (s *Service) CreateArchive(ctx context.Context, in *eventbridge.CreateArchiveInput) (*eventbridge.CreateArchiveOutput, error) {
	if err := first(
		archiveName.check("archiveName", in.ArchiveName),
		checkSource("eventSourceArn", in.EventSourceArn),
		checkArchive(in.Description, in.EventPattern, in.KmsKeyIdentifier, in.RetentionDays),
	); err != nil {
		return nil, err
	}
	a := &archive{
		name: *in.ArchiveName, arn: s.archiveARN(*in.ArchiveName), id: uuid.NewString(), busARN: *in.EventSourceArn,
		description: given(in.Description), text: value(in.EventPattern), key: given(in.KmsKeyIdentifier),
		days: aws.ToInt32(in.RetentionDays), state: types.ArchiveStateEnabled, created: s.now().Truncate(time.Second),
	}
	for _, resource := range []string{a.arn, a.busARN} {
		if err := s.authorize(ctx, "CreateArchive", resource); err != nil {
			return nil, err
		}
	}
	bus, ok := strings.CutPrefix(a.busARN, s.busARN(""))
	if !ok {
		return nil, invalid("Parameter EventSourceArn is not valid. Reason: Must contain an event bus ARN.")
	}
	a.bus, a.ruleARN = bus, s.ruleARN(bus, a.ruleName())
	var err error
	if a.keyARN, err = s.checkArchiveKey(ctx, a.busARN, a.key); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.archives[a.name] != nil {
		return nil, &types.ResourceAlreadyExistsException{Message: aws.String(fmt.Sprintf("Archive %s already exists.", a.name))}
	}
	if err := s.putArchiveRule(a); err != nil {
		return nil, err
	}
	s.archives[a.name] = a
	return &eventbridge.CreateArchiveOutput{ArchiveArn: aws.String(a.arn), CreationTime: aws.Time(a.created), State: a.state}, nil
}

// UpdateArchive changes what is given; empty texts go back to the default.
// Under another key the events are encrypted anew in the background, during
// which the archive is UPDATING; where that fails it keeps the key it had.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_UpdateArchive.html
func (s *Service) UpdateArchive(ctx context.Context, in *eventbridge.UpdateArchiveInput) (*eventbridge.UpdateArchiveOutput, error) {
	if err := first(
		archiveName.check("archiveName", in.ArchiveName),
		checkArchive(in.Description, in.EventPattern, in.KmsKeyIdentifier, in.RetentionDays),
	); err != nil {
		return nil, err
	}
	if in.Description == nil && in.EventPattern == nil && in.RetentionDays == nil && in.KmsKeyIdentifier == nil {
		return nil, invalid("At least one of EventPattern, RetentionDays or Description must be provided.")
	}
	s.mu.Lock()
	a, err := s.archiveFor(ctx, "UpdateArchive", in.ArchiveName)
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	keyARN, err := s.checkArchiveKey(ctx, a.busARN, in.KmsKeyIdentifier)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.archives[a.name] != a || a.state == types.ArchiveStateUpdating {
		return nil, &types.ConcurrentModificationException{Message: aws.String(fmt.Sprintf("Archive %s is being changed: wait until its state is ENABLED.", a.name))}
	}
	before := *a
	if in.EventPattern != nil {
		a.text = *in.EventPattern
	}
	if err := s.putArchiveRule(a); err != nil {
		a.text = before.text
		return nil, err
	}
	a.state, a.reason = types.ArchiveStateEnabled, ""
	if in.Description != nil {
		a.description = given(in.Description)
	}
	if in.RetentionDays != nil {
		a.days = *in.RetentionDays
	}
	if in.KmsKeyIdentifier != nil {
		a.key, a.keyARN = given(in.KmsKeyIdentifier), keyARN
	}
	if a.keyARN != before.keyARN {
		s.reencrypt(a, before.key, before.keyARN)
	}
	return &eventbridge.UpdateArchiveOutput{ArchiveArn: aws.String(a.arn), CreationTime: aws.Time(a.created), State: a.state}, nil
}

// DescribeArchive shows an archive. What it holds is counted at once; AWS takes
// up to a day for that, and does not document how it measures SizeBytes, which
// here are the bytes of the events as they were on the bus.
func (s *Service) DescribeArchive(ctx context.Context, in *eventbridge.DescribeArchiveInput) (*eventbridge.DescribeArchiveOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.archiveFor(ctx, "DescribeArchive", in.ArchiveName)
	if err != nil {
		return nil, err
	}
	a.expire(s.now())
	return &eventbridge.DescribeArchiveOutput{
		ArchiveArn: aws.String(a.arn), ArchiveName: aws.String(a.name), EventSourceArn: aws.String(a.busARN), Description: a.description,
		EventPattern: text(a.text), KmsKeyIdentifier: a.key, RetentionDays: aws.Int32(a.days), State: a.state, StateReason: text(a.reason),
		EventCount: int64(len(a.events)), SizeBytes: a.size, CreationTime: aws.Time(a.created),
	}, nil
}

// ListArchives lists archives by name; at most one filter is allowed.
func (s *Service) ListArchives(ctx context.Context, in *eventbridge.ListArchivesInput) (*eventbridge.ListArchivesOutput, error) {
	if err := s.authorize(ctx, "ListArchives", "*"); err != nil {
		return nil, err
	}
	if err := oneFilter("ListArchives", in.NamePrefix, in.EventSourceArn, string(in.State)); err != nil {
		return nil, err
	}
	if in.State != "" {
		if err := oneOf("state", in.State, in.State.Values()); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if in.EventSourceArn != nil {
		if err := checkSource("eventSourceArn", in.EventSourceArn); err != nil {
			return nil, err
		}
		if _, err := s.bus(in.EventSourceArn); err != nil {
			return nil, err
		}
	}
	shown := []types.Archive{}
	for _, name := range slices.Sorted(maps.Keys(s.archives)) {
		a := s.archives[name]
		if !strings.HasPrefix(name, value(in.NamePrefix)) || (in.EventSourceArn != nil && *in.EventSourceArn != a.busARN) || (in.State != "" && in.State != a.state) {
			continue
		}
		a.expire(s.now())
		shown = append(shown, types.Archive{
			ArchiveName: aws.String(name), EventSourceArn: aws.String(a.busARN), RetentionDays: aws.Int32(a.days), State: a.state, StateReason: text(a.reason),
			EventCount: int64(len(a.events)), SizeBytes: a.size, CreationTime: aws.Time(a.created),
		})
	}
	shown, next, err := page(shown, func(a types.Archive) string { return *a.ArchiveName }, in.Limit, in.NextToken)
	return &eventbridge.ListArchivesOutput{Archives: shown, NextToken: next}, err
}

// DeleteArchive deletes an archive with its events and its rule. A replay that
// has not begun fails.
func (s *Service) DeleteArchive(ctx context.Context, in *eventbridge.DeleteArchiveInput) (*eventbridge.DeleteArchiveOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.archiveFor(ctx, "DeleteArchive", in.ArchiveName)
	if err != nil {
		return nil, err
	}
	if b := s.buses[a.bus]; b != nil {
		delete(b.rules, a.ruleName())
		delete(s.tags, a.ruleARN)
	}
	delete(s.archives, a.name)
	return &eventbridge.DeleteArchiveOutput{}, nil
}

func (s *Service) archiveARN(name string) string { return s.Account.ARN("events", "archive/"+name) }

// archiveFor finds an archive for an action that the caller has to be allowed.
func (s *Service) archiveFor(ctx context.Context, action string, name *string) (*archive, error) {
	if err := archiveName.check("archiveName", name); err != nil {
		return nil, err
	}
	if err := s.authorize(ctx, action, s.archiveARN(*name)); err != nil {
		return nil, err
	}
	if a := s.archives[*name]; a != nil {
		return a, nil
	}
	return nil, &types.ResourceNotFoundException{Message: aws.String(fmt.Sprintf("Archive %s does not exist.", *name))}
}

func checkArchive(description, pattern, key *string, days *int32) error {
	if days != nil && *days < 0 {
		return constraint("retentionDays", "have value greater than or equal to 0", fmt.Sprint(*days))
	}
	if value(pattern) != "" {
		if _, err := compilePattern(*pattern, maximumArchivePattern); err != nil {
			return err
		}
	}
	return first(atMost("description", description, 512), atMost("kmsKeyIdentifier", key, 2048))
}

func checkSource(field string, arn *string) error {
	switch {
	case arn == nil:
		return missing(field)
	case !sourceARN.MatchString(*arn):
		return constraint(field, "satisfy regular expression pattern: "+sourcePattern, *arn)
	}
	return nil
}

func oneFilter(operation string, prefix, source *string, state string) error {
	filters := 0
	for _, is := range []bool{prefix != nil, source != nil, state != ""} {
		if is {
			filters++
		}
	}
	if filters > 1 {
		return invalid("At most one filter is allowed for %s. Use either : State, EventSourceArn, or NamePrefix.", operation)
	}
	return nil
}
