package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
)

// patience is how long a person waits for one answer. The SDK asks three times,
// so that an address where nothing answers is known after some 15 seconds.
// https://docs.aws.amazon.com/sdk-for-go/v2/developer-guide/configure-retries-timeouts.html
const patience = 4 * time.Second

// Configuration is the AWS configuration of a person who waits for the answers.
// An empty region takes the one that is configured.
func Configuration(ctx context.Context, region string) (aws.Config, error) {
	loaded, err := config.LoadDefaultConfig(ctx, config.WithRegion(region),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(patience)),
		// What goes wrong is said once, at the end.
		config.WithLogger(logging.Nop{}))
	if err != nil {
		return aws.Config{}, fmt.Errorf("the AWS configuration cannot be read: %w: aws configure list shows what is set", err)
	}
	return loaded, nil
}

// tryAgain is what to do where nothing better is known.
const tryAgain = "try again; docs/operations.md says where to look if it stays"

// Explain says why a call to AWS failed, and what to do about it.
func Explain(err error) (reason, remedy string) {
	var api smithy.APIError
	var request *url.Error
	switch {
	case errors.As(err, &api):
		return api.ErrorCode() + ": " + strings.TrimSuffix(api.ErrorMessage(), "."), answered(api)
	case errors.Is(err, context.Canceled):
		return "interrupted", "run it again when you like"
	// The SDK has no type for these two.
	case strings.Contains(err.Error(), "get credentials"):
		return "there are no AWS credentials", "aws configure or aws sso login gets some; a local endpoint takes any: export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local"
	case strings.Contains(err.Error(), "Missing Region"):
		return "there is no Region", "name it with -region, or in AWS_REGION"
	case errors.As(err, &request):
		return fmt.Sprintf("nothing answers at %s (%s)", host(request.URL), cause(request)), reach()
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time", reach()
	}
	return err.Error(), tryAgain
}

func answered(api smithy.APIError) string {
	switch {
	case strings.Contains(api.ErrorMessage(), "does not exist"):
		return "name yours with -stack, choose its Region with -region, or deploy it: make deploy"
	case slices.Contains([]string{"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}, api.ErrorCode()):
		return "allow yourself this action, or ask somebody who may: aws sts get-caller-identity shows who you are"
	case slices.Contains([]string{"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"}, api.ErrorCode()):
		return "renew your credentials (aws sso login): aws sts get-caller-identity shows whether they are valid"
	}
	return tryAgain
}

// reach is what to do where nobody answers.
func reach() string {
	if os.Getenv("AWS_ENDPOINT_URL") != "" {
		return "start the local endpoint (make local), or unset AWS_ENDPOINT_URL for your account"
	}
	return "check the network and the Region"
}

func host(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return address
	}
	return parsed.Scheme + "://" + parsed.Host
}

// cause is what the network says, without the addresses around it.
func cause(request *url.Error) error {
	if request.Timeout() {
		return errors.New("no answer in time")
	}
	cause := request.Err
	for inner := errors.Unwrap(cause); inner != nil; inner = errors.Unwrap(cause) {
		cause = inner
	}
	return cause
}
