package resources_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/cloudformation"
	"api-destination-credentials/local/resources"
)

// events is EventBridge with targets of one rule, and one connection.
type events struct {
	resources.Events
	calls
	targets   []types.Target
	remaining int // descriptions until the deleted connection is gone
	busy      int // updates that meet a connection which is being authorized
	refuses   string
}

func (f *events) UpdateEventBus(_ context.Context, in *eventbridge.UpdateEventBusInput) (*eventbridge.UpdateEventBusOutput, error) {
	f.note(in)
	return &eventbridge.UpdateEventBusOutput{Arn: aws.String("arn:bus")}, nil
}

func (f *events) TagResource(_ context.Context, in *eventbridge.TagResourceInput) (*eventbridge.TagResourceOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *events) PutRule(_ context.Context, in *eventbridge.PutRuleInput) (*eventbridge.PutRuleOutput, error) {
	f.note(in)
	return &eventbridge.PutRuleOutput{RuleArn: aws.String("arn:rule")}, nil
}

func (f *events) PutTargets(_ context.Context, in *eventbridge.PutTargetsInput) (*eventbridge.PutTargetsOutput, error) {
	f.note(in)
	out := &eventbridge.PutTargetsOutput{}
	for _, target := range in.Targets {
		if *target.Id == f.refuses {
			out.FailedEntries = append(out.FailedEntries, types.PutTargetsResultEntry{
				TargetId: target.Id, ErrorCode: aws.String("ValidationException"), ErrorMessage: aws.String("no such thing"),
			})
		}
	}
	return out, nil
}

func (f *events) ListTargetsByRule(context.Context, *eventbridge.ListTargetsByRuleInput) (*eventbridge.ListTargetsByRuleOutput, error) {
	return &eventbridge.ListTargetsByRuleOutput{Targets: f.targets}, nil
}

func (f *events) RemoveTargets(_ context.Context, in *eventbridge.RemoveTargetsInput) (*eventbridge.RemoveTargetsOutput, error) {
	f.note(in)
	f.targets = nil
	return &eventbridge.RemoveTargetsOutput{}, nil
}

func (f *events) DeleteRule(_ context.Context, in *eventbridge.DeleteRuleInput) (*eventbridge.DeleteRuleOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *events) CreateConnection(_ context.Context, in *eventbridge.CreateConnectionInput) (*eventbridge.CreateConnectionOutput, error) {
	f.note(in)
	f.remaining = 2
	return nil, nil
}

func (f *events) UpdateConnection(_ context.Context, in *eventbridge.UpdateConnectionInput) (*eventbridge.UpdateConnectionOutput, error) {
	if f.busy > 0 {
		f.busy--
		return nil, &types.ConcurrentModificationException{}
	}
	f.note(in)
	return nil, nil
}

func (f *events) DeleteConnection(_ context.Context, in *eventbridge.DeleteConnectionInput) (*eventbridge.DeleteConnectionOutput, error) {
	f.note(in)
	return nil, nil
}

func (f *events) DescribeConnection(context.Context, *eventbridge.DescribeConnectionInput) (*eventbridge.DescribeConnectionOutput, error) {
	if f.remaining == 0 {
		return nil, &types.ResourceNotFoundException{}
	}
	f.remaining--
	return &eventbridge.DescribeConnectionOutput{
		ConnectionArn: aws.String("arn:aws:events:us-east-1:123456789012:connection/c/uuid"), SecretArn: aws.String("arn:s"),
	}, nil
}

func (f *events) CreateApiDestination(_ context.Context, in *eventbridge.CreateApiDestinationInput) (*eventbridge.CreateApiDestinationOutput, error) {
	f.note(in)
	return &eventbridge.CreateApiDestinationOutput{ApiDestinationArn: aws.String("arn:aws:events:us-east-1:123456789012:api-destination/d/uuid")}, nil
}

func TestABusIsUpdatedWhole(t *testing.T) {
	fake := &events{}
	result, err := provider(t, resources.Services{Events: fake}, "AWS::Events::EventBus").Update(context.Background(), change(t, "bus",
		`{"Name": "bus", "KmsKeyIdentifier": "k"}`, `{"Name": "bus", "Description": "d", "Tags": [{"Key": "a", "Value": "b"}]}`))
	check(t, err)
	wantResult(t, result, cloudformation.Result{PhysicalID: "bus", Attributes: map[string]any{"Arn": "arn:bus", "Name": "bus"}})
	wantCalls(t, fake.take(),
		&eventbridge.UpdateEventBusInput{Name: aws.String("bus"), Description: aws.String("d")},
		&eventbridge.TagResourceInput{ResourceARN: aws.String("arn:bus"), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}})
}

