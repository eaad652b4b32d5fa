package credentials

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/internal/oauth"
)

// Tokens proves credentials at their authorization endpoint; see oauth.Prover.
type Tokens interface {
	Prove(context.Context, oauth.Credentials) error
}

// Syncer brings connections in step.
type Syncer struct {
	Events  Events
	Secrets Secrets
	Keys    Keys
	Tokens  Tokens
	Clock   clockwork.Clock
	Log     *slog.Logger
}

// Held is what a connection holds once it is in step.
type Held struct {
	VersionID      string // of the source secret
	State          types.ConnectionState
	LastAuthorized time.Time
}

// BringInStep makes the connection hold the version of its source secret that
// carries the staging label stage: Current, or the connection's own label to go
// back to what it held. The version is proven first, so that a version which
// does not work leaves the connection as it is. It waits for AUTHORIZED until
// ctx ends, and puts back what the connection held if it does not come to that.
// Every error is a sentence that says what to do.
func (s *Syncer) BringInStep(ctx context.Context, c Connection, stage string) (Held, error) {
	versions, err := s.versions(ctx, c)
	if err != nil {
		return Held{}, err
	}
	version := versions[stage]
	if version == "" {
		return Held{}, fmt.Errorf("source secret %s has no version labelled %s: store the client credentials in it", c.SecretID, stage)
	}
	return s.hold(ctx, c, versions, version)
}

// hold makes the connection hold one version, given who carries which label.
func (s *Syncer) hold(ctx context.Context, c Connection, versions map[string]string, version string) (Held, error) {
	// The key first: where it also encrypts the source secret, reading that
	// secret would fail for the same reason and say less.
	if err := s.checkKey(ctx, c.KeyARN); err != nil {
		return Held{}, err
	}
	candidate, err := s.candidate(ctx, c, version)
	if err != nil {
		return Held{}, err
	}
	if err := s.prove(ctx, candidate); err != nil {
		return Held{}, err
	}
	shown, err := s.settled(ctx, c, time.Time{})
	if err != nil {
		return Held{}, err
	}
	holds, err := s.holds(ctx, c, shown, candidate)
	if err != nil {
		return Held{}, err
	}
	if holds && versions[c.Label()] == version {
		s.Log.InfoContext(ctx, "connection is in step", "connection", c.Name, "versionId", version)
		return held(version, shown), nil
	}
	if !holds {
		if shown, err = s.replace(ctx, c, candidate, shown); err != nil {
			return Held{}, s.putBack(ctx, c, versions[c.Label()], version, err)
		}
	}
	if err := s.moveLabel(ctx, c, c.Label(), versions[c.Label()], version); err != nil {
		return Held{}, err
	}
	s.Log.InfoContext(ctx, "connection brought in step", "connection", c.Name, "versionId", version, "heldBefore", versions[c.Label()])
	return held(version, shown), nil
}

// Release takes the connection's label off the source secret. A label, a
// version or a secret that is gone already is fine.
func (s *Syncer) Release(ctx context.Context, c Connection) error {
	versions, err := s.versions(ctx, c)
	if isCode(err, "ResourceNotFoundException") {
		return nil
	}
	if err != nil {
		return err
	}
	labelled := versions[c.Label()]
	if labelled == "" {
		return nil
	}
	err = s.moveLabel(ctx, c, c.Label(), labelled, "")
	// A secret that is marked for deletion takes no changes and needs none.
	if isCode(err, "ResourceNotFoundException") || isCode(err, "InvalidRequestException") {
		return nil
	}
	return err
}

func held(version string, shown *eventbridge.DescribeConnectionOutput) Held {
	return Held{VersionID: version, State: shown.ConnectionState, LastAuthorized: aws.ToTime(shown.LastAuthorizedTime)}
}

// prove gives an endpoint that is down a few chances; a refusal is final.
func (s *Syncer) prove(ctx context.Context, candidate oauth.Credentials) error {
	const attempts = 3
	wait := pause{clock: s.Clock, next: 500 * time.Millisecond}
	for attempt := 1; ; attempt++ {
		err := s.Tokens.Prove(ctx, candidate)
		if !errors.Is(err, oauth.ErrUnavailable) || attempt == attempts || wait.sleep(ctx) != nil {
			return err
		}
	}
}

