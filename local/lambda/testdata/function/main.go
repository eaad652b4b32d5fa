// Command function does what its event asks for; the tests of package lambda run it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do   string
	Text string
	Code int
}

func main() {
	if code := os.Getenv("FAIL_INIT"); code != "" {
		fmt.Println("cannot start")
		os.Exit(3)
	}
	served := 0
	lambda.Start(func(ctx context.Context, e event) (any, error) {
		served++
		switch e.Do {
		case "environment":
			return os.Environ(), nil
		case "print":
			fmt.Print(e.Text)
		case "fail":
			return nil, errors.New(e.Text)
		case "panic":
			panic(e.Text)
		case "exit":
			os.Exit(e.Code)
		case "hang":
			fmt.Println("hanging")
			select {}
		case "wait":
			return nil, wait(e.Text)
		case "large":
			return strings.Repeat("x", 7<<20), nil
		case "spawn":
			child := exec.Command("/bin/sleep", "600")
			err := child.Start()
			return []int{os.Getpid(), child.Process.Pid}, err
		case "deadline":
			deadline, _ := ctx.Deadline()
			lc, _ := lambdacontext.FromContext(ctx)
			return map[string]any{"seconds": time.Until(deadline).Seconds(), "id": lc.AwsRequestID, "arn": lc.InvokedFunctionArn}, nil
		}
		return map[string]any{"served": served, "text": e.Text, "pid": os.Getpid()}, nil
	})
}

// wait leaves a file with its process id and waits for it to be removed.
func wait(file string) error {
	if err := os.WriteFile(file, fmt.Append(nil, os.Getpid()), 0o600); err != nil {
		return err
	}
	for {
		if _, err := os.Stat(file); os.IsNotExist(err) {
			return nil
		}
		time.Sleep(time.Millisecond)
	}
}
