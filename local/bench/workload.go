package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/uuid"
)

// workload are events that make each function do its usual work in a world.
type workload struct {
	payload map[string]func() []byte // by the function's name
	replies *httptest.Server         // takes the custom resource's replies
}

func (b *bench) workload(ctx context.Context, w *world) (*workload, error) {
	request, err := b.receiverEvent()
	if err != nil {
		return nil, err
	}
	step, err := stagedStep(ctx, w)
	if err != nil {
		return nil, err
	}
	work := &workload{replies: httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))}
	update := encoded(map[string]any{
		"RequestType": "Update", "ResponseURL": work.replies.URL, "RequestId": uuid.NewString(), "LogicalResourceId": "ConnectionCredentials",
		"StackId": "api-destination", "ResourceType": "Custom::ConnectionCredentials", "PhysicalResourceId": w.physical["ConnectionCredentials"],
		"ResourceProperties": map[string]string{
			"ConnectionName": w.application["ConnectionName"], "SecretId": w.prerequisite["OAuthSecretArn"], "KmsKeyArn": w.prerequisite["CMKKeyARN"],
			"AuthorizationEndpoint": w.prerequisite["AuthorizationEndpoint"], "Scope": w.prerequisite["OAuthScope"],
			"ClientIDKey": "ClientID", "ClientSecretKey": "ClientSecret",
		},
	})
	work.payload = map[string]func() []byte{
		"receiver":   request,
		"connection": func() []byte { return update },
		"rotation":   func() []byte { return step },
		"follower":   func() []byte { return []byte(`{"source":"aws.scheduler"}`) },
	}
	return work, nil
}

func (w *workload) close() { w.replies.Close() }

// receiverEvent returns what makes HTTP API events for the receiver, each with
// an id of its own.
func (b *bench) receiverEvent() (func() []byte, error) {
	text, err := os.ReadFile(filepath.Join(b.root, "events", "receiver-with-claims.json"))
	if err != nil {
		return nil, err
	}
	var request events.APIGatewayV2HTTPRequest
	var body map[string]any
	if err := json.Unmarshal(text, &request); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(request.Body), &body); err != nil {
		return nil, fmt.Errorf("body of receiver-with-claims.json: %w", err)
	}
	return func() []byte {
		body["id"] = uuid.NewString()
		request.Body = string(encoded(body))
		return encoded(request)
	}, nil
}

// stagedStep stages a version as a rotation does, so that its third step, which
// proves the version at provider and destination, can be repeated.
func stagedStep(ctx context.Context, w *world) ([]byte, error) {
	secrets, id := secretsmanager.NewFromConfig(w.aws), aws.String(w.prerequisite["OAuthSecretArn"])
	current, err := secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: id})
	if err != nil {
		return nil, err
	}
	token := uuid.NewString()
	_, err = secrets.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: id, ClientRequestToken: aws.String(token), SecretString: current.SecretString, VersionStages: []string{"AWSPENDING"},
	})
	return encoded(map[string]string{"Step": "testSecret", "SecretId": *id, "ClientRequestToken": token}), err
}

func encoded(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // of texts and numbers
	}
	return text
}