// replace switches the connection to the candidate and waits until it is
// AUTHORIZED with it, which the answer of UpdateConnection does not show.
func (s *Syncer) replace(ctx context.Context, c Connection, candidate oauth.Credentials, before *eventbridge.DescribeConnectionOutput) (*eventbridge.DescribeConnectionOutput, error) {
	wait := pause{clock: s.Clock, next: 250 * time.Millisecond}
	for {
		_, err := s.Events.UpdateConnection(ctx, c.update(candidate))
		if err == nil {
			break
		}
		// Somebody else changes the connection this moment, or it still authorizes.
		// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_UpdateConnection.html
		if !isCode(err, "ConcurrentModificationException") || wait.sleep(ctx) != nil {
			return nil, explain(err, "connection %s cannot be updated", c.Name)
		}
	}
	after, err := s.settled(ctx, c, aws.ToTime(before.LastAuthorizedTime))
	if err != nil {
		return nil, err
	}
	if after.ConnectionState != types.ConnectionStateAuthorized {
		return nil, fmt.Errorf("connection %s is %s after the update although the credentials work (%s): look at its state reason and at the key's policy, and try again",
			c.Name, after.ConnectionState, stateReason(after))
	}
	holds, err := s.holds(ctx, c, after, candidate)
	if err != nil {
		return nil, err
	}
	if !holds {
		return nil, fmt.Errorf("connection %s was changed by somebody else at the same time: try again", c.Name)
	}
	return after, nil
}

// putBackTime bounds putting back, after the time for switching is over.
const putBackTime = 8 * time.Second

// putBack returns the connection to the version that its label names, if that
// one still works, and says so beside what went wrong.
func (s *Syncer) putBack(ctx context.Context, c Connection, labelled, failed string, cause error) error {
	if labelled == "" || labelled == failed {
		return cause
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), putBackTime)
	defer cancel()
	before, err := s.candidate(ctx, c, labelled)
	if err == nil {
		err = s.prove(ctx, before)
	}
	if err == nil {
		_, err = s.Events.UpdateConnection(ctx, c.update(before))
	}
	if err != nil {
		s.Log.ErrorContext(ctx, "connection not put back", "connection", c.Name, "versionId", labelled, "error", err.Error())
		return cause
	}
	s.Log.WarnContext(ctx, "connection put back", "connection", c.Name, "versionId", labelled)
	return fmt.Errorf("%w (the version that the connection held before was put back)", cause)
}

// staleTime is how long a description may lag behind an update. It decides
// where two authorizations fall into the same second, the resolution of
// LastAuthorizedTime.
const staleTime = 15 * time.Second

// settled waits until the connection is neither on its way to a state nor, if
// it shows AUTHORIZED, still showing an authorization from before notBefore.
func (s *Syncer) settled(ctx context.Context, c Connection, notBefore time.Time) (*eventbridge.DescribeConnectionOutput, error) {
	wait := pause{clock: s.Clock, next: 2 * time.Millisecond}
	began := s.Clock.Now()
	for {
		shown, err := s.describe(ctx, c)
		if err != nil {
			return nil, err
		}
		switch shown.ConnectionState {
		case types.ConnectionStateAuthorized:
			if notBefore.IsZero() || aws.ToTime(shown.LastAuthorizedTime).After(notBefore) || s.Clock.Since(began) > staleTime {
				return shown, nil
			}
		case types.ConnectionStateCreating, types.ConnectionStateUpdating, types.ConnectionStateAuthorizing, types.ConnectionStateDeauthorizing:
		default:
			return shown, nil
		}
		if err := wait.sleep(ctx); err != nil {
			return nil, fmt.Errorf("connection %s is still %s (%s) at the end of the time there is: look at its state reason and try again: %w",
				c.Name, shown.ConnectionState, stateReason(shown), err)
		}
	}
}

func stateReason(shown *eventbridge.DescribeConnectionOutput) string {
	if reason := aws.ToString(shown.StateReason); reason != "" {
		return reason
	}
	return "no reason given"
}

// pause is an exponential back-off, up to five seconds a time.
type pause struct {
	clock clockwork.Clock
	next  time.Duration
}

func (p *pause) sleep(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-p.clock.After(p.next):
		p.next = min(2*p.next, 5*time.Second)
		return nil
	}
}

// explain puts what was tried before AWS's own code and message, and leaves
// out the SDK's account of the request.
func explain(err error, format string, arguments ...any) error {
	tried := fmt.Sprintf(format, arguments...)
	var api smithy.APIError
	if !errors.As(err, &api) {
		return fmt.Errorf("%s: %w", tried, err)
	}
	return &apiFailure{tried: tried, APIError: api}
}

type apiFailure struct {
	tried string
	smithy.APIError
}

func (f *apiFailure) Error() string {
	return fmt.Sprintf("%s: %s: %s%s", f.tried, f.ErrorCode(), f.ErrorMessage(), remedy(f.ErrorCode()))
}

func remedy(code string) string {
	switch code {
	case "AccessDeniedException", "AccessDenied":
		return " (check that the name is right, then grant this to the function's role)"
	case "ResourceNotFoundException", "NotFoundException":
		return " (check the name and the Region)"
	case "ThrottlingException", "LimitExceededException":
		return " (try again later)"
	}
	return ""
}

func isCode(err error, code string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == code
}
