package secretsmanager

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// Staging labels of Secrets Manager's own.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
	pending  = "AWSPENDING"
)

// maxLabels is how many labels a version can have.
const maxLabels = 20

func checkLabels(labels []string) error {
	if len(labels) > maxLabels {
		return &types.LimitExceededException{Message: aws.String(fmt.Sprintf("VersionStages has %d staging labels of at most %d", len(labels), maxLabels))}
	}
	for _, label := range labels {
		if label == "" || len(label) > 256 {
			return invalidParameter("VersionStages: a staging label has 1 to 256 characters")
		}
	}
	return nil
}

// UpdateSecretVersionStage moves a staging label to a version, or takes it off
// one. Where the label is attached, RemoveFromVersionId has to name its holder.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
func (s *Service) UpdateSecretVersionStage(ctx context.Context, in *secretsmanager.UpdateSecretVersionStageInput) (*secretsmanager.UpdateSecretVersionStageOutput, error) {
	stage, from, to := aws.ToString(in.VersionStage), aws.ToString(in.RemoveFromVersionId), aws.ToString(in.MoveToVersionId)
	if err := checkLabels([]string{stage}); err != nil {
		return nil, err
	}
	s.mu.Lock()
	moves := &moved{}
	defer moves.announce(ctx, s)
	defer s.mu.Unlock()
	found, err := s.alive(ctx, "UpdateSecretVersionStage", in.SecretId, map[string]string{"secretsmanager:VersionStage": stage})
	if err != nil {
		return nil, err
	}
	holder := found.stages[stage]
	switch {
	case from == "" && to == "":
		return nil, invalidParameter("Name the version that the staging label moves to in MoveToVersionId, or the one it leaves in RemoveFromVersionId.")
	case to != "" && found.version(to) == nil:
		return nil, notFound("Secrets Manager can't find the specified secret value for VersionId: " + to)
	case holder != "" && from == "" && holder != to:
		return nil, invalidParameter(fmt.Sprintf("The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to version %s, so you must explicitly reference that version in RemoveFromVersionId.", stage, holder))
	case from != "" && from != holder:
		return nil, invalidParameter(fmt.Sprintf("The parameter RemoveFromVersionId is not valid. Staging label %s is not attached to version %s.", stage, from))
	case to == "" && stage == current:
		return nil, invalidParameter("You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.")
	case to == "":
		delete(found.stages, stage)
	case len(found.labels(to)) >= maxLabels && holder != to:
		return nil, &types.LimitExceededException{Message: aws.String(fmt.Sprintf("Version %s has %d staging labels already", to, maxLabels))}
	default:
		found.label(to, []string{stage}, moves)
	}
	found.changed = s.Clock.Now()
	return &secretsmanager.UpdateSecretVersionStageOutput{ARN: aws.String(found.arn), Name: aws.String(found.name)}, nil
}

// label attaches labels to a version; AWSPREVIOUS goes where AWSCURRENT was.
func (one *secret) label(id string, labels []string, moves *moved) {
	for _, label := range labels {
		before := one.stages[label]
		if before == id {
			continue
		}
		if label == current && before != "" && !slices.Contains(labels, previous) {
			one.stages[previous] = before
		}
		one.stages[label] = id
		moves.note(one, label, id)
	}
}

// moved are the labels that an operation moved; they are announced once the
// lock is released.
type moved struct{ labels []movedLabel }

type movedLabel struct{ arn, name, label, id string }

// note leaves out the two labels that are never announced.
func (m *moved) note(one *secret, label, id string) {
	if label != pending && label != previous {
		m.labels = append(m.labels, movedLabel{one.arn, one.name, label, id})
	}
}

// https://docs.aws.amazon.com/secretsmanager/latest/userguide/monitoring-eventbridge.html
func (m *moved) announce(ctx context.Context, s *Service) {
	for _, one := range m.labels {
		s.Events.Publish(ctx, "aws.secretsmanager", "Secret Label Updated", []string{one.arn}, map[string]string{
			"name": one.name, "labelUpdated": one.label, "versionId": one.id,
		})
	}
}
