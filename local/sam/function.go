package sam

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// functionShape is the part of AWS::Serverless::Function that is supported.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html
var functionShape = shape{
	"Architectures":                anything,
	"AssumeRolePolicyDocument":     object,
	"CodeUri":                      anything,
	"DeadLetterQueue":              object,
	"Description":                  anything,
	"Environment":                  object,
	"EphemeralStorage":             anything,
	"EventInvokeConfig":            object,
	"Events":                       objects,
	"FunctionName":                 textOrObject,
	"Handler":                      anything,
	"KmsKeyArn":                    anything,
	"LoggingConfig":                anything,
	"MemorySize":                   anything,
	"PermissionsBoundary":          text,
	"Policies":                     policyList,
	"ReservedConcurrentExecutions": anything,
	"Role":                         text,
	"RolePath":                     anything,
	"Runtime":                      anything,
	"Tags":                         object,
	"Timeout":                      anything,
}

// function replaces a SAM function by a Lambda function, its role, and what its
// events need.
func (d *document) function(s serverless) error {
	if err := d.functionResources(s); err != nil {
		return inResource(s.id, err)
	}
	return nil
}

func (d *document) functionResources(s serverless) error {
	lambda := pick(s.properties, "FunctionName", "Handler", "Runtime", "Description", "MemorySize", "Timeout",
		"Role", "Environment", "KmsKeyArn", "ReservedConcurrentExecutions", "Architectures", "EphemeralStorage", "LoggingConfig")
	if lambda["Runtime"] == nil || lambda["Handler"] == nil {
		return fault("Runtime and Handler needs to be present when PackageType is of type `Zip`")
	}
	var err error
	if lambda["Code"], err = codeLocation(s.properties["CodeUri"]); err != nil {
		return err
	}
	if lambda["Tags"], err = tagList(s.properties["Tags"]); err != nil {
		return err
	}
	deadLetters, err := deadLetterQueue(s.properties["DeadLetterQueue"])
	if err != nil {
		return err
	}
	policies := []any{}
	if deadLetters != nil {
		lambda["DeadLetterConfig"] = map[string]any{"TargetArn": deadLetters.target}
		policies = append(policies, deadLetters.policy())
	}
	destinations, err := d.eventInvokeConfig(s)
	if err != nil {
		return err
	}
	policies = append(policies, destinations...)

	if lambda["Role"] == nil {
		lambda["Role"] = getAtt(s.id+"Role", "Arn")
		role, err := executionRole(s, policies)
		if err != nil {
			return err
		}
		if err := d.add(s.id, s.id+"Role", "AWS::IAM::Role", s.inherited(), role); err != nil {
			return err
		}
	}
	if _, values, isIf := branches(lambda["Role"]); isIf && slices.ContainsFunc(values[:], isNoValue) {
		return fault("'Role' with AWS::NoValue is not supported by the local endpoint; name a role in both branches of Fn::If.")
	}
	if err := d.add(s.id, s.id, "AWS::Lambda::Function", s.attributes, lambda); err != nil {
		return err
	}
	return d.events(s)
}

// codeLocation turns an uploaded CodeUri into the Code of a Lambda function.
func codeLocation(uri any) (map[string]any, error) {
	switch uri := uri.(type) {
	case map[string]any:
		if uri["Bucket"] == nil || uri["Key"] == nil {
			return nil, fault("'CodeUri' requires Bucket and Key properties to be specified.")
		}
		return code(uri["Bucket"], uri["Key"], uri["Version"]), nil
	case string:
		location, err := url.Parse(uri)
		if err != nil || location.Scheme != "s3" || location.Host == "" || location.Path == "" {
			return nil, fault("'CodeUri' is not a valid S3 Uri of the form 's3://bucket/key' with optional versionId query parameter.")
		}
		var version any
		if versions := location.Query()["versionId"]; len(versions) == 1 {
			version = versions[0]
		}
		return code(location.Host, strings.TrimLeft(location.Path, "/"), version), nil
	case nil:
		return nil, fault("Only one of 'InlineCode' or 'CodeUri' can be set.")
	default:
		return nil, fault("'CodeUri' must be of type dict or string.")
	}
}

func code(bucket, key, version any) map[string]any {
	return pick(map[string]any{"S3Bucket": bucket, "S3Key": key, "S3ObjectVersion": version},
		"S3Bucket", "S3Key", "S3ObjectVersion")
}

// createdBy is the tag that marks what SAM made.
const createdBy = "lambda:createdBy"

// tagList writes a map of tags as the list that CloudFormation wants, SAM's own first.
func tagList(tags any) ([]any, error) {
	list := []any{map[string]any{"Key": createdBy, "Value": "SAM"}}
	own, _ := tags.(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(own)) {
		if key == createdBy {
			return nil, fault("%s is a reserved Tag key name and cannot be set on your resource. Please change the tag key in the input.", createdBy)
		}
		value := own[key]
		if value == nil {
			value = ""
		}
		list = append(list, map[string]any{"Key": key, "Value": value})
	}
	return list, nil
}
