package cloudformation

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/google/uuid"
)

// stack is one stack. All of it is guarded by the service's lock.
type stack struct {
	id, name                  string
	status                    types.StackStatus
	reason                    string
	created, updated, deleted time.Time
	changeSet                 string // the one that was executed last
	template                  *template
	given                     map[string]string // parameter values
	tags                      []types.Tag
	capabilities              []types.Capability
	disableRollback           bool
	protected                 bool // against deletion
	resources                 map[string]*resource
	outputs                   map[string]outputValue
	imports                   map[string]bool // names of exports in use
	events                    []types.StackEvent
	latest                    time.Time // of the last event
	changeSets                []*changeSet
	operation                 *operation // the last one
}

// resource is one resource of a stack. A change makes a new record, so that
// the old one is there to go back to.
type resource struct {
	logicalID, physicalID string
	definition            definition
	needs                 []string
	// properties are resolved, but dynamic references are still text.
	properties map[string]any
	attributes map[string]any
	status     types.ResourceStatus
	reason     string
	updated    time.Time
}

func (s *Service) newStack(name string, now time.Time) *stack {
	return &stack{
		id:        s.Account.ARN("cloudformation", "stack/"+name+"/"+uuid.NewString()),
		name:      name,
		created:   now,
		resources: map[string]*resource{},
		imports:   map[string]bool{},
	}
}

// isGone tells whether nothing is left behind the record.
func (r *resource) isGone() bool {
	return r.physicalID == "" || r.status == types.ResourceStatusDeleteComplete || r.status == types.ResourceStatusDeleteSkipped
}

func (st *stack) isBusy() bool { return st.operation != nil && !st.operation.isDone() }

func (st *stack) isDeleted() bool { return st.status == types.StackStatusDeleteComplete }

func (st *stack) result(id string) (Result, error) {
	r := st.resources[id]
	if r == nil || r.isGone() {
		return Result{}, invalid("Template format error: Unresolved resource dependencies [%s] in the template: its condition is false", id)
	}
	return Result{PhysicalID: r.physicalID, Attributes: r.attributes}, nil
}

func (st *stack) attribute(id, name string) (any, error) {
	result, err := st.result(id)
	if err != nil {
		return nil, err
	}
	if value, ok := result.Attributes[name]; ok {
		return value, nil
	}
	if isCustom(st.resources[id].definition.kind) {
		return nil, invalid("CustomResource attribute error: Vendor response doesn't contain %s attribute in object %s|%s", name, st.id, id)
	}
	return nil, invalid("Template error: resource %s does not support attribute type %s in Fn::GetAtt", id, name)
}

// find returns the stack with this name or id; deleted ones by id only.
func (s *Service) find(nameOrID *string) (*stack, error) {
	wanted := aws.ToString(nameOrID)
	if wanted == "" {
		return nil, invalid("1 validation error detected: Value null at 'stackName' failed to satisfy constraint: Member must not be null")
	}
	if st := s.live(wanted); st != nil {
		return st, nil
	}
	for _, st := range s.stacks {
		if st.id == wanted {
			return st, nil
		}
	}
	return nil, invalid("Stack with id %s does not exist", wanted)
}

func (s *Service) live(nameOrID string) *stack {
	for _, st := range s.stacks {
		if !st.isDeleted() && (st.name == nameOrID || st.id == nameOrID) {
			return st
		}
	}
	return nil
}

// arnOf names a stack for authorization, whether it exists or not.
func (s *Service) arnOf(nameOrID *string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st, err := s.find(nameOrID); err == nil {
		return st.id
	}
	return s.Account.ARN("cloudformation", fmt.Sprintf("stack/%s/*", aws.ToString(nameOrID)))
}
