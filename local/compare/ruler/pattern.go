package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// pattern draws a pattern that the event is likely to match.
func (g *generator) pattern(event map[string]any) map[string]any {
	made := g.fields(event, 0)
	if g.chance(15) {
		g.addOr(made, event)
	}
	return made
}

// fields asks for some of an object's members, and now and then for others.
func (g *generator) fields(object map[string]any, depth int) map[string]any {
	made := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if g.chance(60) {
			made[name] = g.wish(object[name], depth)
		}
	}
	if g.chance(5) {
		made[one(g, names)] = []any{g.absence()}
	}
	if g.chance(2) {
		made[one(g, names)+"."+one(g, names)] = []any{g.test(g.leaf())}
	}
	if len(made) == 0 && !g.chance(2) {
		name := one(g, names)
		made[name] = g.wish(object[name], depth)
	}
	return made
}

// wish asks for a value of the event, or for one near it.
func (g *generator) wish(value any, depth int) any {
	switch value := value.(type) {
	case map[string]any:
		if depth < 4 && !g.chance(5) {
			made := g.fields(value, depth+1)
			if g.chance(8) {
				g.addOr(made, value)
			}
			return made
		}
	case []any:
		if len(value) > 0 && !g.chance(10) {
			return g.wish(one(g, value), depth)
		}
	default:
		return g.tests(value)
	}
	return []any{g.test(g.leaf())}
}

func (g *generator) tests(leaf any) []any {
	list := []any{g.test(leaf)}
	for g.chance(25) {
		list = append(list, g.test(g.leaf()))
	}
	if g.chance(1) {
		list = append(list, g.broken())
	}
	g.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// addOr puts an $or beside the fields of a pattern.
func (g *generator) addOr(made, object map[string]any) {
	var branches []any
	for range 2 + g.IntN(2) {
		branch := g.fields(object, 2)
		if !g.chance(10) { // a field is tested once, mostly
			maps.DeleteFunc(branch, func(name string, _ any) bool { return made[name] != nil })
		}
		if len(branch) == 0 {
			branch[one(g, names)+"2"] = []any{g.absence()}
		}
		if g.chance(8) {
			g.addOr(branch, object)
		}
		branches = append(branches, branch)
	}
	if g.chance(2) {
		branches = branches[1:]
	}
	made["$or"] = branches
}

func operator(name string, operand any) map[string]any { return map[string]any{name: operand} }

func (g *generator) absence() any { return operator("exists", false) }

// test is one that the leaf is likely to pass.
func (g *generator) test(leaf any) any {
	if g.chance(5) {
		leaf = g.near(leaf)
	}
	switch g.IntN(12) {
	case 0:
		return operator("exists", true)
	case 1:
		return g.anythingBut(g.leaf())
	case 2:
		return g.anythingBut(g.near(leaf))
	case 3:
		if g.chance(30) {
			return g.absence()
		}
	}
	switch leaf := leaf.(type) {
	case string:
		return g.textTest(leaf)
	case json.Number:
		return g.numberTest(leaf)
	}
	return leaf
}

func (g *generator) textTest(text string) any {
	chars := []rune(text)
	cut := g.IntN(len(chars) + 1)
	switch g.IntN(9) {
	case 0:
		return operator("prefix", string(chars[:cut]))
	case 1:
		return operator("suffix", string(chars[cut:]))
	case 2:
		return operator("equals-ignore-case", g.otherCase(text))
	case 3:
		return operator("prefix", operator("equals-ignore-case", g.otherCase(string(chars[:cut]))))
	case 4:
		return operator("suffix", operator("equals-ignore-case", g.otherCase(string(chars[cut:]))))
	case 5, 6:
		return operator("wildcard", g.wildcard(text))
	case 7:
		if strings.ContainsAny(text, ".:") {
			return operator("cidr", text+"/"+one(g, []string{"0", "8", "24", "31", "64", "127", "32", "128"}))
		}
	}
	return text
}

// wildcard replaces parts of the text.
func (g *generator) wildcard(text string) string {
	var made strings.Builder
	for _, char := range text {
		switch {
		case g.chance(25):
			if !strings.HasSuffix(made.String(), "*") || g.chance(2) {
				made.WriteByte('*')
			}
			continue
		case g.chance(5) && !strings.HasSuffix(made.String(), "*"):
			made.WriteByte('*')
		}
		if strings.ContainsRune(`*\`, char) && !g.chance(2) {
			made.WriteByte('\\')
		}
		made.WriteRune(char)
	}
	return made.String()
}

func (g *generator) numberTest(number json.Number) any {
	other := g.number()
	switch g.IntN(7) {
	case 0:
		return operator("numeric", []any{"=", number})
	case 1:
		return operator("numeric", []any{one(g, []string{"<", "<=", ">", ">="}), other})
	case 2:
		return operator("numeric", []any{one(g, []string{"<=", ">="}), number})
	case 3:
		return operator("numeric", []any{one(g, []string{">", ">="}), json.Number("-5e9"), one(g, []string{"<", "<="}), other})
	case 4:
		return operator("numeric", []any{one(g, []string{">", ">="}), other, one(g, []string{"<", "<="}), g.number()})
	}
	return number
}

func (g *generator) anythingBut(excluded any) any {
	switch excluded := excluded.(type) {
	case json.Number:
		if g.chance(50) {
			return operator("anything-but", []any{excluded, g.number()})
		}
		return operator("anything-but", excluded)
	case string:
		switch g.IntN(3) {
		case 0:
			return operator("anything-but", excluded)
		case 1:
			return operator("anything-but", []any{excluded, g.text()})
		}
		name := one(g, []string{"prefix", "suffix", "equals-ignore-case", "wildcard"})
		write := func(text string) any { return text }
		if name == "wildcard" {
			write = func(text string) any { return g.wildcard(text) }
		}
		if g.chance(50) {
			return operator("anything-but", operator(name, []any{write(excluded), write(g.text())}))
		}
		return operator("anything-but", operator(name, write(excluded)))
	}
	return operator("anything-but", []any{g.text()})
}

var operators = []string{
	"exists", "prefix", "suffix", "equals-ignore-case", "wildcard", "numeric", "cidr", "anything-but", "exactly", "regex", "PREFIX",
}

// broken is a test that is probably not valid.
func (g *generator) broken() any {
	operand := one(g, []any{
		nil, true, "", "x", "10.0.0.0/8", "10.0.0.0/33", "x/8", "**", `\x`, json.Number("1"), []any{}, []any{"x"}, []any{"x", json.Number("1")}, []any{nil}, []any{[]any{"x"}},
		[]any{"=", "1"}, []any{"="}, []any{">", json.Number("1"), "<", json.Number("0")}, []any{"<", json.Number("1"), ">", json.Number("0")},
		map[string]any{}, operator("prefix", ""), operator("suffix", json.Number("1")), operator("equals-ignore-case", []any{"x"}),
		operator("wildcard", "**"), operator("wildcard", ""), operator("numeric", []any{"=", json.Number("1")}), operator("exists", true), operator("anything-but", "x"),
	})
	if g.chance(20) {
		return one(g, []any{map[string]any{}, []any{"x"}, map[string]any{"prefix": "x", "suffix": "y"}})
	}
	return operator(one(g, operators), operand)
}
