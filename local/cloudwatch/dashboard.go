package cloudwatch

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

type dashboard struct {
	body     string
	modified time.Time
}

var dashboardName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`) })

// PutDashboard makes a dashboard or replaces it.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
func (s *Service) PutDashboard(ctx context.Context, in *cloudwatch.PutDashboardInput) (*cloudwatch.PutDashboardOutput, error) {
	name := aws.ToString(in.DashboardName)
	if err := s.authorize(ctx, "PutDashboard", s.dashboardARN(name)); err != nil {
		return nil, err
	}
	if len(in.Tags) > 0 {
		if err := s.authorize(ctx, "TagResource", s.dashboardARN(name)); err != nil {
			return nil, err
		}
	}
	if !dashboardName().MatchString(name) {
		return nil, invalidValue("The value %s for parameter DashboardName is invalid: it has 1 to 255 letters, digits, - and _.", name)
	}
	if faults := check(aws.ToString(in.DashboardBody)); len(faults) > 0 {
		return nil, invalidBody(faults)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dashboards[name] == nil && len(in.Tags) > 0 {
		s.tags[s.dashboardARN(name)] = tagged(in.Tags)
	}
	s.dashboards[name] = &dashboard{*in.DashboardBody, s.config.Clock.Now().UTC()}
	return &cloudwatch.PutDashboardOutput{DashboardValidationMessages: []types.DashboardValidationMessage{}}, nil
}

// invalidBody repeats the messages in its own, for clients that show only that.
func invalidBody(faults []types.DashboardValidationMessage) error {
	var texts []string
	for _, fault := range faults {
		texts = append(texts, *fault.DataPath+": "+*fault.Message)
	}
	return &types.DashboardInvalidInputError{
		ErrorCodeOverride: aws.String("InvalidParameterInput"), DashboardValidationMessages: faults,
		Message: aws.String(fmt.Sprintf("The dashboard body is invalid, there are %d validation errors: [%s]", len(faults), strings.Join(texts, "; "))),
	}
}

// contents has the widgets, and of each kind the properties without which there
// is nothing to show: one of them has to be there.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
var contents = map[string][]string{
	"alarm": {"alarms"}, "custom": {"endpoint"}, "explorer": {"metrics"}, "log": {"query"}, "metric": {"metrics", "annotations"}, "text": {"markdown"},
}

func check(body string) (faults []types.DashboardValidationMessage) {
	fault := func(path, format string, a ...any) {
		faults = append(faults, types.DashboardValidationMessage{DataPath: aws.String(path), Message: aws.String(fmt.Sprintf(format, a...))})
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &all); err != nil {
		fault("/", "The body is no JSON object: %v", err)
		return faults
	}
	var widgets []map[string]any
	if err := json.Unmarshal(all["widgets"], &widgets); err != nil || widgets == nil {
		fault("/widgets", "Should be a list of widgets, each an object")
		return faults
	}
	for i, widget := range widgets {
		path := fmt.Sprintf("/widgets/%d", i)
		kind, _ := widget["type"].(string)
		needed, known := contents[kind]
		if !known {
			fault(path+"/type", "Should be one of %v", slices.Sorted(maps.Keys(contents)))
			continue
		}
		properties, _ := widget["properties"].(map[string]any)
		if !slices.ContainsFunc(needed, func(name string) bool { return properties[name] != nil }) {
			fault(path+"/properties", "Should have required property %s", strings.Join(needed, " or "))
		}
		for name, bound := range map[string][2]float64{"x": {0, 23}, "y": {0, 1000}, "width": {1, 24}, "height": {1, 1000}} {
			value, given := widget[name]
			if number, ok := value.(float64); given && (!ok || number < bound[0] || number > bound[1]) {
				fault(path+"/"+name, "Should be a number from %v to %v", bound[0], bound[1])
			}
		}
	}
	return faults
}

// GetDashboard reads a dashboard.
func (s *Service) GetDashboard(ctx context.Context, in *cloudwatch.GetDashboardInput) (*cloudwatch.GetDashboardOutput, error) {
	name := aws.ToString(in.DashboardName)
	if err := s.authorize(ctx, "GetDashboard", s.dashboardARN(name)); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.dashboards[name]
	if held == nil {
		return nil, noDashboard(name)
	}
	return &cloudwatch.GetDashboardOutput{DashboardName: in.DashboardName, DashboardArn: aws.String(s.dashboardARN(name)), DashboardBody: aws.String(held.body)}, nil
}

func noDashboard(name string) error {
	return &types.DashboardNotFoundError{ErrorCodeOverride: aws.String("ResourceNotFound"), Message: aws.String("Dashboard " + name + " does not exist")}
}

// ListDashboards lists dashboards by name.
func (s *Service) ListDashboards(ctx context.Context, in *cloudwatch.ListDashboardsInput) (*cloudwatch.ListDashboardsOutput, error) {
	if err := s.authorize(ctx, "ListDashboards", "*"); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []types.DashboardEntry{}
	for _, name := range slices.Sorted(maps.Keys(s.dashboards)) {
		if held := s.dashboards[name]; strings.HasPrefix(name, aws.ToString(in.DashboardNamePrefix)) {
			found = append(found, types.DashboardEntry{
				DashboardName: aws.String(name), DashboardArn: aws.String(s.dashboardARN(name)),
				LastModified: aws.Time(held.modified), Size: aws.Int64(int64(len(held.body))),
			})
		}
	}
	shown, next, err := page(found, 1000, in.NextToken)
	return &cloudwatch.ListDashboardsOutput{DashboardEntries: shown, NextToken: next}, err
}

// DeleteDashboards removes dashboards; where one does not exist it removes none.
func (s *Service) DeleteDashboards(ctx context.Context, in *cloudwatch.DeleteDashboardsInput) (*cloudwatch.DeleteDashboardsOutput, error) {
	if len(in.DashboardNames) == 0 {
		return nil, missing("DashboardNames")
	}
	for _, name := range in.DashboardNames {
		if err := s.authorize(ctx, "DeleteDashboards", s.dashboardARN(name)); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range in.DashboardNames {
		if s.dashboards[name] == nil {
			return nil, noDashboard(name)
		}
	}
	for _, name := range in.DashboardNames {
		delete(s.dashboards, name)
		delete(s.tags, s.dashboardARN(name))
	}
	return &cloudwatch.DeleteDashboardsOutput{}, nil
}
