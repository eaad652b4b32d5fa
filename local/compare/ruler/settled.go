package main

import (
	"encoding/json"
	"maps"
	"math/big"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// settled are the differences that were looked into and left: the local matcher
// follows AWS's documentation, or refuses what AWS leaves open.
var settled = []struct {
	reason  string
	explain func(found judged, pattern, event any) bool
}{
	{
		"a number that EventBridge does not document: beyond 5.0e9, or finer than six decimals",
		func(_ judged, pattern, event any) bool {
			return anyLeaf(pattern, undocumented) || anyLeaf(event, undocumented)
		},
	},
	{
		"a field tested twice: event-ruler keeps the last one, here it is refused",
		func(found judged, _, _ any) bool { return strings.Contains(found.ours, "tested more than once") },
	},
	{
		"a field that is a value and by a name with dots an object too: to event-ruler both at once",
		func(_ judged, pattern, event any) bool { return collides(pattern) || collides(event) },
	},
	{
		"\"exactly\": an operator of event-ruler that EventBridge does not document",
		func(found judged, _, _ any) bool {
			return found.ours == "invalid Unrecognized match type exactly"
		},
	},
	{
		"a quotation mark in an operand: event-ruler takes the ends of a text for quotation marks",
		func(found judged, _, _ any) bool { return strings.Contains(found.pattern, `\"`) },
	},
	{
		"ignoring case beyond UTF-16's first plane: event-ruler compares half characters",
		func(found judged, _, _ any) bool {
			return strings.Contains(found.pattern, "equals-ignore-case") && strings.ContainsFunc(found.pattern, func(char rune) bool { return char > 0xffff })
		},
	},
	{
		"0.0.0.0/0 and ::/0: event-ruler has addresses of the other version in them",
		func(found judged, _, _ any) bool { return strings.Contains(found.pattern, `/0"`) },
	},
	{
		"an IPv4 address with leading zeros: decimal to event-ruler, no address here",
		func(found judged, _, _ any) bool { return leadingZero.MatchString(found.pattern + " " + found.event) },
	},
	{
		"an address in another spelling: EventBridge documents that texts are compared character by character",
		func(found judged, pattern, _ any) bool {
			return verdict(found.theirs) == "true" && anyLeaf(pattern, isAddress)
		},
	},
}

var leadingZero = regexp.MustCompile(`\b0\d+\.\d|\d\.0\d`)

func isAddress(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}

// settledBy names the difference that explains a disagreement; empty where none
// does.
func settledBy(found judged, theirs *ruler) (string, error) {
	pattern, event := parse(found.pattern), parse(found.event)
	for _, one := range settled {
		if one.explain(found, pattern, event) {
			return one.reason, nil
		}
	}
	contradiction, err := contradictsItself(found, pattern, theirs)
	if err != nil || !contradiction {
		return "", err
	}
	return "event-ruler contradicts itself: asked for one alternative at a time it gives the answer given here", nil
}

// contradictsItself asks for each alternative of the pattern alone. Arrays and
// $or are documented to mean that one of their alternatives is enough.
func contradictsItself(found judged, pattern any, theirs *ruler) (bool, error) {
	if verdict(found.ours) == "invalid" || verdict(found.theirs) == "invalid" {
		return false, nil
	}
	var alone []pair
	for _, one := range alternatives(pattern.(map[string]any)) {
		alone = append(alone, pair{write(one), found.event})
	}
	answers, err := theirs.judge(alone)
	return strconv.FormatBool(slices.Contains(answers, "true")) == found.ours, err
}

// alternatives are the patterns without alternatives that a pattern stands for.
func alternatives(pattern map[string]any) []map[string]any {
	made := []map[string]any{{}}
	for name, value := range pattern {
		var forms []map[string]any
		switch value := value.(type) {
		case map[string]any:
			for _, inner := range alternatives(value) {
				forms = append(forms, map[string]any{name: inner})
			}
		case []any:
			for _, one := range value {
				if name == "$or" {
					forms = append(forms, alternatives(one.(map[string]any))...)
					continue
				}
				forms = append(forms, map[string]any{name: []any{one}})
			}
		}
		var product []map[string]any
		for _, left := range made {
			for _, right := range forms {
				product = append(product, united(left, right))
			}
		}
		made = product
	}
	return made
}

func united(left, right map[string]any) map[string]any {
	made := maps.Clone(left)
	for name, value := range right {
		if present, ok := made[name].(map[string]any); ok {
			value = united(present, value.(map[string]any))
		}
		made[name] = value
	}
	return made
}

// anyLeaf tells whether a leaf of the type somewhere in value is of a kind.
func anyLeaf[T any](value any, is func(T) bool) bool {
	switch value := value.(type) {
	case []any:
		return slices.ContainsFunc(value, func(element any) bool { return anyLeaf(element, is) })
	case map[string]any:
		return anyLeaf(slices.Collect(maps.Values(value)), is)
	case T:
		return is(value)
	}
	return false
}

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html#eb-filtering-numeric-matching
func undocumented(number json.Number) bool {
	value, ok := new(big.Rat).SetString(number.String())
	if !ok {
		return true
	}
	millionfold := new(big.Rat).Mul(value, big.NewRat(1_000_000, 1))
	return value.Abs(value).Cmp(big.NewRat(5_000_000_000, 1)) > 0 || !millionfold.IsInt()
}

// collides tells whether some field is both a value and an object.
func collides(value any) bool {
	found := false
	var values, objects []string
	var walk func(path string, value any)
	walk = func(path string, value any) {
		object, ok := value.(map[string]any)
		if !ok {
			values = append(values, path)
			if list, ok := value.([]any); ok && slices.ContainsFunc(list, collides) {
				found = true
			}
			return
		}
		for name, member := range object {
			if name == "$or" {
				branches, _ := member.([]any)
				for _, branch := range branches {
					walk(path, branch)
				}
				continue
			}
			for head := range strings.SplitSeq(name, ".") {
				objects = append(objects, path)
				path += "." + head
			}
			walk(path, member)
			path = strings.TrimSuffix(path, "."+name)
		}
	}
	walk("", value)
	return found || slices.ContainsFunc(values, func(path string) bool { return slices.Contains(objects, path) })
}
