package cloudformation_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v3"

	"api-destination-credentials/local/cloudformation"
	"api-destination-credentials/local/sam"
)

// bound is more than any template of the length that is fuzzed may take.
const bound = 5 * time.Second

var templates = []string{
	"Resources:\n  A:\n    Type: Test::Thing\n    DependsOn: [B]\n    DeletionPolicy: Retain\n    Properties: {Name: !Sub '${B.Arn} ${P} ${!x}', List: [!Ref L, !GetAtt [B, Deep.Text], !If [C, !Ref 'AWS::NoValue', 1.10]]}\n  B: {Type: Test::Thing, Properties: {Text: !Select [0, !Split [',', !Join [',', !Ref L]]]}}\n" +
		"Parameters: {P: {Type: Number, Default: 5, MaxValue: 7}, L: {Type: CommaDelimitedList, Default: 'a, b', AllowedPattern: '[a-c]'}}\nConditions: {C: !And [!Equals [!Ref P, '5'], !Not [!Condition D]], D: !Equals [!FindInMap [M, a, b], x]}\nMappings: {M: {a: {b: c}}}\n" +
		"Rules: {R: {RuleCondition: !Equals [a, a], Assertions: [{Assert: !Contains [[a, '5'], !Ref P], AssertDescription: d}]}}\nOutputs: {O: {Value: !GetAtt A.Arn, Condition: C, Export: {Name: !Sub '${AWS::StackName}-o'}}}\n",
	`{"AWSTemplateFormatVersion":"2010-09-09","Description":"d","Metadata":{"a":[1,2.5,true,"\ud83d\ude00"]},"Resources":{"A":{"Type":"Test::Fixed","Properties":{"Text":{"Fn::Base64":{"Fn::Sub":["${a}",{"a":{"Ref":"AWS::StackId"}}]}},"Document":"{{resolve:secretsmanager:s:SecretString:k}}"}}}}`,
	`{"Transform":"AWS::Serverless-2016-10-31","Resources":{"A":{"Type":"Test::Thing"},"Api":{"Type":"AWS::Serverless::HttpApi"},"F":{"Type":"AWS::Serverless::Function","Properties":{"Handler":"a","Runtime":"b","CodeUri":"s3://a/b","Events":{"E":{"Type":"HttpApi"}}}}}}`,
	"a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b]\nResources: *c\n",
	"Metadata: {&a b: c, *a : d}\nResources: {A: {Type: Test::Thing}}\n", "Metadata: {? [a, b] : c}\nResources: {A: {Type: Test::Thing}}\n", "Resources: {<<: {A: {Type: Test::Thing}}}\n",
	"Metadata: {a: !!float NaN, b: !!float +Inf, c: .inf, d: 0x1F, e: 1e400, f: !!binary YQ==}\nResources: {A: {Type: Test::Thing, Properties: {Text: !!float NaN}}}\n",
	"Resources: {A: {Type: Test::Thing, Properties: {Text: !Sub '${A}'}}}\n",
	"Conditions: {A: !Not [!Condition B], B: !Not [!Condition A]}\nResources: {A: {Type: Test::Thing}}\n",
	"Parameters: {P: {Type: String, AllowedPattern: 'a)|(b', Default: b}}\nResources: {A: {Type: Test::Thing}}\n",
	"Parameters: {P: {Type: Number, Default: NaN, MinValue: 1, MaxValue: .inf}}\nResources: {A: {Type: Test::Thing}}\n",
	`{"Resources":{"A":{"Type":"Test::Thing","Type":"Test::Thing"}}}`, `{"Resources":{"A":null}}`, `{"Resources" {}}`, `{"Resources":[}]`, `{} {}`, "!Ref a", "- a", "--- {}\n--- {}", "\x00", "? ", "&a",
	strings.Repeat(`{"a":`, 300), strings.Repeat("[", 300), "{" + strings.Repeat("!Not [", 300), "Resources: " + strings.Repeat("[", 300) + strings.Repeat("]", 300),
}

