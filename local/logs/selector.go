package logs

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A JSON pattern is an expression in braces, for instance
//
//	{ $.level = "ERROR" && ($.latency > 100 || $.code = 4*) }
//
// Regular expressions and the wildcard in a selector are not known here. Where
// the page below is silent, a property that the event lacks meets no comparison.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/matching-terms-json-log-events.html
func jsonPattern(text string) (func(message string) bool, error) {
	p := &patternReader{rest: text}
	p.take("{")
	expression := p.either()
	if p.take("}"); p.err == nil && p.space() != "" {
		p.fail("it goes on after its brace")
	}
	if p.err != nil {
		return nil, p.err
	}
	return func(message string) bool {
		event, ok := parsed(message)
		return ok && expression(event)
	}, nil
}

// parsed reads a message that is one JSON object, with its numbers as text.
func parsed(message string) (map[string]any, bool) {
	if !strings.HasPrefix(strings.TrimSpace(message), "{") {
		return nil, false
	}
	decoder := json.NewDecoder(strings.NewReader(message))
	decoder.UseNumber()
	var event map[string]any
	return event, decoder.Decode(&event) == nil && event != nil
}

// condition tells whether an event is wanted.
type condition func(event map[string]any) bool

// patternReader reads a pattern from left to right; && binds closer than ||.
type patternReader struct {
	rest string
	err  error // the first one
}

func (p *patternReader) either() condition {
	first := p.all()
	for p.skip("||") {
		left, right := first, p.all()
		first = func(event map[string]any) bool { return left(event) || right(event) }
	}
	return first
}

func (p *patternReader) all() condition {
	first := p.one()
	for p.skip("&&") {
		left, right := first, p.one()
		first = func(event map[string]any) bool { return left(event) && right(event) }
	}
	return first
}

func (p *patternReader) one() condition {
	if p.skip("(") {
		inner := p.either()
		p.take(")")
		return inner
	}
	path, err := selector(p.token(selectorForm))
	if err != nil {
		p.fail(err.Error())
	}
	for words, test := range states {
		if p.token(words) != "" {
			return func(event map[string]any) bool { return test(path.in(event)) }
		}
	}
	operator := p.token(operatorForm)
	if operator == "" {
		p.fail("after a selector comes one of = != > < >= <= IS NOT EXISTS")
	}
	return p.comparison(path, operator)
}

var (
	selectorForm = regexp.MustCompile(`^\$(\.[A-Za-z0-9_-]+|\[\d+\])+`)
	operatorForm = regexp.MustCompile(`^(!=|>=|<=|=|>|<)`)
	quotedForm   = regexp.MustCompile(`^"(\\.|[^"\\])*"`)
	bareForm     = regexp.MustCompile(`^[^\s"(){}&|%]+`)
)

// states are the tests that need no value.
var states = map[*regexp.Regexp]func(value any, exists bool) bool{
	regexp.MustCompile(`^NOT\s+EXISTS\b`): func(_ any, exists bool) bool { return !exists },
	regexp.MustCompile(`^IS\s+NULL\b`):    func(value any, exists bool) bool { return exists && value == nil },
	regexp.MustCompile(`^IS\s+TRUE\b`):    func(value any, _ bool) bool { return value == true },
	regexp.MustCompile(`^IS\s+FALSE\b`):   func(value any, _ bool) bool { return value == false },
}

// comparison reads the value: a number, or text in which * stands for anything.
// The quotes may be left out around letters and digits.
func (p *patternReader) comparison(path path, operator string) condition {
	quoted := p.token(quotedForm)
	text := strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(strings.Trim(quoted, `"`))
	if quoted == "" {
		text = p.token(bareForm)
	}
	if quoted == "" && text == "" {
		p.fail("a comparison needs a value; the local endpoint knows text and numbers, not regular expressions")
	}
	if wanted, err := strconv.ParseFloat(text, 64); err == nil && quoted == "" {
		return func(event map[string]any) bool {
			value, _ := path.in(event)
			number, isNumber := value.(json.Number)
			held, err := number.Float64()
			return isNumber && err == nil && compared(held, operator, wanted)
		}
	}
	if operator != "=" && operator != "!=" {
		p.fail("text is compared with = and != only")
	}
	form := wildcard(text)
	return func(event map[string]any) bool {
		value, _ := path.in(event)
		switch value := value.(type) {
		case string:
			return form.MatchString(value) == (operator == "=")
		case json.Number:
			return quoted == "" && form.MatchString(value.String()) == (operator == "=")
		}
		return false
	}
}

func compared(held float64, operator string, wanted float64) bool {
	switch operator {
	case "=":
		return held == wanted
	case "!=":
		return held != wanted
	case ">":
		return held > wanted
	case "<":
		return held < wanted
	case ">=":
		return held >= wanted
	}
	return held <= wanted
}

func wildcard(text string) *regexp.Regexp {
	return regexp.MustCompile(`(?s)^` + strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, `.*`) + `$`)
}

// space skips white space and returns what is left.
func (p *patternReader) space() string {
	p.rest = strings.TrimSpace(p.rest)
	return p.rest
}

func (p *patternReader) skip(word string) bool {
	rest, found := strings.CutPrefix(p.space(), word)
	p.rest = rest
	return found
}

func (p *patternReader) take(word string) {
	if !p.skip(word) {
		p.fail(fmt.Sprintf("%q is missing before %q", word, p.rest))
	}
}

func (p *patternReader) token(form *regexp.Regexp) string {
	found := form.FindString(p.space())
	p.rest = p.rest[len(found):]
	return found
}

func (p *patternReader) fail(why string) {
	if p.err == nil {
		p.err = invalid("Invalid filter pattern: " + why)
	}
}

// path is where a property is: names of members and numbers of elements.
type path []string

// selector reads for instance $.requests[0].id
func selector(text string) (path, error) {
	if text == "" || selectorForm.FindString(text) != text {
		return nil, fmt.Errorf("a property is selected for instance by $.requests[0].id")
	}
	return strings.FieldsFunc(text[1:], func(r rune) bool { return strings.ContainsRune(".[]", r) }), nil
}

func (p path) in(event map[string]any) (value any, exists bool) {
	value = event
	for _, step := range p {
		switch held := value.(type) {
		case map[string]any:
			value, exists = held[step]
		case []any:
			i, err := strconv.Atoi(step)
			if exists = err == nil && i < len(held); exists {
				value = held[i]
			}
		default:
			exists = false
		}
		if !exists {
			return nil, false
		}
	}
	return value, true
}
