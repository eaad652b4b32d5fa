package cloudformation

import (
	"maps"
	"slices"
)

// conditionFunctions answer true or false. Those that look into lists are for
// rules only.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-conditions.html
var conditionFunctions = []string{"Fn::And", "Fn::Or", "Fn::Not", "Fn::Equals", "Fn::Contains", "Fn::EachMemberIn", "Fn::EachMemberEquals"}

// judge evaluates conditions and the assertions of rules.
type judge struct {
	scope      *scope
	conditions map[string]any // the Conditions section
	asked      []string       // conditions that are being evaluated
	inRule     bool
}

// judgeConditions evaluates the Conditions section into the scope.
func judgeConditions(section map[string]any, s *scope) error {
	s.conditions = map[string]bool{}
	j := &judge{scope: s, conditions: section}
	for _, name := range slices.Sorted(maps.Keys(section)) {
		if _, err := j.named(name); err != nil {
			return err
		}
	}
	return nil
}

func (j *judge) named(name string) (bool, error) {
	if holds, known := j.scope.conditions[name]; known {
		return holds, nil
	}
	definition, ok := j.conditions[name]
	if !ok {
		return false, invalid("Template format error: Unresolved condition dependency %s in the Conditions block of the template", name)
	}
	if slices.Contains(j.asked, name) {
		return false, invalid("Template format error: Circular dependencies for conditions: %v", j.asked)
	}
	j.asked = append(j.asked, name)
	holds, err := j.holds(definition)
	j.asked = j.asked[:len(j.asked)-1]
	if err != nil {
		return false, err
	}
	j.scope.conditions[name] = holds
	return holds, nil
}

func (j *judge) holds(value any) (bool, error) {
	object, ok := value.(map[string]any)
	if !ok || len(object) != 1 {
		return false, malformed("conditions and assertions must be one condition function each")
	}
	for function, argument := range object {
		if name, ok := argument.(string); ok && function == "Condition" && !j.inRule {
			return j.named(name)
		}
		arguments, ok := argument.([]any)
		if !ok {
			return false, malformed("%s requires a list", function)
		}
		return j.apply(function, arguments)
	}
	return false, nil
}

func (j *judge) apply(function string, arguments []any) (bool, error) {
	switch {
	case function == "Fn::And" || function == "Fn::Or":
		if len(arguments) < 2 || len(arguments) > 10 {
			return false, malformed("every %s object requires a list of at least 2 and at most 10 boolean parameters", function)
		}
		return j.combine(arguments, function == "Fn::Or")
	case function == "Fn::Not" && len(arguments) == 1:
		holds, err := j.holds(arguments[0])
		return !holds, err
	case function == "Fn::Not":
		return false, malformed("every Fn::Not object requires one boolean parameter")
	case len(arguments) != 2:
		return false, malformed("%s requires a list of two", function)
	}
	first, err := j.scope.resolve(arguments[0])
	if err != nil {
		return false, err
	}
	second, err := j.scope.resolve(arguments[1])
	if err != nil {
		return false, err
	}
	if function == "Fn::Equals" {
		return same(first, second), nil
	}
	if !j.inRule {
		return false, malformed("%s is not a condition function", function)
	}
	return compareLists(function, first, second)
}

// combine stops at the first answer that settles the matter.
func (j *judge) combine(parts []any, settles bool) (bool, error) {
	for _, part := range parts {
		holds, err := j.holds(part)
		if err != nil {
			return false, err
		}
		if holds == settles {
			return settles, nil
		}
	}
	return !settles, nil
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-rules.html
func compareLists(function string, first, second any) (bool, error) {
	list, ok := first.([]any)
	if !ok {
		return false, malformed("the first argument of %s must be a list", function)
	}
	if function != "Fn::EachMemberIn" {
		among := func(item any) bool { return same(item, second) }
		if function == "Fn::Contains" {
			return slices.ContainsFunc(list, among), nil
		}
		return !slices.ContainsFunc(list, func(item any) bool { return !among(item) }), nil
	}
	allowed, ok := second.([]any)
	if !ok {
		return false, malformed("the second argument of %s must be a list", function)
	}
	for _, item := range list {
		if !slices.ContainsFunc(allowed, func(one any) bool { return same(one, item) }) {
			return false, nil
		}
	}
	return true, nil
}

func malformed(format string, values ...any) error {
	return invalid("Template error: "+format, values...)
}

// same compares values as CloudFormation does: 30 and "30" are the same.
func same(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, same)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, same)
	}
	left, isScalar := scalar(a)
	right, isOther := scalar(b)
	return isScalar && isOther && left == right
}
