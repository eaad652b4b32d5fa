package kms

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"api-destination-credentials/local/access"
)

// https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html
var aliasName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^alias/[a-zA-Z0-9/_-]{1,250}$`) })

// permitAlias asks for the alias itself: its key is asked for beside it.
// https://docs.aws.amazon.com/kms/latest/developerguide/alias-access.html
func (s *Service) permitAlias(ctx context.Context, action, name string) error {
	return s.Auth.Authorize(ctx, access.Request{Action: "kms:" + action, Resource: s.Account.ARN("kms", name)})
}

// CreateAlias gives a key a name.
func (s *Service) CreateAlias(ctx context.Context, in *kms.CreateAliasInput) (*kms.CreateAliasOutput, error) {
	name := aws.ToString(in.AliasName)
	if !aliasName().MatchString(name) || strings.HasPrefix(name, "alias/aws/") {
		return nil, &types.InvalidAliasNameException{Message: aws.String("AliasName has to begin with alias/ and not with alias/aws/, and to go on with up to 250 letters, digits, /, _ and -")}
	}
	if err := s.permitAlias(ctx, "CreateAlias", name); err != nil {
		return nil, err
	}
	return &kms.CreateAliasOutput{}, s.change(ctx, "CreateAlias", in.TargetKeyId, func(k *key) error {
		if s.aliases[name] != nil {
			return &types.AlreadyExistsException{Message: aws.String(fmt.Sprintf("An alias with the name %s already exists", s.Account.ARN("kms", name)))}
		}
		s.aliases[name] = &alias{target: k, created: s.Clock.Now()}
		return nil
	})
}

// UpdateAlias gives another key the name.
func (s *Service) UpdateAlias(ctx context.Context, in *kms.UpdateAliasInput) (*kms.UpdateAliasOutput, error) {
	name := aws.ToString(in.AliasName)
	if err := s.leaveKey(ctx, "UpdateAlias", name); err != nil {
		return nil, err
	}
	return &kms.UpdateAliasOutput{}, s.change(ctx, "UpdateAlias", in.TargetKeyId, func(k *key) error {
		held := s.aliases[name]
		if held == nil {
			return s.noAlias(name)
		}
		if held.target.usage != k.usage || (held.target.material == nil) != (k.material == nil) {
			return validation(fmt.Sprintf("%s names a key of another kind than %s: choose a key of the same kind and usage", name, k.arn))
		}
		held.target = k
		return nil
	})
}

// DeleteAlias takes the name away; that of a key pending deletion too.
func (s *Service) DeleteAlias(ctx context.Context, in *kms.DeleteAliasInput) (*kms.DeleteAliasOutput, error) {
	name := aws.ToString(in.AliasName)
	if err := s.leaveKey(ctx, "DeleteAlias", name); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.aliases, name)
	return &kms.DeleteAliasOutput{}, nil
}

// leaveKey authorizes taking an alias from its key. The aliases of AWS managed
// keys stay.
func (s *Service) leaveKey(ctx context.Context, action, name string) error {
	s.mu.RLock()
	held := s.aliases[name]
	var target string
	if held != nil {
		target = held.target.id
	}
	s.mu.RUnlock()
	if held == nil {
		return s.noAlias(name)
	}
	if _, err := s.allowed(ctx, action, &target, nil); err != nil {
		return err
	}
	return s.permitAlias(ctx, action, name)
}

func (s *Service) noAlias(name string) error {
	return notFound(fmt.Sprintf("Alias %s is not found.", s.Account.ARN("kms", name)))
}

// ListAliases lists every alias, or those of one key.
func (s *Service) ListAliases(ctx context.Context, in *kms.ListAliasesInput) (*kms.ListAliasesOutput, error) {
	if err := s.Auth.Authorize(ctx, access.Request{Action: "kms:ListAliases", Resource: "*"}); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.purge()
	var of *key
	if in.KeyId != nil {
		var err error
		if of, err = s.find(in.KeyId); err != nil {
			return nil, err
		}
	}
	listed := &kms.ListAliasesOutput{Aliases: []types.AliasListEntry{}}
	for name, held := range s.aliases {
		if of == nil || of == held.target {
			listed.Aliases = append(listed.Aliases, types.AliasListEntry{
				AliasName: aws.String(name), AliasArn: aws.String(s.Account.ARN("kms", name)), TargetKeyId: aws.String(held.target.id), CreationDate: aws.Time(held.created),
			})
		}
	}
	slices.SortFunc(listed.Aliases, func(a, b types.AliasListEntry) int { return strings.Compare(*a.AliasName, *b.AliasName) })
	shown, next, err := page(listed.Aliases, in.Limit, in.Marker, 50, 100)
	if err != nil {
		return nil, err
	}
	listed.Aliases, listed.NextMarker, listed.Truncated = shown, next, next != nil
	return listed, nil
}
