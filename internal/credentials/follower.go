package credentials

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Follower keeps a connection in step with AWSCURRENT whoever moved it, repairs
// a connection that somebody changed, and retires the client secret that a
// rotation left behind.
type Follower struct {
	*Syncer
	Connection Connection
	Provider   Provider      // nil for an identity provider that is not Cognito: nothing is retired
	Grace      time.Duration // how long a client secret is kept after the connection has left it
}

// Metric is one value for CloudWatch, whose units are listed at
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
type Metric struct {
	Name, Unit string
	Value      float64
}

// Follow does what there is to do, and returns what was seen at its end as
// metrics, even where err says that something could not be done. What could not
// be seen is left out: a zero would be a claim.
func (f Follower) Follow(ctx context.Context) ([]Metric, error) {
	// A key that cannot be used makes everything below fail with less clear words.
	if err := f.checkKey(ctx, f.Connection.KeyARN); err != nil {
		return append(f.health(ctx, state{}), flag("KeyUsable", false)), err
	}
	seen, err := f.follow(ctx)
	return append(f.health(ctx, seen), flag("KeyUsable", true)), err
}

func (f Follower) follow(ctx context.Context) (state, error) {
	seen, err := f.look(ctx, f.Connection)
	if err != nil {
		return seen, err
	}
	if !seen.inStep(f.Connection) {
		busy, err := f.rotating(ctx, seen)
		if busy || err != nil {
			// In step or not is not to be told while AWSCURRENT is about to move.
			seen.complete = seen.complete && !busy
			return seen, err
		}
		if err := f.repair(ctx, seen); err != nil {
			return seen, err
		}
		if seen, err = f.look(ctx, f.Connection); err != nil {
			return seen, err
		}
	}
	return seen, f.retireOld(ctx, seen)
}

func (f Follower) health(ctx context.Context, seen state) []Metric {
	if seen.shown == nil {
		shown, err := f.describe(ctx, f.Connection)
		if err != nil {
			return nil
		}
		seen.shown = shown
	}
	told := []Metric{flag("ConnectionAuthorized", seen.authorized())}
	if seen.complete {
		told = append(told, flag("ConnectionInStep", seen.inStep(f.Connection)),
			Metric{Name: "SecretAge", Unit: "Seconds", Value: f.Clock.Since(seen.created).Seconds()})
	}
	return told
}

func flag(name string, set bool) Metric {
	value := map[bool]float64{true: 1}[set]
	return Metric{Name: name, Unit: "Count", Value: value}
}

// rotationTime is how long a rotation may take from writing a version to
// moving AWSCURRENT to it, with Secrets Manager's own retries.
const rotationTime = time.Hour

// rotating tells a connection that somebody changed from one that a rotation
// has just switched, which AWSCURRENT follows in a moment.
func (f Follower) rotating(ctx context.Context, seen state) (bool, error) {
	prepared := seen.versions[pending]
	if prepared == "" || prepared == seen.versions[Current] || !seen.authorized() {
		return false, nil
	}
	next, created, err := f.dated(ctx, f.Connection, prepared)
	if isCode(err, "ResourceNotFoundException") {
		return false, nil // the rotation has not written its version yet
	}
	if err != nil || f.Clock.Since(created) > rotationTime {
		return false, err
	}
	busy, err := f.holds(ctx, f.Connection, seen.shown, next)
	if busy {
		f.Log.InfoContext(ctx, "a rotation is under way", "connection", f.Connection.Name, "versionId", prepared)
	}
	return busy, err
}

// repair brings the connection in step with AWSCURRENT. Where that is a secret
// which does not work, a connection that does not work either goes back to the
// version that its label names.
func (f Follower) repair(ctx context.Context, seen state) error {
	_, err := f.BringInStep(ctx, f.Connection, Current)
	labelled := seen.versions[f.Connection.Label()]
	if err == nil || seen.authorized() || labelled == "" || labelled == seen.versions[Current] {
		return err
	}
	if _, back := f.BringInStep(ctx, f.Connection, f.Connection.Label()); back != nil {
		return err
	}
	return fmt.Errorf("%w (the connection works again with the version it held before)", err)
}

// retireOld ends the client secrets that nobody uses any more: the connection
// holds AWSCURRENT, no rotation is under way, and whatever token was made with
// the old one has had the grace time to be used up.
func (f Follower) retireOld(ctx context.Context, seen state) error {
	if f.Provider == nil || !seen.inStep(f.Connection) {
		return nil
	}
	client, current := seen.current.ClientID, seen.versions[Current]
	alive, err := listClientSecrets(ctx, f.Provider, client)
	if err != nil {
		return err
	}
	if err := f.forget(ctx, seen.versions, alive); err != nil {
		return err
	}
	labelled := isLabelled(alive, seen.versions, current)
	if len(alive) < 2 && labelled {
		return nil
	}
	if prepared := seen.versions[pending]; prepared != "" && prepared != current {
		return nil
	}
	if !labelled {
		if err := f.prove(ctx, seen.current); err != nil {
			return err
		}
	}
	inUse, err := f.idOf(ctx, f.Connection, alive, seen.versions, current, seen.current)
	if err != nil {
		return f.tolerate(ctx, err)
	}
	switched := seen.created
	if authorized := seen.shown.LastAuthorizedTime; authorized != nil && authorized.After(switched) {
		switched = *authorized
	}
	if f.Clock.Since(switched) < f.Grace {
		return nil
	}
	return f.tolerate(ctx, f.retire(ctx, f.Connection, f.Provider, client, alive, seen.versions, inUse))
}

// tolerate lets two client secrets live on where that is all the trouble: it
// harms nobody, and the next rotation will insist.
func (f Follower) tolerate(ctx context.Context, err error) error {
	if errors.Is(err, errUnknown) || errors.Is(err, errStays) {
		f.Log.WarnContext(ctx, "no client secret is retired", "connection", f.Connection.Name, "reason", err.Error())
		return nil
	}
	return err
}

// forget takes off the labels of client secrets that are gone, which an
// interrupted retirement leaves behind.
func (f Follower) forget(ctx context.Context, versions map[string]string, alive []ClientSecret) error {
	for label, version := range versions {
		id, ours := strings.CutPrefix(label, secretLabel(""))
		if !ours || slices.ContainsFunc(alive, func(one ClientSecret) bool { return one.ID == id }) {
			continue
		}
		if err := f.moveLabel(ctx, f.Connection, label, version, ""); err != nil {
			return err
		}
	}
	return nil
}
