package cloudwatch

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// page cuts one answer's items out of all of them. A token is the number of
// those that were shown already.
func page[T any](all []T, most int, token *string) (items []T, next *string, err error) {
	shown := 0
	if token != nil {
		shown, err = strconv.Atoi(*token)
		if err != nil || shown < 0 {
			return nil, nil, &types.InvalidNextToken{Message: aws.String("The next token specified is invalid.")}
		}
	}
	shown = min(shown, len(all))
	end := min(shown+most, len(all))
	if end < len(all) {
		next = aws.String(strconv.Itoa(end))
	}
	return all[shown:end], next, nil
}

// records is a request's own limit, up to what AWS allows.
func records(given *int32, preset int) (int, error) {
	if given == nil {
		return preset, nil
	}
	if *given < 1 || *given > 100 {
		return 0, invalidValue("The value %d for parameter MaxRecords is not between 1 and 100.", *given)
	}
	return int(*given), nil
}
