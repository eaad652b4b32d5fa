package cloudformation

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// outputValue is an output that is resolved; known is false while the value
// depends on a resource that is yet to be made.
type outputValue struct {
	value, description, export string
	known                      bool
}

// ListExports answers all exports, sorted by name, on one page.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListExports.html
func (s *Service) ListExports(ctx context.Context, in *cloudformation.ListExportsInput) (*cloudformation.ListExportsOutput, error) {
	if err := s.authorize(ctx, "ListExports", "*"); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &cloudformation.ListExportsOutput{Exports: []types.Export{}}
	for _, st := range s.stacks {
		for _, o := range st.outputs {
			if o.export != "" {
				out.Exports = append(out.Exports, types.Export{ExportingStackId: aws.String(st.id), Name: aws.String(o.export), Value: aws.String(o.value)})
			}
		}
	}
	slices.SortFunc(out.Exports, func(a, b types.Export) int { return strings.Compare(*a.Name, *b.Name) })
	return out, nil
}

// ListImports answers the names of the stacks that use an export.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListImports.html
func (s *Service) ListImports(ctx context.Context, in *cloudformation.ListImportsInput) (*cloudformation.ListImportsOutput, error) {
	if err := s.authorize(ctx, "ListImports", "*"); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	name := aws.ToString(in.ExportName)
	users := s.importers(name)
	if len(users) == 0 {
		return nil, invalid("Export '%s' is not imported by any stack.", name)
	}
	return &cloudformation.ListImportsOutput{Imports: users}, nil
}

func (s *Service) export(name string) (string, error) {
	for _, st := range s.stacks {
		for _, o := range st.outputs {
			if o.export == name && name != "" {
				return o.value, nil
			}
		}
	}
	return "", invalid("No export named %s found.", name)
}

func (s *Service) importers(export string) []string {
	var names []string
	for _, st := range s.stacks {
		if st.imports[export] {
			names = append(names, st.name)
		}
	}
	slices.Sort(names)
	return names
}

// checkExports refuses outputs that would take an export away from its users,
// or a name from the stack that has it. Outputs not known yet pass for now.
func (s *Service) checkExports(st *stack, outputs map[string]outputValue) error {
	wanted := map[string]outputValue{}
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		o := outputs[name]
		if o.export == "" {
			continue
		}
		if _, twice := wanted[o.export]; twice {
			return invalid("Output %s is malformed. The same export name %s is used twice", name, o.export)
		}
		wanted[o.export] = o
		for _, other := range s.stacks {
			for _, theirs := range other.outputs {
				if other != st && theirs.export == o.export {
					return invalid("Export with name %s is already exported by stack %s", o.export, other.name)
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(st.outputs)) {
		old := st.outputs[name]
		users := s.importers(old.export)
		if old.export == "" || len(users) == 0 {
			continue
		}
		now, stays := wanted[old.export]
		if !stays {
			return invalid("Export %s cannot be deleted as it is in use by %s", old.export, strings.Join(users, " and "))
		}
		if now.known && now.value != old.value {
			return invalid("Export %s cannot be updated as it is in use by %s", old.export, strings.Join(users, " and "))
		}
	}
	return nil
}

// resolveOutputs resolves the outputs whose condition holds.
func (p *prepared) resolveOutputs(sc *scope) (map[string]outputValue, error) {
	resolved := map[string]outputValue{}
	for _, name := range slices.Sorted(maps.Keys(p.outputs)) {
		o := p.outputs[name]
		if o.condition != "" && !sc.conditions[o.condition] {
			continue
		}
		value, err := sc.resolve(o.value)
		if err != nil {
			return nil, err
		}
		text, known := scalar(value)
		if !known && value != (unknown{}) {
			return nil, invalid("Template format error: Output %s is malformed. The Value field of every Outputs member must evaluate to a String.", name)
		}
		export := ""
		if o.export != nil {
			exported, err := sc.resolve(o.export)
			if err != nil {
				return nil, err
			}
			export, _ = scalar(exported)
		}
		resolved[name] = outputValue{value: text, description: o.description, export: export, known: known}
	}
	return resolved, nil
}
