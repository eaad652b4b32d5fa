package lambda

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// Metrics is where the functions' metrics go.
type Metrics interface {
	Record(namespace, name, unit string, dimensions map[string]string, value float64)
}

// record publishes a value for the account, for the function, and for the
// function without a qualifier, as which it was invoked.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
func (s *Service) record(function, name, unit string, value float64) {
	if s.Metrics == nil {
		return
	}
	for _, dimensions := range []map[string]string{nil, {"FunctionName": function}, {"FunctionName": function, "Resource": function}} {
		s.Metrics.Record("AWS/Lambda", name, unit, dimensions, value)
	}
}

// measure publishes an invocation that ran. That nothing went wrong is a zero.
func (s *Service) measure(function string, result outcome) {
	failed := 0.0
	if result.errorType != "" {
		failed = 1
	}
	s.record(function, "Invocations", "Count", 1)
	s.record(function, "Errors", "Count", failed)
	s.record(function, "Throttles", "Count", 0)
	s.record(function, "Duration", "Milliseconds", milliseconds(result.duration))
}

// refuse publishes an invocation that found no room; it counts as no invocation.
func (s *Service) refuse(function string, err error) {
	var throttled *types.TooManyRequestsException
	if errors.As(err, &throttled) {
		s.record(function, "Throttles", "Count", 1)
	}
}
