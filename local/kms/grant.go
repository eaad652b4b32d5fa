package kms

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/google/uuid"
)

// CreateGrant notes that a principal may use a key. Services of the endpoint use
// keys as their callers, so that nobody needs what a grant allows: it is kept to
// be listed, and the right to make it is asked for.
// https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
func (s *Service) CreateGrant(ctx context.Context, in *kms.CreateGrantInput) (*kms.CreateGrantOutput, error) {
	if aws.ToString(in.GranteePrincipal) == "" || len(in.Operations) == 0 {
		return nil, validation("GranteePrincipal and Operations: say who may do what")
	}
	var about map[string]string
	if in.Constraints != nil {
		about = in.Constraints.EncryptionContextSubset
	}
	k, err := s.usable(ctx, "CreateGrant", in.KeyId, about)
	if err != nil {
		return nil, err
	}
	made := types.GrantListEntry{
		GrantId: aws.String(uuid.NewString()), KeyId: aws.String(k.arn), Name: in.Name, GranteePrincipal: in.GranteePrincipal,
		RetiringPrincipal: in.RetiringPrincipal, Operations: in.Operations, Constraints: in.Constraints,
		CreationDate: aws.Time(s.Clock.Now()), IssuingAccount: aws.String(s.Account.RootARN()),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k.grants = append(k.grants, made)
	return &kms.CreateGrantOutput{GrantId: made.GrantId, GrantToken: aws.String(uuid.NewString())}, nil
}

// ListGrants shows a key's grants.
func (s *Service) ListGrants(ctx context.Context, in *kms.ListGrantsInput) (*kms.ListGrantsOutput, error) {
	k, err := s.allowed(ctx, "ListGrants", in.KeyId, nil)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := &kms.ListGrantsOutput{}
	for _, grant := range k.grants {
		if in.GrantId != nil && *in.GrantId != *grant.GrantId || in.GranteePrincipal != nil && *in.GranteePrincipal != *grant.GranteePrincipal {
			continue
		}
		out.Grants = append(out.Grants, grant)
	}
	return out, nil
}
