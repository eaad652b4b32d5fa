package logs

import (
	"context"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// filter makes a metric of the events that match a pattern.
type filter struct {
	described types.MetricFilter
	matches   func(message string) bool

	namespace, metric, unit string
	value                   float64
	property                path     // of the value, in its stead
	preset                  *float64 // for events that do not match
	dimensions              map[string]path
}

// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html
var filterName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[^:*]{1,512}$`) })

// PutMetricFilter makes a metric filter or replaces it. It counts events that
// come from now on.
func (s *Service) PutMetricFilter(ctx context.Context, in *cloudwatchlogs.PutMetricFilterInput) (*cloudwatchlogs.PutMetricFilterOutput, error) {
	if in.ApplyOnTransformedLogs || len(in.EmitSystemFieldDimensions) > 0 || in.FieldSelectionCriteria != nil {
		return nil, invalid("applyOnTransformedLogs, emitSystemFieldDimensions, fieldSelectionCriteria: the local endpoint does not support them; leave them out")
	}
	if !filterName().MatchString(aws.ToString(in.FilterName)) {
		return nil, invalid("1 validation error detected: Value at 'filterName' failed to satisfy constraint: Member must satisfy regular expression pattern: [^:*]*")
	}
	made, err := filterOf(in)
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, "PutMetricFilter", in.LogGroupName, func(g *group) {
		made.described.CreationTime = aws.Int64(s.config.Clock.Now().UnixMilli())
		g.filters[*in.FilterName] = made
	})
	return &cloudwatchlogs.PutMetricFilterOutput{}, err
}

func filterOf(in *cloudwatchlogs.PutMetricFilterInput) (*filter, error) {
	if in.FilterPattern == nil {
		return nil, invalid("1 validation error detected: Value null at 'filterPattern' failed to satisfy constraint: Member must not be null")
	}
	matches, err := pattern(*in.FilterPattern)
	if err != nil {
		return nil, err
	}
	if len(in.MetricTransformations) != 1 {
		return nil, invalid("1 validation error detected: Value at 'metricTransformations' failed to satisfy constraint: Member must have length 1")
	}
	to := in.MetricTransformations[0]
	made := &filter{
		described: types.MetricFilter{
			FilterName: in.FilterName, FilterPattern: in.FilterPattern, LogGroupName: in.LogGroupName, MetricTransformations: in.MetricTransformations,
		},
		matches: matches, namespace: aws.ToString(to.MetricNamespace), metric: aws.ToString(to.MetricName), unit: string(to.Unit),
		preset: to.DefaultValue, dimensions: map[string]path{},
	}
	switch {
	case made.namespace == "" || made.metric == "" || strings.HasPrefix(made.namespace, "AWS/"):
		return nil, invalid("metricTransformations: a metric needs a metricName, and a metricNamespace that does not start with AWS/")
	case len(to.Dimensions) > 3:
		return nil, invalid("metricTransformations: a metric filter has at most three dimensions")
	case len(to.Dimensions) > 0 && to.DefaultValue != nil:
		return nil, invalid("metricTransformations: dimensions and defaultValue exclude each other; leave one out")
	}
	if made.value, err = strconv.ParseFloat(aws.ToString(to.MetricValue), 64); err != nil || math.IsNaN(made.value) || math.IsInf(made.value, 0) {
		if made.property, err = selector(aws.ToString(to.MetricValue)); err != nil {
			return nil, invalid(fmt.Sprintf("Invalid metric transformation: metricValue %q is neither a number nor a property such as $.latency", aws.ToString(to.MetricValue)))
		}
	}
	for name, text := range to.Dimensions {
		if made.dimensions[name], err = selector(text); err != nil {
			return nil, invalid(fmt.Sprintf("Invalid metric transformation: the dimension %s: %v", name, err))
		}
	}
	return made, nil
}

// DescribeMetricFilters lists the filters of one group or of all, in one page.
func (s *Service) DescribeMetricFilters(ctx context.Context, in *cloudwatchlogs.DescribeMetricFiltersInput) (*cloudwatchlogs.DescribeMetricFiltersOutput, error) {
	if err := s.authorize(ctx, "DescribeMetricFilters", aws.ToString(in.LogGroupName)); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	groups := slices.Sorted(maps.Keys(s.groups))
	if in.LogGroupName != nil {
		if _, err := s.group(*in.LogGroupName); err != nil {
			return nil, err
		}
		groups = []string{*in.LogGroupName}
	}
	listed := &cloudwatchlogs.DescribeMetricFiltersOutput{MetricFilters: []types.MetricFilter{}}
	for _, name := range groups {
		filters := s.groups[name].filters
		for _, name := range slices.Sorted(maps.Keys(filters)) {
			if f := filters[name]; strings.HasPrefix(name, aws.ToString(in.FilterNamePrefix)) &&
				(in.MetricName == nil || *in.MetricName == f.metric) && (in.MetricNamespace == nil || *in.MetricNamespace == f.namespace) {
				listed.MetricFilters = append(listed.MetricFilters, f.described)
			}
		}
	}
	return listed, nil
}

// DeleteMetricFilter removes a filter; its metric stays.
func (s *Service) DeleteMetricFilter(ctx context.Context, in *cloudwatchlogs.DeleteMetricFilterInput) (*cloudwatchlogs.DeleteMetricFilterOutput, error) {
	if err := s.authorize(ctx, "DeleteMetricFilter", aws.ToString(in.LogGroupName)); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.group(aws.ToString(in.LogGroupName))
	if err != nil {
		return nil, err
	}
	if found.filters[aws.ToString(in.FilterName)] == nil {
		return nil, &types.ResourceNotFoundException{Message: aws.String("The specified metric filter does not exist.")}
	}
	delete(found.filters, *in.FilterName)
	return &cloudwatchlogs.DeleteMetricFilterOutput{}, nil
}
