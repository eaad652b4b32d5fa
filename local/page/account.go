package page

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smtypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

// account is the endpoint as a client sees it.
type account struct {
	stacks    *cloudformation.Client
	events    *eventbridge.Client
	secrets   *secretsmanager.Client
	keys      *kms.Client
	functions *lambda.Client
	queues    *sqs.Client
	alarms    *cloudwatch.Client
	logs      *cloudwatchlogs.Client
}

func newAccount(configuration aws.Config) *account {
	return &account{
		stacks:    cloudformation.NewFromConfig(configuration),
		events:    eventbridge.NewFromConfig(configuration),
		secrets:   secretsmanager.NewFromConfig(configuration),
		keys:      kms.NewFromConfig(configuration),
		functions: lambda.NewFromConfig(configuration),
		queues:    sqs.NewFromConfig(configuration),
		alarms:    cloudwatch.NewFromConfig(configuration),
		logs:      cloudwatchlogs.NewFromConfig(configuration),
	}
}

// reading is the account at one moment. What is not deployed, or cannot be
// read, is nil.
type reading struct {
	prerequisite, application stack

	rule        *eventbridge.DescribeRuleOutput
	connection  *eventbridge.DescribeConnectionOutput
	destination *eventbridge.DescribeApiDestinationOutput
	receiver    *lambda.GetFunctionOutput
	key         *kms.DescribeKeyOutput
	versions    []smtypes.SecretVersionsListEntry // of the source secret, newest first
	rotated     map[string][]string               // steps done by version, oldest first
	queues      map[string]int                    // messages by logical id
	alarms      []cwtypes.MetricAlarm

	problems []string // why something could not be read
}

// stack is a deployed stack; without a status, there is none.
type stack struct {
	name, status, reason string
	outputs              map[string]string
	parameters           map[string]string
	resources            map[string]string // physical ids by logical id
	made                 int               // resources that are complete
}

// read looks at everything. What fails becomes a problem and leaves a gap.
func (a *account) read(ctx context.Context, prerequisite, application string, now time.Time) *reading {
	r := &reading{rotated: map[string][]string{}, queues: map[string]int{}}
	r.prerequisite = a.stack(ctx, r, prerequisite)
	r.application = a.stack(ctx, r, application)
	resources, inputs := r.application.resources, r.prerequisite.outputs
	if id := resources["Rule"]; id != "" {
		bus, name := splitRule(id)
		r.rule = look(a.events.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: &name, EventBusName: &bus}))(r, "the rule")
	}
	if name := resources["Connection"]; name != "" {
		r.connection = look(a.events.DescribeConnection(ctx, &eventbridge.DescribeConnectionInput{Name: &name}))(r, "the connection")
	}
	if name := resources["ApiDestination"]; name != "" {
		r.destination = look(a.events.DescribeApiDestination(ctx, &eventbridge.DescribeApiDestinationInput{Name: &name}))(r, "the API destination")
	}
	if name := resources["ReceiverFunction"]; name != "" {
		r.receiver = look(a.functions.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &name}))(r, "the receiver")
	}
	if key := inputs["CMKKeyARN"]; key != "" {
		r.key = look(a.keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &key}))(r, "the key")
	}
	if secret := inputs["OAuthSecretArn"]; secret != "" {
		a.readVersions(ctx, r, secret)
	}
	if group := r.application.outputs["RotationLogGroup"]; group != "" {
		a.readRotation(ctx, r, group, now)
	}
	for _, queue := range []string{"DeadLetterQueue", "FollowerDeadLetterQueue"} {
		if url := resources[queue]; url != "" {
			a.readQueue(ctx, r, queue, url)
		}
	}
	pages := cloudwatch.NewDescribeAlarmsPaginator(a.alarms, &cloudwatch.DescribeAlarmsInput{})
	for pages.HasMorePages() {
		found := look(pages.NextPage(ctx))(r, "the alarms")
		if found == nil {
			break
		}
		r.alarms = append(r.alarms, found.MetricAlarms...)
	}
	return r
}

// look keeps what was read, or the reason why it was not.
func look[T any](found *T, err error) func(r *reading, what string) *T {
	return func(r *reading, what string) *T {
		if err == nil {
			return found
		}
		r.problems = append(r.problems, fmt.Sprintf("%s cannot be read: %s", what, explain(err)))
		return nil
	}
}

