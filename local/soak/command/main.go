// Command soak runs the application on a local endpoint under load, rotations
// and faults, and exits with status 1 if one event is lost or acted on twice.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"api-destination-credentials/local/clock"
	"api-destination-credentials/local/deploy"
	"api-destination-credentials/local/endpoint"
	"api-destination-credentials/local/soak"
)

func main() {
	var s soak.Soak
	flag.IntVar(&s.Events, "events", 100_000, "events to put, at least")
	flag.IntVar(&s.PerSecond, "rate", 250, "events a second")
	flag.IntVar(&s.Rotations, "rotations", 100, "rotations, at least")
	flag.DurationVar(&s.FaultEvery, "fault-every", 3*time.Second, "time between two faults")
	flag.Uint64Var(&s.Seed, "seed", uint64(time.Now().UnixNano()), "of the choice of faults")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "failed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s soak.Soak) error {
	jumping := clock.New()
	defer jumping.Stop()
	local, err := endpoint.Start(endpoint.Config{Clock: jumping, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))})
	if err != nil {
		return err
	}
	defer local.Close()
	deployer := deploy.Open(".").To(local.AWS(), func(types.StackEvent) {})
	if s.Prerequisite, err = deployer.Prerequisite(ctx); err != nil {
		return err
	}
	if s.Application, err = deployer.Application(ctx, nil); err != nil {
		return err
	}
	fmt.Printf("%d events at %d a second, a fault every %s, seed %d\n", s.Events, s.PerSecond, s.FaultEvery, s.Seed)
	s.AWS, s.Progress = local.AWS(), func(text string) { fmt.Println(text) }
	s.Pass = func(ctx context.Context, d time.Duration) error { return local.Pass(ctx, jumping, d) }
	report, err := s.Run(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("\n%s", report)
	if wrong := report.Failed(); wrong != "" {
		return errors.New(wrong)
	}
	return nil
}
