package endpoint_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"api-destination-credentials/local/access"
	"api-destination-credentials/local/deploy"
)

// liveThrough deploys both stacks, does everything that is done with them, and
// deletes them. It stops at the first thing that goes wrong.
func (a *account) liveThrough(ctx context.Context) error {
	var err error
	if a.prerequisite, err = a.deployer.Prerequisite(ctx); err != nil {
		return err
	}
	outputs, err := a.deployer.Application(ctx, nil)
	if err != nil {
		return err
	}
	l := &life{account: a, outputs: outputs}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"an event is delivered", l.deliver},
		{"the key is administered", l.administerKey},
		{"an undeliverable event reaches the dead-letter queue", l.deadLetter},
		{"the client secret is rotated", l.rotate},
		{"a rotation within the grace time makes room", l.rotate},
		{"the next deployment brings the connection in step", l.deployAgain},
		{"a secret put by hand is followed, and the old client secret retired", l.followHand},
		{"a connection that somebody deauthorized is repaired", l.deauthorized},
		{"a connection that somebody moved to another key is moved back", l.moved},
		{"a deployment that fails is rolled back", l.rollBack},
		{"the archive is moved to another key and back", l.moveArchive},
		{"every function logs", l.logs},
		{"the follower publishes what it saw", l.published},
		{"what must be refused is refused", l.refusals},
		{"a change that cannot be told to the follower reaches its dead-letter queue", l.followerDeadLetter},
		{"everything is deleted", l.delete},
	} {
		if err := step.do(ctx); err != nil {

			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

type life struct {
	*account
	outputs map[string]string
}

func (l *life) put(ctx context.Context, bus, detail string) (id string, err error) {
	put, err := eventbridge.NewFromConfig(l.aws).PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{{
		EventBusName: aws.String(bus), Source: aws.String("com.demo-event-bus.cmk"), DetailType: aws.String("demo-event-type"),
		Detail: aws.String(detail),
	}}})
	if err != nil {
		return "", err
	}
	if put.FailedEntryCount != 0 {
		return "", errors.New(aws.ToString(put.Entries[0].ErrorMessage))
	}
	return aws.ToString(put.Entries[0].EventId), nil
}

func (l *life) deliver(ctx context.Context) error {
	id, err := l.put(ctx, l.outputs["EventBusName"], `{"responsePayload": "hello"}`)
	if err != nil {
		return err
	}
	return soon(ctx, func() error { return l.logged(ctx, "ReceiverLogGroup", `event accepted","eventId":"`+id) })
}

func (l *life) logged(ctx context.Context, group, text string) error {
	found, err := cloudwatchlogs.NewFromConfig(l.aws).FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: aws.String(l.outputs[group]), FilterPattern: aws.String(`"` + text + `"`),
	})
	if err == nil && len(found.Events) == 0 {
		err = fmt.Errorf("%s has no line with %q", group, text)
	}
	return err
}

func (l *life) logs(ctx context.Context) error {
	for _, group := range []string{"ReceiverLogGroup", "ConnectionLogGroup", "RotationLogGroup", "FollowerLogGroup"} {
		if err := l.logged(ctx, group, "requestId"); err != nil {
			return err
		}
	}
	return nil
}

