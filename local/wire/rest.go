package wire

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
)

// restProtocol is REST-JSON: the operation is in the method and the path, some
// members are in the path, the query or headers.
// https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
type restProtocol struct {
	definition definition
	route      route
	members    map[string]string // from the path
}

func (p restProtocol) request(r *http.Request, body []byte, input any) error {
	members := map[string]any{}
	if p.route.payload != "" {
		members[p.route.payload] = body
	} else {
		value, err := parseJSON(body)
		if err != nil {
			return err
		}
		given, ok := value.(map[string]any)
		if !ok {
			return fmt.Errorf("its body is no JSON object")
		}
		members = given
	}
	for name, value := range p.members {
		members[name] = value
	}
	for name, values := range r.URL.Query() {
		if !strings.HasPrefix(name, "X-Amz-") {
			members[upperFirst(name)] = queryMember(reflect.TypeOf(input).Elem(), name, values)
		}
	}
	for header, name := range p.route.inputHeaders {
		if value := r.Header.Get(header); value != "" {
			members[name] = value
		}
	}
	return Decode(members, input)
}

func queryMember(t reflect.Type, name string, values []string) any {
	if field, ok := fieldOf(t, name); ok && field.Type.Kind() == reflect.Slice {
		return values
	}
	return values[0]
}

func (p restProtocol) respond(w http.ResponseWriter, _ string, output any) error {
	status := p.route.status
	v := reflect.ValueOf(output).Elem()
	if own := v.FieldByName("StatusCode"); own.IsValid() && own.Int() != 0 {
		status = int(own.Int())
	}
	members := p.definition.style().encode(v).(map[string]any)
	delete(members, "StatusCode")
	for header, name := range p.route.outputHeaders {
		if value, ok := members[name].(string); ok {
			w.Header().Set(header, value)
		}
	}
	switch {
	case p.route.payload != "":
		return write(w, "application/json", status, v.FieldByName(p.route.payload).Bytes())
	case status == http.StatusNoContent:
		w.WriteHeader(status)
		return nil
	}
	return writeJSON(w, "application/json", status, members)
}

func (p restProtocol) refuse(w http.ResponseWriter, f failure) error {
	w.Header().Set("X-Amzn-Errortype", f.shape)
	return writeJSON(w, "application/json", f.restStatus(), f.fields(p.definition.style()))
}

// findRoute matches the escaped path, because an ARN in it may have slashes.
func findRoute(routes []route, r *http.Request) (route, map[string]string, bool) {
	path := segments(r.URL.EscapedPath())
	for _, candidate := range routes {
		if candidate.method != r.Method {
			continue
		}
		if members, ok := match(segments(candidate.path), path); ok {
			return candidate, members, true
		}
	}
	return route{}, nil, false
}

// segments leaves out empty ones: an endpoint's URL may end in a slash.
func segments(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

func match(pattern, path []string) (map[string]string, bool) {
	if len(pattern) != len(path) {
		return nil, false
	}
	members := map[string]string{}
	for i, part := range pattern {
		if !strings.HasPrefix(part, "{") {
			if part != path[i] {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(path[i])
		if err != nil {
			return nil, false
		}
		members[strings.Trim(part, "{}")] = value
	}
	return members, true
}
