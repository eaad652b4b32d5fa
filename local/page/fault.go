package page

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/uuid"
)

// fault is something that the page can break and repair. Whether it is broken
// is read from the account, so that nothing is to be remembered.
type fault struct {
	name, title, expect string // expect is what to watch
	breaks, repairs     string // what is said after it
	possible, broken    func(*reading) bool
	cause, undo         func(context.Context, *account, *reading) error
}

var faults = []fault{
	{
		name: "key", title: "Key disabled",
		expect:   "Everything that is encrypted with it stops.",
		breaks:   "The key is disabled: watch what needs it.",
		repairs:  "The key is enabled again.",
		possible: func(r *reading) bool { return r.key != nil },
		broken:   func(r *reading) bool { return r.key.KeyMetadata.KeyState == kmstypes.KeyStateDisabled },
		cause: func(ctx context.Context, a *account, r *reading) error {
			_, err := a.keys.DisableKey(ctx, &kms.DisableKeyInput{KeyId: r.key.KeyMetadata.Arn})
			return err
		},
		undo: func(ctx context.Context, a *account, r *reading) error {
			_, err := a.keys.EnableKey(ctx, &kms.EnableKeyInput{KeyId: r.key.KeyMetadata.Arn})
			return err
		},
	},
	{
		name: "secret", title: "Wrong secret",
		expect:   "AWSCURRENT moves to it. The connection stays on the version that works.",
		breaks:   "A wrong client secret is AWSCURRENT: the follower tries it before the connection gets it.",
		repairs:  "AWSCURRENT is back on the version that works.",
		possible: func(r *reading) bool { return len(r.versions) > 0 && r.prerequisite.outputs["ClientID"] != "" },
		broken:   func(r *reading) bool { return strings.HasPrefix(r.version("AWSCURRENT"), wrongVersion) },
		cause:    putWrongSecret,
		undo:     moveBack,
	},
	{
		name: "receiver", title: "Receiver down",
		expect:   "Attempts fail and are retried, for a day if need be.",
		breaks:   "The receiver is down, with a reserved concurrency of 0: send an event and watch its attempts.",
		repairs:  "The receiver is up again: the next attempt delivers.",
		possible: func(r *reading) bool { return r.receiver != nil },
		broken: func(r *reading) bool {
			return r.receiver.Concurrency != nil && aws.ToInt32(r.receiver.Concurrency.ReservedConcurrentExecutions) == 0
		},
		cause: func(ctx context.Context, a *account, r *reading) error {
			_, err := a.functions.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{
				FunctionName: r.receiver.Configuration.FunctionName, ReservedConcurrentExecutions: aws.Int32(0),
			})
			return err
		},
		undo: func(ctx context.Context, a *account, r *reading) error {
			_, err := a.functions.DeleteFunctionConcurrency(ctx, &lambda.DeleteFunctionConcurrencyInput{FunctionName: r.receiver.Configuration.FunctionName})
			return err
		},
	},
	{
		name: "address", title: "Wrong address",
		expect:   "The receiver answers 404, which is final: a dead letter.",
		breaks:   "The destination has a path that the receiver does not know: the next event becomes a dead letter.",
		repairs:  "The destination has its address again.",
		possible: func(r *reading) bool { return r.destination != nil && r.application.outputs["ReceiverURL"] != "" },
		broken: func(r *reading) bool {
			return strings.HasSuffix(aws.ToString(r.destination.InvocationEndpoint), wrongPath)
		},
		cause: func(ctx context.Context, a *account, r *reading) error { return aim(ctx, a, r, wrongPath) },
		undo:  func(ctx context.Context, a *account, r *reading) error { return aim(ctx, a, r, "") },
	},
}

// named finds a fault by the name that forms carry.
func named(name string) (fault, error) {
	var known []string
	for _, f := range faults {
		if f.name == name {
			return f, nil
		}
		known = append(known, f.name)
	}
	return fault{}, fmt.Errorf("there is no fault %q: use one of %s", name, strings.Join(known, ", "))
}

// wrongVersion begins the ids of the versions that the page made wrong. A
// version's id is the request token it was put with, from 32 characters on.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
const wrongVersion = "wrong-secret-"

func putWrongSecret(ctx context.Context, a *account, r *reading) error {
	value, err := json.Marshal(map[string]string{
		r.application.parameters["SecretClientIDKey"]:     r.prerequisite.outputs["ClientID"],
		r.application.parameters["SecretClientSecretKey"]: strings.Repeat("wrong", 8),
	})
	if err != nil {
		return err
	}
	_, err = a.secrets.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: aws.String(r.prerequisite.outputs["OAuthSecretArn"]), SecretString: aws.String(string(value)),
		ClientRequestToken: aws.String(wrongVersion + uuid.NewString()),
	})
	return err
}

// moveBack gives AWSCURRENT to the version that the connection still holds, or
// else to the one before the wrong one. No value is read for that.
func moveBack(ctx context.Context, a *account, r *reading) error {
	right := r.version(r.connectionLabel())
	if right == "" {
		right = r.version("AWSPREVIOUS")
	}
	if right == "" {
		return errors.New("no version of the source secret is left that worked: put the right value with aws secretsmanager put-secret-value")
	}
	_, err := a.secrets.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: aws.String(r.prerequisite.outputs["OAuthSecretArn"]), VersionStage: aws.String("AWSCURRENT"),
		RemoveFromVersionId: aws.String(r.version("AWSCURRENT")), MoveToVersionId: aws.String(right),
	})
	return err
}

const wrongPath = "no-such-path"

// aim points the API destination to a path of the receiver.
func aim(ctx context.Context, a *account, r *reading, path string) error {
	_, err := a.events.UpdateApiDestination(ctx, &eventbridge.UpdateApiDestinationInput{
		Name: r.destination.Name, InvocationEndpoint: aws.String(r.application.outputs["ReceiverURL"] + path),
	})
	return err
}
