package iam

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"

	"api-destination-credentials/local/access"
	"api-destination-credentials/local/iam/policy"
)

// Authorize implements access.Authorizer for callers of this account: an
// explicit deny wins; a resource's policy or the caller's own allows; a key's
// policy has to allow or to leave it to the account's policies.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-single-account.html
func (s *Service) Authorize(ctx context.Context, request access.Request) error {
	caller := access.Caller(ctx)
	asked := s.question(caller, request)
	own := s.identity(caller, asked)
	var resource policy.Verdict
	if request.Policy != "" {
		parsed, err := s.parse(request.Policy)
		if err != nil {
			return &smithy.GenericAPIError{Code: "MalformedPolicyDocument", Message: fmt.Sprintf("The policy of %s: %v", request.Resource, err)}
		}
		resource = parsed.Evaluate(asked)
	}
	switch {
	case own.Denied:
		return refusal(caller, request, "with an explicit deny in an identity-based policy")
	case resource.Denied:
		return refusal(caller, request, "with an explicit deny in a resource-based policy")
	case resource.Allowed, resource.Delegated && own.Allowed, !request.PolicyGoverns && own.Allowed:
		s.note(caller, request.Action)
		return nil
	case request.PolicyGoverns && !resource.Delegated, caller.Service != "":
		return refusal(caller, request, fmt.Sprintf("because no resource-based policy allows the %s action", request.Action))
	}
	return refusal(caller, request, fmt.Sprintf("because no identity-based policy allows the %s action", request.Action))
}

// parse reads a resource's policy, the same text only once: a key's policy is
// asked for at every use of the key.
func (s *Service) parse(text string) (*policy.Document, error) {
	if known, ok := s.parsed.Load(text); ok {
		return known.(*policy.Document), nil
	}
	parsed, err := policy.Parse(text, policy.Resource)
	if err == nil {
		s.parsed.Store(text, parsed)
	}
	return parsed, err
}

// identity evaluates the caller's own policies.
func (s *Service) identity(caller access.Principal, asked policy.Request) policy.Verdict {
	if caller.Administrator {
		return policy.Verdict{Allowed: true}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var verdict policy.Verdict
	found := s.roles[caller.RoleARN[strings.LastIndex(caller.RoleARN, "/")+1:]]
	if found == nil || s.arn(found) != caller.RoleARN {
		return verdict
	}
	for _, document := range found.inline {
		verdict = verdict.Join(document.parsed.Evaluate(asked))
	}
	for _, document := range found.attached {
		verdict = verdict.Join(document.parsed.Evaluate(asked))
	}
	return verdict
}

// question adds what is known of the caller to what it asks for.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func (s *Service) question(caller access.Principal, request access.Request) policy.Request {
	values := map[string]string{"aws:requestedregion": s.Account.Region}
	set := func(key, value string) {
		if value != "" {
			values[key] = value
		}
	}
	set("kms:viaservice", caller.Via)
	asked := policy.Request{Action: request.Action, Resource: request.Resource}
	if caller.Service != "" {
		asked.Names = []string{caller.Service}
		set("aws:sourcearn", caller.SourceARN)
		set("aws:sourceaccount", s.ownerOf(caller.SourceARN))
		values["aws:principalisawsservice"], values["aws:principalservicename"] = "true", caller.Service
	} else if caller.ARN != "" {
		asked.Names, asked.Account = []string{caller.ARN}, s.Account.ID
		principal := caller.ARN
		if caller.RoleARN != "" {
			asked.Names, principal = append(asked.Names, caller.RoleARN), caller.RoleARN
		}
		set("aws:principalarn", principal)
		set("aws:principalaccount", s.Account.ID)
		set("kms:calleraccount", s.Account.ID)
		values["aws:principalisawsservice"] = "false"
	}
	for key, value := range request.Conditions {
		values[strings.ToLower(key)] = value
	}
	asked.Value = func(key string) (string, bool) {
		value, ok := values[key]
		return value, ok
	}
	return asked
}

// ownerOf is the account in an ARN, or this one where the ARN names none.
func (s *Service) ownerOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 && parts[4] != "" {
		return parts[4]
	}
	return s.Account.ID
}

// refusal is worded as AWS words it.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func refusal(caller access.Principal, request access.Request, why string) error {
	name := caller.ARN
	switch {
	case caller.Service != "":
		name = caller.Service
	case name == "":
		name = "anonymous"
	}
	return &smithy.GenericAPIError{
		Code:    "AccessDeniedException",
		Message: fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s %s", name, request.Action, request.Resource, why),
	}
}
