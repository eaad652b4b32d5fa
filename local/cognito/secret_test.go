package cognito_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/google/go-cmp/cmp"
)

func TestTwoSecretsWorkSideBySideUntilOneIsDeleted(t *testing.T) {
	p, ctx := newProvider(t), t.Context()
	old := must(p.ListUserPoolClientSecrets(ctx, &cognitoidentityprovider.ListUserPoolClientSecretsInput{UserPoolId: &p.pool, ClientId: &p.client})).ClientSecrets[0]
	added := must(p.AddUserPoolClientSecret(ctx, &cognitoidentityprovider.AddUserPoolClientSecretInput{UserPoolId: &p.pool, ClientId: &p.client})).ClientSecretDescriptor
	if !p.works(p.secret) || !p.works(*added.ClientSecretValue) {
		t.Fatal("both secrets must get tokens during the overlap")
	}
	listed := must(p.ListUserPoolClientSecrets(ctx, &cognitoidentityprovider.ListUserPoolClientSecretsInput{UserPoolId: &p.pool, ClientId: &p.client})).ClientSecrets
	want := []types.ClientSecretDescriptorType{old, {ClientSecretId: added.ClientSecretId, ClientSecretCreateDate: aws.Time(start)}}
	if diff := cmp.Diff(want, listed, cmp.AllowUnexported(types.ClientSecretDescriptorType{})); diff != "" {
		t.Errorf("the list has ids and dates only: %s", diff)
	}
	must(p.DeleteUserPoolClientSecret(ctx, &cognitoidentityprovider.DeleteUserPoolClientSecretInput{UserPoolId: &p.pool, ClientId: &p.client, ClientSecretId: old.ClientSecretId}))
	if p.works(p.secret) || !p.works(*added.ClientSecretValue) {
		t.Error("after the deletion only the new secret gets tokens")
	}
	described := must(p.DescribeUserPoolClient(ctx, &cognitoidentityprovider.DescribeUserPoolClientInput{UserPoolId: &p.pool, ClientId: &p.client}))
	if *described.UserPoolClient.ClientSecret != *added.ClientSecretValue {
		t.Error("the client does not show the secret that is left")
	}
}

func TestAClientHasAtMostTwoSecretsAndNeverNone(t *testing.T) {
	p, ctx := newProvider(t), t.Context()
	first := must(p.ListUserPoolClientSecrets(ctx, &cognitoidentityprovider.ListUserPoolClientSecretsInput{UserPoolId: &p.pool, ClientId: &p.client})).ClientSecrets[0].ClientSecretId
	remove := func(id *string) error {
		_, err := p.DeleteUserPoolClientSecret(ctx, &cognitoidentityprovider.DeleteUserPoolClientSecretInput{UserPoolId: &p.pool, ClientId: &p.client, ClientSecretId: id})
		return err
	}
	if code := codeOf(remove(first)); code != "InvalidParameterException" {
		t.Errorf("deleting the last secret gives %q, want InvalidParameterException", code)
	}
	if code := codeOf(remove(aws.String("other"))); code != "ResourceNotFoundException" {
		t.Errorf("deleting an unknown secret gives %q, want ResourceNotFoundException", code)
	}
	own := "own_secret+0123456789abcd"
	added := must(p.AddUserPoolClientSecret(ctx, &cognitoidentityprovider.AddUserPoolClientSecretInput{UserPoolId: &p.pool, ClientId: &p.client, ClientSecret: &own}))
	if added.ClientSecretDescriptor.ClientSecretValue != nil {
		t.Error("a value that the caller supplied is returned")
	}
	if !p.works(own) {
		t.Error("the supplied secret gets no token")
	}
	_, err := p.AddUserPoolClientSecret(ctx, &cognitoidentityprovider.AddUserPoolClientSecretInput{UserPoolId: &p.pool, ClientId: &p.client})
	if code := codeOf(err); code != "LimitExceededException" {
		t.Errorf("a third secret gives %q, want LimitExceededException", code)
	}
}

func TestABadSecretIsRefusedWithoutBeingRepeated(t *testing.T) {
	p := newProvider(t)
	for _, value := range []string{strings.Repeat("s", 23), strings.Repeat("s", 65), strings.Repeat("s", 30) + ":", strings.Repeat("s", 30) + "-"} {
		_, err := p.AddUserPoolClientSecret(t.Context(), &cognitoidentityprovider.AddUserPoolClientSecretInput{UserPoolId: &p.pool, ClientId: &p.client, ClientSecret: &value})
		if codeOf(err) != "InvalidParameterException" || strings.Contains(err.Error(), value) {
			t.Errorf("%d characters: %v", len(value), err)
		}
	}
}

func TestSecretsRotateWhileTokensAreIssued(t *testing.T) {
	p, ctx := newProvider(t), t.Context()
	var requests sync.WaitGroup
	for range 4 {
		requests.Go(func() {
			for range 5 {
				if !p.works(p.secret) {
					t.Error("the first secret stops working while the second comes and goes")
				}
			}
		})
	}
	for range 20 {
		added := must(p.AddUserPoolClientSecret(ctx, &cognitoidentityprovider.AddUserPoolClientSecretInput{UserPoolId: &p.pool, ClientId: &p.client}))
		must(p.DeleteUserPoolClientSecret(ctx, &cognitoidentityprovider.DeleteUserPoolClientSecretInput{UserPoolId: &p.pool, ClientId: &p.client, ClientSecretId: added.ClientSecretDescriptor.ClientSecretId}))
	}
	requests.Wait()
}
