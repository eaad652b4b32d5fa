package credentials

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"api-destination-credentials/internal/oauth"
	"api-destination-credentials/internal/secret"
)

// Provider is the identity provider's side of an app client, which takes two
// client secrets at a time. It never shows a client secret again, so which
// version of the source secret holds which of them is written down as a staging
// label of that version, cognito/<client secret id>: what is retired is never a
// guess. See userpool.UserPool.
type Provider interface {
	ClientSecrets(ctx context.Context, client string) ([]ClientSecret, error)
	AddClientSecret(ctx context.Context, client string, value secret.Text) (id string, err error)
	DeleteClientSecret(ctx context.Context, client, id string) error
}

// ClientSecret is one of an app client's secrets, as far as its provider shows it.
type ClientSecret struct {
	ID   string
	Made time.Time
}

// errUnknown means that somebody else made client secrets before this program
// could tell them apart.
var errUnknown = errors.New("client secrets of unknown origin")

func secretLabel(id string) string { return "cognito/" + id }

func listClientSecrets(ctx context.Context, p Provider, client string) ([]ClientSecret, error) {
	all, err := p.ClientSecrets(ctx, client)
	if err != nil {
		return nil, explain(err, "client secrets of app client %s cannot be listed", client)
	}
	return all, nil
}

func addClientSecret(ctx context.Context, p Provider, client string, value secret.Text) (string, error) {
	id, err := p.AddClientSecret(ctx, client, value)
	if err != nil {
		return "", explain(err, "app client %s cannot be given another client secret", client)
	}
	return id, nil
}

// deleteClientSecret ends a client secret; one that is gone already is fine.
func deleteClientSecret(ctx context.Context, p Provider, client, id string) error {
	err := p.DeleteClientSecret(ctx, client, id)
	if err == nil || isCode(err, "ResourceNotFoundException") {
		return nil
	}
	return explain(err, "client secret %s cannot be retired", id)
}

// idOf finds the client secret that a version holds, and labels the version
// with it where that was not done yet. The version's credentials have to be
// accepted by the provider: that is what makes the last one without a label
// the version's own.
func (s *Syncer) idOf(ctx context.Context, c Connection, alive []ClientSecret, versions map[string]string, version string, read oauth.Credentials) (string, error) {
	var unknown []string
	for _, one := range alive {
		switch holder := versions[secretLabel(one.ID)]; holder {
		case version:
			return one.ID, nil
		case "":
			unknown = append(unknown, one.ID)
		default:
			other, err := s.candidate(ctx, c, holder)
			if err != nil {
				return "", err
			}
			// The same client secret, stored once more.
			if other.ClientSecret == read.ClientSecret {
				return one.ID, s.moveID(ctx, c, one.ID, versions, version)
			}
		}
	}
	if len(unknown) != 1 {
		return "", fmt.Errorf("%w: app client %s has %d, and which version of the source secret holds which is written down nowhere: delete the one that is not in use (aws cognito-idp delete-user-pool-client-secret)", errUnknown, read.ClientID, len(unknown))
	}
	return unknown[0], s.moveID(ctx, c, unknown[0], versions, version)
}

// isLabelled tells whether it is written down which client secret a version holds.
func isLabelled(alive []ClientSecret, versions map[string]string, version string) bool {
	return slices.ContainsFunc(alive, func(one ClientSecret) bool { return versions[secretLabel(one.ID)] == version })
}

func (s *Syncer) moveID(ctx context.Context, c Connection, id string, versions map[string]string, version string) error {
	label := secretLabel(id)
	if err := s.moveLabel(ctx, c, label, versions[label], version); err != nil {
		return err
	}
	versions[label] = version
	return nil
}

// strangerTime is how long a client secret that no version is known to hold is
// left alone: somebody may be about to store it.
const strangerTime = time.Hour

// retire ends the client secrets other than inUse, which AWSCURRENT holds, and
// returns why one had to stay, if one had to: another connection may still
// hold it, as far as its label tells, or somebody has just added it.
func (s *Syncer) retire(ctx context.Context, c Connection, p Provider, client string, alive []ClientSecret, versions map[string]string, inUse string) error {
	for _, one := range alive {
		if one.ID == inUse {
			continue
		}
		holder := versions[secretLabel(one.ID)]
		if other := otherHolder(versions, alive, holder); other != "" {
			return fmt.Errorf("%w: connection %s may still hold %s: bring it in step first (its follower does, or an update of its stack)", errStays, other, one.ID)
		}
		if holder == "" && s.Clock.Since(one.Made) < strangerTime {
			return fmt.Errorf("%w: somebody added %s less than an hour ago: store it in the source secret or delete it", errStays, one.ID)
		}
		// What was read before may have changed since; this is the last look.
		now, err := s.versions(ctx, c)
		if err != nil {
			return err
		}
		if now[Current] != versions[Current] || now[secretLabel(one.ID)] != holder {
			return fmt.Errorf("%w: the source secret's labels have just moved: try again", errStays)
		}
		if err := deleteClientSecret(ctx, p, client, one.ID); err != nil {
			return err
		}
		s.Log.InfoContext(ctx, "client secret retired", "connection", c.Name, "clientSecretId", one.ID, "versionId", holder)
		if err := s.moveLabel(ctx, c, secretLabel(one.ID), holder, ""); err != nil {
			return err
		}
		delete(versions, secretLabel(one.ID))
	}
	return nil
}

// errStays means that a client secret cannot be retired now.
var errStays = errors.New("a client secret that is not in use any more has to stay")

// otherHolder names a connection whose label is on the version, or on one of
// which nobody knows which client secret it holds.
func otherHolder(versions map[string]string, alive []ClientSecret, version string) string {
	for label, labelled := range versions {
		if !strings.HasPrefix(label, connectionLabel) || labelled == versions[Current] {
			continue
		}
		if labelled == version || !isLabelled(alive, versions, labelled) {
			return strings.TrimPrefix(label, connectionLabel)
		}
	}
	return ""
}
