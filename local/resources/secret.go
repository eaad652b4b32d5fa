package resources

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"api-destination-credentials/local/cloudformation"
)

// Secrets is AWS Secrets Manager.
type Secrets interface {
	CreateSecret(context.Context, *secretsmanager.CreateSecretInput) (*secretsmanager.CreateSecretOutput, error)
	UpdateSecret(context.Context, *secretsmanager.UpdateSecretInput) (*secretsmanager.UpdateSecretOutput, error)
	DeleteSecret(context.Context, *secretsmanager.DeleteSecretInput) (*secretsmanager.DeleteSecretOutput, error)
	RotateSecret(context.Context, *secretsmanager.RotateSecretInput) (*secretsmanager.RotateSecretOutput, error)
	CancelRotateSecret(context.Context, *secretsmanager.CancelRotateSecretInput) (*secretsmanager.CancelRotateSecretOutput, error)
	PutResourcePolicy(context.Context, *secretsmanager.PutResourcePolicyInput) (*secretsmanager.PutResourcePolicyOutput, error)
	DeleteResourcePolicy(context.Context, *secretsmanager.DeleteResourcePolicyInput) (*secretsmanager.DeleteResourcePolicyOutput, error)
	GetRandomPassword(context.Context, *secretsmanager.GetRandomPasswordInput) (*secretsmanager.GetRandomPasswordOutput, error)
	TagResource(context.Context, *secretsmanager.TagResourceInput) (*secretsmanager.TagResourceOutput, error)
	UntagResource(context.Context, *secretsmanager.UntagResourceInput) (*secretsmanager.UntagResourceOutput, error)
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html
type secret struct{ secrets Secrets }

func (s secret) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known(nil, "Description", "GenerateSecretString", "KmsKeyId", "Name", "SecretString", "Tags"),
		Replace:    []string{"Name"},
		Create:     s.create,
		Update:     s.update,
		Delete:     s.delete,
	}
}

func (s secret) create(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	name, err := given(r, "Name", ownName(r))
	if err != nil {
		return cloudformation.Result{}, err
	}
	value, err := s.value(ctx, r.Properties)
	if err != nil {
		return cloudformation.Result{}, err
	}
	made, err := call(ctx, s.secrets.CreateSecret, with(pick(r.Properties, "Description", "KmsKeyId", "Tags"),
		object{"Name": name, "SecretString": value, "ClientRequestToken": clientToken(r)}))
	if err != nil {
		return cloudformation.Result{}, err
	}
	return secretResult(aws.ToString(made.ARN)), nil
}

// update writes a new version only if the template's value has changed, so that
// what was rotated since stays.
func (s secret) update(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	members := pick(complete(r, object{"Description": "", "KmsKeyId": "alias/aws/secretsmanager"}), "Description", "KmsKeyId")
	if changed(r, "SecretString", "GenerateSecretString") {
		value, err := s.value(ctx, r.Properties)
		if err != nil {
			return cloudformation.Result{}, err
		}
		members = with(members, object{"SecretString": value, "ClientRequestToken": clientToken(r)})
	}
	if len(members) > 0 {
		if err := do(ctx, s.secrets.UpdateSecret, with(members, object{"SecretId": r.PhysicalID})); err != nil {
			return cloudformation.Result{}, err
		}
	}
	target := object{"SecretId": r.PhysicalID}
	return secretResult(r.PhysicalID), retag(ctx, r, target, keysAndValues, s.secrets.UntagResource, s.secrets.TagResource)
}

// delete leaves no recovery window, as CloudFormation does, so that the name is
// free again.
// https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1999
func (s secret) delete(ctx context.Context, r cloudformation.Request) error {
	return unlessGone(do(ctx, s.secrets.DeleteSecret, object{"SecretId": r.PhysicalID, "ForceDeleteWithoutRecovery": true}))
}

// value is the text to store; nil for a secret without a value.
func (s secret) value(ctx context.Context, properties object) (any, error) {
	stated, generate := properties["SecretString"], properties["GenerateSecretString"]
	if generate == nil {
		return stated, nil
	}
	if stated != nil {
		return nil, errors.New("SecretString and GenerateSecretString are both set; keep one of them")
	}
	rules, isObject := generate.(object)
	if !isObject {
		return nil, errors.New("GenerateSecretString must be an object")
	}
	made, err := call(ctx, s.secrets.GetRandomPassword, with(rules, object{"SecretStringTemplate": nil, "GenerateStringKey": nil}))
	if err != nil {
		return nil, err
	}
	return fillTemplate(rules, aws.ToString(made.RandomPassword))
}

// fillTemplate puts a password into the JSON of SecretStringTemplate, under
// GenerateStringKey; without a template the password is all.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-secretsmanager-secret-generatesecretstring.html
func fillTemplate(rules object, password string) (any, error) {
	template, err := member[string](rules, "SecretStringTemplate")
	if err != nil {
		return nil, err
	}
	key, err := member[string](rules, "GenerateStringKey")
	if err != nil {
		return nil, err
	}
	if template == "" && key == "" {
		return password, nil
	}
	content := object{}
	if key == "" || json.Unmarshal([]byte(template), &content) != nil {
		return nil, errors.New("GenerateSecretString needs both a SecretStringTemplate that is a JSON object and a GenerateStringKey, or neither")
	}
	content[key] = password
	return document(content)
}

func secretResult(arn string) cloudformation.Result {
	return cloudformation.Result{PhysicalID: arn, Attributes: object{"Id": arn}}
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-resourcepolicy.html
type secretPolicy struct{ secrets Secrets }

func (p secretPolicy) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known([]string{"ResourcePolicy", "SecretId"}, "BlockPublicPolicy"),
		Replace:    []string{"SecretId"},
		Create:     p.put,
		Update:     p.put,
		Delete: func(ctx context.Context, r cloudformation.Request) error {
			return unlessGone(do(ctx, p.secrets.DeleteResourcePolicy, object{"SecretId": r.PhysicalID}))
		},
	}
}

func (p secretPolicy) put(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	statements, err := document(r.Properties["ResourcePolicy"])
	if err != nil {
		return cloudformation.Result{}, err
	}
	made, err := call(ctx, p.secrets.PutResourcePolicy, with(r.Properties, object{"ResourcePolicy": statements}))
	if err != nil {
		return cloudformation.Result{}, err
	}
	return secretResult(aws.ToString(made.ARN)), nil
}
