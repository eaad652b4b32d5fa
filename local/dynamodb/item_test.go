package dynamodb_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestOneOfManyWritersGetsAnId(t *testing.T) {
	w := newWorld(t)
	w.create(nil)
	var won, lost atomic.Int32
	var writers sync.WaitGroup
	for i := range 20 {
		writers.Go(func() {
			_, err := w.PutItem(t.Context(), &dynamodb.PutItemInput{
				TableName: table, Item: item{"id": text("e-1"), "writer": num(fmt.Sprint(i))},
				ConditionExpression: aws.String("attribute_not_exists(id)"),
			})
			var failed *types.ConditionalCheckFailedException
			switch {
			case err == nil:
				won.Add(1)
			case errors.As(err, &failed) && failed.Item == nil:
				lost.Add(1)
			default:
				t.Errorf("got %v", err)
			}
		})
	}
	writers.Wait()
	if won.Load() != 1 || lost.Load() != 19 {
		t.Errorf("%d won and %d lost, want 1 and 19", won.Load(), lost.Load())
	}
}

func TestAFailedConditionShowsTheItemWhereThatIsAskedFor(t *testing.T) {
	w := newWorld(t)
	w.create(nil)
	must(t, 0, w.put(item{"id": text("e-1"), "n": num("1")}))
	_, err := w.PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: table, Item: item{"id": text("e-1"), "n": num("2")}, ConditionExpression: aws.String("attribute_not_exists(id)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		t.Fatalf("got %v", err)
	}
	same(t, item{"id": text("e-1"), "n": num("1")}, failed.Item)
	if *failed.Message != "The conditional request failed" {
		t.Errorf("it says %s", *failed.Message)
	}
}

func TestTheItemBeforeIsReturned(t *testing.T) {
	w := newWorld(t)
	w.create(nil)
	put, err := w.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: item{"id": text("e-1"), "n": num("1")}, ReturnValues: types.ReturnValueAllOld})
	if must(t, put, err).Attributes != nil {
		t.Errorf("got %v, want nothing before the first", put.Attributes)
	}
	put, err = w.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: item{"id": text("e-1"), "n": num("2")}, ReturnValues: types.ReturnValueAllOld})
	same(t, item{"id": text("e-1"), "n": num("1")}, must(t, put, err).Attributes)
	gone, err := w.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: table, Key: item{"id": text("e-1")}, ReturnValues: types.ReturnValueAllOld})
	same(t, item{"id": text("e-1"), "n": num("2")}, must(t, gone, err).Attributes)
	gone, err = w.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: table, Key: item{"id": text("e-1")}, ReturnValues: types.ReturnValueAllOld})
	if must(t, gone, err).Attributes != nil {
		t.Errorf("got %v, want nothing after it is gone", gone.Attributes)
	}
	_, err = w.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: item{"id": text("e-1")}, ReturnValues: types.ReturnValueAllNew})
	wantRefusal(t, err, "ReturnValues can only be ALL_OLD or NONE")
}

func TestAnItemThatDoesNotFitIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		one  item
		want string
	}{
		"no key":           {item{"n": num("1")}, "Missing the key id in the item"},
		"key of a number":  {item{"id": num("1")}, "Type mismatch for key id expected: S actual: N"},
		"empty key":        {item{"id": text("")}, "cannot contain an empty string value. Key: id"},
		"long key":         {item{"id": text(strings.Repeat("x", 2049))}, "Size of hashkey"},
		"too large":        {item{"id": text("e-1"), "payload": text(strings.Repeat("x", 400<<10))}, "Item size has exceeded the maximum allowed size"},
		"no value":         {item{"id": text("e-1"), "x": nil}, "Supplied AttributeValue is empty"},
		"text as a number": {item{"id": text("e-1"), "x": num("one")}, "cannot be converted to a numeric value: one"},
		"many digits":      {item{"id": text("e-1"), "x": num(strings.Repeat("9", 39))}, "more than 38 significant digits"},
		"a huge number":    {item{"id": text("e-1"), "x": num("1e126")}, "Number overflow"},
		"an empty set":     {item{"id": text("e-1"), "x": &types.AttributeValueMemberSS{}}, "An string set may not be empty"},
		"twice in a set":   {item{"id": text("e-1"), "x": &types.AttributeValueMemberNS{Value: []string{"1", "1.0"}}}, "contains duplicates"},
		"deep inside":      {item{"id": text("e-1"), "x": &types.AttributeValueMemberL{Value: []types.AttributeValue{num("x")}}}, "numeric value"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.create(nil)
			wantRefusal(t, w.put(test.one), test.want)
		})
	}
}

func TestAnItemOfTheLargestSizeFits(t *testing.T) {
	w := newWorld(t)
	w.create(nil)
	must(t, 0, w.put(item{"id": text("e-1"), "p": text(strings.Repeat("x", 400<<10-len("id")-len("e-1")-len("p")))}))
}

