package resources_test

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"api-destination-credentials/local/cloudformation"
	"api-destination-credentials/local/resources"
)

func TestAGeneratedNameTellsStackAndResource(t *testing.T) {
	if name := roleName(t, "app", "Thing", "token"); !regexp.MustCompile(`^app-Thing-[A-Za-z0-9]{12}$`).MatchString(name) {
		t.Errorf("got %s", name)
	}
}

func TestAGeneratedNameIsCutToTheLimit(t *testing.T) {
	long := strings.Repeat("x", 100)
	for _, test := range []struct{ stack, logicalID, want string }{
		{long, "Thing", `^x{45}-Thing-[A-Za-z0-9]{12}$`},
		{"app", long, `^app-x{47}-[A-Za-z0-9]{12}$`},
		{long, long, `^x{25}-x{25}-[A-Za-z0-9]{12}$`},
	} {
		if name := roleName(t, test.stack, test.logicalID, "token"); !regexp.MustCompile(test.want).MatchString(name) || len(name) != 64 {
			t.Errorf("got %s with %d characters, want %s", name, len(name), test.want)
		}
	}
}

func TestARetriedRequestGeneratesTheSameName(t *testing.T) {
	first := roleName(t, "app", "Thing", "token")
	if again := roleName(t, "app", "Thing", "token"); again != first {
		t.Errorf("the same request was named %s, then %s", first, again)
	}
	if other := roleName(t, "app", "Thing", "another token"); other == first {
		t.Errorf("two requests were both named %s", first)
	}
}

func roleName(t *testing.T, stack, logicalID, token string) string {
	t.Helper()
	iamFake := &roles{}
	_, err := provider(t, resources.Services{Roles: iamFake}, "AWS::IAM::Role").Create(context.Background(), cloudformation.Request{
		StackName: stack, LogicalID: logicalID, Token: token, Properties: map[string]any{"AssumeRolePolicyDocument": map[string]any{}},
	})
	check(t, err)
	return *iamFake.take()[0].(*iam.CreateRoleInput).RoleName
}
