package credentials_test

import (
	"strings"
	"testing"
)

// TestTwoFollowersAtOnceAreNoError lets another follower be a moment faster at
// each call: an error would page somebody for work that is done.
func TestTwoFollowersAtOnceAreNoError(t *testing.T) {
	prepare := func() *cloud {
		c := newCloud()
		c.finishRotation(token)
		c.now = c.now.Add(3 * grace)
		return c
	}
	undisturbed := prepare()
	undisturbed.calls = nil
	if err := follow(undisturbed).finish(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(undisturbed.calls, " "), "DeleteUserPoolClientSecret") {
		t.Fatalf("nothing is retired in %v", undisturbed.calls)
	}
	for at, call := range undisturbed.calls {
		c := prepare()
		c.calls = nil
		calls, busy := 0, false
		c.fault = func(_ string, effective bool) error {
			if busy || effective {
				return nil
			}
			if calls++; calls == at+1 {
				busy = true
				if _, err := c.follower().Follow(t.Context()); err != nil {
					t.Errorf("the faster follower fails: %v", err)
				}
				busy = false
			}
			return nil
		}
		if _, err := c.follower().Follow(t.Context()); err != nil {
			t.Errorf("the follower that comes second at call %d (%s) fails: %v", at+1, call, err)
		}
		if len(c.clients) != 1 {
			t.Errorf("%d client secrets are left, want 1", len(c.clients))
		}
	}
}

// TestARotationThatEndsWhileTheNextOneBeginsIsNoError moves AWSPENDING on just
// before finishSecret takes it off.
func TestARotationThatEndsWhileTheNextOneBeginsIsNoError(t *testing.T) {
	c := newCloud()
	c.rotate(token)
	for _, step := range rotationSteps {
		c.fault = func(call string, effective bool) error {
			if call == "UpdateSecretVersionStage AWSPENDING" && !effective {
				c.stages["AWSPENDING"] = "next"
			}
			return nil
		}
		if err := rotationStep(c, step, token).finish(); err != nil {
			t.Fatalf("%s: %v", step, err)
		}
	}
	if c.stages["AWSPENDING"] != "next" || c.stages["AWSCURRENT"] != token {
		t.Errorf("the labels are %v", c.stages)
	}
}