func TestConditionsAndFilters(t *testing.T) {
	one := item{
		"id": text("e-1"), "n": num("7.50"), "tags": &types.AttributeValueMemberSS{Value: []string{"b", "a"}},
		"map": &types.AttributeValueMemberM{Value: item{"list": &types.AttributeValueMemberL{Value: []types.AttributeValue{text("x"), num("2")}}}},
		"on":  &types.AttributeValueMemberBOOL{Value: true},
	}
	values := item{
		":seven": num("7.5"), ":ten": num("1e1"), ":nine": text("9"), ":e": text("e-"), ":x": text("x"), ":a": text("a"), ":S": text("S"),
		":true": &types.AttributeValueMemberBOOL{Value: true}, ":tags": &types.AttributeValueMemberSS{Value: []string{"a", "b"}}, ":two": num("2"),
	}
	for expression, want := range map[string]bool{
		"attribute_exists(n)":                              true,
		"attribute_exists(m)":                              false,
		"attribute_not_exists(#map.list[1])":               false,
		"attribute_not_exists(#map.list[2])":               true,
		"attribute_not_exists(#map.none)":                  true,
		"n = :seven":                                       true,
		"n <> :seven":                                      false,
		"n < :ten":                                         true, // as numbers
		"n < :nine":                                        false,
		"n >= :seven AND n <= :seven":                      true,
		"n > :seven OR n > :ten":                           false,
		"absent <> :seven":                                 true,
		"absent = :seven":                                  false,
		"absent < :seven":                                  false,
		"NOT n = :seven":                                   false,
		"not (n = :ten or n = :seven) OR on = :true":       true,
		"n = :ten OR n = :seven AND on = :true":            true,
		"(n = :seven OR n = :ten) AND n = :ten":            false,
		"begins_with(id, :e)":                              true,
		"begins_with(id, :x)":                              false,
		"contains(tags, :a)":                               true,
		"contains(tags, :x)":                               false,
		"contains(#map.list, :x)":                          true,
		"contains(id, :e)":                                 true,
		"tags = :tags":                                     true, // sets have no order
		"attribute_type(id, :S)":                           true,
		"attribute_type(n, :S)":                            false,
		"size(tags) = :two AND size(#map.list) = size(#m)": false,
		"size(id) > :two":                                  true,
		"n BETWEEN :two AND :ten AND on = :true":           true,
		"n in (:two, :seven)":                              true,
		"n IN (:two)":                                      false,
	} {
		t.Run(expression, func(t *testing.T) {
			w := newWorld(t)
			w.create(nil)
			must(t, 0, w.put(one))
			names, used := map[string]string{}, item{}
			for name, stands := range map[string]string{"#map": "map", "#m": "map"} {
				if strings.Contains(expression, name+".") || strings.Contains(expression, name+")") {
					names[name] = stands
				}
			}
			for name, value := range values {
				if strings.Contains(expression, name) {
					used[name] = value
				}
			}
			out, err := w.Scan(t.Context(), &dynamodb.ScanInput{
				TableName: table, FilterExpression: aws.String(expression), ExpressionAttributeNames: names, ExpressionAttributeValues: used,
			})
			if got := must(t, out, err).Count == 1; got != want {
				t.Errorf("got %v, want %v", got, want)
			}
			_, err = w.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
				TableName: table, Key: item{"id": text("e-1")}, ConditionExpression: aws.String(expression), ExpressionAttributeNames: names, ExpressionAttributeValues: used,
			})
			if (err == nil) != want {
				t.Errorf("the same as a condition: got %v, want %v", err, want)
			}
		})
	}
}

func TestAnExpressionThatCannotBeReadIsRefused(t *testing.T) {
	for expression, want := range map[string]string{
		"":                                "The expression can not be empty",
		"n":                               `Syntax error; token: "<EOF>"`,
		"n =":                             `Syntax error; token: "<EOF>"`,
		"n == :v":                         `Syntax error; token: "="`,
		"n = :v)":                         `Syntax error; token: ")"`,
		"(n = :v":                         `Syntax error; token: "<EOF>"`,
		"n = 1":                           `Syntax error; token: "1"`,
		"n = 'x'":                         `Syntax error; token: "'"`,
		"n[x] = :v":                       `Syntax error`,
		"attribute_exists(n, n)":          `Syntax error; token: ","`,
		"begins_with(n)":                  `Syntax error; token: ")"`,
		"n BETWEEN :v OR :v":              `Syntax error; token: "OR"`,
		"n IN :v":                         `Syntax error; token: ":v"`,
		"NOT":                             `Syntax error; token: "<EOF>"`,
		"n = :w":                          "attribute value used in expression is not defined; attribute value: :w",
		"#n = :v":                         "attribute name used in the document path is not defined; attribute name: #n",
		"attribute_exists(n)":             "ExpressionAttributeValues unused in expressions: keys: {:v}",
		strings.Repeat("(", 2) + "n = :v": `Syntax error; token: "<EOF>"`,
	} {
		t.Run(expression, func(t *testing.T) {
			w := newWorld(t)
			w.create(nil)
			_, err := w.PutItem(t.Context(), &dynamodb.PutItemInput{
				TableName: table, Item: item{"id": text("e-1")}, ConditionExpression: aws.String(expression), ExpressionAttributeValues: item{":v": num("1")},
			})
			wantRefusal(t, err, want)
		})
	}
}

