package pattern

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// test is one alternative of a leaf: either a condition on its value, or, with
// absentPath set, that the event has no leaf at that path.
type test struct {
	holds      func(leaf any) bool
	absentPath []string
}

func compileTests(list []any, path []string) ([]test, error) {
	if len(list) == 0 {
		return nil, reason("Empty arrays are not allowed")
	}
	tests := make([]test, 0, len(list))
	for _, item := range list {
		t, err := compileTest(item, path)
		if err != nil {
			return nil, err
		}
		tests = append(tests, t)
	}
	return tests, nil
}

func compileTest(item any, path []string) (test, error) {
	switch item := item.(type) {
	case map[string]any:
		return compileOperator(item, path)
	case []any:
		return test{}, reason("Match value must be String, number, true, false, or null")
	case json.Number:
		return test{holds: sameNumber(item)}, nil
	default: // string, true, false or null
		return test{holds: func(leaf any) bool { return leaf == item }}, nil
	}
}

func compileOperator(expression map[string]any, path []string) (test, error) {
	name, operand, err := single(expression)
	if err != nil {
		return test{}, err
	}
	var holds func(any) bool
	switch name {
	case "exists":
		wanted, ok := operand.(bool)
		if !ok {
			return test{}, reason("exists match pattern must be either true or false.")
		}
		if !wanted {
			return test{absentPath: path}, nil
		}
		holds = func(any) bool { return true }
	case "prefix":
		holds, err = affix(name, operand, strings.HasPrefix, hasFoldedPrefix)
	case "suffix":
		holds, err = affix(name, operand, strings.HasSuffix, hasFoldedSuffix)
	case "equals-ignore-case":
		holds, err = onText(name, operand, equalIgnoringCase)
	case "wildcard":
		holds, err = wildcard(operand)
	case "numeric":
		holds, err = numeric(operand)
	case "cidr":
		holds, err = cidr(operand)
	case "anything-but":
		holds, err = anythingBut(operand)
	default:
		err = reasonf("Unrecognized match type %s", name)
	}
	return test{holds: holds}, err
}

func single(expression map[string]any) (name string, operand any, err error) {
	if len(expression) != 1 {
		return "", nil, reason("Only one key allowed in match expression")
	}
	for name, operand = range expression {
	}
	return name, operand, nil
}

func onText(name string, operand any, compare func(value, operand string) bool) (func(any) bool, error) {
	text, ok := operand.(string)
	if !ok {
		return nil, reasonf("%s match pattern must be a string", name)
	}
	return func(leaf any) bool {
		value, ok := leaf.(string)
		return ok && compare(value, text)
	}, nil
}

func affix(name string, operand any, exact, folded func(value, operand string) bool) (func(any) bool, error) {
	nested, ok := operand.(map[string]any)
	if !ok {
		return onText(name, operand, exact)
	}
	inner, text, err := single(nested)
	if err != nil {
		return nil, err
	}
	if inner != "equals-ignore-case" {
		return nil, reasonf("Unsupported %s match pattern: %s", name, inner)
	}
	return onText(inner, text, folded)
}

// equalIgnoringCase takes the lower and the upper case of text's characters, as
// event-ruler does: ς is neither for Σ, and ſ neither for s.
func equalIgnoringCase(value, text string) bool {
	wanted := []rune(text)
	if utf8.RuneCountInString(value) != len(wanted) {
		return false
	}
	for i, char := range []rune(value) {
		if char != unicode.ToLower(wanted[i]) && char != unicode.ToUpper(wanted[i]) {
			return false
		}
	}
	return true
}

func hasFoldedPrefix(value, prefix string) bool {
	end := 0
	for range utf8.RuneCountInString(prefix) {
		_, size := utf8.DecodeRuneInString(value[end:])
		end += size
	}
	return equalIgnoringCase(value[:end], prefix)
}

func hasFoldedSuffix(value, suffix string) bool {
	start := len(value)
	for range utf8.RuneCountInString(suffix) {
		_, size := utf8.DecodeLastRuneInString(value[:start])
		start -= size
	}
	return equalIgnoringCase(value[start:], suffix)
}

// wildcard: * stands for any characters; \* and \\ are the characters themselves.
func wildcard(operand any) (func(any) bool, error) {
	text, ok := operand.(string)
	if !ok {
		return nil, reason("wildcard match pattern must be a string")
	}
	parts := []string{""}
	for i := 0; i < len(text); i++ {
		last := len(parts) - 1
		switch {
		case text[i] == '\\':
			if i++; i == len(text) || text[i] != '*' && text[i] != '\\' {
				return nil, reasonf("Invalid escape character at pos %d", i-1)
			}
			parts[last] += text[i : i+1]
		case text[i] != '*':
			parts[last] += text[i : i+1]
		case i > 0 && text[i-1] == '*' && parts[last] == "" && last > 0:
			return nil, reasonf("Consecutive wildcard characters at pos %d", i)
		default:
			parts = append(parts, "")
		}
	}
	return func(leaf any) bool {
		value, ok := leaf.(string)
		return ok && matchesParts(value, parts)
	}, nil
}

