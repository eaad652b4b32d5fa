package compare

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

func TestSecretsManagerDoesAsAWSDocuments(t *testing.T) {
	stories := map[string]func(*secretStory) []step{
		"values and labels": valuesAndLabels,
		"moves of labels":   movesOfLabels,
		"updates":           updates,
		"deletion":          deletion,
		"no value yet":      noValueYet,
		"description":       description,
		"rotation":          rotation,
	}
	for _, on := range targets(t) {
		t.Run(on.name, func(t *testing.T) {
			for _, name := range slices.Sorted(maps.Keys(stories)) {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					story := newSecretStory(t, on)
					play(t, on, story.names, stories[name](story))
				})
			}
		})
	}
}

// Versions are named by the tokens they are made with.
const (
	v1 = "11111111-1111-4111-8111-111111111111"
	v2 = "22222222-2222-4222-8222-222222222222"
	v3 = "33333333-3333-4333-8333-333333333333"
	v4 = "44444444-4444-4444-8444-444444444444"
)

// secretStory is one secret of one implementation.
type secretStory struct {
	client *secretsmanager.Client
	name   string
	arn    string
}

func newSecretStory(t *testing.T, on target) *secretStory {
	s := &secretStory{client: secretsmanager.NewFromConfig(on.aws), name: unique("secret")}
	t.Cleanup(func() {
		// What a story deletes itself is gone.
		_, _ = s.client.DeleteSecret(context.Background(), &secretsmanager.DeleteSecretInput{SecretId: &s.name, ForceDeleteWithoutRecovery: aws.Bool(true)})
	})
	return s
}

func (s *secretStory) names() *strings.Replacer {
	pairs := []string{s.name, "secret", v1, "v1", v2, "v2", v3, "v3", v4, "v4"}
	if s.arn != "" {
		pairs = append([]string{s.arn, "ARN"}, pairs...)
	}
	return strings.NewReplacer(pairs...)
}

type call = func(context.Context) (string, error)

func (s *secretStory) create(token, value string) call {
	return func(ctx context.Context) (string, error) {
		in := &secretsmanager.CreateSecretInput{Name: &s.name, ClientRequestToken: &token}
		if value != "" {
			in.SecretString = &value
		}
		made, err := s.client.CreateSecret(ctx, in)
		if err != nil {
			return "", err
		}
		if !regexp.MustCompile(`:secret:` + regexp.QuoteMeta(s.name) + `-[A-Za-z0-9]{6}$`).MatchString(aws.ToString(made.ARN)) {
			return "an ARN like " + aws.ToString(made.ARN), nil
		}
		s.arn = *made.ARN
		return aws.ToString(made.Name) + " " + aws.ToString(made.VersionId), nil
	}
}

func (s *secretStory) put(token, value string, stages ...string) call {
	return func(ctx context.Context) (string, error) {
		made, err := s.client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
			SecretId: &s.name, ClientRequestToken: &token, SecretString: &value, VersionStages: stages,
		})
		if err != nil {
			return "", err
		}
		return aws.ToString(made.VersionId) + " " + sorted(made.VersionStages), nil
	}
}

func (s *secretStory) get(version, stage string) call {
	return func(ctx context.Context) (string, error) {
		in := &secretsmanager.GetSecretValueInput{SecretId: &s.name}
		if version != "" {
			in.VersionId = &version
		}
		if stage != "" {
			in.VersionStage = &stage
		}
		got, err := s.client.GetSecretValue(ctx, in)
		if err != nil {
			return "", err
		}
		return aws.ToString(got.VersionId) + " " + sorted(got.VersionStages) + " " + aws.ToString(got.SecretString) + string(got.SecretBinary), nil
	}
}

// move leaves out what is empty.
func (s *secretStory) move(stage, from, to string) call {
	return func(ctx context.Context) (string, error) {
		in := &secretsmanager.UpdateSecretVersionStageInput{SecretId: &s.name, VersionStage: &stage}
		if from != "" {
			in.RemoveFromVersionId = &from
		}
		if to != "" {
			in.MoveToVersionId = &to
		}
		out, err := s.client.UpdateSecretVersionStage(ctx, in)
		if err != nil {
			return "", err
		}
		return aws.ToString(out.ARN) + " " + aws.ToString(out.Name), nil
	}
}

