package redrive_test

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"api-destination-credentials/internal/redrive"
)

// letters is a dead-letter queue of two messages, and a bus that takes all events.
type letters []types.Message

func (l *letters) ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	received := *l
	*l = nil
	return &sqs.ReceiveMessageOutput{Messages: received}, nil
}

func (l *letters) DeleteMessage(_ context.Context, in *sqs.DeleteMessageInput, _ ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error) {
	fmt.Println("deleted:", *in.ReceiptHandle)
	return &sqs.DeleteMessageOutput{}, nil
}

func (l *letters) PutEvents(_ context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	fmt.Println("put:", *in.Entries[0].DetailType, in.Entries[0].Resources)
	return &eventbridge.PutEventsOutput{Entries: make([]ebtypes.PutEventsResultEntry, len(in.Entries))}, nil
}

// An event comes back under the id that it had at first. What is not an event of
// the application's rule stays in the queue, and the result says why.
func ExampleRedriver_Run() {
	world := &letters{
		{MessageId: aws.String("1"), ReceiptHandle: aws.String("first"), Body: aws.String(`{"id": "e-1", "source": "shop", "detailType": "order placed", "detail": {"order": 7}}`)},
		{MessageId: aws.String("2"), ReceiptHandle: aws.String("second"), Body: aws.String(`hello`)},
	}
	result, err := redrive.Redriver{Queue: world, QueueURL: "queue", Bus: world, BusName: "bus", Now: time.Now}.Run(context.Background())
	fmt.Println(result.Redriven, "back,", len(result.Kept), "reason to stay,", err)
	// Output:
	// put: order placed [redrive:e-1]
	// deleted: first
	// 1 back, 1 reason to stay, <nil>
}
