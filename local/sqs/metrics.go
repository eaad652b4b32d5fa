package sqs

import "time"

// Metrics is where the queues' metrics go.
type Metrics interface {
	Record(namespace, name, unit string, dimensions map[string]string, value float64)
}

const (
	namespace = "AWS/SQS"
	counts    = "Count"
)

// record counts what happened to messages of a queue.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
func (s *Service) record(name, queue string, count int) {
	if s.config.Metrics != nil && count > 0 {
		s.config.Metrics.Record(namespace, name, counts, map[string]string{"QueueName": queue}, float64(count))
	}
}

// Gauges reports the depth of every queue and the age of its oldest message. AWS
// stops to report a queue that nobody used for six hours; this goes on.
func (s *Service) Gauges(report func(namespace, name, unit string, dimensions map[string]string, value float64)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.config.Clock.Now()
	for name, q := range s.queues {
		q.expire(now)
		visible, hidden, delayed := q.count(now)
		of := map[string]string{"QueueName": name}
		report(namespace, "ApproximateNumberOfMessagesVisible", counts, of, float64(visible))
		report(namespace, "ApproximateNumberOfMessagesNotVisible", counts, of, float64(hidden))
		report(namespace, "ApproximateNumberOfMessagesDelayed", counts, of, float64(delayed))
		report(namespace, "ApproximateAgeOfOldestMessage", "Seconds", of, q.oldest(now).Seconds())
	}
}

// oldest is the age of the message that arrived first; messages stand in that
// order. A dead letter counts from its move.
func (q *queue) oldest(now time.Time) time.Duration {
	if len(q.messages) == 0 {
		return 0
	}
	return now.Sub(q.messages[0].arrived).Truncate(time.Second)
}
