package cloudformation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
)

// dynamicReference matches a reference to a value that lives elsewhere.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html
var dynamicReference = regexp.MustCompile(`\{\{resolve:([a-z-]+):([^{}]*)\}\}`)

// checkDynamicReferences refuses references that cannot be resolved here.
func checkDynamicReferences(value any) error {
	_, err := mapText(value, func(text string) (string, error) {
		for _, match := range dynamicReference.FindAllStringSubmatch(text, -1) {
			if match[1] != "secretsmanager" {
				return "", invalid("The local endpoint does not know dynamic references to %s (%s): use secretsmanager", match[1], match[0])
			}
			if _, err := readSecretReference(match[2]); err != nil {
				return "", err
			}
		}
		return text, nil
	})
	return err
}

// withSecrets returns properties with their dynamic references replaced.
// Secrets are read anew each time and kept nowhere.
func (s *Service) withSecrets(ctx context.Context, properties map[string]any) (map[string]any, error) {
	resolved, err := mapText(map[string]any(properties), func(text string) (string, error) {
		var failed error
		replaced := dynamicReference.ReplaceAllStringFunc(text, func(found string) string {
			match := dynamicReference.FindStringSubmatch(found)
			value, err := s.secret(ctx, match[2])
			if err != nil && failed == nil {
				failed = err
			}
			return value
		})
		return replaced, failed
	})
	if err != nil {
		return nil, err
	}
	return resolved.(map[string]any), nil
}

// secretReference is secretsmanager:ID:SecretString:KEY:STAGE:VERSION.
type secretReference struct{ id, key, stage, version string }

func readSecretReference(text string) (secretReference, error) {
	fields := strings.Split(text, ":")
	if fields[0] == "arn" && len(fields) >= 7 {
		fields = append([]string{strings.Join(fields[:7], ":")}, fields[7:]...)
	}
	if fields[0] == "" || len(fields) > 5 || len(fields) > 1 && fields[1] != "SecretString" && fields[1] != "" {
		return secretReference{}, invalid("Invalid dynamic reference {{resolve:secretsmanager:%s}}: write {{resolve:secretsmanager:secret-id:SecretString:json-key:version-stage:version-id}}", text)
	}
	fields = append(fields, make([]string, 5-len(fields))...)
	r := secretReference{id: fields[0], key: fields[2], stage: fields[3], version: fields[4]}
	if r.stage != "" && r.version != "" {
		return r, invalid("Invalid dynamic reference {{resolve:secretsmanager:%s}}: give a version stage or a version id, not both", text)
	}
	return r, nil
}

func (s *Service) secret(ctx context.Context, text string) (string, error) {
	r, err := readSecretReference(text)
	if err != nil {
		return "", err
	}
	in := &secretsmanager.GetSecretValueInput{SecretId: aws.String(r.id)}
	if r.stage != "" {
		in.VersionStage = aws.String(r.stage)
	}
	if r.version != "" {
		in.VersionId = aws.String(r.version)
	}
	out, err := s.Secrets.GetSecretValue(ctx, in)
	if err != nil {
		return "", secretFailure(err)
	}
	whole := aws.ToString(out.SecretString)
	if r.key == "" {
		return whole, nil
	}
	var members map[string]any
	decoder := json.NewDecoder(strings.NewReader(whole))
	decoder.UseNumber()
	if err := decoder.Decode(&members); err != nil {
		return "", invalid("Could not parse SecretString JSON")
	}
	value, ok := members[r.key]
	if !ok {
		return "", invalid("Could not find a value associated with JSONKey in SecretString")
	}
	if text, ok := value.(string); ok {
		return text, nil
	}
	inner, err := json.Marshal(value)
	return string(inner), err
}

func secretFailure(err error) error {
	var refused smithy.APIError
	if !errors.As(err, &refused) {
		return err
	}
	return fmt.Errorf("%s (Service: AWSSecretsManager; Status Code: 400; Error Code: %s)", refused.ErrorMessage(), refused.ErrorCode())
}

// mapText copies a value with every text in it changed.
func mapText(value any, change func(string) (string, error)) (any, error) {
	switch value := value.(type) {
	case string:
		return change(value)
	case map[string]any:
		changed := make(map[string]any, len(value))
		for key, member := range value {
			var err error
			if changed[key], err = mapText(member, change); err != nil {
				return nil, err
			}
		}
		return changed, nil
	case []any:
		changed := make([]any, len(value))
		for i, item := range value {
			var err error
			if changed[i], err = mapText(item, change); err != nil {
				return nil, err
			}
		}
		return changed, nil
	}
	return value, nil
}
