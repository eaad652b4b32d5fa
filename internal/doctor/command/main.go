// Command doctor says why the events of a stack are not arriving, and what to do
// about it. It exits with 0 if nothing is wrong, with 1 if something is, and with
// 2 if it could not look.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"

	"api-destination-credentials/internal/doctor"
)

func main() {
	stack := flag.String("stack", "api-destination", "stack made from template.yaml")
	region := flag.String("region", "", "Region of the stack; empty takes the AWS configuration's")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "Says why events are not arriving. It only reads, and never a secret or an event.\nExit status: 0 nothing is wrong, 1 something is, 2 it could not look.\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	aws, err := config.LoadDefaultConfig(ctx, config.WithRegion(*region))
	if err != nil {
		fmt.Fprintln(os.Stderr, "failed:", err)
		os.Exit(2)
	}
	report, err := doctor.New(aws).Examine(ctx, *stack)
	if err != nil {
		fmt.Fprintln(os.Stderr, "failed:", err)
		os.Exit(2)
	}
	for _, finding := range report {
		fmt.Printf("%-8s %-20s %s\n", finding.State, finding.Check, finding.Text)
	}
	cause := report.Cause()
	switch {
	case cause != nil:
		fmt.Printf("\nBegin here: %s: %s\n%s\n", cause.Check, cause.Text, cause.Remedy)
		os.Exit(1)
	case report.Blind():
		os.Exit(2)
	}
	fmt.Println("\nNothing is wrong here.")
}
