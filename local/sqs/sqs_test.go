package sqs_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
	service "api-destination-credentials/local/sqs"
)

// world is the account around the service: a key, and an authorizer that
// remembers what it was asked.
type world struct {
	*testing.T
	*service.Service
	clock   *clockwork.FakeClock
	asked   []access.Request
	key     error  // what the key answers, nil for a data key
	context string // encryption context of the last use
	via     string // by way of which service the key was last used
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, clock: clockwork.NewFakeClock()}
	w.Service = service.New(service.Config{
		Account: access.Account{ID: "123456789012", Region: "us-east-1"}, Auth: w, Clock: w.clock, Keys: w, QueueURL: "http://127.0.0.1:4566",
	})
	return w
}

func (w *world) Authorize(_ context.Context, r access.Request) error {
	w.asked = append(w.asked, r)
	return nil
}

var dataKey = bytes.Repeat([]byte{7}, 32)

func (w *world) GenerateDataKey(ctx context.Context, in *kms.GenerateDataKeyInput) (*kms.GenerateDataKeyOutput, error) {
	w.context, w.via = in.EncryptionContext["aws:sqs:arn"], access.Caller(ctx).Via
	return &kms.GenerateDataKeyOutput{Plaintext: dataKey, CiphertextBlob: []byte("sealed key")}, w.key
}

func (w *world) Decrypt(ctx context.Context, in *kms.DecryptInput) (*kms.DecryptOutput, error) {
	w.context, w.via = in.EncryptionContext["aws:sqs:arn"], access.Caller(ctx).Via
	if w.key != nil {
		return nil, w.key
	}
	return &kms.DecryptOutput{Plaintext: dataKey}, nil
}

func (w *world) create(attributes map[string]string) *string {
	w.Helper()
	made, err := w.CreateQueue(w.Context(), &sqs.CreateQueueInput{QueueName: aws.String("dead-letters"), Attributes: attributes})
	if err != nil {
		w.Fatal(err)
	}
	return made.QueueUrl
}

func (w *world) send(queue *string, body string) {
	w.Helper()
	if _, err := w.SendMessage(w.Context(), &sqs.SendMessageInput{
		QueueUrl: queue, MessageBody: aws.String(body),
		MessageAttributes: map[string]types.MessageAttributeValue{"ERROR_CODE": {DataType: aws.String("String"), StringValue: aws.String("NO_PERMISSIONS")}},
	}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) receive(queue *string) []types.Message {
	w.Helper()
	answer, err := w.ReceiveMessage(w.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: queue, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameApproximateReceiveCount},
	})
	if err != nil {
		w.Fatal(err)
	}
	return answer.Messages
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

func TestAReceivedMessageIsHiddenUntilItsTimeIsUpOrItIsDeleted(t *testing.T) {
	w := newWorld(t)
	queue := w.create(map[string]string{"VisibilityTimeout": "60"})
	w.send(queue, "body")
	first := w.receive(queue)
	if len(first) != 1 || aws.ToString(first[0].Body) != "body" || aws.ToString(first[0].MessageAttributes["ERROR_CODE"].StringValue) != "NO_PERMISSIONS" {
		t.Fatalf("received %+v", first)
	}
	if again := w.receive(queue); len(again) != 0 {
		t.Errorf("received %+v while it is hidden", again)
	}
	w.clock.Advance(60 * time.Second)
	second := w.receive(queue)
	if len(second) != 1 || second[0].Attributes["ApproximateReceiveCount"] != "2" {
		t.Fatalf("received %+v, want the message for the second time", second)
	}
	if _, err := w.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: queue, ReceiptHandle: second[0].ReceiptHandle}); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Hour)
	if left := w.receive(queue); len(left) != 0 {
		t.Errorf("received %+v after it was deleted", left)
	}
}

func TestMessagesOlderThanTheRetentionAreGone(t *testing.T) {
	w := newWorld(t)
	queue := w.create(map[string]string{"MessageRetentionPeriod": "1209600"})
	w.send(queue, "old")
	w.clock.Advance(10 * 24 * time.Hour)
	w.send(queue, "young")
	w.clock.Advance(5 * 24 * time.Hour)
	if left := w.receive(queue); len(left) != 1 || aws.ToString(left[0].Body) != "young" {
		t.Errorf("received %+v", left)
	}
}

