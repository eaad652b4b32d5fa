package credentials_test

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/cfn"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/google/go-cmp/cmp"

	"api-destination-credentials/internal/credentials"
	"api-destination-credentials/internal/customresource"
)

func properties() map[string]any {
	return map[string]any{
		"ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:f", "Revision": "1", "ServiceTimeout": "330",
		"ConnectionName": connectionName, "SecretId": "source", "KmsKeyArn": keyARN, "AuthorizationEndpoint": endpoint, "Scope": "events/write", "Audience": "https://api.example",
	}
}

// handle runs the custom resource while the world's clock moves on by itself.
func handle(t *testing.T, w *world, request cfn.RequestType, properties map[string]any) (string, map[string]any, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		// Three minutes of waiting and then the deadline, whatever the waits are.
		for range 60 {
			if w.clock.BlockUntilContext(ctx, 1) != nil {
				return
			}
			w.clock.Advance(5 * time.Second)
		}
		cancel()
	}()
	resource := credentials.StackResource{
		Syncer: &credentials.Syncer{Events: w, Secrets: w, Keys: w, Tokens: w, Clock: w.clock, Log: slog.New(slog.NewTextHandler(io.Discard, nil))},
		Stacks: customresource.Stacks{API: w},
	}
	return resource.Handle(ctx, cfn.Event{RequestType: request, StackID: "stack-1", PhysicalResourceID: label + "@source", ResourceProperties: properties})
}

func TestCreateBringsTheConnectionInStepAndLabelsTheVersionLast(t *testing.T) {
	w := newWorld()
	id, data, err := handle(t, w, cfn.RequestCreate, properties())
	if err != nil {
		t.Fatal(err)
	}
	if id != label+"@source" || data["VersionId"] != "v1" || data["ConnectionState"] != "AUTHORIZED" || data["LastAuthorizedTime"] != w.authTime.UTC().Format(time.RFC3339) {
		t.Errorf("id %q, attributes %v", id, data)
	}
	if w.stages[label] != "v1" || w.holds != "first" {
		t.Errorf("the label is on %q and the connection holds %q, want v1 and first", w.stages[label], w.holds)
	}
	want := []string{"DescribeSecret", "DescribeKey", "ListResourceTags", "GetSecretValue", "token request", "DescribeConnection", "UpdateConnection", "DescribeConnection", "GetSecretValue", "UpdateSecretVersionStage"}
	if difference := cmp.Diff(want, w.calls); difference != "" {
		t.Errorf("calls (-want +got):\n%s", difference)
	}
}

func TestAConnectionInStepIsLeftAlone(t *testing.T) {
	w := newWorld()
	if _, _, err := handle(t, w, cfn.RequestCreate, properties()); err != nil {
		t.Fatal(err)
	}
	w.calls = nil
	_, data, err := handle(t, w, cfn.RequestUpdate, properties())
	if err != nil || data["VersionId"] != "v1" {
		t.Fatalf("attributes %v, error %v", data, err)
	}
	if w.updates() != 0 {
		t.Errorf("a connection in step was updated: %v", w.calls)
	}
}

func TestAnUpdateFollowsTheSourceSecret(t *testing.T) {
	for name, before := range map[string]func(*world){
		"plainly":                                     func(*world) {},
		"while EventBridge authorizes slowly":         func(w *world) { w.slow = 5 },
		"while descriptions lag behind the update":    func(w *world) { w.stale = 3 },
		"while others modify the connection":          func(w *world) { w.conflicts = 2 },
		"although the endpoint was down for a moment": func(w *world) { w.down = 2 },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			if _, _, err := handle(t, w, cfn.RequestCreate, properties()); err != nil {
				t.Fatal(err)
			}
			w.put("v2", secretJSON("second"))
			w.accepts = "second"
			before(w)
			_, data, err := handle(t, w, cfn.RequestUpdate, properties())
			if err != nil {
				t.Fatal(err)
			}
			if data["VersionId"] != "v2" || w.stages[label] != "v2" || w.holds != "second" || w.state != ebtypes.ConnectionStateAuthorized {
				t.Errorf("attributes %v, label on %s, connection %s with %q", data, w.stages[label], w.state, w.holds)
			}
		})
	}
}

