package main

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// generator makes patterns and events. Events are drawn first and patterns from
// them, so that about half of the pairs match; what does not match differs in
// little.
type generator struct{ *rand.Rand }

// eventsPerPattern is how many events in a row are matched against a pattern.
const eventsPerPattern = 8

func (g *generator) batch(size int) []pair {
	pairs := make([]pair, 0, size)
	for len(pairs) < size {
		event := g.object(0)
		pattern := write(g.pattern(event))
		for i := 0; i < eventsPerPattern && len(pairs) < size; i++ {
			seen := any(event)
			if i%3 == 2 {
				seen = g.changed(event)
			}
			pairs = append(pairs, pair{pattern, write(seen)})
		}
	}
	return pairs
}

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

func one[T any](g *generator, of []T) T { return of[g.IntN(len(of))] }

var names = []string{"a", "b", "c", "detail", "é"}

// object is an event or a part of one.
func (g *generator) object(depth int) map[string]any {
	made := map[string]any{}
	for range 1 + g.IntN(4) {
		name := one(g, names)
		if g.chance(2) {
			name = one(g, operators)
		}
		if g.chance(4) {
			name += "." + one(g, names)
		}
		made[name] = g.value(depth + 1)
	}
	return made
}

func (g *generator) value(depth int) any {
	switch shape := g.IntN(100); {
	case depth < 4 && shape < 25:
		return g.object(depth)
	case shape < 40:
		list := make([]any, g.IntN(4))
		for i := range list {
			list[i] = g.leaf()
			if depth < 4 && g.chance(40) {
				list[i] = g.value(depth + 1)
			}
		}
		return list
	case shape < 42:
		return map[string]any{}
	}
	return g.leaf()
}

func (g *generator) leaf() any {
	switch kind := g.IntN(10); {
	case kind < 6:
		return g.text()
	case kind < 9:
		return g.number()
	}
	return one(g, []any{nil, true, false})
}

var texts = []string{
	"", "x", "X", "xy", "xyx", "Xyz", "abab", "aab", "a*b", "*", `\`, `a\b`, `"`, "é", "É", "éa", "ß", "日本", "日本語", "ω.png", "Ω.PNG",
	"x.png", "X.Png", "dir/x/y.png", "1", "1.0", "300", "null", "true", " ", "a\tb", "aaaaaaaaaaaaaaaaaaaa",
	"10.0.0.1", "10.0.0.255", "10.0.1.0", "192.168.1.9", "2001:db8::1", "2001:db8:0:0::1", "::1", "10.0.0", "10.0.0.256", "fe80::",
}

// oddTexts are letters whose other case is longer, shorter or not unique, and
// characters beyond UTF-16's first plane.
var oddTexts = []string{"ſ", "K", "k", "İ", "ı", "ς", "Σ", "ⱥ", "Ⱥ", "ΰ", "😀", "𝒳x", "𐐀", "𐐨", "10.0.0.01", "::ffff:10.0.0.1", "1:2", ":"}

func (g *generator) text() string {
	switch {
	case g.chance(4):
		return one(g, oddTexts)
	case g.chance(15):
		return one(g, texts) + one(g, texts)
	}
	return one(g, texts)
}

var numbers = []json.Number{
	"0", "-0", "0.0", "1", "1.0", "1e0", "-1", "-1.5", "-1.50", "300", "300.0", "3e2", "3.0E2", "3.0e+2", "301.8", "3.018e2", "0.1", "0.10", "1e-1",
	"0.000001", "1e-6", "-0.000001", "4999999999.999999", "-4999999999.999999", "5e9", "-5e9", "5000000000", "5.0E9", "123456789", "2147483648",
}

// oddNumbers lie outside of what EventBridge documents, or are finer.
var oddNumbers = []json.Number{
	"5000000000.1", "5000000001", "-5000000001", "1e10", "10000000000", "0.0000001", "1e-7", "0.30000000000000001", "0.3000001", "123456789012", "123456789012.0",
	"12345678901234567890", "1e400", "1e-400",
}

func (g *generator) number() json.Number {
	if g.chance(5) {
		return one(g, oddNumbers)
	}
	return one(g, numbers)
}

// changed is the event with one to three differences.
func (g *generator) changed(event map[string]any) any {
	made := parse(write(event))
	for range 1 + g.IntN(3) {
		made = g.change(made)
	}
	return made
}

func (g *generator) change(value any) any {
	switch value := value.(type) {
	case map[string]any:
		if len(value) == 0 {
			return g.object(2)
		}
		name := one(g, slices.Sorted(maps.Keys(value)))
		switch g.IntN(8) {
		case 0:
			delete(value, name)
		case 1:
			value[one(g, names)] = g.value(2)
		default:
			value[name] = g.change(value[name])
		}
		return value
	case []any:
		switch {
		case len(value) == 0 || g.chance(20):
			return append(value, g.value(3))
		case g.chance(20):
			return value[1:]
		}
		i := g.IntN(len(value))
		value[i] = g.change(value[i])
		return value
	}
	switch g.IntN(6) {
	case 0:
		return []any{value, g.leaf()}
	case 1:
		return g.value(2)
	case 2:
		return g.leaf()
	}
	return g.near(value)
}

// near is a leaf that is like another one.
func (g *generator) near(leaf any) any {
	switch leaf := leaf.(type) {
	case string:
		switch g.IntN(4) {
		case 0:
			return g.otherCase(leaf)
		case 1:
			return leaf + g.text()
		case 2:
			return g.text() + leaf
		}
		return g.part(leaf)
	case json.Number:
		return g.number()
	}
	return one(g, []any{nil, true, false, "null", "true"})
}

func (g *generator) otherCase(text string) string {
	switch g.IntN(3) {
	case 0:
		return strings.ToUpper(text)
	case 1:
		return strings.ToLower(text)
	}
	return text
}

// part is some of the text's characters in a row.
func (g *generator) part(text string) string {
	chars := []rune(text)
	start := g.IntN(len(chars) + 1)
	return string(chars[start : start+g.IntN(len(chars)-start+1)])
}
