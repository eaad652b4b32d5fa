package cloudformation

import (
	"maps"
	"slices"
)

// checkRules refuses parameters that a rule of the template forbids, before
// any resource is touched.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
func checkRules(section map[string]any, s *scope) error {
	j := &judge{scope: s, inRule: true}
	for _, name := range slices.Sorted(maps.Keys(section)) {
		rule, _ := section[name].(map[string]any)
		assertions, ok := rule["Assertions"].([]any)
		if !ok {
			return invalid("Template format error: rule %s must have a list of Assertions", name)
		}
		if condition, given := rule["RuleCondition"]; given {
			applies, err := j.holds(condition)
			if err != nil {
				return err
			}
			if !applies {
				continue
			}
		}
		if err := j.assert(name, assertions); err != nil {
			return err
		}
	}
	return nil
}

func (j *judge) assert(rule string, assertions []any) error {
	for _, item := range assertions {
		assertion, _ := item.(map[string]any)
		holds, err := j.holds(assertion["Assert"])
		if err != nil {
			return err
		}
		if holds {
			continue
		}
		description, _ := assertion["AssertDescription"].(string)
		if description == "" {
			description = "an assertion does not hold for the parameters"
		}
		return invalid("Template error: rule %s failed: %s", rule, description)
	}
	return nil
}
