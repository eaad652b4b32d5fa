package policy

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// condition is one key under one operator of a Condition block.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
type condition struct {
	key     string // in lower case
	tests   []test // one for each value in the policy
	negated bool   // holds where no test matches
	null    bool   // the tests are about the key's presence
	absent  bool   // what holds where the request has no such key
}

// test says whether a request's value matches one value of the policy.
type test func(value string, lookup lookup) bool

func (c *condition) holds(lookup lookup) bool {
	value, present := lookup(c.key)
	if c.null {
		value = strconv.FormatBool(!present)
	} else if !present {
		return c.absent
	}
	for _, matches := range c.tests {
		if matches(value, lookup) {
			return !c.negated
		}
	}
	return c.negated
}

// operator compiles one value of the policy into a test.
type operator struct {
	compile func(text string, variables bool) (test, error)
	negated bool
}

var operators = map[string]operator{
	"StringEquals":              {compile: stringEquals},
	"StringNotEquals":           {compile: stringEquals, negated: true},
	"StringEqualsIgnoreCase":    {compile: stringEqualsIgnoreCase},
	"StringNotEqualsIgnoreCase": {compile: stringEqualsIgnoreCase, negated: true},
	"StringLike":                {compile: stringLike},
	"StringNotLike":             {compile: stringLike, negated: true},
	"ArnEquals":                 {compile: arnLike},
	"ArnNotEquals":              {compile: arnLike, negated: true},
	"ArnLike":                   {compile: arnLike},
	"ArnNotLike":                {compile: arnLike, negated: true},
	"Bool":                      {compile: boolean},
	"Null":                      {compile: boolean},
	"NumericEquals":             {compile: ordered(number, isEqual)},
	"NumericNotEquals":          {compile: ordered(number, isEqual), negated: true},
	"NumericLessThan":           {compile: ordered(number, isLess)},
	"NumericLessThanEquals":     {compile: ordered(number, isLessOrEqual)},
	"NumericGreaterThan":        {compile: ordered(number, isGreater)},
	"NumericGreaterThanEquals":  {compile: ordered(number, isGreaterOrEqual)},
	"DateEquals":                {compile: ordered(date, isEqual)},
	"DateNotEquals":             {compile: ordered(date, isEqual), negated: true},
	"DateLessThan":              {compile: ordered(date, isLess)},
	"DateLessThanEquals":        {compile: ordered(date, isLessOrEqual)},
	"DateGreaterThan":           {compile: ordered(date, isGreater)},
	"DateGreaterThanEquals":     {compile: ordered(date, isGreaterOrEqual)},
	"IpAddress":                 {compile: inRange},
	"NotIpAddress":              {compile: inRange, negated: true},
}

func newCondition(name, key string, values []string, variables bool) (condition, error) {
	if !strings.Contains(key, ":") {
		return condition{}, fmt.Errorf("condition key %q must be prefaced by a vendor, for instance aws:SourceArn", key)
	}
	base, ifExists := strings.CutSuffix(name, "IfExists")
	base, forAll := strings.CutPrefix(base, "ForAllValues:")
	base, forAny := strings.CutPrefix(base, "ForAnyValue:")
	operator, known := operators[base]
	null := base == "Null"
	if !known || forAll && forAny || null && base != name {
		return condition{}, fmt.Errorf("condition operator %q is not one that is evaluated here; use one of %s", name, strings.Join(slices.Sorted(maps.Keys(operators)), ", "))
	}
	c := condition{
		key:     strings.ToLower(key),
		negated: operator.negated,
		null:    null,
		// A missing key fails a plain test and passes a negated one.
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
		absent: ifExists || forAll || operator.negated && !forAny,
	}
	for _, value := range values {
		test, err := operator.compile(value, variables)
		if err != nil {
			return condition{}, fmt.Errorf("condition %s on %s: %w", name, key, err)
		}
		c.tests = append(c.tests, test)
	}
	return c, nil
}

func stringEquals(text string, variables bool) (test, error) {
	p, err := compile(text, dialect{variables: variables})
	return p.match, err
}

func stringEqualsIgnoreCase(text string, variables bool) (test, error) {
	p, err := compile(text, dialect{variables: variables})
	return p.equalFold, err
}

func stringLike(text string, variables bool) (test, error) {
	p, err := compile(text, dialect{wildcards: true, variables: variables})
	return p.match, err
}

// ArnEquals and ArnLike behave alike, by AWS's page.
func arnLike(text string, variables bool) (test, error) {
	p, err := compile(text, dialect{wildcards: true, variables: variables})
	return p.matchARN, err
}

func boolean(text string, _ bool) (test, error) {
	if !strings.EqualFold(text, "true") && !strings.EqualFold(text, "false") {
		return nil, fmt.Errorf("%q is neither true nor false", text)
	}
	return func(value string, _ lookup) bool { return strings.EqualFold(value, text) }, nil
}

func inRange(text string, _ bool) (test, error) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		address, err := netip.ParseAddr(text)
		if err != nil {
			return nil, fmt.Errorf("%q is neither an IP address nor a range like 203.0.113.0/24", text)
		}
		prefix = netip.PrefixFrom(address, address.BitLen())
	}
	return func(value string, _ lookup) bool {
		address, err := netip.ParseAddr(value)
		return err == nil && prefix.Contains(address)
	}, nil
}

// ordered builds the operators that compare numbers or dates. A request value
// that is none matches nothing.
func ordered(parse func(string) (float64, error), holds func(order int) bool) func(string, bool) (test, error) {
	return func(text string, _ bool) (test, error) {
		limit, err := parse(text)
		if err != nil {
			return nil, err
		}
		return func(value string, _ lookup) bool {
			actual, err := parse(value)
			return err == nil && holds(cmp.Compare(actual, limit))
		}, nil
	}
}

func isEqual(order int) bool          { return order == 0 }
func isLess(order int) bool           { return order < 0 }
func isLessOrEqual(order int) bool    { return order <= 0 }
func isGreater(order int) bool        { return order > 0 }
func isGreaterOrEqual(order int) bool { return order >= 0 }

// decimal keeps out what strconv reads beside integers and decimals: NaN, which
// would be less than every number, infinity and hexadecimal.
var decimal = regexp.MustCompile(`^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$`)

func number(text string) (float64, error) {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || !decimal.MatchString(text) {
		return 0, fmt.Errorf("%q is not a number", text)
	}
	return value, nil
}

// date reads ISO 8601 or seconds since 1970.
func date(text string) (float64, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", time.DateOnly} {
		if moment, err := time.Parse(layout, text); err == nil {
			return float64(moment.UnixMilli()) / 1000, nil
		}
	}
	seconds, err := number(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a date; write it like 2026-11-23T08:00:00Z", text)
	}
	return seconds, nil
}
