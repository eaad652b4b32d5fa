package compare

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecret.html
func updates(s *secretStory) []step {
	update := func(in secretsmanager.UpdateSecretInput) call {
		return func(ctx context.Context) (string, error) {
			in.SecretId = &s.name
			out, err := s.client.UpdateSecret(ctx, &in)
			if err != nil {
				return "", err
			}
			return aws.ToString(out.Name) + " " + aws.ToString(out.VersionId), nil
		}
	}
	return []step{
		{name: "create", do: s.create(v1, "one"), want: "secret v1"},
		{name: "a new value", do: update(secretsmanager.UpdateSecretInput{ClientRequestToken: aws.String(v2), SecretString: aws.String("two")}), want: "secret v2"},
		{name: "it is current", do: s.labels, want: "v1 [AWSPREVIOUS], v2 [AWSCURRENT]"},
		{name: "a token that was used, other value", do: update(secretsmanager.UpdateSecretInput{ClientRequestToken: aws.String(v1), SecretString: aws.String("x")}), want: "ResourceExistsException",
			words: "You can't use ClientRequestToken v1 because that value is already in use for a version of secret ARN."},
		{name: "a description alone makes no version", do: update(secretsmanager.UpdateSecretInput{Description: aws.String("of two")}), want: "secret "},
		{name: "labels are as before", do: s.labels, want: "v1 [AWSPREVIOUS], v2 [AWSCURRENT]"},
		{name: "a third value drops the first", do: update(secretsmanager.UpdateSecretInput{ClientRequestToken: aws.String(v3), SecretBinary: []byte("three")}), want: "secret v3"},
		{name: "labels of the last two", do: s.labels, want: "v2 [AWSPREVIOUS], v3 [AWSCURRENT]",
			moto: "differs: shows deprecated versions; API_DescribeSecret"},
		{name: "bytes are given back as bytes", do: s.get("", ""), want: "v3 [AWSCURRENT] three"},
	}
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html
func deletion(s *secretStory) []step {
	remove := func(days int64, force bool) call {
		return func(ctx context.Context) (string, error) {
			in := &secretsmanager.DeleteSecretInput{SecretId: &s.name}
			if days != 0 {
				in.RecoveryWindowInDays = &days
			}
			if force {
				in.ForceDeleteWithoutRecovery = &force
			}
			out, err := s.client.DeleteSecret(ctx, in)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%s in %d days", aws.ToString(out.Name), int(time.Until(aws.ToTime(out.DeletionDate)).Round(time.Hour).Hours()/24)), nil
		}
	}
	restore := func(ctx context.Context) (string, error) {
		out, err := s.client.RestoreSecret(ctx, &secretsmanager.RestoreSecretInput{SecretId: &s.name})
		if err != nil {
			return "", err
		}
		return aws.ToString(out.ARN), nil
	}
	marked := func(ctx context.Context) (string, error) {
		seen, err := s.client.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &s.name})
		if err != nil {
			return "", err
		}
		return fmt.Sprint(seen.DeletedDate != nil), nil
	}
	const refused = "You can't perform this operation on the secret because it was marked for deletion."
	return []step{
		{name: "delete what is not there", do: remove(0, false), want: "ResourceNotFoundException", words: "Secrets Manager can't find the specified secret."},
		{name: "create", do: s.create(v1, "one"), want: "secret v1"},
		{name: "a recovery window that is too short", do: remove(6, false), want: "InvalidParameterException"},
		{name: "a recovery window that is too long", do: remove(31, false), want: "InvalidParameterException"},
		{name: "a recovery window and none", do: remove(7, true), want: "InvalidParameterException"},
		{name: "it is not marked", do: marked, want: "false"},
		{name: "delete", do: remove(7, false), want: "secret in 7 days"},
		{name: "it can be described", do: marked, want: "true"},
		{name: "it has no value to be read", do: s.get("", ""), want: "InvalidRequestException", words: refused,
			moto: "differs: other words; recorded: as here"},
		{name: "it takes no value", do: s.put(v2, "two"), want: "InvalidRequestException", words: refused,
			moto: "differs: takes it; API_DeleteSecret: no operation but restore and describe"},
		{name: "its labels stay where they are", do: s.move("held", "", v1), want: "InvalidRequestException", words: refused,
			moto: "differs: moves them; API_DeleteSecret: no operation but restore and describe"},
		{name: "its name is taken", do: s.create(v2, "two"), want: "InvalidRequestException", words: "You can't create this secret because a secret with this name is already scheduled for deletion.",
			moto: "differs: makes the secret anew; API_CreateSecret: InvalidRequestException"},
		{name: "restore", do: restore, want: "ARN"},
		{name: "it is not marked any longer", do: marked, want: "false"},
		{name: "it has its value", do: s.get("", ""), want: "v1 [AWSCURRENT] one",
			moto: "differs: as it took another one while it was deleted"},
		{name: "delete for 30 days", do: remove(0, false), want: "secret in 30 days"},
		{name: "restore again", do: restore, want: "ARN"},
		{name: "delete at once", do: remove(0, true), want: "secret in 0 days"},
		{name: "it is gone", do: s.get("", ""), slow: true, want: "ResourceNotFoundException", words: "Secrets Manager can't find the specified secret."},
		{name: "restore what is gone", do: restore, want: "ResourceNotFoundException"},
		{name: "its name is free", do: s.create(v1, "anew"), slow: true, want: "secret v1"},
	}
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
func noValueYet(s *secretStory) []step {
	return []step{
		{name: "create", do: s.create(v1, ""), want: "secret "},
		{name: "no value", do: s.get("", ""), want: "ResourceNotFoundException", words: "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"},
		{name: "no labels", do: s.labels, want: ""},
		{name: "no versions", do: s.versions(true), want: ""},
		{name: "the first value", do: s.put(v1, "one"), want: "v1 [AWSCURRENT]"},
		{name: "has nothing before it", do: s.labels, want: "v1 [AWSCURRENT]"},
		{name: "a label for a version that was not made", do: s.move("AWSPENDING", "", v2), want: "ResourceNotFoundException",
			moto: "differs: InvalidParameterException; API_UpdateSecretVersionStage has both errors and does not say"},
	}
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
func description(s *secretStory) []step {
	create := func(ctx context.Context) (string, error) {
		made, err := s.client.CreateSecret(ctx, &secretsmanager.CreateSecretInput{
			Name: &s.name, Description: aws.String("for comparison"), ClientRequestToken: aws.String(v1), SecretBinary: []byte{0xff, 0},
			Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}, {Key: aws.String("stage"), Value: aws.String("test")}},
		})
		if err != nil {
			return "", err
		}
		s.arn = aws.ToString(made.ARN)
		return aws.ToString(made.VersionId), nil
	}
	describe := func(id *string) call {
		return func(ctx context.Context) (string, error) {
			seen, err := s.client.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: id})
			if err != nil {
				return "", err
			}
			var tags []string
			for _, tag := range seen.Tags {
				tags = append(tags, aws.ToString(tag.Key)+"="+aws.ToString(tag.Value))
			}
			return strings.Join([]string{aws.ToString(seen.ARN), aws.ToString(seen.Name), aws.ToString(seen.Description), sorted(tags), fmt.Sprint(aws.ToBool(seen.RotationEnabled))}, " "), nil
		}
	}
	tag := func(ctx context.Context) (string, error) {
		_, err := s.client.TagResource(ctx, &secretsmanager.TagResourceInput{
			SecretId: &s.name, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("b")}, {Key: aws.String("new"), Value: aws.String("")}},
		})
		return "tagged", err
	}
	untag := func(ctx context.Context) (string, error) {
		_, err := s.client.UntagResource(ctx, &secretsmanager.UntagResourceInput{SecretId: &s.name, TagKeys: []string{"stage", "unknown"}})
		return "untagged", err
	}
	list := func(ctx context.Context) (string, error) {
		listed, err := s.client.ListSecrets(ctx, &secretsmanager.ListSecretsInput{Filters: []types.Filter{{Key: types.FilterNameStringTypeName, Values: []string{s.name}}}})
		if err != nil {
			return "", err
		}
		var names []string
		for _, one := range listed.SecretList {
			names = append(names, aws.ToString(one.Name)+" "+aws.ToString(one.Description)+" "+fmt.Sprint(one.SecretVersionsToStages))
		}
		return strings.Join(names, ", "), nil
	}
	return []step{
		{name: "create with bytes and tags", do: create, want: "v1"},
		{name: "describe by name", do: describe(&s.name), want: "ARN secret for comparison [stage=test team=a] false"},
		{name: "describe by ARN", do: func(ctx context.Context) (string, error) { return describe(&s.arn)(ctx) }, want: "ARN secret for comparison [stage=test team=a] false"},
		{name: "bytes are not text", do: s.get("", ""), want: "v1 [AWSCURRENT] \xff\x00"},
		{name: "tag anew", do: tag, want: "tagged"},
		{name: "take tags away", do: untag, want: "untagged"},
		{name: "tags after that", do: describe(&s.name), want: "ARN secret for comparison [new= team=b] false"},
		{name: "list by name", do: list, slow: true, want: "secret for comparison map[v1:[AWSCURRENT]]"},
		{name: "describe what is not there", do: describe(aws.String(s.name + "-not")), want: "ResourceNotFoundException", words: "Secrets Manager can't find the specified secret."},
		{name: "tag what is not there", do: func(ctx context.Context) (string, error) {
			_, err := s.client.TagResource(ctx, &secretsmanager.TagResourceInput{SecretId: aws.String(s.name + "-not"), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}})
			return "", err
		}, want: "ResourceNotFoundException"},
		{name: "an ARN of nothing", do: func(ctx context.Context) (string, error) {
			return describe(aws.String(strings.ReplaceAll(s.arn, s.name, "compare-nothing")))(ctx)
		}, want: "ResourceNotFoundException"},
	}
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
func rotation(s *secretStory) []step {
	rotate := func(in secretsmanager.RotateSecretInput) call {
		return func(ctx context.Context) (string, error) {
			in.SecretId = &s.name
			if in.RotationLambdaARN != nil { // one of this account, which is not there
				secret, _, _ := strings.Cut(s.arn, ":secret:")
				in.RotationLambdaARN = aws.String(strings.Replace(secret, ":secretsmanager:", ":lambda:", 1) + ":function:" + *in.RotationLambdaARN)
			}
			_, err := s.client.RotateSecret(ctx, &in)
			return "rotating", err
		}
	}
	cancel := func(ctx context.Context) (string, error) {
		out, err := s.client.CancelRotateSecret(ctx, &secretsmanager.CancelRotateSecretInput{SecretId: &s.name})
		if err != nil {
			return "", err
		}
		return aws.ToString(out.Name), nil
	}
	password := func(in secretsmanager.GetRandomPasswordInput, form string) call {
		return func(ctx context.Context) (string, error) {
			out, err := s.client.GetRandomPassword(ctx, &in)
			if err != nil {
				return "", err
			}
			return fmt.Sprint(regexp.MustCompile(form).MatchString(aws.ToString(out.RandomPassword))), nil
		}
	}
	function := aws.String("compare-nothing")
	rules := func(days int64, expression, duration string) *types.RotationRulesType {
		made := &types.RotationRulesType{}
		if days != 0 {
			made.AutomaticallyAfterDays = &days
		}
		if expression != "" {
			made.ScheduleExpression = &expression
		}
		if duration != "" {
			made.Duration = &duration
		}
		return made
	}
	with := func(given *types.RotationRulesType) call {
		return rotate(secretsmanager.RotateSecretInput{RotationLambdaARN: function, RotationRules: given})
	}
	return []step{
		{name: "rotate what is not there", do: rotate(secretsmanager.RotateSecretInput{}), want: "ResourceNotFoundException", words: "Secrets Manager can't find the specified secret."},
		{name: "create", do: s.create(v1, "one"), want: "secret v1"},
		{name: "rotate without a function", do: rotate(secretsmanager.RotateSecretInput{}), want: "InvalidRequestException", words: "No Lambda rotation function ARN is associated with this secret.",
			moto: "differs: rotates; recorded: as here"},
		{name: "rotate with a function that cannot be invoked", do: with(rules(30, "", "")), want: "AccessDeniedException",
			moto: "differs: ResourceNotFoundException; userguide troubleshoot_rotation: access denied"},
		{name: "rotate every 1001 days", do: with(rules(1001, "", "")), want: "InvalidParameterException"},
		{name: "rotate by days and by schedule", do: with(rules(30, "rate(10 days)", "")), want: "InvalidParameterException",
			moto: "differs: looks for the function first; API_RotationRulesType: one of the two"},
		{name: "rotate by half a schedule", do: with(rules(0, "rate(10", "")), want: "InvalidParameterException",
			moto: "differs: looks for the function first; API_RotationRulesType: cron or rate"},
		{name: "rotate with a token that is too short", do: rotate(secretsmanager.RotateSecretInput{RotationLambdaARN: function, ClientRequestToken: aws.String("short")}), want: "InvalidParameterException"},
		{name: "none of these left a version", do: s.labels, want: "v1 [AWSCURRENT]",
			moto: "differs: as it rotated without a function"},
		{name: "cancel where nothing rotates", do: cancel, want: "secret"},
		{name: "a random password", do: password(secretsmanager.GetRandomPasswordInput{}, `^.{32}$`), want: "true"},
		{name: "a random password of some characters", do: password(secretsmanager.GetRandomPasswordInput{PasswordLength: aws.Int64(40), ExcludePunctuation: aws.Bool(true), ExcludeUppercase: aws.Bool(true), ExcludeCharacters: aws.String("abc")}, `^[d-z0-9]{40}$`), want: "true"},
		{name: "a random password that is too short", do: password(secretsmanager.GetRandomPasswordInput{PasswordLength: aws.Int64(3)}, ``), want: "InvalidParameterException"},
	}
}
