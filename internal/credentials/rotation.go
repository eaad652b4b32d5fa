package credentials

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"api-destination-credentials/internal/oauth"
	"api-destination-credentials/internal/secret"
)

// pending is the staging label of the version that a rotation prepares.
const pending = "AWSPENDING"

// Step is what Secrets Manager asks a rotation function for.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
type Step struct {
	Step               string
	SecretID           string `json:"SecretId"` // ARN
	ClientRequestToken string // the id of the version to make
}

// Versions is what a rotation does to the source secret beyond reading it.
type Versions interface {
	PutSecretValue(context.Context, *secretsmanager.PutSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error)
}

// Rotation rotates the client secret of a Cognito app client without a moment
// in which a secret that somebody uses is not accepted. Every step can be
// repeated and cut off anywhere.
type Rotation struct {
	*Syncer
	Versions    Versions
	Provider    Provider
	Destination Tokens // proves credentials at the destination too; nil where it is not ours
	Connection  Connection
}

// Handle does one step.
func (r Rotation) Handle(ctx context.Context, step Step) error {
	versions, err := r.staged(ctx, step)
	if err != nil {
		return err
	}
	token := step.ClientRequestToken
	if versions[Current] == token {
		r.Log.InfoContext(ctx, "rotation is done already", "step", step.Step, "versionId", token)
		return r.unstage(ctx, versions, token)
	}
	do := map[string]func(context.Context, map[string]string, string) error{
		"createSecret": r.create, "setSecret": r.set, "testSecret": r.test, "finishSecret": r.finish,
	}[step.Step]
	if do == nil {
		return fmt.Errorf("rotation step %q is not one of createSecret, setSecret, testSecret and finishSecret", step.Step)
	}
	if err := do(ctx, versions, token); err != nil {
		r.Log.ErrorContext(ctx, "rotation step failed", "step", step.Step, "versionId", token, "error", err.Error())
		return err
	}
	r.Log.InfoContext(ctx, "rotation step done", "step", step.Step, "versionId", token)
	return nil
}

// staged refuses what is not a rotation under way, as AWS's guide asks, and
// returns which version carries each staging label.
func (r Rotation) staged(ctx context.Context, step Step) (map[string]string, error) {
	if step.SecretID != r.Connection.SecretID {
		return nil, fmt.Errorf("this function rotates secret %s and not %s: give the other secret a function of its own", r.Connection.SecretID, step.SecretID)
	}
	described, err := r.Secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String(step.SecretID)})
	if err != nil {
		return nil, explain(err, "source secret %s cannot be described", step.SecretID)
	}
	if !aws.ToBool(described.RotationEnabled) {
		return nil, fmt.Errorf("secret %s has rotation turned off: turn it on (aws secretsmanager rotate-secret) before this function is called", step.SecretID)
	}
	labels := described.VersionIdsToStages[step.ClientRequestToken]
	if !slices.Contains(labels, Current) && !slices.Contains(labels, pending) {
		return nil, fmt.Errorf("version %s of secret %s is not staged for rotation: it carries neither %s nor %s", step.ClientRequestToken, step.SecretID, pending, Current)
	}
	return holders(described), nil
}

// create writes a client secret of our own making as AWSPENDING before anybody
// else knows it: this record is what makes every later step repeatable.
func (r Rotation) create(ctx context.Context, versions map[string]string, token string) error {
	_, err := r.Secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
		SecretId: aws.String(r.Connection.SecretID), VersionId: aws.String(token), VersionStage: aws.String(pending),
	})
	if err == nil {
		return nil
	}
	if !isCode(err, "ResourceNotFoundException") {
		return explain(err, "version %s of source secret %s cannot be read", token, r.Connection.SecretID)
	}
	text, err := r.next(ctx, versions[Current])
	if err != nil {
		return err
	}
	if _, err := r.Versions.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: aws.String(r.Connection.SecretID), ClientRequestToken: aws.String(token),
		SecretString: aws.String(text.Reveal()), VersionStages: []string{pending},
	}); err != nil {
		return explain(err, "the new client secret cannot be stored in source secret %s", r.Connection.SecretID)
	}
	return nil
}

