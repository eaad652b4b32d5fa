package dynamodb

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// longestRecovery is how far back a table can be restored, in days.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PointInTimeRecoverySpecification.html
const longestRecovery = 35

// UpdateContinuousBackups turns point-in-time recovery on or off. It is a
// setting only: nothing can be restored here.
func (s *Service) UpdateContinuousBackups(ctx context.Context, in *dynamodb.UpdateContinuousBackupsInput) (*dynamodb.UpdateContinuousBackupsOutput, error) {
	answer := &dynamodb.UpdateContinuousBackupsOutput{}
	return answer, s.with(ctx, "UpdateContinuousBackups", in.TableName, func(t *table) error {
		wanted := in.PointInTimeRecoverySpecification
		if wanted == nil || wanted.PointInTimeRecoveryEnabled == nil {
			return invalid("PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled is missing: give true or false")
		}
		days := aws.ToInt32(wanted.RecoveryPeriodInDays)
		if wanted.RecoveryPeriodInDays == nil {
			days = longestRecovery
		}
		if days < 1 || days > longestRecovery {
			return invalid("RecoveryPeriodInDays is %d: give 1 to %d", days, longestRecovery)
		}
		if !*wanted.PointInTimeRecoveryEnabled {
			days = 0
		}
		if t.recovery == 0 {
			t.recovers = s.config.Clock.Now()
		}
		t.recovery = days
		answer.ContinuousBackupsDescription = s.backups(t)
		return nil
	})
}

// DescribeContinuousBackups tells whether point-in-time recovery is on.
func (s *Service) DescribeContinuousBackups(ctx context.Context, in *dynamodb.DescribeContinuousBackupsInput) (*dynamodb.DescribeContinuousBackupsOutput, error) {
	answer := &dynamodb.DescribeContinuousBackupsOutput{}
	return answer, s.with(ctx, "DescribeContinuousBackups", in.TableName, func(t *table) error {
		answer.ContinuousBackupsDescription = s.backups(t)
		return nil
	})
}

func (s *Service) backups(t *table) *types.ContinuousBackupsDescription {
	shown := &types.ContinuousBackupsDescription{
		ContinuousBackupsStatus:        types.ContinuousBackupsStatusEnabled,
		PointInTimeRecoveryDescription: &types.PointInTimeRecoveryDescription{PointInTimeRecoveryStatus: types.PointInTimeRecoveryStatusDisabled},
	}
	if t.recovery == 0 {
		return shown
	}
	now := s.config.Clock.Now()
	earliest, latest := now.AddDate(0, 0, -int(t.recovery)), now.Add(-5*time.Minute)
	if earliest.Before(t.recovers) {
		earliest = t.recovers
	}
	if latest.Before(earliest) {
		latest = earliest
	}
	shown.PointInTimeRecoveryDescription = &types.PointInTimeRecoveryDescription{
		PointInTimeRecoveryStatus: types.PointInTimeRecoveryStatusEnabled, RecoveryPeriodInDays: aws.Int32(t.recovery),
		EarliestRestorableDateTime: aws.Time(earliest), LatestRestorableDateTime: aws.Time(latest),
	}
	return shown
}
