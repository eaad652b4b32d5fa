package sqs

import (
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

type message struct {
	id         string
	body       []byte // sealed with dataKey where there is one
	dataKey    []byte // encrypted under the key of the queue at sealedFor
	sealedFor  string // ARN
	attributes map[string]types.MessageAttributeValue
	trace      map[string]types.MessageSystemAttributeValue
	group      string
	sent       time.Time
	arrived    time.Time // in this queue
	visible    time.Time // from when on it may be received
	received   int
	first      time.Time // when it was received for the first time
	receipt    string
	source     string // name of the queue that it is a dead letter of
}

func (q *queue) expire(now time.Time) {
	kept, _ := strconv.Atoi(q.attributes["MessageRetentionPeriod"])
	q.messages = slices.DeleteFunc(q.messages, func(m *message) bool { return now.Sub(m.sent) > time.Duration(kept)*time.Second })
}

// count tells apart what may be received, what is in flight, and what nobody
// has received yet because of its delay.
func (q *queue) count(now time.Time) (visible, hidden, delayed int) {
	for _, m := range q.messages {
		switch {
		case !m.visible.After(now):
			visible++
		case m.received == 0:
			delayed++
		default:
			hidden++
		}
	}
	return visible, hidden, delayed
}

// appears is when the first of the messages that are hidden now may be
// received, or later if that is earlier.
func (q *queue) appears(now, later time.Time) time.Time {
	for _, m := range q.messages {
		if m.visible.After(now) && m.visible.Before(later) {
			later = m.visible
		}
	}
	return later
}

// remove tells how many messages it removed, which is one at most.
func (q *queue) remove(receipt string) int {
	before := len(q.messages)
	q.messages = slices.DeleteFunc(q.messages, func(m *message) bool { return m.receipt == receipt })
	return before - len(q.messages)
}
