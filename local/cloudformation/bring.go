package cloudformation

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// bring makes one resource what the next template wants it to be.
func (op *operation) bring(id string) bool {
	op.service.mu.Lock()
	defer op.service.mu.Unlock()
	if op.stopped || op.ctx.Err() != nil {
		return false
	}
	current := op.stack.resources[id]
	if current != nil && current.isGone() {
		current = nil
	}
	wanted := &resource{logicalID: id, definition: op.next.resources[id], needs: op.next.needs[id]}
	var err error
	if wanted.properties, err = op.scope().properties(wanted.definition); err != nil {
		return op.refuse(wanted, current, err)
	}
	c, isChange := op.service.compare(id, wanted.definition, wanted.properties, current)
	switch {
	case current == nil:
		return op.make(wanted, nil)
	case !isChange || len(c.properties) == 0 && current.status != types.ResourceStatusUpdateFailed && c.replacement == types.ReplacementFalse:
		// Metadata and policies are CloudFormation's own business.
		wanted.physicalID, wanted.attributes = current.physicalID, current.attributes
		wanted.status, wanted.reason, wanted.updated = current.status, current.reason, current.updated
		op.stack.resources[id] = wanted
		return true
	case c.replacement == types.ReplacementTrue:
		return op.make(wanted, current)
	}
	return op.alter(wanted, current)
}

// refuse fails a resource whose properties cannot be resolved.
func (op *operation) refuse(wanted, current *resource, err error) bool {
	status := types.ResourceStatusCreateFailed
	if current != nil {
		status = types.ResourceStatusUpdateFailed
		wanted.physicalID, wanted.attributes, wanted.properties = current.physicalID, current.attributes, current.properties
	}
	op.stack.resources[wanted.logicalID] = wanted
	return op.fail(wanted, status, reasonOf(err))
}

// make creates a resource, in the place of old if there is one. Called, as all
// that follows, with the lock held; it is let go for the provider's work.
func (op *operation) make(r, old *resource) bool {
	op.stack.resources[r.logicalID], op.fates[r.logicalID] = r, created
	progress, complete, failed := types.ResourceStatusCreateInProgress, types.ResourceStatusCreateComplete, types.ResourceStatusCreateFailed
	if old == nil {
		op.note(r, progress, "")
	} else {
		op.fates[r.logicalID] = replaced
		progress, complete, failed = types.ResourceStatusUpdateInProgress, types.ResourceStatusUpdateComplete, types.ResourceStatusUpdateFailed
		op.note(r, progress, "Requested update requires the creation of a new physical resource; hence creating one.")
	}
	result, err := op.unlocked(func() (Result, error) { return op.create(op.waits, r) })
	r.physicalID, r.attributes = result.PhysicalID, result.Attributes
	if err != nil && !errors.Is(err, errCancelled) {
		return op.fail(r, failed, reasonOf(err))
	}
	if err != nil || op.cut {
		return op.fail(r, failed, "Resource creation cancelled")
	}
	op.note(r, progress, "Resource creation Initiated")
	op.note(r, complete, "")
	return true
}

// alter changes a resource in place.
func (op *operation) alter(r, old *resource) bool {
	r.physicalID, r.attributes = old.physicalID, old.attributes
	op.stack.resources[r.logicalID], op.fates[r.logicalID] = r, changed
	op.note(r, types.ResourceStatusUpdateInProgress, "")
	result, err := op.unlocked(func() (Result, error) { return op.change(op.waits, r, old.properties) })
	if err != nil && !errors.Is(err, errCancelled) {
		return op.fail(r, types.ResourceStatusUpdateFailed, reasonOf(err))
	}
	if err == nil {
		r.take(result)
	}
	if err != nil || op.cut {
		return op.fail(r, types.ResourceStatusUpdateFailed, "Resource update cancelled")
	}
	op.note(r, types.ResourceStatusUpdateComplete, "")
	return true
}

func (r *resource) take(result Result) {
	if result.PhysicalID != "" {
		r.physicalID = result.PhysicalID
	}
	r.attributes = result.Attributes
}

func (op *operation) unlocked(work func() (Result, error)) (Result, error) {
	op.service.mu.Unlock()
	defer op.service.mu.Lock()
	return work()
}