// matchesParts tells whether value is the parts in order with anything between.
func matchesParts(value string, parts []string) bool {
	last := len(parts) - 1
	if last == 0 {
		return value == parts[0]
	}
	value, ok := strings.CutPrefix(value, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1:last] {
		if _, value, ok = strings.Cut(value, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(value, parts[last])
}

func cidr(operand any) (func(any) bool, error) {
	text, ok := operand.(string)
	if !ok {
		return nil, reason("cidr match pattern must be a string")
	}
	if strings.Count(text, "/") != 1 {
		return nil, reason("Malformed CIDR, one '/' required")
	}
	network, err := netip.ParsePrefix(text)
	if err != nil || mixed(text) {
		return nil, reasonf("Malformed CIDR, %q is not an IP address and a mask length", text)
	}
	if network.IsSingleIP() {
		// AWS's documentation is silent; event-ruler, its matcher, wants the
		// address itself then.
		if network.Addr().Is4() {
			return nil, reason("IPv4 mask bits must be < 32")
		}
		return nil, reason("IPv6 mask bits must be < 128")
	}
	return func(leaf any) bool {
		value, ok := leaf.(string)
		if !ok {
			return false
		}
		address, err := netip.ParseAddr(value)
		return err == nil && !mixed(value) && network.Contains(address.Unmap())
	}, nil
}

// mixed tells whether an address of version 6 ends in the form of version 4,
// which event-ruler does not take for an address.
func mixed(address string) bool {
	return strings.Contains(address, ":") && strings.Contains(address, ".")
}

// anythingBut matches every leaf, null and booleans included, that its operand does not.
func anythingBut(operand any) (func(any) bool, error) {
	var excluded []func(any) bool
	switch operand := operand.(type) {
	case string, json.Number:
		return anythingBut([]any{operand})
	case []any:
		if err := checkAnythingButList(operand); err != nil {
			return nil, err
		}
		tests, err := compileTests(operand, nil)
		if err != nil {
			return nil, err
		}
		for _, t := range tests {
			excluded = append(excluded, t.holds)
		}
	case map[string]any:
		var err error
		if excluded, err = anythingButOperator(operand); err != nil {
			return nil, err
		}
	default:
		return nil, errAnythingBut
	}
	return func(leaf any) bool {
		return !slices.ContainsFunc(excluded, func(holds func(any) bool) bool { return holds(leaf) })
	}, nil
}

var errAnythingBut = reason("Value of anything-but must be an array or single string/number value.")

func checkAnythingButList(list []any) error {
	texts, numbers := 0, 0
	for _, item := range list {
		switch item := item.(type) {
		case string:
			texts++
		case json.Number:
			if !readDecimal(item).inRange() {
				return errRange
			}
			numbers++
		default:
			return reason("Inside anything but list, start|null|boolean is not supported.")
		}
	}
	if texts > 0 && numbers > 0 {
		return reason("Inside anything but list, either all values are number or string, mixed type is not supported")
	}
	return nil
}

func anythingButOperator(expression map[string]any) ([]func(any) bool, error) {
	name, operand, err := single(expression)
	if err != nil {
		return nil, err
	}
	list, ok := operand.([]any)
	if !ok {
		list = []any{operand}
	}
	if len(list) == 0 {
		return nil, reason("Empty arrays are not allowed")
	}
	var excluded []func(any) bool
	for _, item := range list {
		holds, err := anythingButText(name, item)
		if err != nil {
			return nil, err
		}
		excluded = append(excluded, holds)
	}
	return excluded, nil
}

func anythingButText(name string, operand any) (func(any) bool, error) {
	text, isText := operand.(string)
	switch name {
	case "prefix", "suffix":
		if _, nested := operand.(map[string]any); nested {
			return nil, errAnythingBut
		}
		if !isText {
			return nil, reason("prefix/suffix match pattern must be a string")
		}
		if text == "" {
			return nil, reason("Null prefix/suffix not allowed")
		}
		if name == "prefix" {
			return onText(name, text, strings.HasPrefix)
		}
		return onText(name, text, strings.HasSuffix)
	case "equals-ignore-case":
		if !isText {
			return nil, reason("Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.")
		}
		return onText(name, text, equalIgnoringCase)
	case "wildcard":
		return wildcard(operand)
	}
	return nil, reasonf("Unsupported anything-but pattern: %s", name)
}
