// Package sam is the transform AWS::Serverless-2016-10-31 for the two resource
// types that the templates use: AWS::Serverless::Function and
// AWS::Serverless::HttpApi. It turns a template into one that holds plain
// CloudFormation resources only, with the logical ids and properties that the
// public transform gives them.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources.html
package sam

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

const (
	name         = "AWS::Serverless-2016-10-31"
	functionType = "AWS::Serverless::Function"
	httpAPIType  = "AWS::Serverless::HttpApi"
)

// Transform returns template with its SAM resources replaced, and without its
// Transform and Globals sections. The argument is read only: a JSON-like tree
// in which short forms of intrinsics (!Ref) have been written out. A template
// that names no transform is returned as it is. All faults of a template are
// reported together in an *InvalidDocumentError.
func Transform(template map[string]any) (map[string]any, error) {
	transforms := listOf(template["Transform"])
	if len(transforms) == 0 {
		return template, nil
	}
	for _, transform := range transforms {
		if transform != name {
			return nil, &InvalidDocumentError{Causes: []string{
				fault("the transform %v is not supported by the local endpoint; %s is the only one it knows", transform, name).Error()}}
		}
	}

	d := &document{template: clone(template).(map[string]any), apis: map[string]*httpAPI{}}
	delete(d.template, "Transform")
	d.expand()
	if len(d.causes) > 0 {
		return nil, &InvalidDocumentError{Causes: d.causes}
	}
	return d.template, nil
}

// document is a template on its way through the transform.
type document struct {
	template  map[string]any
	resources map[string]any // Resources of template
	globals   globals
	apis      map[string]*httpAPI // by logical id, the implicit one included
	causes    []string
}

func (d *document) expand() {
	d.resources, _ = d.template["Resources"].(map[string]any)
	if len(d.resources) == 0 {
		d.report(fault("Structure of the SAM template is invalid. 'Resources' section is required"))
		return
	}
	var err error
	if d.globals, err = readGlobals(d.template["Globals"]); err != nil {
		d.report(err)
		return
	}
	delete(d.template, "Globals")

	// All APIs are known before the events of a function name one, and all
	// functions have added their routes before an API is written.
	functions := map[string]serverless{}
	for _, id := range slices.Sorted(maps.Keys(d.resources)) {
		s, isServerless, err := d.read(id)
		switch {
		case err != nil:
			d.report(err)
		case !isServerless:
		case s.kind == functionType:
			functions[id] = s
		default:
			d.apis[id] = &httpAPI{serverless: s}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(functions)) {
		d.report(d.function(functions[id]))
	}
	for _, id := range slices.Sorted(maps.Keys(d.apis)) {
		d.report(d.httpAPI(d.apis[id]))
	}
}

// serverless is a SAM resource as the template states it, Globals merged in.
type serverless struct {
	id, kind   string
	properties map[string]any
	attributes map[string]any // of the resource that takes its place
}

var alphanumeric = regexp.MustCompile(`^[A-Za-z0-9]+$`)

// read takes a SAM resource out of the template; false for any other resource.
func (d *document) read(id string) (serverless, bool, error) {
	resource, isMap := d.resources[id].(map[string]any)
	if !isMap {
		return serverless{}, false, fault("Structure of the SAM template is invalid. All 'Resources' must be Objects. If you're using YAML, this may be an indentation issue.")
	}
	kind, _ := resource["Type"].(string)
	if !strings.HasPrefix(kind, "AWS::Serverless::") {
		return serverless{}, false, nil
	}
	shape, supported := map[string]shape{functionType: functionShape, httpAPIType: httpAPIShape}[kind]
	if !supported {
		return serverless{}, false, inResource(id, fault("%s is not supported by the local endpoint; it supports %s and %s", kind, functionType, httpAPIType))
	}
	if !alphanumeric.MatchString(id) {
		return serverless{}, false, inResource(id, fault("Logical ids must be alphanumeric."))
	}

	s := serverless{id: id, kind: kind, attributes: map[string]any{}}
	own := map[string]any{}
	for _, attribute := range slices.Sorted(maps.Keys(resource)) {
		switch value := resource[attribute]; attribute {
		case "Type":
		case "Properties":
			if own, isMap = value.(map[string]any); !isMap && value != nil {
				return serverless{}, false, inResource(id, fault("Properties of a resource must be an object."))
			}
		case "DependsOn", "Condition", "Metadata", "DeletionPolicy", "UpdatePolicy", "UpdateReplacePolicy":
			s.attributes[attribute] = value
		default:
			return serverless{}, false, inResource(id, fault("The attribute %s is not supported by the local endpoint; remove it.", attribute))
		}
	}
	s.properties = d.globals.merge(kind, own)
	if err := shape.check(kind, s.properties); err != nil {
		return serverless{}, false, inResource(id, err)
	}
	delete(d.resources, id)
	return s, true, nil
}

// inherited are the attributes that every resource made from s carries too.
func (s serverless) inherited() map[string]any {
	return pick(s.attributes, "Condition", "DeletionPolicy", "UpdateReplacePolicy")
}

func (s serverless) condition() string {
	condition, _ := s.attributes["Condition"].(string)
	return condition
}

// add puts a generated resource into the template.
func (d *document) add(owner, id, kind string, attributes, properties map[string]any) error {
	if _, taken := d.resources[id]; taken {
		return invalid{located: true, sentence: fmt.Sprintf("Transforming resource with id [%s] attempts to create a new resource with id [%s] and type %q. "+
			"A resource with that id already exists within this template. Please use a different id for that resource.", owner, id, kind)}
	}
	resource := maps.Clone(attributes)
	resource["Type"] = kind
	resource["Properties"] = properties
	d.resources[id] = resource
	return nil
}

// addCondition adds a condition that holds when any of the others does.
// Fn::Or takes two to ten conditions.
func (d *document) addCondition(id string, anyOf []string) error {
	if len(anyOf) > 10 {
		return fault("More than ten conditions meet in %s; the local endpoint supports ten.", id)
	}
	conditions, _ := d.template["Conditions"].(map[string]any)
	if conditions == nil {
		conditions = map[string]any{}
		d.template["Conditions"] = conditions
	}
	var or []any
	for _, condition := range anyOf {
		or = append(or, map[string]any{"Condition": condition})
	}
	conditions[id] = map[string]any{"Fn::Or": or}
	return nil
}

func (d *document) report(err error) {
	if err != nil {
		d.causes = append(d.causes, err.Error())
	}
}
