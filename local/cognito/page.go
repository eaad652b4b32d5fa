package cognito

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// page returns the items that a list operation answers with and the token for
// the rest; nil where nothing is left. most is the page's size, at most limit.
func page[T any](items []T, most *int32, token *string, limit int32) ([]T, *string, error) {
	size := limit
	if most != nil {
		size = *most
	}
	if size < 1 || size > limit {
		return nil, nil, invalid("1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: Member must be between 1 and %d", size, limit)
	}
	start := 0
	if token != nil {
		given, err := strconv.Atoi(*token)
		if err != nil || given < 0 || given > len(items) {
			return nil, nil, invalid("Invalid NextToken: pass the NextToken of the previous page.")
		}
		start = given
	}
	end := min(start+int(size), len(items))
	if end == len(items) {
		return items[start:], nil, nil
	}
	return items[start:end], aws.String(strconv.Itoa(end)), nil
}
