package compare

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func TestSQSDoesAsAWSDocuments(t *testing.T) {
	stories := map[string]func(*queueStory) []step{
		"queue":              queue,
		"messages":           messages,
		"message attributes": messageAttributes,
		"sending batches":    sendingBatches,
		"received batches":   receivedBatches,
		"delay and waiting":  delayAndWaiting,
		"purge":              purge,
		"redrive":            redrive,
	}
	for _, on := range targets(t) {
		t.Run(on.name, func(t *testing.T) {
			for _, name := range slices.Sorted(maps.Keys(stories)) {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					story := newQueueStory(t, on)
					play(t, on, story.replaced, stories[name](story))
				})
			}
		})
	}
}

// noQueue is the code that the clients of SQS know from its Query protocol.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
const noQueue = "AWS.SimpleQueueService.NonExistentQueue"

// queueStory is a queue of one implementation, and one more for dead letters.
type queueStory struct {
	client  *sqs.Client
	name    string
	url     *string
	spare   *string
	receipt *string // of the message received last
}

func newQueueStory(t *testing.T, on target) *queueStory {
	s := &queueStory{client: sqs.NewFromConfig(on.aws), name: unique("queue")}
	t.Cleanup(func() {
		for _, url := range []*string{s.url, s.spare} {
			if url != nil {
				// What a story deletes itself is gone.
				_, _ = s.client.DeleteQueue(context.Background(), &sqs.DeleteQueueInput{QueueUrl: url})
			}
		}
	})
	return s
}

func (s *queueStory) replaced() *strings.Replacer { return strings.NewReplacer(s.name, "queue") }

func (s *queueStory) create(attributes map[string]string) call {
	return func(ctx context.Context) (string, error) {
		made, err := s.client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &s.name, Attributes: attributes})
		if err != nil {
			return "", err
		}
		s.url = made.QueueUrl
		return ending(*made.QueueUrl), nil
	}
}

// ending is what follows the account's number.
func ending(url string) string { return url[strings.LastIndexAny(url, "/:")+1:] }

func (s *queueStory) attributes(names ...types.QueueAttributeName) call {
	return func(ctx context.Context) (string, error) {
		seen, err := s.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: s.url, AttributeNames: names})
		if err != nil {
			return "", err
		}
		var values []string
		for _, name := range names {
			values = append(values, ending(seen.Attributes[string(name)]))
		}
		return strings.Join(values, " "), nil
	}
}

func (s *queueStory) set(name, value string) call {
	return func(ctx context.Context) (string, error) {
		_, err := s.client.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: s.url, Attributes: map[string]string{name: value}})
		return "set", err
	}
}

func (s *queueStory) send(body string) call {
	return func(ctx context.Context) (string, error) {
		sent, err := s.client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: s.url, MessageBody: &body})
		if err != nil {
			return "", err
		}
		return "sent " + aws.ToString(sent.MD5OfMessageBody), nil
	}
}

// receive waits a moment, as a short poll need not find what is there.
func (s *queueStory) receive(change func(*sqs.ReceiveMessageInput)) call {
	return func(ctx context.Context) (string, error) {
		in := &sqs.ReceiveMessageInput{QueueUrl: s.url, WaitTimeSeconds: 1, MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll}}
		if change != nil {
			change(in)
		}
		got, err := s.client.ReceiveMessage(ctx, in)
		if err != nil {
			return "", err
		}
		var bodies []string
		for _, one := range got.Messages {
			s.receipt = one.ReceiptHandle
			bodies = append(bodies, aws.ToString(one.Body)+" #"+one.Attributes["ApproximateReceiveCount"])
		}
		slices.Sort(bodies)
		return strings.Join(bodies, ", "), nil
	}
}

// short asks once.
func short(in *sqs.ReceiveMessageInput) { in.WaitTimeSeconds = 0 }

