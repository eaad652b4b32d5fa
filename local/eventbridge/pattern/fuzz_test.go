package pattern_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"api-destination-credentials/local/eventbridge/pattern"
)

// FuzzCompile looks for patterns that panic or are accepted though they are not
// JSON, and for events on which a pattern's answer depends on how often it is
// asked or on how the event is written.
func FuzzCompile(f *testing.F) {
	f.Add(`{"source":["a",{"prefix":"b"},null,1.5e3]}`, `{"source":["a",{"b":null}]}`)
	f.Add(`{"a.b":[{"exists":false}],"$or":[{"c":[{"numeric":[">",0,"<",5]}]},{"d":[{"wildcard":"*x\\**"}]}]}`, `{"a.b":{"c":[1,[2]]},"..":1}`)
	f.Add(`{"a":[{"anything-but":{"suffix":["x"]}}],"b":[{"cidr":"::/0"}]}`, `{"a":1e99999}`)
	f.Add(`{"a":{"b":{"c":[1]}}}`, `{"a.b":{"c":2},"a":{"b.c":1,"b":3},"a.b.c":[4]}`)
	f.Add(`{"a":["x"]}}`, `{"a":"x"}]`)
	f.Add(`{"a":[{"prefix":{"equals-ignore-case":"éß"}}],"b":[{"anything-but":{"equals-ignore-case":["İ"]}}]}`, `{"a":"ÉSS","b":"i̇"}`)
	f.Fuzz(func(t *testing.T, text, eventText string) {
		compiled, err := pattern.Compile(text)
		if err != nil {
			if err.Error() == "" {
				t.Errorf("%q is refused without a reason", text)
			}
			return
		}
		if !json.Valid([]byte(text)) {
			t.Errorf("%q is a pattern though it is not JSON", text)
		}
		event, err := pattern.ReadEvent([]byte(eventText))
		if err != nil {
			return
		}
		if !json.Valid([]byte(eventText)) {
			t.Fatalf("%q is an event though it is not JSON", eventText)
		}
		matches := compiled.Matches(event)
		for range 5 {
			again, err := pattern.ReadEvent([]byte(eventText))
			if err != nil || compiled.Matches(event) != matches || compiled.Matches(again) != matches {
				t.Fatalf("%q is undecided on %q", text, eventText)
			}
		}
		rewritten, err := pattern.ReadEvent(rewrite(t, eventText))
		if err != nil || compiled.Matches(rewritten) != matches {
			t.Errorf("%q matches %q: %v; and after encoding it again: %v (%v)", text, eventText, matches, !matches, err)
		}
		if recompiled, err := pattern.Compile(string(rewrite(t, text))); err != nil || recompiled.Matches(event) != matches {
			t.Errorf("%q matches %q: %v; and after encoding the pattern again: %v (%v)", text, eventText, matches, !matches, err)
		}
	})
}

// rewrite writes JSON with sorted names, other spacing and other escapes.
func rewrite(t *testing.T, text string) []byte {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	encoded, err := json.MarshalIndent(value, " ", "\t")
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}
