package page_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"api-destination-credentials/local/page"
)

func TestEveryButtonActsAndThePageShowsIt(t *testing.T) {
	w := newWorld(t)
	w.deploy()
	w.awaitDeployment()
	w.until("AUTHORIZED", "api-destination CREATE_COMPLETE", "Event bus ACTIVE 0 events put", "Receiver ACTIVE", "None is in ALARM.")

	if said := w.press("send"); !strings.Contains(said, "Sent event ") {
		t.Errorf("after sending the page says\n%s", said)
	}
	w.until("Event bus ACTIVE 1 events put", "Rule ENABLED 1 matched", "Receiver ACTIVE 1 delivered", "com.demo-event-bus.cmk: demo-event-type Delivered in ", "attempt 1, HTTP 202")

	before := w.labelled("AWSCURRENT")
	if said := w.press("rotate"); !strings.Contains(said, "Rotation began: version ") {
		t.Fatalf("after rotating the page says\n%s", said)
	}
	w.until("createSecret , done setSecret , done testSecret , done finishSecret , done", "Last rotation made")
	after := w.labelled("AWSCURRENT")
	if after == before {
		t.Error("AWSCURRENT has not moved")
	}
	w.until("Holds version "+after[:8], before[:8])

	w.press("break/receiver")
	w.until("Receiver down", "Broken", "Receiver THROTTLED")
	w.press("send")
	w.until("Attempt 1 HTTP 503", "Being retried", "On their way 1")
	w.press("repair/receiver")
	w.until("Receiver ACTIVE 2 delivered", "On their way 0")

	w.press("break/address")
	w.until("API destination wrong address")
	w.press("send")
	w.until("Attempt 1 HTTP 404", "Dead letter ERROR_FROM_TARGET", "The rule's dead-letter queue 1", "The endpoint answered with HTTP status 404.")
	w.press("repair/address")
	w.until("API destination ACTIVE")

	w.press("break/secret")
	w.until("wrong-secret", "Connection AUTHORIZED")
	if now := w.labelled("AWSCURRENT"); !strings.HasPrefix(now, "wrong-secret-") {
		t.Errorf("AWSCURRENT is on %s, want it on the wrong one", now)
	}
	w.press("send")
	w.until("Receiver ACTIVE 3 delivered")
	w.press("break/key")
	w.until("Event bus key Disabled")
	if said := w.press("send"); !strings.Contains(said, "Sent event") {
		t.Errorf("after sending with a disabled key the page says\n%s", said)
	}
	w.until("Dead letter NO_RESOURCE", "The rule's dead-letter queue 2")

	said := w.press("repair")
	if !strings.Contains(said, "The key is enabled again.") || !strings.Contains(said, "AWSCURRENT is back") {
		t.Errorf("after repairing everything the page says\n%s", said)
	}
	w.until("Key Enabled", "Holds version "+after[:8])
	if now := w.labelled("AWSCURRENT"); now != after {
		t.Errorf("AWSCURRENT is on %s, want it back on %s", now, after)
	}
	if strings.Contains(w.look(), "Broken") {
		t.Errorf("something is still broken:\n%s", w.look())
	}
	w.press("send")
	w.until("Receiver ACTIVE 4 delivered")
	if said := w.press("repair"); !strings.Contains(said, "Nothing is broken.") {
		t.Errorf("repairing what is in order says\n%s", said)
	}
	w.rings()
	w.staysSecret()
}

// rings checks that an alarm shows with its remedy.
func (w *world) rings() {
	w.Helper()
	alarms := cloudwatch.NewFromConfig(w.aws)
	found, err := alarms.DescribeAlarms(w.Context(), &cloudwatch.DescribeAlarmsInput{})
	if err != nil {
		w.Fatal(err)
	}
	for _, alarm := range found.MetricAlarms {
		if !strings.Contains(aws.ToString(alarm.AlarmName), "RotationFailedAlarm") {
			continue
		}
		if _, err := alarms.SetAlarmState(w.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: alarm.AlarmName, StateValue: cwtypes.StateValueAlarm, StateReason: aws.String("test")}); err != nil {
			w.Fatal(err)
		}
		w.until("RotationFailedAlarm ALARM")
		return
	}
	w.Fatal("the stack has no alarm for failed rotations")
}

