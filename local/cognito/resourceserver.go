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

// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ResourceServerScopeType.html
var (
	serverIdentifier = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]{1,256}$`) })
	serverName       = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w\s+=,.@-]{1,256}$`) })
	scopeName        = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\x21\x23-\x2E\x30-\x5B\x5D-\x7E]{1,256}$`) })
)

const maxScopes = 100

// CreateResourceServer defines the custom scopes IDENTIFIER/SCOPE.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateResourceServer.html
func (s *Service) CreateResourceServer(ctx context.Context, in *cognitoidentityprovider.CreateResourceServerInput) (*cognitoidentityprovider.CreateResourceServerOutput, error) {
	server := types.ResourceServerType{Identifier: in.Identifier, Name: in.Name, Scopes: in.Scopes, UserPoolId: in.UserPoolId}
	err := s.locked(ctx, "CreateResourceServer", in.UserPoolId, func(p *pool) error {
		if err := validServer(server); err != nil {
			return err
		}
		if p.serverIndex(in.Identifier) >= 0 {
			return invalid("%s already exists in user pool %s.", *in.Identifier, *in.UserPoolId)
		}
		p.servers = append(slices.Clip(p.servers), server)
		return nil
	})
	return &cognitoidentityprovider.CreateResourceServerOutput{ResourceServer: &server}, err
}

// UpdateResourceServer replaces a resource server's name and scopes.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UpdateResourceServer.html
func (s *Service) UpdateResourceServer(ctx context.Context, in *cognitoidentityprovider.UpdateResourceServerInput) (*cognitoidentityprovider.UpdateResourceServerOutput, error) {
	server := types.ResourceServerType{Identifier: in.Identifier, Name: in.Name, Scopes: in.Scopes, UserPoolId: in.UserPoolId}
	err := s.onServer(ctx, "UpdateResourceServer", in.UserPoolId, in.Identifier, func(p *pool, i int) error {
		if err := validServer(server); err != nil {
			return err
		}
		p.servers = slices.Clone(p.servers)
		p.servers[i] = server
		return nil
	})
	return &cognitoidentityprovider.UpdateResourceServerOutput{ResourceServer: &server}, err
}

// DescribeResourceServer returns a resource server.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_DescribeResourceServer.html
func (s *Service) DescribeResourceServer(ctx context.Context, in *cognitoidentityprovider.DescribeResourceServerInput) (*cognitoidentityprovider.DescribeResourceServerOutput, error) {
	out := &cognitoidentityprovider.DescribeResourceServerOutput{}
	err := s.onServer(ctx, "DescribeResourceServer", in.UserPoolId, in.Identifier, func(p *pool, i int) error {
		server := p.servers[i]
		out.ResourceServer = &server
		return nil
	})
	return out, err
}

// DeleteResourceServer deletes a resource server; clients keep its scopes.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_DeleteResourceServer.html
func (s *Service) DeleteResourceServer(ctx context.Context, in *cognitoidentityprovider.DeleteResourceServerInput) (*cognitoidentityprovider.DeleteResourceServerOutput, error) {
	err := s.onServer(ctx, "DeleteResourceServer", in.UserPoolId, in.Identifier, func(p *pool, i int) error {
		p.servers = slices.Delete(slices.Clone(p.servers), i, i+1)
		return nil
	})
	return &cognitoidentityprovider.DeleteResourceServerOutput{}, err
}

// ListResourceServers returns a pool's resource servers in order of creation.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListResourceServers.html
func (s *Service) ListResourceServers(ctx context.Context, in *cognitoidentityprovider.ListResourceServersInput) (*cognitoidentityprovider.ListResourceServersOutput, error) {
	out := &cognitoidentityprovider.ListResourceServersOutput{}
	err := s.locked(ctx, "ListResourceServers", in.UserPoolId, func(p *pool) (err error) {
		out.ResourceServers, out.NextToken, err = page(p.servers, in.MaxResults, in.NextToken, 50)
		return err
	})
	return out, err
}

func (s *Service) onServer(ctx context.Context, operation string, poolID, identifier *string, f func(*pool, int) error) error {
	return s.locked(ctx, operation, poolID, func(p *pool) error {
		i := p.serverIndex(identifier)
		if i < 0 {
			return notFound("Resource server %s does not exist.", aws.ToString(identifier))
		}
		return f(p, i)
	})
}

func (p *pool) serverIndex(identifier *string) int {
	return slices.IndexFunc(p.servers, func(server types.ResourceServerType) bool {
		return *server.Identifier == aws.ToString(identifier)
	})
}

// hasScope tells whether a resource server defines the custom scope.
func (p *pool) hasScope(name string) bool {
	for _, server := range p.servers {
		for _, scope := range server.Scopes {
			if *server.Identifier+"/"+*scope.ScopeName == name {
				return true
			}
		}
	}
	return false
}

func validServer(server types.ResourceServerType) error {
	if err := expect("identifier", server.Identifier, serverIdentifier()); err != nil {
		return err
	}
	if err := expect("name", server.Name, serverName()); err != nil {
		return err
	}
	if len(server.Scopes) > maxScopes {
		return invalid("1 validation error detected: Value at 'scopes' failed to satisfy constraint: Member must have length less than or equal to %d", maxScopes)
	}
	for _, scope := range server.Scopes {
		if err := expect("scopes.scopeName", scope.ScopeName, scopeName()); err != nil {
			return err
		}
		if length := len(aws.ToString(scope.ScopeDescription)); length < 1 || length > 256 {
			return invalid("1 validation error detected: Value at 'scopes.scopeDescription' failed to satisfy constraint: Member must have length between 1 and 256")
		}
	}
	return nil
}
