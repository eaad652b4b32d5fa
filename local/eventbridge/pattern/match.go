package pattern

import (
	"slices"
	"strings"
)

// Event is an event read once, to be matched against many patterns.
type Event struct{ root any }

// ReadEvent decodes an event's JSON text.
func ReadEvent(text []byte) (Event, error) {
	value, err := decode(text)
	if err != nil {
		return Event{}, err
	}
	return Event{root: nestDottedNames(value)}, nil
}

// nestDottedNames turns {"a.b": 1} into {"a": {"b": 1}}: to EventBridge, which
// joins nested names with dots, the two are the same.
func nestDottedNames(value any) any {
	switch value := value.(type) {
	case []any:
		for i := range value {
			value[i] = nestDottedNames(value[i])
		}
	case map[string]any:
		for name, member := range value {
			value[name] = nestDottedNames(member)
		}
		for name, member := range value {
			if head, tail, dotted := strings.Cut(name, "."); dotted {
				delete(value, name)
				put(value, head, nestDottedNames(map[string]any{tail: member}))
			}
		}
	}
	return value
}

// put adds a value at a name that may be taken: objects become one, anything
// else stands side by side as if in a list.
func put(object map[string]any, name string, added any) {
	present, taken := object[name]
	a, aIsObject := present.(map[string]any)
	b, bIsObject := added.(map[string]any)
	switch {
	case !taken:
		object[name] = added
	case !aIsObject || !bIsObject:
		object[name] = []any{present, added}
	default:
		for name, member := range b {
			put(a, name, member)
		}
	}
}

// nothing stands for a field that the event does not have.
type nothing struct{}

type matcher struct{ event any }

func (m matcher) matches(n *node, value any) bool {
	if list, ok := value.([]any); ok {
		// One element has to satisfy all of n; a list in which none does may
		// still satisfy tests for absence.
		return slices.ContainsFunc(list, func(element any) bool { return m.matches(n, element) }) ||
			m.matches(n, nothing{})
	}
	if n.tests != nil && !slices.ContainsFunc(n.tests, func(t test) bool { return m.holds(t, value) }) {
		return false
	}
	object, _ := value.(map[string]any)
	for name, child := range n.fields {
		member, ok := object[name]
		if !ok {
			member = nothing{}
		}
		if !m.matches(child, member) {
			return false
		}
	}
	return true
}

func (m matcher) holds(t test, value any) bool {
	if t.absentPath != nil {
		return !hasLeaf(m.event, t.absentPath)
	}
	return isLeaf(value) && t.holds(value)
}

// hasLeaf tells whether any value that is not an object stands at path, in
// whichever element of the arrays on the way. "Exists" tests leaves only.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html#eb-filtering-exists-matching
func hasLeaf(value any, path []string) bool {
	if list, ok := value.([]any); ok {
		return slices.ContainsFunc(list, func(element any) bool { return hasLeaf(element, path) })
	}
	if len(path) == 0 {
		return isLeaf(value)
	}
	object, _ := value.(map[string]any)
	member, ok := object[path[0]]
	return ok && hasLeaf(member, path[1:])
}

func isLeaf(value any) bool {
	switch value.(type) {
	case map[string]any, nothing:
		return false
	}
	return true
}
