package secretsmanager

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// page returns the items that a list operation answers with, all of them where
// most is not given, and the token for the rest; nil where nothing is left.
func page[T any](items []T, most *int32, token *string) ([]T, *string, error) {
	size := len(items)
	if most != nil {
		size = int(*most)
		if size < 1 || size > 100 {
			return nil, nil, invalidParameter("MaxResults must be between 1 and 100.")
		}
	}
	start := 0
	if token != nil {
		given, err := strconv.Atoi(*token)
		if err != nil || given < 0 || given > len(items) {
			return nil, nil, &types.InvalidNextTokenException{Message: aws.String("Invalid NextToken: pass the NextToken of the previous page.")}
		}
		start = given
	}
	end := min(start+size, len(items))
	if end == len(items) {
		return items[start:], nil, nil
	}
	return items[start:end], aws.String(strconv.Itoa(end)), nil
}
