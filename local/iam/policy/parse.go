package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Parse checks a document and makes it ready for evaluation. The error is a
// sentence about the document and repeats no values of conditions.
func Parse(source string, kind Kind) (*Document, error) {
	if !json.Valid([]byte(source)) {
		return nil, errors.New("syntax errors in policy: the document is not valid JSON")
	}
	elements, err := members(json.RawMessage(source))
	if err != nil {
		return nil, fmt.Errorf("syntax errors in policy: %w", err)
	}
	version := "2008-10-17" // what AWS assumes
	var statements []json.RawMessage
	for _, element := range elements {
		switch element.name {
		case "Version":
			version, _ = text(element.value)
			if version != "2012-10-17" && version != "2008-10-17" {
				return nil, errors.New("the policy must contain a valid version string: 2012-10-17 or 2008-10-17")
			}
		case "Id":
			if _, ok := text(element.value); !ok {
				return nil, errors.New("the policy's Id is not a string")
			}
		case "Statement":
			statements, err = list(element.value)
			if err != nil {
				return nil, fmt.Errorf("the policy's Statement: %w", err)
			}
		default:
			return nil, fmt.Errorf("unknown element %q beside Version, Id and Statement", element.name)
		}
	}
	if len(statements) == 0 {
		return nil, errors.New("the policy has no Statement")
	}
	document := &Document{kind: kind}
	var sids []string
	for i, raw := range statements {
		reader := statementReader{kind: kind, variables: version == "2012-10-17"}
		if err := reader.read(raw); err != nil {
			return nil, fmt.Errorf("statement %s: %w", position(reader.sid, i), err)
		}
		if reader.sid != "" && slices.Contains(sids, reader.sid) {
			return nil, fmt.Errorf("statement IDs (SID) in a single policy must be unique: %s stands twice", reader.sid)
		}
		sids = append(sids, reader.sid)
		document.statements = append(document.statements, reader.statement)
	}
	return document, nil
}

func position(sid string, index int) string {
	if sid != "" {
		return sid
	}
	return fmt.Sprint(index + 1)
}

// statementReader fills a statement from its JSON elements.
type statementReader struct {
	kind      Kind
	variables bool
	sid       string
	statement statement
	seen      []string
}

var (
	actionForm = regexp.MustCompile(`^(?:\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+)$`)
	sidForm    = regexp.MustCompile(`^[0-9A-Za-z]*$`)
)

func (r *statementReader) read(raw json.RawMessage) error {
	elements, err := members(raw)
	if err != nil {
		return err
	}
	for _, element := range elements {
		r.seen = append(r.seen, element.name)
		if err := r.element(element.name, element.value); err != nil {
			return err
		}
	}
	return r.complete()
}

func (r *statementReader) element(name string, value json.RawMessage) (err error) {
	s := &r.statement
	switch name {
	case "Sid":
		var ok bool
		if r.sid, ok = text(value); !ok {
			return errors.New("the Sid is not a string")
		}
		if r.kind != Resource && !sidForm.MatchString(r.sid) {
			return errors.New("statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*")
		}
		return nil
	case "Effect":
		effect, _ := text(value)
		if effect != "Allow" && effect != "Deny" {
			return errors.New("the Effect must be Allow or Deny")
		}
		s.deny = effect == "Deny"
		return nil
	case "Principal", "NotPrincipal":
		s.principals, err = parsePrincipals(value)
		s.principals.negated = name == "NotPrincipal"
		return err
	case "Action", "NotAction":
		s.actions, err = r.patterns(name, value, r.checkAction)
		return err
	case "Resource", "NotResource":
		s.resources, err = r.patterns(name, value, checkResource)
		return err
	case "Condition":
		s.conditions, err = parseConditions(value, r.variables)
		return err
	}
	return fmt.Errorf("unknown element %q", name)
}

func (r *statementReader) patterns(name string, raw json.RawMessage, check func(string) error) (patterns, error) {
	values, err := texts(raw)
	if err != nil {
		return patterns{}, fmt.Errorf("%s: %w", name, err)
	}
	result := patterns{negated: strings.HasPrefix(name, "Not")}
	for _, value := range values {
		if err := check(value); err != nil {
			return patterns{}, err
		}
		d := dialect{wildcards: true, variables: r.variables}
		if strings.HasSuffix(name, "Action") {
			// Actions know no case and no variables.
			value, d.variables = strings.ToLower(value), false
		}
		p, err := compile(value, d)
		if err != nil {
			return patterns{}, fmt.Errorf("%s: %w", name, err)
		}
		result.any = append(result.any, p)
	}
	return result, nil
}

func (r *statementReader) checkAction(action string) error {
	if !actionForm.MatchString(action) {
		return fmt.Errorf("actions/conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: %q", action)
	}
	if r.kind == Trust && !strings.HasPrefix(strings.ToLower(action), "sts:") {
		return errors.New("an AssumeRole policy may only specify STS AssumeRole actions")
	}
	return nil
}

func checkResource(resource string) error {
	if resource != "*" && !strings.HasPrefix(resource, "arn:") {
		return fmt.Errorf(`resource %s must be in ARN format or "*"`, resource)
	}
	return nil
}

// complete checks which elements stand together, in the document's place.
func (r *statementReader) complete() error {
	if !slices.Contains(r.seen, "Effect") {
		return errors.New("missing required field Effect")
	}
	if err := r.exactlyOne("Action", "NotAction"); err != nil {
		return err
	}
	switch {
	case r.kind != Trust:
		if err := r.exactlyOne("Resource", "NotResource"); err != nil {
			return err
		}
	case slices.Contains(r.seen, "Resource") || slices.Contains(r.seen, "NotResource"):
		return errors.New("has prohibited field Resource")
	default:
		r.statement.resources.negated = true // every resource: there is one, the role
	}
	if r.kind != Identity {
		if err := r.exactlyOne("Principal", "NotPrincipal"); err != nil {
			return err
		}
	} else if slices.Contains(r.seen, "Principal") || slices.Contains(r.seen, "NotPrincipal") {
		return errors.New("policy document should not specify a principal")
	}
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
	if r.statement.principals.negated && !r.statement.deny {
		return errors.New(`the element NotPrincipal is not supported with "Effect": "Allow"; name the principals in Principal`)
	}
	return nil
}

func (r *statementReader) exactlyOne(name, opposite string) error {
	has, hasOpposite := slices.Contains(r.seen, name), slices.Contains(r.seen, opposite)
	if has && hasOpposite {
		return fmt.Errorf("has both %s and %s; keep one", name, opposite)
	}
	if !has && !hasOpposite {
		return fmt.Errorf("missing required field %s", name)
	}
	return nil
}

func parseConditions(raw json.RawMessage, variables bool) ([]condition, error) {
	operators, err := members(raw)
	if err != nil {
		return nil, fmt.Errorf("its Condition: %w", err)
	}
	var conditions []condition
	for _, operator := range operators {
		keys, err := members(operator.value)
		if err != nil {
			return nil, fmt.Errorf("its Condition %s: %w", operator.name, err)
		}
		for _, key := range keys {
			values, err := scalars(key.value)
			if err != nil {
				return nil, fmt.Errorf("its Condition %s on %s: %w", operator.name, key.name, err)
			}
			condition, err := newCondition(operator.name, key.name, values, variables)
			if err != nil {
				return nil, err
			}
			conditions = append(conditions, condition)
		}
	}
	return conditions, nil
}
