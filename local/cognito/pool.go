package cognito

import (
	"context"
	"regexp"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

var friendlyName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w\s+=,.@-]{1,128}$`) })

// CreateUserPool makes a pool without users. What concerns only users is stored
// and returned; triggers, other issuers and keys are refused.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPool.html
func (s *Service) CreateUserPool(ctx context.Context, in *cognitoidentityprovider.CreateUserPoolInput) (*cognitoidentityprovider.CreateUserPoolOutput, error) {
	if err := s.authorizeAny(ctx, "CreateUserPool"); err != nil {
		return nil, err
	}
	if err := onlySupported(in, "PoolName", "AccountRecoverySetting", "AdminCreateUserConfig", "DeletionProtection",
		"MfaConfiguration", "Policies", "UserPoolTags", "UserPoolTier", "UsernameConfiguration"); err != nil {
		return nil, err
	}
	if err := expect("poolName", in.PoolName, friendlyName()); err != nil {
		return nil, err
	}
	id := s.Account.Region + "_" + random(9, alphanumeric)
	p := &pool{
		settings: types.UserPoolType{
			Id:                    aws.String(id),
			Arn:                   aws.String(s.arn(id)),
			CreationDate:          aws.Time(s.Clock.Now()),
			UsernameConfiguration: in.UsernameConfiguration,
		},
		key: sync.OnceValue(newSigningKey),
	}
	if err := s.change(p, &cognitoidentityprovider.UpdateUserPoolInput{
		PoolName:               in.PoolName,
		AccountRecoverySetting: in.AccountRecoverySetting,
		AdminCreateUserConfig:  in.AdminCreateUserConfig,
		DeletionProtection:     in.DeletionProtection,
		MfaConfiguration:       in.MfaConfiguration,
		Policies:               in.Policies,
		UserPoolTags:           in.UserPoolTags,
		UserPoolTier:           in.UserPoolTier,
	}); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pools = append(s.pools, p)
	return &cognitoidentityprovider.CreateUserPoolOutput{UserPool: p.description()}, nil
}

// UpdateUserPool replaces a pool's settings: those that are left out go back to
// their defaults, except the name and the tags.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UpdateUserPool.html
func (s *Service) UpdateUserPool(ctx context.Context, in *cognitoidentityprovider.UpdateUserPoolInput) (*cognitoidentityprovider.UpdateUserPoolOutput, error) {
	err := s.locked(ctx, "UpdateUserPool", in.UserPoolId, func(p *pool) error {
		if err := onlySupported(in, "UserPoolId", "PoolName", "AccountRecoverySetting", "AdminCreateUserConfig", "DeletionProtection",
			"MfaConfiguration", "Policies", "UserPoolTags", "UserPoolTier"); err != nil {
			return err
		}
		return s.change(p, in)
	})
	return &cognitoidentityprovider.UpdateUserPoolOutput{}, err
}

// change gives p new settings, or returns what is wrong with them.
func (s *Service) change(p *pool, in *cognitoidentityprovider.UpdateUserPoolInput) error {
	next := p.settings
	if in.PoolName != nil {
		if err := expect("poolName", in.PoolName, friendlyName()); err != nil {
			return err
		}
		next.Name = in.PoolName
	}
	if in.UserPoolTags != nil {
		next.UserPoolTags = in.UserPoolTags
	}
	next.DeletionProtection = types.DeletionProtectionTypeInactive
	if in.DeletionProtection != "" {
		next.DeletionProtection = in.DeletionProtection
	}
	next.UserPoolTier = types.UserPoolTierTypeEssentials
	if in.UserPoolTier != "" {
		next.UserPoolTier = in.UserPoolTier
	}
	next.MfaConfiguration = types.UserPoolMfaTypeOff
	if in.MfaConfiguration != "" {
		next.MfaConfiguration = in.MfaConfiguration
	}
	for _, enum := range []struct {
		field, value string
		known        bool
	}{
		{"deletionProtection", string(next.DeletionProtection), slices.Contains(next.DeletionProtection.Values(), next.DeletionProtection)},
		{"userPoolTier", string(next.UserPoolTier), slices.Contains(next.UserPoolTier.Values(), next.UserPoolTier)},
		{"mfaConfiguration", string(next.MfaConfiguration), slices.Contains(next.MfaConfiguration.Values(), next.MfaConfiguration)},
	} {
		if !enum.known {
			return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy enum value set", enum.value, enum.field)
		}
	}
	next.AccountRecoverySetting = in.AccountRecoverySetting
	next.AdminCreateUserConfig = in.AdminCreateUserConfig
	next.Policies = in.Policies
	next.LastModifiedDate = aws.Time(s.Clock.Now())
	p.settings = next
	return nil
}

// DescribeUserPool returns a pool's settings.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_DescribeUserPool.html
func (s *Service) DescribeUserPool(ctx context.Context, in *cognitoidentityprovider.DescribeUserPoolInput) (*cognitoidentityprovider.DescribeUserPoolOutput, error) {
	out := &cognitoidentityprovider.DescribeUserPoolOutput{}
	err := s.locked(ctx, "DescribeUserPool", in.UserPoolId, func(p *pool) error {
		out.UserPool = p.description()
		return nil
	})
	return out, err
}

func (p *pool) description() *types.UserPoolType {
	description := p.settings
	if p.domain != nil {
		description.Domain = aws.String(p.domain.prefix)
	}
	return &description
}

// DeleteUserPool deletes a pool with its resource servers and clients, unless
// it is protected or has a domain.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_DeleteUserPool.html
func (s *Service) DeleteUserPool(ctx context.Context, in *cognitoidentityprovider.DeleteUserPoolInput) (*cognitoidentityprovider.DeleteUserPoolOutput, error) {
	err := s.locked(ctx, "DeleteUserPool", in.UserPoolId, func(p *pool) error {
		if p.settings.DeletionProtection == types.DeletionProtectionTypeActive {
			return invalid("The user pool cannot be deleted because deletion protection is activated. Deletion protection must be inactivated first.")
		}
		if p.domain != nil {
			return invalid("User pool cannot be deleted. It has a domain configured that should be deleted first.")
		}
		s.pools = slices.DeleteFunc(s.pools, func(other *pool) bool { return other == p })
		return nil
	})
	return &cognitoidentityprovider.DeleteUserPoolOutput{}, err
}

// ListUserPools returns the pools in order of creation.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListUserPools.html
func (s *Service) ListUserPools(ctx context.Context, in *cognitoidentityprovider.ListUserPoolsInput) (*cognitoidentityprovider.ListUserPoolsOutput, error) {
	if err := s.authorizeAny(ctx, "ListUserPools"); err != nil {
		return nil, err
	}
	if in.MaxResults == nil {
		return nil, missing("maxResults")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	pools, next, err := page(s.pools, in.MaxResults, in.NextToken, 60)
	if err != nil {
		return nil, err
	}
	out := &cognitoidentityprovider.ListUserPoolsOutput{NextToken: next, UserPools: []types.UserPoolDescriptionType{}}
	for _, p := range pools {
		out.UserPools = append(out.UserPools, types.UserPoolDescriptionType{
			Id: p.settings.Id, Name: p.settings.Name, CreationDate: p.settings.CreationDate, LastModifiedDate: p.settings.LastModifiedDate,
		})
	}
	return out, nil
}
