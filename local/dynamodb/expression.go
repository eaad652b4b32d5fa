package dynamodb

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// condition is a ConditionExpression or FilterExpression that is understood.
type condition func(item) bool

func always(item) bool { return true }

// operand is a value in it; nil where the item has no such attribute.
type operand func(item) types.AttributeValue

// expressions reads a request's expressions. They share names and values, each
// of which has to be used by one of them.
type expressions struct {
	names  map[string]string
	values map[string]types.AttributeValue
	used   map[string]bool
}

func newExpressions(names map[string]string, values map[string]types.AttributeValue) *expressions {
	return &expressions{names: names, values: values, used: map[string]bool{}}
}

// condition reads one; absent text always holds.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
func (e *expressions) condition(kind string, text *string) (condition, error) {
	if text == nil {
		return always, nil
	}
	p, err := e.parse(kind, *text)
	if err != nil {
		return nil, err
	}
	return p.whole()
}

// key reads a KeyConditionExpression: the partition key equals a value.
func (e *expressions) key(text *string) (name string, value types.AttributeValue, err error) {
	if text == nil {
		return "", nil, invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	p, err := e.parse("KeyConditionExpression", *text)
	if err != nil {
		return "", nil, err
	}
	if len(p.tokens) != 4 || p.tokens[1] != "=" {
		return "", nil, invalid("KeyConditionExpression %s: give the partition key alone, as in #id = :id", *text)
	}
	if name, err = p.name(p.take()); err != nil {
		return "", nil, err
	}
	p.take()
	if value, err = p.value(p.take()); err != nil {
		return "", nil, err
	}
	return name, value, nil
}

// projection reads a list of attributes; nil for all.
func (e *expressions) projection(text *string) ([]string, error) {
	if text == nil {
		return nil, nil
	}
	p, err := e.parse("ProjectionExpression", *text)
	if err != nil {
		return nil, err
	}
	var names []string
	for {
		name, err := p.name(p.take())
		if err != nil {
			return nil, err
		}
		names = append(names, name)
		if p.next() == end {
			return names, nil
		}
		if err := p.expect(","); err != nil {
			return nil, err
		}
	}
}

// finish refuses names and values that no expression has used.
func (e *expressions) finish() error {
	for _, name := range slices.Sorted(maps.Keys(e.names)) {
		if !e.used[name] {
			return invalid("Value provided in ExpressionAttributeNames unused in expressions: keys: {%s}", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.values)) {
		if !e.used[name] {
			return invalid("Value provided in ExpressionAttributeValues unused in expressions: keys: {%s}", name)
		}
		if err := checkValue(name, e.values[name]); err != nil {
			return err
		}
	}
	return nil
}
