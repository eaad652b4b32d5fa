// Package iam keeps roles and decides what callers may do. Permissions are
// enforced: what the policies of roles, resources and keys do not allow is
// refused in AWS's words.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
package iam

import (
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
	"api-destination-credentials/local/iam/policy"
)

// Config is what the service builds on.
type Config struct {
	Account access.Account
	Clock   clockwork.Clock
}

// Service is IAM in one account. It is safe for concurrent use.
type Service struct {
	Config

	mu    sync.RWMutex
	roles map[string]*role // by name

	parsed  sync.Map          // resource policies by their text
	reports map[string]report // of last access, by job
	used    sync.Map          // when roles were last allowed what, by usage
}

// New returns a service without roles.
func New(config Config) *Service {
	return &Service{Config: config, roles: map[string]*role{}, reports: map[string]report{}}
}

type role struct {
	id, name, path, description string
	created                     time.Time
	maxSession                  int32 // seconds
	trust                       document
	inline                      map[string]document
	attached                    map[string]document // by the managed policy's ARN
	tags                        []types.Tag
}

type document struct {
	text   string
	parsed *policy.Document
}

func parse(text string, kind policy.Kind) (document, error) {
	parsed, err := policy.Parse(text, kind)
	if err != nil {
		return document{}, &types.MalformedPolicyDocumentException{Message: aws.String(err.Error())}
	}
	return document{text, parsed}, nil
}

func (s *Service) arn(r *role) string {
	return fmt.Sprintf("arn:aws:iam::%s:role%s%s", s.Account.ID, r.path, r.name)
}

// role needs the lock held.
func (s *Service) role(name *string) (*role, error) {
	if found := s.roles[aws.ToString(name)]; found != nil {
		return found, nil
	}
	return nil, &types.NoSuchEntityException{Message: aws.String(fmt.Sprintf("The role with name %s cannot be found.", aws.ToString(name)))}
}

// newID is a unique id as IAM makes them: four letters for the kind, then
// seventeen characters.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
func newID(kind string) string { return kind + rand.Text()[:17] }
