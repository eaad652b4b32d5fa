package credentials_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smtypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/internal/oauth"
)

// world is a small AWS: one secret, one key, one connection, and a token
// endpoint that accepts one client secret.
type world struct {
	clock     *clockwork.FakeClock
	calls     []string
	values    map[string]string // version: SecretString
	stages    map[string]string // staging label: version
	gone      bool              // the secret does not exist
	condemned bool              // the secret is marked for deletion
	key       kmstypes.KeyMetadata
	tags      []kmstypes.Tag
	accepts   string // the client secret that gets a token
	down      int    // how many token requests find nobody
	state     ebtypes.ConnectionState
	holds     string // the client secret in the connection
	shown     *ebtypes.ConnectionAuthResponseParameters
	keyARN    string
	authTime  time.Time
	slow      int // how many descriptions after an update still show AUTHORIZING
	stale     int // how many descriptions after an update still show the state before
	conflicts int // how many updates meet another one
	endsAs    ebtypes.ConnectionState
	rollback  bool
}

const (
	connectionName = "demo-connection"
	label          = "eventbridge/demo-connection"
	managedSecret  = "arn:aws:secretsmanager:us-east-1:123456789012:secret:events!connection/demo-connection/1-AbCdEf"
	keyARN         = "arn:aws:kms:us-east-1:123456789012:key/1"
	endpoint       = "https://id.example/token"
)

// newWorld is a connection that was just created natively: authorized with
// version v1, without our label.
func newWorld() *world {
	w := &world{
		clock:   clockwork.NewFakeClock(),
		values:  map[string]string{"v1": secretJSON("first")},
		stages:  map[string]string{"AWSCURRENT": "v1"},
		key:     kmstypes.KeyMetadata{KeyManager: kmstypes.KeyManagerTypeCustomer, KeySpec: kmstypes.KeySpecSymmetricDefault, KeyUsage: kmstypes.KeyUsageTypeEncryptDecrypt, KeyState: kmstypes.KeyStateEnabled},
		tags:    []kmstypes.Tag{{TagKey: aws.String("EventBridgeApiDestinations"), TagValue: aws.String("true")}},
		accepts: "first",
		state:   ebtypes.ConnectionStateAuthorized,
		holds:   "first",
		endsAs:  ebtypes.ConnectionStateAuthorized,
		keyARN:  keyARN,
	}
	w.authTime = w.clock.Now()
	return w
}

func secretJSON(clientSecret string) string {
	return fmt.Sprintf(`{"ClientID":"client-1","ClientSecret":%q}`, clientSecret)
}

// put stores a new AWSCURRENT.
func (w *world) put(version, value string) {
	w.values[version] = value
	w.stages["AWSPREVIOUS"], w.stages["AWSCURRENT"] = w.stages["AWSCURRENT"], version
}

func (w *world) updates() int {
	count := 0
	for _, call := range w.calls {
		if call == "UpdateConnection" {
			count++
		}
	}
	return count
}

func (w *world) DescribeSecret(context.Context, *secretsmanager.DescribeSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.DescribeSecretOutput, error) {
	w.calls = append(w.calls, "DescribeSecret")
	if w.gone {
		return nil, &smtypes.ResourceNotFoundException{Message: aws.String("Secrets Manager can't find the specified secret.")}
	}
	stages := map[string][]string{}
	for label, version := range w.stages {
		stages[version] = append(stages[version], label)
	}
	return &secretsmanager.DescribeSecretOutput{VersionIdsToStages: stages}, nil
}

func (w *world) GetSecretValue(_ context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	w.calls = append(w.calls, "GetSecretValue")
	if aws.ToString(in.SecretId) == managedSecret {
		return &secretsmanager.GetSecretValueOutput{SecretString: aws.String(fmt.Sprintf(`{"client_id":"client-1","client_secret":%q}`, w.holds))}, nil
	}
	value, ok := w.values[aws.ToString(in.VersionId)]
	if !ok {
		return nil, &smtypes.ResourceNotFoundException{Message: aws.String("no such version")}
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: aws.String(value)}, nil
}

func (w *world) UpdateSecretVersionStage(_ context.Context, in *secretsmanager.UpdateSecretVersionStageInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.UpdateSecretVersionStageOutput, error) {
	w.calls = append(w.calls, "UpdateSecretVersionStage")
	if w.condemned {
		return nil, &smtypes.InvalidRequestException{Message: aws.String("You can't perform this operation on the secret because it was marked for deletion.")}
	}
	stage := aws.ToString(in.VersionStage)
	if w.stages[stage] != aws.ToString(in.RemoveFromVersionId) {
		return nil, &smtypes.InvalidParameterException{Message: aws.String("the label is attached to another version")}
	}
	if to := aws.ToString(in.MoveToVersionId); to != "" {
		w.stages[stage] = to
	} else {
		delete(w.stages, stage)
	}
	return &secretsmanager.UpdateSecretVersionStageOutput{}, nil
}

