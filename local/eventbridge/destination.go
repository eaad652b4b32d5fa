package eventbridge

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/google/uuid"
)

// maximumRate is the quota on invocations a second of one destination, and the default.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
const maximumRate = 300

type destination struct {
	name, arn         string
	description       *string
	connectionARN     string
	method            types.ApiDestinationHttpMethod
	endpoint          string
	rate              int32
	created, modified time.Time
	// allowance is when the destination's budget of invocations is full again.
	allowance time.Time
}

// CreateApiDestination creates a destination on a connection that exists.
func (s *Service) CreateApiDestination(ctx context.Context, in *eventbridge.CreateApiDestinationInput) (*eventbridge.CreateApiDestinationOutput, error) {
	if err := first(
		anyName.check("name", in.Name),
		atMost("description", in.Description, 512),
		oneOf("httpMethod", in.HttpMethod, types.ApiDestinationHttpMethod("").Values()),
	); err != nil {
		return nil, err
	}
	if in.ConnectionArn == nil {
		return nil, missing("connectionArn")
	}
	if in.InvocationEndpoint == nil {
		return nil, missing("invocationEndpoint")
	}
	if err := s.authorize(ctx, "CreateApiDestination", s.Account.ARN("events", "api-destination/"+*in.Name)); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.destinations[*in.Name] != nil {
		return nil, &types.ResourceAlreadyExistsException{Message: aws.String(fmt.Sprintf("An api-destination with name '%s' already exists.", *in.Name))}
	}
	d := &destination{
		name: *in.Name, arn: s.Account.ARN("events", "api-destination/"+*in.Name+"/"+uuid.NewString()),
		description: in.Description, rate: maximumRate, created: s.now(), modified: s.now(),
	}
	if err := s.configure(d, "create", in.ConnectionArn, in.InvocationEndpoint, in.HttpMethod, in.InvocationRateLimitPerSecond); err != nil {
		return nil, err
	}
	s.destinations[d.name] = d
	return &eventbridge.CreateApiDestinationOutput{
		ApiDestinationArn: aws.String(d.arn), ApiDestinationState: s.destinationState(d),
		CreationTime: aws.Time(d.created), LastModifiedTime: aws.Time(d.modified),
	}, nil
}

