package eventbridge

import (
	"context"
	"math/rand/v2"
	"time"

	"api-destination-credentials/local/eventbridge/transform"
)

// delivery is an event on its way to one target of one rule. Of the rule it
// only reads what never changes.
type delivery struct {
	event    *event
	rule     *rule
	target   *target
	body     []byte // what the target is to get
	attempts int    // made so far
	status   int    // of the last attempt's HTTP answer; 0 for none
	turn     bool   // the next attempt is within the destination's rate limit
}

// retries are the attempts after the first.
func (d *delivery) retries() int { return max(0, d.attempts-1) }

// deliver tries until the target has the event, or until the failure is final
// or the retry policy exhausted; then the event is a dead letter.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
func (s *Service) deliver(ctx context.Context, d *delivery) {
	body, err := d.target.input(d.event.text, transform.Occasion{RuleARN: d.rule.arn, RuleName: d.rule.name, Ingested: d.event.ingested})
	if err != nil {
		s.fail(ctx, d, d.event.text, failure{code: "INVALID_JSON", message: err.Error()}, "")
		return
	}
	d.body = body
	s.pursue(ctx, d)
}

// pursue makes one attempt, and arranges for what comes after it.
func (s *Service) pursue(ctx context.Context, d *delivery) {
	if s.queued(d) {
		return
	}
	failure := s.attempt(ctx, d)
	if failure == parked || ctx.Err() != nil {
		return
	}
	d.turn = false
	if failure == nil {
		s.count(d.rule, successfulInvocationAttempts)
		s.count(d.rule, invocations)
		s.observeDelivery(d, "delivered", nil, "")
		return
	}
	s.Log.InfoContext(ctx, "delivery attempt failed", "eventId", d.event.id, "rule", d.rule.name, "target", *d.target.Arn,
		"attempt", d.attempts, "code", failure.code, "reason", failure.message)
	switch {
	case !failure.retry:
		s.fail(ctx, d, d.body, *failure, "")
	case d.attempts > d.target.retries():
		s.fail(ctx, d, d.body, *failure, "MaximumRetryAttempts")
	default:
		s.retry(d, *failure)
	}
}

// queued puts off a delivery that would exceed its destination's rate limit.
// Such a delivery is delayed and not lost, as long as it is young enough. AWS
// documents ThrottledRules for rules that are throttled; that it counts these
// delays too is a choice.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
func (s *Service) queued(d *delivery) bool {
	if d.turn || d.target.kind != destinationKind {
		return false
	}
	left := s.remaining(d)
	wait := s.turn(*d.target.Arn, left)
	d.turn = true
	if wait <= 0 {
		return false
	}
	s.count(d.rule, throttledRules)
	if wait > left {
		s.work.after(left, func(ctx context.Context) {
			s.fail(ctx, d, d.body, failure{code: "THROTTLING", message: unable + "The rate limit left no turn within the event's age."}, "MaximumEventAgeInSeconds")
		})
		return true
	}
	s.work.after(wait, func(ctx context.Context) { s.pursue(ctx, d) })
	return true
}

// parked stands for an attempt that is not over: the delivery goes on when the
// connection's authorization that another one began has ended.
var parked = &failure{}

func (s *Service) attempt(ctx context.Context, d *delivery) *failure {
	if err := s.open(ctx, d.event.lock); err != nil {
		return failed(err)
	}
	d.status = 0
	f := s.invoke(ctx, d)
	if f == parked || ctx.Err() != nil {
		return f
	}
	s.count(d.rule, invocationAttempts)
	if d.attempts > 0 {
		s.count(d.rule, retryInvocationAttempts)
	}
	d.attempts++
	s.observeDelivery(d, "attempt", f, "")
	return f
}

func (s *Service) invoke(ctx context.Context, d *delivery) *failure {
	switch d.target.kind {
	case destinationKind:
		return s.invokeDestination(ctx, d)
	case functionKind:
		return s.invokeFunction(ctx, d)
	case archiveKind:
		return s.keep(ctx, d)
	default:
		return s.sendToQueue(ctx, d)
	}
}

// retry arranges for another attempt, unless the event is too old by then.
func (s *Service) retry(d *delivery, f failure) {
	left := s.remaining(d)
	wait := max(backOff(d.retries()), f.after)
	if wait < left {
		s.observeDelivery(d, "retry", nil, "for "+wait.Round(100*time.Millisecond).String())
		s.work.after(wait, func(ctx context.Context) { s.pursue(ctx, d) })
		return
	}
	s.work.after(left, func(ctx context.Context) { s.fail(ctx, d, d.body, f, "MaximumEventAgeInSeconds") })
}

// remaining is how much longer the event may be retried.
func (s *Service) remaining(d *delivery) time.Duration {
	return d.target.eventAge() - s.Clock.Since(d.event.ingested)
}

// backOff doubles from a second and stays near a quarter of an hour, so that a
// day has room for somewhat more than a hundred attempts, as seen at AWS. The
// jitter takes away up to half.
func backOff(retries int) time.Duration {
	const longest = 15 * time.Minute
	whole := longest
	if retries < 10 {
		whole = min(time.Second<<retries, longest)
	}
	return whole/2 + rand.N(whole/2+1)
}

// fail gives a delivery up. An invocation counts when it has succeeded or, as
// here, failed for good; not while it is retried.
func (s *Service) fail(ctx context.Context, d *delivery, body []byte, f failure, exhausted string) {
	s.count(d.rule, invocations)
	s.count(d.rule, failedInvocations)
	if d.target.DeadLetterConfig == nil || value(d.target.DeadLetterConfig.Arn) == "" {
		s.observeDelivery(d, "dropped", &f, "")
		s.Log.WarnContext(ctx, "event lost: its target has no dead-letter queue", "eventId", d.event.id, "rule", d.rule.name, "code", f.code, "reason", f.message)
		return
	}
	sent := s.bury(ctx, letter{
		body: body, source: d.rule.arn, rule: d.rule.arn, target: *d.target.Arn, failure: f, retries: d.retries(), exhausted: exhausted,
	}, d.target.DeadLetterConfig)
	if sent {
		s.count(d.rule, invocationsSentToDlq)
		s.observeDelivery(d, "dead-letter", &f, "")
		return
	}
	s.count(d.rule, invocationsFailedToBeSentToDlq)
	s.observeDelivery(d, "dropped", &f, "")
}
