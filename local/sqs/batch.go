package sqs

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

var entryID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`) })

// checkBatch wants one to ten entries with distinct ids.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
func checkBatch[Entry any](entries []Entry, id func(Entry) *string) error {
	if len(entries) == 0 {
		return &types.EmptyBatchRequest{Message: aws.String("There should be at least one " + reflect.TypeFor[Entry]().Name() + " in the request.")}
	}
	if len(entries) > 10 {
		return &types.TooManyEntriesInBatchRequest{Message: aws.String(fmt.Sprintf("Maximum number of entries per request are 10. You have sent %d.", len(entries)))}
	}
	seen := map[string]bool{}
	for _, entry := range entries {
		name := aws.ToString(id(entry))
		if !entryID().MatchString(name) {
			return &types.InvalidBatchEntryId{Message: aws.String("A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")}
		}
		if seen[name] {
			return &types.BatchEntryIdsNotDistinct{Message: aws.String("Id " + name + " repeated.")}
		}
		seen[name] = true
	}
	return nil
}

// failedEntry tells of one entry what its error is.
func failedEntry(id *string, err error) types.BatchResultErrorEntry {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return types.BatchResultErrorEntry{Id: id, Code: aws.String("InternalError"), Message: aws.String("The local endpoint failed. Send the entry again.")}
	}
	return types.BatchResultErrorEntry{
		Id: id, Code: aws.String(api.ErrorCode()), Message: aws.String(api.ErrorMessage()), SenderFault: api.ErrorFault() != smithy.FaultServer,
	}
}
