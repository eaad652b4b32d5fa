package credentials_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	cognitotypes "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smtypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/internal/credentials"
	"api-destination-credentials/internal/oauth"
	"api-destination-credentials/internal/userpool"
)

// cloud is an account in which processes run: a source secret with Secrets
// Manager's rules for versions and labels, an app client with Cognito's two
// secrets, and a connection with EventBridge's states. Before and after the
// effect of every call it lets the schedule decide what happens next, so that a
// process can be cut off there, or another one can run. It remembers what must
// never happen.
type cloud struct {
	now      time.Time
	values   map[string]string    // version: JSON
	created  map[string]time.Time // version
	stages   map[string]string    // staging label: version
	clients  []clientSecret
	made     int // client secrets ever made
	held     string
	heldAt   map[string]time.Time // when the connection last held a client secret
	state    ebtypes.ConnectionState
	authTime time.Time
	shown    *ebtypes.ConnectionAuthResponseParameters
	pause    int // descriptions for which authorizing takes
	rollback bool
	inSet    bool // a rotation makes room
	// concurrent is set where another process may undo the switch between the
	// moment it was verified and the next call. Both secrets work then.
	concurrent bool
	manual     bool // a person put AWSCURRENT

	point  func(string)                            // a process passes here
	fault  func(call string, effective bool) error // nil for none
	calls  []string                                // names, in order
	wrongs []string                                // what must never happen
}

type clientSecret struct {
	id, value string
	made      time.Time
}

const (
	cloudKey = "arn:aws:kms:us-east-1:123456789012:key/1"
	grace    = 2 * time.Hour
)

func connectionOf() credentials.Connection {
	return credentials.Connection{
		Name: "demo", SecretID: "arn:source", KeyARN: cloudKey, AuthorizationEndpoint: "https://id.example/token", Scope: "events/write",
		ClientIDKey: "ClientID", ClientSecretKey: "ClientSecret",
	}
}

// newCloud is an account after a deployment: version v1 everywhere.
func newCloud() *cloud {
	c := &cloud{
		now: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC), values: map[string]string{}, created: map[string]time.Time{},
		stages: map[string]string{}, heldAt: map[string]time.Time{}, point: func(string) {}, fault: func(string, bool) error { return nil },
	}
	c.clients = []clientSecret{{"client--1", "first-secret", c.now}}
	c.made = 1
	c.values["v1"], c.created["v1"] = secretText("first-secret"), c.now
	c.stages["AWSCURRENT"], c.stages["eventbridge/demo"] = "v1", "v1"
	c.switchTo("first-secret", tokenRequest(connectionOf()))
	c.state = ebtypes.ConnectionStateAuthorized
	c.now = c.now.Add(24 * time.Hour)
	return c
}

func secretText(clientSecret string) string {
	return fmt.Sprintf(`{"ClientID":"client","ClientSecret":%q,"Note":"kept"}`, clientSecret)
}

func tokenRequest(c credentials.Connection) *ebtypes.UpdateConnectionOAuthRequestParameters {
	return &ebtypes.UpdateConnectionOAuthRequestParameters{
		AuthorizationEndpoint: aws.String(c.AuthorizationEndpoint), HttpMethod: ebtypes.ConnectionOAuthHttpMethodPost,
		ClientParameters: &ebtypes.UpdateConnectionOAuthClientRequestParameters{ClientID: aws.String("client")},
		OAuthHttpParameters: &ebtypes.ConnectionHttpParameters{
			HeaderParameters: []ebtypes.ConnectionHeaderParameter{{Key: aws.String("Content-Type"), Value: aws.String("application/x-www-form-urlencoded")}},
			BodyParameters: []ebtypes.ConnectionBodyParameter{
				{Key: aws.String("grant_type"), Value: aws.String("client_credentials")}, {Key: aws.String("scope"), Value: aws.String(c.Scope)},
			},
		},
	}
}

func (c *cloud) switchTo(clientSecret string, in *ebtypes.UpdateConnectionOAuthRequestParameters) {
	c.held, c.heldAt[clientSecret] = clientSecret, c.now
	c.shown = &ebtypes.ConnectionAuthResponseParameters{OAuthParameters: &ebtypes.ConnectionOAuthResponseParameters{
		AuthorizationEndpoint: in.AuthorizationEndpoint, HttpMethod: in.HttpMethod, OAuthHttpParameters: in.OAuthHttpParameters,
		ClientParameters: &ebtypes.ConnectionOAuthClientResponseParameters{ClientID: in.ClientParameters.ClientID},
	}}
}

