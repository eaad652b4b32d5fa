// Package typed does the receiver's work on JSON in a bare Lambda handler: no
// HTTP, no router, no refusals in words.
package typed

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/aws/aws-lambda-go/events"

	"api-destination-credentials/internal/receiver"
)

// Handler answers one event.
func Handler(inbox receiver.Inbox, log *slog.Logger) func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	return func(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		gateway := request.RequestContext
		var event receiver.Event
		if gateway.Authorizer == nil || gateway.Authorizer.JWT == nil || json.Unmarshal([]byte(request.Body), &event) != nil || event.ID == "" {
			return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusBadRequest}, nil
		}
		duplicate, err := inbox.Accept(ctx, event)
		if err != nil {
			return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusServiceUnavailable}, nil
		}
		log.InfoContext(ctx, "event accepted",
			"eventId", event.ID,
			"deliveredAs", event.ID,
			"source", event.Source,
			"detailType", event.DetailType,
			"eventTime", event.Time,
			"clientId", gateway.Authorizer.JWT.Claims["client_id"],
			"requestId", gateway.RequestID,
			"duplicate", duplicate,
		)
		body, err := json.Marshal(map[string]any{"id": event.ID, "duplicate": duplicate})
		return events.APIGatewayV2HTTPResponse{
			StatusCode: http.StatusAccepted, Headers: map[string]string{"Content-Type": "application/json"}, Body: string(body),
		}, err
	}
}
