package wire

import (
	"errors"
	"iter"
	"net/http"
	"reflect"
	"strings"

	"github.com/aws/smithy-go"
)

// failure is an error as a client sees it.
type failure struct {
	shape   string // the modelled error's name
	code    string // what the older Query clients call it; mostly the same
	message string
	server  bool // the service's fault, which makes clients try again
	request string
	members reflect.Value // of a modelled error: what it tells beside the message
}

// refuse answers with err in the style of the call's protocol. What is no
// smithy.APIError is a defect of ours: it is logged, and the client learns that.
func (h *Handler) refuse(w http.ResponseWriter, c call, err error) {
	f, ok := failureOf(err)
	if !ok {
		h.config.Log.Error("The local endpoint failed.", "operation", c.name(), "error", err)
	}
	h.config.Log.Debug("A request is refused.", "operation", c.name(), "code", f.code, "message", f.message)
	f.request = w.Header().Get("X-Amzn-Requestid")
	if err := c.protocol.refuse(w, f); err != nil {
		h.config.Log.Debug("The client left before its answer.", "operation", c.name(), "error", err)
	}
}

func failureOf(err error) (failure, bool) {
	var known smithy.APIError
	if !errors.As(err, &known) {
		return failure{
			shape:   "InternalFailure",
			code:    "InternalFailure",
			message: "The local endpoint failed; its log says why",
			server:  true,
		}, false
	}
	f := failure{
		shape:   known.ErrorCode(),
		code:    known.ErrorCode(),
		message: known.ErrorMessage(),
		server:  known.ErrorFault() == smithy.FaultServer,
	}
	if modelled := reflect.Indirect(reflect.ValueOf(known)).Type(); modelled != reflect.TypeFor[smithy.GenericAPIError]() {
		f.shape = modelled.Name()
		f.members = reflect.Indirect(reflect.ValueOf(known))
	}
	if code, ok := queryCodes[f.shape]; ok && f.code == f.shape {
		f.code = code
	}
	return f, true
}

// queryCodes are the codes of SQS's errors that differ from their names: its
// clients show the older ones.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
var queryCodes = map[string]string{
	"BatchEntryIdsNotDistinct":     "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
	"BatchRequestTooLong":          "AWS.SimpleQueueService.BatchRequestTooLong",
	"EmptyBatchRequest":            "AWS.SimpleQueueService.EmptyBatchRequest",
	"InvalidBatchEntryId":          "AWS.SimpleQueueService.InvalidBatchEntryId",
	"MessageNotInflight":           "AWS.SimpleQueueService.MessageNotInflight",
	"PurgeQueueInProgress":         "AWS.SimpleQueueService.PurgeQueueInProgress",
	"QueueDeletedRecently":         "AWS.SimpleQueueService.QueueDeletedRecently",
	"QueueDoesNotExist":            "AWS.SimpleQueueService.NonExistentQueue",
	"QueueNameExists":              "QueueAlreadyExists",
	"TooManyEntriesInBatchRequest": "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
	"UnsupportedOperation":         "AWS.SimpleQueueService.UnsupportedOperation",
}

func unknownOperation(what string) error {
	return &smithy.GenericAPIError{
		Code:    "UnknownOperationException",
		Message: "The local endpoint lacks " + what + "; it has what this project's templates and commands need",
	}
}

func badInput(err error) error {
	var known smithy.APIError
	var unknown UnknownMemberError
	switch {
	case errors.As(err, &known):
		return err
	case errors.As(err, &unknown):
		return &smithy.GenericAPIError{Code: "ValidationException", Message: "The request has an " + err.Error()}
	}
	return &smithy.GenericAPIError{Code: "SerializationException", Message: "The request cannot be read: " + err.Error()}
}

// fields are the members of an error. Services spell the message either way.
func (f failure) fields(s style) map[string]any {
	told := map[string]any{"__type": f.shape, "message": f.message, "Message": f.message}
	for name, member := range f.own(s) {
		told[name] = s.encode(member)
	}
	return told
}

// own are the members that only this error has.
func (f failure) own(s style) iter.Seq2[string, reflect.Value] {
	return func(yield func(string, reflect.Value) bool) {
		if !f.members.IsValid() {
			return
		}
		for name, member := range s.members(f.members) {
			switch upperFirst(name) {
			case "Message", "ErrorCodeOverride": // the SDK's own
				continue
			}
			if !yield(name, member) {
				return
			}
		}
	}
}

// status is the one of the protocols in which the code alone tells errors apart.
func (f failure) status() int {
	if f.server {
		return http.StatusInternalServerError
	}
	switch f.code {
	case "MissingAuthenticationToken", "InvalidClientTokenId", "InvalidAccessKeyId", "AccessDenied":
		return http.StatusForbidden
	}
	return http.StatusBadRequest
}

// restStatus is the one of Lambda and API Gateway, whose errors each have theirs.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors
func (f failure) restStatus() int {
	switch {
	case strings.HasSuffix(f.shape, "NotFoundException"):
		return http.StatusNotFound
	case strings.HasSuffix(f.shape, "ConflictException"):
		return http.StatusConflict
	case f.shape == "TooManyRequestsException":
		return http.StatusTooManyRequests
	case f.shape == "AccessDeniedException":
		return http.StatusForbidden
	}
	return f.status()
}
