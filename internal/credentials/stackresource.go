package credentials

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/cfn"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// Stacks tells a rollback from an update; see customresource.Stacks.
type Stacks interface {
	RollingBack(ctx context.Context, stackID string) (bool, error)
}

// StackResource is the custom resource that brings a connection in step when
// its stack is created or updated, and forgets it when the resource goes.
type StackResource struct {
	Syncer *Syncer
	Stacks Stacks
}

// Handle does what CloudFormation asks for. The attributes are VersionId,
// ConnectionState and LastAuthorizedTime (RFC 3339).
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html
func (r StackResource) Handle(ctx context.Context, event cfn.Event) (string, map[string]any, error) {
	c, err := wanted(event.ResourceProperties)
	if err != nil {
		// Nothing was ever created for properties that cannot be read.
		if event.RequestType == cfn.RequestDelete {
			return event.PhysicalResourceID, nil, nil
		}
		return event.PhysicalResourceID, nil, err
	}
	// Another secret or connection is another resource: CloudFormation then
	// deletes this one for the old properties, which takes the old label off.
	id := c.Label() + "@" + c.SecretID
	if event.RequestType == cfn.RequestDelete {
		return event.PhysicalResourceID, nil, r.Syncer.Release(ctx, c)
	}
	stage := Current
	if event.RequestType == cfn.RequestUpdate {
		if stage, err = r.stage(ctx, event.StackID, c); err != nil {
			return id, nil, err
		}
	}
	held, err := r.bring(ctx, c, stage)
	if err != nil {
		return id, nil, err
	}
	return id, map[string]any{
		"VersionId":          held.VersionID,
		"ConnectionState":    string(held.State),
		"LastAuthorizedTime": held.LastAuthorized.UTC().Format(time.RFC3339),
	}, nil
}

// bring brings the connection in step. A rollback asks for no more than a
// connection that works: what made the update fail, a key without its tag for
// one, must not make the rollback fail as well.
func (r StackResource) bring(ctx context.Context, c Connection, stage string) (Held, error) {
	if stage != Current {
		versions, err := r.Syncer.versions(ctx, c)
		if err != nil {
			return Held{}, err
		}
		shown, err := r.Syncer.describe(ctx, c)
		if err != nil {
			return Held{}, err
		}
		if shown.ConnectionState == ebtypes.ConnectionStateAuthorized {
			r.Syncer.Log.InfoContext(ctx, "connection works, left as it is in a rollback", "connection", c.Name)
			return held(versions[stage], shown), nil
		}
	}
	return r.Syncer.BringInStep(ctx, c, stage)
}

// stage chooses the version for an update: AWSCURRENT, unless the stack rolls
// back. Then AWSCURRENT may be the very secret that made the update fail, and
// the connection goes back to the version that its label says it held.
func (r StackResource) stage(ctx context.Context, stackID string, c Connection) (string, error) {
	back, err := r.Stacks.RollingBack(ctx, stackID)
	if err != nil {
		return "", explain(err, "stack %s cannot be described", stackID)
	}
	if !back {
		return Current, nil
	}
	versions, err := r.Syncer.versions(ctx, c)
	if err != nil {
		return "", err
	}
	if versions[c.Label()] == "" {
		return Current, nil
	}
	return c.Label(), nil
}

// wanted reads the resource's properties; CloudFormation sends scalars as strings.
func wanted(properties map[string]any) (Connection, error) {
	c := Connection{ClientIDKey: "ClientID", ClientSecretKey: "ClientSecret"}
	for _, property := range []struct {
		name     string
		into     *string
		required bool
	}{
		{"ConnectionName", &c.Name, true},
		{"SecretId", &c.SecretID, true},
		{"KmsKeyArn", &c.KeyARN, true},
		{"AuthorizationEndpoint", &c.AuthorizationEndpoint, true},
		{"Scope", &c.Scope, false},
		{"Audience", &c.Audience, false},
		{"ClientIDKey", &c.ClientIDKey, false},
		{"ClientSecretKey", &c.ClientSecretKey, false},
	} {
		value, given := properties[property.name]
		if !given && !property.required {
			continue
		}
		text, ok := value.(string)
		if !ok || text == "" && property.required {
			return c, fmt.Errorf("property %s of the custom resource is missing or not text: set it in the template", property.name)
		}
		*property.into = text
	}
	return c, nil
}