func TestARuleIsKnownByItsBusAndName(t *testing.T) {
	for _, test := range []struct{ bus, want string }{
		{``, "r"},
		{`"EventBusName": "default", `, "r"},
		{`"EventBusName": "orders", `, "orders|r"},
		{`"EventBusName": "arn:aws:events:us-east-1:123456789012:event-bus/orders", `, "orders|r"},
	} {
		result, err := provider(t, resources.Services{Events: &events{}}, "AWS::Events::Rule").
			Create(context.Background(), request(t, `{`+test.bus+`"Name": "r", "EventPattern": {"source": ["a"]}}`))
		check(t, err)
		wantResult(t, result, cloudformation.Result{PhysicalID: test.want, Attributes: map[string]any{"Arn": "arn:rule"}})
	}
}

func TestARuleAimsAtTheTargetsOfTheTemplate(t *testing.T) {
	fake := &events{}
	_, err := provider(t, resources.Services{Events: fake}, "AWS::Events::Rule").Update(context.Background(), change(t, "bus|r",
		`{"EventBusName": "bus", "EventPattern": {"source": ["a"]}, "Targets": [{"Id": "old", "Arn": "arn:o"}, {"Id": "kept", "Arn": "arn:k"}]}`,
		`{"EventBusName": "bus", "EventPattern": {"source": ["b"]}, "Targets": [{"Id": "kept", "Arn": "arn:k", "RoleArn": "arn:r",
			"InputTransformer": {"InputPathsMap": {"id": "$.id"}, "InputTemplate": "{\"id\": <id>}"},
			"RetryPolicy": {"MaximumRetryAttempts": "185", "MaximumEventAgeInSeconds": 86400}, "DeadLetterConfig": {"Arn": "arn:q"}}]}`))
	check(t, err)
	wantCalls(t, fake.take(),
		&eventbridge.PutRuleInput{Name: aws.String("r"), EventBusName: aws.String("bus"), EventPattern: aws.String(`{"source":["b"]}`)},
		&eventbridge.RemoveTargetsInput{Rule: aws.String("r"), EventBusName: aws.String("bus"), Ids: []string{"old"}},
		&eventbridge.PutTargetsInput{Rule: aws.String("r"), EventBusName: aws.String("bus"), Targets: []types.Target{{
			Id: aws.String("kept"), Arn: aws.String("arn:k"), RoleArn: aws.String("arn:r"),
			InputTransformer: &types.InputTransformer{InputPathsMap: map[string]string{"id": "$.id"}, InputTemplate: aws.String(`{"id": <id>}`)},
			RetryPolicy:      &types.RetryPolicy{MaximumRetryAttempts: aws.Int32(185), MaximumEventAgeInSeconds: aws.Int32(86400)},
			DeadLetterConfig: &types.DeadLetterConfig{Arn: aws.String("arn:q")},
		}}})
}

func TestATargetThatEventBridgeRefusesFailsTheRule(t *testing.T) {
	result, err := provider(t, resources.Services{Events: &events{refuses: "bad"}}, "AWS::Events::Rule").Create(context.Background(),
		request(t, `{"Name": "r", "Targets": [{"Id": "bad", "Arn": "arn:b"}]}`))
	wantError(t, err, "the target bad: ValidationException: no such thing")
	if result.PhysicalID != "r" {
		t.Error("the rule that was made is not named, so rollback cannot delete it")
	}
}

func TestARuleLosesItsTargetsBeforeItIsDeleted(t *testing.T) {
	fake := &events{targets: []types.Target{{Id: aws.String("a")}}}
	r := request(t, `{}`)
	r.PhysicalID = "bus|r"
	check(t, provider(t, resources.Services{Events: fake}, "AWS::Events::Rule").Delete(context.Background(), r))
	wantCalls(t, fake.take(),
		&eventbridge.RemoveTargetsInput{Rule: aws.String("r"), EventBusName: aws.String("bus"), Ids: []string{"a"}},
		&eventbridge.DeleteRuleInput{Name: aws.String("r"), EventBusName: aws.String("bus")})
}

const connectionProperties = `{"Name": "c", "AuthorizationType": "OAUTH_CLIENT_CREDENTIALS", "KmsKeyIdentifier": "k", "Description": "d",
	"AuthParameters": {"OAuthParameters": {"AuthorizationEndpoint": "https://idp", "HttpMethod": "POST",
		"ClientParameters": {"ClientID": "id", "ClientSecret": "hidden"},
		"OAuthHttpParameters": {"BodyParameters": [{"Key": "scope", "Value": "s", "IsValueSecret": false}, {"Key": "pin", "Value": "p"}]}}}}`

