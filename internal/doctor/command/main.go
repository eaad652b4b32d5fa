// Command doctor says why the events of a stack are not arriving, and what to do
// about it. It exits with 0 if nothing is wrong, with 1 if something is, and with
// 2 if it could not look.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"api-destination-credentials/internal/doctor"
	"api-destination-credentials/internal/terminal"
)

var command = terminal.Command{
	Name:  "go run ./internal/doctor/command",
	About: "Says why the events of a stack are not arriving, and what to do about it.\nIt only reads, and never a secret or an event.",
	Usage: []string{"[-stack name] [-region name]"},
	More: `Examples:
  make doctor
  make doctor STACK=orders
  go run ./internal/doctor/command -stack orders -region eu-west-1

Environment:
  AWS_ENDPOINT_URL   a local endpoint (make local shows it); unset: your account
  AWS_REGION         the Region, where -region is not given
  AWS_PROFILE        and what else the AWS CLI takes credentials from
  NO_COLOR           any value: no colour and no progress

Exit status:
  0 nothing is wrong, 1 something is, 2 it could not look
`,
}

func main() {
	stack := flag.String("stack", "api-destination", "`name` of a stack made from template.yaml")
	region := flag.String("region", "", "Region of the stack; empty takes the AWS configuration's")
	command.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	report, err := examine(ctx, *stack, *region)
	if err != nil {
		terminal.Fail(2, err)
	}
	os.Exit(show(report))
}

func examine(ctx context.Context, stack, region string) (doctor.Report, error) {
	configuration, err := doctor.Configuration(ctx, region)
	if err != nil {
		return nil, err
	}
	defer terminal.On(os.Stdout).Busy("looking at stack " + stack)()
	return doctor.New(configuration).Examine(ctx, stack)
}

func show(report doctor.Report) (status int) {
	screen := terminal.On(os.Stdout)
	colours := map[doctor.State]func(string) string{
		doctor.Fine: screen.Good, doctor.Unknown: screen.Doubtful, doctor.Symptom: screen.Doubtful, doctor.Cause: screen.Bad,
	}
	unseen := ""
	for _, finding := range report {
		if finding.State == doctor.Unknown {
			unseen = finding.Check + ": " + finding.Remedy
		}
		state := colours[finding.State](fmt.Sprintf("%-8s", finding.State))
		fmt.Fprintf(screen, "%s %-20s %s\n", state, finding.Check, finding.Text)
	}
	if cause := report.Cause(); cause != nil {
		fmt.Fprintf(screen, "\n%s %s: %s\n%s\n", screen.Bold("Begin here:"), cause.Check, cause.Text, cause.Remedy)
		return 1
	}
	if report.Blind() {
		fmt.Fprintf(os.Stderr, "\nNothing wrong was seen, but not everything could be looked at. %s\n", unseen)
		return 2
	}
	fmt.Fprintln(screen, "\nNothing is wrong here.")
	return 0
}
