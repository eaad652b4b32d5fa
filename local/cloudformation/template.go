package cloudformation

import (
	"maps"
	"slices"
	"strings"
)

const serverlessTransform = "AWS::Serverless-2016-10-31"

// template is a template whose shape is checked; its values still hold functions.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
type template struct {
	body        string         // as it was handed in, to the byte
	document    map[string]any // after the transform
	transforms  []string
	version     string
	description string
	metadata    any
	parameters  map[string]parameter
	rules       map[string]any
	mappings    map[string]any
	conditions  map[string]any
	resources   map[string]definition
	outputs     map[string]output
}

// definition is one entry of the Resources section.
type definition struct {
	kind                string
	condition           string
	dependsOn           []string
	deletionPolicy      string
	updateReplacePolicy string
	properties          map[string]any
	metadata            any
}

// output is one entry of the Outputs section.
type output struct {
	condition   string
	description string
	value       any
	export      any // nil for none
}

// readTemplate parses a template and checks its shape, without its transform.
func readTemplate(body string) (*template, error) {
	document, err := parse(body)
	if err != nil {
		return nil, err
	}
	return shape(body, document)
}

// transformed is the template after its transform; the template itself if it
// declares none.
func (t *template) transformed(transform func(map[string]any) (map[string]any, error)) (*template, error) {
	if len(t.transforms) == 0 {
		return t, nil
	}
	document, err := transform(t.document)
	if err != nil {
		return nil, invalid("Transform %s failed with: %s", serverlessTransform, strings.TrimSpace(err.Error()))
	}
	result, err := shape(t.body, document)
	if err != nil {
		return nil, err
	}
	result.transforms = t.transforms
	return result, nil
}

func shape(body string, document map[string]any) (*template, error) {
	t := &template{body: body, document: document, metadata: document["Metadata"]}
	for _, section := range slices.Sorted(maps.Keys(document)) {
		switch section {
		case "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Mappings", "Conditions", "Transform", "Globals", "Resources", "Outputs":
		default:
			return nil, invalid("Invalid template property or properties [%s]", section)
		}
	}
	var err error
	if t.transforms, err = readTransforms(document["Transform"]); err != nil {
		return nil, err
	}
	if _, given := document["Globals"]; given && len(t.transforms) == 0 {
		return nil, invalid("Invalid template property or properties [Globals]")
	}
	if version, given := document["AWSTemplateFormatVersion"]; given && version != "2010-09-09" {
		return nil, invalid("Template format error: unsupported value for AWSTemplateFormatVersion.")
	}
	t.version, _ = document["AWSTemplateFormatVersion"].(string)
	t.description, _ = document["Description"].(string)

	sections := map[string]map[string]any{}
	for _, name := range []string{"Parameters", "Rules", "Mappings", "Conditions", "Resources", "Outputs"} {
		if sections[name], err = sectionOf(document, name); err != nil {
			return nil, err
		}
	}
	if len(sections["Resources"]) == 0 {
		return nil, invalid("Template format error: At least one Resources member must be defined.")
	}
	t.rules, t.mappings, t.conditions = sections["Rules"], sections["Mappings"], sections["Conditions"]
	if t.parameters, err = readParameters(sections["Parameters"]); err != nil {
		return nil, err
	}
	if t.resources, err = readResources(sections["Resources"]); err != nil {
		return nil, err
	}
	t.outputs, err = readOutputs(sections["Outputs"])
	return t, err
}

func sectionOf(document map[string]any, name string) (map[string]any, error) {
	value, given := document[name]
	if !given {
		return nil, nil
	}
	section, ok := value.(map[string]any)
	if !ok {
		return nil, invalid("Template format error: %s must be an object.", name)
	}
	return section, nil
}

func readTransforms(value any) ([]string, error) {
	if value == nil {
		return nil, nil
	}
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	var names []string
	for _, item := range list {
		if item != serverlessTransform {
			return nil, invalid("Template format error: the local endpoint does not know the transform %v: %s is the only one", item, serverlessTransform)
		}
		names = append(names, serverlessTransform)
	}
	return names, nil
}

func readResources(section map[string]any) (map[string]definition, error) {
	resources := map[string]definition{}
	for _, id := range slices.Sorted(maps.Keys(section)) {
		members, ok := section[id].(map[string]any)
		if !ok {
			return nil, invalid("Template format error: [/Resources/%s] resource definition is malformed", id)
		}
		if strings.ContainsFunc(id, isNotAlphanumeric) {
			return nil, invalid("Template format error: Resource name %s is non alphanumeric.", id)
		}
		d, err := readDefinition(id, members)
		if err != nil {
			return nil, err
		}
		resources[id] = d
	}
	return resources, nil
}

func isNotAlphanumeric(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9')
}

func readDefinition(id string, members map[string]any) (definition, error) {
	d := definition{metadata: members["Metadata"]}
	var ok bool
	for _, member := range slices.Sorted(maps.Keys(members)) {
		value := members[member]
		switch member {
		case "Type":
			d.kind, ok = value.(string)
		case "Condition":
			d.condition, ok = value.(string)
		case "DependsOn":
			d.dependsOn, ok = texts(value)
		case "Properties":
			d.properties, ok = value.(map[string]any)
		case "DeletionPolicy":
			d.deletionPolicy, ok = policyOf(value, "Delete", "Retain", "RetainExceptOnCreate")
		case "UpdateReplacePolicy":
			d.updateReplacePolicy, ok = policyOf(value, "Delete", "Retain")
		case "Metadata":
			ok = true
		case "CreationPolicy", "UpdatePolicy":
			return d, invalid("Template format error: the local endpoint does not know the attribute %s of resource %s: leave it out", member, id)
		default:
			return d, invalid("Invalid template resource property '%s'", member)
		}
		if !ok {
			return d, invalid("Template format error: [/Resources/%s/%s] has a value of the wrong kind", id, member)
		}
	}
	if d.kind == "" {
		return d, invalid("Template format error: [/Resources/%s] Every Resources object must contain a Type member.", id)
	}
	return d, nil
}

func policyOf(value any, allowed ...string) (string, bool) {
	text, _ := value.(string)
	return text, slices.Contains(allowed, text)
}

// texts reads a string or a list of strings.
func texts(value any) ([]string, bool) {
	if text, ok := value.(string); ok {
		return []string{text}, true
	}
	list, ok := value.([]any)
	if !ok {
		return nil, false
	}
	var names []string
	for _, item := range list {
		name, ok := item.(string)
		if !ok {
			return nil, false
		}
		names = append(names, name)
	}
	return names, true
}

func readOutputs(section map[string]any) (map[string]output, error) {
	outputs := map[string]output{}
	for _, name := range slices.Sorted(maps.Keys(section)) {
		members, _ := section[name].(map[string]any)
		value, ok := members["Value"]
		if !ok {
			return nil, invalid("Template format error: Every Outputs member must contain a Value object")
		}
		o := output{value: value}
		o.condition, _ = members["Condition"].(string)
		o.description, _ = members["Description"].(string)
		if export, given := members["Export"]; given {
			object, _ := export.(map[string]any)
			if o.export, ok = object["Name"]; !ok {
				return nil, invalid("Template format error: Output %s is malformed. Export must contain a Name", name)
			}
		}
		outputs[name] = o
	}
	return outputs, nil
}
