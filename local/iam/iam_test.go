package iam_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
	"api-destination-credentials/local/iam"
)

const (
	roleARN   = "arn:aws:iam::123456789012:role/worker"
	lambda    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	queueARN  = "arn:aws:sqs:us-east-1:123456789012:dead-letters"
	keyARN    = "arn:aws:kms:us-east-1:123456789012:key/1"
	secretARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:source-AbCdEf"
)

var (
	administrator = access.Principal{ARN: "arn:aws:iam::123456789012:user/local", Administrator: true}
	worker        = access.Principal{ARN: "arn:aws:sts::123456789012:assumed-role/worker/session", RoleARN: roleARN}
	events        = access.Principal{Service: "events.amazonaws.com", SourceARN: "arn:aws:events:us-east-1:123456789012:rule/bus/rule"}
)

type account struct {
	*testing.T
	*iam.Service
	tokens *iam.TokenService
	clock  *clockwork.FakeClock
	admin  context.Context
}

func newAccount(t *testing.T) *account {
	clock := clockwork.NewFakeClock()
	service := iam.New(iam.Config{Account: access.Account{ID: "123456789012", Region: "us-east-1"}, Clock: clock})
	return &account{t, service, iam.NewTokenService(service), clock, access.WithCaller(t.Context(), administrator)}
}

// role makes the role worker with one inline policy of these statements.
func (a *account) role(statements string) {
	a.Helper()
	if _, err := a.CreateRole(a.admin, &awsiam.CreateRoleInput{RoleName: aws.String("worker"), AssumeRolePolicyDocument: aws.String(lambda)}); err != nil {
		a.Fatal(err)
	}
	if statements == "" {
		return
	}
	if _, err := a.PutRolePolicy(a.admin, &awsiam.PutRolePolicyInput{
		RoleName: aws.String("worker"), PolicyName: aws.String("inline"), PolicyDocument: aws.String(policy(statements)),
	}); err != nil {
		a.Fatal(err)
	}
}

func policy(statements string) string {
	if statements == "" {
		return ""
	}
	return `{"Version":"2012-10-17","Statement":[` + statements + `]}`
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

func TestPoliciesDecideAsDocumented(t *testing.T) {
	for name, test := range map[string]struct {
		caller   access.Principal
		identity string // statements of the role's policy
		resource string // statements of the resource's policy
		request  access.Request
		because  string // empty: allowed
	}{
		"a role with the grant":       {worker, `{"Effect":"Allow","Action":"secretsmanager:Get*","Resource":"` + secretARN + `"}`, "", get(), ""},
		"a role without one":          {worker, `{"Effect":"Allow","Action":"secretsmanager:Put*","Resource":"*"}`, "", get(), "no identity-based policy allows the secretsmanager:GetSecretValue action"},
		"a grant for another secret":  {worker, `{"Effect":"Allow","Action":"*","Resource":"arn:aws:secretsmanager:*:*:secret:other-*"}`, "", get(), "no identity-based policy allows"},
		"a deny beside a grant":       {worker, `{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"secretsmanager:*","Resource":"*"}`, "", get(), "explicit deny in an identity-based policy"},
		"a condition that holds":      {worker, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"secretsmanager:VersionStage":"AWSCURRENT"}}}`, "", get("secretsmanager:VersionStage", "AWSCURRENT"), ""},
		"a condition that does not":   {worker, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"secretsmanager:VersionStage":"AWSCURRENT"}}}`, "", get("secretsmanager:VersionStage", "AWSPENDING"), "no identity-based policy allows"},
		"a condition on what is not":  {worker, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"secretsmanager:VersionStage":"AWSCURRENT"}}}`, "", get(), "no identity-based policy allows"},
		"a resource policy for it":    {worker, "", `{"Effect":"Allow","Principal":{"AWS":"` + roleARN + `"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}`, get(), ""},
		"a resource policy against":   {worker, `{"Effect":"Allow","Action":"*","Resource":"*"}`, `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}`, get(), "explicit deny in a resource-based policy"},
		"the administrator":           {administrator, "", "", get(), ""},
		"nobody":                      {access.Principal{}, "", "", get(), "User: anonymous is not authorized"},
		"a service with this rule":    {events, "", sendFrom("arn:aws:events:us-east-1:123456789012:rule/bus/rule"), send(), ""},
		"a service with another rule": {events, "", sendFrom("arn:aws:events:us-east-1:123456789012:rule/bus/other"), send(), "no resource-based policy allows the sqs:SendMessage action"},
		"a service without a policy":  {events, "", "", send(), "User: events.amazonaws.com is not authorized to perform: sqs:SendMessage on resource: " + queueARN},
		"a key that knows nobody":     {worker, `{"Effect":"Allow","Action":"kms:*","Resource":"*"}`, `{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"kms:*","Resource":"*"}`, decrypt(), "no resource-based policy allows the kms:Decrypt action"},
		"a key that asks the account": {worker, `{"Effect":"Allow","Action":"kms:Decrypt","Resource":"` + keyARN + `"}`, keyForAccount, decrypt(), ""},
		"an account that says no":     {worker, "", keyForAccount, decrypt(), "no identity-based policy allows the kms:Decrypt action"},
		"a key by way of a service":   {worker.Through("secretsmanager", "us-east-1"), `{"Effect":"Allow","Action":"kms:*","Resource":"*"}`, keyViaSecrets, decrypt("kms:EncryptionContext:SecretARN", secretARN), ""},
		"a key without going by it":   {worker, `{"Effect":"Allow","Action":"kms:*","Resource":"*"}`, keyViaSecrets, decrypt("kms:EncryptionContext:SecretARN", secretARN), "no resource-based policy allows"},
		"a key for another secret":    {worker.Through("secretsmanager", "us-east-1"), `{"Effect":"Allow","Action":"kms:*","Resource":"*"}`, keyViaSecrets, decrypt("kms:EncryptionContext:SecretARN", "arn:other"), "no resource-based policy allows"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t)
			a.role(test.identity)
			test.request.Policy = policy(test.resource)
			err := a.Authorize(access.WithCaller(t.Context(), test.caller), test.request)
			if test.because == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if code(err) != "AccessDeniedException" || !strings.Contains(err.Error(), test.because) {
				t.Errorf("error %v, want one that says %q", err, test.because)
			}
		})
	}
}

const keyForAccount = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"kms:*","Resource":"*"}`

