package dynamodb

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// functions are those that are true or false; size is an operand.
var functions = map[string]struct {
	arguments int
	holds     func(one item, arguments []operand) bool
}{
	"attribute_exists":     {1, func(one item, a []operand) bool { return a[0](one) != nil }},
	"attribute_not_exists": {1, func(one item, a []operand) bool { return a[0](one) == nil }},
	"attribute_type": {2, func(one item, a []operand) bool {
		kind, isText := a[1](one).(*types.AttributeValueMemberS)
		return a[0](one) != nil && isText && kindOf(a[0](one)) == kind.Value
	}},
	"begins_with": {2, func(one item, a []operand) bool {
		value, prefix := a[0](one), a[1](one)
		return value != nil && prefix != nil && kindOf(value) == kindOf(prefix) && slices.Contains([]string{"S", "B"}, kindOf(value)) &&
			strings.HasPrefix(canonical(value), canonical(prefix))
	}},
	"contains": {2, func(one item, a []operand) bool { return contains(a[0](one), a[1](one)) }},
}

func contains(value, part types.AttributeValue) bool {
	if value == nil || part == nil {
		return false
	}
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		text, ok := part.(*types.AttributeValueMemberS)
		return ok && strings.Contains(v.Value, text.Value)
	case *types.AttributeValueMemberL:
		return slices.ContainsFunc(v.Value, func(element types.AttributeValue) bool { return canonical(element) == canonical(part) })
	}
	return slices.Contains(setElements(value), canonical(part))
}

// holds compares. What is absent differs from everything.
func holds(a types.AttributeValue, operator string, b types.AttributeValue) bool {
	equal := a != nil && b != nil && kindOf(a) == kindOf(b) && canonical(a) == canonical(b)
	switch operator {
	case "=":
		return equal
	case "<>":
		return !equal
	}
	order, ok := compare(a, b)
	switch {
	case !ok:
		return false
	case operator == "<":
		return order < 0
	case operator == "<=":
		return order <= 0
	case operator == ">":
		return order > 0
	}
	return order >= 0
}

// length is the value of size(): of text and blobs in bytes, of sets, lists and
// maps in elements.
func length(value types.AttributeValue) types.AttributeValue {
	count := 0
	switch v := value.(type) {
	case *types.AttributeValueMemberS, *types.AttributeValueMemberB:
		count = valueSize(v)
	case *types.AttributeValueMemberL:
		count = len(v.Value)
	case *types.AttributeValueMemberM:
		count = len(v.Value)
	case *types.AttributeValueMemberSS, *types.AttributeValueMemberNS, *types.AttributeValueMemberBS:
		count = len(setElements(v))
	default:
		return nil
	}
	return &types.AttributeValueMemberN{Value: strconv.Itoa(count)}
}
