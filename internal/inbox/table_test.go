package inbox_test

import (
	"strings"
	"testing"
	"time"

	"api-destination-credentials/internal/inbox"
)

// setEnvironment sets what Lambda and the template give, with changes.
func setEnvironment(t *testing.T, changes map[string]string) {
	t.Helper()
	for name, value := range map[string]string{
		"INBOX_TABLE": "inbox", "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": secretKey, "AWS_SESSION_TOKEN": sessionToken,
		"INBOX_RETENTION": "", "AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_DYNAMODB": "",
	} {
		t.Setenv(name, value)
	}
	for name, value := range changes {
		t.Setenv(name, value)
	}
}

func TestTheEnvironmentNamesTheTable(t *testing.T) {
	for name, test := range map[string]struct {
		environment map[string]string
		url         string
		keep        time.Duration
	}{
		"as AWS gives it":        {nil, "https://dynamodb.eu-central-1.amazonaws.com", 336 * time.Hour},
		"in China":               {map[string]string{"AWS_REGION": "cn-north-1"}, "https://dynamodb.cn-north-1.amazonaws.com.cn", 336 * time.Hour},
		"on an endpoint":         {map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, "http://127.0.0.1:4566", 336 * time.Hour},
		"on DynamoDB's endpoint": {map[string]string{"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_DYNAMODB": "http://b"}, "http://b", 336 * time.Hour},
		"kept for longer":        {map[string]string{"INBOX_RETENTION": "720h"}, "https://dynamodb.eu-central-1.amazonaws.com", 720 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			setEnvironment(t, test.environment)
			table, err := inbox.FromEnvironment()
			if err != nil {
				t.Fatal(err)
			}
			if table.Name != "inbox" || table.URL != test.url || table.Keep != test.keep || table.Credentials.SessionToken != sessionToken {
				t.Errorf("got %s at %s for %s, want inbox at %s for %s", table.Name, table.URL, table.Keep, test.url, test.keep)
			}
		})
	}
}

func TestAnEnvironmentThatLacksSomethingIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		environment map[string]string
		want        string
	}{
		"no table":           {map[string]string{"INBOX_TABLE": ""}, "the environment lacks INBOX_TABLE: set it in the template, or with --env-vars"},
		"no credentials":     {map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "lacks AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"},
		"no duration":        {map[string]string{"INBOX_RETENTION": "14 days"}, `INBOX_RETENTION is "14 days": set it to a duration such as 336h`},
		"shorter than retry": {map[string]string{"INBOX_RETENTION": "24h"}, "longer than the 24h for which EventBridge tries"},
	} {
		t.Run(name, func(t *testing.T) {
			setEnvironment(t, test.environment)
			_, err := inbox.FromEnvironment()
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %s", err, test.want)
			}
			if strings.Contains(err.Error(), secretKey) || strings.Contains(err.Error(), sessionToken) {
				t.Errorf("the error tells a secret: %v", err)
			}
		})
	}
}
