package lambda

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// GetFunction returns the configuration, tags and reserved concurrency. There is
// no download location for the code.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html
func (s *Service) GetFunction(ctx context.Context, in *lambda.GetFunctionInput) (*lambda.GetFunctionOutput, error) {
	_, name, err := s.authorize(ctx, "lambda:GetFunction", in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.find(name)
	if err != nil {
		return nil, err
	}
	out := &lambda.GetFunctionOutput{
		Configuration: f.configuration,
		Code:          &types.FunctionCodeLocation{RepositoryType: aws.String("S3")},
		Tags:          maps.Clone(f.tags),
	}
	if f.reserved != nil {
		out.Concurrency = &types.Concurrency{ReservedConcurrentExecutions: f.reserved}
	}
	return out, nil
}

// GetFunctionConfiguration returns the configuration.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html
func (s *Service) GetFunctionConfiguration(ctx context.Context, in *lambda.GetFunctionConfigurationInput) (*lambda.GetFunctionConfigurationOutput, error) {
	_, name, err := s.authorize(ctx, "lambda:GetFunctionConfiguration", in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.find(name)
	if err != nil {
		return nil, err
	}
	return (*lambda.GetFunctionConfigurationOutput)(output(f.configuration)), nil
}

// ListFunctions returns every function, by name, on one page.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html
func (s *Service) ListFunctions(ctx context.Context, in *lambda.ListFunctionsInput) (*lambda.ListFunctionsOutput, error) {
	if err := s.authorizeAny(ctx, "lambda:ListFunctions"); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &lambda.ListFunctionsOutput{Functions: []types.FunctionConfiguration{}}
	for _, name := range slices.Sorted(maps.Keys(s.functions)) {
		out.Functions = append(out.Functions, *s.functions[name].configuration)
	}
	return out, nil
}

// UpdateFunctionConfiguration changes what is given. Environments that run
// keep the old configuration until their invocation ends.
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
func (s *Service) UpdateFunctionConfiguration(ctx context.Context, in *lambda.UpdateFunctionConfigurationInput) (*lambda.UpdateFunctionConfigurationOutput, error) {
	arn, name, err := s.authorize(ctx, "lambda:UpdateFunctionConfiguration", in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if err := refused(map[string]bool{
		"VpcConfig":              in.VpcConfig != nil && len(in.VpcConfig.SubnetIds)+len(in.VpcConfig.SecurityGroupIds) > 0,
		"Layers":                 len(in.Layers) > 0,
		"FileSystemConfigs":      len(in.FileSystemConfigs) > 0,
		"ImageConfig":            in.ImageConfig != nil,
		"DeadLetterConfig":       in.DeadLetterConfig != nil && aws.ToString(in.DeadLetterConfig.TargetArn) != "",
		"SnapStart":              in.SnapStart != nil && in.SnapStart.ApplyOn == types.SnapStartApplyOnPublishedVersions,
		"CapacityProviderConfig": in.CapacityProviderConfig != nil,
		"DurableConfig":          in.DurableConfig != nil,
	}); err != nil {
		return nil, err
	}
	if in.Role != nil {
		if err := s.passRole(ctx, arn, in.Role); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.find(name)
	if err != nil {
		return nil, err
	}
	if err := sameRevision(in.RevisionId, f.configuration.RevisionId); err != nil {
		return nil, err
	}
	next := *f.configuration
	given := settings{
		description: in.Description, handler: in.Handler, runtime: in.Runtime, memory: in.MemorySize, timeout: in.Timeout,
		role: in.Role, key: in.KMSKeyArn, environment: in.Environment, logging: in.LoggingConfig, tracing: in.TracingConfig,
		storage: in.EphemeralStorage,
	}
	if err := given.apply(&next); err != nil {
		return nil, err
	}
	s.replace(f, &next, f.code)
	return (*lambda.UpdateFunctionConfigurationOutput)(output(&next)), nil
}

// UpdateFunctionCode deploys another archive.
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html
func (s *Service) UpdateFunctionCode(ctx context.Context, in *lambda.UpdateFunctionCodeInput) (*lambda.UpdateFunctionCodeOutput, error) {
	_, name, err := s.authorize(ctx, "lambda:UpdateFunctionCode", in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if err := refused(map[string]bool{
		"ImageUri": in.ImageUri != nil, "Publish": in.Publish, "PublishTo": in.PublishTo != "",
		"SourceKMSKeyArn": in.SourceKMSKeyArn != nil, "DryRun": in.DryRun,
	}); err != nil {
		return nil, err
	}
	s.mu.Lock()
	f, err := s.find(name)
	var architectures []types.Architecture
	if err == nil {
		architectures = f.configuration.Architectures
	}
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if len(in.Architectures) > 0 {
		if architectures, err = oneArchitecture(in.Architectures); err != nil {
			return nil, err
		}
	}
	code, err := s.deploy(ctx, archive{in.ZipFile, in.S3Bucket, in.S3Key, in.S3ObjectVersion}, architectures[0])
	if err != nil {
		return nil, err
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	if f, err = s.find(name); err == nil {
		err = sameRevision(in.RevisionId, f.configuration.RevisionId)
	}
	if err != nil {
		s.retire(code)
		return nil, err
	}
	next := *f.configuration
	next.Architectures, next.CodeSha256, next.CodeSize = architectures, &code.sha256, code.size
	old := f.code
	s.replace(f, &next, code)
	s.retire(old)
	return (*lambda.UpdateFunctionCodeOutput)(output(&next)), nil
}

// replace makes configuration and code those of all later invocations; s.mu is held.
func (s *Service) replace(f *function, configuration *types.FunctionConfiguration, code *code) {
	configuration.RevisionId = newRevision()
	configuration.LastModified = s.timestamp()
	f.configuration, f.code = configuration, code
	s.stopIdle(f)
}

func sameRevision(expected, actual *string) error {
	if expected == nil || *expected == aws.ToString(actual) {
		return nil
	}
	return &types.PreconditionFailedException{
		Message: aws.String("The RevisionId provided does not match the latest RevisionId. Call the GetFunction/GetAlias API to retrieve the latest RevisionId"),
		Type:    aws.String("User"),
	}
}

// refused names the first given field that does not exist here.
func refused(given map[string]bool) error {
	for _, field := range slices.Sorted(maps.Keys(given)) {
		if given[field] {
			return unsupported(field, "leave it out")
		}
	}
	return nil
}

func (s *Service) timestamp() *string {
	return aws.String(s.Clock.Now().UTC().Format("2006-01-02T15:04:05.000+0000"))
}

// output is the configuration in the shape that the operations share.
func output(c *types.FunctionConfiguration) *lambda.GetFunctionConfigurationOutput {
	return &lambda.GetFunctionConfigurationOutput{
		Architectures: c.Architectures, CodeSha256: c.CodeSha256, CodeSize: c.CodeSize, Description: c.Description,
		Environment: c.Environment, EphemeralStorage: c.EphemeralStorage, FunctionArn: c.FunctionArn, FunctionName: c.FunctionName, Handler: c.Handler,
		KMSKeyArn: c.KMSKeyArn, LastModified: c.LastModified, LastUpdateStatus: c.LastUpdateStatus, LoggingConfig: c.LoggingConfig,
		MemorySize: c.MemorySize, PackageType: c.PackageType, RevisionId: c.RevisionId, Role: c.Role, Runtime: c.Runtime,
		SnapStart: c.SnapStart, State: c.State, Timeout: c.Timeout, TracingConfig: c.TracingConfig, Version: c.Version,
	}
}
