package pattern

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
)

// numeric compares JSON numbers between -5.0e9 and 5.0e9, exactly.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html#eb-filtering-numeric-matching
func numeric(operand any) (func(any) bool, error) {
	list, ok := operand.([]any)
	if !ok {
		return nil, reason("Value of numeric must be an array.")
	}
	if len(list) == 0 {
		return nil, reason("Empty arrays are not allowed")
	}
	first, err := readComparison(list)
	if err != nil {
		return nil, err
	}
	comparisons := []comparison{first}
	if len(list) > 2 {
		if first.operator != ">" && first.operator != ">=" {
			return nil, reason("Too many elements in numeric expression")
		}
		second, err := readComparison(list[2:])
		if err != nil {
			return nil, err
		}
		if second.operator != "<" && second.operator != "<=" {
			return nil, reasonf("Bad numeric range operator: %s", second.operator)
		}
		if first.bound.compare(second.bound) >= 0 {
			return nil, reason("Bottom must be less than top")
		}
		comparisons = append(comparisons, second)
	}
	if len(list) > 4 {
		return nil, reason("Too many elements in numeric expression")
	}
	return func(leaf any) bool {
		number, ok := leaf.(json.Number)
		if !ok {
			return false
		}
		value := readDecimal(number)
		if !value.inRange() {
			return false
		}
		for _, c := range comparisons {
			if !c.holds(value) {
				return false
			}
		}
		return true
	}, nil
}

type comparison struct {
	operator string
	bound    decimal
}

func readComparison(list []any) (comparison, error) {
	operator, ok := list[0].(string)
	if !ok {
		return comparison{}, reasonf("Invalid member in numeric match: %v", list[0])
	}
	switch operator {
	case "=", "<", "<=", ">", ">=":
	default:
		return comparison{}, reasonf("Unrecognized numeric range operator: %s", operator)
	}
	if len(list) < 2 {
		return comparison{}, reasonf("Value of %s must be numeric", operator)
	}
	number, ok := list[1].(json.Number)
	if !ok {
		return comparison{}, reasonf("Value of %s must be numeric", operator)
	}
	bound := readDecimal(number)
	if !bound.inRange() {
		return comparison{}, errRange
	}
	return comparison{operator: operator, bound: bound}, nil
}

func (c comparison) holds(value decimal) bool {
	order := value.compare(c.bound)
	switch c.operator {
	case "=":
		return order == 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

// sameNumber matches by value: EventBridge takes 300 and 300.0 for equal, against
// its own documentation.
// (recorded in localstack's number_comparison_float, December 2024)
func sameNumber(wanted json.Number) func(any) bool {
	value := readDecimal(wanted)
	return func(leaf any) bool {
		number, ok := leaf.(json.Number)
		return ok && readDecimal(number).compare(value) == 0
	}
}

// decimal is sign × 0.digits × 10^exponent, digits without zeros at either end;
// zero has sign 0. Unlike big.Rat it stays small for 1e999999999.
type decimal struct {
	sign     int
	digits   string
	exponent int
}

var limit = readDecimal("5e9")

var errRange = reason("Value must be between -5.0E9 and 5.0E9, inclusive")

func (d decimal) inRange() bool {
	d.sign *= d.sign
	return d.compare(limit) <= 0
}

func readDecimal(number json.Number) decimal {
	text, negative := strings.CutPrefix(number.String(), "-")
	mantissa, power, _ := strings.Cut(strings.ToLower(text), "e")
	// An exponent beyond int saturates, which orders such numbers all the same.
	exponent, _ := strconv.Atoi(power)
	exponent = min(max(exponent, -1<<40), 1<<40)
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	exponent += len(whole) - (len(whole) + len(fraction) - len(digits))
	digits = strings.TrimRight(digits, "0")
	if digits == "" {
		return decimal{}
	}
	if negative {
		return decimal{-1, digits, exponent}
	}
	return decimal{1, digits, exponent}
}

func (d decimal) compare(other decimal) int {
	if d.sign != other.sign || d.sign == 0 {
		return cmp.Compare(d.sign, other.sign)
	}
	if d.exponent != other.exponent {
		return d.sign * cmp.Compare(d.exponent, other.exponent)
	}
	return d.sign * strings.Compare(d.digits, other.digits)
}
