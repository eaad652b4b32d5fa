package resources

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/cloudformation"
)

// connection is an EventBridge connection. Create and update return while it
// still authorizes: a secret that the identity provider refuses fails no stack.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-connection.html
type connection struct {
	events Events
	clock  clockwork.Clock
}

func (c connection) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known(nil, "AuthParameters", "AuthorizationType", "Description", "InvocationConnectivityParameters", "KmsKeyIdentifier", "Name"),
		Replace:    []string{"Name"},
		Create:     c.create,
		Update:     c.update,
		Delete:     c.delete,
	}
}

func (c connection) create(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	name, err := given(r, "Name", stackName(r, 64))
	if err != nil {
		return cloudformation.Result{}, err
	}
	members := with(r.Properties, object{"Name": name, "AuthParameters": secretByDefault(r.Properties["AuthParameters"])})
	if err := do(ctx, c.events.CreateConnection, members); err != nil {
		return cloudformation.Result{}, err
	}
	return c.result(ctx, name)
}

// update sends everything, so that EventBridge authorizes anew with the secret
// as it is now.
func (c connection) update(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	members := with(complete(r, object{"Description": "", "KmsKeyIdentifier": ""}),
		object{"Name": r.PhysicalID, "AuthParameters": secretByDefault(r.Properties["AuthParameters"])})
	// A connection that is being authorized takes no update; CloudFormation
	// tries a resource conflict again.
	// https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract-errors.html
	for deadline := c.clock.Now().Add(patience); ; {
		err := do(ctx, c.events.UpdateConnection, members)
		if err == nil {
			return c.result(ctx, r.PhysicalID)
		}
		var busy *types.ConcurrentModificationException
		if !errors.As(err, &busy) || c.clock.Now().After(deadline) {
			return cloudformation.Result{}, err
		}
		if err := c.rest(ctx); err != nil {
			return cloudformation.Result{}, err
		}
	}
}

// patience is how long a connection may take to come to rest.
const patience = 2 * time.Minute

func (c connection) rest(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-c.clock.After(50 * time.Millisecond):
		return nil
	}
}

// delete returns when the connection is gone, and with it its secret.
func (c connection) delete(ctx context.Context, r cloudformation.Request) error {
	if err := do(ctx, c.events.DeleteConnection, object{"Name": r.PhysicalID}); err != nil {
		return unlessGone(err)
	}
	for deadline := c.clock.Now().Add(patience); c.clock.Now().Before(deadline); {
		if err := do(ctx, c.events.DescribeConnection, object{"Name": r.PhysicalID}); err != nil {
			return unlessGone(err)
		}
		if err := c.rest(ctx); err != nil {
			return err
		}
	}
	return fmt.Errorf("the connection %s is still being deleted after %s; delete the stack again", r.PhysicalID, patience)
}

func (c connection) result(ctx context.Context, name string) (cloudformation.Result, error) {
	result := cloudformation.Result{PhysicalID: name}
	found, err := call(ctx, c.events.DescribeConnection, object{"Name": name})
	if err != nil {
		return result, err
	}
	arn := aws.ToString(found.ConnectionArn)
	result.Attributes = object{"Arn": arn, "ArnForPolicy": withoutUUID(arn), "SecretArn": aws.ToString(found.SecretArn)}
	return result, nil
}

// secretByDefault copies AuthParameters. A parameter that does not say whether
// its value is secret is secret in CloudFormation, and is not in EventBridge.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-events-connection-parameter.html
func secretByDefault(value any) any {
	switch value := value.(type) {
	case object:
		copied := object{}
		for name, member := range value {
			copied[name] = secretByDefault(member)
		}
		_, isParameter := value["Key"]
		if _, says := value["IsValueSecret"]; isParameter && !says {
			copied["IsValueSecret"] = true
		}
		return copied
	case []any:
		copied := make([]any, len(value))
		for i, item := range value {
			copied[i] = secretByDefault(item)
		}
		return copied
	}
	return value
}
