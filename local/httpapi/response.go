package httpapi

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// response is a function's answer in HTTP's terms.
type response struct {
	status  int
	headers map[string]string
	cookies []string
	body    []byte
}

// interpret reads a function's answer: an object with a statusCode says
// everything itself, any other JSON is the body of a 200.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
func interpret(payload []byte) (*response, error) {
	if !json.Valid(payload) {
		return nil, errors.New("it is not JSON; return JSON, or an object with statusCode, headers and body")
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(payload, &members); err != nil || members["statusCode"] == nil {
		return inferred(payload), nil
	}
	var stated struct {
		StatusCode      json.Number    `json:"statusCode"`
		Headers         map[string]any `json:"headers"`
		Cookies         []string       `json:"cookies"`
		Body            string         `json:"body"`
		IsBase64Encoded bool           `json:"isBase64Encoded"`
	}
	if err := json.Unmarshal(payload, &stated); err != nil {
		return nil, fmt.Errorf("its format is not payload format 2.0: %w", err)
	}
	status, err := stated.StatusCode.Int64()
	if err != nil || status < 200 || status > 599 {
		return nil, fmt.Errorf("its statusCode %s is no HTTP status; return one between 200 and 599", stated.StatusCode)
	}
	answer := &response{
		status:  int(status),
		headers: map[string]string{"Content-Type": "text/plain;charset=UTF-8"},
		cookies: stated.Cookies,
		body:    []byte(stated.Body),
	}
	for name, value := range stated.Headers {
		answer.headers[http.CanonicalHeaderKey(name)] = fmt.Sprint(value)
	}
	if !stated.IsBase64Encoded {
		return answer, nil
	}
	answer.body, err = base64.StdEncoding.DecodeString(stated.Body)
	if err != nil {
		return nil, errors.New("its body is not base64 although isBase64Encoded says so")
	}
	return answer, nil
}

func inferred(payload []byte) *response {
	answer := &response{status: http.StatusOK, headers: map[string]string{"Content-Type": "application/json"}, body: payload}
	var text string
	if strings.HasPrefix(string(payload), `"`) && json.Unmarshal(payload, &text) == nil {
		answer.body = []byte(text)
	}
	return answer
}

func (r *response) write(w http.ResponseWriter) {
	for name, value := range r.headers {
		switch name {
		case "Content-Length", "Transfer-Encoding", "Connection": // the connection's own
		default:
			w.Header().Set(name, value)
		}
	}
	for _, cookie := range r.cookies {
		w.Header().Add("Set-Cookie", cookie)
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body) // the client may have left
}
