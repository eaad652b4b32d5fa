package wire

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	dynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A union is an object with exactly one member, whose name tells the type of
// its value. The SDK has an interface for it and one type a member, which
// reflection cannot find by itself.
// https://smithy.io/2.0/spec/aggregate-types.html#union

// unions has the members of each union that the services here take, by name.
var unions = map[reflect.Type]map[string]reflect.Type{
	reflect.TypeFor[dynamodb.AttributeValue](): membersOfUnion[dynamodb.AttributeValue](
		dynamodb.AttributeValueMemberB{}, dynamodb.AttributeValueMemberBOOL{}, dynamodb.AttributeValueMemberBS{},
		dynamodb.AttributeValueMemberL{}, dynamodb.AttributeValueMemberM{}, dynamodb.AttributeValueMemberN{},
		dynamodb.AttributeValueMemberNS{}, dynamodb.AttributeValueMemberNULL{}, dynamodb.AttributeValueMemberS{},
		dynamodb.AttributeValueMemberSS{},
	),
}

func membersOfUnion[Union any](members ...any) map[string]reflect.Type {
	union, named := reflect.TypeFor[Union](), map[string]reflect.Type{}
	for _, member := range members {
		named[unionMember(union, reflect.TypeOf(member))] = reflect.TypeOf(member)
	}
	return named
}

// unionMember is the name that a member's type stands for.
func unionMember(union, member reflect.Type) string {
	return strings.TrimPrefix(member.Name(), union.Name()+"Member")
}

func isUnion(t reflect.Type) bool { return unions[t] != nil }

func decodeUnion(value any, target reflect.Value, path string) error {
	given, ok := object(value)
	if !ok || len(given) != 1 {
		return mismatch(path, "an object with exactly one member", value)
	}
	for name, content := range given {
		member, ok := unions[target.Type()][name]
		if !ok {
			return UnknownMemberError{Path: join(path, name), Known: slices.Sorted(maps.Keys(unions[target.Type()]))}
		}
		made := reflect.New(member)
		if err := decode(content, made.Elem().FieldByName("Value"), join(path, name)); err != nil {
			return err
		}
		target.Set(made)
	}
	return nil
}

func (s style) encodeUnion(v reflect.Value) any {
	member := reflect.Indirect(v.Elem())
	return map[string]any{unionMember(v.Type(), member.Type()): s.encode(member.FieldByName("Value"))}
}
