package endpoint_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"api-destination-credentials/local/endpoint"
)

var update = flag.Bool("update", false, "write docs/local-reference.md anew")

func TestTheReferenceSaysWhatTheCodeSupports(t *testing.T) {
	t.Parallel()
	local, err := endpoint.Start(endpoint.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(local.Close)
	page := filepath.Join(root, "docs/local-reference.md")
	if *update {
		if err := os.WriteFile(page, []byte(local.Reference()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(string(written), local.Reference()); difference != "" {
		t.Errorf("docs/local-reference.md is out of date; write it anew with -update:\n%s", difference)
	}
}

// TestWhatIsNotSupportedIsRefusedByName changes the application as a user
// might, with something that the endpoint lacks.
func TestWhatIsNotSupportedIsRefusedByName(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	for name, test := range map[string]struct {
		template string
		want     []string
	}{
		"a type": {
			"Resources: {Topic: {Type: AWS::SNS::Topic}}",
			[]string{"Topic", "AWS::SNS::Topic", "AWS::SQS::Queue"},
		},
		"a property": {
			"Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {Colour: red}}}",
			[]string{"Queue", "Colour", "VisibilityTimeout"},
		},
		"a member of a property": {
			"Resources: {Rule: {Type: AWS::Events::Rule, Properties: {EventPattern: {source: [a]}, Targets: [{Id: a, Arn: 'arn:aws:sqs:us-east-1:123456789012:a', Colour: red}]}}}",
			[]string{"Rule", "Colour", "RetryPolicy"},
		},
		"a target": {
			"Resources: {Rule: {Type: AWS::Events::Rule, Properties: {EventPattern: {source: [a]}, Targets: [{Id: a, Arn: 'arn:aws:kinesis:us-east-1:123456789012:stream/a'}]}}}",
			[]string{"Rule", "kinesis", "API destination"},
		},
		"a function": {
			"Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Cidr [a, b, c]}}}",
			[]string{"Queue", "Cidr", "Fn::Sub"},
		},
		"an attribute of a resource": {
			"Resources: {Queue: {Type: AWS::SQS::Queue, UpdatePolicy: {}}}",
			[]string{"Queue", "UpdatePolicy"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			said := a.refusal(t, strings.ReplaceAll(name, " ", "-"), test.template)
			for _, want := range test.want {
				if !strings.Contains(said, want) {
					t.Errorf("the error is %q, want it to name %s", said, want)
				}
			}
		})
	}
}
