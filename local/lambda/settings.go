package lambda

import (
	"cmp"
	"encoding/json"
	"maps"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// settings are what CreateFunction and UpdateFunctionConfiguration have in
// common; a nil or empty member leaves the configuration as it is.
type settings struct {
	description, handler, role, key *string
	runtime                         types.Runtime
	memory, timeout                 *int32 // MB, seconds
	environment                     *types.Environment
	logging                         *types.LoggingConfig
	tracing                         *types.TracingConfig
	storage                         *types.EphemeralStorage
}

// initial returns the configuration of a new function.
func (s *Service) initial(arn, name string, in *lambda.CreateFunctionInput) (*types.FunctionConfiguration, error) {
	if err := refused(map[string]bool{
		"VpcConfig":              in.VpcConfig != nil && len(in.VpcConfig.SubnetIds)+len(in.VpcConfig.SecurityGroupIds) > 0,
		"Layers":                 len(in.Layers) > 0,
		"FileSystemConfigs":      len(in.FileSystemConfigs) > 0,
		"ImageConfig":            in.ImageConfig != nil,
		"PackageType Image":      in.PackageType == types.PackageTypeImage,
		"DeadLetterConfig":       in.DeadLetterConfig != nil && aws.ToString(in.DeadLetterConfig.TargetArn) != "",
		"SnapStart":              in.SnapStart != nil && in.SnapStart.ApplyOn == types.SnapStartApplyOnPublishedVersions,
		"CodeSigningConfigArn":   in.CodeSigningConfigArn != nil,
		"CapacityProviderConfig": in.CapacityProviderConfig != nil,
		"DurableConfig":          in.DurableConfig != nil,
		"TenancyConfig":          in.TenancyConfig != nil,
		"Publish":                in.Publish,
		"PublishTo":              in.PublishTo != "",
	}); err != nil {
		return nil, err
	}
	architectures, err := oneArchitecture(in.Architectures)
	if err != nil {
		return nil, err
	}
	if in.Runtime == "" || aws.ToString(in.Handler) == "" {
		return nil, invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	}
	c := &types.FunctionConfiguration{
		Architectures:    architectures,
		Description:      aws.String(""),
		EphemeralStorage: &types.EphemeralStorage{Size: aws.Int32(512)},
		FunctionArn:      &arn,
		FunctionName:     &name,
		LastModified:     s.timestamp(),
		LastUpdateStatus: types.LastUpdateStatusSuccessful,
		LoggingConfig:    &types.LoggingConfig{LogFormat: types.LogFormatText, LogGroup: aws.String("/aws/lambda/" + name)},
		MemorySize:       aws.Int32(128),
		PackageType:      types.PackageTypeZip,
		RevisionId:       newRevision(),
		SnapStart:        &types.SnapStartResponse{ApplyOn: types.SnapStartApplyOnNone, OptimizationStatus: types.SnapStartOptimizationStatusOff},
		State:            types.StateActive,
		Timeout:          aws.Int32(3),
		TracingConfig:    &types.TracingConfigResponse{Mode: types.TracingModePassThrough},
		Version:          aws.String("$LATEST"),
	}
	return c, settings{
		description: in.Description, handler: in.Handler, runtime: in.Runtime, memory: in.MemorySize, timeout: in.Timeout,
		role: in.Role, key: in.KMSKeyArn, environment: in.Environment, logging: in.LoggingConfig, tracing: in.TracingConfig,
		storage: in.EphemeralStorage,
	}.apply(c)
}

// apply checks the settings and writes them into c.
func (g settings) apply(c *types.FunctionConfiguration) error {
	switch g.runtime {
	case "", types.RuntimeProvidedal2, types.RuntimeProvidedal2023:
		c.Runtime = cmp.Or(g.runtime, c.Runtime)
	default:
		return unsupported("Runtime "+string(g.runtime), "use provided.al2023 with a compiled bootstrap")
	}
	if g.memory != nil && (*g.memory < 128 || *g.memory > 10240) {
		return outOfRange(*g.memory, "memorySize", 128, 10240)
	}
	if g.timeout != nil && (*g.timeout < 1 || *g.timeout > 900) {
		return outOfRange(*g.timeout, "timeout", 1, 900)
	}
	if g.storage != nil {
		if size := aws.ToInt32(g.storage.Size); size < 512 || size > 10240 {
			return outOfRange(size, "ephemeralStorage.size", 512, 10240)
		}
		c.EphemeralStorage = g.storage
	}
	c.Description = cmp.Or(g.description, c.Description)
	c.Handler = cmp.Or(g.handler, c.Handler)
	c.MemorySize = cmp.Or(g.memory, c.MemorySize)
	c.Timeout = cmp.Or(g.timeout, c.Timeout)
	c.Role = cmp.Or(g.role, c.Role)
	if g.key != nil {
		c.KMSKeyArn = g.key
		if *g.key == "" {
			c.KMSKeyArn = nil
		}
	}
	if g.tracing != nil && g.tracing.Mode != "" {
		c.TracingConfig = &types.TracingConfigResponse{Mode: g.tracing.Mode}
	}
	if g.environment != nil {
		if err := checkVariables(g.environment.Variables); err != nil {
			return err
		}
		c.Environment = &types.EnvironmentResponse{Variables: maps.Clone(g.environment.Variables)}
	}
	if g.logging == nil {
		return nil
	}
	logging, err := loggingConfig(*g.logging, aws.ToString(c.FunctionName))
	c.LoggingConfig = logging
	return err
}

// loggingConfig fills in defaults. Levels go with the JSON format only.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
func loggingConfig(given types.LoggingConfig, name string) (*types.LoggingConfig, error) {
	given.LogFormat = cmp.Or(given.LogFormat, types.LogFormatText)
	if aws.ToString(given.LogGroup) == "" {
		given.LogGroup = aws.String("/aws/lambda/" + name)
	}
	if given.LogFormat == types.LogFormatText {
		if given.ApplicationLogLevel != "" || given.SystemLogLevel != "" {
			return nil, invalid("LogLevel is not supported when LogFormat is set to \"Text\". Remove LogLevel from your request or change the LogFormat to \"JSON\" and try again.")
		}
		return &given, nil
	}
	if given.LogFormat != types.LogFormatJson {
		return nil, failedConstraint(given.LogFormat, "loggingConfig.logFormat", "Member must satisfy enum value set: [Text, JSON]")
	}
	given.ApplicationLogLevel = cmp.Or(given.ApplicationLogLevel, types.ApplicationLogLevelInfo)
	given.SystemLogLevel = cmp.Or(given.SystemLogLevel, types.SystemLogLevelInfo)
	if !slices.Contains(given.ApplicationLogLevel.Values(), given.ApplicationLogLevel) {
		return nil, failedConstraint(given.ApplicationLogLevel, "loggingConfig.applicationLogLevel", "Member must satisfy enum value set: [TRACE, DEBUG, INFO, WARN, ERROR, FATAL]")
	}
	if !slices.Contains(given.SystemLogLevel.Values(), given.SystemLogLevel) {
		return nil, failedConstraint(given.SystemLogLevel, "loggingConfig.systemLogLevel", "Member must satisfy enum value set: [DEBUG, INFO, WARN]")
	}
	return &given, nil
}

// reserved are the names that a function's own variables must not use.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
var reserved = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV",
	"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION",
	"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API",
	"AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
}