// staysSecret compares all that the page ever answered with every value that
// the client secret had, and looks for tokens.
func (w *world) staysSecret() {
	w.Helper()
	secrets := secretsmanager.NewFromConfig(w.aws)
	id := aws.String(w.prerequisite["OAuthSecretArn"])
	listed, err := secrets.ListSecretVersionIds(w.Context(), &secretsmanager.ListSecretVersionIdsInput{SecretId: id, IncludeDeprecated: aws.Bool(true)})
	if err != nil {
		w.Fatal(err)
	}
	client, err := cognitoidentityprovider.NewFromConfig(w.aws).DescribeUserPoolClient(w.Context(), &cognitoidentityprovider.DescribeUserPoolClientInput{
		ClientId: aws.String(w.prerequisite["ClientID"]), UserPoolId: aws.String(w.prerequisite["UserPoolId"]),
	})
	if err != nil {
		w.Fatal(err)
	}
	hidden := []string{aws.ToString(client.UserPoolClient.ClientSecret), strings.Repeat("wrong", 8), "Bearer ", "eyJ", "blue-mug"}
	for _, version := range listed.Versions {
		got, err := secrets.GetSecretValue(w.Context(), &secretsmanager.GetSecretValueInput{SecretId: id, VersionId: version.VersionId})
		if err != nil {
			w.Fatal(err)
		}
		var value struct{ ClientSecret string }
		if err := json.Unmarshal([]byte(aws.ToString(got.SecretString)), &value); err != nil {
			w.Fatal(err)
		}
		hidden = append(hidden, value.ClientSecret)
	}
	if len(hidden) < 8 {
		w.Fatalf("%d things to look for, want the three versions' values among them", len(hidden))
	}
	for _, secret := range hidden {
		if secret == "" || strings.Contains(w.seen.String(), secret) {
			w.Errorf("the page gave away something that begins with %.5q", secret)
		}
	}
}

func TestWhatFailsIsSaidAndLeavesThePage(t *testing.T) {
	w := newWorld(t)
	if shown := w.look(); !strings.Contains(shown, "Nothing is deployed yet.") || !strings.Contains(shown, "api-destination not deployed") {
		t.Errorf("an empty endpoint's page says\n%s", shown)
	}
	for action, want := range map[string]string{
		"rotate":       "It did not work: there is nothing to act on yet",
		"break/key":    "It did not work: there is nothing to act on yet",
		"break/secret": "It did not work: there is nothing to act on yet",
		"send":         "Sent event",
	} {
		if said := w.press(action); !strings.Contains(said, want) {
			t.Errorf("%s says\n%s\nand not %q", action, said, want)
		}
	}
	// Without its bus the event is dropped, as at AWS.
	w.until("demo-event-type No rule matched")
	if _, body := w.do(http.MethodPost, page.Path+"break/everything", nil); !strings.Contains(text(body), "use one of key, secret, receiver, address") {
		t.Errorf("an unknown fault is answered with\n%s", text(body))
	}
}

func TestNoOtherSiteMayPressOrRead(t *testing.T) {
	w := newWorld(t)
	made, err := kms.NewFromConfig(w.aws).CreateKey(t.Context(), &kms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	for name, header := range map[string]http.Header{
		"cross-site form":           {"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}},
		"other port of the machine": {"Sec-Fetch-Site": {"same-site"}, "Origin": {"http://127.0.0.1:1"}},
		"old browser, other origin": {"Origin": {"https://evil.example"}},
		"opaque origin":             {"Origin": {"null"}},
		"name of a foreign page":    {"Host": {"evil.example"}, "Origin": {"http://evil.example"}, "Sec-Fetch-Site": {"same-origin"}},
	} {
		if status, body := w.do(http.MethodPost, page.Path+"send", header); status != http.StatusForbidden {
			t.Errorf("%s: %d %s, want 403", name, status, body)
		}
	}
	if shown := w.look(); strings.Contains(shown, "Sent event") {
		t.Errorf("one of them was heard:\n%s", shown)
	}
	if status, body := w.do(http.MethodGet, page.Path, http.Header{"Host": {"evil.example"}}); status != http.StatusForbidden || strings.Contains(body, *made.KeyMetadata.KeyId) {
		t.Errorf("a foreign name reads the page: %d", status)
	}
	for _, host := range []string{"localhost", "127.0.0.1:4566", "[::1]:4566"} {
		if status, _ := w.do(http.MethodGet, page.Path, http.Header{"Host": {host}}); status != http.StatusOK {
			t.Errorf("%s answers %d, want 200", host, status)
		}
	}
}

func TestABrowserFindsThePageAndAnAWSClientItsService(t *testing.T) {
	w := newWorld(t)
	if status, body := w.do(http.MethodGet, "/", http.Header{"Accept": {"text/html,*/*"}}); status != http.StatusOK || !strings.Contains(body, "<h1>API destination, live</h1>") {
		t.Errorf("a browser gets %d: %s", status, body)
	}
	signed := http.Header{"Accept": {"text/html"}, "Authorization": {"AWS4-HMAC-SHA256 Credential=local/20261123/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"}}
	if status, body := w.do(http.MethodGet, "/", signed); status != http.StatusOK || !strings.Contains(body, "ListAllMyBucketsResult") {
		t.Errorf("an S3 client gets %d: %s", status, body)
	}
}

func TestAPageThatHasNotChangedIsNotSentAgain(t *testing.T) {
	w := newWorld(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.local.URL()+page.Path+"state", nil)
	if err != nil {
		t.Fatal(err)
	}
	first, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	first.Body.Close()
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin"} {
		if got := first.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if policy := first.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("the content security policy is %q", policy)
	}
	request.Header.Set("If-None-Match", first.Header.Get("Etag"))
	second, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	second.Body.Close()
	if second.StatusCode != http.StatusNotModified {
		t.Errorf("the second answer is %d, want 304", second.StatusCode)
	}
}