const keyViaSecrets = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":["kms:Decrypt","kms:GenerateDataKey"],"Resource":"*",
	"Condition":{"StringEquals":{"kms:ViaService":"secretsmanager.us-east-1.amazonaws.com"},"StringLike":{"kms:EncryptionContext:SecretARN":"arn:aws:secretsmanager:us-east-1:123456789012:secret:source-*"}}}`

func sendFrom(rule string) string {
	return `{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"` + queueARN + `","Condition":{"ArnEquals":{"aws:SourceArn":"` + rule + `"}}}`
}

func get(conditions ...string) access.Request {
	return request("secretsmanager:GetSecretValue", secretARN, conditions)
}

func send() access.Request { return request("sqs:SendMessage", queueARN, nil) }

func decrypt(conditions ...string) access.Request {
	asked := request("kms:Decrypt", keyARN, conditions)
	asked.PolicyGoverns = true
	return asked
}

func request(action, resource string, conditions []string) access.Request {
	asked := access.Request{Action: action, Resource: resource, Conditions: map[string]string{}}
	for i := 0; i+1 < len(conditions); i += 2 {
		asked.Conditions[conditions[i]] = conditions[i+1]
	}
	return asked
}

func (a *account) assume(caller access.Principal, in sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	if in.RoleArn == nil {
		in.RoleArn = aws.String(roleARN)
	}
	in.RoleSessionName = aws.String("session")
	return a.tokens.AssumeRole(access.WithCaller(a.Context(), caller), &in)
}

func TestARoleIsLentToWhomItTrustsUntilTheSessionEnds(t *testing.T) {
	a := newAccount(t)
	a.role("")
	lent, err := a.assume(access.Principal{Service: "lambda.amazonaws.com"}, sts.AssumeRoleInput{})
	if err != nil {
		t.Fatal(err)
	}
	key := aws.ToString(lent.Credentials.AccessKeyId)
	holder, err := a.tokens.Identify(key)
	if err != nil || holder != worker {
		t.Errorf("the key belongs to %+v, error %v", holder, err)
	}
	shown, err := a.tokens.GetCallerIdentity(access.WithCaller(t.Context(), holder), &sts.GetCallerIdentityInput{})
	if err != nil || aws.ToString(shown.Arn) != worker.ARN || !strings.HasSuffix(aws.ToString(shown.UserId), ":session") {
		t.Errorf("identity %+v, error %v", shown, err)
	}
	a.clock.Advance(time.Hour)
	if _, err := a.tokens.Identify(key); code(err) != "ExpiredToken" {
		t.Errorf("after its time: %v", err)
	}
	if _, err := a.tokens.Identify("ASIAUNKNOWN"); code(err) != "InvalidClientTokenId" {
		t.Errorf("a key that nobody got: %v", err)
	}
	for name, attempt := range map[string]func() error{
		"a service it does not trust": func() error { _, err := a.assume(events, sts.AssumeRoleInput{}); return err },
		"the administrator":           func() error { _, err := a.assume(administrator, sts.AssumeRoleInput{}); return err },
		"a role that is not there": func() error {
			_, err := a.assume(access.Principal{Service: "lambda.amazonaws.com"}, sts.AssumeRoleInput{RoleArn: aws.String(roleARN + "2")})
			return err
		},
	} {
		if err := attempt(); code(err) != "AccessDeniedException" {
			t.Errorf("%s: %v, want it refused", name, err)
		}
	}
}

func TestAnyKeyThatWasNotLentIsTheAccountsUser(t *testing.T) {
	a := newAccount(t)
	holder, err := a.tokens.Identify("dummy")
	if err != nil || holder != administrator {
		t.Errorf("the key belongs to %+v, error %v", holder, err)
	}
}

func TestARoleIsDeletedOnlyWithoutPolicies(t *testing.T) {
	a := newAccount(t)
	a.role(`{"Effect":"Allow","Action":"*","Resource":"*"}`)
	basic := aws.String("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")
	name := aws.String("worker")
	if _, err := a.AttachRolePolicy(a.admin, &awsiam.AttachRolePolicyInput{RoleName: name, PolicyArn: basic}); err != nil {
		t.Fatal(err)
	}
	remove := func() error {
		_, err := a.DeleteRole(a.admin, &awsiam.DeleteRoleInput{RoleName: name})
		return err
	}
	if err := remove(); code(err) != "DeleteConflict" {
		t.Errorf("with policies: %v", err)
	}
	if _, err := a.DetachRolePolicy(a.admin, &awsiam.DetachRolePolicyInput{RoleName: name, PolicyArn: basic}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.DeleteRolePolicy(a.admin, &awsiam.DeleteRolePolicyInput{RoleName: name, PolicyName: aws.String("inline")}); err != nil {
		t.Fatal(err)
	}
	if err := remove(); err != nil {
		t.Error(err)
	}
	if err := remove(); code(err) != "NoSuchEntity" {
		t.Errorf("a second time: %v", err)
	}
}

func TestBadDocumentsAreRefusedWithTheSpot(t *testing.T) {
	a := newAccount(t)
	a.role("")
	for document, mention := range map[string]string{
		`{`: "not valid JSON",
		`{"Version":"2012-10-17","Statement":[]}`:                                                             "the list is empty",
		policy(`{"Effect":"Allow","Action":"*"}`):                                                             "Resource",
		policy(`{"Effect":"Perhaps","Action":"*","Resource":"*"}`):                                            "Effect",
		policy(`{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}`):                              "should not specify a principal",
		policy(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Sounds":{"aws:SourceArn":"x"}}}`): "Sounds",
	} {
		_, err := a.PutRolePolicy(a.admin, &awsiam.PutRolePolicyInput{RoleName: aws.String("worker"), PolicyName: aws.String("p"), PolicyDocument: aws.String(document)})
		if code(err) != "MalformedPolicyDocument" || !strings.Contains(err.Error(), mention) {
			t.Errorf("%s: %v, want one that mentions %q", document, err, mention)
		}
	}
}

