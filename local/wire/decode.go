package wire

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// UnknownMemberError tells that the data has a member which the Go type lacks.
type UnknownMemberError struct {
	Path  string   // from the outermost struct, for instance Targets[0].Arnn
	Known []string // the members that there are in its place
}

func (e UnknownMemberError) Error() string {
	return "unknown member " + e.Path + "; correct its name, or remove it (known: " + strings.Join(e.Known, ", ") + ")"
}

// Decode fills the struct, slice or map that into points to from generic data:
// maps with string keys, slices, strings, numbers, booleans and nil.
//
// A member is found under its field's name, with a capital or a small first
// letter; one that has no field is an UnknownMemberError. Text becomes a number
// or a boolean where the field asks for one, and the other way round, because
// CloudFormation's scalars are strings. A time is RFC 3339 text or seconds since
// 1970, a []byte is base64. Errors name the member, never its value.
func Decode(value, into any) error {
	target := reflect.ValueOf(into)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return fmt.Errorf("wire: Decode fills what a pointer points to, and was given a %T", into)
	}
	return decode(value, target.Elem(), "")
}

var (
	timeType  = reflect.TypeFor[time.Time]()
	bytesType = reflect.TypeFor[[]byte]()
)

func decode(value any, target reflect.Value, path string) error {
	if value == nil {
		return nil
	}
	switch {
	case target.Kind() == reflect.Pointer:
		if target.IsNil() {
			target.Set(reflect.New(target.Type().Elem()))
		}
		return decode(value, target.Elem(), path)
	case target.Type() == timeType, target.Type() == bytesType:
		return decodeScalar(value, target, path)
	}

	switch target.Kind() {
	case reflect.Struct:
		return decodeStruct(value, target, path)
	case reflect.Map:
		return decodeMap(value, target, path)
	case reflect.Slice:
		return decodeSlice(value, target, path)
	case reflect.Interface:
		if isUnion(target.Type()) {
			return decodeUnion(value, target, path)
		}
		if target.NumMethod() > 0 {
			return fmt.Errorf("%s is not supported by the local endpoint; remove it", where(path))
		}
		target.Set(reflect.ValueOf(value))
		return nil
	}
	return decodeScalar(value, target, path)
}

func decodeStruct(value any, target reflect.Value, path string) error {
	members, ok := object(value)
	if !ok {
		return mismatch(path, "an object", value)
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		at := join(path, name)
		field, ok := fieldOf(target.Type(), name)
		if !ok {
			return UnknownMemberError{Path: at, Known: membersOf(target.Type())}
		}
		if err := decode(members[name], target.FieldByIndex(field.Index), at); err != nil {
			return err
		}
	}
	return nil
}

func membersOf(t reflect.Type) []string {
	var names []string
	for _, field := range reflect.VisibleFields(t) {
		if isMember(field) {
			names = append(names, field.Name)
		}
	}
	return names
}

// fieldOf finds the exported field that holds the wire's member.
func fieldOf(t reflect.Type, member string) (reflect.StructField, bool) {
	field, ok := t.FieldByName(upperFirst(member))
	if !ok || !isMember(field) {
		return reflect.StructField{}, false
	}
	return field, true
}

func decodeMap(value any, target reflect.Value, path string) error {
	entries, ok := object(value)
	if !ok {
		return mismatch(path, "an object", value)
	}
	filled := reflect.MakeMapWithSize(target.Type(), len(entries))
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		element := reflect.New(target.Type().Elem()).Elem()
		if err := decode(entries[key], element, join(path, key)); err != nil {
			return err
		}
		filled.SetMapIndex(reflect.ValueOf(key).Convert(target.Type().Key()), element)
	}
	target.Set(filled)
	return nil
}

func decodeSlice(value any, target reflect.Value, path string) error {
	source := reflect.ValueOf(value)
	if source.Kind() != reflect.Slice || source.Type() == bytesType {
		return mismatch(path, "a list", value)
	}
	filled := reflect.MakeSlice(target.Type(), source.Len(), source.Len())
	for i := range source.Len() {
		if err := decode(source.Index(i).Interface(), filled.Index(i), fmt.Sprintf("%s[%d]", path, i)); err != nil {
			return err
		}
	}
	target.Set(filled)
	return nil
}