// FuzzTemplate holds that a template is read in bounded time, refused with a
// sentence, and means the same written as JSON or as YAML.
func FuzzTemplate(f *testing.F) {
	for _, file := range []string{"../../prerequisite.yaml", "../../template.yaml"} {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(body))
	}
	for _, body := range templates {
		f.Add(body)
	}
	f.Add(`{"Metadata":` + strings.Repeat("[", 50000))
	f.Add("Metadata: " + strings.Repeat("[", 9000) + strings.Repeat("]", 9000))
	f.Fuzz(func(t *testing.T, body string) {
		w := newWorld(t)
		began := time.Now()
		summary, err := w.GetTemplateSummary(t.Context(), &sdk.GetTemplateSummaryInput{TemplateBody: &body})
		_, invalid := w.ValidateTemplate(t.Context(), &sdk.ValidateTemplateInput{TemplateBody: &body})
		if took := time.Since(began); took > bound {
			t.Errorf("%d bytes take %s", len(body), took)
		}
		wantSentence(t, err)
		wantSentence(t, invalid)
		if err != nil && invalid == nil {
			t.Errorf("%q is valid, but its summary fails with %v", body, err)
		}
		if !strings.HasPrefix(strings.TrimSpace(body), "{") {
			var document yaml.Node
			if err == nil && (yaml.Unmarshal([]byte(body), &document) != nil || isStrange(&document)) {
				t.Errorf("%q is a template, though it has aliases or keys that are no text", body)
			}
			return
		}
		if err == nil && !json.Valid([]byte(body)) {
			if _, asYAML := summarized(w, "# as YAML\n"+body); asYAML != nil {
				t.Errorf("%q is a template, but neither JSON nor YAML", body)
			}
		}
		var compact bytes.Buffer
		if json.Compact(&compact, []byte(body)) != nil || strings.ContainsFunc(body, isOnlyJSON) {
			return
		}
		other, err2 := summarized(w, "# as YAML\n"+compact.String())
		if err2 != nil && strings.Contains(err2.Error(), "YAML not well-formed") {
			return // a key that is too long, or a character that YAML does not take
		}
		if (err == nil) != (err2 == nil) {
			t.Fatalf("%q gives %v as JSON, and %v as YAML", body, err, err2)
		}
		if diff := cmp.Diff(summary, other, cmpopts.IgnoreUnexported(sdk.GetTemplateSummaryOutput{}, types.ParameterDeclaration{}, types.ParameterConstraints{}), cmpopts.IgnoreFields(sdk.GetTemplateSummaryOutput{}, "ResultMetadata")); diff != "" {
			t.Errorf("as JSON and as YAML %q differs: %s", body, diff)
		}
	})
}

func isStrange(node *yaml.Node) bool {
	for i, inner := range node.Content {
		isKey := node.Kind == yaml.MappingNode && i%2 == 0
		if inner.Kind == yaml.AliasNode || isKey && inner.Kind != yaml.ScalarNode || isStrange(inner) {
			return true
		}
	}
	return false
}

func summarized(w *world, body string) (*sdk.GetTemplateSummaryOutput, error) {
	return w.GetTemplateSummary(w.Context(), &sdk.GetTemplateSummaryInput{TemplateBody: &body})
}

// isOnlyJSON: YAML has other escapes, and folds characters that JSON takes as they are.
func isOnlyJSON(r rune) bool { return r == '\\' || r < ' ' || r > '~' }

func wantSentence(t *testing.T, err error) {
	t.Helper()
	var refused smithy.APIError
	if err != nil && (!errors.As(err, &refused) || refused.ErrorFault() == smithy.FaultServer || len(refused.ErrorMessage()) < 10) {
		t.Errorf("got %#v: %v; want a refusal with a sentence", err, err)
	}
}

// FuzzStack holds that a template which is accepted becomes a stack that comes
// to rest, says why if it failed, and can be deleted.
func FuzzStack(f *testing.F) {
	for _, body := range templates {
		f.Add(body, "P=7")
	}
	f.Add("Parameters: {P: {Type: String}}\nResources: {A: {Type: Test::Thing, Properties: {Text: !Sub '{{resolve:${P}}}'}}}\n", "P=secretsmanager:arn:aws:secretsmanager:us-east-1:1:secret:s:SecretString:k::v")
	f.Fuzz(func(t *testing.T, body, parameter string) {
		if strings.Contains(body, "Custom") || len(body) > 4000 {
			return // nobody answers for custom resources here
		}
		w := newWorld(t, func(c *cloudformation.Config) {
			c.Transform = sam.Transform
			for _, kind := range []string{"AWS::Lambda::Function", "AWS::Lambda::Permission", "AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage", "AWS::Events::Rule", "AWS::SQS::Queue", "AWS::Lambda::EventInvokeConfig"} {
				c.Types[kind] = c.Types["Test::Thing"]
			}
		})
		w.secrets = map[string]string{"s": `{"k":"v"}`}
		var parameters []types.Parameter
		if strings.Contains(parameter, "=") {
			parameters = parametersOf([]string{parameter})
		}
		began := time.Now()
		made, err := w.CreateStack(w.context(), &sdk.CreateStackInput{
			StackName: aws.String("s"), TemplateBody: &body, Parameters: parameters,
			Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam, types.CapabilityCapabilityAutoExpand},
		})
		if err != nil {
			wantSentence(t, err)
			return
		}
		status := w.settled(*made.StackId)
		if status != types.StackStatusCreateComplete && !strings.Contains(w.reasons(*made.StackId), " CREATE_FAILED ") {
			t.Errorf("%q is %s without a reason: %s", body, status, w.reasons(*made.StackId))
		}
		if status := w.drop(*made.StackId); status != types.StackStatusDeleteComplete {
			t.Errorf("%q is %s after its deletion", body, status)
		}
		if took := time.Since(began); took > bound {
			t.Errorf("%q takes %s", body, took)
		}
	})
}
