package secretsmanager_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/go-cmp/cmp"
)

var whole = []string{"createSecret", "setSecret", "testSecret", "finishSecret"}

func TestAFailedRotationIsTriedAgainWholeWithTheSameVersion(t *testing.T) {
	r := newRotator(t)
	r.fail = "testSecret"
	must(t, r.rotate(2))
	r.wantSteps(whole[:3]...)
	for _, wait := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute} {
		r.advance(wait - time.Second)
		r.wantSteps()
		r.advance(time.Second)
		if difference := cmp.Diff([]string{*token(2), *token(2), *token(2)}, r.tokens); difference != "" {
			t.Error(difference)
		}
		r.wantSteps(whole[:3]...)
		r.wantStages(map[string]int{"AWSCURRENT": 1, "AWSPENDING": 2})
	}
	r.fail = ""
	r.advance(8 * time.Minute)
	r.wantSteps(whole...)
	r.wantStages(map[string]int{"AWSCURRENT": 2, "AWSPENDING": 2, "AWSPREVIOUS": 1})
	if rotated := r.describe().LastRotatedDate; rotated == nil || !rotated.Equal(started.Add(15*time.Minute)) {
		t.Errorf("last rotated %v, want 15 minutes after the first attempt", rotated)
	}
	r.advance(time.Hour)
	r.wantSteps()
}

func TestAfterFiveAttemptsARotationRestsAndBlocksTheNext(t *testing.T) {
	r := newRotator(t)
	r.fail = "createSecret"
	must(t, r.rotate(2))
	for range 10 {
		r.advance(time.Hour)
	}
	r.wantSteps("createSecret", "createSecret", "createSecret", "createSecret", "createSecret")
	if err := r.rotate(3); code(err) != "InvalidRequestException" {
		t.Errorf("the next rotation: %v", err)
	}
	// A value written by hand clears it.
	r.fail = ""
	must(t, r.put(4, "by hand"))
	r.wantStages(map[string]int{"AWSCURRENT": 4, "AWSPREVIOUS": 1})
	must(t, r.rotate(5))
	r.wantSteps(whole...)
}

func TestAFinishThatFailsAfterItMovedCurrentIsCompletedByTheNextAttempt(t *testing.T) {
	r := newRotator(t)
	r.fail, r.late = "finishSecret", true
	must(t, r.rotate(2))
	moved := map[string]int{"AWSCURRENT": 2, "AWSPENDING": 2, "AWSPREVIOUS": 1}
	r.wantStages(moved)
	if r.describe().LastRotatedDate != nil {
		t.Error("a rotation whose last step failed counts as a rotation")
	}
	r.fail = ""
	r.advance(time.Minute)
	r.wantStages(moved)
	if r.describe().LastRotatedDate == nil {
		t.Error("the second attempt did not complete the rotation")
	}
}

func TestARotationThatWaitsIsGivenUp(t *testing.T) {
	for name, c := range map[string]struct {
		by     func(*rotator)
		stages map[string]int
	}{
		"for a value written by hand": {func(r *rotator) { must(r.T, r.put(9, "by hand")) }, map[string]int{"AWSCURRENT": 9, "AWSPREVIOUS": 1}},
		"when AWSPENDING is taken away": {func(r *rotator) { must(r.T, r.move("AWSPENDING", token(2), nil)) },
			map[string]int{"AWSCURRENT": 1}},
		"when rotation is turned off": {func(r *rotator) { r.cancel() }, map[string]int{"AWSCURRENT": 1, "AWSPENDING": 2}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRotator(t)
			r.fail = "setSecret"
			must(t, r.rotate(2))
			r.ran()
			c.by(r)
			for range 5 {
				r.advance(time.Hour)
			}
			r.wantSteps()
			r.wantStages(c.stages)
		})
	}
}

func TestARotationTurnedOffEndsBeforeItsNextStepAndLeavesPending(t *testing.T) {
	r := newRotator(t)
	r.cancel() // there is no rotation yet
	r.instead["setSecret"] = func(string) {
		if out := r.cancel(); aws.ToString(out.VersionId) != *token(2) {
			t.Errorf("cancelled %s, want version 2", aws.ToString(out.VersionId))
		}
	}
	must(t, r.rotate(2))
	r.wantSteps("createSecret", "setSecret")
	r.wantStages(map[string]int{"AWSCURRENT": 1, "AWSPENDING": 2})
	if shown := r.describe(); shown.RotationEnabled != nil || shown.NextRotationDate != nil {
		t.Errorf("described as %+v, want no rotation", shown)
	}
}

func TestWithoutImmediatelyOnlyTheTestStepRuns(t *testing.T) {
	for name, fail := range map[string]string{"passed": "", "failed": "testSecret"} {
		t.Run(name, func(t *testing.T) {
			r := newRotator(t)
			must(t, r.rotate(2)) // leaves AWSPENDING beside AWSCURRENT
			r.ran()
			r.values, r.fail = nil, fail
			if fail == "" {
				r.instead["testSecret"] = func(temporary string) {
					if pending := r.holder("AWSPENDING"); *pending != temporary || temporary == *token(3) {
						t.Errorf("the test is of %s, AWSPENDING is on %s", temporary, *pending)
					}
					if err := r.rotate(4); code(err) != "InvalidRequestException" {
						t.Errorf("a rotation during the test: %v", err)
					}
				}
			}
			must(t, r.rotate(3, testOnly))
			r.wantSteps("testSecret")
			if difference := cmp.Diff([]string{"rotated-value"}, r.values); difference != "" {
				t.Errorf("the temporary version: %s", difference)
			}
			r.wantStages(map[string]int{"AWSCURRENT": 2, "AWSPREVIOUS": 1})
			listed, err := r.ListSecretVersionIds(t.Context(), &secretsmanager.ListSecretVersionIdsInput{SecretId: aws.String("source"), IncludeDeprecated: aws.Bool(true)})
			must(t, err)
			if len(listed.Versions) != 2 {
				t.Errorf("%d versions are left, want the two from before", len(listed.Versions))
			}
			if !aws.ToBool(r.describe().RotationEnabled) {
				t.Error("rotation is not turned on")
			}
			r.advance(time.Hour)
			r.wantSteps()
		})
	}
}

func TestASecretWithoutValueCannotBeTested(t *testing.T) {
	r := newRotator(t)
	_, err := r.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("empty")})
	must(t, err)
	_, err = r.RotateSecret(t.Context(), &secretsmanager.RotateSecretInput{
		SecretId: aws.String("empty"), ClientRequestToken: token(2), RotationLambdaARN: aws.String(functionARN), RotateImmediately: aws.Bool(false),
	})
	if code(err) != "ResourceNotFoundException" {
		t.Error(err)
	}
	shown, err := r.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("empty")})
	must(t, err)
	if shown.RotationEnabled != nil {
		t.Error("a refused request turned rotation on")
	}
}

func testOnly(in *secretsmanager.RotateSecretInput) { in.RotateImmediately = aws.Bool(false) }
