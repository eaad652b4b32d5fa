// Package redrive brings events back from the dead-letter queue of the rule to
// its event bus, each under the id that it had at first, by which a receiver
// knows one that had arrived after all. A message leaves the queue once the bus
// has taken its event.
package redrive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"api-destination-credentials/internal/receiver"
)

// Queue is what is done to the dead-letter queue.
type Queue interface {
	ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	DeleteMessage(context.Context, *sqs.DeleteMessageInput, ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error)
}

// Bus is where the events go back to.
type Bus interface {
	PutEvents(context.Context, *eventbridge.PutEventsInput, ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error)
}

// Redriver brings back what was in the queue when Run began. What EventBridge
// sends there in the meantime is left for the next run, so that a fault which is
// not repaired does not keep one going for ever.
type Redriver struct {
	Queue    Queue
	QueueURL string
	Bus      Bus
	BusName  string
	Now      func() time.Time
	// Progress is told the counts after each batch; nil for nobody.
	Progress func(Result)
}

// Result counts messages.
type Result struct {
	Redriven int
	Kept     map[string]int // by why they stay in the queue
}

const (
	// hidden is how long a message is out of sight once it was looked at, in
	// seconds. Those that stay, and those of an interrupted run, are back then.
	hidden = 60
	// batch and batchSize are what PutEvents takes.
	// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
	batch     = 10
	batchSize = 256 << 10
)

// Run puts the events back on the bus and deletes the messages of those that the
// bus accepted. It can be interrupted and run again at any time: an event may
// then be put twice, under the same mark.
func (r Redriver) Run(ctx context.Context) (Result, error) {
	began := r.Now()
	result := Result{Kept: map[string]int{}}
	seen := map[string]bool{}
	for stale := 0; stale <= len(seen)/batch; {
		got, err := r.Queue.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: aws.String(r.QueueURL), MaxNumberOfMessages: batch, VisibilityTimeout: hidden, WaitTimeSeconds: 1,
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameSentTimestamp},
		})
		if err != nil {
			return result, fmt.Errorf("queue %s cannot be read: %w", r.QueueURL, err)
		}
		if len(got.Messages) == 0 {
			break
		}
		var fresh []types.Message
		for _, message := range got.Messages {
			// In a long run, what stays comes round again.
			if id := aws.ToString(message.MessageId); !seen[id] && sent(message).Before(began) {
				seen[id] = true
				fresh = append(fresh, message)
			}
		}
		if len(fresh) == 0 {
			stale++
			continue
		}
		stale = 0
		if err := r.putBack(ctx, fresh, &result); err != nil {
			return result, err
		}
		if r.Progress != nil {
			r.Progress(result)
		}
	}
	return result, nil
}

type letter struct {
	message types.Message
	entry   ebtypes.PutEventsRequestEntry
	size    int
}

func (r Redriver) putBack(ctx context.Context, messages []types.Message, result *Result) error {
	var letters []letter
	for _, message := range messages {
		entry, err := r.entry(aws.ToString(message.Body))
		if err != nil {
			result.Kept[err.Error()]++
			continue
		}
		letters = append(letters, letter{message, entry, size(entry)})
	}
	for len(letters) > 0 {
		taken, total := 0, 0
		for taken < len(letters) && (taken == 0 || total+letters[taken].size <= batchSize) {
			total += letters[taken].size
			taken++
		}
		if err := r.put(ctx, letters[:taken], result); err != nil {
			return err
		}
		letters = letters[taken:]
	}
	return nil
}

func (r Redriver) put(ctx context.Context, letters []letter, result *Result) error {
	in := &eventbridge.PutEventsInput{}
	for _, letter := range letters {
		in.Entries = append(in.Entries, letter.entry)
	}
	out, err := r.Bus.PutEvents(ctx, in)
	if err != nil {
		return fmt.Errorf("event bus %s takes no events: %w", r.BusName, err)
	}
	for i, entry := range out.Entries {
		if entry.ErrorCode != nil {
			result.Kept[fmt.Sprintf("the event bus refuses it: %s: %s", *entry.ErrorCode, aws.ToString(entry.ErrorMessage))]++
			continue
		}
		if _, err := r.Queue.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: aws.String(r.QueueURL), ReceiptHandle: letters[i].message.ReceiptHandle}); err != nil {
			return fmt.Errorf("a message that is back on the bus cannot be deleted from queue %s, and will be put there twice: %w", r.QueueURL, err)
		}
		result.Redriven++
	}
	return nil
}

// entry reads what the rule's input transformer in template.yaml makes of an
// event, and the event itself, which the bus sends that could not encrypt it.
func (r Redriver) entry(body string) (ebtypes.PutEventsRequestEntry, error) {
	var event struct {
		ID         string          `json:"id"`
		Time       time.Time       `json:"time"`
		Source     string          `json:"source"`
		DetailType string          `json:"detailType"`
		Resources  []string        `json:"resources"`
		Detail     json.RawMessage `json:"detail"`
		Untouched  string          `json:"detail-type"`
	}
	err := json.Unmarshal([]byte(body), &event)
	if event.DetailType == "" {
		event.DetailType = event.Untouched
	}
	if err != nil || event.ID == "" || event.Source == "" || event.DetailType == "" || len(event.Detail) == 0 {
		return ebtypes.PutEventsRequestEntry{}, errors.New("the message is not what this application's rule sends: replay the archive instead")
	}
	resources := event.Resources
	if !slices.ContainsFunc(resources, func(resource string) bool { return strings.HasPrefix(resource, receiver.RedriveMark) }) {
		// A receiver that knows the old id recognizes an event which had arrived after all.
		resources = append(resources, receiver.RedriveMark+event.ID)
	}
	return ebtypes.PutEventsRequestEntry{
		EventBusName: aws.String(r.BusName), Source: aws.String(event.Source), DetailType: aws.String(event.DetailType),
		Time: aws.Time(event.Time), Resources: resources, Detail: aws.String(string(event.Detail)),
	}, nil
}

// size is what an entry counts for.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html
func size(entry ebtypes.PutEventsRequestEntry) int {
	total := 14 + len(*entry.Source) + len(*entry.DetailType) + len(*entry.Detail)
	for _, resource := range entry.Resources {
		total += len(resource)
	}
	return total
}

func sent(message types.Message) time.Time {
	var milliseconds int64
	_, _ = fmt.Sscan(message.Attributes["SentTimestamp"], &milliseconds)
	return time.UnixMilli(milliseconds)
}
