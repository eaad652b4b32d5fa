package lambda

import (
	"context"
	"maps"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"api-destination-credentials/local/access"
)

// service is the principal that assumes execution roles.
const service = "lambda.amazonaws.com"

// assume returns a session of a function's role, named after the function.
func (s *Service) assume(role, functionARN string) (*sts.AssumeRoleOutput, error) {
	ctx := access.WithCaller(context.Background(), access.Principal{Service: service, SourceARN: functionARN})
	name := functionARN[strings.LastIndexByte(functionARN, ':')+1:]
	session, err := s.Roles.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: &name})
	if err == nil && (session.Credentials == nil || session.AssumedRoleUser == nil) {
		err = &smithy.GenericAPIError{Code: "ServiceException", Message: "The role session has no credentials."}
	}
	return session, err
}

// variables is a function's whole environment: Lambda's own variables, those of
// the endpoint, and the function's, which win where Lambda's are not reserved.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func (s *Service) variables(b *sandbox, credentials *ststypes.Credentials, runtimeAPI string) []string {
	c := b.configuration
	all := map[string]string{
		"LANG": "en_US.UTF-8",
		"PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin",
		"TZ":   ":UTC",
	}
	maps.Copy(all, s.Environment)
	if c.Environment != nil {
		maps.Copy(all, c.Environment.Variables)
	}
	maps.Copy(all, map[string]string{
		"_HANDLER":                        *c.Handler,
		"AWS_ACCESS_KEY_ID":               aws.ToString(credentials.AccessKeyId),
		"AWS_SECRET_ACCESS_KEY":           aws.ToString(credentials.SecretAccessKey),
		"AWS_SESSION_TOKEN":               aws.ToString(credentials.SessionToken),
		"AWS_REGION":                      s.Account.Region,
		"AWS_DEFAULT_REGION":              s.Account.Region,
		"AWS_EXECUTION_ENV":               "AWS_Lambda_" + string(c.Runtime),
		"AWS_LAMBDA_FUNCTION_NAME":        *c.FunctionName,
		"AWS_LAMBDA_FUNCTION_VERSION":     *c.Version,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": decimal(*c.MemorySize),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       b.log.group,
		"AWS_LAMBDA_LOG_STREAM_NAME":      b.log.name,
		"AWS_LAMBDA_LOG_FORMAT":           string(c.LoggingConfig.LogFormat),
		"AWS_LAMBDA_RUNTIME_API":          runtimeAPI,
		"LAMBDA_TASK_ROOT":                b.code.folder,
	})
	if c.LoggingConfig.LogFormat == types.LogFormatJson {
		all["AWS_LAMBDA_LOG_LEVEL"] = string(c.LoggingConfig.ApplicationLogLevel)
	}
	list := make([]string, 0, len(all))
	for name, value := range all {
		list = append(list, name+"="+value)
	}
	return list
}

func decimal(n int32) string { return strconv.Itoa(int(n)) }
