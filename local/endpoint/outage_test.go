package endpoint_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"api-destination-credentials/internal/redrive"
	"api-destination-credentials/local/deploy"
)

// TestAnOutageOfTheReceiverLosesNothing takes the receiver away for hours. What
// EventBridge gives up after a day is alarmed and brought back.
func TestAnOutageOfTheReceiverLosesNothing(t *testing.T) {
	t.Parallel()
	const events = 20
	w := newWatch(t)
	ctx := t.Context()
	pass := func(d time.Duration) {
		t.Helper()
		w.do(w.local.Pass(ctx, w.clock, d))
	}
	down := func(during time.Duration) {
		t.Helper()
		functions, receiver := lambda.NewFromConfig(w.aws), aws.String(w.physicalID(deploy.ApplicationStack, "ReceiverFunction"))
		_, err := functions.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: receiver, ReservedConcurrentExecutions: aws.Int32(0)})
		w.do(err)
		for n := range events {
			_, err := w.put(ctx, w.outputs["EventBusName"], fmt.Sprintf(`{"responsePayload": %d}`, n))
			w.do(err)
		}
		pass(during)
		_, err = functions.DeleteFunctionConcurrency(ctx, &lambda.DeleteFunctionConcurrencyInput{FunctionName: receiver})
		w.do(err)
	}

	down(23 * time.Hour)
	pass(time.Hour)
	if kept, waiting := w.kept(), w.waiting(); kept != events || waiting != 0 {
		t.Fatalf("after 23 hours %d of %d events have arrived, and %d are in the dead-letter queue: %s", kept, events, waiting, w.whyDead())
	}

	down(25 * time.Hour)
	if waiting := w.waiting(); waiting != events {
		t.Fatalf("after 25 hours %d of %d events are in the dead-letter queue", waiting, events)
	}
	if loud := w.alarms(types.StateValueAlarm); !slices.Contains(loud, "DeadLetterAlarm") {
		t.Errorf("the alarms are %v", loud)
	}
	result, err := redrive.Redriver{
		Queue: sqs.NewFromConfig(w.aws), QueueURL: w.outputs["DeadLetterQueueURL"], Bus: eventbridge.NewFromConfig(w.aws), BusName: w.outputs["EventBusName"],
		Now: func() time.Time { return w.clock.Now().Add(time.Minute) },
	}.Run(ctx)
	w.do(err)
	w.do(soon(ctx, func() error {
		if kept := w.kept(); kept != 2*events {
			return fmt.Errorf("%d events were redriven, and %d of %d have arrived", result.Redriven, kept, 2*events)
		}
		return nil
	}))
	if waiting := w.waiting(); waiting != 0 || result.Redriven != events {
		t.Errorf("%d events were redriven, %d are left", result.Redriven, waiting)
	}
}

// kept counts the events in the receiver's table.
func (w *watch) kept() int {
	w.Helper()
	shown, err := dynamodb.NewFromConfig(w.aws).Scan(context.Background(), &dynamodb.ScanInput{TableName: aws.String(w.outputs["InboxTable"])})
	w.do(err)
	return int(shown.Count)
}

// whyDead is what the first dead letters say of themselves.
func (w *watch) whyDead() string {
	w.Helper()
	received, err := sqs.NewFromConfig(w.aws).ReceiveMessage(w.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: aws.String(w.outputs["DeadLetterQueueURL"]), MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"},
	})
	w.do(err)
	var why []string
	for _, letter := range received.Messages {
		for _, name := range slices.Sorted(maps.Keys(letter.MessageAttributes)) {
			why = append(why, name+"="+aws.ToString(letter.MessageAttributes[name].StringValue))
		}
	}
	return strings.Join(why, ", ")
}

// waiting counts the dead letters.
func (w *watch) waiting() int {
	w.Helper()
	shown, err := sqs.NewFromConfig(w.aws).GetQueueAttributes(w.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(w.outputs["DeadLetterQueueURL"]), AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameApproximateNumberOfMessages},
	})
	w.do(err)
	count, err := strconv.Atoi(shown.Attributes["ApproximateNumberOfMessages"])
	w.do(err)
	return count
}
