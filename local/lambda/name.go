package lambda

import (
	"fmt"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
)

// A function is named by its name, by ACCOUNT:function:NAME or by its ARN, each
// with an optional qualifier.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
var functionName = regexp.MustCompile(`^(?:(?:arn:aws[a-zA-Z-]*:lambda:([a-z0-9-]+):)?(\d{12}):)?(?:function:)?([a-zA-Z0-9_-]{1,64})(?::(\$LATEST|[a-zA-Z0-9_-]+))?$`)

// locate returns the ARN and bare name of the function that a request means.
// Only $LATEST exists here.
func (s *Service) locate(given, qualifier *string) (arn, name string, err error) {
	value := aws.ToString(given)
	match := functionName.FindStringSubmatch(value)
	if match == nil {
		return "", "", failedConstraint(value, "functionName", "Member must satisfy regular expression pattern: "+functionName.String())
	}
	region, account, name, version := match[1], match[2], match[3], match[4]
	arn = s.arn(name)
	if qualifier != nil {
		version = *qualifier
	}
	if region != "" && region != s.Account.Region || account != "" && account != s.Account.ID {
		return "", "", notFound("Function not found: " + value)
	}
	if version != "" && version != "$LATEST" {
		return "", "", notFound("Function not found: " + arn + ":" + version)
	}
	return arn, name, nil
}

func (s *Service) arn(name string) string { return s.Account.ARN("lambda", "function:"+name) }

// find returns the function of a name; s.mu is held.
func (s *Service) find(name string) (*function, error) {
	f := s.functions[name]
	if f == nil {
		return nil, notFound("Function not found: " + s.arn(name))
	}
	return f, nil
}

func notFound(message string) error {
	return &types.ResourceNotFoundException{Message: &message, Type: aws.String("User")}
}

func invalid(format string, arguments ...any) error {
	return &types.InvalidParameterValueException{Message: aws.String(fmt.Sprintf(format, arguments...)), Type: aws.String("User")}
}

func unsupported(field, remedy string) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: fmt.Sprintf("%s is not supported by the local endpoint: %s.", field, remedy)}
}

func failedConstraint(value any, field, constraint string) error {
	return &smithy.GenericAPIError{
		Code:    "ValidationException",
		Message: fmt.Sprintf("1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: %s", value, field, constraint),
	}
}
