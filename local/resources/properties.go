package resources

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"api-destination-credentials/local/cloudformation"
	"api-destination-credentials/local/wire"
)

// object is a resource's properties, or an operation's members.
type object = map[string]any

// known lists a type's properties.
func known(required []string, optional ...string) map[string]bool {
	names := map[string]bool{}
	for _, name := range required {
		names[name] = true
	}
	for _, name := range optional {
		names[name] = false
	}
	return names
}

// with returns a copy of properties with some members set, or removed where
// the change is nil.
func with(properties, changes object) object {
	members := maps.Clone(properties)
	if members == nil {
		members = object{}
	}
	for name, value := range changes {
		if value == nil {
			delete(members, name)
			continue
		}
		members[name] = value
	}
	return members
}

// pick returns the named members that are set.
func pick(properties object, names ...string) object {
	picked := object{}
	for _, name := range names {
		if value, ok := properties[name]; ok {
			picked[name] = value
		}
	}
	return picked
}

// complete returns the properties, and the default of each one that an update
// takes away: operations that update leave alone what they are not given.
func complete(r cloudformation.Request, defaults object) object {
	members := maps.Clone(r.Properties)
	for name, value := range defaults {
		if _, set := r.Properties[name]; set {
			continue
		}
		if _, was := r.OldProperties[name]; was {
			members[name] = value
		}
	}
	return members
}

// changed tells whether an update touches any of the named properties. It
// holds for whatever a create sets.
func changed(r cloudformation.Request, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		return !reflect.DeepEqual(r.Properties[name], r.OldProperties[name])
	})
}

// unchangeable refuses an update of properties that only a create can set.
func unchangeable(r cloudformation.Request, names ...string) error {
	for _, name := range names {
		if changed(r, name) {
			return fmt.Errorf("%s of %s cannot be changed; restore it, or give the resource another logical id", name, r.Type)
		}
	}
	return nil
}

// member reads one property; the zero value where it is not set.
func member[T any](properties object, name string) (T, error) {
	var found map[string]T
	err := wire.Decode(pick(properties, name), &found)
	return found[name], err
}

// enabled reads a boolean property; otherwise where it is not set.
func enabled(properties object, name string, otherwise bool) (bool, error) {
	stated, err := member[*bool](properties, name)
	if err != nil || stated == nil {
		return otherwise, err
	}
	return *stated, nil
}

// document writes a property such as a policy as the JSON that operations
// take; nil where it is not set. A property may hold the JSON already.
func document(value any) (any, error) {
	switch value := value.(type) {
	case nil:
		return nil, nil
	case string:
		return value, nil
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return strings.TrimSuffix(text.String(), "\n"), nil
}