func TestATableIsReadPageByPage(t *testing.T) {
	for name, test := range map[string]struct {
		limit *int32
		pages int
	}{
		"by size":  {nil, 3}, // 25 items of about 100 KB, 11 to a page
		"by limit": {aws.Int32(10), 3},
		// As many as there are: that nothing follows is seen only then.
		"by a limit that is just met": {aws.Int32(5), 6},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.create(encrypted)
			for i := range 25 {
				must(t, 0, w.put(item{"id": text(fmt.Sprintf("e-%02d", i)), "payload": text(strings.Repeat("x", 100_000)), "odd": &types.AttributeValueMemberBOOL{Value: i%2 == 1}}))
			}
			in := &dynamodb.ScanInput{
				TableName: table, Limit: test.limit, FilterExpression: aws.String("odd = :true"), ProjectionExpression: aws.String("id"),
				ExpressionAttributeValues: item{":true": &types.AttributeValueMemberBOOL{Value: true}},
			}
			var found []item
			pages, counted, scanned := 0, 0, 0
			for {
				out, err := w.Scan(t.Context(), in)
				found = append(found, must(t, out, err).Items...)
				pages, counted, scanned = pages+1, counted+int(out.Count), scanned+int(out.ScannedCount)
				if out.LastEvaluatedKey == nil {
					break
				}
				in.ExclusiveStartKey = out.LastEvaluatedKey
			}
			var want []item
			for i := 1; i < 25; i += 2 {
				want = append(want, item{"id": text(fmt.Sprintf("e-%02d", i))})
			}
			same(t, want, found)
			if pages != test.pages || counted != 12 || scanned != 25 {
				t.Errorf("%d pages, %d counted, %d scanned; want %d, 12, 25", pages, counted, scanned, test.pages)
			}
		})
	}
}

func TestItemsAreCountedWithoutBeingShown(t *testing.T) {
	w := newWorld(t)
	w.create(nil)
	must(t, 0, w.put(item{"id": text("e-1")}))
	out, err := w.Scan(t.Context(), &dynamodb.ScanInput{TableName: table, Select: types.SelectCount})
	if must(t, out, err); out.Count != 1 || out.Items != nil {
		t.Errorf("got %d and %v, want 1 and no items", out.Count, out.Items)
	}
}

func TestAQueryFindsTheItemOfItsKey(t *testing.T) {
	w := newWorld(t)
	w.create(nil)
	must(t, 0, w.put(item{"id": text("e-1"), "n": num("1")}))
	query := func(expression, id string) (*dynamodb.QueryOutput, error) {
		return w.Query(t.Context(), &dynamodb.QueryInput{TableName: table, KeyConditionExpression: aws.String(expression), ExpressionAttributeValues: item{":v": text(id)}})
	}
	found, err := query("id = :v", "e-1")
	same(t, []item{{"id": text("e-1"), "n": num("1")}}, must(t, found, err).Items)
	found, err = query("id = :v", "e-2")
	same(t, []item{}, must(t, found, err).Items)
	_, err = query("n = :v", "e-1")
	wantRefusal(t, err, "Query condition missed key schema element: id")
	_, err = query("id > :v", "e-1")
	wantRefusal(t, err, "give the partition key alone")
}

func TestEqualNumbersAreOneKey(t *testing.T) {
	w := newWorld(t)
	w.create(func(in *dynamodb.CreateTableInput) {
		in.AttributeDefinitions[0].AttributeType = types.ScalarAttributeTypeN
	})
	must(t, 0, w.put(item{"id": num("10"), "x": text("first")}))
	must(t, 0, w.put(item{"id": num("1e1"), "x": text("second")}))
	found, err := w.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: table, Key: item{"id": num("10.0")}, ProjectionExpression: aws.String("x")})
	same(t, item{"x": text("second")}, must(t, found, err).Item)
	for name, key := range map[string]item{"of another type": {"id": text("10")}, "with more": {"id": num("10"), "x": text("first")}, "without": {}} {
		_, err := w.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: table, Key: key})
		if got := refusal(err); got != "ValidationException: The provided key element does not match the schema" {
			t.Errorf("a key %s: got %s", name, got)
		}
	}
}
