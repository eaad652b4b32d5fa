// Command redrive puts the events of a stack's dead-letter queue back on its
// event bus. It exits with status 1 if some stay.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"api-destination-credentials/internal/doctor"
	"api-destination-credentials/internal/redrive"
	"api-destination-credentials/internal/terminal"
)

var command = terminal.Command{
	Name:  "go run ./internal/redrive/command",
	About: "Puts the events of a stack's dead-letter queue back on its event bus. Repair\nfirst what kept them from being delivered (make doctor). It can be interrupted\nand run again.",
	Usage: []string{"[-stack name] [-region name]"},
	More: `Examples:
  make redrive
  make redrive STACK=orders
  go run ./internal/redrive/command -stack orders -region eu-west-1

Environment:
  AWS_ENDPOINT_URL   a local endpoint (make local shows it); unset: your account
  AWS_REGION         the Region, where -region is not given
  AWS_PROFILE        and what else the AWS CLI takes credentials from
  NO_COLOR           any value: no colour and no progress

Exit status:
  0 the queue is empty now, 1 some events stay there or it failed
`,
}

func main() {
	stack := flag.String("stack", "api-destination", "`name` of a stack made from template.yaml")
	region := flag.String("region", "", "Region of the stack; empty takes the AWS configuration's")
	command.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	kept, err := run(ctx, *stack, *region)
	if err != nil {
		terminal.Fail(1, err)
	}
	if kept > 0 {
		os.Exit(1)
	}
}

func run(ctx context.Context, stack, region string) (kept int, err error) {
	aws, err := doctor.Configuration(ctx, region)
	if err != nil {
		return 0, err
	}
	outputs, err := outputsOf(ctx, cloudformation.NewFromConfig(aws), stack)
	if err != nil {
		return 0, err
	}
	screen := terminal.On(os.Stdout)
	result, err := redrive.Redriver{
		Queue: sqs.NewFromConfig(aws), QueueURL: outputs["DeadLetterQueueURL"],
		Bus: eventbridge.NewFromConfig(aws), BusName: outputs["EventBusName"], Now: time.Now,
		Progress: func(sofar redrive.Result) {
			screen.Progress(fmt.Sprintf("%d events are back on the bus", sofar.Redriven))
		},
	}.Run(ctx)
	screen.Keep()
	for _, reason := range slices.Sorted(maps.Keys(result.Kept)) {
		fmt.Printf("%d messages stay in the queue: %s\n", result.Kept[reason], reason)
		kept += result.Kept[reason]
	}
	if ctx.Err() != nil {
		return kept, errors.New("interrupted: run it again to go on")
	}
	if err != nil {
		_, remedy := doctor.Explain(err)
		return kept, fmt.Errorf("%w\n%s", err, remedy)
	}
	if result.Redriven+kept == 0 {
		fmt.Println("the dead-letter queue is empty")
	}
	return kept, nil
}

func outputsOf(ctx context.Context, stacks *cloudformation.Client, stack string) (map[string]string, error) {
	described, err := stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(stack)})
	if err != nil {
		reason, remedy := doctor.Explain(err)
		return nil, fmt.Errorf("stack %s cannot be described: %s: %s", stack, reason, remedy)
	}
	outputs := map[string]string{}
	for _, output := range described.Stacks[0].Outputs {
		outputs[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
	}
	for _, needed := range []string{"DeadLetterQueueURL", "EventBusName"} {
		if outputs[needed] == "" {
			return nil, fmt.Errorf("stack %s has no output %s: name a stack that was made from template.yaml with -stack", stack, needed)
		}
	}
	return outputs, nil
}
