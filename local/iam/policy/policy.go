// Package policy reads and evaluates JSON policy documents: those of roles, of
// resources and the trust policies of roles. A document is checked in full when
// it is parsed, so that nothing in it is ever silently ignored; evaluating it
// afterwards cannot fail. Request keys have one value each.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
package policy

import "strings"

// Kind says where a document is attached, which decides the elements that it
// must and must not have.
type Kind int

const (
	// Identity policies belong to a role: Resource, no Principal.
	Identity Kind = iota
	// Resource policies belong to a key, queue, secret or bus: Principal and Resource.
	Resource
	// Trust policies belong to a role and say who may assume it: Principal, no Resource.
	Trust
)

// Document is a parsed policy. It never changes and is safe for concurrent use.
type Document struct {
	kind       Kind
	statements []statement
}

// Request is what a document is asked about.
type Request struct {
	Action   string
	Resource string
	// Names are all names by which a policy may name the caller itself: the ARN
	// of a user, the ARNs of a session and of its role, or a service principal.
	Names []string
	// Account is the caller's account id; empty for a service.
	Account string
	// Value returns the request's value for a condition key, which it is given
	// in lower case.
	Value func(key string) (string, bool)
}

// Verdict is what one document says. The zero value is an implicit deny.
type Verdict struct {
	// Denied by an explicit Deny, which no Allow outweighs.
	Denied bool
	// Allowed by a statement that names the caller (or is the caller's own policy).
	Allowed bool
	// Delegated by a statement that names the caller's account: the identity
	// policies of the account decide.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-accounts
	Delegated bool
}

// Join combines the verdicts of two documents of the same kind.
func (v Verdict) Join(other Verdict) Verdict {
	return Verdict{
		Denied:    v.Denied || other.Denied,
		Allowed:   v.Allowed || other.Allowed,
		Delegated: v.Delegated || other.Delegated,
	}
}

// CheckResource returns the sentence that says why text is not a valid resource
// policy, or nil.
func CheckResource(text string) error {
	_, err := Parse(text, Resource)
	return err
}

// Evaluate returns what the document says about a request.
func (d *Document) Evaluate(request Request) Verdict {
	request.Action = strings.ToLower(request.Action)
	var verdict Verdict
	for i := range d.statements {
		s := &d.statements[i]
		direct, account := true, false
		if d.kind != Identity {
			direct, account = s.principals.match(request)
		}
		if !direct && !account || !s.applies(request) {
			continue
		}
		if s.deny {
			verdict.Denied = true
			continue
		}
		verdict.Allowed = verdict.Allowed || direct
		verdict.Delegated = verdict.Delegated || account
	}
	return verdict
}

type statement struct {
	deny       bool
	principals principals
	actions    patterns
	resources  patterns
	conditions []condition
}

func (s *statement) applies(request Request) bool {
	if !s.actions.match(request.Action, request.Value, pattern.match) {
		return false
	}
	if !s.resources.match(request.Resource, request.Value, pattern.matchARN) {
		return false
	}
	for i := range s.conditions {
		if !s.conditions[i].holds(request.Value) {
			return false
		}
	}
	return true
}

// patterns is the content of Action or NotAction, Resource or NotResource.
type patterns struct {
	any     []pattern
	negated bool
}

func (p patterns) match(value string, lookup lookup, match func(pattern, string, lookup) bool) bool {
	for i := range p.any {
		if match(p.any[i], value, lookup) {
			return !p.negated
		}
	}
	return p.negated
}
