package credentials_test

import (
	"strings"
	"testing"
	"time"

	"api-destination-credentials/internal/credentials"
)

func TestTheEnvironmentNamesAllThatItLacks(t *testing.T) {
	t.Setenv("CONNECTION_NAME", "Connection")
	t.Setenv("CLIENT_ID_KEY", "ClientID")
	_, err := credentials.FromEnvironment()
	if err == nil || !strings.Contains(err.Error(), "SECRET_ARN, KEY_ARN, AUTHORIZATION_ENDPOINT, CLIENT_SECRET_KEY") {
		t.Errorf("err is %v, want one that names what is missing", err)
	}
	for _, name := range []string{"SECRET_ARN", "KEY_ARN", "AUTHORIZATION_ENDPOINT", "CLIENT_SECRET_KEY"} {
		t.Setenv(name, "x")
	}
	if connection, err := credentials.FromEnvironment(); err != nil || connection.Name != "Connection" || connection.Scope != "" {
		t.Errorf("a connection without a scope is %+v, %v", connection, err)
	}
}

func TestTheGraceTimeIsADuration(t *testing.T) {
	for value, want := range map[string]time.Duration{"120m": 2 * time.Hour, "0m": 0} {
		t.Setenv("GRACE_TIME", value)
		if grace, err := credentials.GraceFromEnvironment(); err != nil || grace != want {
			t.Errorf("%s is %v, %v", value, grace, err)
		}
	}
	for _, value := range []string{"", "120", "-1m"} {
		t.Setenv("GRACE_TIME", value)
		if _, err := credentials.GraceFromEnvironment(); err == nil || !strings.Contains(err.Error(), "GRACE_TIME") {
			t.Errorf("%q: err is %v", value, err)
		}
	}
}
