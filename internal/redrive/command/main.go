// Command redrive puts the events of a stack's dead-letter queue back on its
// event bus. It exits with status 1 if some stay.
package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"api-destination-credentials/internal/redrive"
)

func main() {
	stack := flag.String("stack", "api-destination", "stack made from template.yaml")
	region := flag.String("region", "", "Region of the stack; empty takes the AWS configuration's")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "Puts the events of a stack's dead-letter queue back on its event bus. Repair what kept\nthem from being delivered first (make doctor); it can be interrupted and run again.\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	kept, err := run(ctx, *stack, *region)
	if err != nil {
		fmt.Fprintln(os.Stderr, "failed:", err)
	}
	if err != nil || kept > 0 {
		os.Exit(1)
	}
}

func run(ctx context.Context, stack, region string) (kept int, err error) {
	aws, err := config.LoadDefaultConfig(ctx, config.WithRegion(region))
	if err != nil {
		return 0, err
	}
	outputs, err := outputsOf(ctx, cloudformation.NewFromConfig(aws), stack)
	if err != nil {
		return 0, err
	}
	result, err := redrive.Redriver{
		Queue: sqs.NewFromConfig(aws), QueueURL: outputs["DeadLetterQueueURL"],
		Bus: eventbridge.NewFromConfig(aws), BusName: outputs["EventBusName"], Now: time.Now,
		Progress: func(sofar redrive.Result) { fmt.Printf("%d events are back on the bus\n", sofar.Redriven) },
	}.Run(ctx)
	for _, reason := range slices.Sorted(maps.Keys(result.Kept)) {
		fmt.Printf("%d messages stay in the queue: %s\n", result.Kept[reason], reason)
		kept += result.Kept[reason]
	}
	if err == nil && result.Redriven+kept == 0 {
		fmt.Println("the dead-letter queue is empty")
	}
	return kept, err
}

func outputsOf(ctx context.Context, stacks *cloudformation.Client, stack string) (map[string]string, error) {
	described, err := stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(stack)})
	if err != nil {
		return nil, fmt.Errorf("stack %s cannot be described (name yours with -stack): %w", stack, err)
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
