package secretsmanager

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// Limits of one secret.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
const (
	maxValue    = 65536 // bytes
	maxVersions = 100
	keepAtLeast = 24 * time.Hour // a version without labels
)

type value struct {
	text bool
	data []byte
}

func valueOf(text *string, binary []byte) *value {
	switch {
	case text != nil:
		return &value{true, []byte(*text)}
	case binary != nil:
		return &value{false, binary}
	}
	return nil
}

// GetSecretValue reads the value of a version, AWSCURRENT's where none is named.
func (s *Service) GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput) (*secretsmanager.GetSecretValueOutput, error) {
	conditions := map[string]string{}
	if in.VersionStage != nil {
		conditions["secretsmanager:VersionStage"] = *in.VersionStage
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.alive(ctx, "GetSecretValue", in.SecretId, conditions)
	if err != nil {
		return nil, err
	}
	wanted, err := found.pick(in.VersionId, in.VersionStage)
	if err != nil {
		return nil, err
	}
	data, err := s.open(ctx, found, wanted)
	if err != nil {
		return nil, err
	}
	found.accessed = s.Clock.Now().UTC().Truncate(24 * time.Hour)
	answer := &secretsmanager.GetSecretValueOutput{
		ARN: aws.String(found.arn), Name: aws.String(found.name), CreatedDate: aws.Time(wanted.created),
		VersionId: aws.String(wanted.id), VersionStages: slices.Sorted(slices.Values(found.labels(wanted.id))),
	}
	if wanted.text {
		answer.SecretString = aws.String(string(data))
	} else {
		answer.SecretBinary = data
	}
	return answer, nil
}

// pick finds the version that an id, a label or both name.
func (one *secret) pick(id, stage *string) (*version, error) {
	if id != nil && stage != nil && one.stages[*stage] != *id {
		return nil, invalidRequest("You provided a VersionStage that is not associated to the provided VersionId.")
	}
	if id != nil {
		if found := one.version(*id); found != nil && found.sealed != nil {
			return found, nil
		}
		return nil, notFound("Secrets Manager can't find the specified secret value for VersionId: " + *id)
	}
	label := current
	if stage != nil {
		label = *stage
	}
	if found := one.version(one.stages[label]); found != nil && found.sealed != nil {
		return found, nil
	}
	return nil, notFound("Secrets Manager can't find the specified secret value for staging label: " + label)
}

// PutSecretValue adds a version, as AWSCURRENT where no labels are given. The
// same token with the same value adds nothing but the labels.
func (s *Service) PutSecretValue(ctx context.Context, in *secretsmanager.PutSecretValueInput) (*secretsmanager.PutSecretValueOutput, error) {
	given := valueOf(in.SecretString, in.SecretBinary)
	if given == nil {
		return nil, invalidRequest("You must provide either SecretString or SecretBinary.")
	}
	stages := in.VersionStages
	if len(stages) == 0 {
		stages = []string{current}
	}
	if err := checkLabels(stages); err != nil {
		return nil, err
	}
	s.mu.Lock()
	moves := &moved{}
	defer moves.announce(ctx, s)
	defer s.mu.Unlock()
	found, err := s.writable(ctx, "PutSecretValue", in.SecretId)
	if err != nil {
		return nil, err
	}
	made := found.version(aws.ToString(in.ClientRequestToken))
	if made == nil || made.sealed == nil {
		made, err = s.add(ctx, found, in.ClientRequestToken, given)
	} else {
		err = s.same(ctx, found, made, given)
	}
	if err != nil {
		return nil, err
	}
	found.label(made.id, stages, moves)
	found.changed = s.Clock.Now()
	return &secretsmanager.PutSecretValueOutput{
		ARN: aws.String(found.arn), Name: aws.String(found.name), VersionId: aws.String(made.id),
		VersionStages: slices.Sorted(slices.Values(found.labels(made.id))),
	}, nil
}

// same refuses a token that was used for another value.
func (s *Service) same(ctx context.Context, target *secret, made *version, given *value) error {
	held, err := s.open(ctx, target, made)
	if err != nil {
		return err
	}
	if made.text != given.text || !bytes.Equal(held, given.data) {
		return tokenUsed(target, made.id)
	}
	return nil
}

func tokenUsed(target *secret, token string) error {
	return &types.ResourceExistsException{Message: aws.String(fmt.Sprintf(
		"You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.", token, target.arn))}
}

func checkToken(token string) error {
	switch {
	case token == "":
		return invalidParameter("You must provide a ClientRequestToken value. We recommend a UUID-type value.")
	case len(token) < 32 || len(token) > 64:
		return invalidParameter("ClientRequestToken must be 32-64 characters long.")
	}
	return nil
}

// add encrypts a value as a version without labels.
func (s *Service) add(ctx context.Context, target *secret, token *string, given *value) (*version, error) {
	id := aws.ToString(token)
	if err := checkToken(id); err != nil {
		return nil, err
	}
	if len(given.data) == 0 || len(given.data) > maxValue {
		return nil, invalidParameter(fmt.Sprintf("The secret value has %d bytes; it has to have 1 to %d.", len(given.data), maxValue))
	}
	made := target.version(id)
	if made == nil {
		made = &version{id: id, created: s.Clock.Now()}
		target.versions = append(target.versions, made)
	}
	if err := s.seal(ctx, target, made, given); err != nil {
		target.versions = slices.DeleteFunc(target.versions, func(v *version) bool { return v == made })
		return nil, err
	}
	s.written(target, id)
	target.collect(s.Clock.Now())
	return made, nil
}

// collect forgets the oldest versions without labels once there are too many.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
func (one *secret) collect(now time.Time) {
	surplus := len(one.versions) - maxVersions
	one.versions = slices.DeleteFunc(one.versions, func(v *version) bool {
		if surplus <= 0 || len(one.labels(v.id)) > 0 || now.Sub(v.created) < keepAtLeast {
			return false
		}
		surplus--
		return true
	})
}

// ListSecretVersionIds lists the versions that have labels, or all.
func (s *Service) ListSecretVersionIds(ctx context.Context, in *secretsmanager.ListSecretVersionIdsInput) (*secretsmanager.ListSecretVersionIdsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.alive(ctx, "ListSecretVersionIds", in.SecretId, nil)
	if err != nil {
		return nil, err
	}
	listed := &secretsmanager.ListSecretVersionIdsOutput{ARN: aws.String(found.arn), Name: aws.String(found.name), Versions: []types.SecretVersionsListEntry{}}
	for _, v := range found.versions {
		labels := slices.Sorted(slices.Values(found.labels(v.id)))
		if len(labels) == 0 && !aws.ToBool(in.IncludeDeprecated) {
			continue
		}
		listed.Versions = append(listed.Versions, types.SecretVersionsListEntry{
			VersionId: aws.String(v.id), VersionStages: labels, CreatedDate: aws.Time(v.created), KmsKeyIds: []string{found.keyID()},
		})
	}
	listed.Versions, listed.NextToken, err = page(listed.Versions, in.MaxResults, in.NextToken)
	return listed, err
}
