package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"api-destination-credentials/local/endpoint"
)

// linear is the aim of a row that shows growth: as much more time as there is
// more of what grows, or less.
func linear(factor float64) aim {
	return aim{fmt.Sprintf("≤ %g×", factor), func(r row) bool { return r.Ratio <= factor }}
}

// measureGrowth looks at what happens when there is more: rules, stacks, bytes.
func measureGrowth(ctx context.Context, b *bench) error {
	if err := b.moreStacks(ctx); err != nil {
		return err
	}
	w, err := b.open(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	t, err := newTraffic(ctx, w)
	if err != nil {
		return err
	}
	if err := b.moreBytes(ctx, t); err != nil {
		return err
	}
	return b.moreRules(ctx, t)
}

// grow adds a row for each step over the first and draws the curve.
func (b *bench) grow(c curve, unit string, measured []series) {
	c.section, c.up = b.current.name, unit
	for i, s := range measured {
		c.y = append(c.y, s.median())
		if i > 0 {
			b.add(row{
				What: fmt.Sprintf("%s: %g", c.title, c.x[i]), Unit: unit, Ours: s, Against: fmt.Sprintf("%g", c.x[0]), Other: measured[0],
				aim: linear(c.x[i] / c.x[0]),
			})
		}
	}
	b.report.Curves = append(b.report.Curves, c)
	b.note("%s: grows with the power %s from the first point to the last (1 is linear), %s where it is steepest.", c.title, figure(c.slope()), figure(c.steepest()))
}

// moreBytes sends events of growing size, one at a time.
func (b *bench) moreBytes(ctx context.Context, t *traffic) error {
	small := t.detail
	defer func() { t.detail = small }()
	// The largest leaves room for the other fields of an entry of 256 KB.
	sizes := []float64{1, 4, 16, 64, 255}
	var each []func() (float64, error)
	for _, kilobytes := range sizes {
		detail := fmt.Sprintf(`{"responsePayload":{"filler":%q}}`, strings.Repeat("x", int(kilobytes*1024)-34))
		each = append(each, func() (float64, error) {
			t.detail = detail
			return b.journey(ctx, t)
		})
	}
	measured, err := inTurn(ctx, b.times(80), each...)
	if err != nil {
		return err
	}
	b.grow(curve{name: "size", title: "PutEvents to receiver by size of the event", across: "KB", x: sizes}, "ms", measured)
	return nil
}

// journey is the latency of one event, in ms.
func (b *bench) journey(ctx context.Context, t *traffic) (float64, error) {
	sent, err := t.put(ctx, 1)
	if err != nil {
		return 0, err
	}
	if err := t.land(ctx, sent); err != nil {
		return 0, err
	}
	return latencies(sent)[0], nil
}

// moreRules adds rules that do not match to the bus.
func (b *bench) moreRules(ctx context.Context, t *traffic) error {
	counts := []float64{1, 10, 100}
	var measured []series
	rules := 1 // the template's
	for _, count := range counts {
		for ; rules < int(count); rules++ {
			if _, err := t.events.PutRule(ctx, &eventbridge.PutRuleInput{
				Name: aws.String(fmt.Sprintf("other-%d", rules)), EventBusName: aws.String(t.world.application["EventBusName"]),
				EventPattern: aws.String(fmt.Sprintf(`{"source":["com.demo-event-bus.cmk"],"detail":{"responsePayload":{"status":["status-%d"]}}}`, rules)),
			}); err != nil {
				return err
			}
		}
		one, err := inTurn(ctx, b.times(80), func() (float64, error) { return b.journey(ctx, t) })
		if err != nil {
			return err
		}
		measured = append(measured, one[0])
	}
	b.grow(curve{name: "rules", title: "PutEvents to receiver by rules on the bus", across: "rules", x: counts}, "ms", measured)
	return nil
}

// moreStacks deploys copies of prerequisite.yaml beside each other.
func (b *bench) moreStacks(ctx context.Context) error {
	template, err := os.ReadFile(filepath.Join(b.root, "prerequisite.yaml"))
	if err != nil {
		return err
	}
	counts := []float64{1, 10, 100}
	if b.quick {
		counts = []float64{1, 3, 9}
	}
	var each []func() (float64, error)
	for _, count := range counts {
		each = append(each, func() (float64, error) { return deployMany(ctx, string(template), int(count)) })
	}
	measured, err := inTurn(ctx, b.times(10), each...)
	if err != nil {
		return err
	}
	b.grow(curve{name: "stacks", title: "Deploying stacks of prerequisite.yaml", across: "stacks", x: counts}, "ms", measured)
	return nil
}

// deployMany is how long it takes to create n stacks, one after another, on a
// fresh endpoint, in ms.
func deployMany(ctx context.Context, template string, n int) (float64, error) {
	local, err := endpoint.Start(endpoint.Config{})
	if err != nil {
		return 0, err
	}
	defer local.Close()
	stacks := cloudformation.NewFromConfig(local.AWS())
	began := time.Now()
	for i := range n {
		if err := createStack(ctx, stacks, fmt.Sprintf("stack-%d", i), template); err != nil {
			return 0, err
		}
	}
	return milliseconds(time.Since(began)), nil
}

// createStack creates a stack and returns when it is complete.
func createStack(ctx context.Context, stacks *cloudformation.Client, name, template string) error {
	if _, err := stacks.CreateStack(ctx, &cloudformation.CreateStackInput{
		StackName: aws.String(name), TemplateBody: aws.String(template), Capabilities: []types.Capability{types.CapabilityCapabilityIam},
	}); err != nil {
		return err
	}
	for {
		described, err := stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(name)})
		if err != nil {
			return err
		}
		switch status := described.Stacks[0].StackStatus; status {
		case types.StackStatusCreateComplete:
			return nil
		case types.StackStatusCreateInProgress:
		default:
			return fmt.Errorf("stack %s is %s", name, status)
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return err
		}
	}
}
