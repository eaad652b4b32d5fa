package cloudformation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"api-destination-credentials/local/access"
)

// operation is one create, update or delete of a stack while it runs.
type operation struct {
	service *Service
	stack   *stack
	token   string // the client's request token
	next    *prepared
	imports map[string]bool // what next imports

	ctx context.Context // the caller's; ends with the service
	// waits ends early when the changes are given up, so that nobody waits for
	// a custom resource that does not matter any more.
	waits  context.Context
	giveUp context.CancelCauseFunc
	done   chan struct{}

	// onFailure is what follows a failed create.
	onFailure types.OnFailure

	// Guarded by the service's lock:
	made          bool // all changes are done
	stopped       bool // no further change starts
	cut           bool // changes in flight count as cancelled
	abandoned     bool // a deletion follows instead of a rollback
	before        map[string]*resource
	importsBefore map[string]bool
	fates         map[string]fate
	failed        map[string][]string // logical ids by what failed: create, update, delete
	cause         string              // why the operation failed, if no resource did
}

// fate is what an operation did to a resource.
type fate int

const (
	untouched fate = iota
	created
	changed
	replaced
)

var errCancelled = errors.New("cancelled")

// begin starts a stack operation that outlives its request: run gets an
// operation with stack, token and what else its caller has set. Called with the
// lock held.
func (s *Service) begin(ctx context.Context, op *operation, run func(*operation)) {
	st := op.stack
	op.service = s
	op.ctx = access.WithCaller(s.running, access.Caller(ctx))
	op.waits, op.giveUp = context.WithCancelCause(op.ctx)
	op.done = make(chan struct{})
	op.before, op.importsBefore = maps.Clone(st.resources), st.imports
	op.fates, op.failed = map[string]fate{}, map[string][]string{}
	st.operation = op
	st.outdate()
	s.work.Add(1)
	go func() {
		defer s.work.Done()
		defer op.giveUp(nil)
		defer close(op.done)
		run(op)
	}()
}

func (op *operation) isDone() bool {
	select {
	case <-op.done:
		return true
	default:
		return false
	}
}

// settle waits for the operation as long as the service's patience lasts.
func (op *operation) settle(ctx context.Context) {
	if op.service.Patience == 0 {
		return
	}
	patience := op.service.Clock.NewTimer(op.service.Patience)
	defer patience.Stop()
	select {
	case <-op.done:
	case <-patience.Chan():
	case <-ctx.Done():
	}
}

func (op *operation) enter(status types.StackStatus, reason string) {
	op.stack.enter(op.service.Clock.Now(), status, reason, op.token)
}

func (op *operation) note(r *resource, status types.ResourceStatus, reason string) {
	op.stack.note(op.service.Clock.Now(), r, status, reason, op.token)
}

// runCreate makes a new stack's resources.
func (op *operation) runCreate() {
	made := op.makeChanges()
	op.service.mu.Lock()
	defer op.service.mu.Unlock()
	switch {
	case op.ctx.Err() != nil, op.abandoned:
	case made:
		op.enter(types.StackStatusCreateComplete, "")
	case op.onFailure == types.OnFailureDoNothing:
		op.enter(types.StackStatusCreateFailed, op.failure(""))
	case op.onFailure == types.OnFailureDelete:
		op.enter(types.StackStatusDeleteInProgress, op.failure("Delete requested by user."))
		op.runDelete(nil)
	default:
		op.rollBackCreate()
	}
}

// runUpdate brings a stack to its next template.
func (op *operation) runUpdate() {
	made := op.makeChanges()
	op.service.mu.Lock()
	defer op.service.mu.Unlock()
	switch {
	case op.ctx.Err() != nil:
	case made:
		op.cleanUp()
	case op.onFailure == types.OnFailureDoNothing:
		op.keepFailures()
	default:
		op.rollBackUpdate()
	}
}

// keepFailures leaves a failed update as it is, for the next update to mend. A
// resource that could not be replaced is still the old one.
func (op *operation) keepFailures() {
	for id, f := range op.fates {
		r := op.stack.resources[id]
		if f == replaced && r.status == types.ResourceStatusUpdateFailed {
			old := copyOf(op.before[id])
			old.status, old.reason, old.updated = r.status, r.reason, r.updated
			op.stack.resources[id] = old
		}
	}
	op.stack.template, op.stack.given = op.next.template, op.next.given
	op.enter(types.StackStatusUpdateFailed, op.failure(""))
}

// makeChanges creates and changes resources in the order of their references,
// and then the outputs.
func (op *operation) makeChanges() bool {
	walk(op.next.needs, op.bring)
	op.service.mu.Lock()
	defer op.service.mu.Unlock()
	if op.stopped || op.ctx.Err() != nil {
		return false
	}
	outputs, err := op.next.resolveOutputs(op.scope())
	if err == nil {
		err = op.service.checkExports(op.stack, outputs)
	}
	if err != nil {
		op.cause = reasonOf(err)
		return false
	}
	op.stack.outputs, op.stack.imports = outputs, op.imports
	op.stack.template, op.stack.given = op.next.template, op.next.given
	op.made = true
	return true
}

// scope reads resources as they are now.
func (op *operation) scope() *scope {
	sc := *op.next.scope
	sc.result, sc.getAtt, sc.export = op.stack.result, op.stack.attribute, op.service.export
	return &sc
}

// fail ends a resource's change without success; the rest of the changes stop.
func (op *operation) fail(r *resource, status types.ResourceStatus, reason string) bool {
	op.note(r, status, reason)
	verb := "update"
	if status == types.ResourceStatusCreateFailed {
		verb = "create"
	}
	op.failed[verb] = append(op.failed[verb], r.logicalID)
	op.halt(op.onFailure != types.OnFailureDoNothing)
	return false
}

// halt starts no further change; with cut, those in flight count for nothing.
func (op *operation) halt(cut bool) {
	op.stopped = true
	if cut {
		op.cut = true
		op.giveUp(errCancelled)
	}
}

// failure is the reason of the stack's own event.
func (op *operation) failure(then string) string {
	var sentences []string
	for _, verb := range []string{"create", "update", "delete"} {
		if ids := op.failed[verb]; len(ids) > 0 {
			slices.Sort(ids)
			sentences = append(sentences, fmt.Sprintf("The following resource(s) failed to %s: [%s].", verb, strings.Join(ids, ", ")))
		}
	}
	if op.cause != "" {
		sentences = append(sentences, strings.TrimSuffix(op.cause, ".")+".")
	}
	if then != "" {
		sentences = append(sentences, then)
	}
	return strings.Join(sentences, " ")
}
