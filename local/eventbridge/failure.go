package eventbridge

import (
	"errors"
	"strings"
	"time"

	"github.com/aws/smithy-go"
)

// failure is why an attempt failed, in the words of a dead letter.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
type failure struct {
	code, message string
	retry         bool
	after         time.Duration // the least wait before the next attempt
}

// failureOf tells from another service's error whether to try again. What
// needs somebody to act, such as a permission or a disabled key, is final.
func failureOf(err error) failure {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return failure{code: "INTERNAL_ERROR", message: err.Error(), retry: true}
	}
	code := api.ErrorCode()
	f := failure{code: "SDK_CLIENT_ERROR", message: api.ErrorMessage()}
	switch {
	case containsAny(code, "AccessDenied", "NotAuthorized", "Unauthorized"):
		f.code = "NO_PERMISSIONS"
	case containsAny(code, "NotFound", "NonExistent", "DoesNotExist", "Disabled", "InvalidState"):
		f.code = "NO_RESOURCE"
	case containsAny(code, "Throttl", "TooManyRequests", "LimitExceeded"):
		f.code, f.retry = "THROTTLING", true
	case api.ErrorFault() == smithy.FaultServer:
		f.code, f.retry = "INTERNAL_ERROR", true
	}
	return f
}

func containsAny(text string, parts ...string) bool {
	for _, part := range parts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}
