package sam

import (
	"maps"
	"slices"
	"strings"
)

// globals are the properties that the Globals section gives to every resource
// of a SAM type.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html
type globals map[string]map[string]any

// globalProperties are the properties that Globals may hold, by SAM type.
var globalProperties = map[string][]string{
	functionType: functionShape.without("FunctionName", "Role", "Policies", "Events"),
	httpAPIType:  httpAPIShape.without("Name", "StageName", "Description", "DisableExecuteApiEndpoint", "DefinitionBody"),
}

func readGlobals(section any) (globals, error) {
	if section == nil {
		return nil, nil
	}
	types, isMap := section.(map[string]any)
	if !isMap {
		return nil, fault("'Globals' section is invalid. It must be a non-empty dictionary")
	}
	read := globals{}
	for _, short := range slices.Sorted(maps.Keys(types)) {
		allowed, supported := globalProperties["AWS::Serverless::"+short]
		if !supported {
			return nil, fault("'Globals' section is invalid. '%s' is not supported. Must be one of the following values - %s", short, globalTypes())
		}
		properties, isMap := types[short].(map[string]any)
		if !isMap {
			return nil, fault("'Globals' section is invalid. Value of %s must be a dictionary", short)
		}
		for _, property := range slices.Sorted(maps.Keys(properties)) {
			if !slices.Contains(allowed, property) {
				return nil, fault("'Globals' section is invalid. '%s' is not a supported property of '%s'. Must be one of the following values - %s",
					property, short, choices(allowed))
			}
		}
		read["AWS::Serverless::"+short] = properties
	}
	return read, nil
}

func globalTypes() string {
	var short []string
	for _, long := range slices.Sorted(maps.Keys(globalProperties)) {
		short = append(short, strings.TrimPrefix(long, "AWS::Serverless::"))
	}
	return choices(short)
}

// merge adds the globals of a SAM type to a resource's own properties.
func (g globals) merge(kind string, own map[string]any) map[string]any {
	return merge(clone(g[kind]), own).(map[string]any)
}

// merge joins maps member by member and lists one after the other; of any
// other two values, and of two kinds of values, the resource's own wins.
func merge(global, own any) any {
	if isIntrinsic(global) || isIntrinsic(own) {
		return own
	}
	switch own := own.(type) {
	case map[string]any:
		merged, isMap := global.(map[string]any)
		if !isMap {
			return own
		}
		for key, value := range own {
			if shared, both := merged[key]; both {
				value = merge(shared, value)
			}
			merged[key] = value
		}
		return merged
	case []any:
		if list, isList := global.([]any); isList {
			return slices.Concat(list, own)
		}
	}
	return own
}
