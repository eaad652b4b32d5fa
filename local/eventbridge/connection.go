package eventbridge

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/google/uuid"
)

type connection struct {
	name, arn   string
	description *string
	kind        types.ConnectionAuthorizationType
	state       types.ConnectionState
	reason      string
	key         *string // as the caller named it; nil for the AWS owned key
	secretARN   string  // empty once deauthorized by its operation
	shown       *types.ConnectionAuthResponseParameters

	created, modified, authorized time.Time

	// revision counts the changes by operations, so that what was begun before
	// a change has no effect after it.
	revision    int
	credentials *credentials // cached OAuth ones; nil before the first use
	refreshing  bool         // a delivery obtains new ones
	waiting     []*delivery  // for these
}

// CreateConnection stores the authorization parameters in a managed secret,
// written on the caller's behalf. Basic and API key connections are AUTHORIZED
// at once; OAuth ones are AUTHORIZING until a token was obtained.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection.html
func (s *Service) CreateConnection(ctx context.Context, in *eventbridge.CreateConnectionInput) (*eventbridge.CreateConnectionOutput, error) {
	held, err := newMaterial(in)
	if err != nil {
		return nil, err
	}
	arn := s.Account.ARN("events", "connection/"+*in.Name+"/"+uuid.NewString())
	if err := s.authorize(ctx, "CreateConnection", arn); err != nil {
		return nil, err
	}
	if err := s.checkConnectionKey(ctx, in.KmsKeyIdentifier); err != nil {
		return nil, err
	}
	c := &connection{
		name: *in.Name, arn: arn, description: in.Description, kind: in.AuthorizationType, key: given(in.KmsKeyIdentifier),
		shown: held.shown(), created: s.now(), modified: s.now(), authorized: time.Unix(0, 0).UTC(),
	}
	if err := s.insert(c); err != nil {
		return nil, err
	}
	secretARN, err := s.firstSecret(ctx, c, held)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		delete(s.connections, c.name)
		return nil, err
	}
	c.secretARN = secretARN
	s.adviseOn(in)
	s.begin(c)
	return &eventbridge.CreateConnectionOutput{
		ConnectionArn: aws.String(arn), ConnectionState: c.state, CreationTime: aws.Time(c.created), LastModifiedTime: aws.Time(c.modified),
	}, nil
}

func (s *Service) insert(c *connection) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.connections[c.name] != nil {
		return &types.ResourceAlreadyExistsException{Message: aws.String(fmt.Sprintf("Failed to create the connection(s). Connection '%s' already exists.", c.name))}
	}
	s.connections[c.name] = c
	s.setState(c, types.ConnectionStateCreating, "")
	return nil
}

// adviseOn logs what AWS takes without a word although it cannot be meant: a
// header such as Content_Type is another one than Content-Type.
func (s *Service) adviseOn(in *eventbridge.CreateConnectionInput) {
	if in.AuthParameters.OAuthParameters == nil || in.AuthParameters.OAuthParameters.OAuthHttpParameters == nil {
		return
	}
	for _, header := range in.AuthParameters.OAuthParameters.OAuthHttpParameters.HeaderParameters {
		if name := value(header.Key); strings.Contains(name, "_") {
			s.Log.Warn("a header parameter of the token request has an underscore in its name and is most likely without effect; write it with a hyphen",
				"connection", *in.Name, "header", name, "meant", strings.ReplaceAll(name, "_", "-"))
		}
	}
}

// UpdateConnection changes the credentials when AuthorizationType and the
// parameters of that type are given, and then authorizes anew; what is left out
// of the parameters stays. The answer shows the time of the change before.
func (s *Service) UpdateConnection(ctx context.Context, in *eventbridge.UpdateConnectionInput) (*eventbridge.UpdateConnectionOutput, error) {
	if err := checkUpdate(in); err != nil {
		return nil, err
	}
	c, before, err := s.beginUpdate(ctx, in)
	if err != nil {
		return nil, err
	}
	change, err := s.applyUpdate(ctx, before, in)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.revision != before.revision+1 {
		return nil, concurrent("update", c.name)
	}
	if err != nil {
		// A change that failed leaves the connection as it was.
		s.setState(c, before.state, before.reason)
		return nil, err
	}
	if in.Description != nil {
		c.description = in.Description
	}
	if in.KmsKeyIdentifier != nil {
		c.key = given(in.KmsKeyIdentifier)
	}
	c.modified, c.secretARN = s.now(), change.secretARN
	if change.held == nil {
		s.setState(c, before.state, before.reason)
	} else {
		c.kind, c.shown, c.credentials = in.AuthorizationType, change.held.shown(), nil
		s.begin(c)
	}
	return &eventbridge.UpdateConnectionOutput{
		ConnectionArn: aws.String(c.arn), ConnectionState: c.state, CreationTime: aws.Time(c.created),
		LastModifiedTime: aws.Time(before.modified), LastAuthorizedTime: aws.Time(c.authorized),
	}, nil
}