func (c *cloud) syncer() *credentials.Syncer {
	return &credentials.Syncer{Events: c, Secrets: c, Keys: c, Tokens: c, Clock: instantClock{c}, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
}

func (c *cloud) rotation() credentials.Rotation {
	return credentials.Rotation{Syncer: c.syncer(), Versions: c, Provider: userpool.UserPool{API: c, ID: "pool"}, Connection: connectionOf()}
}

func (c *cloud) follower() credentials.Follower {
	return credentials.Follower{Syncer: c.syncer(), Connection: connectionOf(), Provider: userpool.UserPool{API: c, ID: "pool"}, Grace: grace}
}

// instantClock does not wait: time passes where somebody would have waited.
type instantClock struct{ cloud *cloud }

func (i instantClock) Now() time.Time                  { return i.cloud.now }
func (i instantClock) Since(t time.Time) time.Duration { return i.cloud.now.Sub(t) }
func (i instantClock) Until(t time.Time) time.Duration { return t.Sub(i.cloud.now) }
func (i instantClock) Sleep(d time.Duration)           { <-i.After(d) }
func (i instantClock) After(d time.Duration) <-chan time.Time {
	i.cloud.now = i.cloud.now.Add(d)
	fired := make(chan time.Time, 1)
	fired <- i.cloud.now
	return fired
}
func (i instantClock) NewTicker(time.Duration) clockwork.Ticker        { panic("nobody needs one") }
func (i instantClock) NewTimer(time.Duration) clockwork.Timer          { panic("nobody needs one") }
func (i instantClock) AfterFunc(time.Duration, func()) clockwork.Timer { panic("nobody needs one") }

// call is one call of a process: the schedule and the faults have their say
// before and after its effect.
func call[T any](c *cloud, name string, effect func() (T, error)) (T, error) {
	var none T
	c.point("before " + name)
	c.calls = append(c.calls, name)
	if err := c.fault(name, false); err != nil {
		return none, err
	}
	out, err := effect()
	c.check(name)
	c.point("after " + name)
	if err != nil {
		return none, err
	}
	if err := c.fault(name, true); err != nil {
		return none, err
	}
	return out, nil
}

func (c *cloud) wrong(format string, arguments ...any) {
	c.wrongs = append(c.wrongs, fmt.Sprintf(format, arguments...))
}

// check holds at every moment.
func (c *cloud) check(after string) {
	if !c.accepts(c.held) {
		c.wrong("after %s the connection holds a client secret that is not accepted", after)
	}
	if current := c.clientSecretOf(c.stages["AWSCURRENT"]); !c.accepts(current) && !c.manual {
		c.wrong("after %s AWSCURRENT is a client secret that is not accepted", after)
	}
	if len(c.clients) > 2 {
		c.wrong("after %s the app client has %d secrets", after, len(c.clients))
	}
	if c.state == ebtypes.ConnectionStateDeauthorized {
		c.wrong("after %s the connection is DEAUTHORIZED", after)
	}
}

func (c *cloud) accepts(value string) bool {
	return slices.ContainsFunc(c.clients, func(one clientSecret) bool { return one.value == value })
}

func (c *cloud) clientSecretOf(version string) string {
	var fields struct{ ClientSecret string }
	_ = json.Unmarshal([]byte(c.values[version]), &fields)
	return fields.ClientSecret
}

func (c *cloud) DescribeSecret(context.Context, *secretsmanager.DescribeSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.DescribeSecretOutput, error) {
	return call(c, "DescribeSecret", func() (*secretsmanager.DescribeSecretOutput, error) {
		stages := map[string][]string{}
		for label, version := range c.stages {
			stages[version] = append(stages[version], label)
		}
		return &secretsmanager.DescribeSecretOutput{VersionIdsToStages: stages, RotationEnabled: aws.Bool(true)}, nil
	})
}

func (c *cloud) GetSecretValue(_ context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	if aws.ToString(in.SecretId) == "arn:managed" {
		return call(c, "GetSecretValue of the connection", func() (*secretsmanager.GetSecretValueOutput, error) {
			return &secretsmanager.GetSecretValueOutput{SecretString: aws.String(fmt.Sprintf(`{"client_secret":%q}`, c.held))}, nil
		})
	}
	return call(c, "GetSecretValue", func() (*secretsmanager.GetSecretValueOutput, error) {
		version := aws.ToString(in.VersionId)
		value, ok := c.values[version]
		if !ok {
			return nil, &smtypes.ResourceNotFoundException{Message: aws.String("Secrets Manager can't find the specified secret value for VersionId: " + version)}
		}
		return &secretsmanager.GetSecretValueOutput{SecretString: aws.String(value), CreatedDate: aws.Time(c.created[version])}, nil
	})
}

func (c *cloud) PutSecretValue(_ context.Context, in *secretsmanager.PutSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error) {
	return call(c, "PutSecretValue", func() (*secretsmanager.PutSecretValueOutput, error) {
		version := aws.ToString(in.ClientRequestToken)
		if old, ok := c.values[version]; ok && old != aws.ToString(in.SecretString) {
			return nil, &smtypes.ResourceExistsException{Message: aws.String("You can't use ClientRequestToken")}
		}
		c.values[version], c.created[version] = aws.ToString(in.SecretString), c.now
		for _, label := range in.VersionStages {
			c.stages[label] = version
		}
		return &secretsmanager.PutSecretValueOutput{}, nil
	})
}

func (c *cloud) UpdateSecretVersionStage(_ context.Context, in *secretsmanager.UpdateSecretVersionStageInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.UpdateSecretVersionStageOutput, error) {
	label := aws.ToString(in.VersionStage)
	kind, _, _ := strings.Cut(label, "/")
	return call(c, "UpdateSecretVersionStage "+kind, func() (*secretsmanager.UpdateSecretVersionStageOutput, error) {
		holder, to := c.stages[label], aws.ToString(in.MoveToVersionId)
		if holder != aws.ToString(in.RemoveFromVersionId) && (holder != to || to == "") {
			return nil, &smtypes.InvalidParameterException{Message: aws.String("the label is attached to another version")}
		}
		if to == "" {
			delete(c.stages, label)
			return nil, nil
		}
		if label == "AWSCURRENT" && holder != to {
			c.stages["AWSPREVIOUS"] = holder
			if !c.concurrent && (c.held != c.clientSecretOf(to) || c.state != ebtypes.ConnectionStateAuthorized) {
				c.wrong("AWSCURRENT moves before the connection is AUTHORIZED with it")
			}
		}
		c.stages[label] = to
		return nil, nil
	})
}

func (c *cloud) ListUserPoolClientSecrets(context.Context, *cognitoidentityprovider.ListUserPoolClientSecretsInput, ...func(*cognitoidentityprovider.Options)) (*cognitoidentityprovider.ListUserPoolClientSecretsOutput, error) {
	return call(c, "ListUserPoolClientSecrets", func() (*cognitoidentityprovider.ListUserPoolClientSecretsOutput, error) {
		out := &cognitoidentityprovider.ListUserPoolClientSecretsOutput{}
		for _, one := range c.clients {
			out.ClientSecrets = append(out.ClientSecrets, cognitotypes.ClientSecretDescriptorType{ClientSecretId: aws.String(one.id), ClientSecretCreateDate: aws.Time(one.made)})
		}
		return out, nil
	})
}

func (c *cloud) AddUserPoolClientSecret(_ context.Context, in *cognitoidentityprovider.AddUserPoolClientSecretInput, _ ...func(*cognitoidentityprovider.Options)) (*cognitoidentityprovider.AddUserPoolClientSecretOutput, error) {
	return call(c, "AddUserPoolClientSecret", func() (*cognitoidentityprovider.AddUserPoolClientSecretOutput, error) {
		if len(c.clients) == 2 {
			return nil, &cognitotypes.LimitExceededException{Message: aws.String("two secrets already")}
		}
		value := aws.ToString(in.ClientSecret)
		if value == "" {
			value = fmt.Sprintf("made-by-cognito-%d", c.made)
		}
		if !slices.ContainsFunc(slices.Collect(maps.Values(c.values)), func(text string) bool { return strings.Contains(text, value) }) {
			c.wrong("a client secret is added that is written down nowhere")
		}
		return &cognitoidentityprovider.AddUserPoolClientSecretOutput{ClientSecretDescriptor: &cognitotypes.ClientSecretDescriptorType{ClientSecretId: aws.String(c.addClient(value))}}, nil
	})
}

func (c *cloud) addClient(value string) string {
	c.made++
	id := fmt.Sprintf("client--%d", c.made)
	c.clients = append(c.clients, clientSecret{id, value, c.now})
	return id
}

func (c *cloud) DeleteUserPoolClientSecret(_ context.Context, in *cognitoidentityprovider.DeleteUserPoolClientSecretInput, _ ...func(*cognitoidentityprovider.Options)) (*cognitoidentityprovider.DeleteUserPoolClientSecretOutput, error) {
	return call(c, "DeleteUserPoolClientSecret", func() (*cognitoidentityprovider.DeleteUserPoolClientSecretOutput, error) {
		at := slices.IndexFunc(c.clients, func(one clientSecret) bool { return one.id == aws.ToString(in.ClientSecretId) })
		if at < 0 {
			return nil, &cognitotypes.ResourceNotFoundException{Message: aws.String("no such client secret")}
		}
		// Nobody sees a token end; what counts is how long ago the secret was in use.
		if last, used := c.heldAt[c.clients[at].value]; used && c.now.Sub(last) < grace && !c.inSet {
			c.wrong("a client secret is retired %s after the connection held it", c.now.Sub(last))
		}
		c.clients = slices.Delete(c.clients, at, at+1)
		return nil, nil
	})
}

func (c *cloud) DescribeKey(context.Context, *kms.DescribeKeyInput, ...func(*kms.Options)) (*kms.DescribeKeyOutput, error) {
	return call(c, "DescribeKey", func() (*kms.DescribeKeyOutput, error) {
		return &kms.DescribeKeyOutput{KeyMetadata: &kmstypes.KeyMetadata{
			KeyManager: kmstypes.KeyManagerTypeCustomer, KeySpec: kmstypes.KeySpecSymmetricDefault, KeyUsage: kmstypes.KeyUsageTypeEncryptDecrypt, KeyState: kmstypes.KeyStateEnabled,
		}}, nil
	})
}

func (c *cloud) ListResourceTags(context.Context, *kms.ListResourceTagsInput, ...func(*kms.Options)) (*kms.ListResourceTagsOutput, error) {
	return call(c, "ListResourceTags", func() (*kms.ListResourceTagsOutput, error) {
		return &kms.ListResourceTagsOutput{Tags: []kmstypes.Tag{{TagKey: aws.String("EventBridgeApiDestinations"), TagValue: aws.String("true")}}}, nil
	})
}

func (c *cloud) Prove(_ context.Context, candidate oauth.Credentials) error {
	_, err := call(c, "token request", func() (any, error) {
		if !c.accepts(candidate.ClientSecret.Reveal()) {
			return nil, fmt.Errorf("the client secret is not accepted: %w", oauth.ErrRejected)
		}
		return nil, nil
	})
	return err
}

func (c *cloud) DescribeConnection(context.Context, *eventbridge.DescribeConnectionInput, ...func(*eventbridge.Options)) (*eventbridge.DescribeConnectionOutput, error) {
	return call(c, "DescribeConnection", func() (*eventbridge.DescribeConnectionOutput, error) {
		if c.state == ebtypes.ConnectionStateAuthorizing {
			if c.pause--; c.pause < 0 {
				c.settle()
			}
		}
		return &eventbridge.DescribeConnectionOutput{
			ConnectionState: c.state, LastAuthorizedTime: aws.Time(c.authTime), AuthParameters: c.shown, KmsKeyIdentifier: aws.String(cloudKey),
			AuthorizationType: ebtypes.ConnectionAuthorizationTypeOauthClientCredentials, SecretArn: aws.String("arn:managed"),
		}, nil
	})
}

// settle ends AUTHORIZING, at the second as AWS shows it.
func (c *cloud) settle() {
	c.state = ebtypes.ConnectionStateDeauthorized
	if c.accepts(c.held) {
		c.state, c.authTime = ebtypes.ConnectionStateAuthorized, c.now.Truncate(time.Second)
	}
	c.heldAt[c.held] = c.now
}

func (c *cloud) UpdateConnection(_ context.Context, in *eventbridge.UpdateConnectionInput, _ ...func(*eventbridge.Options)) (*eventbridge.UpdateConnectionOutput, error) {
	return call(c, "UpdateConnection", func() (*eventbridge.UpdateConnectionOutput, error) {
		if c.state == ebtypes.ConnectionStateAuthorizing {
			if c.pause--; c.pause < 0 {
				c.settle()
			}
			return nil, &ebtypes.ConcurrentModificationException{Message: aws.String("Connection was modified concurrently.")}
		}
		parameters := in.AuthParameters.OAuthParameters
		next := aws.ToString(parameters.ClientParameters.ClientSecret)
		if !c.accepts(next) {
			c.wrong("the connection is given a client secret that is not accepted")
		}
		c.heldAt[c.held] = c.now
		c.switchTo(next, parameters)
		c.state, c.pause = ebtypes.ConnectionStateAuthorizing, 1
		return &eventbridge.UpdateConnectionOutput{}, nil
	})
}

func (c *cloud) DescribeStacks(context.Context, *cloudformation.DescribeStacksInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error) {
	return call(c, "DescribeStacks", func() (*cloudformation.DescribeStacksOutput, error) {
		status := cfntypes.StackStatusUpdateInProgress
		if c.rollback {
			status = cfntypes.StackStatusUpdateRollbackInProgress
		}
		return &cloudformation.DescribeStacksOutput{Stacks: []cfntypes.Stack{{StackStatus: status}}}, nil
	})
}

// rotate starts a rotation as Secrets Manager does: a version without a value
// that carries AWSPENDING.
func (c *cloud) rotate(token string) { c.stages["AWSPENDING"] = token }

var errThrottled = &smithy.GenericAPIError{Code: "ThrottlingException", Message: "Rate exceeded"}

var errCut = errors.New("the process was cut off")
