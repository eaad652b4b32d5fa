package dynamodb

import (
	"context"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// PutItem writes an item in the place of the one with its key, if the condition
// holds for that one. Reading and writing are one step.
func (s *Service) PutItem(ctx context.Context, in *dynamodb.PutItemInput) (*dynamodb.PutItemOutput, error) {
	answer := &dynamodb.PutItemOutput{}
	return answer, s.with(ctx, "PutItem", in.TableName, func(t *table) error {
		if err := unsupported(
			"ConditionalOperator", in.ConditionalOperator != "", "Expected", in.Expected != nil,
			"ReturnConsumedCapacity", measured(in.ReturnConsumedCapacity), "ReturnItemCollectionMetrics", in.ReturnItemCollectionMetrics == types.ReturnItemCollectionMetricsSize,
		); err != nil {
			return err
		}
		id, err := t.check(in.Item)
		if err != nil {
			return err
		}
		c := change{in.ConditionExpression, newExpressions(in.ExpressionAttributeNames, in.ExpressionAttributeValues), in.ReturnValues, in.ReturnValuesOnConditionCheckFailure}
		answer.Attributes, err = s.change(ctx, t, id, c, func(tableKey []byte) error {
			return t.items.put(tableKey, id, in.Item, t.ends(in.Item, s.config.Clock.Now()))
		})
		return err
	})
}

// DeleteItem removes an item, if the condition holds for it. One that is not
// there is removed all the same.
func (s *Service) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput) (*dynamodb.DeleteItemOutput, error) {
	answer := &dynamodb.DeleteItemOutput{}
	return answer, s.with(ctx, "DeleteItem", in.TableName, func(t *table) error {
		if err := unsupported(
			"ConditionalOperator", in.ConditionalOperator != "", "Expected", in.Expected != nil,
			"ReturnConsumedCapacity", measured(in.ReturnConsumedCapacity), "ReturnItemCollectionMetrics", in.ReturnItemCollectionMetrics == types.ReturnItemCollectionMetricsSize,
		); err != nil {
			return err
		}
		id, err := t.keyOf(in.Key)
		if err != nil {
			return err
		}
		c := change{in.ConditionExpression, newExpressions(in.ExpressionAttributeNames, in.ExpressionAttributeValues), in.ReturnValues, in.ReturnValuesOnConditionCheckFailure}
		answer.Attributes, err = s.change(ctx, t, id, c, func([]byte) error {
			t.items.drop(id)
			return nil
		})
		return err
	})
}

// change is what PutItem and DeleteItem have in common.
type change struct {
	condition *string
	*expressions
	returns   types.ReturnValue
	onFailure types.ReturnValuesOnConditionCheckFailure
}

// change does something to one item if the condition holds, and returns the
// item as it was where that is asked for.
func (s *Service) change(ctx context.Context, t *table, id string, c change, do func(tableKey []byte) error) (item, error) {
	if c.returns != "" && c.returns != types.ReturnValueNone && c.returns != types.ReturnValueAllOld {
		return nil, invalid("ReturnValues can only be ALL_OLD or NONE")
	}
	holds, err := c.expressions.condition("ConditionExpression", c.condition)
	if err != nil {
		return nil, err
	}
	if err := c.finish(); err != nil {
		return nil, err
	}
	tableKey, err := s.unlock(ctx, t)
	if err != nil {
		return nil, err
	}
	t.items.expire(s.config.Clock.Now())
	old, err := t.items.get(tableKey, id)
	if err != nil {
		return nil, err
	}
	if !holds(old) {
		failed := &types.ConditionalCheckFailedException{Message: aws.String("The conditional request failed")}
		if c.onFailure == types.ReturnValuesOnConditionCheckFailureAllOld {
			failed.Item = old
		}
		return nil, failed
	}
	if err := do(tableKey); err != nil || c.returns != types.ReturnValueAllOld {
		return nil, err
	}
	return old, nil
}

// GetItem reads one item; none where there is none. The newest is read, asked
// for or not.
func (s *Service) GetItem(ctx context.Context, in *dynamodb.GetItemInput) (*dynamodb.GetItemOutput, error) {
	answer := &dynamodb.GetItemOutput{}
	return answer, s.with(ctx, "GetItem", in.TableName, func(t *table) error {
		if err := unsupported("AttributesToGet", in.AttributesToGet != nil, "ReturnConsumedCapacity", measured(in.ReturnConsumedCapacity)); err != nil {
			return err
		}
		id, err := t.keyOf(in.Key)
		if err != nil {
			return err
		}
		e := newExpressions(in.ExpressionAttributeNames, nil)
		shown, err := e.projection(in.ProjectionExpression)
		if err != nil {
			return err
		}
		if err := e.finish(); err != nil {
			return err
		}
		tableKey, err := s.unlock(ctx, t)
		if err != nil {
			return err
		}
		t.items.expire(s.config.Clock.Now())
		found, err := t.items.get(tableKey, id)
		answer.Item = project(found, shown)
		return err
	})
}

// project leaves the attributes that are asked for; nil asks for all.
func project(one item, names []string) item {
	if names == nil || one == nil {
		return one
	}
	wanted := map[string]bool{}
	for _, name := range names {
		wanted[name] = true
	}
	maps.DeleteFunc(one, func(name string, _ types.AttributeValue) bool { return !wanted[name] })
	return one
}

func measured(asked types.ReturnConsumedCapacity) bool {
	return asked != "" && asked != types.ReturnConsumedCapacityNone
}
