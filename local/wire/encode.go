package wire

import (
	"encoding/base64"
	"iter"
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/aws/smithy-go/middleware"
)

// Encode turns an SDK struct into generic data, as Decode takes it: maps, lists,
// text, numbers and booleans under the names of the Go fields. Members that are
// not set are left out. Times are RFC 3339 text and blobs base64.
func Encode(value any) any {
	return templateStyle.encode(reflect.ValueOf(value))
}

// style is how one protocol of one service writes names, times, blobs and
// floating-point numbers.
type style struct {
	lowerFirst bool
	time       func(time.Time) any
	blob       func([]byte) any
	float      func(float64) any
}

var templateStyle = style{
	time: func(t time.Time) any { return t.UTC().Format(time.RFC3339Nano) },
	blob: base64Text, float: floatOrText,
}

func base64Text(blob []byte) any { return base64.StdEncoding.EncodeToString(blob) }

// floatOrText is for the protocols that have no numbers for NaN and infinity.
// https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#shape-serialization
func floatOrText(number float64) any {
	switch {
	case math.IsNaN(number):
		return "NaN"
	case math.IsInf(number, 1):
		return "Infinity"
	case math.IsInf(number, -1):
		return "-Infinity"
	}
	return number
}

// iso8601 has the milliseconds by which SAM CLI tells stack events apart.
func iso8601(t time.Time) any { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func (s style) encode(v reflect.Value) any {
	switch {
	case !v.IsValid():
		return nil
	case isUnion(v.Type()) && !v.IsNil():
		return s.encodeUnion(v)
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return s.encode(v.Elem())
	}
	switch v.Type() {
	case timeType:
		return s.time(v.Interface().(time.Time))
	case bytesType:
		return s.blob(v.Bytes())
	}

	switch v.Kind() {
	case reflect.Struct:
		members := map[string]any{}
		for name, member := range s.members(v) {
			members[name] = s.encode(member)
		}
		return members
	case reflect.Map:
		entries := make(map[string]any, v.Len())
		for entry := v.MapRange(); entry.Next(); {
			entries[entry.Key().String()] = s.encode(entry.Value())
		}
		return entries
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = s.encode(v.Index(i))
		}
		return list
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return v.Bool()
	case reflect.Float32, reflect.Float64:
		return s.float(v.Float())
	}
	if v.CanUint() {
		return v.Uint()
	}
	return v.Int()
}

// members yields the members of a struct that are set, under their wire names.
// A number or boolean that is no pointer is always set: AWS sends its zero too.
func (s style) members(v reflect.Value) iter.Seq2[string, reflect.Value] {
	return func(yield func(string, reflect.Value) bool) {
		for _, field := range reflect.VisibleFields(v.Type()) {
			if !isMember(field) {
				continue
			}
			member := v.FieldByIndex(field.Index)
			if isUnset(member) {
				continue
			}
			if !yield(s.name(v.Type(), field.Name), member) {
				return
			}
		}
	}
}

var metadataType = reflect.TypeFor[middleware.Metadata]()

func isMember(field reflect.StructField) bool {
	return field.IsExported() && !field.Anonymous && field.Type != metadataType
}

func isUnset(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return v.IsNil()
	case reflect.Interface: // or a union that is none of ours, or a document
		return v.IsNil() || v.NumMethod() > 0 && !isUnion(v.Type())
	case reflect.String:
		return v.Len() == 0
	}
	return false
}

func (s style) name(owner reflect.Type, field string) string {
	if s.lowerFirst || lowerMembers[owner.Name()] == field {
		return lowerFirst(field)
	}
	return field
}

// lowerMembers start with a small letter in AWS's models, unlike their neighbours.
var lowerMembers = map[string]string{
	"DashboardInvalidInputError":       "DashboardValidationMessages",
	"ListDeadLetterSourceQueuesOutput": "QueueUrls",
}

func lowerFirst(name string) string { return strings.ToLower(name[:1]) + name[1:] }

func upperFirst(name string) string {
	if name == "" {
		return name
	}
	return strings.ToUpper(name[:1]) + name[1:]
}
