package wire

import (
	"bytes"
	"compress/gzip"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
)

// bodyLimit bounds a request's body, compressed or not. S3 has its own bound.
const bodyLimit = 16 << 20

// protocol is the style in which a request wants its refusal.
type protocol interface {
	refuse(w http.ResponseWriter, f failure) error
}

// codec is a protocol that translates between HTTP and the Go types of an
// operation. S3 has none, it does that by itself.
type codec interface {
	protocol
	request(r *http.Request, body []byte, input any) error
	respond(w http.ResponseWriter, operation string, output any) error
}

// call is what a request asks for.
type call struct {
	service   *service // nil where the endpoint lacks it
	label     string   // the service's name as the request has it
	operation string
	protocol  protocol
}

func (c call) name() string { return c.label + ":" + c.operation }

// credential is what a signature tells. The zero value stands for no signature.
type credential struct{ accessKeyID, region, service string }

// credentialOf reads the header, or the query of a presigned URL.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
func credentialOf(r *http.Request) credential {
	_, scope, signed := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	if !signed {
		scope = r.URL.Query().Get("X-Amz-Credential")
	}
	scope, _, _ = strings.Cut(scope, ",")
	parts := strings.Split(strings.TrimSpace(scope), "/")
	switch len(parts) {
	case 5: // key, date, Region, service, aws4_request
		return credential{parts[0], parts[2], parts[3]}
	case 4: // version 4a names no Region
		return credential{parts[0], "", parts[2]}
	}
	return credential{}
}

// recognise finds out by which protocol a request asks what of whom. Whatever
// names no other service is S3's.
func (h *Handler) recognise(r *http.Request, signed credential) (call, error) {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		prefix, operation, _ := strings.Cut(target, ".")
		c := callOf(h.targets[prefix], prefix, operation)
		c.protocol = jsonProtocol{c.definition()}
		return c, nil
	}
	if r.Header.Get("Smithy-Protocol") == "rpc-v2-cbor" {
		parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/") // service/NAME/operation/NAME
		if len(parts) != 4 {
			return call{protocol: cborProtocol{}}, unknownOperation("the path " + r.URL.Path)
		}
		c := callOf(h.targets[parts[1]], parts[1], parts[3])
		c.protocol = cborProtocol{c.definition()}
		return c, nil
	}

	definition := definitions[signed.service]
	if definition.routes != nil {
		return h.recogniseRoute(r, signed.service)
	}
	if definition.namespace != "" || signed.service != "s3" && isForm(r) {
		return h.recogniseQuery(r, signed.service)
	}
	return call{label: "s3", protocol: objectProtocol{}}, h.objectsServed()
}

func callOf(s *service, label, operation string) call {
	if s != nil {
		label = s.name
	}
	return call{service: s, label: label, operation: operation}
}

func (c call) definition() definition {
	if c.service == nil {
		return definition{}
	}
	return c.service.definition
}

func (h *Handler) recogniseRoute(r *http.Request, name string) (call, error) {
	route, members, ok := findRoute(definitions[name].routes, r)
	c := callOf(h.services[name], name, route.operation)
	c.protocol = restProtocol{definition: definitions[name], route: route, members: members}
	if !ok {
		return c, unknownOperation("the operation behind " + r.Method + " " + r.URL.Path + " of " + name)
	}
	return c, nil
}

func (h *Handler) recogniseQuery(r *http.Request, name string) (call, error) {
	definition := definitions[name]
	c := callOf(h.services[name], name, "")
	c.protocol = queryProtocol{definition: definition}
	form, err := readForm(r)
	if err != nil {
		return c, err
	}
	c.operation = form.Get("Action")
	c.protocol = queryProtocol{definition: definition, form: form}
	if definition.namespace == "" && name != "" {
		return c, unknownOperation("the Query protocol of " + name)
	}
	return c, nil
}

func (h *Handler) objectsServed() error {
	if h.config.S3 == nil {
		return unknownOperation("the service s3")
	}
	return nil
}

func isForm(r *http.Request) bool {
	contentType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return contentType == "application/x-www-form-urlencoded"
}

// readForm joins the form in the body with the one in the URL.
func readForm(r *http.Request) (url.Values, error) {
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, &smithy.GenericAPIError{Code: "MalformedQueryString", Message: "The request's form cannot be read; encode it as application/x-www-form-urlencoded"}
	}
	for name, values := range r.URL.Query() {
		form[name] = values
	}
	return form, nil
}

// readBody may be called again: it leaves the body as it was.
func readBody(r *http.Request) ([]byte, error) {
	var source io.Reader = r.Body
	if slices.Contains(r.Header.Values("Content-Encoding"), "gzip") {
		unzipped, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, &smithy.GenericAPIError{Code: "SerializationException", Message: "The body of the request is no gzip, which its Content-Encoding announces"}
		}
		source = unzipped
		r.Header.Del("Content-Encoding")
	}
	body, err := io.ReadAll(io.LimitReader(source, bodyLimit+1))
	if err != nil {
		return nil, &smithy.GenericAPIError{Code: "SerializationException", Message: "The body of the request cannot be read to its end: " + err.Error()}
	}
	if len(body) > bodyLimit {
		return nil, &smithy.GenericAPIError{Code: "RequestEntityTooLargeException", Message: "The request is longer than the 16 MiB that the local endpoint reads; make it shorter"}
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, nil
}
