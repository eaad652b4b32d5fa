package cloudformation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
	"github.com/google/uuid"
)

// handlerError is what a provider failed with, in the form of stack events.
type handlerError struct {
	err   error
	token string
}

func (e *handlerError) Error() string {
	code := "GeneralServiceException"
	message := e.err.Error()
	var refused smithy.APIError
	if errors.As(e.err, &refused) {
		code = handlerCode(refused.ErrorCode())
		if refused == e.err {
			message = refused.ErrorMessage()
		}
	}
	// AWS does not escape quotes within the message.
	return fmt.Sprintf(`Resource handler returned message: "%s" (RequestToken: %s, HandlerErrorCode: %s)`, message, e.token, code)
}

func (e *handlerError) Unwrap() error { return e.err }

// handlerCodes translate the codes of services; the first fragment counts.
// https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract-errors.html
var handlerCodes = []struct{ fragment, code string }{
	{"AccessDenied", "AccessDenied"},
	{"NotAuthorized", "AccessDenied"},
	{"NotFound", "NotFound"},
	{"DoesNotExist", "NotFound"},
	{"NonExistent", "NotFound"},
	{"NoSuch", "NotFound"},
	{"Exist", "AlreadyExists"},
	{"LimitExceeded", "ServiceLimitExceeded"},
	{"Throttl", "Throttling"},
	{"TooManyRequests", "Throttling"},
	{"Conflict", "ResourceConflict"},
	{"ConcurrentModification", "ResourceConflict"},
	{"InternalFailure", "ServiceInternalError"},
	{"Validation", "InvalidRequest"},
	{"Invalid", "InvalidRequest"},
	{"Malformed", "InvalidRequest"},
}

func handlerCode(code string) string {
	for _, known := range handlerCodes {
		if strings.Contains(code, known.fragment) {
			return known.code
		}
	}
	return "GeneralServiceException"
}

// reasonOf is the text of an event for an error.
func reasonOf(err error) string {
	var handled *handlerError
	if errors.As(err, &handled) {
		return handled.Error()
	}
	var refused smithy.APIError
	if errors.As(err, &refused) {
		return refused.ErrorMessage()
	}
	return err.Error()
}

// create has the provider of a resource's type make it. Waits is how long a
// custom resource is waited for; a provider's work is not cut short, because
// what it has half made would be lost.
func (op *operation) create(waits context.Context, r *resource) (Result, error) {
	request := op.request(r)
	if isCustom(r.definition.kind) {
		return op.createCustom(waits, request)
	}
	provider := op.service.Types[r.definition.kind]
	var err error
	if request.Properties, err = op.ready(provider, r); err != nil {
		return Result{}, err
	}
	result, err := provider.Create(op.ctx, request)
	if err != nil {
		return result, &handlerError{err, request.Token}
	}
	return result, nil
}

func (op *operation) change(waits context.Context, r *resource, old map[string]any) (Result, error) {
	request := op.request(r)
	request.OldProperties = old
	if isCustom(r.definition.kind) {
		return op.changeCustom(waits, request)
	}
	provider := op.service.Types[r.definition.kind]
	var err error
	if request.Properties, err = op.ready(provider, r); err != nil {
		return Result{}, err
	}
	result, err := provider.Update(op.ctx, request)
	if err != nil {
		return result, &handlerError{err, request.Token}
	}
	return result, nil
}

func (op *operation) remove(r *resource) error {
	request := op.request(r)
	if isCustom(r.definition.kind) {
		return op.removeCustom(op.ctx, request)
	}
	if err := op.service.Types[r.definition.kind].Delete(op.ctx, request); err != nil {
		return &handlerError{err, request.Token}
	}
	return nil
}

func (op *operation) request(r *resource) Request {
	return Request{
		StackName:  op.stack.name,
		StackID:    op.stack.id,
		LogicalID:  r.logicalID,
		Type:       r.definition.kind,
		PhysicalID: r.physicalID,
		Token:      uuid.NewString(),
		Properties: r.properties,
	}
}

// ready checks the properties that a provider is about to get, and reads the
// secrets that they refer to.
func (op *operation) ready(provider Provider, r *resource) (map[string]any, error) {
	var faults []string
	for _, name := range slices.Sorted(maps.Keys(r.properties)) {
		if _, known := provider.Properties[name]; !known {
			faults = append(faults, fmt.Sprintf("#: extraneous key [%s] is not permitted", name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(provider.Properties)) {
		if _, given := r.properties[name]; provider.Properties[name] && !given {
			faults = append(faults, fmt.Sprintf("#: required key [%s] not found", name))
		}
	}
	if len(faults) > 0 {
		return nil, invalid("Properties validation failed for resource %s with message:\n[%s]\nOf %s the local endpoint supports %s.",
			r.logicalID, strings.Join(faults, ", "), r.definition.kind, strings.Join(slices.Sorted(maps.Keys(provider.Properties)), ", "))
	}
	return op.service.withSecrets(op.ctx, r.properties)
}