// administerKey does what the account's administrator may do with the key.
func (l *life) administerKey(ctx context.Context) error {
	keys, id := kms.NewFromConfig(l.aws), aws.String(l.prerequisite["CMKKeyARN"])
	alias := aws.String("alias/another-name")
	policy, err := keys.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: id})
	if err != nil {
		return err
	}
	for name, do := range map[string]func() error{
		"tag": func() error {
			_, err := keys.UntagResource(ctx, &kms.UntagResourceInput{KeyId: id, TagKeys: []string{"EventBridgeApiDestinations"}})
			_, also := keys.TagResource(ctx, &kms.TagResourceInput{KeyId: id, Tags: []kmstypes.Tag{{TagKey: aws.String("EventBridgeApiDestinations"), TagValue: aws.String("true")}}})
			_, list := keys.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: id})
			return errors.Join(err, also, list)
		},
		"disable": func() error {
			_, err := keys.DisableKey(ctx, &kms.DisableKeyInput{KeyId: id})
			_, back := keys.EnableKey(ctx, &kms.EnableKeyInput{KeyId: id})
			return errors.Join(err, back)
		},
		"turn": func() error {
			_, err := keys.DisableKeyRotation(ctx, &kms.DisableKeyRotationInput{KeyId: id})
			_, back := keys.EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{KeyId: id})
			_, look := keys.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: id})
			return errors.Join(err, back, look)
		},
		"describe": func() error {
			_, err := keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: id})
			_, write := keys.UpdateKeyDescription(ctx, &kms.UpdateKeyDescriptionInput{KeyId: id, Description: aws.String("changed")})
			_, policy := keys.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: id, Policy: policy.Policy})
			return errors.Join(err, write, policy)
		},
		"alias": func() error {
			_, err := keys.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: alias, TargetKeyId: id})
			_, move := keys.UpdateAlias(ctx, &kms.UpdateAliasInput{AliasName: alias, TargetKeyId: id})
			_, end := keys.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: alias})
			return errors.Join(err, move, end)
		},
	} {
		if err := do(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (l *life) deadLetter(ctx context.Context) error {
	if err := l.undeliverable(ctx); err != nil {
		return err
	}
	if err := l.received(ctx, l.outputs["DeadLetterQueueURL"]); err != nil {
		return err
	}
	return l.aim(ctx, "")
}

// undeliverable puts an event for which the destination has no path.
func (l *life) undeliverable(ctx context.Context) error {
	if err := l.aim(ctx, "nowhere"); err != nil {
		return err
	}
	_, err := l.put(ctx, l.outputs["EventBusName"], `{"responsePayload": "lost"}`)
	return err
}

// aim points the API destination to a path of the receiver.
func (l *life) aim(ctx context.Context, path string) error {
	_, err := eventbridge.NewFromConfig(l.aws).UpdateApiDestination(ctx, &eventbridge.UpdateApiDestinationInput{
		Name: aws.String(strings.Split(l.outputs["ApiDestinationArn"], "/")[1]), InvocationEndpoint: aws.String(l.outputs["ReceiverURL"] + path),
	})
	return err
}

func (l *life) received(ctx context.Context, queue string) error {
	queues := sqs.NewFromConfig(l.aws)
	return soon(ctx, func() error {
		got, err := queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: aws.String(queue)})
		if err != nil {
			return err
		}
		if len(got.Messages) == 0 {
			return errors.New("the queue is empty")
		}
		_, err = queues.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: aws.String(queue), ReceiptHandle: got.Messages[0].ReceiptHandle})
		return err
	})
}

func (l *life) rotate(ctx context.Context) error {
	var rotated *secretsmanager.RotateSecretOutput
	// The rotation that tries the test step, after a deployment, may be at work.
	err := soon(ctx, func() (err error) {
		rotated, err = secretsmanager.NewFromConfig(l.aws).RotateSecret(ctx, &secretsmanager.RotateSecretInput{SecretId: aws.String(l.prerequisite["OAuthSecretArn"])})
		return err
	})
	if err != nil {
		return err
	}
	return l.inStep(ctx, aws.ToString(rotated.VersionId))
}

func (l *life) clientSecrets(ctx context.Context) (*cognitoidentityprovider.ListUserPoolClientSecretsOutput, error) {
	return cognitoidentityprovider.NewFromConfig(l.aws).ListUserPoolClientSecrets(ctx, &cognitoidentityprovider.ListUserPoolClientSecretsInput{
		UserPoolId: aws.String(l.prerequisite["UserPoolId"]), ClientId: aws.String(l.prerequisite["ClientID"]),
	})
}

// inStep waits until AWSCURRENT and the connection's label are on the version.
func (l *life) inStep(ctx context.Context, version string) error {
	return soon(ctx, func() error {
		shown, err := secretsmanager.NewFromConfig(l.aws).DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String(l.prerequisite["OAuthSecretArn"])})
		if err != nil {
			return err
		}
		labels := shown.VersionIdsToStages[version]
		if !slices.Contains(labels, "AWSCURRENT") || !slices.Contains(labels, "eventbridge/"+l.outputs["ConnectionName"]) {
			return fmt.Errorf("version %s has the labels %v", version, labels)
		}
		return nil
	})
}

func (l *life) value(ctx context.Context) (string, error) {
	value, err := secretsmanager.NewFromConfig(l.aws).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(l.prerequisite["OAuthSecretArn"])})
	if err != nil {
		return "", err
	}
	return aws.ToString(value.SecretString), nil
}

func (l *life) putValue(ctx context.Context, value string) (version string, err error) {
	put, err := secretsmanager.NewFromConfig(l.aws).PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: aws.String(l.prerequisite["OAuthSecretArn"]), SecretString: aws.String(value)})
	if err != nil {
		return "", err
	}
	return aws.ToString(put.VersionId), nil
}

