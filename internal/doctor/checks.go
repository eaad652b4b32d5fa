package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func fine(format string, a ...any) Finding {
	return Finding{State: Fine, Text: fmt.Sprintf(format, a...)}
}

func (d Doctor) stack(_ context.Context, p patient) (Finding, error) {
	if strings.HasSuffix(p.status, "_FAILED") {
		return Finding{State: Symptom, Text: p.name + " is " + p.status, Remedy: "Look at its events (sam list resources, aws cloudformation describe-stack-events) and deploy again."}, nil
	}
	return fine("%s is %s", p.name, p.status), nil
}

// keyTag has to be on a key before API destinations may use it.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/encryption-connections.html
const keyTag = "EventBridgeApiDestinations"

func (d Doctor) key(ctx context.Context, p patient) (Finding, error) {
	arn := p.keyARN
	described, err := d.Keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(arn)})
	if err != nil {
		return Finding{}, err
	}
	switch state := described.KeyMetadata.KeyState; state {
	case kmstypes.KeyStateEnabled:
	case kmstypes.KeyStatePendingDeletion:
		return Finding{State: Cause, Text: arn + " is pending deletion", Remedy: fmt.Sprintf("aws kms cancel-key-deletion --key-id %s && aws kms enable-key --key-id %s", arn, arn)}, nil
	default:
		return Finding{State: Cause, Text: fmt.Sprintf("%s is %s", arn, state), Remedy: "aws kms enable-key --key-id " + arn}, nil
	}
	tags, err := d.Keys.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: aws.String(arn)})
	if err != nil {
		return Finding{}, err
	}
	if !slices.ContainsFunc(tags.Tags, func(tag kmstypes.Tag) bool {
		return aws.ToString(tag.TagKey) == keyTag && aws.ToString(tag.TagValue) == "true"
	}) {
		return Finding{State: Cause, Text: fmt.Sprintf("%s lacks the tag %s=true", arn, keyTag), Remedy: fmt.Sprintf("aws kms tag-resource --key-id %s --tags TagKey=%s,TagValue=true", arn, keyTag)}, nil
	}
	return fine("enabled, and tagged for API destinations"), nil
}

func (d Doctor) secret(ctx context.Context, p patient) (Finding, error) {
	shown, err := d.Secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String(p.secretARN)})
	if err != nil {
		return Finding{}, err
	}
	if shown.DeletedDate != nil {
		return Finding{State: Cause, Text: p.secretARN + " is marked for deletion", Remedy: "aws secretsmanager restore-secret --secret-id " + p.secretARN}, nil
	}
	held, current := holder(shown, "eventbridge/"+p.physical["Connection"]), holder(shown, "AWSCURRENT")
	if held == current {
		return fine("the connection holds AWSCURRENT, version %s", current), nil
	}
	if pending := holder(shown, "AWSPENDING"); pending != "" && pending == held {
		return fine("a rotation is under way: the connection holds its version %s already", held), nil
	}
	return Finding{
		State:  Cause,
		Text:   fmt.Sprintf("AWSCURRENT is version %s, and the connection holds %s: the follower could not bring it in step, most often because the new client secret is not accepted", current, orNone(held)),
		Remedy: fmt.Sprintf("Read the follower's log, then put a client secret that works, or go back: aws secretsmanager update-secret-version-stage --secret-id %s --version-stage AWSCURRENT --move-to-version-id %s --remove-from-version-id %s", p.secretARN, orNone(held), current),
	}, nil
}

func holder(shown *secretsmanager.DescribeSecretOutput, label string) string {
	for version, labels := range shown.VersionIdsToStages {
		if slices.Contains(labels, label) {
			return version
		}
	}
	return ""
}

func orNone(version string) string {
	if version == "" {
		return "none"
	}
	return version
}

func (d Doctor) connection(ctx context.Context, p patient) (Finding, error) {
	name := p.physical["Connection"]
	shown, err := d.Events.DescribeConnection(ctx, &eventbridge.DescribeConnectionInput{Name: aws.String(name)})
	if err != nil {
		return Finding{}, err
	}
	if shown.ConnectionState != ebtypes.ConnectionStateAuthorized {
		return Finding{
			State:  Cause,
			Text:   fmt.Sprintf("%s is %s: %s", name, shown.ConnectionState, aws.ToString(shown.StateReason)),
			Remedy: "See that the token endpoint answers and the secret works, then let the follower repair it: sam remote invoke FollowerFunction --event-file events/follower-timer.json",
		}, nil
	}
	return fine("%s is AUTHORIZED", name), nil
}