func TestADriftedConnectionIsRepaired(t *testing.T) {
	for name, drift := range map[string]func(*world){
		"deauthorized":   func(w *world) { w.state = ebtypes.ConnectionStateDeauthorized },
		"other key":      func(w *world) { w.keyARN = "arn:aws:kms:us-east-1:123456789012:key/2" },
		"other endpoint": func(w *world) { *w.shown.OAuthParameters.AuthorizationEndpoint = "https://elsewhere.example" },
		"other client":   func(w *world) { *w.shown.OAuthParameters.ClientParameters.ClientID = "client-2" },
		"other method":   func(w *world) { w.shown.OAuthParameters.HttpMethod = ebtypes.ConnectionOAuthHttpMethodGet },
		"other scope":    func(w *world) { *w.shown.OAuthParameters.OAuthHttpParameters.BodyParameters[1].Value = "events/read" },
		"other audience": func(w *world) {
			*w.shown.OAuthParameters.OAuthHttpParameters.BodyParameters[2].Value = "https://other.example"
		},
		"parameters gone": func(w *world) { w.shown = nil },
		"extra parameters": func(w *world) {
			w.shown.OAuthParameters.OAuthHttpParameters.QueryStringParameters = []ebtypes.ConnectionQueryStringParameter{{}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			if _, _, err := handle(t, w, cfn.RequestCreate, properties()); err != nil {
				t.Fatal(err)
			}
			drift(w)
			if _, _, err := handle(t, w, cfn.RequestUpdate, properties()); err != nil {
				t.Fatal(err)
			}
			if w.updates() != 2 || w.keyARN != keyARN || *w.shown.OAuthParameters.AuthorizationEndpoint != endpoint || w.state != ebtypes.ConnectionStateAuthorized {
				t.Errorf("the connection was not put right after %d updates: %s %s", w.updates(), w.state, w.keyARN)
			}
		})
	}
}

func TestABadCandidateNeverTouchesTheConnection(t *testing.T) {
	for name, test := range map[string]struct {
		spoil   func(*world, map[string]any)
		mention string
	}{
		"not JSON":            {func(w *world, _ map[string]any) { w.put("v2", "hunter2-plain-text") }, `is not a JSON object: store {"ClientID": "…", "ClientSecret": "…"}`},
		"null":                {func(w *world, _ map[string]any) { w.put("v2", "null") }, "is not a JSON object"},
		"missing key":         {func(w *world, _ map[string]any) { w.put("v2", `{"ClientID":"c","Password":"hunter2"}`) }, `has no text under the key "ClientSecret" (its keys: ClientID, Password)`},
		"empty value":         {func(w *world, _ map[string]any) { w.put("v2", `{"ClientID":"c","ClientSecret":""}`) }, `has no text under the key "ClientSecret"`},
		"number":              {func(w *world, _ map[string]any) { w.put("v2", `{"ClientID":7,"ClientSecret":"x"}`) }, `has no text under the key "ClientID"`},
		"colon":               {func(w *world, _ map[string]any) { w.put("v2", `{"ClientID":"c","ClientSecret":"hunter2:x"}`) }, "without colon"},
		"wrong secret":        {func(w *world, _ map[string]any) { w.put("v2", secretJSON("hunter2")) }, "does not accept the client secret"},
		"endpoint down":       {func(w *world, _ map[string]any) { w.put("v2", secretJSON("first")); w.down = 99 }, "cannot be reached"},
		"secret missing":      {func(w *world, _ map[string]any) { w.gone = true }, "source secret source cannot be described: ResourceNotFoundException"},
		"no current version":  {func(w *world, _ map[string]any) { delete(w.stages, "AWSCURRENT") }, "has no version labelled AWSCURRENT"},
		"key disabled":        {func(w *world, _ map[string]any) { w.key.KeyState = kmstypes.KeyStateDisabled }, "is disabled: enable it"},
		"key pending":         {func(w *world, _ map[string]any) { w.key.KeyState = kmstypes.KeyStatePendingDeletion }, "is pending deletion: cancel that"},
		"key not ready":       {func(w *world, _ map[string]any) { w.key.KeyState = kmstypes.KeyStateUnavailable }, "is in state Unavailable"},
		"key asymmetric":      {func(w *world, _ map[string]any) { w.key.KeySpec = kmstypes.KeySpecRsa2048 }, "needs a symmetric key"},
		"key managed by AWS":  {func(w *world, _ map[string]any) { w.key.KeyManager = kmstypes.KeyManagerTypeAws }, "name a customer managed key"},
		"key without the tag": {func(w *world, _ map[string]any) { w.tags = nil }, "lacks the tag EventBridgeApiDestinations=true"},
		"no such connection":  {func(_ *world, p map[string]any) { p["ConnectionName"] = "no-such" }, "Connection 'no-such' does not exist"},
		"property missing":    {func(_ *world, p map[string]any) { delete(p, "SecretId") }, "property SecretId of the custom resource is missing"},
		"property not text":   {func(_ *world, p map[string]any) { p["Scope"] = []any{"a"} }, "property Scope of the custom resource is missing or not text"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			if _, _, err := handle(t, w, cfn.RequestCreate, properties()); err != nil {
				t.Fatal(err)
			}
			p := properties()
			test.spoil(w, p)
			_, _, err := handle(t, w, cfn.RequestUpdate, p)
			if err == nil || !strings.Contains(err.Error(), test.mention) {
				t.Fatalf("error %v, want one that mentions %q", err, test.mention)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows the secret: %v", err)
			}
			if w.updates() != 1 || w.holds != "first" || w.stages[label] != "v1" || w.state != ebtypes.ConnectionStateAuthorized {
				t.Errorf("the connection was touched: %d updates, %s with %q, label on %s", w.updates(), w.state, w.holds, w.stages[label])
			}
		})
	}
}