func (l *life) followHand(ctx context.Context) error {
	value, err := l.value(ctx)
	if err != nil {
		return err
	}
	version, err := l.putValue(ctx, value)
	if err != nil {
		return err
	}
	if err := l.inStep(ctx, version); err != nil {
		return err
	}
	return soon(ctx, func() error {
		listed, err := l.clientSecrets(ctx)
		if err == nil && len(listed.ClientSecrets) != 1 {
			err = fmt.Errorf("there are %d client secrets, want the new one only", len(listed.ClientSecrets))
		}
		return err
	})
}

func (l *life) deployAgain(ctx context.Context) error {
	_, err := l.deployer.Application(ctx, map[string]string{"CredentialsRevision": "2", "GraceTime": "0m"})
	return err
}

func (l *life) deauthorized(ctx context.Context) error {
	if err := l.deauthorize(ctx); err != nil {
		return err
	}
	return l.repaired(ctx)
}

func (l *life) deauthorize(ctx context.Context) error {
	_, err := eventbridge.NewFromConfig(l.aws).DeauthorizeConnection(ctx, &eventbridge.DeauthorizeConnectionInput{Name: aws.String(l.outputs["ConnectionName"])})
	return err
}

func (l *life) moved(ctx context.Context) error {
	_, err := eventbridge.NewFromConfig(l.aws).UpdateConnection(ctx, &eventbridge.UpdateConnectionInput{Name: aws.String(l.outputs["ConnectionName"]), KmsKeyIdentifier: aws.String("")})
	if err != nil {
		return err
	}
	return l.repaired(ctx)
}

// repaired waits until the connection is as the template has it.
func (l *life) repaired(ctx context.Context) error {
	return soon(ctx, func() error {
		shown, err := eventbridge.NewFromConfig(l.aws).DescribeConnection(ctx, &eventbridge.DescribeConnectionInput{Name: aws.String(l.outputs["ConnectionName"])})
		if err == nil && (shown.ConnectionState != ebtypes.ConnectionStateAuthorized || aws.ToString(shown.KmsKeyIdentifier) != l.prerequisite["CMKKeyARN"]) {
			err = fmt.Errorf("the connection is %s with the key %q: %s", shown.ConnectionState, aws.ToString(shown.KmsKeyIdentifier), aws.ToString(shown.StateReason))
		}
		return err
	})
}

// rollBack puts a wrong secret in place, which the deployment refuses.
func (l *life) rollBack(ctx context.Context) error {
	right, err := l.value(ctx)
	if err != nil {
		return err
	}
	if _, err := l.putValue(ctx, `{"ClientID":"`+l.prerequisite["ClientID"]+`","ClientSecret":"`+strings.Repeat("x", 40)+`"}`); err != nil {
		return err
	}
	if _, err := l.deployer.Application(ctx, map[string]string{"CredentialsRevision": "3", "GraceTime": "0m"}); err == nil {
		return errors.New("a secret that does not work was deployed")
	}
	if status := l.status(deploy.ApplicationStack); status != "UPDATE_ROLLBACK_COMPLETE" {
		return fmt.Errorf("the stack is %s", status)
	}
	version, err := l.putValue(ctx, right)
	if err != nil {
		return err
	}
	return l.inStep(ctx, version)
}

func (l *life) published(ctx context.Context) error {
	listed, err := cloudwatch.NewFromConfig(l.aws).ListMetrics(ctx, &cloudwatch.ListMetricsInput{Namespace: aws.String("ApiDestinationCredentials"), MetricName: aws.String("ConnectionAuthorized")})
	if err == nil && len(listed.Metrics) == 0 {
		err = errors.New("there are no metrics")
	}
	return err
}

