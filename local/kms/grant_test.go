package kms_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"api-destination-credentials/local/access"
)

func TestAGrantIsAskedForAndListed(t *testing.T) {
	w := newWorld(t)
	key := w.key()
	in := &kms.CreateGrantInput{
		KeyId: &key, GranteePrincipal: aws.String("dynamodb.us-east-1.amazonaws.com"), Operations: []types.GrantOperation{types.GrantOperationDecrypt},
		Constraints: &types.GrantConstraints{EncryptionContextSubset: map[string]string{"table": "inbox"}},
	}
	made := must(w.CreateGrant(access.WithCaller(w.ctx, access.Caller(w.ctx).Through("dynamodb", "us-east-1")), in))(t)
	asked := w.gate.last().Conditions
	if asked["kms:GrantIsForAWSResource"] != "true" || asked["kms:EncryptionContext:table"] != "inbox" {
		t.Errorf("asked with the conditions %v", asked)
	}
	must(w.CreateGrant(w.ctx, in))(t)
	if asked := w.gate.last().Conditions["kms:GrantIsForAWSResource"]; asked != "false" {
		t.Errorf("a person's grant is for an AWS resource: %s", asked)
	}
	if shown := must(w.ListGrants(w.ctx, &kms.ListGrantsInput{KeyId: &key, GrantId: made.GrantId}))(t); len(shown.Grants) != 1 || *shown.Grants[0].GranteePrincipal != *in.GranteePrincipal {
		t.Errorf("the key has the grants %+v", shown.Grants)
	}
	must(w.DisableKey(w.ctx, &kms.DisableKeyInput{KeyId: &key}))(t)
	if _, err := w.CreateGrant(w.ctx, in); err == nil {
		t.Error("a disabled key took a grant")
	}
}
