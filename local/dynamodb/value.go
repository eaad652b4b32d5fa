package dynamodb

import (
	"bytes"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Limits of an item and of its key, in bytes.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const (
	largestItem = 400 << 10
	largestKey  = 2048
)

// check refuses an item that the table cannot hold, and returns the identity of
// its key.
func (t *table) check(one item) (id string, err error) {
	name := aws.ToString(t.key.AttributeName)
	if one[name] == nil {
		return "", invalidValue("Missing the key %s in the item", name)
	}
	for attribute, value := range one {
		if err := checkValue(attribute, value); err != nil {
			return "", err
		}
	}
	if id, err = t.identity(one[name]); err != nil {
		return "", err
	}
	if sizeOf(one) > largestItem {
		return "", invalid("Item size has exceeded the maximum allowed size")
	}
	return id, nil
}

// keyOf reads a request's Key, which is the partition key and nothing else.
func (t *table) keyOf(key item) (id string, err error) {
	value := key[aws.ToString(t.key.AttributeName)]
	if value == nil || len(key) != 1 || kindOf(value) != string(t.key.AttributeType) {
		return "", invalid("The provided key element does not match the schema")
	}
	if err := checkValue(aws.ToString(t.key.AttributeName), value); err != nil {
		return "", err
	}
	return t.identity(value)
}

// identity is the same for equal keys.
func (t *table) identity(key types.AttributeValue) (string, error) {
	name := aws.ToString(t.key.AttributeName)
	if kindOf(key) != string(t.key.AttributeType) {
		return "", invalidValue("Type mismatch for key %s expected: %s actual: %s", name, t.key.AttributeType, kindOf(key))
	}
	switch size := valueSize(key); {
	case size == 0:
		return "", invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: %s", name)
	case size > largestKey:
		return "", invalidValue("Size of hashkey has exceeded the maximum size limit of %d bytes", largestKey)
	}
	return canonical(key), nil
}

// kindOf is the name of a value's type: S, N, B, BOOL, NULL, M, L, SS, NS or BS.
func kindOf(value types.AttributeValue) string {
	return strings.TrimPrefix(fmt.Sprintf("%T", value), "*types.AttributeValueMember")
}

// number is what stands in N and NS: up to 38 digits.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html#HowItWorks.DataTypes.Number
var number = regexp.MustCompile(`^[+-]?([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE]([+-]?[0-9]{1,4}))?$`)

func checkNumber(text string) error {
	parts := number.FindStringSubmatch(text)
	if parts == nil {
		return invalid("The parameter cannot be converted to a numeric value: %s", text)
	}
	if digits := strings.Trim(strings.Replace(parts[1], ".", "", 1), "0"); len(digits) > 38 {
		return invalid("Attempting to store more than 38 significant digits in a Number")
	}
	if exponent, _ := strconv.Atoi(parts[2]); exponent > 125 || exponent < -130 || len(parts[1]) > 300 {
		return invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
	}
	return nil
}

// checkValue looks at a value and at everything in it.
func checkValue(name string, value types.AttributeValue) error {
	switch v := value.(type) {
	case nil:
		return invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes; give %s a value", name)
	case *types.AttributeValueMemberN:
		return checkNumber(v.Value)
	case *types.AttributeValueMemberNS:
		for _, text := range v.Value {
			if err := checkNumber(text); err != nil {
				return err
			}
		}
		return checkSet(value, len(v.Value))
	case *types.AttributeValueMemberSS:
		return checkSet(value, len(v.Value))
	case *types.AttributeValueMemberBS:
		return checkSet(value, len(v.Value))
	case *types.AttributeValueMemberL:
		for _, element := range v.Value {
			if err := checkValue(name, element); err != nil {
				return err
			}
		}
	case *types.AttributeValueMemberM:
		for inner, element := range v.Value {
			if err := checkValue(name+"."+inner, element); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkSet(value types.AttributeValue, length int) error {
	if length == 0 {
		return invalidValue("An %s set may not be empty", map[string]string{"SS": "string", "NS": "number", "BS": "binary"}[kindOf(value)])
	}
	if elements := setElements(value); len(slices.Compact(elements)) < length {
		return invalidValue("Input collection contains duplicates.")
	}
	return nil
}

// canonical is the same text for equal values, and sorts text as AWS does.
func canonical(value types.AttributeValue) string {
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		return "S" + v.Value
	case *types.AttributeValueMemberB:
		return "B" + string(v.Value)
	case *types.AttributeValueMemberN:
		return "N" + rational(v.Value).RatString()
	case *types.AttributeValueMemberBOOL:
		return "BOOL" + strconv.FormatBool(v.Value)
	case *types.AttributeValueMemberL:
		parts := make([]string, len(v.Value))
		for i, element := range v.Value {
			parts[i] = canonical(element)
		}
		return fmt.Sprintf("L%q", parts)
	case *types.AttributeValueMemberM:
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(v.Value)) {
			parts = append(parts, name, canonical(v.Value[name]))
		}
		return fmt.Sprintf("M%q", parts)
	case *types.AttributeValueMemberNULL:
		return "NULL"
	}
	return fmt.Sprintf("%s%q", kindOf(value), setElements(value))
}

// setElements are canonical and sorted.
func setElements(set types.AttributeValue) []string {
	var elements []string
	switch v := set.(type) {
	case *types.AttributeValueMemberSS:
		for _, text := range v.Value {
			elements = append(elements, canonical(&types.AttributeValueMemberS{Value: text}))
		}
	case *types.AttributeValueMemberNS:
		for _, text := range v.Value {
			elements = append(elements, canonical(&types.AttributeValueMemberN{Value: text}))
		}
	case *types.AttributeValueMemberBS:
		for _, blob := range v.Value {
			elements = append(elements, canonical(&types.AttributeValueMemberB{Value: blob}))
		}
	}
	slices.Sort(elements)
	return elements
}

func rational(text string) *big.Rat {
	value, ok := new(big.Rat).SetString(text)
	if !ok {
		return new(big.Rat)
	}
	return value
}

// compare orders two values of the same type that has an order: S, N or B.
func compare(a, b types.AttributeValue) (order int, ok bool) {
	switch a := a.(type) {
	case *types.AttributeValueMemberS:
		if b, same := b.(*types.AttributeValueMemberS); same {
			return strings.Compare(a.Value, b.Value), true
		}
	case *types.AttributeValueMemberN:
		if b, same := b.(*types.AttributeValueMemberN); same {
			return rational(a.Value).Cmp(rational(b.Value)), true
		}
	case *types.AttributeValueMemberB:
		if b, same := b.(*types.AttributeValueMemberB); same {
			return bytes.Compare(a.Value, b.Value), true
		}
	}
	return 0, false
}

// sizeOf is an item's size in bytes as AWS counts it.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func sizeOf(one item) int {
	size := 0
	for name, value := range one {
		size += len(name) + valueSize(value)
	}
	return size
}

func valueSize(value types.AttributeValue) int {
	size := 0
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberB:
		return len(v.Value)
	case *types.AttributeValueMemberN:
		return len(v.Value)/2 + 1
	case *types.AttributeValueMemberSS:
		size = len(strings.Join(v.Value, ""))
	case *types.AttributeValueMemberNS:
		for _, text := range v.Value {
			size += len(text)/2 + 1
		}
	case *types.AttributeValueMemberBS:
		size = len(bytes.Join(v.Value, nil))
	case *types.AttributeValueMemberL:
		size = 3
		for _, element := range v.Value {
			size += valueSize(element) + 1
		}
	case *types.AttributeValueMemberM:
		size = 3 + sizeOf(v.Value) + len(v.Value)
	default:
		size = 1
	}
	return size
}
