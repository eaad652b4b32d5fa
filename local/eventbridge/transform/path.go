// Package transform makes a target's input out of an event: by a JSON path, or
// by an input transformer's template. Texts pass through it as they are, so
// that numbers keep their digits and objects the order of their members.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
package transform

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Path is a JSON path of EventBridge's: $ followed by .name, ['name'] and [n].
type Path []string

var step = regexp.MustCompile(`^(?:\.([^.\[\]'"\s]+)|\['([^']+)'\]|\["([^"]+)"\]|\[(\d+)\])`)

// ParsePath reads a JSON path. Wildcards and filters are not part of the slice
// of the language that it knows.
func ParsePath(text string) (Path, error) {
	rest, ok := strings.CutPrefix(text, "$")
	if !ok {
		return nil, fmt.Errorf("JSON path %q does not begin with $", text)
	}
	path := Path{}
	for rest != "" {
		found := step.FindStringSubmatch(rest)
		if found == nil {
			return nil, fmt.Errorf("JSON path %q cannot be read at %q: use .name, ['name'] or [0]", text, rest)
		}
		path = append(path, found[1]+found[2]+found[3]+found[4])
		rest = rest[len(found[0]):]
	}
	return path, nil
}

// Select returns the JSON text at the path, or false where the document has none.
func (p Path) Select(document []byte) (json.RawMessage, bool) {
	value := json.RawMessage(document)
	for _, name := range p {
		var ok bool
		if value, ok = member(value, name); !ok {
			return nil, false
		}
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, value); err != nil {
		return nil, false
	}
	return compact.Bytes(), true
}

func member(value json.RawMessage, name string) (json.RawMessage, bool) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(value, &object); err == nil {
		found, ok := object[name]
		return found, ok
	}
	var list []json.RawMessage
	if err := json.Unmarshal(value, &list); err != nil {
		return nil, false
	}
	index, err := strconv.ParseUint(name, 10, 31) // names may have a sign
	if err != nil || int(index) >= len(list) {
		return nil, false
	}
	return list[index], true
}
