// Command soak runs the application on a local endpoint under load, rotations
// and faults, and exits with status 1 if one event is lost or acted on twice.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"api-destination-credentials/internal/terminal"
	"api-destination-credentials/local/clock"
	"api-destination-credentials/local/deploy"
	"api-destination-credentials/local/endpoint"
	"api-destination-credentials/local/soak"
)

var command = terminal.Command{
	Name:  "go run ./local/soak/command",
	About: "Puts events through the application on a local endpoint of its own, with one\nrotation after another and a fault every few seconds, and accounts for each\nevent. It takes some minutes. Run it in the repository's root folder.",
	Usage: []string{"[-events n] [-rate n] [-seed n] [flags]"},
	More: `Examples:
  make soak
  go run ./local/soak/command -events 5000 -rotations 5
  go run ./local/soak/command -seed 7   the faults of a run with seed 7

Environment:
  NO_COLOR           any value: no colour and no progress

Exit status:
  0 every event arrived and was acted on once, 1 one did not or the run failed
`,
}

func main() {
	var s soak.Soak
	flag.IntVar(&s.Events, "events", 100_000, "events to put, at least")
	flag.IntVar(&s.PerSecond, "rate", 250, "events a second")
	flag.IntVar(&s.Rotations, "rotations", 100, "rotations, at least")
	flag.DurationVar(&s.FaultEvery, "fault-every", 3*time.Second, "time between two faults")
	flag.Uint64Var(&s.Seed, "seed", 0, "of the choice of faults; 0 takes another one each time")
	command.Parse()
	switch {
	case s.Events < 1 || s.PerSecond < 1 || s.Rotations < 0:
		command.Refuse("-events and -rate have to be 1 or more, and -rotations 0 or more")
	case s.FaultEvery <= 0:
		command.Refuse("-fault-every has to be longer than nothing, such as 3s")
	}
	if s.Seed == 0 {
		s.Seed = uint64(time.Now().UnixNano())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, s)
	switch {
	case err == nil:
	case terminal.Interrupted(ctx):
		terminal.Fail(1, errors.New("interrupted before the end; nothing is left behind, run it again when you like"))
	case errors.Is(err, fs.ErrNotExist):
		terminal.Fail(1, fmt.Errorf("%w: run it in the repository's root folder", err))
	default:
		terminal.Fail(1, fmt.Errorf("%w\n-seed %d makes the same faults again", err, s.Seed))
	}
}

func run(ctx context.Context, s soak.Soak) error {
	jumping := clock.New()
	defer jumping.Stop()
	screen := terminal.On(os.Stdout)
	local, err := endpoint.Start(endpoint.Config{Clock: jumping, Log: slog.New(slog.NewTextHandler(screen.Beside(os.Stderr), &slog.HandlerOptions{Level: slog.LevelError}))})
	if err != nil {
		return err
	}
	defer local.Close()
	if err := deployBoth(ctx, screen, local, &s); err != nil {
		return err
	}
	fmt.Printf("%d events at %d a second, a fault every %s, seed %d\n", s.Events, s.PerSecond, s.FaultEvery, s.Seed)
	s.AWS, s.Progress = local.AWS(), screen.Progress
	s.Pass = func(ctx context.Context, d time.Duration) error { return local.Pass(ctx, jumping, d) }
	report, err := s.Run(ctx)
	screen.Keep()
	if err != nil {
		return err
	}
	fmt.Printf("\n%s", report)
	if wrong := report.Failed(); wrong != "" {
		return errors.New(wrong)
	}
	return nil
}

func deployBoth(ctx context.Context, screen *terminal.Screen, local *endpoint.Endpoint, s *soak.Soak) (err error) {
	defer screen.Busy("building and deploying both stacks")()
	deployer := deploy.Open(".").To(local.AWS(), func(types.StackEvent) {})
	if s.Prerequisite, err = deployer.Prerequisite(ctx); err != nil {
		return err
	}
	s.Application, err = deployer.Application(ctx, nil)
	return err
}
