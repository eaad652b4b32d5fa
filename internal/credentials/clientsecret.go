package credentials

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"api-destination-credentials/internal/oauth"
	"api-destination-credentials/internal/secret"
)

// ClientSecrets is what is done to the secrets of a Cognito app client, of
// which two can be alive at a time.
// https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-client-apps.html
type ClientSecrets interface {
	AddUserPoolClientSecret(context.Context, *cognitoidentityprovider.AddUserPoolClientSecretInput, ...func(*cognitoidentityprovider.Options)) (*cognitoidentityprovider.AddUserPoolClientSecretOutput, error)
	ListUserPoolClientSecrets(context.Context, *cognitoidentityprovider.ListUserPoolClientSecretsInput, ...func(*cognitoidentityprovider.Options)) (*cognitoidentityprovider.ListUserPoolClientSecretsOutput, error)
	DeleteUserPoolClientSecret(context.Context, *cognitoidentityprovider.DeleteUserPoolClientSecretInput, ...func(*cognitoidentityprovider.Options)) (*cognitoidentityprovider.DeleteUserPoolClientSecretOutput, error)
}

// Provider is a Cognito user pool whose app client the credentials belong to.
// Cognito never shows a client secret again, so which version of the source
// secret holds which of them is written down as a staging label of that
// version, cognito/<client secret id>: what is retired is never a guess.
type Provider struct {
	Secrets ClientSecrets
	PoolID  string
}

// errUnknown means that somebody else made client secrets before this program
// could tell them apart.
var errUnknown = errors.New("client secrets of unknown origin")

func secretLabel(id string) string { return "cognito/" + id }

// clientSecret is one of the app client's secrets, as far as Cognito shows it.
type clientSecret struct {
	id   string
	made time.Time
}

// list lists the app client's secrets.
func (p Provider) list(ctx context.Context, client string) ([]clientSecret, error) {
	listed, err := p.Secrets.ListUserPoolClientSecrets(ctx, &cognitoidentityprovider.ListUserPoolClientSecretsInput{
		UserPoolId: aws.String(p.PoolID), ClientId: aws.String(client),
	})
	if err != nil {
		return nil, explain(err, "client secrets of app client %s cannot be listed", client)
	}
	var all []clientSecret
	for _, one := range listed.ClientSecrets {
		all = append(all, clientSecret{aws.ToString(one.ClientSecretId), aws.ToTime(one.ClientSecretCreateDate)})
	}
	return all, nil
}

func (p Provider) add(ctx context.Context, client string, value secret.Text) (string, error) {
	added, err := p.Secrets.AddUserPoolClientSecret(ctx, &cognitoidentityprovider.AddUserPoolClientSecretInput{
		UserPoolId: aws.String(p.PoolID), ClientId: aws.String(client), ClientSecret: aws.String(value.Reveal()),
	})
	if err != nil {
		return "", explain(err, "app client %s cannot be given another client secret", client)
	}
	return aws.ToString(added.ClientSecretDescriptor.ClientSecretId), nil
}

// remove ends a client secret; one that is gone already is fine.
func (p Provider) remove(ctx context.Context, client, id string) error {
	_, err := p.Secrets.DeleteUserPoolClientSecret(ctx, &cognitoidentityprovider.DeleteUserPoolClientSecretInput{
		UserPoolId: aws.String(p.PoolID), ClientId: aws.String(client), ClientSecretId: aws.String(id),
	})
	var gone *types.ResourceNotFoundException
	if err == nil || errors.As(err, &gone) {
		return nil
	}
	return explain(err, "client secret %s cannot be retired", id)
}

// idOf finds the client secret that a version holds, and labels the version
// with it where that was not done yet. The version's credentials have to be
// accepted by the provider: that is what makes the last one without a label
// the version's own.
func (s *Syncer) idOf(ctx context.Context, c Connection, alive []clientSecret, versions map[string]string, version string, read oauth.Credentials) (string, error) {
	var unknown []string
	for _, one := range alive {
		switch holder := versions[secretLabel(one.id)]; holder {
		case version:
			return one.id, nil
		case "":
			unknown = append(unknown, one.id)
		default:
			other, err := s.candidate(ctx, c, holder)
			if err != nil {
				return "", err
			}
			// The same client secret, stored once more.
			if other.ClientSecret == read.ClientSecret {
				return one.id, s.moveID(ctx, c, one.id, versions, version)
			}
		}
	}
	if len(unknown) != 1 {
		return "", fmt.Errorf("%w: app client %s has %d, and which version of the source secret holds which is written down nowhere: delete the one that is not in use (aws cognito-idp delete-user-pool-client-secret)", errUnknown, read.ClientID, len(unknown))
	}
	return unknown[0], s.moveID(ctx, c, unknown[0], versions, version)
}

// isLabelled tells whether it is written down which client secret a version holds.
func isLabelled(alive []clientSecret, versions map[string]string, version string) bool {
	return slices.ContainsFunc(alive, func(one clientSecret) bool { return versions[secretLabel(one.id)] == version })
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
func (s *Syncer) retire(ctx context.Context, c Connection, p Provider, client string, alive []clientSecret, versions map[string]string, inUse string) error {
	for _, one := range alive {
		if one.id == inUse {
			continue
		}
		holder := versions[secretLabel(one.id)]
		if other := otherHolder(versions, alive, holder); other != "" {
			return fmt.Errorf("%w: connection %s may still hold %s: bring it in step first (its follower does, or an update of its stack)", errStays, other, one.id)
		}
		if holder == "" && s.Clock.Since(one.made) < strangerTime {
			return fmt.Errorf("%w: somebody added %s less than an hour ago: store it in the source secret or delete it", errStays, one.id)
		}
		// What was read before may have changed since; this is the last look.
		now, err := s.versions(ctx, c)
		if err != nil {
			return err
		}
		if now[Current] != versions[Current] || now[secretLabel(one.id)] != holder {
			return fmt.Errorf("%w: the source secret's labels have just moved: try again", errStays)
		}
		if err := p.remove(ctx, client, one.id); err != nil {
			return err
		}
		s.Log.InfoContext(ctx, "client secret retired", "connection", c.Name, "clientSecretId", one.id, "versionId", holder)
		if err := s.moveLabel(ctx, c, secretLabel(one.id), holder, ""); err != nil {
			return err
		}
		delete(versions, secretLabel(one.id))
	}
	return nil
}

// errStays means that a client secret cannot be retired now.
var errStays = errors.New("a client secret that is not in use any more has to stay")

// otherHolder names a connection whose label is on the version, or on one of
// which nobody knows which client secret it holds.
func otherHolder(versions map[string]string, alive []clientSecret, version string) string {
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
