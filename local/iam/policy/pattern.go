package policy

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// lookup finds a condition key's value in the request; keys are in lower case.
type lookup = func(key string) (string, bool)

// Wildcards inside a pattern. They are no valid runes, so a literal * or ? that
// comes out of a policy variable is never taken for one.
const (
	many rune = -1
	one  rune = -2
)

// pattern is a text with wildcards and policy variables.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
type pattern struct {
	pieces   []piece
	constant bool // no piece is a variable; then there is one piece
}

type piece struct {
	text     []rune
	key      string // of a variable, in lower case; empty for plain text
	fallback []rune // of a variable: ${key, 'fallback'}; nil for none
}

// dialect says what has a meaning in a text beside its characters.
type dialect struct {
	wildcards bool
	variables bool // documents of Version 2012-10-17 only
}

func compile(text string, d dialect) (pattern, error) {
	var pieces []piece
	var plain []rune
	for text != "" {
		if d.variables && strings.HasPrefix(text, "${") {
			inside, rest, closed := strings.Cut(text[2:], "}")
			if !closed {
				return pattern{}, fmt.Errorf("the policy variable in %q has no closing brace; write ${$} for a plain dollar sign", text)
			}
			text = rest
			// ${*}, ${?} and ${$} stand for the characters themselves.
			if inside == "*" || inside == "?" || inside == "$" {
				plain = append(plain, rune(inside[0]))
				continue
			}
			variable, err := variablePiece(inside)
			if err != nil {
				return pattern{}, err
			}
			pieces = append(pieces, piece{text: plain}, variable)
			plain = nil
			continue
		}
		r, size := utf8.DecodeRuneInString(text)
		text = text[size:]
		switch {
		case d.wildcards && r == '*':
			r = many
		case d.wildcards && r == '?':
			r = one
		}
		plain = append(plain, r)
	}
	return pattern{pieces: append(pieces, piece{text: plain}), constant: len(pieces) == 0}, nil
}

func variablePiece(inside string) (piece, error) {
	key, fallback, hasFallback := strings.Cut(inside, ",")
	key = strings.TrimSpace(key)
	if !strings.Contains(key, ":") {
		return piece{}, fmt.Errorf("policy variable ${%s} names no condition key; write it like ${aws:PrincipalAccount}", inside)
	}
	variable := piece{key: strings.ToLower(key)}
	if !hasFallback {
		return variable, nil
	}
	fallback = strings.TrimSpace(fallback)
	if len(fallback) < 2 || fallback[0] != '\'' || fallback[len(fallback)-1] != '\'' {
		return piece{}, fmt.Errorf("the default value of policy variable ${%s} stands without single quotes", inside)
	}
	variable.fallback = []rune(fallback[1 : len(fallback)-1])
	if variable.fallback == nil {
		variable.fallback = []rune{}
	}
	return variable, nil
}

func (p pattern) match(value string, lookup lookup) bool {
	text, ok := p.resolve(lookup)
	return ok && glob(text, value)
}

func (p pattern) matchARN(value string, lookup lookup) bool {
	text, ok := p.resolve(lookup)
	return ok && globARN(text, value)
}

// equalFold compares without regard to case; the pattern has no wildcards.
func (p pattern) equalFold(value string, lookup lookup) bool {
	text, ok := p.resolve(lookup)
	return ok && strings.EqualFold(string(text), value)
}

// resolve puts the request's values for the variables. A variable that has no
// value makes the pattern match nothing.
func (p pattern) resolve(lookup lookup) ([]rune, bool) {
	if p.constant {
		return p.pieces[0].text, true
	}
	var text []rune
	for _, piece := range p.pieces {
		if piece.key == "" {
			text = append(text, piece.text...)
			continue
		}
		value, ok := lookup(piece.key)
		switch {
		case ok:
			text = append(text, []rune(value)...)
		case piece.fallback != nil:
			text = append(text, piece.fallback...)
		default:
			return nil, false
		}
	}
	return text, true
}

// glob matches in one pass, going back only to the last * seen.
func glob(text []rune, value string) bool {
	at, star, mark := 0, -1, 0
	for i := 0; i < len(value); {
		r, size := utf8.DecodeRuneInString(value[i:])
		switch {
		case at < len(text) && text[at] == many:
			star, mark = at, i
			at++
		case at < len(text) && (text[at] == one || text[at] == r):
			at++
			i += size
		case star >= 0:
			_, skipped := utf8.DecodeRuneInString(value[mark:])
			mark += skipped
			at, i = star+1, mark
		default:
			return false
		}
	}
	for at < len(text) && text[at] == many {
		at++
	}
	return at == len(text)
}

// globARN matches the six parts of an ARN one by one, so that a * does not reach
// over a colon before the resource part. Missing parts stand for anything.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
func globARN(text []rune, value string) bool {
	for range 5 {
		part, rest, more := strings.Cut(value, ":")
		colon := slices.Index(text, ':')
		if colon < 0 {
			return glob(text, part)
		}
		if !more || !glob(text[:colon], part) {
			return false
		}
		text, value = text[colon+1:], rest
	}
	return glob(text, value)
}
