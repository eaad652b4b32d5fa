package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"api-destination-credentials/local/endpoint"
)

// measureDeployment deploys both templates on a fresh endpoint each time, and
// prerequisite.yaml alone beside a peer.
func measureDeployment(ctx context.Context, b *bench) error {
	if err := b.bothTemplates(ctx); err != nil {
		return err
	}
	return b.prerequisiteAlone(ctx)
}

// bothTemplates: the functions are built once, before.
func (b *bench) bothTemplates(ctx context.Context) error {
	deployed := func() (float64, error) {
		local, err := endpoint.Start(endpoint.Config{})
		if err != nil {
			return 0, err
		}
		defer local.Close()
		deployer := b.checkout.To(local.AWS(), func(types.StackEvent) {})
		began := time.Now()
		if _, err := deployer.Prerequisite(ctx); err != nil {
			return 0, err
		}
		if _, err := deployer.Application(ctx, nil); err != nil {
			return 0, err
		}
		return time.Since(began).Seconds(), nil
	}
	if _, err := deployed(); err != nil { // builds
		return err
	}
	measured, err := inTurn(ctx, b.times(40), deployed)
	if err != nil {
		return err
	}
	b.add(row{What: "endpoint: deploy prerequisite.yaml and template.yaml, without builds", Unit: "s", Ours: measured[0], aim: medianAtMost(1, "s")})
	return nil
}

func (b *bench) prerequisiteAlone(ctx context.Context) error {
	template, err := os.ReadFile(filepath.Join(b.root, "prerequisite.yaml"))
	if err != nil {
		return err
	}
	peer, err := b.ministack(ctx)
	if err != nil {
		return err
	}
	serving, err := b.serve(ctx, peer)
	if err != nil {
		return err
	}
	defer serving.stop()
	local, err := endpoint.Start(endpoint.Config{})
	if err != nil {
		return err
	}
	defer local.Close()
	n := 0
	create := func(configuration aws.Config) func() (float64, error) {
		stacks := cloudformation.NewFromConfig(configuration)
		return func() (float64, error) {
			n++
			began := time.Now()
			err := createStack(ctx, stacks, fmt.Sprintf("stack-%d", n), string(template))
			return milliseconds(time.Since(began)), err
		}
	}
	measured, err := inTurn(ctx, b.times(40), create(local.AWS()), create(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(serving.url), Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	}))
	if err != nil {
		return err
	}
	b.add(row{What: "endpoint: create a stack of prerequisite.yaml", Unit: "ms", Ours: measured[0], Against: peer.name, Other: measured[1], aim: ahead()})
	return nil
}
