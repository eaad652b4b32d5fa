package dynamodb

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const end = "<EOF>"

var token = regexp.MustCompile(`^(?:[#:]?[A-Za-z_][A-Za-z0-9_]*|[#:][A-Za-z0-9_]+|[0-9]+|<>|<=|>=|[=<>(),.\[\]])`)

func (e *expressions) parse(kind, text string) (*parser, error) {
	p := &parser{expressions: e, kind: kind}
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		found := token.FindString(rest)
		if found == "" {
			return nil, invalid("Invalid %s: Syntax error; token: %q", kind, rest[:1])
		}
		p.tokens = append(p.tokens, found)
		rest = rest[len(found):]
	}
	if len(p.tokens) == 0 {
		return nil, invalid("Invalid %s: The expression can not be empty;", kind)
	}
	p.tokens = append(p.tokens, end)
	return p, nil
}

// parser goes through the tokens of one expression, by recursive descent.
type parser struct {
	*expressions
	kind   string
	tokens []string
	at     int
}

func (p *parser) next() string { return p.tokens[p.at] }

func (p *parser) take() string {
	taken := p.tokens[p.at]
	if taken != end {
		p.at++
	}
	return taken
}

func (p *parser) is(word string) bool { return strings.EqualFold(p.next(), word) }

func (p *parser) expect(symbol string) error {
	if !p.is(symbol) {
		return p.syntax(p.next())
	}
	p.take()
	return nil
}

func (p *parser) syntax(token string) error {
	return invalid("Invalid %s: Syntax error; token: %q", p.kind, token)
}

func (p *parser) whole() (condition, error) {
	found, err := p.or()
	if err != nil {
		return nil, err
	}
	return found, p.expect(end)
}

func (p *parser) or() (condition, error) {
	left, err := p.and()
	for err == nil && p.is("OR") {
		p.take()
		var right condition
		right, err = p.and()
		first := left
		left = func(one item) bool { return first(one) || right(one) }
	}
	return left, err
}

func (p *parser) and() (condition, error) {
	left, err := p.not()
	for err == nil && p.is("AND") {
		p.take()
		var right condition
		right, err = p.not()
		first := left
		left = func(one item) bool { return first(one) && right(one) }
	}
	return left, err
}

func (p *parser) not() (condition, error) {
	if !p.is("NOT") {
		return p.primary()
	}
	p.take()
	inner, err := p.not()
	return func(one item) bool { return !inner(one) }, err
}

func (p *parser) primary() (condition, error) {
	if p.is("(") {
		p.take()
		inner, err := p.or()
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	}
	if function, ok := functions[p.next()]; ok {
		p.take()
		arguments, err := p.arguments(function.arguments)
		if err != nil {
			return nil, err
		}
		return func(one item) bool { return function.holds(one, arguments) }, nil
	}
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	return p.comparison(left)
}

func (p *parser) arguments(count int) ([]operand, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var given []operand
	for i := range count {
		if i > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
		one, err := p.operand()
		if err != nil {
			return nil, err
		}
		given = append(given, one)
	}
	return given, p.expect(")")
}

func (p *parser) comparison(left operand) (condition, error) {
	operator := strings.ToUpper(p.take())
	switch operator {
	case "=", "<>", "<", "<=", ">", ">=":
		right, err := p.operand()
		return func(one item) bool { return holds(left(one), operator, right(one)) }, err
	case "BETWEEN":
		low, err := p.operand()
		if err != nil {
			return nil, err
		}
		if err := p.expect("AND"); err != nil {
			return nil, err
		}
		high, err := p.operand()
		return func(one item) bool { return holds(left(one), ">=", low(one)) && holds(left(one), "<=", high(one)) }, err
	case "IN":
		return p.in(left)
	}
	return nil, p.syntax(operator)
}

func (p *parser) in(left operand) (condition, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var list []operand
	for {
		one, err := p.operand()
		if err != nil {
			return nil, err
		}
		list = append(list, one)
		if p.is(")") {
			p.take()
			return func(one item) bool {
				return slices.ContainsFunc(list, func(right operand) bool { return holds(left(one), "=", right(one)) })
			}, nil
		}
		if err := p.expect(","); err != nil {
			return nil, err
		}
	}
}

func (p *parser) operand() (operand, error) {
	switch {
	case strings.HasPrefix(p.next(), ":"):
		value, err := p.value(p.take())
		return func(item) types.AttributeValue { return value }, err
	case p.next() == "size":
		p.take()
		arguments, err := p.arguments(1)
		return func(one item) types.AttributeValue { return length(arguments[0](one)) }, err
	}
	return p.path()
}

// path is an attribute, or what stands in it: a.b[0].
func (p *parser) path() (operand, error) {
	first, err := p.name(p.take())
	if err != nil {
		return nil, err
	}
	found := func(one item) types.AttributeValue { return one[first] }
	for p.is(".") || p.is("[") {
		outer := found
		if p.take() == "." {
			name, err := p.name(p.take())
			if err != nil {
				return nil, err
			}
			found = func(one item) types.AttributeValue {
				inner, ok := outer(one).(*types.AttributeValueMemberM)
				if !ok {
					return nil
				}
				return inner.Value[name]
			}
			continue
		}
		index, err := strconv.Atoi(p.take())
		if err != nil {
			return nil, p.syntax(p.next())
		}
		found = func(one item) types.AttributeValue {
			inner, ok := outer(one).(*types.AttributeValueMemberL)
			if !ok || index >= len(inner.Value) {
				return nil
			}
			return inner.Value[index]
		}
		if err := p.expect("]"); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (p *parser) name(word string) (string, error) {
	if strings.HasPrefix(word, "#") {
		name, ok := p.names[word]
		if !ok {
			return "", invalid("Invalid %s: An expression attribute name used in the document path is not defined; attribute name: %s", p.kind, word)
		}
		p.used[word] = true
		return name, nil
	}
	if c := word[0]; !(c == '_' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z') {
		return "", p.syntax(word)
	}
	return word, nil
}

func (p *parser) value(word string) (types.AttributeValue, error) {
	value, ok := p.values[word]
	if !ok {
		return nil, invalid("Invalid %s: An expression attribute value used in expression is not defined; attribute value: %s", p.kind, word)
	}
	p.used[word] = true
	return value, nil
}