func TestAnUpdateThatEndsDeauthorizedFailsAndLeavesTheLabel(t *testing.T) {
	w := newWorld()
	w.endsAs = ebtypes.ConnectionStateDeauthorized
	_, _, err := handle(t, w, cfn.RequestCreate, properties())
	if err == nil || !strings.Contains(err.Error(), "is DEAUTHORIZED after the update") {
		t.Fatalf("error %v, want one that names the state", err)
	}
	if w.stages[label] != "" {
		t.Errorf("the label moved to %s although the connection is not authorized", w.stages[label])
	}
}

func TestWaitingForAuthorizedEndsWithTheTimeThereIs(t *testing.T) {
	w := newWorld()
	w.slow = 1 << 30
	_, _, err := handle(t, w, cfn.RequestCreate, properties())
	if err == nil || !strings.Contains(err.Error(), "is still AUTHORIZING (Could not connect to the specified endpoint.)") {
		t.Fatalf("error %v, want one that names the state and its reason", err)
	}
}

func TestARollbackGoesBackToTheLabelledVersion(t *testing.T) {
	w := newWorld()
	if _, _, err := handle(t, w, cfn.RequestCreate, properties()); err != nil {
		t.Fatal(err)
	}
	w.put("v2", secretJSON("wrong"))
	// A stack update also touched the connection itself, which read AWSCURRENT anew.
	w.holds, w.state = "wrong", ebtypes.ConnectionStateDeauthorized
	w.rollback = true
	_, data, err := handle(t, w, cfn.RequestUpdate, properties())
	if err != nil {
		t.Fatal(err)
	}
	if data["VersionId"] != "v1" || w.holds != "first" || w.state != ebtypes.ConnectionStateAuthorized || w.stages[label] != "v1" {
		t.Errorf("attributes %v, connection %s with %q, label on %s", data, w.state, w.holds, w.stages[label])
	}
}

func TestARollbackDoesNotFailForWhatMadeTheUpdateFail(t *testing.T) {
	w := newWorld()
	if _, _, err := handle(t, w, cfn.RequestCreate, properties()); err != nil {
		t.Fatal(err)
	}
	w.put("v2", secretJSON("wrong"))
	w.tags, w.key.KeyState, w.down = nil, kmstypes.KeyStateDisabled, 99
	w.rollback = true
	_, data, err := handle(t, w, cfn.RequestUpdate, properties())
	if err != nil {
		t.Fatal(err)
	}
	if data["VersionId"] != "v1" || w.holds != "first" || w.updates() != 1 {
		t.Errorf("attributes %v, connection with %q after %d updates", data, w.holds, w.updates())
	}
}

func TestDeleteTakesTheLabelOffAndAcceptsWhatIsGone(t *testing.T) {
	for name, gone := range map[string]func(*world){
		"everything is there":      func(*world) {},
		"the label is gone":        func(w *world) { delete(w.stages, label) },
		"the secret is gone":       func(w *world) { w.gone = true },
		"the secret is going":      func(w *world) { w.condemned = true },
		"a version lost its value": func(w *world) { delete(w.values, "v1") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			if _, _, err := handle(t, w, cfn.RequestCreate, properties()); err != nil {
				t.Fatal(err)
			}
			gone(w)
			id, _, err := handle(t, w, cfn.RequestDelete, properties())
			if err != nil || id != label+"@source" {
				t.Fatalf("id %q, error %v", id, err)
			}
			if !w.gone && !w.condemned && w.stages[label] != "" {
				t.Errorf("the label is still on %s", w.stages[label])
			}
		})
	}
	if _, _, err := handle(t, newWorld(), cfn.RequestDelete, map[string]any{}); err != nil {
		t.Errorf("a resource that was never created must be deletable, got %v", err)
	}
}