func (a *account) stack(ctx context.Context, r *reading, name string) stack {
	s := stack{name: name, outputs: map[string]string{}, parameters: map[string]string{}, resources: map[string]string{}}
	described, err := a.stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	// CloudFormation has no code of its own for a stack that does not exist.
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
	if err != nil && strings.Contains(err.Error(), "does not exist") {
		return s
	}
	found := look(described, err)(r, "stack "+name)
	if found == nil {
		return s
	}
	s.status, s.reason = string(found.Stacks[0].StackStatus), aws.ToString(found.Stacks[0].StackStatusReason)
	for _, output := range found.Stacks[0].Outputs {
		s.outputs[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
	}
	for _, parameter := range found.Stacks[0].Parameters {
		s.parameters[aws.ToString(parameter.ParameterKey)] = aws.ToString(parameter.ParameterValue)
	}
	listed := look(a.stacks.DescribeStackResources(ctx, &cloudformation.DescribeStackResourcesInput{StackName: &name}))(r, "stack "+name)
	if listed == nil {
		return s
	}
	for _, resource := range listed.StackResources {
		if strings.HasSuffix(string(resource.ResourceStatus), "_COMPLETE") && resource.ResourceStatus != cftypes.ResourceStatusDeleteComplete {
			s.resources[aws.ToString(resource.LogicalResourceId)] = aws.ToString(resource.PhysicalResourceId)
			s.made++
		}
	}
	return s
}

func (a *account) readVersions(ctx context.Context, r *reading, secret string) {
	listed := look(a.secrets.ListSecretVersionIds(ctx, &secretsmanager.ListSecretVersionIdsInput{
		SecretId: &secret, IncludeDeprecated: aws.Bool(true), MaxResults: aws.Int32(100),
	}))(r, "the source secret")
	if listed == nil {
		return
	}
	r.versions = listed.Versions
	slices.SortStableFunc(r.versions, func(a, b smtypes.SecretVersionsListEntry) int {
		return aws.ToTime(b.CreatedDate).Compare(aws.ToTime(a.CreatedDate))
	})
}

// readRotation takes the steps that rotations have done from their log.
func (a *account) readRotation(ctx context.Context, r *reading, group string, now time.Time) {
	found := look(a.logs.FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: &group, FilterPattern: aws.String(`"rotation step done"`), StartTime: aws.Int64(now.Add(-time.Hour).UnixMilli()),
	}))(r, "the rotation's log")
	if found == nil {
		return
	}
	for _, event := range found.Events {
		var line struct{ Step, VersionID string }
		if json.Unmarshal([]byte(aws.ToString(event.Message)), &line) == nil && line.VersionID != "" {
			r.rotated[line.VersionID] = append(r.rotated[line.VersionID], line.Step)
		}
	}
}

func (a *account) readQueue(ctx context.Context, r *reading, logical, url string) {
	names := []sqstypes.QueueAttributeName{
		sqstypes.QueueAttributeNameApproximateNumberOfMessages, sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
	}
	got := look(a.queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: names}))(r, "queue "+logical)
	if got == nil {
		return
	}
	depth := 0
	for _, name := range names {
		var n int
		if _, err := fmt.Sscan(got.Attributes[string(name)], &n); err == nil {
			depth += n
		}
	}
	r.queues[logical] = depth
}

// splitRule takes the physical id of a rule on a custom bus apart.
func splitRule(id string) (bus, name string) {
	if bus, name, found := strings.Cut(id, "|"); found {
		return bus, name
	}
	return "default", id
}

// version returns the source secret's version with a staging label.
func (r *reading) version(label string) string {
	for _, v := range r.versions {
		if slices.Contains(v.VersionStages, label) {
			return aws.ToString(v.VersionId)
		}
	}
	return ""
}

// connectionLabel is the staging label that marks what the connection holds.
func (r *reading) connectionLabel() string {
	return "eventbridge/" + r.application.resources["Connection"]
}

// explain says an AWS error without the SDK's frame.
func explain(err error) string {
	var refused smithy.APIError
	if errors.As(err, &refused) {
		return refused.ErrorCode() + ": " + refused.ErrorMessage()
	}
	return err.Error()
}
