// Package cloudwatch keeps metrics and judges alarms in memory: what the other
// services and their users publish is aggregated, and alarms change state on
// one clock, as Amazon CloudWatch documents it.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/Welcome.html
package cloudwatch

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
)

// Events is where changes of alarms are announced: the default event bus.
type Events interface {
	Publish(ctx context.Context, source, detailType string, resources []string, detail any)
}

// Report takes the value that a metric has now.
type Report = func(namespace, name, unit string, dimensions map[string]string, value float64)

// Config is what the service builds on.
type Config struct {
	Account access.Account
	Auth    access.Authorizer
	Clock   clockwork.Clock
	// Events is told of each change of an alarm's state; nil for nobody.
	Events Events
	// Notify sends a message to an SNS topic, called as CloudWatch for the alarm.
	// Where it is nil or fails, the alarm's history says so.
	Notify func(ctx context.Context, topicARN, subject string, message []byte) error
	// Gauges report what is not counted but read, such as a queue's depth. They
	// are read before every answer and every evaluation of alarms.
	Gauges []func(Report)
}

// Service is Amazon CloudWatch in one account and Region. It is safe for
// concurrent use. Close stops it.
type Service struct {
	config Config

	// refreshing makes reading gauges and judging alarms one step.
	refreshing sync.Mutex

	mu         sync.Mutex
	metrics    map[string]*metric // by identity
	alarms     map[string]*alarm
	history    []types.AlarmHistoryItem // oldest first
	dashboards map[string]*dashboard
	tags       map[string]map[string]string // by ARN of an alarm or dashboard
	timer      clockwork.Timer              // of the next evaluation; nil without alarms
	closed     bool
	work       sync.WaitGroup // evaluations that run
}

// New returns a service without metrics.
func New(config Config) *Service {
	return &Service{
		config: config, metrics: map[string]*metric{}, alarms: map[string]*alarm{},
		dashboards: map[string]*dashboard{}, tags: map[string]map[string]string{},
	}
}

// Close ends the evaluation of alarms and waits for the one that runs.
func (s *Service) Close() {
	s.mu.Lock()
	s.closed = true
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Unlock()
	s.work.Wait()
}

// authorize asks for an action; where it names no resource, that is "*".
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
func (s *Service) authorize(ctx context.Context, action, resource string) error {
	return s.config.Auth.Authorize(ctx, access.Request{Action: "cloudwatch:" + action, Resource: resource})
}

func (s *Service) alarmARN(name string) string {
	return s.config.Account.ARN("cloudwatch", "alarm:"+name)
}

// dashboardARN has no Region: dashboards are global.
func (s *Service) dashboardARN(name string) string {
	return "arn:aws:cloudwatch::" + s.config.Account.ID + ":dashboard/" + name
}

// The modelled errors carry the codes of the Query protocol, which clients show.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CommonErrors.html

func missing(parameter string) error {
	return &types.MissingRequiredParameterException{
		ErrorCodeOverride: aws.String("MissingParameter"), Message: aws.String("The parameter " + parameter + " is required."),
	}
}

func invalidValue(format string, a ...any) error {
	return &types.InvalidParameterValueException{ErrorCodeOverride: aws.String("InvalidParameterValue"), Message: aws.String(fmt.Sprintf(format, a...))}
}

func invalidCombination(format string, a ...any) error {
	return &types.InvalidParameterCombinationException{ErrorCodeOverride: aws.String("InvalidParameterCombination"), Message: aws.String(fmt.Sprintf(format, a...))}
}

func notFound(format string, a ...any) error {
	return &types.ResourceNotFound{ErrorCodeOverride: aws.String("ResourceNotFound"), Message: aws.String(fmt.Sprintf(format, a...))}
}

func invalid(format string, a ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationError", Message: fmt.Sprintf(format, a...)}
}

// unsupported refuses the members that the local endpoint does not know.
func unsupported(given ...string) error {
	var names []string
	for _, name := range given {
		if name != "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return invalid("%s: the local endpoint does not support it; leave it out", strings.Join(names, ", "))
}

// named is for unsupported: the member's name where it is set.
func named(name string, set bool) string {
	if set {
		return name
	}
	return ""
}
