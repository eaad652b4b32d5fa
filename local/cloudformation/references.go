package cloudformation

import (
	"maps"
	"slices"
	"strings"
)

// pseudoParameters can be referred to in every template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
var pseudoParameters = []string{"AWS::AccountId", "AWS::NoValue", "AWS::NotificationARNs", "AWS::Partition", "AWS::Region", "AWS::StackId", "AWS::StackName", "AWS::URLSuffix"}

// references calls visit for every name that a value refers to. With a scope,
// only the branches that its conditions choose count.
func references(value any, s *scope, visit func(name string)) error {
	name, argument, isFunction := functionOf(value)
	switch {
	case isFunction && name == "Ref":
		if target, ok := argument.(string); ok {
			visit(target)
		}
		return nil
	case isFunction && name == "Fn::GetAtt":
		target, attribute, err := attributeOf(argument)
		if err != nil {
			return err
		}
		visit(target)
		return references(attribute, s, visit)
	case isFunction && name == "Fn::Sub":
		return referencesOfSub(argument, s, visit)
	case isFunction && name == "Fn::If" && s != nil:
		chosen, err := s.branch(argument)
		if err != nil {
			return err
		}
		return references(chosen, s, visit)
	}
	switch value := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			if err := references(value[key], s, visit); err != nil {
				return err
			}
		}
	case []any:
		for _, item := range value {
			if err := references(item, s, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

func referencesOfSub(argument any, s *scope, visit func(string)) error {
	pattern, variables, err := substitutionOf(argument)
	if err != nil {
		return err
	}
	for _, part := range partsOf(pattern) {
		if _, own := variables[part.variable]; part.variable == "" || own {
			continue
		}
		target, _, _ := strings.Cut(part.variable, ".")
		visit(target)
	}
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if err := references(variables[name], s, visit); err != nil {
			return err
		}
	}
	return nil
}

// checkReferences refuses names that nothing in the template has.
func (t *template) checkReferences() error {
	unresolved := map[string][]string{}
	note := func(block string) func(string) {
		return func(name string) {
			_, isParameter := t.parameters[name]
			_, isResource := t.resources[name]
			if !isParameter && !isResource && !slices.Contains(pseudoParameters, name) && !slices.Contains(unresolved[block], name) {
				unresolved[block] = append(unresolved[block], name)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(t.resources)) {
		d := t.resources[id]
		if _, known := t.conditions[d.condition]; d.condition != "" && !known {
			return invalid("Template format error: Unresolved condition dependency %s in the Resources block of the template", d.condition)
		}
		for _, name := range d.dependsOn {
			if _, ok := t.resources[name]; !ok {
				note("Resources")(name)
			}
		}
		if err := references(d.properties, nil, note("Resources")); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.outputs)) {
		o := t.outputs[name]
		if _, known := t.conditions[o.condition]; o.condition != "" && !known {
			return invalid("Template format error: Unresolved condition dependency %s in the Outputs block of the template", o.condition)
		}
		if err := references([]any{o.value, o.export}, nil, note("Outputs")); err != nil {
			return err
		}
	}
	for _, block := range []string{"Resources", "Outputs"} {
		if names := unresolved[block]; len(names) > 0 {
			slices.Sort(names)
			return invalid("Template format error: Unresolved resource dependencies [%s] in the %s block of the template", strings.Join(names, ", "), block)
		}
	}
	return nil
}

// dependencies are, for every resource whose condition holds, the resources
// that must be there first.
func (t *template) dependencies(s *scope) (map[string][]string, error) {
	needs := map[string][]string{}
	for id, d := range t.resources {
		if d.condition == "" || s.conditions[d.condition] {
			needs[id] = nil
		}
	}
	for _, id := range slices.Sorted(maps.Keys(needs)) {
		d := t.resources[id]
		for _, name := range d.dependsOn {
			// DependsOn a resource whose condition is false is no dependency.
			if _, made := needs[name]; made {
				needs[id] = append(needs[id], name)
			}
		}
		var gone []string
		err := references(d.properties, s, func(name string) {
			if _, made := needs[name]; made {
				needs[id] = append(needs[id], name)
			} else if _, isResource := t.resources[name]; isResource {
				gone = append(gone, name)
			}
		})
		if err != nil {
			return nil, err
		}
		if len(gone) > 0 {
			return nil, invalid("Template format error: Unresolved resource dependencies [%s] in the Resources block of the template", strings.Join(gone, ", "))
		}
		slices.Sort(needs[id])
		needs[id] = slices.Compact(needs[id])
	}
	return needs, checkCircles(needs)
}

// checkCircles takes away what depends on nothing, and what nothing depends
// on, until only circles are left.
func checkCircles(needs map[string][]string) error {
	left := map[string][]string{}
	for id, needed := range needs {
		left[id] = needed
	}
	for changed := true; changed; {
		changed = false
		wanted := map[string]bool{}
		for _, needed := range left {
			for _, name := range needed {
				wanted[name] = true
			}
		}
		for id, needed := range left {
			waits := slices.ContainsFunc(needed, func(name string) bool { _, ok := left[name]; return ok })
			if !waits || !wanted[id] {
				delete(left, id)
				changed = true
			}
		}
	}
	if len(left) == 0 {
		return nil
	}
	return invalid("Circular dependency between resources: [%s]", strings.Join(slices.Sorted(maps.Keys(left)), ", "))
}