func TestWaitingEndsWithTheFirstMessage(t *testing.T) {
	w := newWorld(t)
	queue := w.create(nil)
	arrived := make(chan []types.Message)
	go func() {
		answer, err := w.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue, WaitTimeSeconds: 20})
		if err != nil {
			t.Error(err)
			answer = &sqs.ReceiveMessageOutput{}
		}
		arrived <- answer.Messages
	}()
	if err := w.clock.BlockUntilContext(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	w.send(queue, "at last")
	if messages := <-arrived; len(messages) != 1 {
		t.Errorf("received %+v", messages)
	}
}

func TestAnEncryptedQueueNeedsItsKeyToSendAndToReceive(t *testing.T) {
	w := newWorld(t)
	queue := w.create(map[string]string{"KmsMasterKeyId": "arn:aws:kms:us-east-1:123456789012:key/1"})
	w.send(queue, "body")
	if w.context != "arn:aws:sqs:us-east-1:123456789012:dead-letters" || w.via != "sqs.us-east-1.amazonaws.com" {
		t.Errorf("the key was used for %q by way of %q", w.context, w.via)
	}
	w.key = &kmstypes.DisabledException{Message: aws.String("key is disabled.")}
	if _, err := w.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: queue, MessageBody: aws.String("x")}); code(err) != "KmsDisabled" {
		t.Errorf("sending: %v, want KmsDisabled", err)
	}
	if _, err := w.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue}); code(err) != "KmsDisabled" {
		t.Errorf("receiving: %v, want KmsDisabled", err)
	}
	w.key = nil
	w.clock.Advance(time.Minute)
	if messages := w.receive(queue); len(messages) != 1 || aws.ToString(messages[0].Body) != "body" {
		t.Errorf("received %+v", messages)
	}
}

func TestTheQueuesPolicyDecides(t *testing.T) {
	w := newWorld(t)
	queue := w.create(nil)
	policy := `{"Statement":[]}`
	if _, err := w.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: queue, Attributes: map[string]string{"Policy": policy}}); err != nil {
		t.Fatal(err)
	}
	w.asked = nil
	w.send(queue, "body")
	want := []access.Request{{Action: "sqs:SendMessage", Resource: "arn:aws:sqs:us-east-1:123456789012:dead-letters", Policy: policy}}
	if difference := cmp.Diff(want, w.asked); difference != "" {
		t.Error(difference)
	}
}

func TestAttributesAreShownWithTheirDefaults(t *testing.T) {
	w := newWorld(t)
	queue := w.create(map[string]string{"KmsMasterKeyId": "alias/mine"})
	w.send(queue, "one")
	w.send(queue, "two")
	if _, err := w.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue}); err != nil {
		t.Fatal(err)
	}
	shown, err := w.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: queue, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"QueueArn": "arn:aws:sqs:us-east-1:123456789012:dead-letters", "VisibilityTimeout": "30", "MessageRetentionPeriod": "345600",
		"KmsMasterKeyId": "alias/mine", "SqsManagedSseEnabled": "false", "ApproximateNumberOfMessages": "1", "ApproximateNumberOfMessagesNotVisible": "1",
	} {
		if shown.Attributes[name] != want {
			t.Errorf("%s is %q, want %q", name, shown.Attributes[name], want)
		}
	}
}

func TestBadInputIsRefused(t *testing.T) {
	w := newWorld(t)
	queue := w.create(nil)
	for want, attempt := range map[string]func() error{
		"InvalidAttributeName": func() error {
			_, err := w.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: queue, Attributes: map[string]string{"Colour": "red"}})
			return err
		},
		"InvalidAttributeValue": func() error {
			_, err := w.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: queue, Attributes: map[string]string{"VisibilityTimeout": "43201"}})
			return err
		},
		"UnsupportedOperation": func() error {
			_, err := w.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("orders.fifo")})
			return err
		},
		"QueueNameExists": func() error {
			_, err := w.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("dead-letters"), Attributes: map[string]string{"DelaySeconds": "5"}})
			return err
		},
		"QueueDoesNotExist": func() error {
			_, err := w.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: aws.String("http://127.0.0.1:4566/123456789012/none"), MessageBody: aws.String("x")})
			return err
		},
		"MissingParameter": func() error {
			_, err := w.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: queue})
			return err
		},
		"ReceiptHandleIsInvalid": func() error {
			_, err := w.ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: queue, ReceiptHandle: aws.String("none")})
			return err
		},
	} {
		t.Run(want, func(t *testing.T) {
			if err := attempt(); code(err) != want {
				t.Errorf("error %v, want %s", err, want)
			}
		})
	}
}
