package sam

import (
	"crypto/sha1"
	"encoding/hex"
	"maps"
)

// httpAPIShape is the part of AWS::Serverless::HttpApi that is supported.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-httpapi.html
var httpAPIShape = shape{
	"AccessLogSettings":         object,
	"Auth":                      object,
	"CorsConfiguration":         flagOrObject,
	"DefaultRouteSettings":      object,
	"DefinitionBody":            object,
	"Description":               text,
	"DisableExecuteApiEndpoint": flag,
	"FailOnWarnings":            flag,
	"Name":                      anything,
	"RouteSettings":             object,
	"StageName":                 textOrObject,
	"StageVariables":            object,
	"Tags":                      object,
}

// httpAPI is an HTTP API with the routes that functions have added so far.
type httpAPI struct {
	serverless
	implicit bool
	routes   []route
}

// httpAPI replaces a SAM API by an API Gateway API and its stage.
func (d *document) httpAPI(a *httpAPI) error {
	if err := d.httpAPIResources(a); err != nil {
		return inResource(a.id, err)
	}
	return nil
}

func (d *document) httpAPIResources(a *httpAPI) error {
	if a.implicit {
		if err := d.inheritFromRoutes(a); err != nil {
			return err
		}
	}
	body, err := d.openAPI(a)
	if err != nil {
		return err
	}
	properties := map[string]any{"Body": body}
	if a.failsOnWarnings() {
		properties["FailOnWarnings"] = a.properties["FailOnWarnings"]
	}
	if err := d.add(a.id, a.id, "AWS::ApiGatewayV2::Api", a.attributes, properties); err != nil {
		return err
	}

	stage := pick(a.properties, "AccessLogSettings", "DefaultRouteSettings", "RouteSettings", "StageVariables")
	stage["ApiId"] = ref(a.id)
	stage["AutoDeploy"] = true
	stage["StageName"] = a.stageName()
	stage["Tags"] = a.tags()
	return d.add(a.id, stageID(a.id, a.stageName()), "AWS::ApiGatewayV2::Stage", a.inherited(), stage)
}

// inheritFromRoutes lets an implicit API exist when any of its functions does.
func (d *document) inheritFromRoutes(a *httpAPI) error {
	policies := map[string]bool{}
	for _, r := range a.routes {
		policy, _ := r.function.attributes["DeletionPolicy"].(string)
		policies[policy] = true
	}
	switch {
	case policies["Retain"]:
		a.attributes["DeletionPolicy"] = "Retain"
	case policies["Delete"]:
		a.attributes["DeletionPolicy"] = "Delete"
	}
	condition, err := d.anyOf(a.id+"Condition", conditions(a.routes))
	if condition != "" {
		a.attributes["Condition"] = condition
	}
	return err
}

// anyOf names a condition that holds when one of several does; none for none.
func (d *document) anyOf(id string, conditions []string) (string, error) {
	switch len(conditions) {
	case 0:
		return "", nil
	case 1:
		return conditions[0], nil
	default:
		return id, d.addCondition(id, conditions)
	}
}

const apiCreatedBy = "httpapi:createdBy"

// tags are the stage's tags; the API takes its own from the document.
func (a *httpAPI) tags() map[string]any {
	own, _ := a.properties["Tags"].(map[string]any)
	tags := map[string]any{}
	maps.Copy(tags, own)
	tags[apiCreatedBy] = "SAM"
	return tags
}

// failsOnWarnings holds unless the property is left out or false; an intrinsic
// function may turn out to be true.
func (a *httpAPI) failsOnWarnings() bool {
	fail := a.properties["FailOnWarnings"]
	return fail != nil && fail != false
}

func (a *httpAPI) stageName() any {
	if name := a.properties["StageName"]; name != nil && name != "" {
		return name
	}
	return "$default"
}

// stageID is the stage's logical id; a name that cannot be part of one goes in
// as a digest, an intrinsic function not at all.
func stageID(api string, stage any) string {
	name, _ := stage.(string)
	switch {
	case name == "":
		return api + "Stage"
	case name == "$default":
		return api + "ApiGatewayDefaultStage"
	case alphanumeric.MatchString(name):
		return api + name + "Stage"
	default:
		digest := sha1.Sum([]byte(name))
		return api + "Stage" + hex.EncodeToString(digest[:])[:10]
	}
}
