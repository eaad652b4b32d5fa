package cloudformation_test

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/google/go-cmp/cmp"

	"api-destination-credentials/local/cloudformation"
)

func TestFunctionsAndShortFormsGiveTheirValues(t *testing.T) {
	values := map[string]struct {
		written string
		want    any
	}{
		"Ref":               {`!Ref P`, "word"},
		"pseudo parameters": {`!Sub "${AWS::Partition} ${AWS::Region} ${AWS::AccountId} ${AWS::URLSuffix} ${AWS::StackName}"`, "aws us-east-1 123456789012 amazonaws.com s"},
		"Sub with map":      {`!Sub ["${a}-${P}-${!P}", {a: !Join ["+", [x, y]]}]`, "x+y-word-${P}"},
		"Select and Split":  {`!Select [1, !Split ["-", "a-b-c"]]`, "b"},
		"long forms":        {`{"Fn::Select": ["0", {"Ref": "L"}]}`, "one"},
		"If":                {`!If [Yes, !Ref P, !ImportValue none]`, "word"},
		"NoValue":           {`[a, !If [No, b, !Ref AWS::NoValue], c]`, []any{"a", "c"}},
		"FindInMap":         {`!FindInMap [M, !Ref P, k]`, "mapped"},
		"Base64":            {`!Base64 text`, "dGV4dA=="},
		"list parameter":    {`!Ref L`, []any{"one", "two"}},
		"numbers and truth": {`{n: 5, f: 2.5, t: true, z: "012", y: yes, d: 2012-10-17, v: 1.10, a: 012345678901}`, map[string]any{"n": 5, "f": 2.5, "t": true, "z": "012", "y": "yes", "d": "2012-10-17", "v": "1.10", "a": "012345678901"}},
		"a policy":          {`{Condition: {StringEquals: {k: !Ref P}}}`, map[string]any{"Condition": map[string]any{"StringEquals": map[string]any{"k": "word"}}}},
	}
	for name, c := range values {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			body := `
Parameters: {P: {Type: String, Default: word}, L: {Type: CommaDelimitedList, Default: "one, two"}}
Mappings: {M: {word: {k: mapped}}}
Conditions:
  Yes: !And [!Equals [!Ref P, word], !Not [!Condition No]]
  No: !Or [!Equals [!Ref P, other], !Equals [a, b]]
Resources:
  A:
    Type: Test::Thing
    Properties:
      Text: ` + c.written + "\n"
			if status := w.deploy("s", body); status != types.StackStatusCreateComplete {
				t.Fatalf("the stack is %s:\n%s", status, w.reasons("s"))
			}
			if diff := cmp.Diff(c.want, w.thing("a-1")["Text"]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestJSONTemplatesMeanTheSame(t *testing.T) {
	w := newWorld(t)
	body := `{"Resources": {"A": {"Type": "Test::Thing", "Properties": {"Text": {"Fn::Sub": "in ${AWS::StackName}"}, "List": [1, 2.5, true, "\ud83d\ude00"]}}}}`
	if status := w.deploy("s", body); status != types.StackStatusCreateComplete {
		t.Fatalf("the stack is %s", status)
	}
	if diff := cmp.Diff(map[string]any{"Text": "in s", "List": []any{1, 2.5, true, "😀"}}, w.thing("a-1")); diff != "" {
		t.Error(diff)
	}
}

func TestConditionsLeaveResourcesAndOutputsOut(t *testing.T) {
	w := newWorld(t)
	body := `
Parameters: {On: {Type: String}}
Conditions: {Is: !Equals [!Ref On, "yes"]}
Resources:
  A: {Type: Test::Thing, Properties: {Text: a}}
  B: {Type: Test::Thing, Condition: Is, Properties: {Text: !If [Is, !Ref A, none]}}
  C: {Type: Test::Thing, DependsOn: [A, B], Properties: {Text: !If [Is, !Ref B, none]}}
Outputs:
  B: {Condition: Is, Value: !Ref B}
`
	w.deploy("s", body, "On=no")
	if diff := cmp.Diff([]string{"a-1", "c-2"}, w.living()); diff != "" || len(w.outputs("s")) > 0 {
		t.Error(diff, w.outputs("s"))
	}
	w.change("s", body, "On=yes")
	if got := w.outputs("s")["B"]; got != "b-3" || w.thing("c-2")["Text"] != "b-3" {
		t.Errorf("B is %q and C says %v", got, w.thing("c-2")["Text"])
	}
	w.change("s", body, "On=no")
	if diff := cmp.Diff([]string{"a-1", "c-2"}, w.living()); diff != "" {
		t.Error(diff)
	}
}

// refused are templates, with what CreateStack says of them.
var refused = map[string]struct{ body, want string }{
	"unknown reference":        {`Resources: {A: {Type: Test::Thing, Properties: {Text: !Ref X, List: !GetAtt Y.Arn}}}`, "Template format error: Unresolved resource dependencies [X, Y] in the Resources block of the template"},
	"unknown in Sub":           {`Resources: {A: {Type: Test::Thing, Properties: {Text: !Sub "${X.Arn}"}}}`, "Unresolved resource dependencies [X]"},
	"unknown in outputs":       {"Resources: {A: {Type: Test::Thing, Properties: {Text: a}}}\nOutputs: {O: {Value: !Ref X}}", "Unresolved resource dependencies [X] in the Outputs block of the template"},
	"unknown DependsOn":        {`Resources: {A: {Type: Test::Thing, DependsOn: X, Properties: {Text: a}}}`, "Unresolved resource dependencies [X]"},
	"left-out resource":        {"Conditions: {No: !Equals [a, b]}\nResources: {A: {Type: Test::Thing, Properties: {Text: !Ref B}}, B: {Type: Test::Thing, Condition: No, Properties: {Text: b}}}", "Unresolved resource dependencies [B]"},
	"unknown type":             {`Resources: {A: {Type: Test::Other}}`, "Template format error: Unrecognized resource types: [Test::Other]"},
	"circle":                   {`Resources: {A: {Type: Test::Thing, Properties: {Text: !Ref B}}, B: {Type: Test::Thing, Properties: {Text: !Ref C}}, C: {Type: Test::Thing, Properties: {Text: !Ref B}}, D: {Type: Test::Thing, Properties: {Text: d}}}`, "Circular dependency between resources: [B, C]"},
	"unknown condition":        {`Resources: {A: {Type: Test::Thing, Condition: X, Properties: {Text: a}}}`, "Unresolved condition dependency X"},
	"reference from condition": {"Conditions: {C: !Equals [!Ref A, b]}\nResources: {A: {Type: Test::Thing, Properties: {Text: a}}}", "Unresolved dependencies [A]. Cannot reference resources in the Conditions block of the template"},
	"circle of conditions":     {"Conditions: {C: !Not [!Condition D], D: !Not [!Condition C]}\nResources: {A: {Type: Test::Thing, Properties: {Text: a}}}", "Circular dependencies for conditions"},
	"twice the same key":       {"Resources:\n  A: {Type: Test::Thing}\n  A: {Type: Test::Thing}", "duplicate key [/Resources/A]"},
	"twice in JSON":            {`{"Resources": {"A": {"Type": "Test::Thing"}, "A": {"Type": "Test::Thing"}}}`, "duplicate key [/Resources/A]"},
	"null":                     {"Resources:\n  A:\n    Type: Test::Thing\n    Properties:\n", "[/Resources/A/Properties] 'null' values are not allowed in templates"},
	"alias":                    {"Metadata: &m {a: b}\nResources: {A: {Type: Test::Thing, Metadata: *m}}", "YAML aliases are not allowed"},
	"broken YAML":              {"Resources: {", "Template format error: YAML not well-formed."},
	"broken JSON":              {`{"Resources": `, "Template format error: JSON not well-formed"},
	"a list":                   {"- a", "Template format error: unsupported structure."},
	"no resources":             {"Description: x", "At least one Resources member must be defined."},
	"unknown section":          {"Resource: {}", "Invalid template property or properties [Resource]"},
	"unknown attribute":        {`Resources: {A: {Type: Test::Thing, Property: {}}}`, "Invalid template resource property 'Property'"},
	"CreationPolicy":           {`Resources: {A: {Type: Test::Thing, CreationPolicy: {}}}`, "CreationPolicy of resource A"},
	"unknown tag":              {`Resources: {A: {Type: Test::Thing, Properties: {Text: !Reference B}}}`, "does not know the tag !Reference (line 1)"},
	"unknown function":         {`Resources: {A: {Type: Test::Thing, Properties: {Text: {"Fn::GetAZs": ""}}}}`, "does not know the function Fn::GetAZs"},
	"no such mapping":          {"Mappings: {M: {a: {b: c}}}\nResources: {A: {Type: Test::Thing, Properties: {Text: !FindInMap [M, x, y]}}}", "Template error: Unable to get mapping for M::x::y"},
	"Select beyond":            {`Resources: {A: {Type: Test::Thing, Properties: {Text: !Select [2, [a, b]]}}}`, "Fn::Select cannot select nonexistent value at index 2"},
	"foreign transform":        {"Transform: AWS::Include\nResources: {A: {Type: Test::Thing}}", "does not know the transform AWS::Include"},
	"ssm reference":            {`Resources: {A: {Type: Test::Thing, Properties: {Text: "{{resolve:ssm:name}}"}}}`, "does not know dynamic references to ssm"},
	"parameter type":           {"Parameters: {P: {Type: \"AWS::SSM::Parameter::Value<String>\"}}\nResources: {A: {Type: Test::Thing}}", "does not know the parameter type AWS::SSM::Parameter::Value<String> of P"},
}

func TestABadTemplateIsRefusedBeforeAnythingIsMade(t *testing.T) {
	for name, c := range refused {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			wantError(t, w.tryCreate("s", c.body), "ValidationError", c.want)
			if work := w.worked(); len(work) > 0 {
				t.Errorf("providers did %v", work)
			}
		})
	}
}

func TestAResourceWithWrongPropertiesFails(t *testing.T) {
	w := newWorld(t)
	if status := w.deploy("s", `Resources: {A: {Type: Test::Thing, Properties: {Txet: a}}}`); status != types.StackStatusRollbackComplete {
		t.Errorf("the stack is %s", status)
	}
	if want := "A CREATE_FAILED Properties validation failed for resource A with message:\n[#: extraneous key [Txet] is not permitted, #: required key [Text] not found]"; !strings.Contains(w.reasons("s"), want) {
		t.Errorf("the events lack %q:\n%s", want, w.reasons("s"))
	}
}

func TestParametersAreChecked(t *testing.T) {
	declared := map[string]struct {
		declaration, value, want string
	}{
		"missing":      {"{Type: String}", "", "Parameters: [P] must have values"},
		"pattern":      {`{Type: String, AllowedPattern: "|https://.+", Default: ""}`, "P=http://x", "Parameter 'P' must match pattern |https://.+"},
		"pattern met":  {`{Type: String, AllowedPattern: "|https://.+", Default: ""}`, "P=https://x", ""},
		"values":       {"{Type: String, AllowedValues: [a, b]}", "P=c", "Parameter 'P' must be one of AllowedValues"},
		"length":       {"{Type: String, MinLength: 2}", "P=c", "Parameter 'P' must contain at least 2 characters"},
		"number":       {"{Type: Number}", "P=c", "Parameter 'P' must be a number"},
		"too large":    {"{Type: Number, MaxValue: 3}", "P=4", "must be a number not greater than 3"},
		"own words":    {"{Type: Number, MaxValue: 3, ConstraintDescription: at most three}", "P=4", "Parameter 'P' failed to satisfy constraint: at most three"},
		"numbers":      {"{Type: List<Number>}", "P=1, x", "Parameter 'P' must be a number"},
		"not a number": {"{Type: Number, MaxValue: 3}", "P=NaN", "Parameter 'P' must be a number"},
		"two brackets": {`{Type: String, AllowedPattern: "a)|(b"}`, "P=ab", "AllowedPattern of parameter P is not a regular expression"},
		"bad default":  {"{Type: Number, Default: x}", "", "Parameter 'P' must be a number"},
		"not declared": {"{Type: String, Default: x}", "Q=1", "Parameters: [Q] do not exist in the template"},
	}
	for name, c := range declared {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			var parameters []string
			if c.value != "" {
				parameters = []string{c.value}
			}
			err := w.tryCreate("s", "Parameters: {P: "+c.declaration+"}\nResources: {A: {Type: Test::Thing, Properties: {Text: a}}}", parameters...)
			if c.want != "" {
				wantError(t, err, "ValidationError", c.want)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestParametersKeepTheirPreviousValuesOnRequestAndHideSecrets(t *testing.T) {
	w := newWorld(t)
	body := `
Parameters: {Word: {Type: String}, Secret: {Type: String, NoEcho: true}}
Resources: {A: {Type: Test::Thing, Properties: {Text: !Sub "${Word} ${Secret}"}}}`
	w.deploy("s", body, "Word=one", "Secret=hidden")
	_, err := w.UpdateStack(w.context(), &sdk.UpdateStackInput{StackName: aws.String("s"), UsePreviousTemplate: aws.Bool(true), Parameters: []types.Parameter{
		{ParameterKey: aws.String("Word"), ParameterValue: aws.String("two")}, {ParameterKey: aws.String("Secret"), UsePreviousValue: aws.Bool(true)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	w.settled("s")
	if got := w.thing("a-1")["Text"]; got != "two hidden" {
		t.Errorf("A says %v", got)
	}
	for _, p := range w.stack("s").Parameters {
		if *p.ParameterKey == "Secret" && *p.ParameterValue != "****" {
			t.Errorf("the secret parameter is shown as %s", *p.ParameterValue)
		}
	}
}

func TestRulesRefuseParametersThatDoNotFit(t *testing.T) {
	body := `
Parameters: {A: {Type: String, Default: ""}, B: {Type: String, Default: ""}, C: {Type: String, Default: x}}
Rules:
  Both:
    RuleCondition: !Not [!Equals [!Ref A, ""]]
    Assertions:
      - Assert: !Not [!Equals [!Ref B, ""]]
        AssertDescription: With A give B as well.
  Known:
    Assertions:
      - Assert: !Contains [[x, y], !Ref C]
      - Assert: {"Fn::EachMemberIn": [[!Ref C], [x, y]]}
Resources: {T: {Type: Test::Thing, Properties: {Text: t}}}
`
	w := newWorld(t)
	wantError(t, w.tryCreate("s", body, "A=1"), "ValidationError", "With A give B as well.")
	wantError(t, w.tryCreate("s", body, "C=z"), "ValidationError", "rule Known")
	if err := w.tryCreate("s", body, "A=1", "B=1"); err != nil {
		t.Error(err)
	}
}

func TestDynamicReferencesAreReadWhenTheirResourceIsTouchedAndShownNowhere(t *testing.T) {
	const arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:s-AbCdEf"
	w := newWorld(t)
	w.secrets[arn] = `{"user": "me", "password": "first-value", "port": 5432}`
	w.secrets["plain#AWSPREVIOUS"] = "older-value"
	body := `
Parameters: {Note: {Type: String, Default: a}}
Resources:
  A:
    Type: Test::Thing
    Properties:
      Text: "u={{resolve:secretsmanager:` + arn + `:SecretString:user}} p={{resolve:secretsmanager:` + arn + `:SecretString:password}} {{resolve:secretsmanager:` + arn + `:SecretString:port}}"
      List: ["{{resolve:secretsmanager:plain:SecretString::AWSPREVIOUS}}"]
      Document: !Ref Note
`
	if status := w.deploy("s", body); status != types.StackStatusCreateComplete {
		t.Fatalf("the stack is %s:\n%s", status, w.reasons("s"))
	}
	want := map[string]any{"Text": "u=me p=first-value 5432", "List": []any{"older-value"}, "Document": "a"}
	if diff := cmp.Diff(want, w.thing("a-1")); diff != "" {
		t.Error(diff)
	}
	w.secrets[arn] = `{"user": "me", "password": "second-value", "port": 5432}`
	wantError(t, w.tryUpdate("s", body), "ValidationError", "No updates are to be performed.")
	w.change("s", body, "Note=b")
	if got := w.thing("a-1")["Text"]; got != "u=me p=second-value 5432" {
		t.Errorf("after an update A says %v", got)
	}
	template, err := w.GetTemplate(w.context(), &sdk.GetTemplateInput{StackName: aws.String("s")})
	if err != nil {
		t.Fatal(err)
	}
	if shown := w.reasons("s") + *template.TemplateBody; strings.Contains(shown, "-value") {
		t.Errorf("a secret is shown:\n%s", shown)
	}
}

func TestADynamicReferenceThatCannotBeReadFailsItsResource(t *testing.T) {
	w := newWorld(t)
	w.secrets["text"], w.secrets["json"] = "plain text", `{"a": "b"}`
	for reference, want := range map[string]string{
		"text:SecretString:key": "A CREATE_FAILED Could not parse SecretString JSON",
		"json:SecretString:key": "A CREATE_FAILED Could not find a value associated with JSONKey in SecretString",
		"none:SecretString:key": "A CREATE_FAILED Secrets Manager can't find the specified secret. (Service: AWSSecretsManager; Status Code: 400; Error Code: ResourceNotFoundException",
	} {
		name, _, _ := strings.Cut(reference, ":")
		w.deploy(name, `Resources: {A: {Type: Test::Thing, Properties: {Text: "{{resolve:secretsmanager:`+reference+`}}"}}}`)
		if !strings.Contains(w.reasons(name), want) {
			t.Errorf("the events lack %q:\n%s", want, w.reasons(name))
		}
	}
}

func TestCapabilitiesMustBeAcknowledged(t *testing.T) {
	w := newWorld(t, withTransform)
	role := `Resources: {R: {Type: AWS::IAM::Role}}`
	wantError(t, w.tryCreate("s", role), "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_IAM]")
	wantError(t, w.tryCreate("s", `Resources: {R: {Type: AWS::IAM::Role, Properties: {RoleName: r}}}`), "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_NAMED_IAM]")
	wantError(t, w.tryCreate("s", serverless), "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_AUTO_EXPAND]")
	if _, err := w.CreateStack(w.context(), &sdk.CreateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(role), Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam}}); err != nil {
		t.Error(err)
	}
}

const serverless = `
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: x}}
Resources: {F: {Type: AWS::Serverless::Function, Properties: {}}}
`

// withTransform makes every serverless function a thing.
func withTransform(c *cloudformation.Config) {
	c.Transform = func(template map[string]any) (map[string]any, error) {
		resources := map[string]any{}
		for id := range template["Resources"].(map[string]any) {
			resources[id] = map[string]any{"Type": "Test::Thing", "Properties": map[string]any{"Text": "made of " + id}}
		}
		return map[string]any{"Resources": resources}, nil
	}
}

func TestTheProcessedTemplateIsWhatTheTransformMade(t *testing.T) {
	w := newWorld(t, withTransform)
	if _, err := w.CreateStack(w.context(), &sdk.CreateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(serverless), Capabilities: []types.Capability{types.CapabilityCapabilityAutoExpand}}); err != nil {
		t.Fatal(err)
	}
	w.settled("s")
	processed, err := w.GetTemplate(w.context(), &sdk.GetTemplateInput{StackName: aws.String("s")})
	if err != nil || !strings.Contains(*processed.TemplateBody, "made of F") {
		t.Errorf("processed: %v, %v", processed, err)
	}
	original, err := w.GetTemplate(w.context(), &sdk.GetTemplateInput{StackName: aws.String("s"), TemplateStage: types.TemplateStageOriginal})
	if err != nil || *original.TemplateBody != serverless {
		t.Errorf("original: %v, %v", original, err)
	}
}

func TestThePrerequisiteTemplateDeploysWithStandInsForItsTypes(t *testing.T) {
	body, err := os.ReadFile(filepath.Join("..", "..", "prerequisite.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, func(c *cloudformation.Config) {
		thing := c.Types["Test::Thing"]
		thing.Properties = map[string]bool{}
		for _, name := range strings.Fields("Description EnableKeyRotation Tags KeyPolicy AliasName TargetKeyId UserPoolName AdminCreateUserConfig UserPoolId Domain Identifier Name Scopes ClientName GenerateSecret AllowedOAuthFlowsUserPoolClient AllowedOAuthFlows AllowedOAuthScopes TokenValidityUnits AccessTokenValidity KmsKeyId SecretString") {
			thing.Properties[name] = false
		}
		create := thing.Create
		thing.Create = func(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
			result, err := create(ctx, r)
			if r.Type == "AWS::Cognito::UserPoolClient" {
				result.Attributes["ClientSecret"] = "the-client-secret"
			}
			return result, err
		}
		for _, kind := range strings.Fields("AWS::KMS::Key AWS::KMS::Alias AWS::Cognito::UserPool AWS::Cognito::UserPoolDomain AWS::Cognito::UserPoolResourceServer AWS::Cognito::UserPoolClient AWS::SecretsManager::Secret") {
			c.Types[kind] = thing
		}
	})
	if status := w.deploy("prerequisite", string(body)); status != types.StackStatusCreateComplete {
		t.Fatalf("the stack is %s:\n%s", status, w.reasons("prerequisite"))
	}
	for _, id := range w.living() {
		if strings.HasPrefix(id, "oauthclientsecret") {
			var secret map[string]string
			text, _ := w.thing(id)["SecretString"].(string)
			if err := json.Unmarshal([]byte(text), &secret); err != nil || secret["ClientSecret"] != "the-client-secret" || secret["ClientID"] == "" {
				t.Errorf("the secret holds %q", text)
			}
		}
	}
	for name, value := range w.outputs("prerequisite") {
		if value == "" {
			t.Errorf("output %s is empty", name)
		}
	}
	if names := slices.Sorted(maps.Keys(w.outputs("prerequisite"))); len(names) < 5 {
		t.Errorf("the outputs are %v", names)
	}
	if strings.Contains(w.reasons("prerequisite"), "the-client-secret") {
		t.Error("the events show the client secret")
	}
}