func TestAConnectionsParametersAreSecretUnlessTheTemplateSaysOtherwise(t *testing.T) {
	fake := &events{}
	result, err := provider(t, resources.Services{Events: fake}, "AWS::Events::Connection").Create(context.Background(), request(t, connectionProperties))
	check(t, err)
	wantResult(t, result, cloudformation.Result{PhysicalID: "c", Attributes: map[string]any{
		"Arn":          "arn:aws:events:us-east-1:123456789012:connection/c/uuid",
		"ArnForPolicy": "arn:aws:events:us-east-1:123456789012:connection/c",
		"SecretArn":    "arn:s",
	}})
	wantCalls(t, fake.take(), &eventbridge.CreateConnectionInput{
		Name: aws.String("c"), AuthorizationType: types.ConnectionAuthorizationTypeOauthClientCredentials,
		KmsKeyIdentifier: aws.String("k"), Description: aws.String("d"),
		AuthParameters: &types.CreateConnectionAuthRequestParameters{OAuthParameters: &types.CreateConnectionOAuthRequestParameters{
			AuthorizationEndpoint: aws.String("https://idp"), HttpMethod: types.ConnectionOAuthHttpMethodPost,
			ClientParameters: &types.CreateConnectionOAuthClientRequestParameters{ClientID: aws.String("id"), ClientSecret: aws.String("hidden")},
			OAuthHttpParameters: &types.ConnectionHttpParameters{BodyParameters: []types.ConnectionBodyParameter{
				{Key: aws.String("scope"), Value: aws.String("s")},
				{Key: aws.String("pin"), Value: aws.String("p"), IsValueSecret: true},
			}},
		}},
	})
}

func TestAnUpdateOfAConnectionSendsEverything(t *testing.T) {
	fake := &events{remaining: 1}
	p := provider(t, resources.Services{Events: fake, Clock: clockwork.NewFakeClock()}, "AWS::Events::Connection")
	_, err := p.Update(context.Background(), change(t, "c", connectionProperties,
		`{"Name": "c", "AuthorizationType": "API_KEY", "AuthParameters": {"ApiKeyAuthParameters": {"ApiKeyName": "n", "ApiKeyValue": "hidden"}}}`))
	check(t, err)
	wantCalls(t, fake.take(), &eventbridge.UpdateConnectionInput{
		Name: aws.String("c"), AuthorizationType: types.ConnectionAuthorizationTypeApiKey, KmsKeyIdentifier: aws.String(""), Description: aws.String(""),
		AuthParameters: &types.UpdateConnectionAuthRequestParameters{
			ApiKeyAuthParameters: &types.UpdateConnectionApiKeyAuthRequestParameters{ApiKeyName: aws.String("n"), ApiKeyValue: aws.String("hidden")},
		},
	})
}

func TestAnUpdateWaitsForAConnectionThatIsBeingAuthorized(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	clock := clockwork.NewFakeClock()
	fake := &events{remaining: 1, busy: 2}
	p := provider(t, resources.Services{Events: fake, Clock: clock}, "AWS::Events::Connection")
	r := change(t, "c", connectionProperties, connectionProperties)
	done := make(chan error, 1)
	go func() {
		_, err := p.Update(ctx, r)
		done <- err
	}()
	for range 2 {
		check(t, clock.BlockUntilContext(ctx, 1))
		clock.Advance(time.Second)
	}
	check(t, <-done)
	if updates := len(fake.take()); updates != 1 {
		t.Errorf("the connection was updated %d times", updates)
	}
}

func TestADeletedConnectionIsWaitedFor(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	clock := clockwork.NewFakeClock()
	fake := &events{remaining: 2}
	r := request(t, `{}`)
	r.PhysicalID = "c"
	p := provider(t, resources.Services{Events: fake, Clock: clock}, "AWS::Events::Connection")
	done := make(chan error, 1)
	go func() { done <- p.Delete(ctx, r) }()
	for range 2 {
		check(t, clock.BlockUntilContext(ctx, 1))
		clock.Advance(time.Second)
	}
	check(t, <-done)
	wantCalls(t, fake.take(), &eventbridge.DeleteConnectionInput{Name: aws.String("c")})
}

func TestAConnectionThatStaysFailsTheDeletion(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	clock := clockwork.NewFakeClock()
	r := request(t, `{}`)
	r.PhysicalID = "c"
	p := provider(t, resources.Services{Events: &events{remaining: 100}, Clock: clock}, "AWS::Events::Connection")
	done := make(chan error, 1)
	go func() { done <- p.Delete(ctx, r) }()
	check(t, clock.BlockUntilContext(ctx, 1))
	clock.Advance(time.Hour)
	wantError(t, <-done, "the connection c is still being deleted after 2m0s")
}

func TestAnApiDestinationHasAnARNForPolicies(t *testing.T) {
	fake := &events{}
	result, err := provider(t, resources.Services{Events: fake}, "AWS::Events::ApiDestination").Create(context.Background(),
		request(t, `{"Name": "d", "ConnectionArn": "arn:c", "HttpMethod": "POST", "InvocationEndpoint": "https://api", "InvocationRateLimitPerSecond": "10"}`))
	check(t, err)
	wantResult(t, result, cloudformation.Result{PhysicalID: "d", Attributes: map[string]any{
		"Arn":          "arn:aws:events:us-east-1:123456789012:api-destination/d/uuid",
		"ArnForPolicy": "arn:aws:events:us-east-1:123456789012:api-destination/d",
	}})
	wantCalls(t, fake.take(), &eventbridge.CreateApiDestinationInput{
		Name: aws.String("d"), ConnectionArn: aws.String("arn:c"), HttpMethod: types.ApiDestinationHttpMethodPost,
		InvocationEndpoint: aws.String("https://api"), InvocationRateLimitPerSecond: aws.Int32(10),
	})
}
