package lambda

import (
	"context"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/uuid"

	"api-destination-credentials/local/access"
)

// function is one deployed function. Its fields are guarded by Service.mu; what
// code and configuration point to never changes, a new deployment replaces them.
type function struct {
	arn           string
	configuration *types.FunctionConfiguration
	code          *code
	tags          map[string]string
	reserved      *int32
	retries       *types.FunctionEventInvokeConfig
	permissions   []statement
	revision      string // of the resource policy
	idle          []*sandbox
	running       int
	dropsLog      bool // reported that the log group takes no lines
}

// CreateFunction deploys an archive. The function is active when it returns.
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
func (s *Service) CreateFunction(ctx context.Context, in *lambda.CreateFunctionInput) (*lambda.CreateFunctionOutput, error) {
	arn, name, err := s.locate(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if err := s.Auth.Authorize(ctx, access.Request{Action: "lambda:CreateFunction", Resource: arn}); err != nil {
		return nil, err
	}
	if err := s.exists(name); err != nil {
		return nil, err
	}
	configuration, err := s.initial(arn, name, in)
	if err != nil {
		return nil, err
	}
	if err := s.passRole(ctx, arn, in.Role); err != nil {
		return nil, err
	}
	if in.Code == nil {
		return nil, failedConstraint("null", "code", "Member must not be null")
	}
	if in.Code.ImageUri != nil {
		return nil, unsupported("Code.ImageUri", "give a zip archive with an executable bootstrap")
	}
	if in.Code.SourceKMSKeyArn != nil {
		return nil, unsupported("Code.SourceKMSKeyArn", "leave it out")
	}
	code, err := s.deploy(ctx, archive{in.Code.ZipFile, in.Code.S3Bucket, in.Code.S3Key, in.Code.S3ObjectVersion}, configuration.Architectures[0])
	if err != nil {
		return nil, err
	}
	configuration.CodeSha256, configuration.CodeSize = &code.sha256, code.size

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.functions[name] != nil || s.closed() {
		s.retire(code)
		return nil, alreadyExists(name)
	}
	s.functions[name] = &function{arn: arn, configuration: configuration, code: code, tags: maps.Clone(in.Tags)}
	return (*lambda.CreateFunctionOutput)(output(configuration)), nil
}

// DeleteFunction removes a function, its permissions and its code; running
// invocations come to their end first.
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html
func (s *Service) DeleteFunction(ctx context.Context, in *lambda.DeleteFunctionInput) (*lambda.DeleteFunctionOutput, error) {
	if in.Qualifier != nil {
		return nil, unsupported("Qualifier", "there are no published versions; delete the whole function")
	}
	_, name, err := s.authorize(ctx, "lambda:DeleteFunction", in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.find(name)
	if err != nil {
		return nil, err
	}
	delete(s.functions, name)
	s.stopIdle(f)
	s.retire(f.code)
	// Its role and its log group go next; nobody waits for its last lines.
	f.dropsLog = true
	return &lambda.DeleteFunctionOutput{StatusCode: 204}, nil
}

func (s *Service) exists(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.functions[name] != nil {
		return alreadyExists(name)
	}
	return nil
}

func alreadyExists(name string) error {
	return &types.ResourceConflictException{Message: aws.String("Function already exist: " + name), Type: aws.String("User")}
}

// authorize checks an action on a function that a request names.
func (s *Service) authorize(ctx context.Context, action string, given, qualifier *string) (arn, name string, err error) {
	if arn, name, err = s.locate(given, qualifier); err != nil {
		return "", "", err
	}
	return arn, name, s.Auth.Authorize(ctx, access.Request{Action: action, Resource: arn})
}

// authorizeAny checks an action that names no resource.
func (s *Service) authorizeAny(ctx context.Context, action string) error {
	return s.Auth.Authorize(ctx, access.Request{Action: action, Resource: "*"})
}

// passRole checks that the caller may hand the role to Lambda, and that Lambda
// may use it.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
func (s *Service) passRole(ctx context.Context, functionARN string, role *string) error {
	if aws.ToString(role) == "" {
		return failedConstraint("null", "role", "Member must not be null")
	}
	request := access.Request{
		Action:     "iam:PassRole",
		Resource:   *role,
		Conditions: map[string]string{"iam:PassedToService": service, "iam:AssociatedResourceArn": functionARN},
	}
	if err := s.Auth.Authorize(ctx, request); err != nil {
		return err
	}
	if _, err := s.assume(*role, functionARN); err != nil {
		return invalid("The role defined for the function cannot be assumed by Lambda.")
	}
	return nil
}

func newRevision() *string { return aws.String(uuid.NewString()) }
