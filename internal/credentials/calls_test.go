package credentials_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestARotationMakesTheCallsItNeedsAndNoMore(t *testing.T) {
	c := newCloud()
	c.rotate(token)
	got := map[string][]string{}
	for _, step := range rotationSteps {
		c.calls = nil
		if err := rotationStep(c, step, token).finish(); err != nil {
			t.Fatal(err)
		}
		got[step] = c.calls
	}
	want := map[string][]string{
		// Is it staged? Is it written already? What does the JSON look like? Write it.
		"createSecret": {"DescribeSecret", "GetSecretValue", "GetSecretValue", "PutSecretValue"},
		// The first rotation also finds out which client secret AWSCURRENT holds:
		// one token request and one label, which later rotations need not make.
		"setSecret": {
			"DescribeSecret", "GetSecretValue", "ListUserPoolClientSecrets", "GetSecretValue", "token request", "UpdateSecretVersionStage cognito",
			"AddUserPoolClientSecret", "UpdateSecretVersionStage cognito",
		},
		"testSecret": {"DescribeSecret", "GetSecretValue", "token request"},
		// Key, proof, switch, wait for AUTHORIZED, see what it holds, and three labels.
		"finishSecret": {
			"DescribeSecret", "DescribeKey", "ListResourceTags", "GetSecretValue", "token request",
			"DescribeConnection", "GetSecretValue of the connection", "UpdateConnection", "DescribeConnection", "DescribeConnection",
			"GetSecretValue of the connection", "UpdateSecretVersionStage eventbridge", "UpdateSecretVersionStage AWSCURRENT",
			"UpdateSecretVersionStage AWSPENDING",
		},
	}
	if difference := cmp.Diff(want, got); difference != "" {
		t.Error(difference)
	}
}

func TestAFollowerWithNothingToDoMakesSevenCalls(t *testing.T) {
	c := newCloud()
	for range 2 {
		c.calls = nil
		if err := follow(c).finish(); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"DescribeKey", "ListResourceTags", "DescribeSecret", "GetSecretValue", "DescribeConnection", "GetSecretValue of the connection", "ListUserPoolClientSecrets"}
	if difference := cmp.Diff(want, c.calls); difference != "" {
		t.Error(difference)
	}
}
