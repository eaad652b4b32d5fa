package soak_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"api-destination-credentials/local/clock"
	"api-destination-credentials/local/deploy"
	"api-destination-credentials/local/endpoint"
	"api-destination-credentials/local/soak"
)

// TestAShortSoakLosesNothing is what make soak does, for as long as a test may take.
func TestAShortSoakLosesNothing(t *testing.T) {
	jumping := clock.New()
	defer jumping.Stop()
	local, err := endpoint.Start(endpoint.Config{Clock: jumping, Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))})
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	deployer := deploy.Open("../..").To(local.AWS(), func(types.StackEvent) {})
	prerequisite, err := deployer.Prerequisite(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	application, err := deployer.Application(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	report, err := soak.Soak{
		AWS: local.AWS(), Prerequisite: prerequisite, Application: application,
		Pass:   func(ctx context.Context, d time.Duration) error { return local.Pass(ctx, jumping, d) },
		Events: 1500, PerSecond: 150, Rotations: 3, FaultEvery: 700 * time.Millisecond, Seed: 1, Progress: func(text string) { t.Log(text) },
	}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", report)
	if wrong := report.Failed(); wrong != "" {
		t.Error(wrong)
	}
}