// beginUpdate marks the connection UPDATING and returns it with a copy of what
// it was.
func (s *Service) beginUpdate(ctx context.Context, in *eventbridge.UpdateConnectionInput) (*connection, connection, error) {
	s.mu.Lock()
	c, err := s.connectionFor(ctx, "UpdateConnection", "update", in.Name)
	if err != nil {
		s.mu.Unlock()
		return nil, connection{}, err
	}
	s.mu.Unlock()
	if err := s.checkConnectionKey(ctx, in.KmsKeyIdentifier); err != nil {
		return nil, connection{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.connections[c.name] != c || c.inTransition() {
		return nil, connection{}, concurrent("update", c.name)
	}
	before := *c
	c.revision++
	s.setState(c, types.ConnectionStateUpdating, "")
	return c, before, nil
}

// change is what an update did to the managed secret.
type change struct {
	secretARN string
	held      *material // nil when the authorization parameters stay
}

func (s *Service) applyUpdate(ctx context.Context, c connection, in *eventbridge.UpdateConnectionInput) (change, error) {
	if in.KmsKeyIdentifier != nil && value(in.KmsKeyIdentifier) != value(c.key) && c.secretARN != "" {
		if err := s.encryptSecret(ctx, c, *in.KmsKeyIdentifier); err != nil {
			return change{}, err
		}
	}
	if !reauthorizes(in) {
		return change{secretARN: c.secretARN}, nil
	}
	held, err := s.mergeSecret(ctx, c, in)
	if err != nil {
		return change{}, err
	}
	if c.secretARN == "" {
		if in.KmsKeyIdentifier != nil {
			c.key = given(in.KmsKeyIdentifier)
		}
		arn, err := s.createSecret(ctx, &c, held)
		return change{secretARN: arn, held: held}, err
	}
	return change{secretARN: c.secretARN, held: held}, s.writeSecret(ctx, c, held)
}

// DescribeConnection shows a connection, without anything secret.
func (s *Service) DescribeConnection(ctx context.Context, in *eventbridge.DescribeConnectionInput) (*eventbridge.DescribeConnectionOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.connectionFor(ctx, "DescribeConnection", "describe", in.Name)
	if err != nil {
		return nil, err
	}
	return &eventbridge.DescribeConnectionOutput{
		ConnectionArn: aws.String(c.arn), Name: aws.String(c.name), Description: c.description, AuthorizationType: c.kind,
		ConnectionState: c.state, StateReason: text(c.reason), SecretArn: text(c.secretARN), KmsKeyIdentifier: c.key, AuthParameters: c.shown,
		CreationTime: aws.Time(c.created), LastModifiedTime: aws.Time(c.modified), LastAuthorizedTime: aws.Time(c.authorized),
	}, nil
}

// ListConnections lists connections by name.
func (s *Service) ListConnections(ctx context.Context, in *eventbridge.ListConnectionsInput) (*eventbridge.ListConnectionsOutput, error) {
	if err := s.authorize(ctx, "ListConnections", "*"); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var shown []types.Connection
	for _, name := range slices.Sorted(maps.Keys(s.connections)) {
		c := s.connections[name]
		if !strings.HasPrefix(name, value(in.NamePrefix)) || (in.ConnectionState != "" && in.ConnectionState != c.state) {
			continue
		}
		shown = append(shown, types.Connection{
			ConnectionArn: aws.String(c.arn), Name: aws.String(name), AuthorizationType: c.kind, ConnectionState: c.state, StateReason: text(c.reason),
			CreationTime: aws.Time(c.created), LastModifiedTime: aws.Time(c.modified), LastAuthorizedTime: aws.Time(c.authorized),
		})
	}
	shown, next, err := page(shown, func(c types.Connection) string { return *c.Name }, in.Limit, in.NextToken)
	return &eventbridge.ListConnectionsOutput{Connections: shown, NextToken: next}, err
}

// DeauthorizeConnection removes the authorization parameters and deletes the
// managed secret. A second call changes nothing.
func (s *Service) DeauthorizeConnection(ctx context.Context, in *eventbridge.DeauthorizeConnectionInput) (*eventbridge.DeauthorizeConnectionOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.connectionFor(ctx, "DeauthorizeConnection", "deauthorize", in.Name)
	if err != nil {
		return nil, err
	}
	if c.state == types.ConnectionStateCreating || c.state == types.ConnectionStateUpdating || c.state == types.ConnectionStateDeleting {
		return nil, concurrent("deauthorize", c.name)
	}
	if c.secretARN != "" && c.state != types.ConnectionStateDeauthorizing {
		c.revision++
		c.credentials = nil
		s.setState(c, types.ConnectionStateDeauthorizing, "")
		s.work.start(func(ctx context.Context) { s.finishDeauthorization(ctx, c) })
	}
	return &eventbridge.DeauthorizeConnectionOutput{
		ConnectionArn: aws.String(c.arn), ConnectionState: c.state, CreationTime: aws.Time(c.created),
		LastModifiedTime: aws.Time(c.modified), LastAuthorizedTime: aws.Time(c.authorized),
	}, nil
}

func (s *Service) finishDeauthorization(ctx context.Context, c *connection) {
	s.deleteSecret(ctx, c)
	s.mu.Lock()
	defer s.mu.Unlock()
	c.secretARN, c.shown, c.modified = "", &types.ConnectionAuthResponseParameters{}, s.now()
	s.setState(c, types.ConnectionStateDeauthorized, "The authorization parameters were removed from this connection by a DeauthorizeConnection operation.")
}

// DeleteConnection deletes a connection and its secret, also while API
// destinations use it.
func (s *Service) DeleteConnection(ctx context.Context, in *eventbridge.DeleteConnectionInput) (*eventbridge.DeleteConnectionOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.connectionFor(ctx, "DeleteConnection", "delete", in.Name)
	if err != nil {
		return nil, err
	}
	// An authorization that does not come to an end must not stand in the way.
	if c.inTransition() && c.state != types.ConnectionStateAuthorizing {
		return nil, concurrent("delete", c.name)
	}
	c.revision++
	s.setState(c, types.ConnectionStateDeleting, "")
	s.work.start(func(ctx context.Context) {
		s.deleteSecret(ctx, c)
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.connections, c.name)
	})
	return &eventbridge.DeleteConnectionOutput{
		ConnectionArn: aws.String(c.arn), ConnectionState: c.state, CreationTime: aws.Time(c.created),
		LastModifiedTime: aws.Time(c.modified), LastAuthorizedTime: aws.Time(c.authorized),
	}, nil
}

// connectionFor finds a connection for an action that the caller has to be allowed.
func (s *Service) connectionFor(ctx context.Context, action, verb string, name *string) (*connection, error) {
	if err := anyName.check("name", name); err != nil {
		return nil, err
	}
	c := s.connections[*name]
	arn := s.Account.ARN("events", "connection/"+*name)
	if c != nil {
		arn = c.arn
	}
	if err := s.authorize(ctx, action, arn); err != nil {
		return nil, err
	}
	if c == nil {
		return nil, &types.ResourceNotFoundException{Message: aws.String(fmt.Sprintf("Failed to %s the connection(s). Connection '%s' does not exist.", verb, *name))}
	}
	return c, nil
}

func (s *Service) connectionWithARN(arn string) *connection {
	for _, c := range s.connections {
		if c.arn == arn {
			return c
		}
	}
	return nil
}

func concurrent(verb, name string) error {
	return &types.ConcurrentModificationException{Message: aws.String(fmt.Sprintf("Failed to %s the connection(s). Connection '%s' was modified concurrently.", verb, name))}
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
