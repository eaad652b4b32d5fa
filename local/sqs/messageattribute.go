package sqs

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_MessageAttributeValue.html
var (
	attributeName = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)
	groupID       = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("^[!-~]{1,128}$") })
)

// checkAttributes wants at most ten attributes, each with a name, a type and a
// value that are not empty.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
func checkAttributes(in *sqs.SendMessageInput) error {
	if len(in.MessageAttributes) > 10 {
		return invalid(fmt.Sprintf("Number of message attributes [%d] exceeds the allowed maximum [10].", len(in.MessageAttributes)))
	}
	for _, name := range slices.Sorted(maps.Keys(in.MessageAttributes)) {
		lower := strings.ToLower(name)
		switch {
		case !attributeName.MatchString(name):
			return invalid("Message (user) attributes name can only contain upper and lower score characters, digits, periods, hyphens and underscores. ")
		case len(name) > 256:
			return invalid("Message (user) attribute names must be shorter than 256 Bytes")
		case strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon."):
			return invalid("The message (user) attribute name '" + name + "' begins with what AWS keeps for itself: AWS. or Amazon. Rename it.")
		}
		if err := checkValue(name, in.MessageAttributes[name]); err != nil {
			return err
		}
	}
	for name, value := range in.MessageSystemAttributes {
		if name != "AWSTraceHeader" || aws.ToString(value.DataType) != "String" || aws.ToString(value.StringValue) == "" {
			return invalid("The message system attribute '" + name + "' is invalid. Send AWSTraceHeader of the type String, or none.")
		}
	}
	return nil
}

func checkValue(name string, value types.MessageAttributeValue) error {
	kind, label, _ := strings.Cut(aws.ToString(value.DataType), ".")
	text := aws.ToString(value.StringValue)
	switch {
	case kind == "" && label == "":
		return invalid("Message (user) attribute '" + name + "' must contain a non-empty attribute type.")
	case len(kind)+1+len(label) > 256 || !slices.Contains([]string{"Binary", "Number", "String"}, kind):
		return invalid("The type of message (user) attribute '" + name + "' is invalid. You must use only the following supported type prefixes: Binary, Number, String.")
	case len(value.StringListValues) > 0 || len(value.BinaryListValues) > 0:
		return unsupported("Message attribute list values in SendMessage operation are not supported.")
	case kind == "Binary" && len(value.BinaryValue) == 0, kind != "Binary" && text == "":
		return invalid("Message (user) attribute '" + name + "' must contain a non-empty value of type '" + kind + "'.")
	case kind == "Binary" && value.StringValue != nil, kind != "Binary" && value.BinaryValue != nil:
		return invalid("Message (user) attribute '" + name + "' has a value beside the one of its type '" + kind + "'. Leave the other out.")
	case kind != "Binary" && strings.ContainsFunc(text, forbidden):
		return &types.InvalidMessageContents{Message: aws.String("Message (user) attribute '" + name + "' has characters that XML forbids. Send them as Binary.")}
	case kind == "Number" && !isNumber(text):
		return invalid("Can't cast the value of message (user) attribute '" + name + "' to a number.")
	}
	return nil
}

var (
	decimal = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?$`)
	least   = power(-128)
	most    = power(126)
)

// isNumber wants a number between ±10^-128 and ±10^126.
func isNumber(text string) bool {
	if len(text) > 256 || !decimal.MatchString(text) {
		return false
	}
	number, ok := new(big.Rat).SetString(text)
	if !ok {
		return false
	}
	number.Abs(number)
	return number.Sign() == 0 || number.Cmp(least) >= 0 && number.Cmp(most) <= 0
}

func power(exponent int) *big.Rat {
	number, _ := new(big.Rat).SetString(fmt.Sprintf("1e%d", exponent))
	return number
}

func sum(body []byte) string {
	digest := md5.Sum(body)
	return hex.EncodeToString(digest[:])
}

// sumOf is the digest that clients check message attributes with.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
func sumOf[Value types.MessageAttributeValue | types.MessageSystemAttributeValue](attributes map[string]Value) string {
	digest := md5.New()
	write := func(part []byte) {
		// A hash takes everything.
		_ = binary.Write(digest, binary.BigEndian, uint32(len(part)))
		digest.Write(part)
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		value := types.MessageAttributeValue(attributes[name])
		write([]byte(name))
		write([]byte(aws.ToString(value.DataType)))
		if value.BinaryValue != nil {
			digest.Write([]byte{2})
			write(value.BinaryValue)
			continue
		}
		digest.Write([]byte{1})
		write([]byte(aws.ToString(value.StringValue)))
	}
	return hex.EncodeToString(digest.Sum(nil))
}
