// Command local serves the local AWS endpoint with both of the repository's
// stacks deployed, until it is interrupted. With the argument demo it tells
// the whole story on an endpoint of its own and ends.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"api-destination-credentials/local/demo"
	"api-destination-credentials/local/deploy"
	"api-destination-credentials/local/endpoint"
	"api-destination-credentials/local/page"
)

// demoTime bounds the demo; a first build on a slow machine fits in.
const demoTime = 10 * time.Minute

func main() {
	port := flag.Int("port", 4566, "port on 127.0.0.1; 0 takes a free one")
	empty := flag.Bool("empty", false, "deploy nothing")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: local [-port 4566] [-empty]   serve the endpoint\n       local demo                    run the demo on a free port")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	switch flag.Arg(0) {
	case "":
		err = serve(ctx, *port, *empty)
	case "demo":
		err = tell(ctx)
	default:
		err = fmt.Errorf("there is no command %q: use none, or demo", flag.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "failed:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, port int, empty bool) error {
	local, err := endpoint.Start(endpoint.Config{Port: port, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d is taken: PORT=%d make local uses another one", port, port+1)
	}
	if err != nil {
		return err
	}
	defer local.Close()
	if !empty {
		deployer := deploy.Open(".").To(local.AWS(), showStackEvent)
		if _, err := deployer.Prerequisite(ctx); err != nil {
			return err
		}
		if _, err := deployer.Application(ctx, nil); err != nil {
			return err
		}
		// Packing and deploying the functions took more memory than serving will.
		debug.FreeOSMemory()
	}
	local.Ready()
	fmt.Printf(`
Ready. Watch it live: %s
In another terminal:
  export AWS_ENDPOINT_URL=%s AWS_DEFAULT_REGION=us-east-1 AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local
  aws events put-events --entries file://testEvent.json
Ctrl-C stops it.
`, local.URL()+page.Path, local.URL())
	<-ctx.Done()
	return nil
}

func showStackEvent(event types.StackEvent) {
	fmt.Printf("%-20s %-32s %s %s\n", event.ResourceStatus, aws.ToString(event.ResourceType), aws.ToString(event.LogicalResourceId), aws.ToString(event.ResourceStatusReason))
}

func tell(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, demoTime)
	defer cancel()
	// What the demo shows is its own words; of the endpoint only what goes wrong.
	local, err := endpoint.Start(endpoint.Config{Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		return err
	}
	defer local.Close()
	fmt.Println("A local AWS endpoint is at", local.URL())
	info, err := os.Stdout.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	// https://no-color.org
	return demo.Demo{AWS: local.AWS(), Root: ".", Out: os.Stdout, Colours: terminal && os.Getenv("NO_COLOR") == ""}.Run(ctx)
}
