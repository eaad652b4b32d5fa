package wire_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"api-destination-credentials/local/wire"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	metrics "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	queue "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

type dashboards struct{}

func (dashboards) PutDashboard(context.Context, *cloudwatch.PutDashboardInput) (*cloudwatch.PutDashboardOutput, error) {
	return nil, &metrics.DashboardInvalidInputError{
		Message:                     aws.String("The dashboard is invalid"),
		DashboardValidationMessages: []metrics.DashboardValidationMessage{{DataPath: aws.String("/widgets/0"), Message: aws.String("no type")}},
	}
}

func TestAnErrorBringsItsMembersInCBORAndInQuery(t *testing.T) {
	config := serve(t, wire.Config{Services: []wire.Service{{Name: "monitoring", Impl: dashboards{}}}})
	_, err := cloudwatch.NewFromConfig(config).PutDashboard(t.Context(), &cloudwatch.PutDashboardInput{DashboardName: aws.String("d"), DashboardBody: aws.String("{}")})
	var refused *metrics.DashboardInvalidInputError
	if !errors.As(err, &refused) {
		t.Fatalf("got %v, want DashboardInvalidInputError", err)
	}
	same(t, []metrics.DashboardValidationMessage{{DataPath: aws.String("/widgets/0"), Message: aws.String("no type")}}, refused.DashboardValidationMessages)

	status, _, answer := send(t, form(config, "monitoring", "Action=PutDashboard&Version=2010-08-01&DashboardName=d&DashboardBody=%7B%7D"))
	want := "<Message>The dashboard is invalid</Message><dashboardValidationMessages><member><DataPath>/widgets/0</DataPath><Message>no type</Message></member></dashboardValidationMessages></Error>"
	if status != http.StatusBadRequest || !strings.Contains(answer, want) {
		t.Errorf("the Query answer is %d %s; want %s", status, answer, want)
	}
}

type refusing struct{ err error }

func (r refusing) ChangeMessageVisibility(context.Context, *sqs.ChangeMessageVisibilityInput) (*sqs.ChangeMessageVisibilityOutput, error) {
	return nil, r.err
}

func TestSQSErrorsHaveTheCodesOfTheirQueryProtocol(t *testing.T) {
	for want, err := range map[string]error{
		"AWS.SimpleQueueService.MessageNotInflight":   &queue.MessageNotInflight{},
		"AWS.SimpleQueueService.UnsupportedOperation": &queue.UnsupportedOperation{},
		"ReceiptHandleIsInvalid":                      &queue.ReceiptHandleIsInvalid{},
	} {
		client := sqs.NewFromConfig(serve(t, wire.Config{Services: []wire.Service{{Name: "sqs", Impl: refusing{err}}}}))
		if _, got := client.ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: aws.String("q"), ReceiptHandle: aws.String("r")}); code(got) != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}
}
