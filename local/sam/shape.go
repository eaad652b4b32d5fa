package sam

import (
	"maps"
	"slices"
	"strings"
)

// shape says which properties a SAM resource or event may have, and what may
// stand in them. An intrinsic function may stand anywhere.
type shape map[string]kind

type kind struct {
	name string // in AWS's sentence; empty where several kinds are allowed
	fits func(any) bool
}

var (
	anything     = kind{fits: func(any) bool { return true }}
	text         = kind{"string", isA[string]}
	flag         = kind{"boolean", isA[bool]}
	integer      = kind{"integer", isA[int]}
	object       = kind{"map", isA[map[string]any]}
	objects      = kind{fits: func(v any) bool { return isA[map[string]any](v) && all(v.(map[string]any), isA[map[string]any]) }}
	textOrObject = kind{fits: func(v any) bool { return isA[string](v) || isA[map[string]any](v) }}
	flagOrObject = kind{fits: func(v any) bool { return isA[bool](v) || isA[map[string]any](v) }}
	policyList   = kind{fits: func(v any) bool {
		return !slices.ContainsFunc(listOf(v), func(v any) bool { return !textOrObject.fits(v) })
	}}
)

// Properties are the supported properties of each resource type, sorted.
func Properties() map[string][]string {
	return map[string][]string{functionType: functionShape.names(), httpAPIType: httpAPIShape.names()}
}

// check refuses properties that the shape does not know or that hold another
// kind of value.
func (s shape) check(resourceType string, properties map[string]any) error {
	for _, property := range slices.Sorted(maps.Keys(properties)) {
		value := properties[property]
		kind, known := s[property]
		if !known {
			return fault("property %s not defined for resource of type %s. The local endpoint supports %s.",
				property, resourceType, choices(s.names()))
		}
		if value == nil || isIntrinsic(value) || kind.fits(value) {
			continue
		}
		if kind.name == "" {
			return fault("Type of property '%s' is invalid.", property)
		}
		return fault("Property '%s' should be a %s.", property, kind.name)
	}
	return nil
}

func (s shape) names() []string { return slices.Sorted(maps.Keys(s)) }

// without returns the names of s but some.
func (s shape) without(names ...string) []string {
	return slices.DeleteFunc(s.names(), func(name string) bool { return slices.Contains(names, name) })
}

func isA[T any](v any) bool { _, ok := v.(T); return ok }

func all(m map[string]any, fits func(any) bool) bool {
	for _, v := range m {
		if !fits(v) {
			return false
		}
	}
	return true
}

// isIntrinsic reports whether v is a call such as {"Ref": …} or {"Fn::If": …}.
func isIntrinsic(v any) bool {
	m, _ := v.(map[string]any)
	if len(m) != 1 {
		return false
	}
	for key := range m {
		return key == "Ref" || key == "Condition" || strings.HasPrefix(key, "Fn::")
	}
	return false
}

// branches returns the condition and the two values of an Fn::If.
func branches(v any) (condition string, values [2]any, ok bool) {
	if !isIntrinsic(v) {
		return "", values, false
	}
	arguments, _ := v.(map[string]any)["Fn::If"].([]any)
	if len(arguments) != 3 {
		return "", values, false
	}
	condition, ok = arguments[0].(string)
	return condition, [2]any{arguments[1], arguments[2]}, ok
}

func isNoValue(v any) bool { return isIntrinsic(v) && v.(map[string]any)["Ref"] == "AWS::NoValue" }

func ref(id string) map[string]any { return map[string]any{"Ref": id} }

func getAtt(id, attribute string) map[string]any {
	return map[string]any{"Fn::GetAtt": []any{id, attribute}}
}

// provided returns value where condition holds and nothing otherwise; value
// itself without a condition.
func provided(condition string, value any) any {
	if condition == "" {
		return value
	}
	return map[string]any{"Fn::If": []any{condition, value, ref("AWS::NoValue")}}
}

// listOf returns a list as it is, any other value as a list of one, nothing as none.
func listOf(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// pick returns the named members of m that have a value.
func pick(m map[string]any, names ...string) map[string]any {
	picked := map[string]any{}
	for _, name := range names {
		if value := m[name]; value != nil {
			picked[name] = value
		}
	}
	return picked
}

// clone copies a JSON-like tree.
func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		copied := make(map[string]any, len(v))
		for key, value := range v {
			copied[key] = clone(value)
		}
		return copied
	case []any:
		copied := make([]any, len(v))
		for i, value := range v {
			copied[i] = clone(value)
		}
		return copied
	default:
		return v
	}
}
