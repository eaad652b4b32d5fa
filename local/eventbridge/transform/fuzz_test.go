package transform_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"api-destination-credentials/local/eventbridge/transform"

	"github.com/google/go-cmp/cmp"
)

// FuzzPath holds that a path selects what walking through the decoded document
// finds.
func FuzzPath(f *testing.F) {
	f.Add(`$.detail['a b'][0]["c"]`, `{"detail":{"a b":[{"c":1.50}]}}`)
	f.Add(`$`, ` [1, "\u00e9"] `)
	f.Add(`$.a.a`, `{"a":{"A":1,"a":null}}`)
	f.Add(`$[18446744073709551616]`, `[1]`)
	f.Add(`$.-1`, `[1]`)
	f.Fuzz(func(t *testing.T, text, document string) {
		path, err := transform.ParsePath(text)
		if err != nil {
			if !strings.Contains(err.Error(), "JSON path") {
				t.Errorf("%q is refused with %q, which does not say what is wrong", text, err)
			}
			return
		}
		selected, found := path.Select([]byte(document))
		value, err := decode(document)
		if err != nil {
			if found {
				t.Errorf("%q selects %s from %q, which is not JSON", text, selected, document)
			}
			return
		}
		for _, name := range path {
			value = below(value, name)
		}
		if _, none := value.(nowhere); none == found {
			t.Fatalf("%q finds something in %s: %v", text, document, found)
		}
		if !found {
			return
		}
		if got, err := decode(string(selected)); err != nil || !cmp.Equal(value, got) {
			t.Errorf("%q selects %s from %s; want %v", text, selected, document, value)
		}
	})
}

func decode(document string) (value any, err error) {
	if !json.Valid([]byte(document)) {
		return nil, errors.New("not JSON")
	}
	decoder := json.NewDecoder(strings.NewReader(document))
	decoder.UseNumber()
	return value, decoder.Decode(&value)
}

type nowhere struct{}

func below(value any, name string) any {
	switch value := value.(type) {
	case map[string]any:
		if member, ok := value[name]; ok {
			return member
		}
	case []any:
		var index uint16
		if json.Unmarshal([]byte(strings.TrimLeft(name, "0")), &index) != nil && strings.Trim(name, "0") != "" || name == "" {
			return nowhere{}
		}
		if int(index) < len(value) {
			return value[index]
		}
	}
	return nowhere{}
}

// FuzzTemplate holds that a template which compiles makes JSON, or lines of
// JSON, or ErrInvalidJSON, and always the same of the same event.
func FuzzTemplate(f *testing.F) {
	f.Add("a", "$.detail.a", `{"x": <a>, "y": "is <a>", "e": <aws.events.event>}`, `{"detail":{"a":"\"\\x"}}`)
	f.Add("a", "$", `"<a> and \"<a>\""`+"\n"+`"<aws.events.rule-name>"`, `{"a":[1]}`)
	f.Add("a", "$.a", `[<a>, "\\<a>", "<aws.events.event.json>"]`, `{"a":{"b":"\\\""}}`)
	f.Add("a", "$.a", `"<a>" <a>`, `{"a":1}`)
	f.Fuzz(func(t *testing.T, name, path, text, event string) {
		template, err := transform.Compile(map[string]string{name: path}, text)
		if err != nil {
			if err.Error() == "" {
				t.Error("a template is refused without a reason")
			}
			return
		}
		if !json.Valid([]byte(event)) {
			return // events are JSON
		}
		occasion := transform.Occasion{RuleARN: "arn:aws:events:us-east-1:111122223333:rule/a", RuleName: `a"b`, Ingested: time.Unix(1, 0)}
		made, err := template.Render([]byte(event), occasion)
		again, _ := template.Render([]byte(event), occasion)
		if string(made) != string(again) {
			t.Fatalf("%q makes %s and %s of %s", text, made, again, event)
		}
		if err != nil {
			if !errors.Is(err, transform.ErrInvalidJSON) {
				t.Errorf("%q on %s fails with %v", text, event, err)
			}
			return
		}
		if json.Valid(made) {
			return
		}
		for line := range strings.Lines(string(made)) {
			if line = strings.TrimSpace(line); line != "" && !json.Valid([]byte(line)) {
				t.Errorf("%q makes %q of %s, which is neither JSON nor lines of it", text, made, event)
			}
		}
	})
}

// FuzzPlaceholder holds that text of an event arrives as it is, whatever
// characters it has, with and without quotes around its placeholder.
func FuzzPlaceholder(f *testing.F) {
	for _, text := range []string{"", `"`, `\`, `a\"b`, "\n\x00<a>", "é\u2028"} {
		f.Add(text)
	}
	template, err := transform.Compile(map[string]string{"a": "$.a"}, `{"bare":<a>,"quoted":"<a>","within":"-<a>-"}`)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		event, err := json.Marshal(map[string]string{"a": text})
		if err != nil {
			t.Fatal(err)
		}
		made, err := template.Render(event, transform.Occasion{})
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]string
		if err := json.Unmarshal(made, &got); err != nil {
			t.Fatal(err)
		}
		// What JSON makes of bytes that are no UTF-8 has happened before.
		var sent map[string]string
		if err := json.Unmarshal(event, &sent); err != nil {
			t.Fatal(err)
		}
		text = sent["a"]
		if want := map[string]string{"bare": text, "quoted": text, "within": "-" + text + "-"}; !cmp.Equal(want, got) {
			t.Errorf("%q arrives as %v", text, got)
		}
	})
}
