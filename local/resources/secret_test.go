package resources_test

import (
	"context"
	"encoding/json"
	"regexp"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"api-destination-credentials/local/cloudformation"
	"api-destination-credentials/local/resources"
)

type secrets struct {
	resources.Secrets
	calls
	created *secretsmanager.CreateSecretInput
}

func (f *secrets) GetRandomPassword(_ context.Context, in *secretsmanager.GetRandomPasswordInput) (*secretsmanager.GetRandomPasswordOutput, error) {
	f.note(in)
	return &secretsmanager.GetRandomPasswordOutput{RandomPassword: aws.String("generated")}, nil
}

func (f *secrets) CreateSecret(_ context.Context, in *secretsmanager.CreateSecretInput) (*secretsmanager.CreateSecretOutput, error) {
	f.note(in)
	f.created = in
	return &secretsmanager.CreateSecretOutput{ARN: aws.String("arn:s")}, nil
}

func (f *secrets) UpdateSecret(_ context.Context, in *secretsmanager.UpdateSecretInput) (*secretsmanager.UpdateSecretOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *secrets) DeleteSecret(_ context.Context, in *secretsmanager.DeleteSecretInput) (*secretsmanager.DeleteSecretOutput, error) {
	f.note(in)
	return nil, missing("ResourceNotFoundException")
}

// The key policy of prerequisite.yaml knows the source secret by this form.
func TestASecretWithoutNameIsCalledByItsLogicalIDAlone(t *testing.T) {
	fake := &secrets{}
	result, err := provider(t, resources.Services{Secrets: fake}, "AWS::SecretsManager::Secret").
		Create(context.Background(), request(t, `{"SecretString": "{}", "KmsKeyId": "k"}`))
	check(t, err)
	wantResult(t, result, cloudformation.Result{PhysicalID: "arn:s", Attributes: map[string]any{"Id": "arn:s"}})
	in := fake.take()[0].(*secretsmanager.CreateSecretInput)
	if !regexp.MustCompile(`^Thing-[A-Za-z0-9]{12}$`).MatchString(*in.Name) {
		t.Errorf("the secret is called %s", *in.Name)
	}
	if *in.SecretString != "{}" || *in.KmsKeyId != "k" || len(aws.ToString(in.ClientRequestToken)) < 32 {
		t.Error("the value, the key or a token of 32 characters is missing")
	}
}

func TestAnUpdateLeavesTheValueThatWasRotatedSince(t *testing.T) {
	fake := &secrets{}
	p := provider(t, resources.Services{Secrets: fake}, "AWS::SecretsManager::Secret")
	_, err := p.Update(context.Background(), change(t, "arn:s",
		`{"SecretString": "first", "Description": "a", "KmsKeyId": "k"}`, `{"SecretString": "first", "Description": "b"}`))
	check(t, err)
	wantCalls(t, fake.take(), &secretsmanager.UpdateSecretInput{
		SecretId: aws.String("arn:s"), Description: aws.String("b"), KmsKeyId: aws.String("alias/aws/secretsmanager"),
	})

	_, err = p.Update(context.Background(), change(t, "arn:s", `{"SecretString": "first"}`, `{"SecretString": "second"}`))
	check(t, err)
	if in := fake.take()[0].(*secretsmanager.UpdateSecretInput); aws.ToString(in.SecretString) != "second" {
		t.Error("the changed value was not written")
	}
}

func TestASecretIsDeletedWithoutRecovery(t *testing.T) {
	fake := &secrets{}
	r := request(t, `{}`)
	r.PhysicalID = "arn:s"
	check(t, provider(t, resources.Services{Secrets: fake}, "AWS::SecretsManager::Secret").Delete(context.Background(), r))
	wantCalls(t, fake.take(), &secretsmanager.DeleteSecretInput{SecretId: aws.String("arn:s"), ForceDeleteWithoutRecovery: aws.Bool(true)})
}

func TestASecretStringIsGeneratedIntoItsTemplate(t *testing.T) {
	fake := &secrets{}
	_, err := provider(t, resources.Services{Secrets: fake}, "AWS::SecretsManager::Secret").Create(context.Background(), request(t,
		`{"GenerateSecretString": {"SecretStringTemplate": "{\"user\": \"u\"}", "GenerateStringKey": "password",
			"PasswordLength": 20, "ExcludePunctuation": true, "ExcludeUppercase": true, "ExcludeCharacters": "abc"}}`))
	check(t, err)
	wantCalls(t, fake.take()[:1], &secretsmanager.GetRandomPasswordInput{
		PasswordLength: aws.Int64(20), ExcludePunctuation: aws.Bool(true), ExcludeUppercase: aws.Bool(true), ExcludeCharacters: aws.String("abc"),
	})
	var value struct{ User, Password string }
	check(t, json.Unmarshal([]byte(*fake.created.SecretString), &value))
	if value.User != "u" || value.Password != "generated" {
		t.Errorf("stored %+v, want user u and the generated password", value)
	}
}

func TestASecretStringIsEitherStatedOrGenerated(t *testing.T) {
	_, err := provider(t, resources.Services{Secrets: &secrets{}}, "AWS::SecretsManager::Secret").Create(context.Background(),
		request(t, `{"SecretString": "a", "GenerateSecretString": {}}`))
	wantError(t, err, "keep one of them")
}
