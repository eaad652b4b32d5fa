package credentials_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestTheFollowerPublishesWhatItSawAndNothingElse lets calls fail for good and
// looks at the metrics that are left.
func TestTheFollowerPublishesWhatItSawAndNothingElse(t *testing.T) {
	for name, test := range map[string]struct {
		failing string // every call that contains it fails
		want    map[string]float64
	}{
		"nothing fails":                {"no call", map[string]float64{"KeyUsable": 1, "ConnectionAuthorized": 1, "ConnectionInStep": 1, "SecretAge": 90000}},
		"the key cannot be looked at":  {"DescribeKey", map[string]float64{"KeyUsable": 0, "ConnectionAuthorized": 1}},
		"the secret cannot be read":    {"GetSecretValue", map[string]float64{"KeyUsable": 1, "ConnectionAuthorized": 1}},
		"the connection is not there":  {"DescribeConnection", map[string]float64{"KeyUsable": 1}},
		"its secret cannot be read":    {"GetSecretValue of the connection", map[string]float64{"KeyUsable": 1, "ConnectionAuthorized": 1}},
		"Cognito does not list":        {"ListUserPoolClientSecrets", map[string]float64{"KeyUsable": 1, "ConnectionAuthorized": 1, "ConnectionInStep": 1, "SecretAge": 90000}},
		"nothing can be seen at all":   {"", map[string]float64{"KeyUsable": 0}},
		"the key lost its tag to tell": {"ListResourceTags", map[string]float64{"KeyUsable": 0, "ConnectionAuthorized": 1}},
	} {
		c := newCloud()
		if err := follow(c).finish(); err != nil {
			t.Fatal(err)
		}
		c.now = c.now.Add(time.Hour)
		c.fault = func(call string, _ bool) error {
			if strings.Contains(call, test.failing) {
				return errors.New("refused")
			}
			return nil
		}
		metrics, err := c.follower().Follow(t.Context())
		if failed := err != nil; failed != (test.failing != "no call") {
			t.Errorf("%s: err is %v", name, err)
		}
		got := map[string]float64{}
		for _, metric := range metrics {
			got[metric.Name] = metric.Value
		}
		if difference := cmp.Diff(test.want, got); difference != "" {
			t.Errorf("%s:\n%s", name, difference)
		}
	}
}
