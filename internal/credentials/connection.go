// Package credentials keeps an EventBridge connection in step with the secret
// that it copies its OAuth client credentials from.
//
// Which version of the source secret a connection holds is written on the
// secret itself, as a staging label of the connection's own. In step means that
// this label and AWSCURRENT sit on the same version and that the connection is
// AUTHORIZED with it. Nothing is changed before the candidate has been proven
// at the authorization endpoint, and the label moves last.
package credentials

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"api-destination-credentials/internal/oauth"
	"api-destination-credentials/internal/secret"
)

// Current is the staging label of the version in use.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
const Current = "AWSCURRENT"

// Connection is a connection as it should be.
type Connection struct {
	Name                  string
	SecretID              string // ARN or name of the source secret
	KeyARN                string // customer managed key that encrypts the connection
	AuthorizationEndpoint string // https URL
	Scope                 string // space separated; may be empty
	Audience              string // asked for where it is not empty
	ClientIDKey           string // keys of the source secret's JSON
	ClientSecretKey       string
}

// Label is the staging label that marks the version this connection holds.
func (c Connection) Label() string { return connectionLabel + c.Name }

const connectionLabel = "eventbridge/"

// Events is what is done to connections.
type Events interface {
	DescribeConnection(context.Context, *eventbridge.DescribeConnectionInput, ...func(*eventbridge.Options)) (*eventbridge.DescribeConnectionOutput, error)
	UpdateConnection(context.Context, *eventbridge.UpdateConnectionInput, ...func(*eventbridge.Options)) (*eventbridge.UpdateConnectionOutput, error)
}

// update is the whole connection: UpdateConnection changes credentials only
// when the authorization type and all its parameters are sent together.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_UpdateConnection.html
func (c Connection) update(candidate oauth.Credentials) *eventbridge.UpdateConnectionInput {
	return &eventbridge.UpdateConnectionInput{
		Name:              aws.String(c.Name),
		AuthorizationType: types.ConnectionAuthorizationTypeOauthClientCredentials,
		KmsKeyIdentifier:  aws.String(c.KeyARN),
		AuthParameters: &types.UpdateConnectionAuthRequestParameters{
			OAuthParameters: &types.UpdateConnectionOAuthRequestParameters{
				AuthorizationEndpoint: aws.String(c.AuthorizationEndpoint),
				HttpMethod:            types.ConnectionOAuthHttpMethodPost,
				ClientParameters: &types.UpdateConnectionOAuthClientRequestParameters{
					ClientID:     aws.String(candidate.ClientID),
					ClientSecret: aws.String(candidate.ClientSecret.Reveal()),
				},
				OAuthHttpParameters: c.tokenRequest(),
			},
		},
	}
}

// tokenRequest is what EventBridge adds to its token request, the same as
// template.yaml gives the connection at first: no default is documented for
// the content type or the grant type.
func (c Connection) tokenRequest() *types.ConnectionHttpParameters {
	parameters := &types.ConnectionHttpParameters{
		HeaderParameters: []types.ConnectionHeaderParameter{
			{Key: aws.String("Content-Type"), Value: aws.String("application/x-www-form-urlencoded")},
		},
		BodyParameters: []types.ConnectionBodyParameter{
			{Key: aws.String("grant_type"), Value: aws.String("client_credentials")},
		},
	}
	if c.Scope != "" {
		parameters.BodyParameters = append(parameters.BodyParameters,
			types.ConnectionBodyParameter{Key: aws.String("scope"), Value: aws.String(c.Scope)})
	}
	if c.Audience != "" {
		parameters.BodyParameters = append(parameters.BodyParameters,
			types.ConnectionBodyParameter{Key: aws.String("audience"), Value: aws.String(c.Audience)})
	}
	return parameters
}

// resembles tells whether EventBridge shows the connection authorized for the
// candidate's client with everything else as it should be. The client secret
// itself is not shown there.
func (c Connection) resembles(shown *eventbridge.DescribeConnectionOutput, candidate oauth.Credentials) bool {
	if shown.ConnectionState != types.ConnectionStateAuthorized || aws.ToString(shown.KmsKeyIdentifier) != c.KeyARN ||
		shown.AuthorizationType != types.ConnectionAuthorizationTypeOauthClientCredentials ||
		shown.AuthParameters == nil || shown.AuthParameters.OAuthParameters == nil {
		return false
	}
	client := shown.AuthParameters.OAuthParameters
	return aws.ToString(client.AuthorizationEndpoint) == c.AuthorizationEndpoint &&
		client.HttpMethod == types.ConnectionOAuthHttpMethodPost &&
		client.ClientParameters != nil && aws.ToString(client.ClientParameters.ClientID) == candidate.ClientID &&
		sameTokenRequest(client.OAuthHttpParameters, c.tokenRequest())
}

// holds tells whether the connection is authorized with the candidate. The
// only place that shows which client secret a connection holds is the secret
// that EventBridge keeps for it, which whoever may update the connection reads.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection-auth.html
func (s *Syncer) holds(ctx context.Context, c Connection, shown *eventbridge.DescribeConnectionOutput, candidate oauth.Credentials) (bool, error) {
	if !c.resembles(shown, candidate) {
		return false, nil
	}
	answer, err := s.Secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: shown.SecretArn})
	if err != nil {
		return false, explain(err, "what connection %s holds cannot be read", c.Name)
	}
	var held struct {
		ClientSecret secret.Text `json:"client_secret"`
	}
	if err := json.Unmarshal([]byte(aws.ToString(answer.SecretString)), &held); err != nil {
		return false, fmt.Errorf("what connection %s holds is not JSON: update the connection by a stack update", c.Name)
	}
	return held.ClientSecret.Reveal() == candidate.ClientSecret.Reveal(), nil
}

func sameTokenRequest(shown, wanted *types.ConnectionHttpParameters) bool {
	if shown == nil {
		return false
	}
	return slices.EqualFunc(shown.HeaderParameters, wanted.HeaderParameters, func(a, b types.ConnectionHeaderParameter) bool {
		return aws.ToString(a.Key) == aws.ToString(b.Key) && aws.ToString(a.Value) == aws.ToString(b.Value) && a.IsValueSecret == b.IsValueSecret
	}) && slices.EqualFunc(shown.BodyParameters, wanted.BodyParameters, func(a, b types.ConnectionBodyParameter) bool {
		return aws.ToString(a.Key) == aws.ToString(b.Key) && aws.ToString(a.Value) == aws.ToString(b.Value) && a.IsValueSecret == b.IsValueSecret
	}) && len(shown.QueryStringParameters) == 0
}
