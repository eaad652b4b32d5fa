package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

type member struct {
	name  string
	value json.RawMessage
}

// members reads a JSON object in the case and order it is written in. Of two
// members of one name encoding/json keeps the last and drops a statement's
// restriction without a word, so that is an error.
func members(raw json.RawMessage) ([]member, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, errors.New("is not a JSON object")
	}
	var all []member
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		next := member{name: name.(string)}
		if err := decoder.Decode(&next.value); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(all, func(m member) bool { return m.name == next.name }) {
			return nil, fmt.Errorf("%q stands twice", next.name)
		}
		all = append(all, next)
	}
	return all, nil
}

// list reads an array, or one value as an array of one.
func list(raw json.RawMessage) ([]json.RawMessage, error) {
	if !bytes.HasPrefix(bytes.TrimSpace(raw), []byte("[")) {
		return []json.RawMessage{raw}, nil
	}
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, errors.New("the list is empty")
	}
	return items, nil
}

// texts reads one string or a list of strings.
func texts(raw json.RawMessage) ([]string, error) {
	items, err := list(raw)
	if err != nil {
		return nil, err
	}
	values := make([]string, len(items))
	for i, item := range items {
		value, ok := text(item)
		if !ok {
			return nil, errors.New("is neither a string nor a list of strings")
		}
		values[i] = value
	}
	return values, nil
}

// text reads one string; null is none.
func text(raw json.RawMessage) (value string, ok bool) {
	return value, bytes.HasPrefix(bytes.TrimSpace(raw), []byte(`"`)) && json.Unmarshal(raw, &value) == nil
}

// scalars reads the values of a condition: strings, numbers or booleans.
func scalars(raw json.RawMessage) ([]string, error) {
	items, err := list(raw)
	if err != nil {
		return nil, err
	}
	values := make([]string, len(items))
	for i, item := range items {
		item = bytes.TrimSpace(item)
		switch item[0] {
		case '"':
			if err := json.Unmarshal(item, &values[i]); err != nil {
				return nil, err
			}
		case '{', '[', 'n':
			return nil, errors.New("a value is not a string, number or boolean")
		default:
			values[i] = string(item)
		}
	}
	return values, nil
}
