package eventbridge

import (
	"context"
	"math/rand/v2"
	"time"

	"api-destination-credentials/local/eventbridge/transform"
)

// delivery is an event on its way to one target of one rule.
type delivery struct {
	event             *event
	bus               string
	ruleName, ruleARN string
	target            *target
}

// deliver tries until the target has the event, or until the failure is final
// or the retry policy exhausted; then the event is a dead letter.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
func (s *Service) deliver(ctx context.Context, d *delivery) {
	s.count("Invocations", d.bus, d.ruleName)
	body, failure := prepare(d)
	if failure != nil {
		s.fail(ctx, d, d.event.text, *failure, 0, "")
		return
	}
	for attempt := 0; ; attempt++ {
		failure := s.attempt(ctx, d, body)
		if ctx.Err() != nil {
			return
		}
		if failure == nil {
			s.count("SuccessfulInvocationAttempts", d.bus, d.ruleName)
			return
		}
		s.Log.InfoContext(ctx, "delivery attempt failed", "eventId", d.event.id, "rule", d.ruleName, "target", *d.target.Arn,
			"attempt", attempt+1, "code", failure.code, "reason", failure.message)
		if !failure.retry {
			s.fail(ctx, d, body, *failure, attempt, "")
			return
		}
		if attempt == d.target.retries() {
			s.fail(ctx, d, body, *failure, attempt, "MaximumRetryAttempts")
			return
		}
		if !s.pause(ctx, min(max(backOff(attempt), failure.after), s.remaining(d))) {
			return
		}
		if s.remaining(d) <= 0 {
			s.fail(ctx, d, body, *failure, attempt, "MaximumEventAgeInSeconds")
			return
		}
		s.count("RetryInvocationAttempts", d.bus, d.ruleName)
	}
}

// prepare makes the target's input.
func prepare(d *delivery) ([]byte, *failure) {
	body, err := d.target.input(d.event.text, transform.Occasion{RuleARN: d.ruleARN, RuleName: d.ruleName, Ingested: d.event.ingested})
	if err != nil {
		return nil, &failure{code: "INVALID_JSON", message: err.Error()}
	}
	return body, nil
}

func (s *Service) attempt(ctx context.Context, d *delivery, body []byte) *failure {
	if err := s.open(ctx, d.event.lock); err != nil {
		return failed(err)
	}
	s.count("InvocationAttempts", d.bus, d.ruleName)
	switch kindOf(*d.target.Arn) {
	case destinationKind:
		return s.invokeDestination(ctx, d, body)
	case functionKind:
		return s.invokeFunction(ctx, d, body)
	default:
		return s.sendToQueue(ctx, d, body)
	}
}

// remaining is how much longer the event may be retried.
func (s *Service) remaining(d *delivery) time.Duration {
	return d.target.eventAge() - s.Clock.Since(d.event.ingested)
}

// backOff doubles from a second and stays near a quarter of an hour, so that a
// day has room for somewhat more than a hundred attempts, as seen at AWS. The
// jitter takes away up to half.
func backOff(attempt int) time.Duration {
	const longest = 15 * time.Minute
	whole := longest
	if attempt < 10 {
		whole = min(time.Second<<attempt, longest)
	}
	return whole/2 + rand.N(whole/2+1)
}

// fail gives a delivery up.
func (s *Service) fail(ctx context.Context, d *delivery, body []byte, f failure, retries int, exhausted string) {
	s.count("FailedInvocations", d.bus, d.ruleName)
	if d.target.DeadLetterConfig == nil || value(d.target.DeadLetterConfig.Arn) == "" {
		s.Log.WarnContext(ctx, "event lost: its target has no dead-letter queue", "eventId", d.event.id, "rule", d.ruleName, "code", f.code)
		return
	}
	sent := s.bury(ctx, letter{
		body: body, source: d.ruleARN, rule: d.ruleARN, target: *d.target.Arn, failure: f, retries: retries, exhausted: exhausted,
	}, d.target.DeadLetterConfig)
	if sent {
		s.count("InvocationsSentToDlq", d.bus, d.ruleName)
		return
	}
	s.count("InvocationsFailedToBeSentToDlq", d.bus, d.ruleName)
}
