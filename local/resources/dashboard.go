package resources

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"api-destination-credentials/local/cloudformation"
)

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-dashboard.html
type dashboard struct{ monitoring Monitoring }

func (d dashboard) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known([]string{"DashboardBody"}, "DashboardName"),
		Replace:    []string{"DashboardName"},
		Create: func(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
			name, err := given(r, "DashboardName", ownName(r))
			if err != nil {
				return cloudformation.Result{}, err
			}
			return d.put(ctx, r, name)
		},
		Update: func(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
			return d.put(ctx, r, r.PhysicalID)
		},
		Delete: func(ctx context.Context, r cloudformation.Request) error {
			err := do(ctx, d.monitoring.DeleteDashboards, object{"DashboardNames": []string{r.PhysicalID}})
			var gone *types.DashboardNotFoundError
			if errors.As(err, &gone) {
				return nil
			}
			return err
		},
	}
}

func (d dashboard) put(ctx context.Context, r cloudformation.Request, name string) (cloudformation.Result, error) {
	if err := do(ctx, d.monitoring.PutDashboard, with(r.Properties, object{"DashboardName": name})); err != nil {
		return cloudformation.Result{}, err
	}
	return cloudformation.Result{PhysicalID: name}, nil
}
