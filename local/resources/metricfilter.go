package resources

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"api-destination-credentials/local/cloudformation"
)

// MetricFilters are those of Amazon CloudWatch Logs.
type MetricFilters interface {
	PutMetricFilter(context.Context, *cloudwatchlogs.PutMetricFilterInput) (*cloudwatchlogs.PutMetricFilterOutput, error)
	DeleteMetricFilter(context.Context, *cloudwatchlogs.DeleteMetricFilterInput) (*cloudwatchlogs.DeleteMetricFilterOutput, error)
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-metricfilter.html
type metricFilter struct{ filters MetricFilters }

func (f metricFilter) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known([]string{"FilterPattern", "LogGroupName", "MetricTransformations"},
			"ApplyOnTransformedLogs", "EmitSystemFieldDimensions", "FieldSelectionCriteria", "FilterName"),
		Replace: []string{"FilterName", "LogGroupName"},
		Create: func(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
			name, err := given(r, "FilterName", stackName(r, 512))
			if err != nil {
				return cloudformation.Result{}, err
			}
			return f.put(ctx, r, name)
		},
		Update: func(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
			return f.put(ctx, r, r.PhysicalID)
		},
		Delete: func(ctx context.Context, r cloudformation.Request) error {
			return unlessGone(do(ctx, f.filters.DeleteMetricFilter, with(pick(r.Properties, "LogGroupName"), object{"FilterName": r.PhysicalID})))
		},
	}
}

func (f metricFilter) put(ctx context.Context, r cloudformation.Request, name string) (cloudformation.Result, error) {
	transformations, err := transformationsOf(r.Properties)
	if err != nil {
		return cloudformation.Result{}, err
	}
	members := with(r.Properties, object{"FilterName": name, "MetricTransformations": transformations})
	if err := do(ctx, f.filters.PutMetricFilter, members); err != nil {
		return cloudformation.Result{}, err
	}
	return cloudformation.Result{PhysicalID: name}, nil
}

// transformationsOf gives the dimensions, which templates state as a list of Key
// and Value, the operation's form.
func transformationsOf(properties object) ([]any, error) {
	stated, err := member[[]object](properties, "MetricTransformations")
	if err != nil {
		return nil, err
	}
	var transformations []any
	for _, transformation := range stated {
		list, err := member[[]struct{ Key, Value string }](transformation, "Dimensions")
		if err != nil {
			return nil, err
		}
		dimensions := map[string]string{}
		for _, dimension := range list {
			dimensions[dimension.Key] = dimension.Value
		}
		transformations = append(transformations, with(transformation, object{"Dimensions": dimensions}))
	}
	return transformations, nil
}
