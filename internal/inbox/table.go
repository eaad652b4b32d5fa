package inbox

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Table is the inbox: a DynamoDB table with the partition key id, of type S,
// and the time to live in expiresAt.
type Table struct {
	Name        string
	Region      string
	URL         string          // of DynamoDB
	Credentials aws.Credentials // may write items to the table
	// Keep is how long an event is remembered, and so recognised.
	Keep time.Duration
	HTTP *http.Client
	Now  func() time.Time
}

// EventBridge tries for a day at most, so an event that comes again comes by
// then. Two weeks are as long as the dead-letter queue keeps those that failed.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
const (
	leastKeep  = 24 * time.Hour
	presetKeep = 14 * leastKeep
)

// FromEnvironment reads the table from the variables that template.yaml and
// Lambda give to the receiver: INBOX_TABLE, and INBOX_RETENTION where it is not
// 336h.
func FromEnvironment() (Table, error) {
	t := Table{
		Name:   os.Getenv("INBOX_TABLE"),
		Region: os.Getenv("AWS_REGION"),
		Credentials: aws.Credentials{
			AccessKeyID:     os.Getenv("AWS_ACCESS_KEY_ID"),
			SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
			SessionToken:    os.Getenv("AWS_SESSION_TOKEN"),
		},
		Keep: presetKeep,
		// A redirect would carry the session token along.
		HTTP: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		Now:  time.Now,
	}
	t.URL = endpoint(t.Region)
	var missing []string
	for _, name := range []string{"INBOX_TABLE", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		if os.Getenv(name) == "" {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return t, fmt.Errorf("the environment lacks %s: set it in the template, or with --env-vars for sam local invoke", strings.Join(missing, ", "))
	}
	stated := os.Getenv("INBOX_RETENTION")
	if stated == "" {
		return t, nil
	}
	keep, err := time.ParseDuration(stated)
	if err != nil || keep <= leastKeep {
		return t, fmt.Errorf("environment variable INBOX_RETENTION is %q: set it to a duration such as 336h, longer than the 24h for which EventBridge tries", stated)
	}
	t.Keep = keep
	return t, nil
}

// endpoint is where DynamoDB is.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
func endpoint(region string) string {
	for _, name := range []string{"AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"} {
		if url := os.Getenv(name); url != "" {
			return url
		}
	}
	suffix := "amazonaws.com"
	for prefix, of := range suffixes {
		if strings.HasPrefix(region, prefix) {
			suffix = of
		}
	}
	return "https://dynamodb." + region + "." + suffix
}

// suffixes are those of the partitions that have another one, by the start of
// their Regions' names.
var suffixes = map[string]string{
	"cn-":      "amazonaws.com.cn",
	"eusc-":    "amazonaws.eu",
	"us-iso-":  "c2s.ic.gov",
	"us-isob-": "sc2s.sgov.gov",
	"eu-isoe-": "cloud.adc-e.uk",
	"us-isof-": "csp.hci.ic.gov",
}
