package secretsmanager_test

import (
	"errors"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"
)

// FuzzRotationRules holds that rules are refused with an error of AWS's, or
// plan a rotation that is due within their rate, whose window is as they say.
func FuzzRotationRules(f *testing.F) {
	for _, seed := range []struct {
		days                 int64
		expression, duration string
	}{
		{30, "", ""}, {1000, "", "24h"}, {0, "", ""}, {-1 << 63, "", ""}, {1 << 62, "", ""}, {-7, "rate(4 hours)", "3h"}, {-7, "rate(999 days)", ""}, {-7, "rate(10 day)", "0h"},
		{-7, "rate(99999 days)", "99h"}, {-7, "rate(03 hours)", ""}, {-7, "cron(0 8 ? * 1#1 *)", "2h"}, {-7, "", "1h"}, {5, "rate(5 days)", "1h"}, {-7, "rate(4 hours)\n", "4h\n"},
	} {
		f.Add(seed.days, seed.expression, seed.duration)
	}
	f.Fuzz(func(t *testing.T, days int64, expression, duration string) {
		r := newRotator(t)
		rules := &types.RotationRulesType{}
		if days != -7 {
			rules.AutomaticallyAfterDays = &days
		}
		if expression != "" {
			rules.ScheduleExpression = &expression
		}
		if duration != "" {
			rules.Duration = &duration
		}
		_, err := r.RotateSecret(t.Context(), &secretsmanager.RotateSecretInput{
			SecretId: aws.String("source"), RotationLambdaARN: aws.String(functionARN), RotationRules: rules, ClientRequestToken: token(9), RotateImmediately: aws.Bool(false),
		})
		if err != nil {
			var refused smithy.APIError
			if !errors.As(err, &refused) || refused.ErrorCode() != "InvalidParameterException" || len(refused.ErrorMessage()) < 10 {
				t.Errorf("%d, %q and %q are refused with %v", days, expression, duration, err)
			}
			return
		}
		// What has not rotated yet may rotate until the end of the next window.
		next := aws.ToTime(r.describe().NextRotationDate)
		every := time.Duration(days) * 24 * time.Hour
		if found := regexp.MustCompile(`^rate\((\d+) (day|hour)s?\)$`).FindStringSubmatch(expression); found != nil {
			n, _ := strconv.Atoi(found[1])
			if every = time.Duration(n) * time.Hour; found[2] == "day" {
				every *= 24
			}
		} else if expression != "" {
			t.Fatalf("%q is taken for a schedule", expression)
		}
		if days == -7 && expression == "" {
			if !next.IsZero() {
				t.Errorf("rules without a schedule rotate at %s", next)
			}
			return
		}
		if every < 4*time.Hour || every > 1000*24*time.Hour || !next.After(started) || next.Sub(started) > every+24*time.Hour {
			t.Errorf("%d, %q and %q rotate next at %s", days, expression, duration, next)
		}
	})
}