// next is the current JSON with another client secret, whatever else it holds.
func (r Rotation) next(ctx context.Context, current string) (secret.Text, error) {
	answer, err := r.Secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(r.Connection.SecretID), VersionId: aws.String(current)})
	if err != nil {
		return secret.Text{}, explain(err, "version %s of source secret %s cannot be read", current, r.Connection.SecretID)
	}
	if _, err := r.Connection.parse(current, aws.ToString(answer.SecretString)); err != nil {
		return secret.Text{}, err
	}
	// Raw, so that numbers keep their digits.
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(aws.ToString(answer.SecretString)), &fields); err != nil {
		return secret.Text{}, errors.New("the source secret is not a JSON object")
	}
	fields[r.Connection.ClientSecretKey], _ = json.Marshal(newClientSecret()) // text always encodes
	text, err := json.Marshal(fields)
	return secret.New(string(text)), err
}

// newClientSecret has 52 characters of those that Cognito takes, 260 bits.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AddUserPoolClientSecret.html
func newClientSecret() string { return rand.Text() + rand.Text() }

// set makes the provider accept the pending client secret beside the current one.
func (r Rotation) set(ctx context.Context, versions map[string]string, token string) error {
	next, err := r.candidate(ctx, r.Connection, token)
	if err != nil {
		return err
	}
	alive, err := listClientSecrets(ctx, r.Provider, next.ClientID)
	if err != nil {
		return err
	}
	if isLabelled(alive, versions, token) {
		return nil
	}
	if len(alive) > 1 {
		// It may be there without its label, if an earlier attempt was cut off.
		err := r.prove(ctx, next)
		if err == nil {
			_, err = r.idOf(ctx, r.Connection, alive, versions, token, next)
			return err
		}
		if !errors.Is(err, oauth.ErrRejected) {
			return err
		}
	}
	if err := r.makeRoom(ctx, versions, alive); err != nil {
		return err
	}
	id, err := addClientSecret(ctx, r.Provider, next.ClientID, next.ClientSecret)
	if err != nil {
		return err
	}
	return r.moveID(ctx, r.Connection, id, versions, token)
}

// makeRoom knows the client secret of AWSCURRENT by its id and retires the
// other one, if there is one and the connection does not hold it.
func (r Rotation) makeRoom(ctx context.Context, versions map[string]string, alive []ClientSecret) error {
	c := r.Connection
	current, err := r.candidate(ctx, c, versions[Current])
	if err != nil {
		return err
	}
	if !isLabelled(alive, versions, versions[Current]) {
		if err := r.prove(ctx, current); err != nil {
			return err
		}
	}
	inUse, err := r.idOf(ctx, c, alive, versions, versions[Current], current)
	if err != nil || len(alive) < 2 {
		return err
	}
	shown, err := r.settled(ctx, c, time.Time{})
	if err != nil {
		return err
	}
	holds, err := r.holds(ctx, c, shown, current)
	if err != nil {
		return err
	}
	if !holds || versions[c.Label()] != versions[Current] {
		return fmt.Errorf("connection %s does not hold AWSCURRENT, so that neither of the two client secrets can make room for another: bring it in step first (the follower does, or a stack update)", c.Name)
	}
	return r.retire(ctx, c, r.Provider, current.ClientID, alive, versions, inUse)
}

// test obtains a token with the pending client secret and, where the
// destination is ours, shows it there. It may take a moment until the provider
// knows the secret everywhere.
func (r Rotation) test(ctx context.Context, _ map[string]string, token string) error {
	next, err := r.candidate(ctx, r.Connection, token)
	if err != nil {
		return err
	}
	tokens := r.Tokens
	if r.Destination != nil {
		tokens = r.Destination
	}
	const attempts = 6
	wait := pause{clock: r.Clock, next: time.Second}
	for attempt := 1; ; attempt++ {
		err := tokens.Prove(ctx, next)
		if err == nil || attempt == attempts || wait.sleep(ctx) != nil {
			return err
		}
	}
}

// finish switches the connection and only then moves AWSCURRENT.
func (r Rotation) finish(ctx context.Context, versions map[string]string, token string) error {
	if _, err := r.hold(ctx, r.Connection, versions, token); err != nil {
		return err
	}
	if err := r.moveLabel(ctx, r.Connection, Current, versions[Current], token); err != nil {
		return err
	}
	return r.unstage(ctx, versions, token)
}

// unstage takes AWSPENDING off the version that is AWSCURRENT now. Left there,
// it would make a rotation look unfinished as soon as somebody puts another
// version by hand, and block the next one.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
func (r Rotation) unstage(ctx context.Context, versions map[string]string, token string) error {
	if versions[pending] != token {
		return nil
	}
	return r.moveLabel(ctx, r.Connection, pending, token, "")
}