// labels are what DescribeSecret shows.
func (s *secretStory) labels(ctx context.Context) (string, error) {
	seen, err := s.client.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &s.name})
	if err != nil {
		return "", err
	}
	var lines []string
	for _, id := range slices.Sorted(maps.Keys(seen.VersionIdsToStages)) {
		lines = append(lines, id+" "+sorted(seen.VersionIdsToStages[id]))
	}
	return strings.Join(lines, ", "), nil
}

func (s *secretStory) versions(deprecated bool) call {
	return func(ctx context.Context) (string, error) {
		listed, err := s.client.ListSecretVersionIds(ctx, &secretsmanager.ListSecretVersionIdsInput{SecretId: &s.name, IncludeDeprecated: &deprecated})
		if err != nil {
			return "", err
		}
		var lines []string
		for _, one := range listed.Versions {
			lines = append(lines, aws.ToString(one.VersionId)+" "+sorted(one.VersionStages))
		}
		slices.Sort(lines)
		return strings.Join(lines, ", "), nil
	}
}

func sorted(list []string) string {
	return "[" + strings.Join(slices.Sorted(slices.Values(list)), " ") + "]"
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
func valuesAndLabels(s *secretStory) []step {
	return []step{
		{name: "a secret that is not there has no value", do: s.get("", ""), want: "ResourceNotFoundException", words: "Secrets Manager can't find the specified secret."},
		{name: "create with a value", do: s.create(v1, "one"), want: "secret v1"},
		{name: "create under a name that is taken", do: s.create(v2, "one"), want: "ResourceExistsException", words: "The operation failed because the secret secret already exists."},
		{name: "get the current value", do: s.get("", ""), want: "v1 [AWSCURRENT] one"},
		{name: "a new value is current", do: s.put(v2, "two"), want: "v2 [AWSCURRENT]"},
		{name: "the former value is previous", do: s.labels, want: "v1 [AWSPREVIOUS], v2 [AWSCURRENT]"},
		{name: "get the previous value", do: s.get("", "AWSPREVIOUS"), want: "v1 [AWSPREVIOUS] one"},
		{name: "a pending value leaves the current one", do: s.put(v3, "three", "AWSPENDING"), want: "v3 [AWSPENDING]"},
		{name: "get the pending value", do: s.get("", "AWSPENDING"), want: "v3 [AWSPENDING] three"},
		{name: "same token, same value", do: s.put(v3, "three", "AWSPENDING"), want: "v3 [AWSPENDING]"},
		{name: "same token, other value", do: s.put(v3, "other", "AWSPENDING"), want: "ResourceExistsException",
			words: "You can't use ClientRequestToken v3 because that value is already in use for a version of secret ARN.",
			moto:  "differs: takes the other value; API_PutSecretValue: ResourceExistsException"},
		{name: "same token, same value, another label", do: s.put(v3, "three", "candidate"), want: "v3 [AWSPENDING candidate]",
			moto: "differs: sets the labels anew; API_PutSecretValue: a version has the labels of all requests"},
		{name: "labels after all that", do: s.labels, want: "v1 [AWSPREVIOUS], v2 [AWSCURRENT], v3 [AWSPENDING candidate]",
			moto: "differs: as AWSPENDING was taken off before"},
		{name: "a label that another version holds moves with a new value", do: s.put(v4, "four", "candidate"), want: "v4 [candidate]"},
		{name: "and leaves its holder", do: s.get(v3, ""), want: "v3 [AWSPENDING] three",
			moto: "differs: as AWSPENDING was taken off before"},
		{name: "version and label together", do: s.get(v2, "AWSCURRENT"), want: "v2 [AWSCURRENT] two"},
		{name: "version and label that do not belong together", do: s.get(v3, "AWSCURRENT"), want: "InvalidRequestException",
			words: "You provided a VersionStage that is not associated to the provided VersionId."},
		{name: "a label that no version has", do: s.get("", "nowhere"), want: "ResourceNotFoundException",
			words: "Secrets Manager can't find the specified secret value for staging label: nowhere",
			moto:  "differs: other words; recorded: as here"},
		{name: "a version that is not there", do: s.get("99999999-9999-4999-8999-999999999999", ""), want: "ResourceNotFoundException",
			words: "Secrets Manager can't find the specified secret value for VersionId: 99999999-9999-4999-8999-999999999999"},
		{name: "a token that is too short", do: s.put("short", "five"), want: "InvalidParameterException"},
		{name: "a value that is too long", do: s.put("55555555-5555-4555-8555-555555555555", strings.Repeat("x", 65537)), want: "InvalidParameterException",
			moto: "differs: takes it; API_PutSecretValue: at most 65,536 bytes"},
	}
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
func movesOfLabels(s *secretStory) []step {
	return []step{
		{name: "create", do: s.create(v1, "one"), want: "secret v1"},
		{name: "a second version", do: s.put(v2, "two"), want: "v2 [AWSCURRENT]"},
		{name: "a pending version", do: s.put(v3, "three", "AWSPENDING"), want: "v3 [AWSPENDING]"},
		{name: "a move that does not name the holder", do: s.move("AWSCURRENT", "", v3), want: "InvalidParameterException",
			words: "The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently attached to version v2, so you must explicitly reference that version in RemoveFromVersionId."},
		{name: "a move that names another version", do: s.move("AWSCURRENT", v1, v3), want: "InvalidParameterException"},
		{name: "neither move changed anything", do: s.labels, want: "v1 [AWSPREVIOUS], v2 [AWSCURRENT], v3 [AWSPENDING]"},
		{name: "a move that names the holder", do: s.move("AWSCURRENT", v2, v3), want: "ARN secret"},
		{name: "AWSPREVIOUS follows, and AWSPENDING stays", do: s.labels, want: "v2 [AWSPREVIOUS], v3 [AWSCURRENT AWSPENDING]",
			moto: "differs: shows deprecated versions; API_DescribeSecret: versions without labels are not included"},
		{name: "a version without labels is deprecated", do: s.versions(false), want: "v2 [AWSPREVIOUS], v3 [AWSCURRENT AWSPENDING]",
			moto: "differs: lists deprecated versions without IncludeDeprecated; API_ListSecretVersionIds"},
		{name: "and listed on request", do: s.versions(true), want: "v1 [], v2 [AWSPREVIOUS], v3 [AWSCURRENT AWSPENDING]"},
		{name: "and readable by its id", do: s.get(v1, ""), want: "v1 [] one"},
		{name: "AWSPENDING taken off", do: s.move("AWSPENDING", v3, ""), want: "ARN secret"},
		{name: "AWSPENDING is gone", do: s.labels, want: "v2 [AWSPREVIOUS], v3 [AWSCURRENT]",
			moto: "differs: shows deprecated versions; API_DescribeSecret"},
		{name: "a label of one's own, not attached before", do: s.move("held", "", v2), want: "ARN secret"},
		{name: "the same again", do: s.move("held", "", v2), want: "ARN secret"},
		{name: "a label of one's own, moved without its holder", do: s.move("held", "", v3), want: "InvalidParameterException",
			words: "The parameter RemoveFromVersionId can't be empty. Staging label held is currently attached to version v2, so you must explicitly reference that version in RemoveFromVersionId.",
			moto:  "differs: attaches it to both versions; API_UpdateSecretVersionStage: a label is attached to one version at a time"},
		{name: "a label of one's own, moved as a compare-and-swap", do: s.move("held", v2, v3), want: "ARN secret"},
		{name: "the swap that comes late", do: s.move("held", v2, v3), want: "InvalidParameterException",
			moto: "differs: swaps all the same; API_UpdateSecretVersionStage: RemoveFromVersionId has to hold the label"},
		{name: "a label of one's own survives a move of AWSCURRENT", do: s.move("AWSCURRENT", v3, v2), want: "ARN secret"},
		{name: "labels after the rollback", do: s.labels, want: "v2 [AWSCURRENT], v3 [AWSPREVIOUS held]",
			moto: "differs: shows deprecated versions, and labels twice; API_DescribeSecret"},
		{name: "AWSCURRENT cannot be taken off", do: s.move("AWSCURRENT", v2, ""), want: "InvalidParameterException",
			moto: "differs: takes it off; userguide whats-in-a-secret: a secret always has a version labelled AWSCURRENT"},
		{name: "a move to a version that is not there", do: s.move("held", v3, v4), want: "ResourceNotFoundException",
			moto: "differs: InvalidParameterException; API_UpdateSecretVersionStage has both errors and does not say"},
	}
}
