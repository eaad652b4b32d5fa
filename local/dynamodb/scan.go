package dynamodb

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// page is what one answer reads at most, in bytes before the filter.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html
const page = 1 << 20

// Scan reads a table page by page. A page ends where Limit items or 1 MB are
// read, before the filter.
func (s *Service) Scan(ctx context.Context, in *dynamodb.ScanInput) (*dynamodb.ScanOutput, error) {
	answer := &dynamodb.ScanOutput{}
	return answer, s.with(ctx, "Scan", in.TableName, func(t *table) error {
		if err := unsupported(
			"AttributesToGet", in.AttributesToGet != nil, "ConditionalOperator", in.ConditionalOperator != "", "IndexName", in.IndexName != nil,
			"ReturnConsumedCapacity", measured(in.ReturnConsumedCapacity), "ScanFilter", in.ScanFilter != nil, "Segment", in.Segment != nil, "TotalSegments", in.TotalSegments != nil,
		); err != nil {
			return err
		}
		e := newExpressions(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
		r, err := s.reading(ctx, t, e, in.FilterExpression, in.ProjectionExpression, in.Select, in.Limit)
		if err != nil {
			return err
		}
		from := 0
		if in.ExclusiveStartKey != nil {
			id, err := t.keyOf(in.ExclusiveStartKey)
			if err != nil {
				return err
			}
			at, there := slices.BinarySearch(t.items.order, id)
			if from = at; there {
				from++
			}
		}
		if err := r.through(t, t.items.order[from:]); err != nil {
			return err
		}
		answer.Items, answer.Count, answer.ScannedCount, answer.LastEvaluatedKey = r.items, r.count, r.scanned, r.last
		return nil
	})
}

// Query reads the item of one partition key.
func (s *Service) Query(ctx context.Context, in *dynamodb.QueryInput) (*dynamodb.QueryOutput, error) {
	answer := &dynamodb.QueryOutput{}
	return answer, s.with(ctx, "Query", in.TableName, func(t *table) error {
		if err := unsupported(
			"AttributesToGet", in.AttributesToGet != nil, "ConditionalOperator", in.ConditionalOperator != "", "ExclusiveStartKey", in.ExclusiveStartKey != nil,
			"IndexName", in.IndexName != nil, "KeyConditions", in.KeyConditions != nil, "QueryFilter", in.QueryFilter != nil,
			"ReturnConsumedCapacity", measured(in.ReturnConsumedCapacity),
		); err != nil {
			return err
		}
		e := newExpressions(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
		name, value, err := e.key(in.KeyConditionExpression)
		if err != nil {
			return err
		}
		if name != aws.ToString(t.key.AttributeName) {
			return invalid("Query condition missed key schema element: %s", aws.ToString(t.key.AttributeName))
		}
		id, err := t.keyOf(item{name: value})
		if err != nil {
			return err
		}
		r, err := s.reading(ctx, t, e, in.FilterExpression, in.ProjectionExpression, in.Select, in.Limit)
		if err != nil {
			return err
		}
		var ids []string
		if _, there := t.items.records[id]; there {
			ids = []string{id}
		}
		if err := r.through(t, ids); err != nil {
			return err
		}
		answer.Items, answer.Count, answer.ScannedCount, answer.LastEvaluatedKey = r.items, r.count, r.scanned, r.last
		return nil
	})
}

// reading is one page of a Scan or Query.
type reading struct {
	tableKey []byte
	filter   condition
	shown    []string
	counts   bool
	limit    int

	items          []item // nil where only their number is asked for
	count, scanned int32
	last           item // the key of the last one that was read, where there may be more
}

func (s *Service) reading(ctx context.Context, t *table, e *expressions, filter, projection *string, selects types.Select, limit *int32) (*reading, error) {
	r := &reading{limit: len(t.items.order) + 1}
	if limit != nil {
		r.limit = int(*limit)
	}
	if r.limit < 1 {
		return nil, invalid("Limit is %d: give at least 1", r.limit)
	}
	switch selects {
	case "", types.SelectAllAttributes, types.SelectSpecificAttributes:
		r.items = []item{}
	case types.SelectCount:
		r.counts = true
	default:
		return nil, unsupported("Select "+string(selects), true)
	}
	var err error
	if r.filter, err = e.condition("FilterExpression", filter); err != nil {
		return nil, err
	}
	if r.shown, err = e.projection(projection); err != nil {
		return nil, err
	}
	if err := e.finish(); err != nil {
		return nil, err
	}
	if r.tableKey, err = s.unlock(ctx, t); err != nil {
		return nil, err
	}
	t.items.expire(s.config.Clock.Now())
	return r, nil
}

func (r *reading) through(t *table, ids []string) error {
	size := 0
	for i, id := range ids {
		one, err := t.items.get(r.tableKey, id)
		if err != nil {
			return err
		}
		size += t.items.records[id].size
		r.scanned++
		key := item{*t.key.AttributeName: one[*t.key.AttributeName]}
		if r.filter(one) {
			r.count++
			if !r.counts {
				r.items = append(r.items, project(one, r.shown))
			}
		}
		if int(r.scanned) == r.limit || size >= page && i+1 < len(ids) {
			r.last = key
			return nil
		}
	}
	return nil
}
