// Command local serves the local AWS endpoint with both of the repository's
// stacks deployed, until it is interrupted. With the argument demo it tells
// the whole story on an endpoint of its own and ends.
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
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"api-destination-credentials/internal/terminal"
	"api-destination-credentials/local/demo"
	"api-destination-credentials/local/deploy"
	"api-destination-credentials/local/endpoint"
	"api-destination-credentials/local/page"
)

// demoTime bounds the demo; a first build on a slow machine fits in.
const demoTime = 10 * time.Minute

var command = terminal.Command{
	Name:  "go run ./local",
	About: "Serves the local AWS endpoint with both stacks deployed, until Ctrl-C. With demo\nit tells the whole story on an endpoint of its own and ends. Run it in the\nrepository's root folder.",
	Usage: []string{"[-port 4566] [-empty]", "demo"},
	Words: []string{"demo"},
	More: `Examples:
  make demo
  make local
  PORT=4600 make local
  EMPTY=1 make local       nothing deployed: for make deploy, or your own stacks

Environment:
  NO_COLOR           any value: no colour and no progress

Clients in other terminals find the endpoint by
  export AWS_ENDPOINT_URL=http://127.0.0.1:4566 AWS_DEFAULT_REGION=us-east-1
  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local
`,
}

func main() {
	port := flag.Int("port", 4566, "on 127.0.0.1; 0 takes a free one")
	empty := flag.Bool("empty", false, "deploy nothing")
	word := command.Parse()
	switch {
	case word == "demo" && flag.NFlag() > 0:
		command.Refuse("demo takes no flags")
	case *port < 0 || *port > 65535:
		command.Refuse("there is no port %d", *port)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := func() error { return serve(ctx, *port, *empty) }
	if word == "demo" {
		run = func() error { return tell(ctx) }
	}
	err := run()
	switch {
	case err == nil:
	case terminal.Interrupted(ctx):
		terminal.Fail(1, errors.New("interrupted before the end; nothing is left behind, run it again when you like"))
	default:
		terminal.Fail(1, err)
	}
}

func serve(ctx context.Context, port int, empty bool) error {
	screen := terminal.On(os.Stdout)
	local, err := endpoint.Start(endpoint.Config{Port: port, Log: slog.New(slog.NewTextHandler(screen.Beside(os.Stderr), nil))})
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d is taken: PORT=%d make local uses another one", port, port+1)
	}
	if errors.Is(err, syscall.EACCES) {
		return fmt.Errorf("port %d is not yours to use: PORT=4566 make local uses one that is", port)
	}
	if err != nil {
		return err
	}
	defer local.Close()
	if !empty {
		if err := deployBoth(ctx, screen, local); err != nil {
			return remedied(err, "make local")
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

func deployBoth(ctx context.Context, screen *terminal.Screen, local *endpoint.Endpoint) error {
	defer screen.Busy("building and deploying both stacks")()
	deployer := deploy.Open(".").To(local.AWS(), func(event types.StackEvent) { showStackEvent(screen, event) })
	if _, err := deployer.Prerequisite(ctx); err != nil {
		return err
	}
	_, err := deployer.Application(ctx, nil)
	return err
}

func showStackEvent(screen *terminal.Screen, event types.StackEvent) {
	status := fmt.Sprintf("%-20s", event.ResourceStatus)
	switch {
	case strings.Contains(status, "FAILED") || strings.Contains(status, "ROLLBACK"):
		status = screen.Bad(status)
	case strings.HasSuffix(string(event.ResourceStatus), "_COMPLETE"):
		status = screen.Good(status)
	}
	fmt.Fprintf(screen, "%s %-32s %s %s\n", status, aws.ToString(event.ResourceType), aws.ToString(event.LogicalResourceId), aws.ToString(event.ResourceStatusReason))
}

func tell(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, demoTime)
	defer cancel()
	// What the demo shows is its own words; of the endpoint only what goes wrong.
	screen := terminal.On(os.Stdout)
	local, err := endpoint.Start(endpoint.Config{Log: slog.New(slog.NewTextHandler(screen.Beside(os.Stderr), &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		return err
	}
	defer local.Close()
	fmt.Fprintln(screen, "A local AWS endpoint is at", local.URL())
	if err := (demo.Demo{AWS: local.AWS(), Root: ".", Out: screen}).Run(ctx); err != nil {
		return remedied(err, "make demo")
	}
	return nil
}

func remedied(err error, again string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: run it in the repository's root folder", err)
	}
	return fmt.Errorf("%w\nCorrect what it names and run %s again", err, again)
}
