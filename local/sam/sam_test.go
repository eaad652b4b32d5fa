package sam_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v3"

	"api-destination-credentials/local/sam"
)

// parse reads a template, short forms of intrinsics (!Ref) written out.
func parse(t *testing.T, document string) map[string]any {
	t.Helper()
	var node yaml.Node
	if err := yaml.Unmarshal([]byte(document), &node); err != nil {
		t.Fatal(err)
	}
	return expand(t, node.Content[0]).(map[string]any)
}

func expand(t *testing.T, node *yaml.Node) any {
	t.Helper()
	name, isShort := strings.CutPrefix(node.Tag, "!")
	if isShort && !strings.HasPrefix(name, "!") {
		node.Tag = ""
		argument := expand(t, node)
		switch name {
		case "Ref", "Condition":
			return map[string]any{name: argument}
		case "GetAtt":
			resource, attribute, _ := strings.Cut(argument.(string), ".")
			return map[string]any{"Fn::GetAtt": []any{resource, attribute}}
		}
		return map[string]any{"Fn::" + name: argument}
	}
	switch node.Kind {
	case yaml.MappingNode:
		object := map[string]any{}
		for i := 0; i < len(node.Content); i += 2 {
			object[node.Content[i].Value] = expand(t, node.Content[i+1])
		}
		return object
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range node.Content {
			list = append(list, expand(t, item))
		}
		return list
	}
	var scalar any
	if err := node.Decode(&scalar); err != nil {
		t.Fatal(err)
	}
	return scalar
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// asJSON is a document with the types that encoding/json reads.
func asJSON(t *testing.T, document any) map[string]any {
	t.Helper()
	text, isText := document.(string)
	if !isText {
		encoded, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		text = string(encoded)
	}
	var read map[string]any
	if err := json.Unmarshal([]byte(text), &read); err != nil {
		t.Fatal(err)
	}
	return read
}

// anyTagOrder takes a document's tags, whose order means nothing, as a set.
var anyTagOrder = cmp.FilterPath(
	func(p cmp.Path) bool { return len(p) > 2 && p.Index(-2).String() == `["tags"]` },
	cmpopts.SortSlices(func(a, b any) bool {
		return fmt.Sprint(a.(map[string]any)["name"]) < fmt.Sprint(b.(map[string]any)["name"])
	}))

// The JSON in testdata is AWS's own: see generate.py there.
func TestATemplateBecomesWhatAWSMakesOfIt(t *testing.T) {
	templates, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(templates) == 0 {
		t.Fatalf("no templates in testdata: %v", err)
	}
	for _, path := range templates {
		t.Run(filepath.Base(path), func(t *testing.T) {
			template := parse(t, read(t, path))
			plain, err := sam.Transform(template)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(parse(t, read(t, path)), template); diff != "" {
				t.Errorf("the source template was changed (-before +after):\n%s", diff)
			}
			want := asJSON(t, read(t, strings.TrimSuffix(path, ".yaml")+".json"))
			if diff := cmp.Diff(want, asJSON(t, plain), anyTagOrder); diff != "" {
				t.Errorf("(-AWS +here):\n%s", diff)
			}
		})
	}
}

func TestTheRepositorysTemplateBecomesWhatAWSMakesOfIt(t *testing.T) {
	template := parse(t, read(t, filepath.Join("..", "..", "template.yaml")))
	resources := template["Resources"].(map[string]any)
	for id, resource := range resources {
		properties := resource.(map[string]any)["Properties"].(map[string]any)
		if properties["CodeUri"] != nil {
			properties["CodeUri"] = map[string]any{"Bucket": "artifacts", "Key": id} // as sam package writes it
		}
	}
	plain, err := sam.Transform(template)
	if err != nil {
		t.Fatal(err)
	}

	want := map[string]any{}
	maps.Copy(want, resources)
	maps.Copy(want, asJSON(t, read(t, "testdata/template.json")))
	if diff := cmp.Diff(asJSON(t, want), asJSON(t, plain["Resources"]), anyTagOrder); diff != "" {
		t.Errorf("resources (-AWS +here); after a change of template.yaml, run testdata/generate.py:\n%s", diff)
	}
	for _, section := range []string{"Transform", "Globals"} {
		if plain[section] != nil {
			t.Errorf("the section %s is still there", section)
		}
		delete(template, section)
	}
	delete(plain, "Resources")
	delete(template, "Resources")
	if diff := cmp.Diff(template, plain); diff != "" {
		t.Errorf("other sections (-template +here):\n%s", diff)
	}
}

func TestWhatSAMCLIBuiltKeepsItsMetadata(t *testing.T) {
	plain, err := sam.Transform(parse(t, `
Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Metadata: {SamResourceId: Fn}
    Properties: {Runtime: provided.al2023, Handler: bootstrap, CodeUri: "s3://b/k", Role: "arn:r"}
`))
	if err != nil {
		t.Fatal(err)
	}
	function := plain["Resources"].(map[string]any)["Fn"].(map[string]any)
	if diff := cmp.Diff(map[string]any{"SamResourceId": "Fn"}, function["Metadata"]); diff != "" {
		t.Error(diff)
	}
}

func TestATemplateWithoutTheTransformStaysAsItIs(t *testing.T) {
	template := parse(t, `Resources: {Topic: {Type: "AWS::Serverless::Anything"}}`)
	got, err := sam.Transform(template)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(template, got); diff != "" {
		t.Error(diff)
	}
}

func TestFaultsAreReportedInAWSsWords(t *testing.T) {
	const (
		function = `Runtime: provided.al2023, Handler: bootstrap, CodeUri: "s3://b/k"`
		api      = `Api: {Type: "AWS::Serverless::HttpApi", Properties: {Auth: {Authorizers: {A: {IdentitySource: x, JwtConfiguration: {issuer: x}}}}}}`
	)
	fn := func(properties string) string {
		return `Fn: {Type: "AWS::Serverless::Function", Properties: {` + properties + `}}`
	}
	event := func(kind, properties string) string {
		return fn(function + `, Events: {Ev: {Type: ` + kind + `, Properties: {` + properties + `}}}`)
	}
	for _, test := range []struct{ name, resources, globals, want string }{
		{name: "unknown property", resources: fn(function + `, Foo: 1`),
			want: "Resource with id [Fn] is invalid. property Foo not defined for resource of type AWS::Serverless::Function. The local endpoint supports ['Architectures', "},
		{name: "property of another kind", resources: fn(function + `, Environment: text`),
			want: "Resource with id [Fn] is invalid. Property 'Environment' should be a map."},
		{name: "property of neither of two kinds", resources: fn(function + `, Events: [1]`),
			want: "Resource with id [Fn] is invalid. Type of property 'Events' is invalid."},
		{name: "unsupported type", resources: `X: {Type: "AWS::Serverless::SimpleTable"}`,
			want: "Resource with id [X] is invalid. AWS::Serverless::SimpleTable is not supported by the local endpoint; it supports AWS::Serverless::Function and AWS::Serverless::HttpApi"},
		{name: "unsupported attribute", resources: `X: {Type: "AWS::Serverless::HttpApi", Connectors: {}}`,
			want: "Resource with id [X] is invalid. The attribute Connectors is not supported"},
		{name: "logical id", resources: `F-n: {Type: "AWS::Serverless::Function"}`,
			want: "Resource with id [F-n] is invalid. Logical ids must be alphanumeric."},
		{name: "no resources", resources: ``, want: "Structure of the SAM template is invalid. 'Resources' section is required"},
		{name: "generated id is taken", resources: fn(function) + `, FnRole: {Type: "AWS::IAM::Role"}`,
			want: `Transforming resource with id [Fn] attempts to create a new resource with id [FnRole] and type "AWS::IAM::Role". A resource with that id already exists`},

		{name: "no code", resources: fn(`Runtime: a, Handler: b`),
			want: "Resource with id [Fn] is invalid. Only one of 'InlineCode' or 'CodeUri' can be set."},
		{name: "code that is not uploaded", resources: fn(`Runtime: a, Handler: b, CodeUri: functions/fn/`),
			want: "Resource with id [Fn] is invalid. 'CodeUri' is not a valid S3 Uri of the form 's3://bucket/key' with optional versionId query parameter."},
		{name: "code without a key", resources: fn(`Runtime: a, Handler: b, CodeUri: {Bucket: b}`),
			want: "Resource with id [Fn] is invalid. 'CodeUri' requires Bucket and Key properties to be specified."},
		{name: "no runtime", resources: fn(`CodeUri: "s3://b/k"`),
			want: "Resource with id [Fn] is invalid. Runtime and Handler needs to be present when PackageType is of type `Zip`"},
		{name: "reserved tag", resources: fn(function + `, Tags: {"lambda:createdBy": me}`),
			want: "Resource with id [Fn] is invalid. lambda:createdBy is a reserved Tag key name and cannot be set on your resource."},
		{name: "policy template", resources: fn(function + `, Policies: [{KMSDecryptPolicy: {KeyId: a}}]`),
			want: "Resource with id [Fn] is invalid. Policy at index 0 in the 'Policies' property is not valid"},
		{name: "managed policy by name", resources: fn(function + `, Policies: AmazonS3ReadOnlyAccess`),
			want: "The managed policy AmazonS3ReadOnlyAccess is not known to the local endpoint; write its full ARN."},
		{name: "mixed policies in a condition", resources: fn(function + `, Policies: ["Fn::If": [C, "arn:aws:iam::aws:policy/P", {Statement: []}]]`),
			want: "Different policy types within the same Fn::If statement is unsupported."},
		{name: "dead-letter queue", resources: fn(function + `, DeadLetterQueue: {Type: SQS}`),
			want: "Resource with id [Fn] is invalid. 'DeadLetterQueue' requires Type and TargetArn properties to be specified."},
		{name: "destination without ARN", resources: fn(function + `, EventInvokeConfig: {DestinationConfig: {OnFailure: {Type: Lambda}}}`),
			want: "Resource with id [Fn] is invalid. Destination is required if Type is not ['SQS']"},
		{name: "role that may be missing", resources: fn(function + `, Role: {"Fn::If": [C, a, {Ref: "AWS::NoValue"}]}`),
			want: "'Role' with AWS::NoValue is not supported by the local endpoint"},

		{name: "unknown event type", resources: event("SNS", ""),
			want: "Resource with id [Fn] is invalid. Event with id [Ev] is invalid. Resource dict has missing or invalid value for key Type. Event Type is: SNS. The local endpoint supports EventBridgeRule, HttpApi and Schedule."},
		{name: "unknown event property", resources: event("Schedule", "Foo: 1"),
			want: "Resource with id [FnEv] is invalid. property Foo not defined for resource of type Schedule."},
		{name: "schedule without expression", resources: event("Schedule", ""),
			want: "Event with id [Ev] is invalid. Missing required property 'Schedule'."},
		{name: "state twice", resources: event("EventBridgeRule", "State: ENABLED, Enabled: true"),
			want: "Event with id [Ev] is invalid. State and Enabled Properties cannot both be specified."},
		{name: "dead letters nowhere", resources: event("EventBridgeRule", "DeadLetterConfig: {QueueLogicalId: Q}"),
			want: "Event with id [Ev] is invalid. No 'Arn' or 'Type' property provided for DeadLetterConfig."},

		{name: "API that is not there", resources: event("HttpApi", "ApiId: {Ref: Nope}, Path: /, Method: GET"),
			want: "Resource with id [Fn] is invalid. Event with id [Ev] is invalid. ApiId must be a valid reference to an 'AWS::Serverless::HttpApi' resource in same template."},
		{name: "API of another stack", resources: event("HttpApi", `ApiId: {"Fn::ImportValue": x}, Path: /, Method: GET`),
			want: "Event with id [Ev] is invalid. Property 'ApiId' should be a string."},
		{name: "path without method", resources: event("HttpApi", "Path: /"),
			want: "Event with id [Ev] is invalid. Property 'Method' is required."},
		{name: "route twice", resources: fn(function + `, Events: {A: {Type: HttpApi, Properties: {Path: /, Method: GET}}, B: {Type: HttpApi, Properties: {Path: /, Method: get}}}`),
			want: "Event with id [B] is invalid. API method 'get' defined multiple times for path '/'."},
		{name: "unknown authorizer", resources: api + `, ` + event("HttpApi", "ApiId: {Ref: Api}, Path: /, Method: GET, Auth: {Authorizer: B}"),
			want: "Unable to set Authorizer [B] on API method [get] for path [/] because it wasn't defined in the API's Authorizers."},
		{name: "no authorizers at all", resources: event("HttpApi", "Path: /, Method: GET, Auth: {Authorizer: B}"),
			want: "Unable to set Authorizer [B] on API method [get] for path [/] because the related API does not define any Authorizers."},
		{name: "opening what is open", resources: api + `, ` + event("HttpApi", "ApiId: {Ref: Api}, Path: /, Method: GET, Auth: {Authorizer: NONE}"),
			want: "because 'NONE' is only a valid value when a DefaultAuthorizer on the API is specified."},
		{name: "scopes without authorizer", resources: api + `, ` + event("HttpApi", "ApiId: {Ref: Api}, Path: /, Method: GET, Auth: {AuthorizationScopes: [a]}"),
			want: "'Auth' section requires either an explicit 'Authorizer' set or a 'DefaultAuthorizer' configured on the HttpApi."},
		{name: "scopes that are no list", resources: api + `, ` + event("HttpApi", "ApiId: {Ref: Api}, Path: /, Method: GET, Auth: {Authorizer: A, AuthorizationScopes: a}"),
			want: "'AuthorizationScopes' must be a list of strings."},
		{name: "unknown default authorizer", resources: `Api: {Type: "AWS::Serverless::HttpApi", Properties: {Auth: {DefaultAuthorizer: Z}}}`,
			want: "Resource with id [Api] is invalid. Unable to set DefaultAuthorizer because 'Z' was not defined in 'Authorizers'."},
		{name: "authorizer without identity source", resources: `Api: {Type: "AWS::Serverless::HttpApi", Properties: {Auth: {Authorizers: {A: {JwtConfiguration: {}}}}}}`,
			want: "Resource with id [Api] is invalid. A OAuth2 Authorizer must define 'IdentitySource'."},
		{name: "Lambda authorizer", resources: `Api: {Type: "AWS::Serverless::HttpApi", Properties: {Auth: {Authorizers: {A: {FunctionArn: x}}}}}`,
			want: "FunctionArn of authorizer A is not supported by the local endpoint"},
		{name: "body that is no OpenAPI", resources: `Api: {Type: "AWS::Serverless::HttpApi", Properties: {DefinitionBody: {swagger: "2.0", paths: {}}}}`,
			want: "Resource with id [Api] is invalid. Invalid OpenApi document. Invalid values or missing keys for 'openapi' or 'paths' in 'DefinitionBody'."},
		{name: "name beside a title", resources: `Api: {Type: "AWS::Serverless::HttpApi", Properties: {Name: a, DefinitionBody: {openapi: 3.0.1, info: {title: b}, paths: {}}}}`,
			want: "Unable to set Name because it is already defined within inline OpenAPI specified in the 'DefinitionBody' property."},
		{name: "event for an own body", resources: `Api: {Type: "AWS::Serverless::HttpApi", Properties: {DefinitionBody: {openapi: 3.0.1, paths: {}}}}, ` + event("HttpApi", "ApiId: {Ref: Api}"),
			want: "Event with id [Ev] is invalid. The API Api has a DefinitionBody, to which the local endpoint adds no events"},
		{name: "unknown key of Cors", resources: `Api: {Type: "AWS::Serverless::HttpApi", Properties: {CorsConfiguration: {X: 1}}}`,
			want: "Resource with id [Api] is invalid. Invalid key 'X' for 'Cors' property."},
		{name: "credentials from everywhere", resources: `Api: {Type: "AWS::Serverless::HttpApi", Properties: {CorsConfiguration: {AllowCredentials: true, AllowOrigins: ["*"]}}}`,
			want: "'AllowCredentials' can not be true when 'AllowOrigin' is \"'*'\" or not set."},

		{name: "unknown global", resources: fn(function), globals: `{Function: {Role: x}}`,
			want: "'Globals' section is invalid. 'Role' is not a supported property of 'Function'. Must be one of the following values - ['Architectures', "},
		{name: "unknown section of Globals", resources: fn(function), globals: `{Api: {}}`,
			want: "'Globals' section is invalid. 'Api' is not supported. Must be one of the following values - ['Function', 'HttpApi']"},
	} {
		t.Run(test.name, func(t *testing.T) {
			template := parse(t, `{Transform: "AWS::Serverless-2016-10-31", Resources: {`+test.resources+`}}`)
			if test.globals != "" {
				template["Globals"] = parse(t, test.globals)
			}
			_, err := sam.Transform(template)
			const start = "Invalid Serverless Application Specification document. Number of errors found: 1. "
			if err == nil || !strings.HasPrefix(err.Error(), start) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("want: %s…%s…\n got: %v", start, test.want, err)
			}
		})
	}
}

func TestAllFaultyResourcesAreReportedTogether(t *testing.T) {
	_, err := sam.Transform(parse(t, `
Transform: AWS::Serverless-2016-10-31
Resources:
  A: {Type: "AWS::Serverless::Function"}
  B: {Type: "AWS::Serverless::HttpApi", Properties: {Foo: 1}}
`))
	invalid, ok := err.(*sam.InvalidDocumentError)
	if !ok || len(invalid.Causes) != 2 {
		t.Errorf("want two causes, got %v", err)
	}
}

func TestOtherTransformsAreRefused(t *testing.T) {
	_, err := sam.Transform(parse(t, `{Transform: ["AWS::Serverless-2016-10-31", "AWS::LanguageExtensions"], Resources: {}}`))
	if err == nil || !strings.Contains(err.Error(), "AWS::LanguageExtensions is not supported") {
		t.Errorf("got %v", err)
	}
}
