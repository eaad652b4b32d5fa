package credentials

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"api-destination-credentials/internal/oauth"
	"api-destination-credentials/internal/secret"
)

// Secrets is what is done to the source secret.
type Secrets interface {
	DescribeSecret(context.Context, *secretsmanager.DescribeSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.DescribeSecretOutput, error)
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
	UpdateSecretVersionStage(context.Context, *secretsmanager.UpdateSecretVersionStageInput, ...func(*secretsmanager.Options)) (*secretsmanager.UpdateSecretVersionStageOutput, error)
}

// versions tells which version carries each staging label of the source secret.
func (s *Syncer) versions(ctx context.Context, c Connection) (map[string]string, error) {
	described, err := s.Secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String(c.SecretID)})
	if err != nil {
		return nil, explain(err, "source secret %s cannot be described", c.SecretID)
	}
	return holders(described), nil
}

func holders(described *secretsmanager.DescribeSecretOutput) map[string]string {
	holder := map[string]string{}
	for id, labels := range described.VersionIdsToStages {
		for _, label := range labels {
			holder[label] = id
		}
	}
	return holder
}

// candidate reads the credentials of one version of the source secret. Its
// errors name the keys of the secret's JSON and never a value.
func (s *Syncer) candidate(ctx context.Context, c Connection, version string) (oauth.Credentials, error) {
	read, _, err := s.dated(ctx, c, version)
	return read, err
}

// dated is candidate with the time at which the version was created.
func (s *Syncer) dated(ctx context.Context, c Connection, version string) (oauth.Credentials, time.Time, error) {
	answer, err := s.Secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(c.SecretID), VersionId: aws.String(version)})
	if err != nil {
		return oauth.Credentials{}, time.Time{}, explain(err, "version %s of source secret %s cannot be read", version, c.SecretID)
	}
	read, err := c.parse(version, aws.ToString(answer.SecretString))
	return read, aws.ToTime(answer.CreatedDate), err
}

// parse reads the JSON of a version.
func (c Connection) parse(version, text string) (oauth.Credentials, error) {
	none := oauth.Credentials{}
	var fields map[string]any
	if err := json.Unmarshal([]byte(text), &fields); err != nil || fields == nil {
		return none, fmt.Errorf(`version %s of source secret %s is not a JSON object: store {"%s": "…", "%s": "…"}`,
			version, c.SecretID, c.ClientIDKey, c.ClientSecretKey)
	}
	read := oauth.Credentials{Endpoint: c.AuthorizationEndpoint, Scope: c.Scope, Audience: c.Audience}
	for key, set := range map[string]func(string){
		c.ClientIDKey:     func(value string) { read.ClientID = value },
		c.ClientSecretKey: func(value string) { read.ClientSecret = secret.New(value) },
	} {
		value, ok := fields[key].(string)
		if !ok || value == "" {
			return none, fmt.Errorf("version %s of source secret %s has no text under the key %q (its keys: %s): store it there, or name the right key",
				version, c.SecretID, key, strings.Join(slices.Sorted(maps.Keys(fields)), ", "))
		}
		// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_UpdateConnectionOAuthClientRequestParameters.html
		if len(value) > 512 || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f || r == ':' }) {
			return none, fmt.Errorf("version %s of source secret %s has a value under %q that EventBridge cannot take: at most 512 characters, without colon and control characters",
				version, c.SecretID, key)
		}
		set(value)
	}
	return read, nil
}

// moveLabel moves a staging label of the source secret, or takes it off where
// to is empty. Naming the version that held it makes it a compare-and-swap.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
func (s *Syncer) moveLabel(ctx context.Context, c Connection, label, from, to string) error {
	if from == to {
		return nil
	}
	move := &secretsmanager.UpdateSecretVersionStageInput{SecretId: aws.String(c.SecretID), VersionStage: aws.String(label)}
	if from != "" {
		move.RemoveFromVersionId = aws.String(from)
	}
	if to != "" {
		move.MoveToVersionId = aws.String(to)
	}
	_, err := s.Secrets.UpdateSecretVersionStage(ctx, move)
	if err == nil {
		return nil
	}
	if isCode(err, "InvalidParameterException") {
		// Somebody else may have been faster: the label is where it should be,
		// or gone from where it should not be.
		if now, lookErr := s.versions(ctx, c); lookErr == nil && (now[label] == to || to == "" && now[label] != from) {
			return nil
		}
	}
	return explain(err, "staging label %s of source secret %s cannot be moved", label, c.SecretID)
}
