package inbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// failure is what DynamoDB says of a request that it did not do.
type failure struct {
	status        int
	code, message string
}

func (f failure) Error() string {
	return fmt.Sprintf("DynamoDB did not write to the inbox: status %d, %s: %s", f.status, f.code, f.message)
}

// throttles are the codes of requests that came too fast.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
var throttles = []string{"ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"}

// mayPass tells whether the same request can succeed a moment later. Without an
// answer nobody knows, and it can.
func mayPass(err error) bool {
	var f failure
	return !errors.As(err, &f) || f.status >= 500 || slices.Contains(throttles, f.code)
}

// put sends a PutItem. That the condition did not hold is a duplicate.
func (t Table) put(ctx context.Context, body []byte) (duplicate bool, err error) {
	request, err := t.signed(ctx, body)
	if err != nil {
		return false, err
	}
	answer, err := t.HTTP.Do(request)
	if err != nil {
		return false, fmt.Errorf("DynamoDB did not answer: %w", err)
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	if err != nil {
		return false, fmt.Errorf("DynamoDB's answer broke off: %w", err)
	}
	if answer.StatusCode == http.StatusOK {
		return false, nil
	}
	f := failureOf(answer.StatusCode, said)
	if f.code == "ConditionalCheckFailedException" {
		return true, nil
	}
	return false, f
}

func failureOf(status int, body []byte) failure {
	var said struct {
		Type    string `json:"__type"`
		Message string `json:"message"` // or Message: decoding knows no case
	}
	if json.Unmarshal(body, &said) != nil || said.Type == "" {
		said.Type, said.Message = "no code", "the answer is none of DynamoDB's; check AWS_ENDPOINT_URL"
	}
	return failure{status: status, code: said.Type[strings.LastIndex(said.Type, "#")+1:], message: said.Message}
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
func (t Table) signed(ctx context.Context, body []byte) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "DynamoDB_20120810.PutItem")
	sum := sha256.Sum256(body)
	return request, v4.NewSigner().SignHTTP(ctx, t.Credentials, request, hex.EncodeToString(sum[:]), "dynamodb", t.Region, t.Now())
}
