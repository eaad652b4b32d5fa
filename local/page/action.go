package page

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// send does what `aws events put-events --entries file://testEvent.json` does.
func (p *page) send(ctx context.Context, _ *http.Request) (string, error) {
	text, err := os.ReadFile("testEvent.json")
	if err != nil {
		return "", fmt.Errorf("the test event cannot be read: start the endpoint in the repository's folder (%w)", err)
	}
	var entries []ebtypes.PutEventsRequestEntry
	if err := json.Unmarshal(text, &entries); err != nil {
		return "", fmt.Errorf("testEvent.json is no list of PutEvents entries: %w", err)
	}
	put, err := p.account.events.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: entries})
	if err != nil {
		return "", err
	}
	var sent []string
	for _, entry := range put.Entries {
		if entry.EventId == nil {
			return "", fmt.Errorf("EventBridge refused the event: %s", aws.ToString(entry.ErrorMessage))
		}
		sent = append(sent, short(*entry.EventId))
	}
	return "Sent event " + strings.Join(sent, ", ") + ".", nil
}

func (p *page) rotate(ctx context.Context, _ *http.Request) (string, error) {
	secret := p.read(ctx).prerequisite.outputs["OAuthSecretArn"]
	if secret == "" {
		return "", errNothingDeployed
	}
	rotated, err := p.account.secrets.RotateSecret(ctx, &secretsmanager.RotateSecretInput{SecretId: &secret})
	if err != nil {
		return "", err
	}
	return "Rotation began: version " + short(aws.ToString(rotated.VersionId)) + " is on its way.", nil
}

var errNothingDeployed = errors.New("there is nothing to act on yet: wait until both stacks are deployed")

func (p *page) read(ctx context.Context) *reading {
	return p.account.read(ctx, p.Prerequisite, p.Application, p.Clock.Now())
}

func (p *page) breakOne(ctx context.Context, r *http.Request) (string, error) {
	f, err := named(r.PathValue("fault"))
	if err != nil {
		return "", err
	}
	now := p.read(ctx)
	switch {
	case !f.possible(now):
		return "", errNothingDeployed
	case f.broken(now):
		return f.breaks + " Already so.", nil
	}
	return f.breaks, f.cause(ctx, p.account, now)
}

func (p *page) repairOne(ctx context.Context, r *http.Request) (string, error) {
	f, err := named(r.PathValue("fault"))
	if err != nil {
		return "", err
	}
	now := p.read(ctx)
	if !f.possible(now) || !f.broken(now) {
		return f.repairs + " There was nothing to repair.", nil
	}
	return f.repairs, f.undo(ctx, p.account, now)
}

// repairAll undoes every fault, the key's first: others need it.
func (p *page) repairAll(ctx context.Context, _ *http.Request) (string, error) {
	now := p.read(ctx)
	var done []string
	for _, f := range faults {
		if !f.possible(now) || !f.broken(now) {
			continue
		}
		if err := f.undo(ctx, p.account, now); err != nil {
			return "", err
		}
		done = append(done, f.repairs)
	}
	if len(done) == 0 {
		return "Nothing is broken.", nil
	}
	return strings.Join(done, " "), nil
}
