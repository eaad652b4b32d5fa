package cloudformation

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// rollBackCreate takes away what a failed create has made.
func (op *operation) rollBackCreate() {
	op.enter(types.StackStatusRollbackInProgress, op.failure("Rollback requested by user."))
	op.failed, op.cause = map[string][]string{}, ""
	op.clear(op.stack.resources, func(r *resource) bool { return r.definition.deletionPolicy == "Retain" })
	switch {
	case op.ctx.Err() != nil:
	case len(op.failed) > 0:
		op.enter(types.StackStatusRollbackFailed, op.failure(""))
	default:
		op.stack.imports = map[string]bool{}
		op.enter(types.StackStatusRollbackComplete, "")
	}
}

// cleanUp removes what an update has left over. What cannot be removed does
// not fail the update any more.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
func (op *operation) cleanUp() {
	op.enter(types.StackStatusUpdateCompleteCleanupInProgress, "")
	doomed, unneeded := map[string]*resource{}, map[string]bool{}
	for id, old := range op.before {
		now := op.stack.resources[id]
		_, stays := op.next.needs[id]
		switch {
		case !stays && old.isGone():
			delete(op.stack.resources, id)
		case !stays:
			unneeded[id] = true
			doomed[id] = copyOf(old)
			delete(op.stack.resources, id)
		case now != old && now.physicalID != old.physicalID:
			doomed[id] = copyOf(old)
		}
	}
	op.clear(doomed, func(r *resource) bool {
		if unneeded[r.logicalID] {
			return r.definition.deletionPolicy == "Retain" || r.definition.deletionPolicy == "RetainExceptOnCreate"
		}
		return r.definition.updateReplacePolicy == "Retain"
	})
	if op.ctx.Err() != nil {
		return
	}
	reason := ""
	if len(op.failed) > 0 {
		reason = "Update successful. One or more resources could not be deleted."
	}
	op.enter(types.StackStatusUpdateComplete, reason)
}

// rollBackUpdate puts every changed resource back, and then removes what the
// update made.
func (op *operation) rollBackUpdate() {
	op.enter(types.StackStatusUpdateRollbackInProgress, op.failure(""))
	op.failed, op.cause = map[string][]string{}, ""
	op.stack.imports = op.importsBefore
	attempted, back := maps.Clone(op.stack.resources), map[string][]string{}
	for id, old := range op.before {
		if op.fates[id] == untouched {
			op.stack.resources[id] = old
			continue
		}
		back[id] = old.needs
	}
	op.service.mu.Unlock()
	walk(back, func(id string) bool { return op.restore(op.before[id], attempted[id]) })
	op.service.mu.Lock()
	if op.ctx.Err() != nil {
		return
	}
	if len(op.failed) > 0 {
		op.enter(types.StackStatusUpdateRollbackFailed, op.failure(""))
		return
	}
	op.enter(types.StackStatusUpdateRollbackCompleteCleanupInProgress, "")
	doomed := map[string]*resource{}
	for id, r := range attempted {
		kept, existed := op.before[id]
		switch {
		case !existed:
			doomed[id] = r
			delete(op.stack.resources, id)
		case r.physicalID != "" && r.physicalID != op.stack.resources[id].physicalID && r != kept:
			doomed[id] = copyOf(r)
		}
	}
	op.clear(doomed, func(r *resource) bool {
		return op.fates[r.logicalID] == created && r.definition.deletionPolicy == "Retain"
	})
	if op.ctx.Err() == nil {
		op.enter(types.StackStatusUpdateRollbackComplete, "")
	}
}

// restore goes back to the record from before the update.
func (op *operation) restore(before, attempted *resource) bool {
	op.service.mu.Lock()
	defer op.service.mu.Unlock()
	if op.ctx.Err() != nil {
		return false
	}
	r := copyOf(before)
	if op.fates[r.logicalID] != changed {
		op.stack.resources[r.logicalID] = r
		op.note(r, types.ResourceStatusUpdateComplete, "")
		return true
	}
	r.physicalID, r.attributes = attempted.physicalID, attempted.attributes
	op.stack.resources[r.logicalID] = r
	op.note(r, types.ResourceStatusUpdateInProgress, "")
	result, err := op.unlocked(func() (Result, error) { return op.change(op.ctx, r, attempted.properties) })
	if err != nil {
		return op.fail(r, types.ResourceStatusUpdateFailed, reasonOf(err))
	}
	r.take(result)
	op.note(r, types.ResourceStatusUpdateComplete, "")
	return true
}

func copyOf(r *resource) *resource {
	other := *r
	return &other
}

// runDelete removes a stack's resources, except for the retained ones.
func (op *operation) runDelete(retained []string) {
	doomed := map[string]*resource{}
	for id, r := range op.stack.resources {
		if r.status != types.ResourceStatusDeleteComplete && r.status != types.ResourceStatusDeleteSkipped {
			doomed[id] = r
		}
	}
	op.failed, op.cause = map[string][]string{}, ""
	op.clear(doomed, func(r *resource) bool {
		policy := r.definition.deletionPolicy
		return policy == "Retain" || policy == "RetainExceptOnCreate" || slices.Contains(retained, r.logicalID)
	})
	switch {
	case op.ctx.Err() != nil:
	case len(op.failed) > 0:
		op.enter(types.StackStatusDeleteFailed, op.failure(""))
	default:
		op.stack.outputs, op.stack.imports = nil, map[string]bool{}
		op.stack.deleted = op.service.Clock.Now()
		op.enter(types.StackStatusDeleteComplete, "")
	}
}

// clear removes resources, those first that others need last. What a resource
// that cannot be removed needs stays as well.
func (op *operation) clear(doomed map[string]*resource, retained func(*resource) bool) {
	needs := map[string][]string{}
	for id, r := range doomed {
		needs[id] = r.needs
	}
	doomed = maps.Clone(doomed)
	op.service.mu.Unlock()
	defer op.service.mu.Lock()
	walk(reversed(needs), func(id string) bool { return op.discard(doomed[id], retained) })
}

func (op *operation) discard(r *resource, retained func(*resource) bool) bool {
	op.service.mu.Lock()
	defer op.service.mu.Unlock()
	switch {
	case op.ctx.Err() != nil:
		return false
	case r.physicalID == "":
		op.note(r, types.ResourceStatusDeleteComplete, "")
		return true
	case retained(r):
		op.note(r, types.ResourceStatusDeleteSkipped, "")
		return true
	}
	op.note(r, types.ResourceStatusDeleteInProgress, "")
	_, err := op.unlocked(func() (Result, error) { return Result{}, op.remove(r) })
	if err != nil {
		op.note(r, types.ResourceStatusDeleteFailed, reasonOf(err))
		op.failed["delete"] = append(op.failed["delete"], r.logicalID)
		return false
	}
	op.note(r, types.ResourceStatusDeleteComplete, "")
	return true
}
