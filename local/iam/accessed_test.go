package iam_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"api-destination-credentials/local/access"
)

func TestWhatARoleNeverUsedIsTold(t *testing.T) {
	a := newAccount(t)
	a.role(`{"Effect":"Allow","Action":["secretsmanager:GetSecretValue","secretsmanager:PutSecretValue"],"Resource":"*"},{"Effect":"Allow","Action":"events:*","Resource":"*"}`)
	if err := a.Authorize(access.WithCaller(t.Context(), worker), get()); err != nil {
		t.Fatal(err)
	}
	if err := a.Authorize(access.WithCaller(t.Context(), worker), decrypt()); err == nil {
		t.Fatal("a refused action shall not count as used")
	}
	for granularity, want := range map[types.AccessAdvisorUsageGranularityType][]string{
		types.AccessAdvisorUsageGranularityTypeActionLevel:  {"events used 0", "events:* false", "secretsmanager used 1", "secretsmanager:GetSecretValue true", "secretsmanager:PutSecretValue false"},
		types.AccessAdvisorUsageGranularityTypeServiceLevel: {"events used 0", "secretsmanager used 1"},
	} {
		job, err := a.GenerateServiceLastAccessedDetails(a.admin, &awsiam.GenerateServiceLastAccessedDetailsInput{Arn: aws.String(roleARN), Granularity: granularity})
		if err != nil {
			t.Fatal(err)
		}
		report, err := a.GetServiceLastAccessedDetails(a.admin, &awsiam.GetServiceLastAccessedDetailsInput{JobId: job.JobId})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, service := range report.ServicesLastAccessed {
			got = append(got, fmt.Sprintf("%s used %d", *service.ServiceNamespace, *service.TotalAuthenticatedEntities))
			for _, action := range service.TrackedActionsLastAccessed {
				got = append(got, fmt.Sprintf("%s:%s %t", *service.ServiceNamespace, *action.ActionName, action.LastAccessedTime != nil))
			}
		}
		if difference := cmp.Diff(want, got); difference != "" {
			t.Errorf("%s: %s", granularity, difference)
		}
	}
	if _, err := a.GenerateServiceLastAccessedDetails(a.admin, &awsiam.GenerateServiceLastAccessedDetailsInput{Arn: aws.String(roleARN + "x")}); code(err) != "NoSuchEntity" {
		t.Errorf("a role that is not there: %v", err)
	}
	if _, err := a.GetServiceLastAccessedDetails(a.admin, &awsiam.GetServiceLastAccessedDetailsInput{JobId: aws.String("x")}); code(err) != "NoSuchEntity" {
		t.Errorf("a job that is not there: %v", err)
	}
}