func (s *queueStory) hide(seconds int32) call {
	return func(ctx context.Context) (string, error) {
		_, err := s.client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: s.url, ReceiptHandle: s.receipt, VisibilityTimeout: seconds})
		return "changed", err
	}
}

func (s *queueStory) remove(ctx context.Context) (string, error) {
	_, err := s.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: s.url, ReceiptHandle: s.receipt})
	return "deleted", err
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
func queue(s *queueStory) []step {
	find := func(name string) call {
		return func(ctx context.Context) (string, error) {
			found, err := s.client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
			if err != nil {
				return "", err
			}
			return ending(*found.QueueUrl), nil
		}
	}
	list := func(ctx context.Context) (string, error) {
		listed, err := s.client.ListQueues(ctx, &sqs.ListQueuesInput{QueueNamePrefix: &s.name})
		if err != nil {
			return "", err
		}
		var names []string
		for _, url := range listed.QueueUrls {
			names = append(names, ending(url))
		}
		return sorted(names), nil
	}
	tags := func(ctx context.Context) (string, error) {
		listed, err := s.client.ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: s.url})
		if err != nil {
			return "", err
		}
		return fmt.Sprint(listed.Tags), nil
	}
	tag := func(ctx context.Context) (string, error) {
		_, err := s.client.TagQueue(ctx, &sqs.TagQueueInput{QueueUrl: s.url, Tags: map[string]string{"team": "a", "stage": "test"}})
		return "tagged", err
	}
	untag := func(ctx context.Context) (string, error) {
		_, err := s.client.UntagQueue(ctx, &sqs.UntagQueueInput{QueueUrl: s.url, TagKeys: []string{"stage", "unknown"}})
		return "untagged", err
	}
	remove := func(ctx context.Context) (string, error) {
		_, err := s.client.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: s.url})
		return "deleted", err
	}
	named := func(name string) call {
		return func(ctx context.Context) (string, error) {
			_, err := s.client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name})
			return "made", err
		}
	}
	return []step{
		{name: "find what is not there", do: find(s.name), want: noQueue},
		{name: "a name with a point", do: named(s.name + ".x"), want: "InvalidParameterValue"},
		{name: "a name of 81 characters", do: named(s.name + strings.Repeat("x", 81-len(s.name))), want: "InvalidParameterValue"},
		{name: "create", do: s.create(map[string]string{"VisibilityTimeout": "20"}), want: "queue"},
		{name: "create what is there", do: s.create(map[string]string{"VisibilityTimeout": "20"}), want: "queue"},
		{name: "create what is there without its attributes", do: s.create(nil), want: "queue"},
		{name: "create what is there otherwise", do: s.create(map[string]string{"VisibilityTimeout": "21"}), want: "QueueAlreadyExists"},
		{name: "find", do: find(s.name), slow: true, want: "queue"},
		{name: "list", do: list, slow: true, want: "[queue]"},
		{name: "attributes", do: s.attributes("QueueArn", "VisibilityTimeout", "DelaySeconds", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds"), want: "queue 20 0 345600 0"},
		{name: "the largest message has 1 MiB", do: s.attributes("MaximumMessageSize"), want: "1048576"},
		{name: "no messages", do: s.attributes("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"), want: "0 0 0"},
		{name: "set", do: s.set("MessageRetentionPeriod", "60"), want: "set"},
		{name: "what was set", do: s.attributes("MessageRetentionPeriod"), slow: true, want: "60"},
		{name: "set what there is not", do: s.set("Colour", "red"), want: "InvalidAttributeName",
			moto: "differs: takes it; API_SetQueueAttributes: InvalidAttributeName"},
		{name: "set too much", do: s.set("VisibilityTimeout", "43201"), want: "InvalidAttributeValue",
			moto: "differs: takes it; API_SetQueueAttributes: 0 to 43,200"},
		{name: "set too little", do: s.set("MessageRetentionPeriod", "59"), want: "InvalidAttributeValue",
			moto: "differs: takes it; API_SetQueueAttributes: 60 to 1,209,600"},
		{name: "set no number", do: s.set("DelaySeconds", "soon"), want: "InvalidAttributeValue",
			moto: "differs: fails itself; API_SetQueueAttributes: InvalidAttributeValue"},
		{name: "ask for what there is not", do: s.attributes("Colour"), want: "InvalidAttributeName"},
		{name: "tag", do: tag, want: "tagged"},
		{name: "take tags away", do: untag, want: "untagged"},
		{name: "tags", do: tags, want: "map[team:a]"},
		{name: "delete", do: remove, want: "deleted"},
		{name: "it is gone", do: find(s.name), slow: true, want: noQueue},
		{name: "it takes no messages", do: s.send("late"), slow: true, want: noQueue},
	}
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
func messages(s *queueStory) []step {
	var former *string
	keep := func(do call) call {
		return func(ctx context.Context) (string, error) {
			former = s.receipt
			return do(ctx)
		}
	}
	with := func(receipt string, do call) call {
		return func(ctx context.Context) (string, error) {
			defer func(kept *string) { s.receipt = kept }(s.receipt)
			s.receipt = &receipt
			return do(ctx)
		}
	}
	return []step{
		{name: "create", do: s.create(nil), want: "queue"},
		{name: "a message that is too long", do: s.send(strings.Repeat("x", 1048577)), want: "InvalidParameterValue"},
		{name: "send", do: s.send("first"), want: "sent 8b04d5e3775d298e78455efc5ca404d5"},
		{name: "receive", do: s.receive(nil), want: "first #1"},
		{name: "it is hidden then", do: s.receive(short), want: ""},
		{name: "it counts as hidden", do: s.attributes("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"), slow: true, want: "0 1"},
		{name: "show it again", do: s.hide(0), want: "changed"},
		{name: "receive it again", do: keep(s.receive(nil)), want: "first #2"},
		{name: "hide it for longer than allowed", do: s.hide(43201), want: "InvalidParameterValue"},
		{name: "delete", do: s.remove, want: "deleted"},
		{name: "delete it again", do: s.remove, want: "deleted"},
		{name: "delete with its former receipt", do: func(ctx context.Context) (string, error) { return with(*former, s.remove)(ctx) }, want: "deleted"},
		{name: "nothing is left", do: s.receive(short), want: ""},
		{name: "delete with no receipt", do: with("nonsense", s.remove), want: "ReceiptHandleIsInvalid"},
		{name: "hide with no receipt", do: with("nonsense", s.hide(1)), want: "ReceiptHandleIsInvalid"},
		{name: "receive eleven", do: s.receive(func(in *sqs.ReceiveMessageInput) { in.MaxNumberOfMessages = 11 }), want: "InvalidParameterValue"},
		{name: "wait for longer than allowed", do: s.receive(func(in *sqs.ReceiveMessageInput) { in.WaitTimeSeconds = 21 }), want: "InvalidParameterValue"},
		{name: "send for the second part", do: s.send("second"), want: "sent a9f0e61a137d86aa9db53465e0801612"},
		{name: "receive without system attributes", do: s.receive(func(in *sqs.ReceiveMessageInput) { in.MessageSystemAttributeNames = nil; in.VisibilityTimeout = 1 }), want: "second #"},
		{name: "its time runs out", do: s.receive(func(in *sqs.ReceiveMessageInput) { in.WaitTimeSeconds = 2 }), want: "second #2"},
		{name: "show it once more", do: s.hide(0), want: "changed"},
		{name: "hide what is not being received", do: s.hide(5), want: "AWS.SimpleQueueService.MessageNotInflight",
			moto: "differs: hides it; API_ChangeMessageVisibility: MessageNotInflight"},
		{name: "an empty message", do: s.send(""), want: "MissingParameter",
			moto: "differs: takes it; API_SendMessage: the minimum is one character"},
	}
}
