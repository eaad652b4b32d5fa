// Package demo tells the whole story on an AWS endpoint: both stacks deployed,
// an event delivered, the client secret rotated while events flow, none of them
// lost, everything deleted. Each chapter looks for itself whether what it tells is
// true, so that the demo is a test as well.
package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"api-destination-credentials/internal/terminal"
	"api-destination-credentials/local/deploy"
)

// arrival bounds how long an event may take to reach the receiver's log.
const arrival = 30 * time.Second

// Demo is one telling.
type Demo struct {
	AWS  aws.Config // the endpoint, without stacks
	Root string     // the repository
	Out  io.Writer  // in colour where it is a terminal that takes it
}

// Run tells the story. The first step that does not come out as it should
// ends it with the reason; the stacks are then left as they are.
func (d Demo) Run(ctx context.Context) error {
	out := &screen{terminal.On(d.Out), time.Now()}
	s := &story{
		screen:   out,
		root:     d.Root,
		deployer: deploy.Open(d.Root).To(d.AWS, out.stackEvent),
		events:   eventbridge.NewFromConfig(d.AWS),
		secrets:  secretsmanager.NewFromConfig(d.AWS),
		logs:     cloudwatchlogs.NewFromConfig(d.AWS),
	}
	for _, step := range []func(context.Context) error{s.deploy, s.deliver, s.rotate, s.tidyUp} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	s.chapter("Done")
	s.fact("events", "%d sent, %d delivered, 0 lost", s.sent, s.sent)
	s.fact("left behind", "nothing: no stack, connection, secret or log group")
	return nil
}

type story struct {
	*screen
	root     string
	deployer *deploy.Deployer
	events   *eventbridge.Client
	secrets  *secretsmanager.Client
	logs     *cloudwatchlogs.Client

	prerequisite, application map[string]string // stack outputs
	sent                      int               // events, all of them delivered
}

func (s *story) deploy(ctx context.Context) (err error) {
	s.chapter("Deploy prerequisite.yaml: identity provider, key, source secret")
	done := s.Busy("deploying prerequisite.yaml")
	s.prerequisite, err = s.deployer.Prerequisite(ctx)
	done()
	if err != nil {
		return err
	}
	s.fact("token endpoint", "%s", s.prerequisite["AuthorizationEndpoint"])
	s.fact("client id", "%s", s.prerequisite["ClientID"])
	s.fact("key", "%s", s.prerequisite["CMKKeyARN"])
	s.chapter("Build the functions and deploy template.yaml: bus, rule, connection, destination, receiver")
	done = s.Busy("building and deploying template.yaml")
	s.application, err = s.deployer.Application(ctx, nil)
	done()
	if err != nil {
		return err
	}
	return s.connection(ctx)
}

// connection shows which version the connection holds, and insists on AUTHORIZED.
func (s *story) connection(ctx context.Context) error {
	shown, err := s.events.DescribeConnection(ctx, &eventbridge.DescribeConnectionInput{Name: aws.String(s.application["ConnectionName"])})
	if err != nil {
		return err
	}
	if shown.ConnectionState != ebtypes.ConnectionStateAuthorized {
		return fmt.Errorf("connection %s is %s (%s): the follower's and the custom resource's logs say more", aws.ToString(shown.Name), shown.ConnectionState, aws.ToString(shown.StateReason))
	}
	s.fact("connection", "%s %s, holds version %s", aws.ToString(shown.Name), shown.ConnectionState, s.application["CredentialsVersion"])
	return nil
}

// deliver puts the event of testEvent.json and waits until the receiver has
// logged it.
func (s *story) deliver(ctx context.Context) error {
	s.chapter("Put the event of testEvent.json")
	began := time.Now()
	id, err := s.put(ctx)
	if err != nil {
		return err
	}
	s.fact("event id", "%s", id)
	line, err := s.receiverLine(ctx, id)
	if err != nil {
		return err
	}
	s.fact("receiver's log", "%s", line)
	s.fact("took", "%d ms", time.Since(began).Milliseconds())
	s.sent++
	return nil
}

// put sends what `aws events put-events --entries file://testEvent.json` sends.
func (s *story) put(ctx context.Context) (id string, err error) {
	text, err := os.ReadFile(filepath.Join(s.root, "testEvent.json"))
	if err != nil {
		return "", err
	}
	var entries []ebtypes.PutEventsRequestEntry
	if err := json.Unmarshal(text, &entries); err != nil {
		return "", fmt.Errorf("testEvent.json: %w", err)
	}
	accepted, err := s.events.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: entries})
	if err != nil {
		return "", err
	}
	if accepted.FailedEntryCount != 0 {
		return "", fmt.Errorf("the event was refused: %s: see that testEvent.json names the stack's bus", aws.ToString(accepted.Entries[0].ErrorMessage))
	}
	return aws.ToString(accepted.Entries[0].EventId), nil
}

func (s *story) receiverLine(ctx context.Context, id string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, arrival)
	defer cancel()
	for {
		found, err := s.lines(ctx, s.application["ReceiverLogGroup"], `"`+id+`"`)
		if err == nil && len(found) > 0 {
			return strings.TrimSpace(found[0]), nil
		}
		select {
		case <-ctx.Done():
			return "", errors.Join(fmt.Errorf("event %s did not reach the receiver's log within %s", id, arrival), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *story) tidyUp(ctx context.Context) error {
	s.chapter("Delete both stacks")
	defer s.Busy("deleting")()
	for _, stack := range []string{deploy.ApplicationStack, deploy.PrerequisiteStack} {
		if err := s.deployer.Delete(ctx, stack); err != nil {
			return err
		}
	}
	return s.nothingLeft(ctx)
}

// nothingLeft looks for what stacks like these leave behind when they leave anything.
func (s *story) nothingLeft(ctx context.Context) error {
	connections, err := s.events.ListConnections(ctx, &eventbridge.ListConnectionsInput{})
	if err != nil {
		return err
	}
	secrets, err := s.secrets.ListSecrets(ctx, &secretsmanager.ListSecretsInput{})
	if err != nil {
		return err
	}
	groups, err := s.logs.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{})
	if err != nil {
		return err
	}
	if c, n, g := len(connections.Connections), len(secrets.SecretList), len(groups.LogGroups); c+n+g > 0 {
		return fmt.Errorf("left behind: %d connections, %d secrets, %d log groups", c, n, g)
	}
	return nil
}
