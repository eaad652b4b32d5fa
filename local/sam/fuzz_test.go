package sam_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"api-destination-credentials/local/sam"
)

// FuzzTransform holds that a template's transform is the same each time, leaves
// its argument alone, has nothing left to transform, and otherwise says in an
// *InvalidDocumentError what is wrong.
func FuzzTransform(f *testing.F) {
	const start = `{"Transform":"AWS::Serverless-2016-10-31","Resources":`
	for _, seed := range []string{
		start + `{"F":{"Type":"AWS::Serverless::Function","DependsOn":"Q","Condition":"C","Properties":{"Handler":"a","Runtime":"b","CodeUri":{"Bucket":"b","Key":"k"},"Tags":{"a":"b"},"DeadLetterQueue":{"Type":"SQS","TargetArn":"arn:a"},
			"EventInvokeConfig":{"DestinationConfig":{"OnFailure":{"Type":"SQS"},"OnSuccess":{"Type":"EventBridge","Destination":{"Ref":"B"}}}},"Policies":[{"Statement":[]},"AWSXrayWriteOnlyAccess",{"Ref":"P"}],
			"Events":{"H":{"Type":"HttpApi","Properties":{"Path":"/a/{b}","Method":"post","ApiId":{"Ref":"A"},"Auth":{"Authorizer":"J","AuthorizationScopes":["s"]}}},
			"R":{"Type":"EventBridgeRule","Properties":{"Pattern":{"source":["a"]},"DeadLetterConfig":{"Type":"SQS"},"RetryPolicy":{"MaximumRetryAttempts":1}}},"S":{"Type":"Schedule","Properties":{"Schedule":"rate(1 day)","Enabled":false}}}}},
			"A":{"Type":"AWS::Serverless::HttpApi","Properties":{"StageName":"v1","CorsConfiguration":{"AllowOrigins":["*"]},"Auth":{"DefaultAuthorizer":"J","Authorizers":{"J":{"IdentitySource":"$request.header.Authorization","JwtConfiguration":{"issuer":"i","audience":["a"]}}}}}}},"Conditions":{"C":{"Fn::Equals":[1,1]}}}`,
		start + `{"F":{"Type":"AWS::Serverless::Function","Properties":{"Handler":"a","Runtime":"b","CodeUri":"s3://b/k","Role":{"Fn::If":["C",{"Ref":"AWS::NoValue"},"arn:r"]},"Events":{"H":{"Type":"HttpApi"},"I":{"Type":"HttpApi","Properties":{"Path":"/x","Method":"any"}}}}}}}`,
		start + `{"A":{"Type":"AWS::Serverless::HttpApi","Properties":{"DefinitionBody":{"openapi":"3.0","paths":{"/a":null,"/b":{"get":[]}}},"Tags":{"a":1}}}},"Globals":{"Function":{"Timeout":1,"Environment":{"Variables":{"A":"b"}}},"HttpApi":{"Auth":{}}}}`,
		start + `{"F":{"Type":"AWS::Serverless::Function","Properties":{"Events":{"E":null,"G":{"Type":{}}},"Policies":[[]]}}}}`,
		start + `{"R":[],"Q":{"Type":7},"F":{"Type":"AWS::Serverless::Function","Properties":{"Ref":"X"}}}}`,
		start + `{"F":{"Type":"AWS::Serverless::Function","A":1,"B":2,"C":3,"D":4}}}`,
		`{"Transform":["AWS::Serverless-2016-10-31",{}],"Resources":7}`,
		`{"Transform":"AWS::Serverless-2016-10-31"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, document string) {
		template, untouched := tree(document), tree(document)
		if template == nil {
			return
		}
		made, err := sam.Transform(template)
		if !cmp.Equal(untouched, template) {
			t.Errorf("the argument has changed: %s", cmp.Diff(untouched, template))
		}
		again, errAgain := sam.Transform(untouched)
		if fmt.Sprint(err) != fmt.Sprint(errAgain) || !cmp.Equal(made, again) {
			t.Errorf("twice the same template gives\n%v %v and\n%v %v", made, err, again, errAgain)
		}
		if err != nil {
			var invalid *sam.InvalidDocumentError
			if !errors.As(err, &invalid) || len(invalid.Causes) == 0 || strings.TrimSpace(strings.Join(invalid.Causes, "")) == "" {
				t.Errorf("got %#v", err)
			}
			return
		}
		if template["Transform"] == nil || template["Transform"] != nil && cmp.Equal(template["Transform"], []any{}) {
			if !cmp.Equal(template, made) {
				t.Errorf("a template without transform becomes %v", made)
			}
			return
		}
		resources, _ := made["Resources"].(map[string]any)
		for id, resource := range resources {
			if kind, _ := resource.(map[string]any)["Type"].(string); strings.HasPrefix(kind, "AWS::Serverless::") {
				t.Errorf("%s is still of type %s", id, kind)
			}
		}
		if made["Transform"] != nil || made["Globals"] != nil {
			t.Error("a section is left that only the transform knows")
		}
		if _, err := json.Marshal(made); err != nil {
			t.Error(err)
		}
	})
}

// tree reads a template as CloudFormation hands it to its transform: whole
// numbers are int. It is nil for what cannot be a template.
func tree(document string) map[string]any {
	var template map[string]any
	if json.Unmarshal([]byte(document), &template) != nil || template == nil {
		return nil
	}
	return whole(template).(map[string]any)
}

func whole(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for name := range value {
			value[name] = whole(value[name])
		}
	case []any:
		for i := range value {
			value[i] = whole(value[i])
		}
	case float64:
		if n := int(value); float64(n) == value {
			return n
		}
	case nil:
		return "null" // templates have no null
	}
	return value
}
