package wire

import (
	"bytes"
	"encoding/xml"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// queryProtocol takes a form and answers in XML.
// https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
type queryProtocol struct {
	definition definition
	form       url.Values
}

func (p queryProtocol) request(_ *http.Request, _ []byte, input any) error {
	members := map[string]any{}
	for key, values := range p.form {
		if key != "Action" && key != "Version" && !strings.HasPrefix(key, "X-Amz-") {
			plant(members, strings.Split(key, "."), values[0])
		}
	}
	return Decode(shape(members, reflect.TypeOf(input)), input)
}

// plant puts the value of a key such as Tags.member.1.Key into nested maps.
func plant(tree map[string]any, path []string, value string) {
	last := len(path) - 1
	for _, part := range path[:last] {
		branch, ok := tree[part].(map[string]any)
		if !ok {
			branch = map[string]any{}
			tree[part] = branch
		}
		tree = branch
	}
	if _, branches := tree[path[last]]; !branches {
		tree[path[last]] = value
	}
}

// shape gives nested maps the lists and maps that the Go type expects. An empty
// list or map arrives as a key with an empty value.
func shape(value any, t reflect.Type) any {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	tree, isTree := value.(map[string]any)
	switch {
	case t == timeType || t == bytesType:
		return value
	case t.Kind() == reflect.Slice && value == "":
		return []any{}
	case t.Kind() == reflect.Map && value == "":
		return map[string]any{}
	case !isTree:
		return value
	}

	switch t.Kind() {
	case reflect.Struct:
		for name, member := range tree {
			if field, ok := fieldOf(t, name); ok {
				tree[name] = shape(member, field.Type)
			}
		}
	case reflect.Slice:
		list := []any{}
		for _, element := range numbered(tree, "member") {
			list = append(list, shape(element, t.Elem()))
		}
		return list
	case reflect.Map:
		entries := map[string]any{}
		for _, element := range numbered(tree, "entry") {
			if entry, ok := element.(map[string]any); ok {
				key, _ := entry["key"].(string)
				entries[key] = shape(entry["value"], t.Elem())
			}
		}
		return entries
	}
	return tree
}

// numbered returns the children named 1, 2, ... in that order; they may stand
// below a child with the given name.
func numbered(tree map[string]any, below string) []any {
	if inner, ok := tree[below].(map[string]any); ok {
		tree = inner
	}
	keys := slices.SortedFunc(maps.Keys(tree), func(a, b string) int {
		first, _ := strconv.Atoi(a)
		second, _ := strconv.Atoi(b)
		return first - second
	})
	children := make([]any, len(keys))
	for i, key := range keys {
		children[i] = tree[key]
	}
	return children
}

var queryStyle = style{time: iso8601, blob: base64Text, float: floatOrText}

func (p queryProtocol) respond(w http.ResponseWriter, operation string, output any) error {
	var x xmlWriter
	x.open(operation+"Response", p.definition.namespace)
	x.value(operation+"Result", reflect.ValueOf(output))
	x.open("ResponseMetadata", "")
	x.text("RequestId", w.Header().Get("X-Amzn-Requestid"))
	x.close("ResponseMetadata")
	x.close(operation + "Response")
	return write(w, "text/xml", http.StatusOK, x.Bytes())
}

func (p queryProtocol) refuse(w http.ResponseWriter, f failure) error {
	if f.code == "AccessDeniedException" {
		f.code = "AccessDenied" // the word of the services with this protocol
	}
	x := xmlWriter{}
	x.open("ErrorResponse", p.definition.namespace)
	x.open("Error", "")
	x.text("Type", f.sender())
	x.text("Code", f.code)
	x.text("Message", f.message)
	for name, member := range f.own(queryStyle) {
		x.value(name, member)
	}
	x.close("Error")
	x.text("RequestId", f.request)
	x.close("ErrorResponse")
	return write(w, "text/xml", f.status(), x.Bytes())
}

func (f failure) sender() string {
	if f.server {
		return "Receiver"
	}
	return "Sender"
}

// xmlWriter writes elements in the order in which it is told of them.
type xmlWriter struct{ bytes.Buffer }

func (x *xmlWriter) open(name, namespace string) {
	x.WriteString("<" + name)
	if namespace != "" {
		x.WriteString(` xmlns="` + namespace + `"`)
	}
	x.WriteString(">")
}

func (x *xmlWriter) close(name string) { x.WriteString("</" + name + ">") }

func (x *xmlWriter) text(name, text string) {
	x.open(name, "")
	_ = xml.EscapeText(x, []byte(text)) // a buffer takes everything
	x.close(name)
}

func (x *xmlWriter) value(name string, v reflect.Value) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	switch {
	case v.Kind() == reflect.Struct && v.Type() != timeType:
		x.open(name, "")
		for member, value := range queryStyle.members(v) {
			x.value(member, value)
		}
		x.close(name)
	case v.Kind() == reflect.Slice && v.Type() != bytesType:
		x.open(name, "")
		for i := range v.Len() {
			x.value("member", v.Index(i))
		}
		x.close(name)
	case v.Kind() == reflect.Map:
		x.open(name, "")
		for _, key := range slices.SortedFunc(slices.Values(v.MapKeys()), byText) {
			x.open("entry", "")
			x.text("key", key.String())
			x.value("value", v.MapIndex(key))
			x.close("entry")
		}
		x.close(name)
	default:
		text, _ := scalarText(queryStyle.encode(v))
		x.text(name, text)
	}
}

func byText(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) }
