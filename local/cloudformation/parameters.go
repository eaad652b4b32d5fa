package cloudformation

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// parameter is one entry of the Parameters section.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
type parameter struct {
	kind          string
	standard      *string // Default
	description   string
	noEcho        bool
	allowed       []string
	pattern       string
	limits        map[string]float64 // MinLength, MaxLength, MinValue, MaxValue
	inOwnWords    string             // ConstraintDescription
	patternParsed *regexp.Regexp
}

func readParameters(section map[string]any) (map[string]parameter, error) {
	parameters := map[string]parameter{}
	for _, name := range slices.Sorted(maps.Keys(section)) {
		members, ok := section[name].(map[string]any)
		if !ok {
			return nil, invalid("Template format error: Every Parameters object must contain a Type member.")
		}
		p, err := readParameter(name, members)
		if err != nil {
			return nil, err
		}
		if p.standard != nil {
			if err := p.check(name, *p.standard); err != nil {
				return nil, err
			}
		}
		parameters[name] = p
	}
	return parameters, nil
}

func readParameter(name string, members map[string]any) (parameter, error) {
	p := parameter{limits: map[string]float64{}}
	for _, member := range slices.Sorted(maps.Keys(members)) {
		if member == "AllowedValues" {
			list, _ := members[member].([]any)
			for _, item := range list {
				text, _ := scalar(item)
				p.allowed = append(p.allowed, text)
			}
			continue
		}
		text, ok := scalar(members[member])
		if !ok {
			return p, invalid("Template format error: Every %s member must be a string.", member)
		}
		switch member {
		case "Type":
			p.kind = text
		case "Default":
			p.standard = &text
		case "Description":
			p.description = text
		case "NoEcho":
			p.noEcho = strings.EqualFold(text, "true")
		case "AllowedPattern":
			p.pattern = text
		case "ConstraintDescription":
			p.inOwnWords = text
		case "MinLength", "MaxLength", "MinValue", "MaxValue":
			limit, ok := decimal(text)
			if !ok {
				return p, invalid("Template format error: %s of parameter %s must be a number", member, name)
			}
			p.limits[member] = limit
		default:
			return p, invalid("Invalid template parameter property '%s'", member)
		}
	}
	switch p.kind {
	case "String", "Number", "CommaDelimitedList", "List<Number>":
	case "":
		return p, invalid("Template format error: Every Parameters object must contain a Type member.")
	default:
		return p, invalid("Template format error: the local endpoint does not know the parameter type %s of %s: use String, Number, CommaDelimitedList or List<Number>", p.kind, name)
	}
	// By itself first, lest it closes the bracket that is put around it.
	for _, form := range []string{p.pattern, "^(?:" + p.pattern + ")$"} {
		var err error
		if p.patternParsed, err = regexp.Compile(form); err != nil {
			return p, invalid("Template format error: AllowedPattern of parameter %s is not a regular expression: %v", name, err)
		}
	}
	return p, nil
}

// bind gives every declared parameter its value: the one given, the previous
// one, or the default.
func bind(declared map[string]parameter, given []types.Parameter, previous map[string]string) (map[string]string, error) {
	bound := map[string]string{}
	var strangers []string
	for _, one := range given {
		name := aws.ToString(one.ParameterKey)
		if _, ok := declared[name]; !ok {
			strangers = append(strangers, name)
			continue
		}
		value := aws.ToString(one.ParameterValue)
		if aws.ToBool(one.UsePreviousValue) {
			old, ok := previous[name]
			if !ok {
				return nil, invalid("Invalid input for parameter key %s. Cannot specify usePreviousValue as true for a parameter key not in the previous template", name)
			}
			if one.ParameterValue != nil {
				return nil, invalid("Invalid input for parameter key %s. Either specify usePreviousValue as true or a value, not both", name)
			}
			value = old
		}
		bound[name] = value
	}
	if len(strangers) > 0 {
		slices.Sort(strangers)
		return nil, invalid("Parameters: [%s] do not exist in the template", strings.Join(strangers, ", "))
	}
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		p := declared[name]
		value, ok := bound[name]
		switch {
		case ok:
			if err := p.check(name, value); err != nil {
				return nil, err
			}
		case p.standard != nil:
			bound[name] = *p.standard
		default:
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return nil, invalid("Parameters: [%s] must have values", strings.Join(missing, ", "))
	}
	return bound, nil
}

// value is what Ref answers for the parameter.
func (p parameter) value(text string) any {
	if !p.isList() {
		return text
	}
	list := []any{}
	for item := range strings.SplitSeq(text, ",") {
		list = append(list, strings.TrimSpace(item))
	}
	return list
}

func (p parameter) isList() bool { return p.kind == "CommaDelimitedList" || p.kind == "List<Number>" }

func (p parameter) check(name, value string) error {
	items := []string{value}
	if p.isList() {
		items = strings.Split(value, ",")
	}
	for _, item := range items {
		if p.isList() {
			item = strings.TrimSpace(item)
		}
		fault := p.fault(item)
		if fault == "" {
			continue
		}
		if p.inOwnWords != "" {
			return invalid("Parameter '%s' failed to satisfy constraint: %s", name, p.inOwnWords)
		}
		return invalid("Parameter '%s' %s", name, fault)
	}
	return nil
}

func (p parameter) fault(value string) string {
	limit := func(name string) string { return strconv.FormatFloat(p.limits[name], 'f', -1, 64) }
	exceeds := func(name string, by func(float64) bool) bool {
		bound, given := p.limits[name]
		return given && by(bound)
	}
	if p.kind == "Number" || p.kind == "List<Number>" {
		real, ok := decimal(value)
		switch {
		case !ok:
			return "must be a number"
		case exceeds("MinValue", func(bound float64) bool { return real < bound }):
			return "must be a number not less than " + limit("MinValue")
		case exceeds("MaxValue", func(bound float64) bool { return real > bound }):
			return "must be a number not greater than " + limit("MaxValue")
		}
	}
	length := float64(len([]rune(value)))
	switch {
	case p.allowed != nil && !slices.Contains(p.allowed, value):
		return "must be one of AllowedValues"
	case p.pattern != "" && !p.patternParsed.MatchString(value):
		return "must match pattern " + p.pattern
	case exceeds("MinLength", func(bound float64) bool { return length < bound }):
		return "must contain at least " + limit("MinLength") + " characters"
	case exceeds("MaxLength", func(bound float64) bool { return length > bound }):
		return "must contain at most " + limit("MaxLength") + " characters"
	}
	return ""
}

// decimal reads an integer or a decimal; strconv also takes NaN, infinity and
// hexadecimal numbers.
func decimal(text string) (float64, bool) {
	value, err := strconv.ParseFloat(text, 64)
	return value, err == nil && !strings.ContainsAny(text, "nNxX")
}

// shown lists parameters as answers show them: NoEcho ones are masked.
func shown(declared map[string]parameter, values map[string]string) []types.Parameter {
	var list []types.Parameter
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value := values[name]
		if declared[name].noEcho {
			value = "****"
		}
		list = append(list, types.Parameter{ParameterKey: aws.String(name), ParameterValue: aws.String(value)})
	}
	return list
}
