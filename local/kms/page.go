package kms

import (
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// page returns the items that a list operation answers with and the marker of
// the rest; nil where nothing is left.
func page[T any](items []T, limit *int32, marker *string, usual, most int32) ([]T, *string, error) {
	size := usual
	if limit != nil {
		size = *limit
	}
	if size < 1 || size > most {
		return nil, nil, validation(fmt.Sprintf("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must be between 1 and %d", size, most))
	}
	start := 0
	if marker != nil {
		given, err := strconv.Atoi(*marker)
		if err != nil || given < 0 || given > len(items) {
			return nil, nil, &types.InvalidMarkerException{Message: aws.String("Could not deserialize marker: pass the NextMarker of the previous page.")}
		}
		start = given
	}
	end := min(start+int(size), len(items))
	if end == len(items) {
		return items[start:], nil, nil
	}
	return items[start:end], aws.String(strconv.Itoa(end)), nil
}
