package doctor_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"api-destination-credentials/internal/doctor"
)

// examine looks at a stack as the command does, with nothing of this machine's
// own AWS configuration.
func examine(t *testing.T, ctx context.Context, environment map[string]string) error {
	t.Helper()
	for _, name := range []string{"AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/config")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/credentials")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for name, value := range environment {
		t.Setenv(name, value)
	}
	configuration, err := doctor.Configuration(ctx, "")
	if err != nil {
		return err
	}
	_, err = doctor.New(configuration).Examine(ctx, "orders")
	return err
}

func refusing(t *testing.T, code, message string) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `<ErrorResponse><Error><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>`, code, message)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestAStackThatCannotBeLookedAtIsExplainedWithANextStep(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + free.Addr().String()
	free.Close()
	signed := func(more ...string) map[string]string {
		set := map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
		for i := 0; i < len(more); i += 2 {
			set[more[i]] = more[i+1]
		}
		return set
	}
	for _, c := range []struct {
		name        string
		environment map[string]string
		wants       []string
	}{
		{"nobody at the endpoint", signed("AWS_ENDPOINT_URL", closed, "AWS_MAX_ATTEMPTS", "1"), []string{"nothing answers at " + closed + " (connection refused)", "make local", "unset AWS_ENDPOINT_URL"}},
		{"no credentials", map[string]string{"AWS_REGION": "us-east-1"}, []string{"no AWS credentials", "aws configure"}},
		{"no Region", signed("AWS_REGION", ""), []string{"no Region", "-region"}},
		{"no such profile", map[string]string{"AWS_PROFILE": "nobody"}, []string{"nobody", "aws configure list"}},
		{"no such stack", signed("AWS_ENDPOINT_URL", refusing(t, "ValidationError", "Stack with id orders does not exist")), []string{"does not exist", "-stack", "make deploy"}},
		{"not allowed", signed("AWS_ENDPOINT_URL", refusing(t, "AccessDenied", "not authorized to perform cloudformation:DescribeStacks")), []string{"AccessDenied", "aws sts get-caller-identity"}},
		{"expired", signed("AWS_ENDPOINT_URL", refusing(t, "ExpiredToken", "The security token is expired")), []string{"ExpiredToken", "aws sso login"}},
		{"something else", signed("AWS_ENDPOINT_URL", refusing(t, "Strange", "Strange things")), []string{"Strange things", "docs/operations.md"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := examine(t, t.Context(), c.environment)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.wants {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}

func TestAnEndpointThatTakesTheCallAndDoesNotAnswerIsNotWaitedForLong(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	began := time.Now()
	err = examine(t, t.Context(), map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_MAX_ATTEMPTS": "1",
		"AWS_ENDPOINT_URL": "http://" + silent.Addr().String(),
	})
	if err == nil || !strings.Contains(err.Error(), "no answer in time") || !strings.Contains(err.Error(), "make local") {
		t.Errorf("error %v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("one attempt took %s", took)
	}
}
