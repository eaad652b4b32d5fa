package logs

import (
	"fmt"
	"strings"
)

// pattern reads a filter pattern: an expression in braces for JSON (selector.go),
// or terms: all of them have to be in the message, none that starts with a
// minus, and of those that start with a question mark one. Quotes hold a phrase
// together.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
func pattern(text string) (func(message string) bool, error) {
	trimmed := strings.TrimSpace(text)
	if strings.HasPrefix(trimmed, "{") {
		return jsonPattern(trimmed)
	}
	if trimmed != "" && strings.ContainsRune("[%", rune(trimmed[0])) {
		return nil, invalid(fmt.Sprintf("filterPattern starts with %q: the local endpoint knows terms, phrases and JSON patterns only, for instance \"an event id\" or { $.level = \"ERROR\" }", trimmed[:1]))
	}
	terms, err := split(text)
	if err != nil {
		return nil, err
	}
	return func(message string) bool {
		optional, found := false, false
		for _, term := range terms {
			switch word, kind := term.text, term.kind; {
			case kind == '-' && strings.Contains(message, word):
				return false
			case kind == '?':
				optional = true
				found = found || strings.Contains(message, word)
			case kind == 0 && !strings.Contains(message, word):
				return false
			}
		}
		return found || !optional
	}, nil
}

type term struct {
	kind byte // 0, '-' or '?'
	text string
}

func split(text string) ([]term, error) {
	var terms []term
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		var next term
		if rest[0] == '-' || rest[0] == '?' {
			next.kind, rest = rest[0], rest[1:]
		}
		if strings.HasPrefix(rest, `"`) {
			end := strings.Index(rest[1:], `"`)
			if end < 0 {
				return nil, invalid("Invalid filter pattern: a quotation mark has no partner")
			}
			next.text, rest = rest[1:1+end], rest[end+2:]
		} else {
			next.text, rest, _ = strings.Cut(rest, " ")
		}
		if next.text == "" {
			return nil, invalid("Invalid filter pattern: a term is empty")
		}
		terms = append(terms, next)
	}
	return terms, nil
}