// UpdateApiDestination changes what is given.
func (s *Service) UpdateApiDestination(ctx context.Context, in *eventbridge.UpdateApiDestinationInput) (*eventbridge.UpdateApiDestinationOutput, error) {
	if err := atMost("description", in.Description, 512); err != nil {
		return nil, err
	}
	if in.HttpMethod != "" {
		if err := oneOf("httpMethod", in.HttpMethod, in.HttpMethod.Values()); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d, err := s.destinationFor(ctx, "UpdateApiDestination", "update", in.Name)
	if err != nil {
		return nil, err
	}
	changed := *d
	if err := s.configure(&changed, "update", in.ConnectionArn, in.InvocationEndpoint, in.HttpMethod, in.InvocationRateLimitPerSecond); err != nil {
		return nil, err
	}
	if in.Description != nil {
		changed.description = in.Description
	}
	changed.modified = s.now()
	*d = changed
	return &eventbridge.UpdateApiDestinationOutput{
		ApiDestinationArn: aws.String(d.arn), ApiDestinationState: s.destinationState(d),
		CreationTime: aws.Time(d.created), LastModifiedTime: aws.Time(d.modified),
	}, nil
}

func (s *Service) configure(d *destination, verb string, connectionARN, endpoint *string, method types.ApiDestinationHttpMethod, rate *int32) error {
	if endpoint != nil {
		if !validEndpoint(*endpoint) {
			return invalid("Failed to %s the api-destination(s). Parameter InvocationEndpoint is not valid. "+
				"Reason: Endpoint '%s' is invalid, please provide a valid HTTPS endpoint URL.", verb, *endpoint)
		}
		d.endpoint = *endpoint
	}
	if connectionARN != nil {
		if s.connectionWithARN(*connectionARN) == nil {
			return &types.ResourceNotFoundException{Message: aws.String(fmt.Sprintf("Failed to %s the api-destination(s). Connection '%s' does not exist.", verb, *connectionARN))}
		}
		d.connectionARN = *connectionARN
	}
	if method != "" {
		d.method = method
	}
	if rate == nil {
		return nil
	}
	if *rate < 1 {
		return between("invocationRateLimitPerSecond", rate, 1, maximumRate)
	}
	if *rate > maximumRate {
		return &types.LimitExceededException{Message: aws.String(fmt.Sprintf(
			"Invocation rate limit '%d' of api-destination '%s' exceeds maximum allowed of '%d'.", *rate, d.name, maximumRate))}
	}
	d.rate = *rate
	return nil
}

// validEndpoint: HTTPS or no scheme, and a host without wildcard.
func validEndpoint(endpoint string) bool {
	parsed, err := url.Parse(withScheme(strings.ReplaceAll(endpoint, "*", "_")))
	if err != nil || len(endpoint) > 2048 {
		return false
	}
	host, _, _ := strings.Cut(strings.TrimPrefix(endpoint, "https://"), "/")
	return parsed.Scheme == "https" && parsed.Host != "" && parsed.User == nil && parsed.Fragment == "" && !strings.Contains(host, "*")
}

func withScheme(endpoint string) string {
	if strings.Contains(endpoint, "://") {
		return endpoint
	}
	return "https://" + endpoint
}

// DescribeApiDestination shows a destination.
func (s *Service) DescribeApiDestination(ctx context.Context, in *eventbridge.DescribeApiDestinationInput) (*eventbridge.DescribeApiDestinationOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, err := s.destinationFor(ctx, "DescribeApiDestination", "describe", in.Name)
	if err != nil {
		return nil, err
	}
	return &eventbridge.DescribeApiDestinationOutput{
		ApiDestinationArn: aws.String(d.arn), ApiDestinationState: s.destinationState(d), ConnectionArn: aws.String(d.connectionARN),
		CreationTime: aws.Time(d.created), LastModifiedTime: aws.Time(d.modified), Name: aws.String(d.name), Description: d.description,
		HttpMethod: d.method, InvocationEndpoint: aws.String(d.endpoint), InvocationRateLimitPerSecond: aws.Int32(d.rate),
	}, nil
}

// DeleteApiDestination deletes a destination, also while rules point to it.
func (s *Service) DeleteApiDestination(ctx context.Context, in *eventbridge.DeleteApiDestinationInput) (*eventbridge.DeleteApiDestinationOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, err := s.destinationFor(ctx, "DeleteApiDestination", "delete", in.Name)
	if err != nil {
		return nil, err
	}
	delete(s.destinations, d.name)
	return &eventbridge.DeleteApiDestinationOutput{}, nil
}

// ListApiDestinations lists destinations by name.
func (s *Service) ListApiDestinations(ctx context.Context, in *eventbridge.ListApiDestinationsInput) (*eventbridge.ListApiDestinationsOutput, error) {
	if err := s.authorize(ctx, "ListApiDestinations", "*"); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var shown []types.ApiDestination
	for _, name := range slices.Sorted(maps.Keys(s.destinations)) {
		d := s.destinations[name]
		if !strings.HasPrefix(name, value(in.NamePrefix)) || (in.ConnectionArn != nil && *in.ConnectionArn != d.connectionARN) {
			continue
		}
		shown = append(shown, types.ApiDestination{
			ApiDestinationArn: aws.String(d.arn), ApiDestinationState: s.destinationState(d), ConnectionArn: aws.String(d.connectionARN),
			CreationTime: aws.Time(d.created), LastModifiedTime: aws.Time(d.modified), Name: aws.String(name),
			HttpMethod: d.method, InvocationEndpoint: aws.String(d.endpoint), InvocationRateLimitPerSecond: aws.Int32(d.rate),
		})
	}
	shown, next, err := page(shown, func(d types.ApiDestination) string { return *d.Name }, in.Limit, in.NextToken)
	return &eventbridge.ListApiDestinationsOutput{ApiDestinations: shown, NextToken: next}, err
}

// destinationState follows the connection.
func (s *Service) destinationState(d *destination) types.ApiDestinationState {
	if c := s.connectionWithARN(d.connectionARN); c != nil && c.state == types.ConnectionStateAuthorized {
		return types.ApiDestinationStateActive
	}
	return types.ApiDestinationStateInactive
}

func (s *Service) destinationFor(ctx context.Context, action, verb string, name *string) (*destination, error) {
	if err := anyName.check("name", name); err != nil {
		return nil, err
	}
	d := s.destinations[*name]
	arn := s.Account.ARN("events", "api-destination/"+*name)
	if d != nil {
		arn = d.arn
	}
	if err := s.authorize(ctx, action, arn); err != nil {
		return nil, err
	}
	if d == nil {
		return nil, &types.ResourceNotFoundException{Message: aws.String(fmt.Sprintf("Failed to %s the api-destination(s). An api-destination '%s' does not exist.", verb, *name))}
	}
	return d, nil
}

// destination finds a destination by its ARN; nil without one.
func (s *Service) destination(arn string) *destination {
	for _, d := range s.destinations {
		if d.arn == arn {
			return d
		}
	}
	return nil
}

// turn returns how long to wait for an invocation within the destination's rate
// limit, and reserves it unless that is longer than most. A second's worth of
// invocations may come at once.
func (s *Service) turn(arn string, most time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.destination(arn)
	if d == nil {
		return 0
	}
	now := s.Clock.Now()
	full := d.allowance
	if full.Before(now) {
		full = now
	}
	full = full.Add(time.Second / time.Duration(d.rate))
	wait := max(0, full.Sub(now)-time.Second)
	if wait <= most {
		d.allowance = full
	}
	return wait
}
