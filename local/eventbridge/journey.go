package eventbridge

import "time"

// Step is one thing that happened to an event, for whoever observes. It carries
// neither a body nor a credential.
type Step struct {
	EventID string
	Time    time.Time
	Kind    string // put, matched, token, attempt, retry, delivered, dead-letter or dropped
	Rule    string // its name; empty while no rule is concerned
	Target  string // its ARN; for put, and dropped without a rule, the bus's name
	Status  int    // of an HTTP answer; 0 for none
	Attempt int    // from 1; 0 where it does not apply
	Code    string // as in a dead letter; empty for success
	Detail  string
}

// observe tells a step of an event that no rule has matched.
func (s *Service) observe(e *event, kind, bus, code, detail string) {
	if s.Observe != nil {
		s.Observe(Step{EventID: e.id, Time: s.now(), Kind: kind, Target: bus, Code: code, Detail: detail})
	}
}

// observeDelivery tells a step on the way to a target. Archives are no targets
// that anybody gave a rule.
func (s *Service) observeDelivery(d *delivery, kind string, f *failure, detail string) {
	if s.Observe == nil || d.rule.archive != nil {
		return
	}
	step := Step{EventID: d.event.id, Time: s.now(), Kind: kind, Rule: d.rule.name, Target: *d.target.Arn, Detail: detail}
	if kind == "attempt" {
		step.Attempt, step.Status = d.attempts, d.status
	}
	if f != nil {
		step.Code = f.code
		if detail == "" {
			step.Detail = f.message
		}
	}
	s.Observe(step)
}
