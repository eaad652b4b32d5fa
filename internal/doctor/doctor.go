// Package doctor finds out why events are not arriving. It only reads, and never
// a secret's value or an event.
//
// Examine looks at what an event passes on its way, in that order; the Report's
// Cause is where to begin. Explain does the same for a call that did not reach AWS.
package doctor

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// Finding is what one look found.
type Finding struct {
	Check  string // what was looked at
	State  State
	Text   string // what is there
	Remedy string // what to do; empty where nothing is wrong
}

// State of what was looked at.
type State string

// The states, from good to bad. A Symptom has its cause somewhere else.
const (
	Fine    State = "ok"
	Unknown State = "?"
	Symptom State = "symptom"
	Cause   State = "cause"
)

// Report holds the findings in the order of an event's way.
type Report []Finding

// Cause is the finding to begin with: the first cause, or else the last symptom,
// which tells the most; nil where nothing is wrong.
func (r Report) Cause() *Finding {
	for i := range r {
		if r[i].State == Cause {
			return &r[i]
		}
	}
	for i := range slices.Backward(r) {
		if r[i].State == Symptom {
			return &r[i]
		}
	}
	return nil
}

// Blind tells whether something could not be looked at.
func (r Report) Blind() bool {
	for _, finding := range r {
		if finding.State == Unknown {
			return true
		}
	}
	return false
}

// Doctor looks at one stack made from template.yaml.
type Doctor struct {
	Stacks    *cloudformation.Client
	Events    *eventbridge.Client
	Secrets   *secretsmanager.Client
	Keys      *kms.Client
	Queues    *sqs.Client
	Functions *lambda.Client
	Metrics   *cloudwatch.Client
}

// New returns a doctor with the clients of one account and Region.
func New(config aws.Config) Doctor {
	return Doctor{
		Stacks: cloudformation.NewFromConfig(config), Events: eventbridge.NewFromConfig(config), Secrets: secretsmanager.NewFromConfig(config),
		Keys: kms.NewFromConfig(config), Queues: sqs.NewFromConfig(config), Functions: lambda.NewFromConfig(config),
		Metrics: cloudwatch.NewFromConfig(config),
	}
}

// Examine looks at everything. An error means that there is nothing to look at.
func (d Doctor) Examine(ctx context.Context, stack string) (Report, error) {
	p, err := d.patient(ctx, stack)
	if err != nil {
		return nil, err
	}
	var report Report
	for _, check := range []struct {
		name string
		look func(context.Context, patient) (Finding, error)
	}{
		{"stack", d.stack}, {"key", d.key}, {"secret", d.secret}, {"connection", d.connection}, {"rule", d.rule},
		{"API destination", d.destination}, {"receiver", d.receiver}, {"rotation", d.rotation},
		{"writing dead letters", d.lost}, {"dead letters", d.deadLetters},
	} {
		finding, err := check.look(ctx, p)
		if err != nil {
			why, remedy := Explain(err)
			finding = Finding{State: Unknown, Text: "cannot be looked at: " + why, Remedy: remedy}
		}
		if finding.State == "" {
			continue // not part of this stack
		}
		finding.Check = check.name
		report = append(report, finding)
	}
	return report, nil
}

// patient are the names of what belongs to the stack.
type patient struct {
	name, status string
	physical     map[string]string // by logical id
	outputs      map[string]string
	secretARN    string
	keyARN       string
}

func (d Doctor) patient(ctx context.Context, stack string) (patient, error) {
	p := patient{name: stack, physical: map[string]string{}, outputs: map[string]string{}}
	described, err := d.Stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(stack)})
	if err != nil {
		return p, unread(err, "stack %s cannot be described", stack)
	}
	p.status = string(described.Stacks[0].StackStatus)
	for _, output := range described.Stacks[0].Outputs {
		p.outputs[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
	}
	pages := cloudformation.NewListStackResourcesPaginator(d.Stacks, &cloudformation.ListStackResourcesInput{StackName: aws.String(stack)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return p, unread(err, "the resources of stack %s cannot be listed", stack)
		}
		for _, resource := range page.StackResourceSummaries {
			p.physical[aws.ToString(resource.LogicalResourceId)] = aws.ToString(resource.PhysicalResourceId)
		}
	}
	if p.physical["Connection"] == "" || p.physical["FollowerFunction"] == "" {
		return p, fmt.Errorf("stack %s is %s and has no connection and follower: name a stack that was made from template.yaml with -stack, or deploy it", stack, p.status)
	}
	// The follower is told what belongs together.
	follower, err := d.Functions.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String(p.physical["FollowerFunction"])})
	if err != nil {
		return p, unread(err, "the follower's configuration cannot be read")
	}
	if follower.Environment != nil {
		p.secretARN, p.keyARN = follower.Environment.Variables["SECRET_ARN"], follower.Environment.Variables["KEY_ARN"]
	}
	return p, nil
}

// unread is an error in one sentence, with what to do.
func unread(err error, format string, values ...any) error {
	why, remedy := Explain(err)
	return fmt.Errorf(format+": %s: %s", append(values, why, remedy)...)
}