func TestTheServiceLinkedRoleReadsConnectionsSecretsWithATaggedKey(t *testing.T) {
	a := newAccount(t)
	made, err := a.CreateServiceLinkedRole(a.admin, &awsiam.CreateServiceLinkedRoleInput{AWSServiceName: aws.String("apidestinations.events.amazonaws.com")})
	if err != nil {
		t.Fatal(err)
	}
	lent, err := a.assume(access.Principal{Service: "apidestinations.events.amazonaws.com"}, sts.AssumeRoleInput{RoleArn: made.Role.Arn})
	if err != nil {
		t.Fatal(err)
	}
	holder, err := a.tokens.Identify(aws.ToString(lent.Credentials.AccessKeyId))
	if err != nil {
		t.Fatal(err)
	}
	ctx := access.WithCaller(t.Context(), holder)
	if err := a.Authorize(ctx, request("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:us-east-1:123456789012:secret:events!connection/c/1-AbCdEf", nil)); err != nil {
		t.Error(err)
	}
	if err := a.Authorize(ctx, get()); err == nil {
		t.Error("it may read the source secret")
	}
	asked := decrypt("aws:ResourceTag/EventBridgeApiDestinations", "true")
	asked.Policy = policy(keyForAccount)
	if err := a.Authorize(ctx, asked); err != nil {
		t.Error(err)
	}
	asked.Conditions = nil
	if err := a.Authorize(ctx, asked); err == nil {
		t.Error("it may use a key without the tag")
	}
}
