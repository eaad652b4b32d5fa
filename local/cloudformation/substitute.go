package cloudformation

import "strings"

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-sub.html
func (s *scope) substitute(argument any) (any, error) {
	pattern, variables, err := substitutionOf(argument)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	open := false
	for _, part := range partsOf(pattern) {
		if part.variable == "" {
			text.WriteString(part.literal)
			continue
		}
		value, err := s.variable(part.variable, variables)
		if err != nil {
			return nil, err
		}
		if value == (unknown{}) {
			open = true
			continue
		}
		piece, ok := scalar(value)
		if !ok {
			return nil, invalid("Template error: the value of ${%s} in Fn::Sub is not a string", part.variable)
		}
		text.WriteString(piece)
	}
	if open {
		return unknown{}, nil
	}
	return text.String(), nil
}

func (s *scope) variable(name string, variables map[string]any) (any, error) {
	if value, ok := variables[name]; ok {
		return s.resolve(value)
	}
	if strings.Contains(name, ".") {
		return s.attribute(name)
	}
	return s.ref(name)
}

// substitutionOf reads both forms of Fn::Sub.
func substitutionOf(argument any) (string, map[string]any, error) {
	switch argument := argument.(type) {
	case string:
		return argument, nil, nil
	case []any:
		if len(argument) == 2 {
			pattern, isText := argument[0].(string)
			variables, isMap := argument[1].(map[string]any)
			if isText && isMap {
				return pattern, variables, nil
			}
		}
	}
	return "", nil, invalid("Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string")
}

// part is a piece of a pattern of Fn::Sub: text or the name of a variable.
type part struct{ literal, variable string }

func partsOf(pattern string) []part {
	var parts []part
	for {
		before, rest, found := strings.Cut(pattern, "${")
		parts = append(parts, part{literal: before})
		if !found {
			return parts
		}
		name, after, closed := strings.Cut(rest, "}")
		switch {
		case !closed:
			return append(parts, part{literal: "${" + rest})
		case strings.HasPrefix(name, "!"):
			parts = append(parts, part{literal: "${" + name[1:] + "}"})
		default:
			parts = append(parts, part{variable: strings.TrimSpace(name)})
		}
		pattern = after
	}
}