var variableName = regexp.MustCompile(`^[a-zA-Z]([a-zA-Z0-9_])+$`)

func checkVariables(variables map[string]string) error {
	var taken []string
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if slices.Contains(reserved, name) {
			taken = append(taken, name)
			continue
		}
		if !variableName.MatchString(name) {
			return failedConstraint(name, "environment.variables", "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]")
		}
		if strings.ContainsRune(variables[name], 0) {
			return invalid("The value of environment variable %s contains a NUL character. Remove it.", name)
		}
	}
	if taken != nil {
		return invalid("Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: %s", strings.Join(taken, ", "))
	}
	measured, err := json.Marshal(variables)
	if err != nil {
		return err
	}
	if len(measured) > 4096 {
		return invalid("Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. Shorten them or read larger values at run time.")
	}
	return nil
}

// oneArchitecture returns the instruction set, AWS's default where none is given.
func oneArchitecture(given []types.Architecture) ([]types.Architecture, error) {
	if len(given) == 0 {
		return []types.Architecture{types.ArchitectureX8664}, nil
	}
	if len(given) > 1 || !slices.Contains(types.ArchitectureX8664.Values(), given[0]) {
		return nil, failedConstraint(given, "architectures", "Member must be one of: [x86_64, arm64]")
	}
	return slices.Clone(given), nil
}

// host is this machine's instruction set in Lambda's words.
func host() types.Architecture {
	if runtime.GOARCH == "arm64" {
		return types.ArchitectureArm64
	}
	return types.ArchitectureX8664
}

func outOfRange(value int32, field string, least, most int32) error {
	if value < least {
		return failedConstraint(value, field, "Member must have value greater than or equal to "+decimal(least))
	}
	return failedConstraint(value, field, "Member must have value less than or equal to "+decimal(most))
}
