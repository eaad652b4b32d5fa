package cloudwatch_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

func TestDashboardsKeepTheirBodyAndRefuseWhatIsNone(t *testing.T) {
	w := newWorld(t)
	body := `{"widgets":[{"type":"text","x":0,"y":0,"width":24,"height":1,"properties":{"markdown":"# Shop"}}]}`
	_, err := w.PutDashboard(t.Context(), &cloudwatch.PutDashboardInput{DashboardName: aws.String("shop"), DashboardBody: aws.String(body)})
	must(t, 0, err)
	got, err := w.GetDashboard(t.Context(), &cloudwatch.GetDashboardInput{DashboardName: aws.String("shop")})
	if must(t, got, err); *got.DashboardBody != body || *got.DashboardArn != "arn:aws:cloudwatch::123456789012:dashboard/shop" {
		t.Errorf("dashboard %s %s", *got.DashboardArn, *got.DashboardBody)
	}
	list, err := w.ListDashboards(t.Context(), &cloudwatch.ListDashboardsInput{DashboardNamePrefix: aws.String("sh")})
	if entries := must(t, list, err).DashboardEntries; len(entries) != 1 || *entries[0].Size != int64(len(body)) {
		t.Errorf("dashboards %v", entries)
	}
	for bad, path := range map[string]string{
		`widgets`:                         "/",
		`{}`:                              "/widgets",
		`{"widgets":{}}`:                  "/widgets",
		`{"widgets":[{"type":"number"}]}`: "/widgets/0/type",
		`{"widgets":[{"type":"metric","properties":{}}]}`:                          "/widgets/0/properties",
		`{"widgets":[{"type":"text","width":25,"properties":{"markdown":"too"}}]}`: "/widgets/0/width",
	} {
		_, err := w.PutDashboard(t.Context(), &cloudwatch.PutDashboardInput{DashboardName: aws.String("shop"), DashboardBody: aws.String(bad)})
		var refused *types.DashboardInvalidInputError
		if !errors.As(err, &refused) || len(refused.DashboardValidationMessages) != 1 || *refused.DashboardValidationMessages[0].DataPath != path {
			t.Errorf("%s: error %v, want one message on %s", bad, err, path)
		}
	}
	_, err = w.DeleteDashboards(t.Context(), &cloudwatch.DeleteDashboardsInput{DashboardNames: []string{"shop", "absent"}})
	var none *types.DashboardNotFoundError
	if !errors.As(err, &none) {
		t.Errorf("error %v, want DashboardNotFoundError", err)
	}
	_, err = w.DeleteDashboards(t.Context(), &cloudwatch.DeleteDashboardsInput{DashboardNames: []string{"shop"}})
	must(t, 0, err)
}

func TestAlarmsAndDashboardsHaveTags(t *testing.T) {
	w := newWorld(t)
	w.put(func(in *cloudwatch.PutMetricAlarmInput) {
		in.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}, {Key: aws.String("old"), Value: aws.String("x")}}
	})
	arn := w.state("errors").AlarmArn
	_, err := w.TagResource(t.Context(), &cloudwatch.TagResourceInput{ResourceARN: arn, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("b")}}})
	must(t, 0, err)
	_, err = w.UntagResource(t.Context(), &cloudwatch.UntagResourceInput{ResourceARN: arn, TagKeys: []string{"old"}})
	must(t, 0, err)
	out, err := w.ListTagsForResource(t.Context(), &cloudwatch.ListTagsForResourceInput{ResourceARN: arn})
	if tags := must(t, out, err).Tags; len(tags) != 1 || *tags[0].Value != "b" {
		t.Errorf("tags %v", tags)
	}
	_, err = w.ListTagsForResource(t.Context(), &cloudwatch.ListTagsForResourceInput{ResourceARN: aws.String("arn:aws:cloudwatch:us-east-1:123456789012:alarm:absent")})
	if code(err) != "ResourceNotFoundException" {
		t.Errorf("error %v, want ResourceNotFoundException", err)
	}
}
