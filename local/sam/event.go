package sam

import (
	"cmp"
	"maps"
	"slices"
)

// event is one entry of a function's Events.
type event struct {
	id         string // as the template names it
	function   serverless
	properties map[string]any
}

// logicalID is what resources made from the event are called.
func (e event) logicalID() string { return e.function.id + e.id }

// events adds what a function's events need.
func (d *document) events(s serverless) error {
	sources, _ := s.properties["Events"].(map[string]any)
	for _, id := range inOrder(sources) {
		source, _ := sources[id].(map[string]any)
		properties, _ := source["Properties"].(map[string]any)
		e := event{id: id, function: s, properties: properties}
		if err := d.event(e, source["Type"]); err != nil {
			return err
		}
	}
	return nil
}

// inOrder sorts events by path, so that a function's $default route, whose
// permission covers its other routes, comes first.
func inOrder(sources map[string]any) []string {
	key := func(id string) string {
		source, _ := sources[id].(map[string]any)
		properties, _ := source["Properties"].(map[string]any)
		if path, ok := properties["Path"].(string); ok {
			return path
		}
		if source["Type"] == "HttpApi" && properties["Method"] == nil {
			return defaultPath
		}
		return id
	}
	return slices.SortedFunc(maps.Keys(sources), func(a, b string) int {
		return cmp.Or(cmp.Compare(key(a), key(b)), cmp.Compare(a, b))
	})
}

func (d *document) event(e event, kind any) error {
	var add func(event) error
	var shape shape
	switch kind {
	case "HttpApi":
		add, shape = d.httpAPIEvent, httpAPIEventShape
	case "EventBridgeRule":
		add, shape = d.eventBridgeRule, eventBridgeRuleShape
	case "Schedule":
		add, shape = d.schedule, scheduleShape
	default:
		return inEvent(e.id, fault("Resource dict has missing or invalid value for key Type. Event Type is: %v. "+
			"The local endpoint supports EventBridgeRule, HttpApi and Schedule.", kind))
	}
	if err := shape.check(kind.(string), e.properties); err != nil {
		return inResource(e.logicalID(), err)
	}
	if err := add(e); err != nil {
		return inEvent(e.id, err)
	}
	return nil
}

// permit lets a service invoke the event's function on behalf of one resource.
func (d *document) permit(e event, service string, source any) error {
	return d.add(e.function.id, e.logicalID()+"Permission", "AWS::Lambda::Permission", e.function.inherited(), map[string]any{
		"Action":       "lambda:InvokeFunction",
		"FunctionName": ref(e.function.id),
		"Principal":    service,
		"SourceArn":    source,
	})
}
