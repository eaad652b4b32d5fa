package cloudformation

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// scope is what the functions of a template can read.
type scope struct {
	// values are the parameters and pseudo parameters: string or []any of strings.
	values     map[string]any
	mappings   map[string]any
	conditions map[string]bool
	// result answers for a resource; nil where resources cannot be referred to.
	// A result without physical id is not known yet.
	result func(logicalID string) (Result, error)
	// getAtt is result for Fn::GetAtt.
	getAtt func(logicalID, attribute string) (any, error)
	// export answers Fn::ImportValue.
	export func(name string) (string, error)
}

// absent is the value of AWS::NoValue: whatever it stands in goes away.
type absent struct{}

// unknown is the value of what exists only once a resource is made.
type unknown struct{}

// functions are filled in by init, because they call each other by way of resolve.
var functions map[string]func(*scope, any) (any, error)

func init() {
	functions = map[string]func(*scope, any) (any, error){
		"Ref":             (*scope).ref,
		"Fn::GetAtt":      (*scope).attribute,
		"Fn::Sub":         (*scope).substitute,
		"Fn::Join":        (*scope).join,
		"Fn::Select":      (*scope).choose,
		"Fn::Split":       (*scope).split,
		"Fn::If":          (*scope).decide,
		"Fn::FindInMap":   (*scope).find,
		"Fn::ImportValue": (*scope).importValue,
		"Fn::Base64":      (*scope).base64,
	}
}

func knownFunctions() string {
	return strings.Join(slices.Sorted(maps.Keys(functions)), ", ")
}

// functionOf tells whether a value of the template is a function call.
func functionOf(value any) (name string, argument any, ok bool) {
	object, isObject := value.(map[string]any)
	if !isObject || len(object) != 1 {
		return "", nil, false
	}
	for name, argument = range object {
	}
	return name, argument, name == "Ref" || strings.HasPrefix(name, "Fn::")
}

// resolve replaces every function in a value of the template by its value.
func (s *scope) resolve(value any) (any, error) {
	if name, argument, ok := functionOf(value); ok {
		call := functions[name]
		if call == nil {
			return nil, invalid("Template error: the local endpoint does not know the function %s here; it knows %s", name, knownFunctions())
		}
		return call(s, argument)
	}
	switch value := value.(type) {
	case map[string]any:
		resolved := make(map[string]any, len(value))
		for key, member := range value {
			member, err := s.resolve(member)
			if err != nil {
				return nil, err
			}
			if member != (absent{}) {
				resolved[key] = member
			}
		}
		return resolved, nil
	case []any:
		resolved := make([]any, 0, len(value))
		for _, item := range value {
			item, err := s.resolve(item)
			if err != nil {
				return nil, err
			}
			if item != (absent{}) {
				resolved = append(resolved, item)
			}
		}
		return resolved, nil
	}
	return value, nil
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-ref.html
func (s *scope) ref(argument any) (any, error) {
	name, ok := argument.(string)
	if !ok {
		return nil, invalid("Template error: every Ref object must have a single String value.")
	}
	if name == "AWS::NoValue" {
		return absent{}, nil
	}
	if value, ok := s.values[name]; ok {
		return value, nil
	}
	if s.result == nil {
		return nil, invalid("Template format error: Unresolved dependencies [%s]. Cannot reference resources in the Conditions block of the template", name)
	}
	result, err := s.result(name)
	if err != nil {
		return nil, err
	}
	if result.PhysicalID == "" {
		return unknown{}, nil
	}
	return result.PhysicalID, nil
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getatt.html
func (s *scope) attribute(argument any) (any, error) {
	resource, attribute, err := attributeOf(argument)
	if err != nil {
		return nil, err
	}
	resolved, err := s.resolve(attribute)
	if err != nil {
		return nil, err
	}
	name, ok := resolved.(string)
	if !ok {
		return nil, invalid("Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute")
	}
	if s.getAtt == nil {
		return nil, invalid("Template format error: Unresolved dependencies [%s]. Cannot reference resources in the Conditions block of the template", resource)
	}
	return s.getAtt(resource, name)
}

// attributeOf reads both forms of Fn::GetAtt; the attribute may be a Ref.
func attributeOf(argument any) (resource string, attribute any, err error) {
	switch argument := argument.(type) {
	case string:
		resource, name, found := strings.Cut(argument, ".")
		if found && resource != "" && name != "" {
			return resource, name, nil
		}
	case []any:
		if len(argument) == 2 && argument[1] != "" {
			if resource, ok := argument[0].(string); ok && resource != "" {
				return resource, argument[1], nil
			}
		}
	}
	return "", nil, invalid("Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute")
}

// decide resolves only the branch that the condition chooses.
func (s *scope) decide(argument any) (any, error) {
	chosen, err := s.branch(argument)
	if err != nil {
		return nil, err
	}
	return s.resolve(chosen)
}

func (s *scope) branch(argument any) (any, error) {
	parts, ok := argument.([]any)
	if !ok || len(parts) != 3 {
		return nil, invalid("Template error: Fn::If requires a list argument with three elements")
	}
	name, _ := parts[0].(string)
	holds, ok := s.conditions[name]
	if !ok {
		return nil, invalid("Template error: unresolved condition dependency %s in the Resources block of the template", name)
	}
	if holds {
		return parts[1], nil
	}
	return parts[2], nil
}

func (s *scope) find(argument any) (any, error) {
	keys, open, err := s.list(argument, "Fn::FindInMap")
	if err != nil || open {
		return unknown{}, err
	}
	if len(keys) != 3 {
		return nil, invalid("Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value")
	}
	var found any = s.mappings
	for _, key := range keys {
		object, _ := found.(map[string]any)
		text, _ := scalar(key)
		if found = object[text]; found == nil {
			return nil, invalid("Template error: Unable to get mapping for %v::%v::%v", keys[0], keys[1], keys[2])
		}
	}
	return found, nil
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-importvalue.html
func (s *scope) importValue(argument any) (any, error) {
	resolved, err := s.resolve(argument)
	if err != nil {
		return nil, err
	}
	if resolved == (unknown{}) {
		return unknown{}, nil
	}
	name, ok := resolved.(string)
	if !ok || s.export == nil {
		return nil, invalid("Template error: Fn::ImportValue requires the name of an export, and cannot stand in a condition or a rule")
	}
	return s.export(name)
}

func (s *scope) base64(argument any) (any, error) {
	resolved, err := s.resolve(argument)
	if err != nil {
		return nil, err
	}
	if resolved == (unknown{}) {
		return unknown{}, nil
	}
	text, ok := scalar(resolved)
	if !ok {
		return nil, invalid("Template error: every Fn::Base64 object must have a String-typed value.")
	}
	return base64.StdEncoding.EncodeToString([]byte(text)), nil
}

func holdsUnknown(value any) bool {
	switch value := value.(type) {
	case unknown:
		return true
	case map[string]any:
		for _, member := range value {
			if holdsUnknown(member) {
				return true
			}
		}
	case []any:
		for _, item := range value {
			if holdsUnknown(item) {
				return true
			}
		}
	}
	return false
}

// scalar is a value's text, which is what CloudFormation compares and hands on.
func scalar(value any) (string, bool) {
	switch value := value.(type) {
	case string:
		return value, true
	case bool, int, int32, int64:
		return fmt.Sprint(value), true
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64), true
	}
	return "", false
}
