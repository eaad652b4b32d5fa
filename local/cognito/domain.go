package cognito

import (
	"context"
	"regexp"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// domain is a prefix domain: PREFIX.auth.REGION.amazoncognito.com.
type domain struct {
	prefix       string
	loginVersion *int32
}

var domainPrefix = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?$`) })

// CreateUserPoolDomain gives a pool its host name. A pool has one prefix
// domain, and a prefix belongs to one pool of the Region.
// https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-assign-domain-prefix.html
func (s *Service) CreateUserPoolDomain(ctx context.Context, in *cognitoidentityprovider.CreateUserPoolDomainInput) (*cognitoidentityprovider.CreateUserPoolDomainOutput, error) {
	out := &cognitoidentityprovider.CreateUserPoolDomainOutput{ManagedLoginVersion: in.ManagedLoginVersion}
	err := s.locked(ctx, "CreateUserPoolDomain", in.UserPoolId, func(p *pool) error {
		if err := onlySupported(in, "UserPoolId", "Domain", "ManagedLoginVersion"); err != nil {
			return err
		}
		if err := expect("domain", in.Domain, domainPrefix()); err != nil {
			return err
		}
		for _, reserved := range []string{"aws", "amazon", "cognito"} {
			if strings.Contains(*in.Domain, reserved) {
				return invalid("Domain cannot contain reserved word: %s", reserved)
			}
		}
		if s.poolOfDomain(*in.Domain) != nil {
			return invalid("Domain already associated with another user pool.")
		}
		if p.domain != nil {
			return invalid("The user pool %s already has the domain %s: delete it first.", *in.UserPoolId, p.domain.prefix)
		}
		p.domain = &domain{prefix: *in.Domain, loginVersion: in.ManagedLoginVersion}
		return nil
	})
	return out, err
}

// DescribeUserPoolDomain returns a domain; an empty description for an unknown one.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_DescribeUserPoolDomain.html
func (s *Service) DescribeUserPoolDomain(ctx context.Context, in *cognitoidentityprovider.DescribeUserPoolDomainInput) (*cognitoidentityprovider.DescribeUserPoolDomainOutput, error) {
	if err := s.authorizeAny(ctx, "DescribeUserPoolDomain"); err != nil {
		return nil, err
	}
	if in.Domain == nil {
		return nil, missing("domain")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	description := &types.DomainDescriptionType{}
	if p := s.poolOfDomain(*in.Domain); p != nil {
		description = &types.DomainDescriptionType{
			AWSAccountId:        aws.String(s.Account.ID),
			Domain:              in.Domain,
			ManagedLoginVersion: p.domain.loginVersion,
			Status:              types.DomainStatusTypeActive,
			UserPoolId:          p.settings.Id,
		}
	}
	return &cognitoidentityprovider.DescribeUserPoolDomainOutput{DomainDescription: description}, nil
}

// DeleteUserPoolDomain frees a pool's domain; its token endpoint is gone at once.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_DeleteUserPoolDomain.html
func (s *Service) DeleteUserPoolDomain(ctx context.Context, in *cognitoidentityprovider.DeleteUserPoolDomainInput) (*cognitoidentityprovider.DeleteUserPoolDomainOutput, error) {
	err := s.locked(ctx, "DeleteUserPoolDomain", in.UserPoolId, func(p *pool) error {
		if p.domain == nil || p.domain.prefix != aws.ToString(in.Domain) {
			return invalid("No such domain or user pool exists.")
		}
		p.domain = nil
		return nil
	})
	return &cognitoidentityprovider.DeleteUserPoolDomainOutput{}, err
}

// poolOfDomain returns the pool of a prefix or nil; s.mu is held.
func (s *Service) poolOfDomain(prefix string) *pool {
	for _, p := range s.pools {
		if p.domain != nil && p.domain.prefix == prefix {
			return p
		}
	}
	return nil
}
