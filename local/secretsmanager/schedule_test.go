package secretsmanager_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

func schedule(expression, duration string) func(*secretsmanager.RotateSecretInput) {
	return func(in *secretsmanager.RotateSecretInput) {
		in.RotationRules = &types.RotationRulesType{ScheduleExpression: aws.String(expression)}
		if duration != "" {
			in.RotationRules.Duration = aws.String(duration)
		}
	}
}

func (r *rotator) wantNext(want time.Time) {
	r.Helper()
	if next := r.describe().NextRotationDate; next == nil || !next.Equal(want) {
		r.Errorf("the next rotation is %v, want %s", next, want)
	}
}

// It is 10:20:30 on March 5.
func TestASecretRotatesByItsSchedule(t *testing.T) {
	march := func(d, hour, minute, second int) time.Time {
		return time.Date(2026, 3, d, hour, minute, second, 0, time.UTC)
	}
	for name, c := range map[string]struct {
		rules       func(*secretsmanager.RotateSecretInput)
		opens       time.Time
		next, after time.Time
	}{
		"days": {func(in *secretsmanager.RotateSecretInput) {
			in.RotationRules = &types.RotationRulesType{AutomaticallyAfterDays: aws.Int64(2)}
		}, march(7, 0, 0, 0), march(7, 23, 59, 59), march(9, 23, 59, 59)},
		"a rate in days":               {schedule("rate(1 day)", ""), march(6, 0, 0, 0), march(6, 23, 59, 59), march(7, 23, 59, 59)},
		"a rate in days with a window": {schedule("rate(10 days)", "3h"), march(15, 0, 0, 0), march(15, 2, 59, 59), march(25, 2, 59, 59)},
		"a rate in hours":              {schedule("rate(4 hours)", ""), march(5, 14, 0, 0), march(5, 14, 59, 59), march(5, 18, 59, 59)},
		"hours with a window":          {schedule("rate(12 hours)", "2h"), march(5, 22, 0, 0), march(5, 23, 59, 59), march(6, 11, 59, 59)},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRotator(t)
			must(t, r.rotate(2, c.rules))
			r.wantSteps(whole...)
			r.wantNext(c.next)

			r.advance(c.opens.Sub(r.clock.Now()) - time.Second)
			r.wantSteps()
			r.advance(time.Second)
			r.wantSteps(whole...)
			if rotated := r.describe().LastRotatedDate; !rotated.Equal(c.opens) {
				t.Errorf("last rotated %s, want %s", rotated, c.opens)
			}
			r.wantNext(c.after)
			if previous, current := r.holder("AWSPREVIOUS"), r.holder("AWSCURRENT"); *previous != *token(2) || *current == *token(2) {
				t.Errorf("AWSCURRENT is on %s and AWSPREVIOUS on %s, want a new version after %s", *current, *previous, *token(2))
			}
		})
	}
}

func TestAScheduleStartsWithTheTestOfTheCurrentValue(t *testing.T) {
	r := newRotator(t)
	must(t, r.rotate(2, testOnly, schedule("rate(1 day)", "")))
	r.wantSteps("testSecret")
	if r.describe().LastRotatedDate != nil {
		t.Error("a test counts as a rotation")
	}
	r.advance(24 * time.Hour)
	r.wantSteps(whole...)
}

func TestAValueWrittenByHandCountsAsARotation(t *testing.T) {
	r := newRotator(t)
	must(t, r.rotate(2, schedule("rate(2 days)", "")))
	r.ran()
	r.advance(24 * time.Hour)
	must(t, r.put(9, "by hand"))
	r.wantNext(time.Date(2026, 3, 8, 23, 59, 59, 0, time.UTC))
	r.advance(24 * time.Hour)
	r.wantSteps()
	r.advance(24 * time.Hour)
	r.wantSteps(whole...)
}

func TestTheScheduleTakesUpARotationThatFailed(t *testing.T) {
	r := newRotator(t)
	r.fail = "setSecret"
	must(t, r.rotate(2, schedule("rate(1 day)", "")))
	for range 6 {
		r.advance(time.Hour)
	}
	r.ran()
	r.fail = ""
	r.advance(24 * time.Hour)
	r.wantSteps(whole...)
	r.wantStages(map[string]int{"AWSCURRENT": 2, "AWSPENDING": 2, "AWSPREVIOUS": 1})
}

func TestSecretsRotateEachByItsOwnSchedule(t *testing.T) {
	r := newRotator(t)
	must(t, r.rotate(2, schedule("rate(2 days)", "")))
	r.other(testOnly, schedule("rate(1 day)", ""))
	r.ran()
	r.fail = "createSecret" // of the other secret, which is due first
	r.advance(24 * time.Hour)
	r.wantSteps("createSecret")
	r.fail = ""
	_, err := r.CancelRotateSecret(t.Context(), &secretsmanager.CancelRotateSecretInput{SecretId: aws.String("other")})
	must(t, err)
	r.advance(24 * time.Hour)
	r.wantSteps(whole...)
}

// other makes a second secret that rotates.
func (r *rotator) other(change ...func(*secretsmanager.RotateSecretInput)) {
	r.Helper()
	_, err := r.CreateSecret(r.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("other"), SecretString: aws.String("first"), ClientRequestToken: token(3)})
	must(r.T, err)
	must(r.T, r.rotate(4, append(change, func(in *secretsmanager.RotateSecretInput) { in.SecretId = aws.String("other") })...))
}

func TestADeletedSecretDoesNotRotateUntilItIsRestored(t *testing.T) {
	r := newRotator(t)
	must(t, r.rotate(2, schedule("rate(1 day)", "")))
	r.ran()
	_, err := r.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String("source")})
	must(t, err)
	// The secrets that are there are planned anew.
	r.other(testOnly)
	r.wantSteps("testSecret")
	r.advance(48 * time.Hour)
	r.wantSteps()
	_, err = r.RestoreSecret(t.Context(), &secretsmanager.RestoreSecretInput{SecretId: aws.String("source")})
	must(t, err)
	r.wait()
	r.wantSteps(whole...)
}

func TestAClosedServiceRotatesNoMore(t *testing.T) {
	r := newRotator(t)
	must(t, r.rotate(2, schedule("rate(1 day)", "")))
	r.ran()
	r.Close()
	expired, cancel := context.WithCancel(t.Context())
	cancel()
	if r.clock.BlockUntilContext(expired, 1) == nil {
		t.Error("a closed service waits for its next rotation")
	}
	must(t, r.rotate(3))
	r.wantSteps()
}