// decodeScalar goes by way of text, which is what every scalar can become.
func decodeScalar(value any, target reflect.Value, path string) error {
	text, ok := scalarText(value)
	if !ok {
		return mismatch(path, kindOf(target), value)
	}
	switch {
	case target.Type() == timeType:
		moment, ok := parseTime(text)
		if !ok {
			return mismatch(path, "a time", value)
		}
		target.Set(reflect.ValueOf(moment))
		return nil
	case target.Type() == bytesType:
		blob, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return mismatch(path, "base64 text", value)
		}
		target.SetBytes(blob)
		return nil
	}

	switch target.Kind() {
	case reflect.String:
		target.SetString(text)
		return nil
	case reflect.Bool:
		switch strings.ToLower(text) {
		case "true", "false":
			target.SetBool(strings.EqualFold(text, "true"))
			return nil
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if number, ok := parseInteger(text); ok && !target.OverflowInt(number) {
			target.SetInt(number)
			return nil
		}
	case reflect.Float32, reflect.Float64:
		if number, err := strconv.ParseFloat(text, 64); err == nil && !target.OverflowFloat(number) {
			target.SetFloat(number)
			return nil
		}
	}
	return mismatch(path, kindOf(target), value)
}

func scalarText(value any) (string, bool) {
	switch v := value.(type) {
	case time.Time:
		return v.Format(time.RFC3339Nano), true
	case []byte:
		return base64.StdEncoding.EncodeToString(v), true
	case json.Number:
		return v.String(), true
	}
	v := reflect.ValueOf(value)
	switch {
	case v.Kind() == reflect.String:
		return v.String(), true
	case v.Kind() == reflect.Bool:
		return strconv.FormatBool(v.Bool()), true
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10), true
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10), true
	case v.CanFloat():
		return strconv.FormatFloat(v.Float(), 'f', -1, 64), true
	}
	return "", false
}

// parseInteger also takes the whole numbers that JSON writes as 30.0 or 3e1.
func parseInteger(text string) (int64, bool) {
	if number, err := strconv.ParseInt(text, 10, 64); err == nil {
		return number, true
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || number != math.Trunc(number) || math.Abs(number) > 1<<53 {
		return 0, false
	}
	return int64(number), true
}

func parseTime(text string) (time.Time, bool) {
	moment, err := time.Parse(time.RFC3339, text)
	if seconds, notSeconds := strconv.ParseFloat(text, 64); notSeconds == nil && math.Abs(seconds) < 1<<40 { // nor is NaN
		moment, err = time.UnixMilli(int64(math.Round(seconds*1000))).UTC(), nil
	}
	// A year has four digits in every protocol.
	year := moment.UTC().Year()
	return moment, err == nil && year > 0 && year < 10000
}

func object(value any) (map[string]any, bool) {
	if members, ok := value.(map[string]any); ok {
		return members, true
	}
	source := reflect.ValueOf(value)
	if source.Kind() != reflect.Map || source.Type().Key().Kind() != reflect.String {
		return nil, false
	}
	members := make(map[string]any, source.Len())
	for entry := source.MapRange(); entry.Next(); {
		members[entry.Key().String()] = entry.Value().Interface()
	}
	return members, true
}

func mismatch(path, want string, got any) error {
	return fmt.Errorf("%s must be %s, not %s", where(path), want, kindOf(reflect.ValueOf(got)))
}

func kindOf(v reflect.Value) string {
	switch v.Type() {
	case timeType:
		return "a time"
	case bytesType:
		return "base64 text"
	}
	switch v.Kind() {
	case reflect.Map, reflect.Struct:
		return "an object"
	case reflect.Slice:
		return "a list"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.String:
		return "text"
	}
	return "a " + v.Kind().String()
}

func where(path string) string {
	if path == "" {
		return "the input"
	}
	return path
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
