package iam

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"api-destination-credentials/local/access"
	"api-destination-credentials/local/iam/policy"
)

// TokenService is AWS STS: it lends roles and tells who holds an access key.
type TokenService struct {
	roles *Service

	mu       sync.Mutex
	sessions map[string]session // by access key id
	swept    time.Time          // when sessions that are long over were forgotten
}

type session struct {
	principal access.Principal
	expires   time.Time
}

// NewTokenService returns a token service for the roles of a Service.
func NewTokenService(roles *Service) *TokenService {
	return &TokenService{roles: roles, sessions: map[string]session{}}
}

// temporary is how the access key ids of sessions begin.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
const temporary = "ASIA"

// Identify tells who holds an access key. Every key that was not handed out
// here is the account's administrator, so that dummy credentials work.
func (t *TokenService) Identify(accessKeyID string) (access.Principal, error) {
	if !strings.HasPrefix(accessKeyID, temporary) {
		return access.Principal{ARN: fmt.Sprintf("arn:aws:iam::%s:user/local", t.roles.Account.ID), Administrator: true}, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	held, ok := t.sessions[accessKeyID]
	switch {
	case !ok:
		return access.Principal{}, &smithy.GenericAPIError{Code: "InvalidClientTokenId", Message: "The security token included in the request is invalid."}
	case !held.expires.After(t.roles.Clock.Now()):
		return access.Principal{}, &smithy.GenericAPIError{Code: "ExpiredToken", Message: "The security token included in the request is expired"}
	}
	return held.principal, nil
}

// GetCallerIdentity tells the caller who it is.
func (t *TokenService) GetCallerIdentity(ctx context.Context, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	caller := access.Caller(ctx)
	id := "AIDALOCAL"
	if name, ok := strings.CutPrefix(caller.RoleARN, fmt.Sprintf("arn:aws:iam::%s:role", t.roles.Account.ID)); ok {
		t.roles.mu.RLock()
		if found := t.roles.roles[name[strings.LastIndex(name, "/")+1:]]; found != nil {
			id = found.id + ":" + caller.ARN[strings.LastIndex(caller.ARN, "/")+1:]
		}
		t.roles.mu.RUnlock()
	}
	return &sts.GetCallerIdentityOutput{Account: aws.String(t.roles.Account.ID), Arn: aws.String(caller.ARN), UserId: aws.String(id)}, nil
}

// AssumeRole lends a role to a caller that its trust policy lets in.
func (t *TokenService) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	if in.Policy != nil || len(in.PolicyArns) > 0 {
		return nil, invalid("Policy and PolicyArns: the local endpoint knows no session policies; leave them out")
	}
	if aws.ToString(in.RoleSessionName) == "" {
		return nil, invalid("RoleSessionName is missing: name the session")
	}
	arn := aws.ToString(in.RoleArn)
	t.roles.mu.RLock()
	found := t.roles.roles[arn[strings.LastIndex(arn, "/")+1:]]
	var trust *policy.Document
	var id string
	longest := int32(0)
	if found != nil && t.roles.arn(found) == arn {
		trust, id, longest = found.trust.parsed, found.id, found.maxSession
	}
	t.roles.mu.RUnlock()
	caller := access.Caller(ctx)
	request := access.Request{Action: "sts:AssumeRole", Resource: arn}
	// A role that is not there and one that does not trust the caller look alike.
	if trust == nil {
		return nil, refusal(caller, request, "because no resource-based policy allows the sts:AssumeRole action")
	}
	asked := t.roles.question(caller, request)
	verdict := trust.Evaluate(asked)
	if verdict.Denied || !verdict.Allowed && !(verdict.Delegated && t.roles.identity(caller, asked).Allowed) {
		return nil, refusal(caller, request, "because no resource-based policy allows the sts:AssumeRole action")
	}
	seconds := int32(3600)
	if in.DurationSeconds != nil {
		seconds = *in.DurationSeconds
	}
	if seconds < 900 || seconds > longest {
		return nil, invalid(fmt.Sprintf("The requested DurationSeconds %d is not within 900 and the MaxSessionDuration %d set for this role.", seconds, longest))
	}
	return t.lend(arn, id, aws.ToString(in.RoleSessionName), t.roles.Clock.Now().Add(time.Duration(seconds)*time.Second)), nil
}

func (t *TokenService) lend(roleARN, roleID, sessionName string, expires time.Time) *sts.AssumeRoleOutput {
	assumed := fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/%s", t.roles.Account.ID, roleARN[strings.LastIndex(roleARN, "/")+1:], sessionName)
	key := newID(temporary)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweep(t.roles.Clock.Now())
	t.sessions[key] = session{access.Principal{ARN: assumed, RoleARN: roleARN}, expires}
	return &sts.AssumeRoleOutput{
		AssumedRoleUser: &types.AssumedRoleUser{Arn: aws.String(assumed), AssumedRoleId: aws.String(roleID + ":" + sessionName)},
		Credentials: &types.Credentials{
			AccessKeyId: aws.String(key), SecretAccessKey: aws.String(rand.Text()), SessionToken: aws.String(rand.Text()), Expiration: aws.Time(expires),
		},
	}
}

// Impersonate hands out an access key of a principal that no AssumeRole leads
// to, such as a service on behalf of somebody else's resource: what policies
// refuse can be tried with it. It is good for an hour.
func (t *TokenService) Impersonate(principal access.Principal) *types.Credentials {
	key, expires := newID(temporary), t.roles.Clock.Now().Add(time.Hour)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sessions[key] = session{principal, expires}
	return &types.Credentials{
		AccessKeyId: aws.String(key), SecretAccessKey: aws.String(rand.Text()), SessionToken: aws.String(rand.Text()), Expiration: aws.Time(expires),
	}
}

// sweep forgets sessions an hour after their end, until when they are called
// expired and not unknown.
func (t *TokenService) sweep(now time.Time) {
	if now.Sub(t.swept) < 10*time.Minute {
		return
	}
	t.swept = now
	for id, held := range t.sessions {
		if now.Sub(held.expires) > time.Hour {
			delete(t.sessions, id)
		}
	}
}
