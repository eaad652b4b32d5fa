package eventbridge

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/uuid"

	"api-destination-credentials/local/access"
)

// The service-linked role reads connections' secrets when EventBridge
// authorizes and delivers, and deletes them. Writing is done on behalf of
// whoever creates or updates the connection.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/using-service-linked-roles-service-action-1.html
const (
	linkedService  = "apidestinations.events.amazonaws.com"
	linkedRoleName = "AWSServiceRoleForAmazonEventBridgeApiDestinations"
)

// firstSecret writes a new connection's secret. The first connection of an
// account creates the service-linked role for the caller, unless it exists.
func (s *Service) firstSecret(ctx context.Context, c *connection, held *material) (string, error) {
	if s.linked.Load() {
		return s.createSecret(ctx, c, held)
	}
	_, err := s.Roles.CreateServiceLinkedRole(s.onBehalf(ctx), &iam.CreateServiceLinkedRoleInput{AWSServiceName: aws.String(linkedService)})
	if exists := (*iamtypes.InvalidInputException)(nil); err != nil && !errors.As(err, &exists) {
		return "", relay(err)
	}
	s.linked.Store(true)
	return s.createSecret(ctx, c, held)
}

func (s *Service) asLinkedRole(ctx context.Context) context.Context {
	role := access.Principal{
		ARN:     "arn:aws:sts::" + s.Account.ID + ":assumed-role/" + linkedRoleName + "/EventBridge",
		RoleARN: "arn:aws:iam::" + s.Account.ID + ":role/aws-service-role/" + linkedService + "/" + linkedRoleName,
	}
	return access.WithCaller(ctx, role.Through("events", s.Account.Region))
}

// createSecret writes a connection's first secret, or the first after a
// deauthorization, and returns its ARN.
func (s *Service) createSecret(ctx context.Context, c *connection, held *material) (string, error) {
	encoded, err := json.Marshal(held)
	if err != nil {
		return "", err
	}
	created, err := s.Secrets.CreateOwnedSecret(s.onBehalf(ctx), "events", &secretsmanager.CreateSecretInput{
		Name:               aws.String("events!connection/" + c.name + "/" + uuid.NewString()),
		SecretString:       aws.String(string(encoded)),
		KmsKeyId:           c.key,
		ClientRequestToken: aws.String(strings.ToUpper(uuid.NewString())),
	})
	if err != nil {
		return "", relay(err)
	}
	return value(created.ARN), nil
}

// encryptSecret moves a secret to another key; empty for the AWS owned one.
func (s *Service) encryptSecret(ctx context.Context, c connection, key string) error {
	if key == "" {
		key = "alias/aws/secretsmanager"
	}
	if _, err := s.Secrets.UpdateSecret(s.onBehalf(ctx), &secretsmanager.UpdateSecretInput{
		SecretId: aws.String(c.secretARN), KmsKeyId: aws.String(key),
	}); err != nil {
		return relay(err)
	}
	return nil
}

// mergeSecret reads what the connection holds and puts the update's parameters over it.
func (s *Service) mergeSecret(ctx context.Context, c connection, in *eventbridge.UpdateConnectionInput) (*material, error) {
	held := &material{}
	if c.secretARN != "" {
		before, err := s.readSecret(s.onBehalf(ctx), c.secretARN)
		if err != nil {
			return nil, relay(err)
		}
		held.Invocation = before.Invocation
		if c.kind == in.AuthorizationType {
			held = before
		}
	}
	return held, held.merge("update", in.AuthorizationType, in.AuthParameters)
}

func (s *Service) writeSecret(ctx context.Context, c connection, held *material) error {
	encoded, err := json.Marshal(held)
	if err != nil {
		return err
	}
	if _, err := s.Secrets.PutSecretValue(s.onBehalf(ctx), &secretsmanager.PutSecretValueInput{
		SecretId: aws.String(c.secretARN), SecretString: aws.String(string(encoded)),
		ClientRequestToken: aws.String(strings.ToUpper(uuid.NewString())),
	}); err != nil {
		return relay(err)
	}
	return nil
}

func (s *Service) readSecret(ctx context.Context, arn string) (*material, error) {
	out, err := s.Secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(arn)})
	if err != nil {
		return nil, err
	}
	held := &material{}
	if err := json.Unmarshal([]byte(value(out.SecretString)), held); err != nil {
		// The decoder's error could show a part of the secret.
		return nil, errors.New("the connection's secret is not the JSON that EventBridge wrote: update the connection with all parameters")
	}
	return held, nil
}

func (s *Service) deleteSecret(ctx context.Context, c *connection) {
	s.mu.Lock()
	arn := c.secretARN
	s.mu.Unlock()
	if arn == "" {
		return
	}
	if _, err := s.Secrets.DeleteSecret(s.asLinkedRole(ctx), &secretsmanager.DeleteSecretInput{
		SecretId: aws.String(arn), ForceDeleteWithoutRecovery: aws.Bool(true),
	}); err != nil {
		s.Log.WarnContext(ctx, "a connection's secret is left behind", "secret", arn, "error", err.Error())
	}
}
