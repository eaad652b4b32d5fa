// Package resources creates, updates and deletes what a template declares: it
// is CloudFormation's resource types in terms of the services' own operations.
// Physical ids and attributes are those of AWS's reference pages.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
package resources

import (
	"context"

	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/cloudformation"
	"api-destination-credentials/local/wire"
)

// Services are the services that the types work on.
type Services struct {
	Keys      Keys
	Secrets   Secrets
	Cognito   Cognito
	Roles     Roles
	Functions Functions
	Logs      Logs
	// MetricFilters are those of Logs.
	MetricFilters MetricFilters
	Monitoring    Monitoring
	Queues        Queues
	Tables        Tables
	Events        Events
	Gateway       Gateway
	Buckets       Buckets
	// Clock paces the wait for what a service deletes in the background.
	Clock clockwork.Clock
}

// Types returns the resource types by name.
func Types(s Services) map[string]cloudformation.Provider {
	return map[string]cloudformation.Provider{
		"AWS::ApiGatewayV2::Api":                api{s.Gateway}.provider(),
		"AWS::ApiGatewayV2::Stage":              stage{s.Gateway}.provider(),
		"AWS::CloudWatch::Alarm":                alarm{s.Monitoring}.provider(),
		"AWS::CloudWatch::Dashboard":            dashboard{s.Monitoring}.provider(),
		"AWS::Cognito::UserPool":                userPool{s.Cognito}.provider(),
		"AWS::Cognito::UserPoolClient":          userPoolClient{s.Cognito}.provider(),
		"AWS::Cognito::UserPoolDomain":          userPoolDomain{s.Cognito}.provider(),
		"AWS::Cognito::UserPoolResourceServer":  resourceServer{s.Cognito}.provider(),
		"AWS::DynamoDB::Table":                  table{s.Tables}.provider(),
		"AWS::Events::ApiDestination":           apiDestination{s.Events}.provider(),
		"AWS::Events::Archive":                  eventArchive{s.Events}.provider(),
		"AWS::Events::Connection":               connection{s.Events, s.Clock}.provider(),
		"AWS::Events::EventBus":                 eventBus{s.Events}.provider(),
		"AWS::Events::Rule":                     rule{s.Events}.provider(),
		"AWS::IAM::Policy":                      policy{s.Roles}.provider(),
		"AWS::IAM::Role":                        role{s.Roles}.provider(),
		"AWS::KMS::Alias":                       alias{s.Keys}.provider(),
		"AWS::KMS::Key":                         key{s.Keys}.provider(),
		"AWS::Lambda::EventInvokeConfig":        eventInvokeConfig{s.Functions}.provider(),
		"AWS::Lambda::Function":                 function{s.Functions}.provider(),
		"AWS::Lambda::Permission":               permission{s.Functions}.provider(),
		"AWS::Logs::LogGroup":                   logGroup{s.Logs}.provider(),
		"AWS::Logs::MetricFilter":               metricFilter{s.MetricFilters}.provider(),
		"AWS::S3::Bucket":                       bucket{s.Buckets}.provider(),
		"AWS::S3::BucketPolicy":                 bucketPolicy{s.Buckets}.provider(),
		"AWS::SecretsManager::ResourcePolicy":   secretPolicy{s.Secrets}.provider(),
		"AWS::SecretsManager::RotationSchedule": rotationSchedule{s.Secrets}.provider(),
		"AWS::SecretsManager::Secret":           secret{s.Secrets}.provider(),
		"AWS::SQS::Queue":                       queue{s.Queues}.provider(),
		"AWS::SQS::QueuePolicy":                 queuePolicy{s.Queues}.provider(),
	}
}

// call fills an operation's input with members and calls it.
func call[In, Out any](ctx context.Context, operation func(context.Context, *In) (*Out, error), members object) (*Out, error) {
	in := new(In)
	if err := wire.Decode(members, in); err != nil {
		return nil, err
	}
	return operation(ctx, in)
}

// do is call where the output tells nothing.
func do[In, Out any](ctx context.Context, operation func(context.Context, *In) (*Out, error), members object) error {
	_, err := call(ctx, operation, members)
	return err
}