func (w *world) DescribeKey(context.Context, *kms.DescribeKeyInput, ...func(*kms.Options)) (*kms.DescribeKeyOutput, error) {
	w.calls = append(w.calls, "DescribeKey")
	key := w.key
	return &kms.DescribeKeyOutput{KeyMetadata: &key}, nil
}

func (w *world) ListResourceTags(context.Context, *kms.ListResourceTagsInput, ...func(*kms.Options)) (*kms.ListResourceTagsOutput, error) {
	w.calls = append(w.calls, "ListResourceTags")
	return &kms.ListResourceTagsOutput{Tags: slices.Clone(w.tags)}, nil
}

func (w *world) Prove(_ context.Context, c oauth.Credentials) error {
	w.calls = append(w.calls, "token request")
	if w.down > 0 {
		w.down--
		return fmt.Errorf("authorization endpoint %s cannot be reached: %w", c.Endpoint, oauth.ErrUnavailable)
	}
	if c.ClientSecret.Reveal() != w.accepts {
		return fmt.Errorf("authorization endpoint %s does not accept the client secret: %w", c.Endpoint, oauth.ErrRejected)
	}
	return nil
}

func (w *world) DescribeConnection(_ context.Context, in *eventbridge.DescribeConnectionInput, _ ...func(*eventbridge.Options)) (*eventbridge.DescribeConnectionOutput, error) {
	w.calls = append(w.calls, "DescribeConnection")
	if aws.ToString(in.Name) != connectionName {
		return nil, &ebtypes.ResourceNotFoundException{Message: aws.String("Failed to describe the connection(s). Connection '" + aws.ToString(in.Name) + "' does not exist.")}
	}
	out := &eventbridge.DescribeConnectionOutput{
		SecretArn: aws.String(managedSecret), ConnectionState: w.state, LastAuthorizedTime: aws.Time(w.authTime), AuthParameters: w.shown,
		AuthorizationType: ebtypes.ConnectionAuthorizationTypeOauthClientCredentials, KmsKeyIdentifier: aws.String(w.keyARN),
	}
	switch {
	case w.stale > 0:
		w.stale--
		out.ConnectionState = ebtypes.ConnectionStateAuthorized
	case w.slow > 0:
		w.slow--
		out.ConnectionState = ebtypes.ConnectionStateAuthorizing
		out.StateReason = aws.String("Could not connect to the specified endpoint.")
	case w.state == ebtypes.ConnectionStateAuthorizing:
		w.settle()
		out.ConnectionState, out.LastAuthorizedTime = w.state, aws.Time(w.authTime)
	}
	return out, nil
}

// settle ends AUTHORIZING as EventBridge would: with the secret it holds.
func (w *world) settle() {
	w.state = ebtypes.ConnectionStateDeauthorized
	if w.holds == w.accepts && w.endsAs == ebtypes.ConnectionStateAuthorized {
		w.state = ebtypes.ConnectionStateAuthorized
		w.authTime = w.authTime.Add(time.Second)
	}
}

func (w *world) UpdateConnection(_ context.Context, in *eventbridge.UpdateConnectionInput, _ ...func(*eventbridge.Options)) (*eventbridge.UpdateConnectionOutput, error) {
	w.calls = append(w.calls, "UpdateConnection")
	if w.conflicts > 0 {
		w.conflicts--
		return nil, &ebtypes.ConcurrentModificationException{Message: aws.String("Connection was modified concurrently.")}
	}
	client := in.AuthParameters.OAuthParameters
	w.holds = aws.ToString(client.ClientParameters.ClientSecret)
	w.keyARN = aws.ToString(in.KmsKeyIdentifier)
	w.shown = &ebtypes.ConnectionAuthResponseParameters{OAuthParameters: &ebtypes.ConnectionOAuthResponseParameters{
		AuthorizationEndpoint: client.AuthorizationEndpoint,
		HttpMethod:            client.HttpMethod,
		ClientParameters:      &ebtypes.ConnectionOAuthClientResponseParameters{ClientID: client.ClientParameters.ClientID},
		OAuthHttpParameters:   client.OAuthHttpParameters,
	}}
	w.state = ebtypes.ConnectionStateAuthorizing
	return &eventbridge.UpdateConnectionOutput{}, nil
}

func (w *world) DescribeStacks(context.Context, *cloudformation.DescribeStacksInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error) {
	w.calls = append(w.calls, "DescribeStacks")
	status := cfntypes.StackStatusUpdateInProgress
	if w.rollback {
		status = cfntypes.StackStatusUpdateRollbackInProgress
	}
	return &cloudformation.DescribeStacksOutput{Stacks: []cfntypes.Stack{{StackStatus: status}}}, nil
}
