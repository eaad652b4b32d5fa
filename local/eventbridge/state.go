package eventbridge

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// announcements are the detail types of the events that a connection's states
// put on the default bus.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events.html
var announcements = map[types.ConnectionState]string{
	types.ConnectionStateCreating:      "Connection Creation Started",
	types.ConnectionStateUpdating:      "Connection Update Started",
	types.ConnectionStateDeleting:      "Connection Deletion Started",
	types.ConnectionStateAuthorizing:   "Connection Authorization Started",
	types.ConnectionStateAuthorized:    "Connection Authorized",
	types.ConnectionStateDeauthorizing: "Connection Deauthorization Started",
	types.ConnectionStateDeauthorized:  "Connection Deauthorized",
}

// inTransition: no update may begin now.
func (c *connection) inTransition() bool {
	return slices.Contains([]types.ConnectionState{
		types.ConnectionStateCreating, types.ConnectionStateUpdating, types.ConnectionStateDeleting,
		types.ConnectionStateAuthorizing, types.ConnectionStateDeauthorizing,
	}, c.state)
}

// begin authorizes a connection whose secret is written: at once, or for OAuth
// by obtaining a token in the background.
func (s *Service) begin(c *connection) {
	if c.kind != types.ConnectionAuthorizationTypeOauthClientCredentials {
		c.authorized = s.now()
		s.setState(c, types.ConnectionStateAuthorized, "")
		return
	}
	s.setState(c, types.ConnectionStateAuthorizing, "")
	from := *c
	s.work.start(func(ctx context.Context) {
		obtained, err := s.obtain(ctx, &from, func(reason string) { s.explain(c, from.revision, reason) })
		if ctx.Err() == nil {
			s.settle(c, from.revision, obtained, err)
		}
	})
}

// explain gives the reason why a connection is still on its way.
func (s *Service) explain(c *connection, revision int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.revision == revision {
		c.reason = reason
	}
}

// settle records how an authorization ended. It returns false, and records
// nothing, when the connection changed meanwhile.
func (s *Service) settle(c *connection, revision int, obtained *credentials, err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.revision != revision {
		return false
	}
	if err != nil {
		c.credentials = nil
		s.Log.Warn("connection deauthorized", "connection", c.name, "reason", err.Error())
		s.setState(c, types.ConnectionStateDeauthorized, err.Error())
		return true
	}
	c.credentials = obtained
	if c.state != types.ConnectionStateAuthorized {
		c.authorized = s.now()
		s.setState(c, types.ConnectionStateAuthorized, "")
	}
	return true
}

// setState moves a connection and announces that, and what it means for its
// API destinations, on the default bus.
func (s *Service) setState(c *connection, state types.ConnectionState, reason string) {
	const longest = 512
	wasActive := c.state == types.ConnectionStateAuthorized
	c.state, c.reason = state, reason[:min(len(reason), longest)]
	timestamp := s.now().Format("2006-01-02 15:04:05 -0700 MST")
	detail := map[string]string{"ConnectionName": c.name, "Timestamp": timestamp}
	if c.reason != "" {
		detail["StateReason"] = c.reason
	}
	s.announce(announcements[state], c.arn, detail)
	active := state == types.ConnectionStateAuthorized
	if active == wasActive {
		return
	}
	detailType := "API Destination Deactivated"
	if active {
		detailType = "API Destination Activated"
	}
	for _, d := range s.destinations {
		if d.connectionARN == c.arn {
			s.announce(detailType, d.arn, map[string]string{"ApiDestinationName": d.name, "Timestamp": timestamp})
		}
	}
}

func (s *Service) announce(detailType, arn string, detail map[string]string) {
	s.work.start(func(ctx context.Context) { s.Publish(ctx, "aws.events", detailType, []string{arn}, detail) })
}
