package secretsmanager

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"api-destination-credentials/local/access"
)

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
var secretName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9/_+=.@-]{1,512}$`) })

// CreateSecret makes a secret, with a first version where a value is given.
func (s *Service) CreateSecret(ctx context.Context, in *secretsmanager.CreateSecretInput) (*secretsmanager.CreateSecretOutput, error) {
	if !secretName().MatchString(aws.ToString(in.Name)) {
		return nil, invalidParameter("Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
	}
	return s.create(ctx, "", in)
}

// CreateOwnedSecret makes a secret that owningService manages for its callers:
// only by way of that service may they change it. EventBridge keeps the
// credentials of connections in such secrets.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/service-linked-secrets.html
func (s *Service) CreateOwnedSecret(ctx context.Context, owningService string, in *secretsmanager.CreateSecretInput) (*secretsmanager.CreateSecretOutput, error) {
	owned := *in
	owned.Tags = append(slices.Clone(in.Tags), types.Tag{Key: aws.String("aws:secretsmanager:owningService"), Value: aws.String(owningService)})
	return s.create(ctx, owningService, &owned)
}

func (s *Service) create(ctx context.Context, owner string, in *secretsmanager.CreateSecretInput) (*secretsmanager.CreateSecretOutput, error) {
	if len(in.AddReplicaRegions) > 0 || in.Type != nil {
		return nil, invalidParameter("AddReplicaRegions and Type: the local endpoint keeps plain secrets in one Region; leave them out")
	}
	name := aws.ToString(in.Name)
	made := &secret{
		arn: s.newARN(name), name: name, description: aws.ToString(in.Description), key: aws.ToString(in.KmsKeyId), owner: owner,
		tags: in.Tags, created: s.Clock.Now(), changed: s.Clock.Now(), stages: map[string]string{},
	}
	conditions := map[string]string{"secretsmanager:Name": name}
	for _, tag := range in.Tags {
		conditions["aws:RequestTag/"+aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	if err := s.Auth.Authorize(ctx, access.Request{Action: "secretsmanager:CreateSecret", Resource: made.arn, Conditions: conditions}); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.purge()
	for _, one := range s.secrets {
		switch {
		case one.name != name:
		case !one.condemned.IsZero():
			return nil, invalidRequest("You can't create this secret because a secret with this name is already scheduled for deletion.")
		default:
			return nil, &types.ResourceExistsException{Message: aws.String(fmt.Sprintf("The operation failed because the secret %s already exists.", name))}
		}
	}
	answer := &secretsmanager.CreateSecretOutput{ARN: aws.String(made.arn), Name: aws.String(name)}
	if given := valueOf(in.SecretString, in.SecretBinary); given != nil {
		first, err := s.add(ctx, made, in.ClientRequestToken, given)
		if err != nil {
			return nil, err
		}
		made.stages[current] = first.id
		answer.VersionId = aws.String(first.id)
	}
	s.secrets = append(s.secrets, made)
	return answer, nil
}

// DescribeSecret shows everything but the values.
func (s *Service) DescribeSecret(ctx context.Context, in *secretsmanager.DescribeSecretInput) (*secretsmanager.DescribeSecretOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.find(in.SecretId)
	if err != nil {
		if denied := s.askFor(ctx, "DescribeSecret", aws.ToString(in.SecretId)); denied != nil {
			return nil, denied
		}
		return nil, err
	}
	if err := s.ask(ctx, "DescribeSecret", found, nil); err != nil {
		return nil, err
	}
	return &secretsmanager.DescribeSecretOutput{
		ARN: aws.String(found.arn), Name: aws.String(found.name), Description: optional(found.description), KmsKeyId: optional(found.key),
		OwningService: optional(found.owner), Tags: found.tags, VersionIdsToStages: found.versionsToStages(),
		RotationEnabled: optionalBool(found.rotation.enabled), RotationLambdaARN: optional(found.rotation.function), RotationRules: found.rotation.rules,
		LastRotatedDate: found.rotation.last(), NextRotationDate: moment(found.rotation.next),
		CreatedDate: moment(found.created), LastChangedDate: moment(found.changed), LastAccessedDate: moment(found.accessed), DeletedDate: moment(found.deleted),
	}, nil
}

func (one *secret) versionsToStages() map[string][]string {
	shown := map[string][]string{}
	for label, id := range one.stages {
		shown[id] = append(shown[id], label)
	}
	for id := range shown {
		slices.Sort(shown[id])
	}
	return shown
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return aws.String(text)
}

func optionalBool(set bool) *bool {
	if !set {
		return nil
	}
	return aws.Bool(true)
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return aws.Time(t)
}

// UpdateSecret changes the description, the key or the value.
func (s *Service) UpdateSecret(ctx context.Context, in *secretsmanager.UpdateSecretInput) (*secretsmanager.UpdateSecretOutput, error) {
	s.mu.Lock()
	moves := &moved{}
	defer moves.announce(ctx, s)
	defer s.mu.Unlock()
	found, err := s.writable(ctx, "UpdateSecret", in.SecretId)
	if err != nil {
		return nil, err
	}
	if in.KmsKeyId != nil && *in.KmsKeyId != found.key {
		if err := s.reencrypt(ctx, found, *in.KmsKeyId); err != nil {
			return nil, err
		}
	}
	answer := &secretsmanager.UpdateSecretOutput{ARN: aws.String(found.arn), Name: aws.String(found.name)}
	if given := valueOf(in.SecretString, in.SecretBinary); given != nil {
		if found.version(aws.ToString(in.ClientRequestToken)) != nil {
			return nil, tokenUsed(found, aws.ToString(in.ClientRequestToken))
		}
		made, err := s.add(ctx, found, in.ClientRequestToken, given)
		if err != nil {
			return nil, err
		}
		found.label(made.id, []string{current}, moves)
		answer.VersionId = aws.String(made.id)
	}
	if in.Description != nil {
		found.description = *in.Description
	}
	found.changed = s.Clock.Now()
	return answer, nil
}

// writable finds a secret that the caller may change; a managed secret is
// changed by way of its owner only. It needs the lock held.
func (s *Service) writable(ctx context.Context, action string, id *string) (*secret, error) {
	found, err := s.alive(ctx, action, id, nil)
	if err != nil {
		return nil, err
	}
	if found.owner != "" && !s.speaksFor(ctx, found.owner) {
		return nil, invalidRequest("Operation is not allowed on secret owned by " + found.owner)
	}
	return found, nil
}

// speaksFor tells whether the call is a service's own or comes by way of it.
func (s *Service) speaksFor(ctx context.Context, owner string) bool {
	caller := access.Caller(ctx)
	return strings.HasPrefix(caller.Via, owner+".") || strings.HasPrefix(caller.Service, owner+".")
}

// DeleteSecret marks a secret for deletion after 7 to 30 days, or removes it at once.
func (s *Service) DeleteSecret(ctx context.Context, in *secretsmanager.DeleteSecretInput) (*secretsmanager.DeleteSecretOutput, error) {
	force := aws.ToBool(in.ForceDeleteWithoutRecovery)
	days := int64(30)
	if in.RecoveryWindowInDays != nil {
		days = *in.RecoveryWindowInDays
	}
	if force && in.RecoveryWindowInDays != nil {
		return nil, invalidParameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	}
	if days < 7 || days > 30 {
		return nil, invalidParameter("RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.writable(ctx, "DeleteSecret", in.SecretId)
	if err != nil {
		return nil, err
	}
	found.deleted = s.Clock.Now()
	found.condemned = found.deleted.AddDate(0, 0, int(days))
	if force {
		found.condemned = found.deleted
	}
	return &secretsmanager.DeleteSecretOutput{ARN: aws.String(found.arn), Name: aws.String(found.name), DeletionDate: aws.Time(found.condemned)}, nil
}

// RestoreSecret takes the mark for deletion away.
func (s *Service) RestoreSecret(ctx context.Context, in *secretsmanager.RestoreSecretInput) (*secretsmanager.RestoreSecretOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.find(in.SecretId)
	if err != nil {
		return nil, err
	}
	if err := s.ask(ctx, "RestoreSecret", found, nil); err != nil {
		return nil, err
	}
	found.deleted, found.condemned = time.Time{}, time.Time{}
	s.arrange()
	return &secretsmanager.RestoreSecretOutput{ARN: aws.String(found.arn), Name: aws.String(found.name)}, nil
}

// ListSecrets lists secrets in order of creation.
func (s *Service) ListSecrets(ctx context.Context, in *secretsmanager.ListSecretsInput) (*secretsmanager.ListSecretsOutput, error) {
	if err := s.Auth.Authorize(ctx, access.Request{Action: "secretsmanager:ListSecrets", Resource: "*"}); err != nil {
		return nil, err
	}
	if in.SortBy != "" || in.SortOrder != "" {
		return nil, invalidParameter("SortBy and SortOrder: the local endpoint lists in order of creation; leave them out")
	}
	for _, filter := range in.Filters {
		if filter.Key != types.FilterNameStringTypeName {
			return nil, invalidParameter(fmt.Sprintf("Filters: the local endpoint filters by name only, not by %s", filter.Key))
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.purge()
	entries := []types.SecretListEntry{}
	for _, one := range s.secrets {
		if !one.condemned.IsZero() && !aws.ToBool(in.IncludePlannedDeletion) || !one.passes(in.Filters) {
			continue
		}
		entries = append(entries, types.SecretListEntry{
			ARN: aws.String(one.arn), Name: aws.String(one.name), Description: optional(one.description), KmsKeyId: optional(one.key),
			OwningService: optional(one.owner), Tags: one.tags, SecretVersionsToStages: one.versionsToStages(),
			RotationEnabled: optionalBool(one.rotation.enabled), RotationLambdaARN: optional(one.rotation.function), RotationRules: one.rotation.rules,
			LastRotatedDate: one.rotation.last(), NextRotationDate: moment(one.rotation.next),
			CreatedDate: moment(one.created), LastChangedDate: moment(one.changed), LastAccessedDate: moment(one.accessed), DeletedDate: moment(one.deleted),
		})
	}
	shown, next, err := page(entries, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &secretsmanager.ListSecretsOutput{SecretList: shown, NextToken: next}, nil
}

// passes tells whether the name begins with one of each filter's values.
func (one *secret) passes(filters []types.Filter) bool {
	for _, filter := range filters {
		if !slices.ContainsFunc(filter.Values, func(prefix string) bool { return strings.HasPrefix(one.name, prefix) }) {
			return false
		}
	}
	return true
}

// TagResource adds tags or gives them new values.
func (s *Service) TagResource(ctx context.Context, in *secretsmanager.TagResourceInput) (*secretsmanager.TagResourceOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.writable(ctx, "TagResource", in.SecretId)
	if err != nil {
		return nil, err
	}
	tags := map[string]string{}
	for _, tag := range slices.Concat(found.tags, in.Tags) {
		tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	found.tags = nil
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		found.tags = append(found.tags, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return &secretsmanager.TagResourceOutput{}, nil
}

// UntagResource takes tags away.
func (s *Service) UntagResource(ctx context.Context, in *secretsmanager.UntagResourceInput) (*secretsmanager.UntagResourceOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.writable(ctx, "UntagResource", in.SecretId)
	if err != nil {
		return nil, err
	}
	found.tags = slices.DeleteFunc(slices.Clone(found.tags), func(tag types.Tag) bool { return slices.Contains(in.TagKeys, aws.ToString(tag.Key)) })
	return &secretsmanager.UntagResourceOutput{}, nil
}