func (l *life) moveArchive(ctx context.Context) error {
	made, err := kms.NewFromConfig(l.aws).CreateKey(ctx, &kms.CreateKeyInput{Policy: aws.String(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root","Service":"events.amazonaws.com"},"Action":"kms:*","Resource":"*"}]}`)})
	if err != nil {
		return err
	}
	events, name := eventbridge.NewFromConfig(l.aws), aws.String(l.physicalID(deploy.ApplicationStack, "Archive"))
	for _, key := range []string{aws.ToString(made.KeyMetadata.Arn), l.prerequisite["CMKKeyARN"]} {
		if _, err := events.UpdateArchive(ctx, &eventbridge.UpdateArchiveInput{ArchiveName: name, KmsKeyIdentifier: aws.String(key)}); err != nil {
			return err
		}
		if err := soon(ctx, func() error {
			shown, err := events.DescribeArchive(ctx, &eventbridge.DescribeArchiveInput{ArchiveName: name})
			if err == nil && (shown.State != ebtypes.ArchiveStateEnabled || aws.ToString(shown.KmsKeyIdentifier) != key) {
				err = fmt.Errorf("the archive is %s under %s: %s", shown.State, aws.ToString(shown.KmsKeyIdentifier), aws.ToString(shown.StateReason))
			}
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// refusals tries what the conditions of the policies keep out.
func (l *life) refusals(ctx context.Context) error {
	key := aws.String(l.prerequisite["CMKKeyARN"])
	account, region := "123456789012", "us-east-1"
	secretARN := func(name string) map[string]string {
		return map[string]string{"SecretARN": "arn:aws:secretsmanager:" + region + ":" + account + ":secret:" + name}
	}
	dataKey := func(caller access.Principal, context map[string]string) error {
		_, err := kms.NewFromConfig(l.local.AWSAs(caller)).GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: key, KeySpec: kmstypes.DataKeySpecAes256, EncryptionContext: context})
		return err
	}
	administrator := access.Principal{ARN: "arn:aws:iam::" + account + ":user/local", Administrator: true}
	role := func(logical string) access.Principal {
		name := l.physicalID(deploy.ApplicationStack, logical)
		return access.Principal{ARN: "arn:aws:sts::" + account + ":assumed-role/" + name + "/probe", RoleARN: "arn:aws:iam::" + account + ":role/" + name}
	}
	stranger := "arn:aws:events:" + region + ":999999999999:rule/stranger"
	for name, try := range map[string]func() error{
		"the key without Secrets Manager, as for the source secret": func() error { return dataKey(administrator, secretARN("OAuthClientSecret-x-AbCdEf")) },
		"the key without Secrets Manager, as for a connection": func() error {
			return dataKey(administrator, secretARN("events!connection/x/AbCdEf"))
		},
		"the key by way of Secrets Manager for another secret": func() error {
			return dataKey(administrator.Through("secretsmanager", region), secretARN("another-AbCdEf"))
		},
		"the key as EventBridge for another account": func() error {
			return dataKey(access.Principal{Service: "events.amazonaws.com", SourceARN: stranger}, nil)
		},
		"the key as CloudWatch Logs for another account's log group": func() error {
			return dataKey(access.Principal{Service: "logs." + region + ".amazonaws.com"}, map[string]string{"aws:logs:arn": "arn:aws:logs:" + region + ":999999999999:log-group:x"})
		},
		"the key without DynamoDB": func() error {
			_, err := kms.NewFromConfig(l.aws).Encrypt(ctx, &kms.EncryptInput{KeyId: key, Plaintext: []byte("probe")})
			return err
		},
		"the key as for an archive of another account": func() error {
			return dataKey(administrator, map[string]string{"aws:events:event-bus:arn": "arn:aws:events:" + region + ":999999999999:event-bus/x"})
		},
		"the receiver's key without DynamoDB": func() error {
			return l.withOpenKey(ctx, func() error {
				made, err := kms.NewFromConfig(l.aws).Encrypt(ctx, &kms.EncryptInput{KeyId: key, Plaintext: []byte("probe")})
				if err != nil {
					return fmt.Errorf("the probe: %s", err)
				}
				_, err = kms.NewFromConfig(l.local.AWSAs(role("ReceiverRole"))).Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: made.CiphertextBlob})
				return err
			})
		},
		"the key by way of Secrets Manager for a connection, without its tag": func() error {
			keys := kms.NewFromConfig(l.aws)
			if _, err := keys.UntagResource(ctx, &kms.UntagResourceInput{KeyId: key, TagKeys: []string{"EventBridgeApiDestinations"}}); err != nil {
				return err
			}
			err := dataKey(administrator.Through("secretsmanager", region), secretARN("events!connection/x/AbCdEf"))
			_, back := keys.TagResource(ctx, &kms.TagResourceInput{KeyId: key, Tags: []kmstypes.Tag{{TagKey: aws.String("EventBridgeApiDestinations"), TagValue: aws.String("true")}}})
			return errors.Join(err, back)
		},
		"the functions' key without Secrets Manager": func() error {
			// The key policy would refuse it as well: let it allow it for once.
			return l.withOpenKey(ctx, func() error { return dataKey(role("ConnectionRole"), nil) })
		},
		"the target's role for another account's rule": func() error {
			_, err := sts.NewFromConfig(l.local.AWSAs(access.Principal{Service: "events.amazonaws.com", SourceARN: stranger})).AssumeRole(ctx, &sts.AssumeRoleInput{
				RoleArn: aws.String("arn:aws:iam::" + account + ":role/" + l.physicalID(deploy.ApplicationStack, "TargetRole")), RoleSessionName: aws.String("probe"),
			})
			return err
		},
		"the dead-letter queue for another rule":            func() error { return l.send(ctx, "DeadLetterQueue") },
		"the follower's dead-letter queue for another rule": func() error { return l.send(ctx, "FollowerDeadLetterQueue") },
		"metrics of another application": func() error {
			_, err := cloudwatch.NewFromConfig(l.local.AWSAs(role("FollowerRole"))).PutMetricData(ctx, &cloudwatch.PutMetricDataInput{
				Namespace: aws.String("AnotherApplication"), MetricData: []cwtypes.MetricDatum{{MetricName: aws.String("m"), Value: aws.Float64(1)}},
			})
			return err
		},
		"the rotation for another secret": func() error {
			return l.invoke(ctx, "RotationFunction", access.Principal{Service: "secretsmanager.amazonaws.com", SourceARN: "arn:aws:secretsmanager:" + region + ":" + account + ":secret:another-AbCdEf"})
		},
		"the receiver for another API": func() error {
			return l.invoke(ctx, "ReceiverFunction", access.Principal{Service: "apigateway.amazonaws.com", SourceARN: "arn:aws:execute-api:" + region + ":" + account + ":another/$default/$default"})
		},
	} {
		err := try()
		if err == nil {
			return fmt.Errorf("%s is let in", name)
		}
		if !strings.Contains(err.Error(), "AccessDenied") && !strings.Contains(err.Error(), "not authorized") {
			return fmt.Errorf("%s fails for another reason: %w", name, err)
		}
	}
	return nil
}

func (l *life) send(ctx context.Context, queue string) error {
	other := access.Principal{Service: "events.amazonaws.com", SourceARN: "arn:aws:events:us-east-1:123456789012:rule/another"}
	_, err := sqs.NewFromConfig(l.local.AWSAs(other)).SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: aws.String(l.physicalID(deploy.ApplicationStack, queue)), MessageBody: aws.String("probe"),
	})
	return err
}

func (l *life) invoke(ctx context.Context, function string, caller access.Principal) error {
	_, err := lambda.NewFromConfig(l.local.AWSAs(caller)).Invoke(ctx, &lambda.InvokeInput{
		FunctionName: aws.String(l.physicalID(deploy.ApplicationStack, function)), Payload: []byte("{}"),
	})
	return err
}

// withOpenKey lets the key policy leave everything to identity policies.
func (l *life) withOpenKey(ctx context.Context, do func() error) error {
	keys, id := kms.NewFromConfig(l.aws), aws.String(l.prerequisite["CMKKeyARN"])
	before, err := keys.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: id})
	if err != nil {
		return err
	}
	open, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Allow", "Principal": map[string]string{"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*", "Resource": "*",
	}}})
	if err != nil {
		return err
	}
	if _, err := keys.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: id, Policy: aws.String(string(open))}); err != nil {
		return err
	}
	done := do()
	_, back := keys.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: id, Policy: before.Policy})
	return errors.Join(done, back)
}

