package transform_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"api-destination-credentials/local/eventbridge/transform"
)

const event = `{"version":"0","id":"e-1","detail-type":"order","source":"shop","account":"1","time":"2026-01-02T03:04:05Z","region":"r","resources":["a"],` +
	`"detail":{"text":"say \"hi\"","big":12345678901234567890,"object":{"b":1,"a":"x"},"list":["p","q"],"none":null}}`

func TestATemplateFillsInItsPlaceholders(t *testing.T) {
	paths := map[string]string{
		"id": "$.id", "text": "$.detail.text", "big": "$.detail.big", "object": "$.detail.object",
		"list": "$.detail.list", "second": "$.detail.list[1]", "type": "$['detail-type']", "missing": "$.detail.nowhere", "none": "$.detail.none",
	}
	for name, c := range map[string]struct{ template, want string }{
		"a string outside quotes keeps its quotes":   {`{"v":<id>}`, `{"v":"e-1"}`},
		"a string inside quotes is part of the text": {`{"v":"id <id>!"}`, `{"v":"id e-1!"}`},
		"a quote in a string stays escaped":          {`{"v":"<text>"}`, `{"v":"say \"hi\""}`},
		"a number keeps its digits":                  {`{"v":<big>}`, `{"v":12345678901234567890}`},
		"an object keeps the order of its members":   {`{"v":<object>}`, `{"v":{"b":1,"a":"x"}}`},
		"an object inside quotes loses its quotes":   {`{"v":"<object>"}`, `{"v":"{b:1,a:x}"}`},
		"a list outside quotes":                      {`{"v":<list>}`, `{"v":["p","q"]}`},
		"an element of a list":                       {`{"v":<second>}`, `{"v":"q"}`},
		"a name in brackets":                         {`{"v":<type>}`, `{"v":"order"}`},
		"a missing path outside quotes":              {`{"v":<missing>}`, `{"v":""}`},
		"a missing path inside quotes":               {`{"v":"<missing>"}`, `{"v":""}`},
		"null":                                       {`{"v":<none>}`, `{"v":null}`},
		"a template that is one string":              {`"order <id>"`, `"order e-1"`},
		"several lines, each a string":               {"\"order <id>\"\n\"of <type>\"\n", "\"order e-1\"\n\"of order\"\n"},
		"a placeholder that is a line":               {"\"order\"\n<id>", "\"order\"\n\"e-1\""},
		"an escaped quote does not end a string":     {`{"v":"\"<id>\""}`, `{"v":"\"e-1\""}`},
		"the rule's ARN":                             {`{"v":<aws.events.rule-arn>}`, `{"v":"arn:rule"}`},
		"the rule's name":                            {`"<aws.events.rule-name>"`, `"rule"`},
		"the time of ingestion":                      {`<aws.events.event.ingestion-time>`, `"2026-01-02T03:04:06Z"`},
		"the whole event":                            {`<aws.events.event.json>`, event},
		"the event without detail, in camelCase":     {`<aws.events.event>`, `{"account":"1","detailType":"order","id":"e-1","region":"r","resources":["a"],"source":"shop","time":"2026-01-02T03:04:05Z","version":"0"}`},
	} {
		t.Run(name, func(t *testing.T) {
			template, err := transform.Compile(paths, c.template)
			if err != nil {
				t.Fatal(err)
			}
			got, err := template.Render([]byte(event), transform.Occasion{
				RuleARN: "arn:rule", RuleName: "rule", Ingested: time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC),
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAListInsideQuotesIsInvalidJSON(t *testing.T) {
	template, err := transform.Compile(map[string]string{"list": "$.detail.list"}, `{"v":"<list>"}`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := template.Render([]byte(event), transform.Occasion{}); !errors.Is(err, transform.ErrInvalidJSON) {
		t.Errorf("got %v", err)
	}
	if template, err = transform.Compile(map[string]string{"list": "$.detail.list"}, "\"fine\"\n\"<list>\""); err != nil {
		t.Fatal(err)
	}
	if _, err := template.Render([]byte(event), transform.Occasion{}); !errors.Is(err, transform.ErrInvalidJSON) {
		t.Errorf("in the second line: got %v", err)
	}
}

func TestATemplateThatCannotWorkIsRefused(t *testing.T) {
	_, err := transform.Compile(nil, `{"v":<nobody>}`)
	if undefined := (transform.UndefinedPlaceholderError{}); !errors.As(err, &undefined) || undefined.Name != "nobody" {
		t.Errorf("an undefined placeholder: %v", err)
	}
	for name, c := range map[string]struct{ path, template string }{
		"text that is not JSON":   {"$.id", `hello <id>`},
		"a line without quotes":   {"$.id", "\"order\"\n<id> of today"},
		"a line that is a number": {"$.id", "\"order <id>\"\n7"},
		"a string over two lines": {"$.id", "\"order\n<id>\""},
		"nothing":                 {"$.id", " \n"},
		"a path without $":        {"id", `<id>`},
		"a path with a wildcard":  {"$.list[*]", `<id>`},
	} {
		if _, err := transform.Compile(map[string]string{"id": c.path}, c.template); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, err := transform.Compile(map[string]string{"aws.x": "$.id"}, `"a"`); err == nil {
		t.Error("a reserved name is accepted")
	}
}
