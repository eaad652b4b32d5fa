// Package inbox keeps accepted events in a DynamoDB table, each once. Accepting
// is one conditional write and nothing else: there is no moment in which an
// event is claimed and not yet kept, so no crash can lose or double it. Whoever
// acts on events reads the table or its stream.
//
// The write is a signed HTTPS request of our own. The SDK's DynamoDB client and
// configuration would make the receiver's start half as long again, and its
// package a third larger, for this one call.
package inbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"api-destination-credentials/internal/receiver"
)

// pause stands between the first attempt and the second.
const pause = 50 * time.Millisecond

// Accept implements receiver.Inbox. A failure that may pass is tried once more;
// the first attempt has half of the time that ctx leaves.
func (t Table) Accept(ctx context.Context, event receiver.Event) (duplicate bool, err error) {
	body, err := t.putItem(event)
	if err != nil {
		return false, err
	}
	first, cancel := half(ctx)
	defer cancel()
	duplicate, err = t.put(first, body)
	if err == nil || !mayPass(err) {
		return duplicate, err
	}
	select {
	case <-ctx.Done():
		return false, err
	case <-time.After(pause):
	}
	return t.put(ctx, body)
}

func half(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)/2)
}

// putItem is the request. The receipt is this call's own: the second attempt
// overwrites what the first has written if only its answer was lost, and does
// not take the event for a duplicate.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html
func (t Table) putItem(event receiver.Event) ([]byte, error) {
	now, receipt := t.Now().UTC(), text(rand.Text())
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(map[string]any{
		"TableName": t.Name,
		"Item": map[string]attribute{
			"id":         text(event.ID),
			"time":       text(event.Time),
			"source":     text(event.Source),
			"detailType": text(event.DetailType),
			"detail":     text(string(event.Detail)),
			"receivedAt": text(now.Format("2006-01-02T15:04:05.000Z")),
			"receipt":    receipt,
			"expiresAt":  {"N": strconv.FormatInt(now.Add(t.Keep).Unix(), 10)},
		},
		"ConditionExpression":       "attribute_not_exists(#id) OR #receipt = :receipt",
		"ExpressionAttributeNames":  map[string]string{"#id": "id", "#receipt": "receipt"},
		"ExpressionAttributeValues": map[string]attribute{":receipt": receipt},
	})
	if err != nil {
		return nil, fmt.Errorf("event %s cannot be written as an item: %w", event.ID, err)
	}
	return body.Bytes(), nil
}

// attribute is a value under the name of its type.
type attribute map[string]string

func text(value string) attribute { return attribute{"S": value} }
