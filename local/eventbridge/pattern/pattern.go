// Package pattern compiles EventBridge event patterns once and matches many
// events against them fast.
//
// It knows every documented operator, $or, nested fields and EventBridge's rule
// on arrays: all fields below an array must be met by one element of it.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
package pattern

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// maximumCombinations is how many patterns without $or a pattern may stand for.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html#eb-filtering-complex-example-or
const maximumCombinations = 1000

// Pattern is a compiled event pattern. It is safe for concurrent use.
type Pattern struct {
	// combinations are what $or multiplies out to; one of them has to match.
	// Multiplying out, instead of testing each $or where it stands, keeps the
	// rule on arrays exact for fields inside and outside of a $or.
	combinations []*node
}

// node holds what a place in the event must satisfy: one of the tests, where
// there are any, and every field below it.
type node struct {
	tests  []test
	fields map[string]*node
}

// reason is why a pattern is not valid, as a sentence of EventBridge's own where
// one is known; hence the capitals.
type reason string

func (r reason) Error() string { return string(r) }

func reasonf(format string, args ...any) error { return reason(fmt.Sprintf(format, args...)) }

// Compile reads an event pattern. The error is the reason alone, in EventBridge's
// words where they are known, to follow "Event pattern is not valid. Reason: ".
func Compile(text string) (*Pattern, error) {
	value, err := decode([]byte(text))
	if err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, reason("Filter is not an object")
	}
	combinations, err := compileObject(object, nil)
	if err != nil {
		return nil, err
	}
	return &Pattern{combinations: combinations}, nil
}

// Matches tells whether the event meets the pattern.
func (p *Pattern) Matches(event Event) bool {
	m := matcher{event: event.root}
	return slices.ContainsFunc(p.combinations, func(n *node) bool { return m.matches(n, event.root) })
}

func compileObject(object map[string]any, path []string) ([]*node, error) {
	if len(object) == 0 {
		return nil, reason("Empty objects are not allowed")
	}
	combinations := []*node{{}}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		alternatives, err := compileField(key, object[key], path)
		if err != nil {
			return nil, err
		}
		if combinations, err = multiply(combinations, alternatives); err != nil {
			return nil, err
		}
	}
	return combinations, nil
}

func compileField(key string, value any, path []string) ([]*node, error) {
	if key == "$or" {
		return compileOr(value, path)
	}
	// EventBridge joins nested names with dots, so a name with dots is a path.
	names := strings.Split(key, ".")
	path = slices.Concat(path, names)
	var alternatives []*node
	switch value := value.(type) {
	case map[string]any:
		var err error
		if alternatives, err = compileObject(value, path); err != nil {
			return nil, err
		}
	case []any:
		tests, err := compileTests(value, path)
		if err != nil {
			return nil, err
		}
		alternatives = []*node{{tests: tests}}
	default:
		return nil, reasonf("%q must be an object or an array", key)
	}
	for i, alternative := range alternatives {
		for _, name := range slices.Backward(names) {
			alternative = &node{fields: map[string]*node{name: alternative}}
		}
		alternatives[i] = alternative
	}
	return alternatives, nil
}

func compileOr(value any, path []string) ([]*node, error) {
	branches, _ := value.([]any)
	if len(branches) < 2 {
		return nil, reason("$or must be an array of at least two objects")
	}
	var alternatives []*node
	for _, branch := range branches {
		object, ok := branch.(map[string]any)
		if !ok {
			return nil, reason("$or must be an array of at least two objects")
		}
		if err := checkNames(object); err != nil {
			return nil, err
		}
		more, err := compileObject(object, path)
		if err != nil {
			return nil, err
		}
		if alternatives = append(alternatives, more...); len(alternatives) > maximumCombinations {
			return nil, tooManyCombinations()
		}
	}
	return alternatives, nil
}

// operatorNames cannot name fields inside of a $or: those of today and those
// that event-ruler reserves. AWS's documentation has no list.
var operatorNames = []string{
	"exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr",
	"=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case", "date-after", "date-on-or-after",
	"date-before", "date-on-or-before", "in-date-range", "ip-address-in-range", "ip-address-not-in-range",
}

func checkNames(object map[string]any) error {
	for name, value := range object {
		if slices.Contains(operatorNames, name) {
			return reasonf("%s is Ruler reserved fieldName which cannot be used inside $or.", name)
		}
		if inner, ok := value.(map[string]any); ok {
			if err := checkNames(inner); err != nil {
				return err
			}
		}
	}
	return nil
}

func multiply(left, right []*node) ([]*node, error) {
	if len(left)*len(right) > maximumCombinations {
		return nil, tooManyCombinations()
	}
	product := make([]*node, 0, len(left)*len(right))
	for _, l := range left {
		for _, r := range right {
			joined, err := join(l, r)
			if err != nil {
				return nil, err
			}
			product = append(product, joined)
		}
	}
	return product, nil
}

func tooManyCombinations() error {
	return reasonf("the $or arrays stand for more than %d combinations of fields; use fewer or smaller $or arrays", maximumCombinations)
}

// join returns what satisfies both; neither is changed, since combinations share
// nodes. Which of two tests of one field would count is documented nowhere
// (https://github.com/aws/event-ruler/issues/22), so they are refused.
func join(a, b *node) (*node, error) {
	if a.tests != nil && b.tests != nil {
		return nil, reason("a field is tested more than once, beside a $or and in it or by two spellings of its path; put all of its tests in one array")
	}
	joined := &node{tests: a.tests, fields: maps.Clone(a.fields)}
	if a.tests == nil {
		joined.tests = b.tests
	}
	for name, child := range b.fields {
		if joined.fields == nil {
			joined.fields = map[string]*node{}
		}
		if present, ok := joined.fields[name]; ok {
			var err error
			if child, err = join(present, child); err != nil {
				return nil, err
			}
		}
		joined.fields[name] = child
	}
	return joined, nil
}

func decode(text []byte) (any, error) {
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber() // numbers are compared exactly, as decimals
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, reason("unexpected text after the JSON value")
	}
	return value, nil
}
