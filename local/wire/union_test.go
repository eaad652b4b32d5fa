package wire_test

import (
	"context"
	"errors"
	"testing"

	"api-destination-credentials/local/wire"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// everyKind has each kind of attribute, and its zero where that has to arrive too.
var everyKind = map[string]types.AttributeValue{
	"id":     &types.AttributeValueMemberS{Value: "e-1"},
	"empty":  &types.AttributeValueMemberS{Value: ""},
	"number": &types.AttributeValueMemberN{Value: "12345678901234567890.5"},
	"blob":   &types.AttributeValueMemberB{Value: []byte{0, 255}},
	"no":     &types.AttributeValueMemberBOOL{Value: false},
	"null":   &types.AttributeValueMemberNULL{Value: true},
	"texts":  &types.AttributeValueMemberSS{Value: []string{"a", "b"}},
	"counts": &types.AttributeValueMemberNS{Value: []string{"1", "2"}},
	"blobs":  &types.AttributeValueMemberBS{Value: [][]byte{{1}, {2}}},
	"list":   &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberS{Value: "in a list"}}},
	"map": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{
		"lowerCase": &types.AttributeValueMemberL{Value: []types.AttributeValue{}},
	}},
}

type table struct{}

func (table) PutItem(_ context.Context, in *dynamodb.PutItemInput) (*dynamodb.PutItemOutput, error) {
	if in.ConditionExpression != nil {
		return nil, &types.ConditionalCheckFailedException{Message: aws.String("The conditional request failed"), Item: in.Item}
	}
	return &dynamodb.PutItemOutput{Attributes: in.Item}, nil
}

func (table) Scan(context.Context, *dynamodb.ScanInput) (*dynamodb.ScanOutput, error) {
	return &dynamodb.ScanOutput{Items: []map[string]types.AttributeValue{everyKind}}, nil
}

func TestDynamoDBTakesAndGivesUnions(t *testing.T) {
	client := dynamodb.NewFromConfig(serve(t, wire.Config{Services: []wire.Service{{Name: "dynamodb", Impl: table{}}}}))
	put, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("t"), Item: everyKind})
	if err != nil {
		t.Fatal(err)
	}
	same(t, everyKind, put.Attributes)
	listed, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("t")})
	if err != nil {
		t.Fatal(err)
	}
	same(t, everyKind, listed.Items[0])
}

func TestAnErrorBringsItsMembers(t *testing.T) {
	client := dynamodb.NewFromConfig(serve(t, wire.Config{Services: []wire.Service{{Name: "dynamodb", Impl: table{}}}}))
	_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("t"), Item: everyKind, ConditionExpression: aws.String("c")})
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		t.Fatalf("got %v, want ConditionalCheckFailedException", err)
	}
	same(t, everyKind, failed.Item)
}

func TestAUnionHasExactlyOneMemberThatIsKnown(t *testing.T) {
	for name, test := range map[string]struct {
		given any
		want  string
	}{
		"none":    {map[string]any{}, "Item.id must be an object with exactly one member, not an object"},
		"two":     {map[string]any{"S": "a", "N": "1"}, "Item.id must be an object with exactly one member, not an object"},
		"text":    {"a", "Item.id must be an object with exactly one member, not text"},
		"unknown": {map[string]any{"s": "a"}, "unknown member Item.id.s; correct its name, or remove it (known: B, BOOL, BS, L, M, N, NS, NULL, S, SS)"},
		"deep":    {map[string]any{"L": []any{map[string]any{"SS": "a"}}}, "Item.id.L[0].SS must be a list, not text"},
	} {
		t.Run(name, func(t *testing.T) {
			err := wire.Decode(map[string]any{"Item": map[string]any{"id": test.given}}, &dynamodb.PutItemInput{})
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}
