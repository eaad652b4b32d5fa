package transform

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// ErrInvalidJSON is what a template makes of an event whose values do not fit
// where they stand, for instance a list inside quotes.
var ErrInvalidJSON = errors.New("the transformed input is not valid JSON: put placeholders of lists outside quotes")

// UndefinedPlaceholderError is a placeholder that the paths do not define.
type UndefinedPlaceholderError struct{ Name string }

func (e UndefinedPlaceholderError) Error() string { return "placeholder " + e.Name + " is not defined" }

// Template is a compiled input transformer.
type Template struct {
	parts []part
	paths map[string]Path
}

// part is literal text, or a placeholder's name.
type part struct {
	text        string
	placeholder bool
	quoted      bool // the placeholder stands inside a JSON string
}

// Occasion is what the reserved variables tell.
type Occasion struct {
	RuleARN, RuleName string
	Ingested          time.Time
}

var placeholder = regexp.MustCompile(`<([A-Za-z0-9_.\-]+)>`)

// Compile reads a transformer's paths and template. The error is an
// UndefinedPlaceholderError, or says what cannot be read.
func Compile(paths map[string]string, template string) (*Template, error) {
	t := &Template{paths: map[string]Path{}}
	for name, text := range paths {
		if strings.HasPrefix(strings.ToLower(name), "aws.") {
			return nil, fmt.Errorf("the name %q in InputPathsMap is reserved: choose one that does not begin with AWS", name)
		}
		path, err := ParsePath(text)
		if err != nil {
			return nil, err
		}
		t.paths[name] = path
	}
	t.parts = split(template)
	for _, p := range t.parts {
		if _, defined := t.paths[p.text]; p.placeholder && !defined && !reserved[p.text] {
			return nil, UndefinedPlaceholderError{p.text}
		}
	}
	if !valid(t.render(func(string) json.RawMessage { return json.RawMessage(`""`) })) {
		return nil, errors.New("InputTemplate is neither JSON with placeholders nor lines that are JSON strings")
	}
	return t, nil
}

// split tells a placeholder inside a JSON string from one outside by counting
// the quotes before it that no backslash escapes.
func split(template string) []part {
	var parts []part
	quoted, from := false, 0
	for _, at := range placeholder.FindAllStringSubmatchIndex(template, -1) {
		literal := template[from:at[0]]
		quoted = quoted != (quotes(literal)%2 == 1)
		parts = append(parts, part{text: literal}, part{text: template[at[2]:at[3]], placeholder: true, quoted: quoted})
		from = at[1]
	}
	return append(parts, part{text: template[from:]})
}

func quotes(text string) int {
	count := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			count++
		}
	}
	return count
}

var reserved = map[string]bool{
	"aws.events.rule-arn":             true,
	"aws.events.rule-name":            true,
	"aws.events.event":                true,
	"aws.events.event.json":           true,
	"aws.events.event.ingestion-time": true,
}

// Render makes the input for an event, or returns ErrInvalidJSON.
func (t *Template) Render(event []byte, occasion Occasion) ([]byte, error) {
	text := t.render(func(name string) json.RawMessage {
		if path, ok := t.paths[name]; ok {
			value, found := path.Select(event)
			if !found {
				// What is missing in the event is an empty string.
				return json.RawMessage(`""`)
			}
			return value
		}
		return occasion.value(name, event)
	})
	if !valid(text) {
		return nil, ErrInvalidJSON
	}
	return []byte(text), nil
}

// valid accepts JSON, and text of several lines, each a JSON string. Such text
// goes out as it is, quotes included; a target that wants JSON refuses it.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
func valid(text string) bool {
	if json.Valid([]byte(text)) {
		return true
	}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && (line[0] != '"' || !json.Valid([]byte(line))) {
			return false
		}
	}
	return strings.TrimSpace(text) != ""
}

func (t *Template) render(value func(name string) json.RawMessage) string {
	var out strings.Builder
	for _, p := range t.parts {
		switch {
		case !p.placeholder:
			out.WriteString(p.text)
		case p.quoted:
			out.WriteString(inQuotes(value(p.text)))
		default:
			out.Write(value(p.text))
		}
	}
	return out.String()
}

// inQuotes is a value inside a JSON string: a string without its own quotes, an
// object without any, and everything else as it is.
func inQuotes(value json.RawMessage) string {
	text := string(value)
	switch {
	case strings.HasPrefix(text, `"`):
		return text[1 : len(text)-1]
	case strings.HasPrefix(text, "{"):
		return strings.ReplaceAll(text, `"`, "")
	}
	return text
}

func (o Occasion) value(name string, event []byte) json.RawMessage {
	switch name {
	case "aws.events.rule-arn":
		return quote(o.RuleARN)
	case "aws.events.rule-name":
		return quote(o.RuleName)
	case "aws.events.event.ingestion-time":
		return quote(o.Ingested.UTC().Format("2006-01-02T15:04:05Z"))
	case "aws.events.event":
		return withoutDetail(event)
	}
	whole, _ := Path{}.Select(event)
	return whole
}

func quote(text string) json.RawMessage {
	encoded, _ := json.Marshal(text) // a string always encodes
	return encoded
}

// withoutDetail is aws.events.event: the event without its detail, detail-type
// being spelt detailType.
func withoutDetail(event []byte) json.RawMessage {
	var shown struct {
		Version    json.RawMessage `json:"version"`
		ID         json.RawMessage `json:"id"`
		DetailType json.RawMessage `json:"detail-type"`
		Source     json.RawMessage `json:"source"`
		Account    json.RawMessage `json:"account"`
		Time       json.RawMessage `json:"time"`
		Region     json.RawMessage `json:"region"`
		Resources  json.RawMessage `json:"resources"`
	}
	if err := json.Unmarshal(event, &shown); err != nil {
		return json.RawMessage("null")
	}
	encoded, err := json.Marshal(map[string]json.RawMessage{
		"version": shown.Version, "id": shown.ID, "detailType": shown.DetailType, "source": shown.Source,
		"account": shown.Account, "time": shown.Time, "region": shown.Region, "resources": shown.Resources,
	})
	if err != nil {
		return json.RawMessage("null")
	}
	return encoded
}
