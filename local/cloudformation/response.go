package cloudformation

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxAnswer is the largest answer that a custom resource may give, in bytes.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
const maxAnswer = 4096

// response is an answer that an operation waits for.
type response struct {
	path      string
	signature string
	body      chan []byte
}

// ResponseHost is the host of the pre-signed URLs that custom resources answer to.
func (s *Service) ResponseHost() string {
	return fmt.Sprintf("cloudformation-custom-resource-response-%s.s3.amazonaws.com", strings.ReplaceAll(s.Account.Region, "-", ""))
}

// ResponseHandler serves ResponseHost: one PUT for every URL, of at most 4,096
// bytes. Anything else is refused and leaves the operation waiting.
func (s *Service) ResponseHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxAnswer+1))
		switch {
		case r.Method != http.MethodPut:
			refuseAnswer(w, http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
		case err != nil:
			refuseAnswer(w, http.StatusBadRequest, "IncompleteBody", "The request body terminated unexpectedly.")
		case len(body) > maxAnswer:
			refuseAnswer(w, http.StatusBadRequest, "EntityTooLarge", "The answer of a custom resource has at most 4096 bytes.")
		case !s.deliver(strings.TrimPrefix(r.URL.Path, "/"), r.URL.Query().Get("X-Amz-Signature"), body):
			refuseAnswer(w, http.StatusForbidden, "AccessDenied", "Access Denied")
		default:
			w.WriteHeader(http.StatusOK)
		}
	})
}

func refuseAnswer(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>%s</Message></Error>", code, message)
}

// await opens a pre-signed URL for the answer to a request. Whoever has the
// URL may answer, so it is a credential: it appears in no log and no event.
func (s *Service) await(r Request) (*response, string) {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	awaited := &response{
		path:      r.StackID + "|" + r.LogicalID + "|" + r.Token,
		signature: hex.EncodeToString(random),
		body:      make(chan []byte, 1),
	}
	s.mu.Lock()
	s.responses[awaited.path] = awaited
	s.mu.Unlock()
	now := s.Clock.Now().UTC()
	query := url.Values{
		"X-Amz-Algorithm":     {"AWS4-HMAC-SHA256"},
		"X-Amz-Date":          {now.Format("20060102T150405Z")},
		"X-Amz-SignedHeaders": {"host"},
		"X-Amz-Expires":       {"7200"},
		"X-Amz-Credential":    {fmt.Sprintf("cloudformation/%s/%s/s3/aws4_request", now.Format("20060102"), s.Account.Region)},
		"X-Amz-Signature":     {awaited.signature},
	}
	target := url.URL{Scheme: "https", Host: s.ResponseHost(), Path: "/" + awaited.path, RawQuery: query.Encode()}
	return awaited, target.String()
}

func (s *Service) forget(awaited *response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.responses, awaited.path)
}

// deliver hands an answer to whoever waits for it, once.
func (s *Service) deliver(path, signature string, body []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	awaited, ok := s.responses[path]
	if !ok || subtle.ConstantTimeCompare([]byte(awaited.signature), []byte(signature)) != 1 {
		return false
	}
	delete(s.responses, path)
	awaited.body <- body
	return true
}