func (d Doctor) rule(ctx context.Context, p patient) (Finding, error) {
	bus, name, _ := strings.Cut(p.physical["Rule"], "|")
	shown, err := d.Events.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: aws.String(name), EventBusName: aws.String(bus)})
	if err != nil {
		return Finding{}, err
	}
	if shown.State == ebtypes.RuleStateDisabled {
		return Finding{State: Cause, Text: name + " is disabled: events are not even tried", Remedy: fmt.Sprintf("aws events enable-rule --name %s --event-bus-name %s", name, bus)}, nil
	}
	targets, err := d.Events.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: aws.String(name), EventBusName: aws.String(bus)})
	if err != nil {
		return Finding{}, err
	}
	if !slices.ContainsFunc(targets.Targets, func(target ebtypes.Target) bool { return aws.ToString(target.Arn) == p.outputs["ApiDestinationArn"] }) {
		return Finding{State: Cause, Text: name + " does not have the API destination as a target", Remedy: "Deploy again (sam deploy) after a change of the template, or put the target back."}, nil
	}
	return fine("%s is enabled and aims at the API destination", name), nil
}

func (d Doctor) destination(ctx context.Context, p patient) (Finding, error) {
	shown, err := d.Events.DescribeApiDestination(ctx, &eventbridge.DescribeApiDestinationInput{Name: aws.String(p.physical["ApiDestination"])})
	if err != nil {
		return Finding{}, err
	}
	if url := p.outputs["ReceiverURL"]; url != "" && aws.ToString(shown.InvocationEndpoint) != url {
		return Finding{
			State:  Cause,
			Text:   fmt.Sprintf("the API destination sends to %s, and the receiver is %s", aws.ToString(shown.InvocationEndpoint), url),
			Remedy: fmt.Sprintf("aws events update-api-destination --name %s --invocation-endpoint %s", p.physical["ApiDestination"], url),
		}, nil
	}
	if shown.ApiDestinationState != ebtypes.ApiDestinationStateActive {
		return Finding{State: Symptom, Text: "the API destination is " + string(shown.ApiDestinationState), Remedy: "It follows its connection: repair that."}, nil
	}
	return fine("active, sends to %s", aws.ToString(shown.InvocationEndpoint)), nil
}

func (d Doctor) receiver(ctx context.Context, p patient) (Finding, error) {
	if function := p.physical["ReceiverFunction"]; function != "" {
		shown, err := d.Functions.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: aws.String(function)})
		if err != nil {
			return Finding{}, err
		}
		if shown.Concurrency != nil && aws.ToInt32(shown.Concurrency.ReservedConcurrentExecutions) == 0 {
			return Finding{State: Cause, Text: function + " has a reserved concurrency of 0: it is not run", Remedy: "aws lambda delete-function-concurrency --function-name " + function}, nil
		}
	}
	tried, delivered, err := d.sums(ctx, p, "InvocationAttempts", "SuccessfulInvocationAttempts")
	if err != nil {
		return Finding{}, err
	}
	if tried > 0 && delivered == 0 {
		return Finding{State: Symptom, Text: fmt.Sprintf("none of %.0f attempts in the last hour succeeded; EventBridge goes on for 24 hours", tried), Remedy: "Look at the destination's own log (sam logs)."}, nil
	}
	return fine("%.0f of %.0f attempts in the last hour succeeded", delivered, tried), nil
}

func (d Doctor) sums(ctx context.Context, p patient, first, second string) (float64, float64, error) {
	bus, name, _ := strings.Cut(p.physical["Rule"], "|")
	read := func(metric string) (float64, error) {
		// A rule of a bus of one's own has its metrics under both names.
		// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
		shown, err := d.Metrics.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
			Namespace: aws.String("AWS/Events"), MetricName: aws.String(metric), Period: aws.Int32(60), Statistics: []cwtypes.Statistic{cwtypes.StatisticSum},
			StartTime: aws.Time(time.Now().Add(-time.Hour)), EndTime: aws.Time(time.Now().Add(time.Minute)),
			Dimensions: []cwtypes.Dimension{{Name: aws.String("EventBusName"), Value: aws.String(bus)}, {Name: aws.String("RuleName"), Value: aws.String(name)}},
		})
		if err != nil {
			return 0, err
		}
		sum := 0.0
		for _, point := range shown.Datapoints {
			sum += aws.ToFloat64(point.Sum)
		}
		return sum, nil
	}
	one, err := read(first)
	if err != nil || second == "" {
		return one, 0, err
	}
	two, err := read(second)
	return one, two, err
}

