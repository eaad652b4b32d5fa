package eventbridge

// Metrics is Amazon CloudWatch as EventBridge publishes to it: one value of now
// under a namespace, a name, a unit and dimensions. Record must neither change
// the dimensions nor keep them.
type Metrics interface {
	Record(namespace, name, unit string, dimensions map[string]string, value float64)
}

// The metrics that a delivery here can meet.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
const (
	matchedEvents                  = "MatchedEvents"
	triggeredRules                 = "TriggeredRules"
	throttledRules                 = "ThrottledRules"
	invocations                    = "Invocations"
	invocationAttempts             = "InvocationAttempts"
	retryInvocationAttempts        = "RetryInvocationAttempts"
	successfulInvocationAttempts   = "SuccessfulInvocationAttempts"
	failedInvocations              = "FailedInvocations"
	invocationsSentToDlq           = "InvocationsSentToDlq"
	invocationsFailedToBeSentToDlq = "InvocationsFailedToBeSentToDlq"
)

// count adds one to a metric of a rule. Nothing is counted for the rules that
// archives manage: AWS shows none either.
func (s *Service) count(r *rule, metric string) {
	if s.Metrics != nil && r.archive == nil {
		s.Metrics.Record("AWS/Events", metric, "Count", r.dimensions, 1)
	}
}

// dimensionsOf are RuleName alone for a rule of the default bus, and
// EventBusName with it for one of a custom bus.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
func dimensionsOf(bus, rule string) map[string]string {
	if bus == defaultBus {
		return map[string]string{"RuleName": rule}
	}
	return map[string]string{"EventBusName": bus, "RuleName": rule}
}