func (l *life) followerDeadLetter(ctx context.Context) error {
	if err := l.cutFollowerOff(ctx); err != nil {
		return err
	}
	return l.received(ctx, l.physicalID(deploy.ApplicationStack, "FollowerDeadLetterQueue"))
}

// cutFollowerOff takes away the permission of the follower's rules, and changes
// the secret.
func (l *life) cutFollowerOff(ctx context.Context) error {
	functions, follower := lambda.NewFromConfig(l.aws), aws.String(l.physicalID(deploy.ApplicationStack, "FollowerFunction"))
	shown, err := functions.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: follower})
	if err != nil {
		return err
	}
	var policy struct{ Statement []struct{ Sid string } }
	if err := json.Unmarshal([]byte(aws.ToString(shown.Policy)), &policy); err != nil {
		return err
	}
	for _, statement := range policy.Statement {
		if _, err := functions.RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: follower, StatementId: aws.String(statement.Sid)}); err != nil {
			return err
		}
	}
	value, err := l.value(ctx)
	if err != nil {
		return err
	}
	_, err = l.putValue(ctx, value)
	return err
}

func (l *life) delete(ctx context.Context) error {
	keys, id := kms.NewFromConfig(l.aws), aws.String(l.prerequisite["CMKKeyARN"])
	if err := l.deployer.Delete(ctx, deploy.ApplicationStack); err != nil {
		return err
	}
	if err := l.deployer.Delete(ctx, deploy.PrerequisiteStack); err != nil {
		return err
	}
	// A key that was deleted too early can be had back.
	if _, err := keys.CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: id}); err != nil {
		return err
	}
	_, err := keys.EnableKey(ctx, &kms.EnableKeyInput{KeyId: id})
	return err
}