func (d Doctor) rotation(ctx context.Context, p patient) (Finding, error) {
	function := p.physical["RotationFunction"]
	if function == "" {
		return Finding{}, nil
	}
	shown, err := d.Secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String(p.secretARN)})
	if err != nil {
		return Finding{}, err
	}
	pending, current := holder(shown, "AWSPENDING"), holder(shown, "AWSCURRENT")
	errors, err := d.Metrics.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("AWS/Lambda"), MetricName: aws.String("Errors"), Period: aws.Int32(60), Statistics: []cwtypes.Statistic{cwtypes.StatisticSum},
		StartTime: aws.Time(time.Now().Add(-time.Hour)), EndTime: aws.Time(time.Now().Add(time.Minute)),
		Dimensions: []cwtypes.Dimension{{Name: aws.String("FunctionName"), Value: aws.String(function)}},
	})
	if err != nil {
		return Finding{}, err
	}
	failed := slices.ContainsFunc(errors.Datapoints, func(point cwtypes.Datapoint) bool { return aws.ToFloat64(point.Sum) > 0 })
	if pending != "" && pending != current && failed {
		return Finding{State: Symptom, Text: "the last rotation failed and is tried again; the connection keeps the secret it has", Remedy: "The rotation's log names the step and the reason: sam logs"}, nil
	}
	if shown.NextRotationDate != nil && time.Since(*shown.NextRotationDate) > 24*time.Hour {
		return Finding{State: Symptom, Text: "the rotation is overdue since " + shown.NextRotationDate.Format(time.DateOnly), Remedy: "aws secretsmanager rotate-secret --secret-id " + p.secretARN}, nil
	}
	return fine("no failure in the last hour"), nil
}

func (d Doctor) lost(ctx context.Context, p patient) (Finding, error) {
	lost, _, err := d.sums(ctx, p, "InvocationsFailedToBeSentToDlq", "")
	if err != nil {
		return Finding{}, err
	}
	if lost > 0 {
		return Finding{
			State:  Cause,
			Text:   fmt.Sprintf("%.0f events of the last hour could not be written to the dead-letter queue", lost),
			Remedy: "Restore the queue's policy (sam deploy), then replay the archive: docs/operations.md, EventsLostAlarm.",
		}, nil
	}
	return fine("the queue takes what is sent to it"), nil
}

func (d Doctor) deadLetters(ctx context.Context, p patient) (Finding, error) {
	queue := aws.String(p.outputs["DeadLetterQueueURL"])
	shown, err := d.Queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: queue, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages}})
	if err != nil {
		return Finding{}, err
	}
	waiting, err := strconv.Atoi(shown.Attributes["ApproximateNumberOfMessages"])
	if err != nil || waiting == 0 {
		return fine("none"), err
	}
	// Out of sight for a second only: their attributes are wanted.
	peeked, err := d.Queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue, MaxNumberOfMessages: 10, VisibilityTimeout: 1, MessageAttributeNames: []string{"ERROR_CODE", "ERROR_MESSAGE"}})
	if err != nil {
		return Finding{}, err
	}
	causes := map[string]int{}
	for _, message := range peeked.Messages {
		text := func(name string) string { return aws.ToString(message.MessageAttributes[name].StringValue) }
		causes[text("ERROR_CODE")+" ("+text("ERROR_MESSAGE")+")"]++
	}
	var listed []string
	for _, cause := range slices.Sorted(maps.Keys(causes)) {
		listed = append(listed, fmt.Sprintf("%d of %d looked at: %s", causes[cause], len(peeked.Messages), cause))
	}
	return Finding{State: Symptom, Text: fmt.Sprintf("%d events wait; %s", waiting, strings.Join(listed, "; ")), Remedy: "Once the cause is repaired: make redrive"}, nil
}
