package policy

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
)

// principals is the content of Principal or NotPrincipal.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
type principals struct {
	anyone   bool
	accounts []string // account ids
	names    []string // ARNs of users, roles and sessions, service principals
	negated  bool
}

var (
	accountPrincipal = regexp.MustCompile(`^(?:arn:aws[a-z-]*:iam::)?(\d{12})(?::root)?$`)
	namedPrincipal   = regexp.MustCompile(`^arn:aws[a-z-]*:(?:iam::\d{12}:(?:user|role)/|sts::\d{12}:(?:assumed-role/[^/*?]+|federated-user)/)[^*?]+$`)
	servicePrincipal = regexp.MustCompile(`^[a-z0-9.-]+\.amazonaws\.com(?:\.cn)?$`)
)

// match says whether the caller is named itself, and whether its account is.
func (p *principals) match(request Request) (direct, account bool) {
	if p.negated {
		return !p.listsAll(request), false
	}
	account = request.Account != "" && slices.Contains(p.accounts, request.Account)
	if p.anyone {
		return true, account
	}
	for _, name := range request.Names {
		if slices.Contains(p.names, name) {
			return true, account
		}
	}
	return false, account
}

// listsAll says whether NotPrincipal exempts the caller: session, role and
// account must all stand there.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
func (p *principals) listsAll(request Request) bool {
	if p.anyone {
		return true
	}
	if request.Account != "" && !slices.Contains(p.accounts, request.Account) {
		return false
	}
	for _, name := range request.Names {
		if !slices.Contains(p.names, name) {
			return false
		}
	}
	return true
}

func parsePrincipals(raw json.RawMessage) (principals, error) {
	var p principals
	if everyone, ok := text(raw); ok {
		if everyone != "*" {
			return p, fmt.Errorf(`invalid principal in policy: %q; write it like {"AWS": "…"} or {"Service": "…"}`, everyone)
		}
		p.anyone = true
		return p, nil
	}
	kinds, err := members(raw)
	if err != nil {
		return p, fmt.Errorf("its Principal: %w", err)
	}
	if len(kinds) == 0 {
		return p, fmt.Errorf("its Principal: names nobody; give AWS or Service")
	}
	for _, kind := range kinds {
		names, err := texts(kind.value)
		if err != nil {
			return p, fmt.Errorf("its Principal %s: %w", kind.name, err)
		}
		for _, name := range names {
			if err := p.add(kind.name, name); err != nil {
				return p, err
			}
		}
	}
	return p, nil
}

func (p *principals) add(kind, name string) error {
	switch kind {
	case "AWS":
		account := accountPrincipal.FindStringSubmatch(name)
		switch {
		case name == "*":
			p.anyone = true
			return nil
		case account != nil:
			p.accounts = append(p.accounts, account[1])
			return nil
		case namedPrincipal.MatchString(name):
			p.names = append(p.names, name)
			return nil
		}
	case "Service":
		if servicePrincipal.MatchString(name) {
			p.names = append(p.names, name)
			return nil
		}
	default:
		return fmt.Errorf("principal type %q is not one that calls here; use AWS or Service", kind)
	}
	return fmt.Errorf(`invalid principal in policy: "%s":"%s"`, kind, name)
}
