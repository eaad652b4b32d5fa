package dynamodb

import (
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// UpdateTimeToLive names the attribute that holds the second, since 1970, in
// which an item ends, or takes that away. It holds at once.
func (s *Service) UpdateTimeToLive(ctx context.Context, in *dynamodb.UpdateTimeToLiveInput) (*dynamodb.UpdateTimeToLiveOutput, error) {
	return &dynamodb.UpdateTimeToLiveOutput{TimeToLiveSpecification: in.TimeToLiveSpecification}, s.with(ctx, "UpdateTimeToLive", in.TableName, func(t *table) error {
		wanted := in.TimeToLiveSpecification
		if wanted == nil || wanted.Enabled == nil || aws.ToString(wanted.AttributeName) == "" {
			return invalid("TimeToLiveSpecification lacks Enabled or AttributeName: give both")
		}
		name := *wanted.AttributeName
		switch {
		case *wanted.Enabled && t.lives == name:
			return invalid("TimeToLive is already enabled")
		case *wanted.Enabled && t.lives != "":
			return invalid("TimeToLive is active on a different AttributeName: current AttributeName is %s", t.lives)
		case !*wanted.Enabled && t.lives == "":
			return invalid("TimeToLive is already disabled")
		case !*wanted.Enabled:
			name = ""
		}
		tableKey, err := s.unlock(ctx, t)
		if err != nil {
			return err
		}
		t.lives = name
		return t.items.restamp(tableKey, func(one item) int64 { return t.ends(one, s.config.Clock.Now()) })
	})
}

// DescribeTimeToLive tells which attribute it is.
func (s *Service) DescribeTimeToLive(ctx context.Context, in *dynamodb.DescribeTimeToLiveInput) (*dynamodb.DescribeTimeToLiveOutput, error) {
	shown := &types.TimeToLiveDescription{TimeToLiveStatus: types.TimeToLiveStatusDisabled}
	return &dynamodb.DescribeTimeToLiveOutput{TimeToLiveDescription: shown}, s.with(ctx, "DescribeTimeToLive", in.TableName, func(t *table) error {
		if t.lives != "" {
			shown.TimeToLiveStatus, shown.AttributeName = types.TimeToLiveStatusEnabled, aws.String(t.lives)
		}
		return nil
	})
}

// ends is the second in which an item's time is over; 0 for never. A time of
// more than five years ago is taken for a mistake, and the item stays.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html
func (t *table) ends(one item, now time.Time) int64 {
	stamp, ok := one[t.lives].(*types.AttributeValueMemberN)
	if !ok {
		return 0
	}
	second, err := strconv.ParseInt(stamp.Value, 10, 64)
	if err != nil || second <= now.AddDate(-5, 0, 0).Unix() {
		return 0
	}
	return second
}
