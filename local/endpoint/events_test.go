package endpoint_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"api-destination-credentials/local/deploy"
)

// TestEveryPayloadInEventsIsAnsweredByItsFunction sends what `sam local invoke`
// takes from events/ to the deployed functions, with the examples' names
// replaced by those of the deployment.
func TestEveryPayloadInEventsIsAnsweredByItsFunction(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	outputs := a.deploy(nil)
	var replied string
	replies := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		replied = string(body)
	}))
	t.Cleanup(replies.Close)
	real := strings.NewReplacer(
		"arn:aws:secretsmanager:us-east-1:123456789012:secret:OAuthClientSecret-Example-AbCdEf", a.prerequisite["OAuthSecretArn"],
		"Connection-Example", outputs["ConnectionName"],
		"arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab", a.prerequisite["CMKKeyARN"],
		"https://api-destination-example.auth.us-east-1.amazoncognito.com/oauth2/token", a.prerequisite["AuthorizationEndpoint"],
		"https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com/example", replies.URL,
		"arn:aws:cloudformation:us-east-1:123456789012:stack/api-destination/51af3dc0-da77-11e4-872e-1234567db123", a.stackID(deploy.ApplicationStack),
	)
	// In this order: the delete takes the label off, which the follower puts back.
	for _, test := range []struct{ file, function, want string }{
		{"receiver-with-claims", "ReceiverFunction", `"statusCode":202`},
		{"receiver-without-claims", "ReceiverFunction", `"statusCode":401`},
		{"receiver-malformed", "ReceiverFunction", `"statusCode":400`},
		{"receiver-health", "ReceiverFunction", `"statusCode":200`},
		{"connection-create", "ConnectionFunction", `"Status":"SUCCESS"`},
		{"connection-update", "ConnectionFunction", `"Status":"SUCCESS"`},
		{"connection-delete", "ConnectionFunction", `"Status":"SUCCESS"`},
		{"follower-secret-changed", "FollowerFunction", "null"},
		{"follower-connection-deauthorized", "FollowerFunction", "null"},
		{"follower-timer", "FollowerFunction", "null"},
		// No rotation is under way, which the function says.
		{"rotation-create-secret", "RotationFunction", "is not staged for rotation"},
		{"rotation-set-secret", "RotationFunction", "is not staged for rotation"},
		{"rotation-test-secret", "RotationFunction", "is not staged for rotation"},
		{"rotation-finish-secret", "RotationFunction", "is not staged for rotation"},
	} {
		text, err := os.ReadFile(filepath.Join(root, "events", test.file+".json"))
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(text) {
			t.Fatalf("%s is not JSON", test.file)
		}
		replied = ""
		answer, err := lambda.NewFromConfig(a.aws).Invoke(t.Context(), &lambda.InvokeInput{
			FunctionName: aws.String(a.physicalID(deploy.ApplicationStack, test.function)), Payload: []byte(real.Replace(string(text))),
		})
		if err != nil {
			t.Fatalf("%s: %v", test.file, err)
		}
		if got := string(answer.Payload) + replied; !strings.Contains(got, test.want) {
			t.Errorf("%s: %s answered %s, want %s", test.file, test.function, got, test.want)
		}
	}
	files, err := filepath.Glob(filepath.Join(root, "events", "*.json"))
	if err != nil || len(files) != 14 {
		t.Errorf("%d files in events, %v: each one needs a line in this test", len(files), err)
	}
}

func (a *account) physicalID(stack, logical string) string {
	a.Helper()
	resource, err := cloudformation.NewFromConfig(a.aws).DescribeStackResource(a.Context(), &cloudformation.DescribeStackResourceInput{
		StackName: aws.String(stack), LogicalResourceId: aws.String(logical),
	})
	if err != nil {
		a.Fatal(err)
	}
	return aws.ToString(resource.StackResourceDetail.PhysicalResourceId)
}

func (a *account) stackID(stack string) string {
	a.Helper()
	described, err := cloudformation.NewFromConfig(a.aws).DescribeStacks(a.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String(stack)})
	if err != nil {
		a.Fatal(err)
	}
	return aws.ToString(described.Stacks[0].StackId)
}
