package resources

import (
	"errors"
	"slices"

	"github.com/aws/smithy-go"
)

// notFound are the codes by which services say that a resource does not exist.
var notFound = []string{
	"NoSuchBucket", "NoSuchEntity", "NotFound", "NotFoundException", "ResourceNotFoundException",
	"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue",
}

// unlessGone takes the error of a deletion: a resource that does not exist is
// deleted.
func unlessGone(err error) error {
	if isGone(err) {
		return nil
	}
	return err
}

func isGone(err error) bool {
	var failure smithy.APIError
	return errors.As(err, &failure) && slices.Contains(notFound, failure.ErrorCode())
}
