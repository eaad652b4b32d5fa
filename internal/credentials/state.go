package credentials

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"api-destination-credentials/internal/oauth"
)

// state is what is there: the source secret's labels and current credentials,
// and the connection.
type state struct {
	versions map[string]string // staging label: version
	current  oauth.Credentials // of AWSCURRENT
	created  time.Time         // when AWSCURRENT's version was
	shown    *eventbridge.DescribeConnectionOutput
	holds    bool // the connection is authorized with AWSCURRENT
	complete bool // all of the above was seen
}

// look reads the state, in four calls. With an error it returns what it saw
// until then.
func (s *Syncer) look(ctx context.Context, c Connection) (state, error) {
	versions, err := s.versions(ctx, c)
	if err != nil {
		return state{}, err
	}
	version := versions[Current]
	if version == "" {
		return state{}, fmt.Errorf("source secret %s has no version labelled %s: store the client credentials in it", c.SecretID, Current)
	}
	seen := state{versions: versions}
	if seen.current, seen.created, err = s.dated(ctx, c, version); err != nil {
		return seen, err
	}
	if seen.shown, err = s.describe(ctx, c); err != nil {
		return seen, err
	}
	seen.holds, err = s.holds(ctx, c, seen.shown, seen.current)
	seen.complete = err == nil
	return seen, err
}

func (seen state) inStep(c Connection) bool {
	return seen.holds && seen.versions[c.Label()] == seen.versions[Current]
}

func (seen state) authorized() bool {
	return seen.shown.ConnectionState == types.ConnectionStateAuthorized
}

func (s *Syncer) describe(ctx context.Context, c Connection) (*eventbridge.DescribeConnectionOutput, error) {
	shown, err := s.Events.DescribeConnection(ctx, &eventbridge.DescribeConnectionInput{Name: aws.String(c.Name)})
	if err != nil {
		return nil, explain(err, "connection %s cannot be described", c.Name)
	}
	return shown, nil
}
