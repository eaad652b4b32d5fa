package resources_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"api-destination-credentials/local/cloudformation"
	"api-destination-credentials/local/resources"
)

// calls is what a fake was asked, in order.
type calls []any

func (c *calls) note(in any) { *c = append(*c, in) }

// take returns what was asked since it was last called.
func (c *calls) take() []any {
	taken := *c
	*c = nil
	return taken
}

// sent compares SDK inputs by their members.
var sent = cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".noSmithyDocumentSerde" }, cmp.Ignore())

func wantCalls(t *testing.T, got []any, want ...any) {
	t.Helper()
	if diff := cmp.Diff(want, got, sent); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func wantResult(t *testing.T, got cloudformation.Result, want cloudformation.Result) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("want an error with %q, got %v", want, err)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// request is a request for the resource that the tests call Thing.
func request(t *testing.T, properties string) cloudformation.Request {
	t.Helper()
	return cloudformation.Request{
		StackName: "stack", StackID: "arn:aws:cloudformation:us-east-1:123456789012:stack/stack/1", LogicalID: "Thing",
		Token: "token-1", Properties: parse(t, properties),
	}
}

// change is a request to update the resource id.
func change(t *testing.T, id, before, after string) cloudformation.Request {
	t.Helper()
	r := request(t, after)
	r.PhysicalID, r.OldProperties = id, parse(t, before)
	return r
}

func parse(t *testing.T, properties string) map[string]any {
	t.Helper()
	var parsed map[string]any
	check(t, json.Unmarshal([]byte(properties), &parsed))
	return parsed
}

func provider(t *testing.T, services resources.Services, name string) cloudformation.Provider {
	t.Helper()
	p, ok := resources.Types(services)[name]
	if !ok {
		t.Fatalf("there is no type %s", name)
	}
	return p
}

func missing(code string) error {
	return &smithy.GenericAPIError{Code: code, Message: "it is not there"}
}

func TestEveryTypeCanBeMadeAndDeleted(t *testing.T) {
	for name, p := range resources.Types(resources.Services{}) {
		if p.Create == nil || p.Delete == nil || len(p.Properties) == 0 {
			t.Errorf("%s lacks an operation or its properties", name)
		}
		for _, property := range p.Replace {
			if _, known := p.Properties[property]; !known {
				t.Errorf("%s replaces or hides %s, which is none of its properties", name, property)
			}
		}
	}
}

func TestAPropertyOfTheWrongKindIsNamed(t *testing.T) {
	log := &logs{}
	_, err := provider(t, resources.Services{Logs: log}, "AWS::Logs::LogGroup").
		Create(context.Background(), request(t, `{"LogGroupName": ["a"]}`))
	wantError(t, err, "LogGroupName must be text, not a list")
}
