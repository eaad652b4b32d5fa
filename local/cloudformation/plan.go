package cloudformation

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// plan is what an operation would do, as far as can be known before it runs.
type plan struct {
	changes []change
	imports map[string]bool
	// elsewhere is set when outputs or exports change.
	elsewhere bool
}

// change is what would happen to one resource.
type change struct {
	logicalID, physicalID, kind string
	action                      types.ChangeAction
	replacement                 types.Replacement
	properties                  []propertyChange
	metadata                    bool // Metadata or a policy attribute changes
}

type propertyChange struct {
	name      string
	recreates bool
	dynamic   bool // the value is known only once another resource is made
}

// plan compares what a stack has with what a template wants. It finds errors
// of the template before any resource is touched. Called with the lock held.
func (s *Service) plan(st *stack, p *prepared) (*plan, error) {
	result := &plan{imports: map[string]bool{}}
	planned := map[string]change{}
	sc := *p.scope
	sc.export = func(name string) (string, error) {
		result.imports[name] = true
		return s.export(name)
	}
	sc.result = func(id string) (Result, error) {
		c, open := planned[id]
		if open && (c.action == types.ChangeActionAdd || c.replacement != types.ReplacementFalse) {
			return Result{}, nil
		}
		return st.result(id)
	}
	sc.getAtt = func(id, attribute string) (any, error) {
		if _, open := planned[id]; open {
			return unknown{}, nil
		}
		return st.attribute(id, attribute)
	}
	for _, id := range inOrder(p.needs) {
		wanted, err := sc.properties(p.resources[id])
		if err != nil {
			return nil, err
		}
		if err := checkDynamicReferences(wanted); err != nil {
			return nil, err
		}
		if c, changed := s.compare(id, p.resources[id], wanted, st.resources[id]); changed {
			planned[id] = c
		}
	}
	for id, r := range st.resources {
		if _, stays := p.needs[id]; !stays && !r.isGone() {
			planned[id] = change{logicalID: id, physicalID: r.physicalID, kind: r.definition.kind, action: types.ChangeActionRemove}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(planned)) {
		result.changes = append(result.changes, planned[id])
	}
	outputs, err := p.resolveOutputs(&sc)
	if err != nil {
		return nil, err
	}
	result.elsewhere = !maps.Equal(outputs, st.outputs)
	return result, s.checkExports(st, outputs)
}

// properties resolves a resource's properties.
func (s *scope) properties(d definition) (map[string]any, error) {
	resolved, err := s.resolve(map[string]any(d.properties))
	if err != nil {
		return nil, err
	}
	properties, ok := resolved.(map[string]any)
	if !ok {
		return nil, invalid("Template format error: Properties of a resource of type %s must be an object", d.kind)
	}
	return properties, nil
}

func (s *Service) compare(id string, d definition, wanted map[string]any, current *resource) (change, bool) {
	c := change{logicalID: id, kind: d.kind, action: types.ChangeActionAdd, replacement: types.ReplacementFalse}
	if current == nil || current.isGone() {
		return c, true
	}
	c.action, c.physicalID = types.ChangeActionModify, current.physicalID
	halfway := current.status == types.ResourceStatusUpdateFailed && !isCustom(d.kind) && s.Types[d.kind].Update == nil
	if current.status == types.ResourceStatusCreateFailed || halfway {
		c.replacement = types.ReplacementTrue
		return c, true
	}
	for _, name := range differing(current.properties, wanted) {
		p := propertyChange{name: name, recreates: s.recreates(d.kind, name), dynamic: holdsUnknown(wanted[name])}
		c.properties = append(c.properties, p)
		switch {
		case p.recreates && !p.dynamic:
			c.replacement = types.ReplacementTrue
		case p.recreates && c.replacement == types.ReplacementFalse:
			c.replacement = types.ReplacementConditional
		}
	}
	old := current.definition
	c.metadata = !same(old.metadata, d.metadata) && !(old.metadata == nil && d.metadata == nil) ||
		old.deletionPolicy != d.deletionPolicy || old.updateReplacePolicy != d.updateReplacePolicy
	return c, len(c.properties) > 0 || c.metadata || current.status == types.ResourceStatusUpdateFailed
}

// recreates tells whether a changed property replaces a resource of this type.
func (s *Service) recreates(kind, property string) bool {
	if isCustom(kind) {
		return false
	}
	provider := s.Types[kind]
	return provider.Update == nil || slices.Contains(provider.Replace, property)
}

// differing names the properties that are not the same in both.
func differing(old, wanted map[string]any) []string {
	var names []string
	for name, value := range wanted {
		if before, had := old[name]; !had || !same(before, value) {
			names = append(names, name)
		}
	}
	for name := range old {
		if _, has := wanted[name]; !has {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
