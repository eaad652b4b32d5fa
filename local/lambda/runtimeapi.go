package lambda

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// runtimeAPI is what a function's runtime talks to.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
func (b *sandbox) runtimeAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", b.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", b.respond)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", b.fail)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", b.failInit)
	return mux
}

// next blocks until there is an event.
func (b *sandbox) next(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	unanswered := b.active != ""
	b.mu.Unlock()
	if unanswered {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "The event has no answer yet. Post a response or an error first.")
		return
	}
	select {
	case b.ready <- struct{}{}:
	default: // asked before, and the connection broke
	}
	select {
	case <-r.Context().Done():
	case event := <-b.events:
		header := w.Header()
		header.Set("Content-Type", "application/json")
		header.Set("Lambda-Runtime-Aws-Request-Id", event.id)
		header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(event.deadline.UnixMilli(), 10))
		header.Set("Lambda-Runtime-Invoked-Function-Arn", b.function.arn)
		header.Set("Lambda-Runtime-Trace-Id", event.trace)
		if event.context != "" {
			header.Set("Lambda-Runtime-Client-Context", event.context)
		}
		w.Write(event.payload)
	}
}

func (b *sandbox) respond(w http.ResponseWriter, r *http.Request) {
	payload, err := io.ReadAll(io.LimitReader(r.Body, maxResponse+1))
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequest", err.Error())
		return
	}
	// A runtime that streams its response reports a late error in the trailer.
	// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html
	if errorType := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); errorType != "" {
		body, _ := base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))
		b.settle(w, r, &answer{payload: body, errorType: errorType})
		return
	}
	if len(payload) > maxResponse {
		io.Copy(io.Discard, r.Body)
		message := fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxResponse)
		b.settle(w, r, failure("Function.ResponseSizeTooLarge", message))
		return
	}
	b.settle(w, r, &answer{payload: payload})
}

func (b *sandbox) fail(w http.ResponseWriter, r *http.Request) {
	b.settle(w, r, reported(r))
}

// settle records the answer to the event that the function works on.
func (b *sandbox) settle(w http.ResponseWriter, r *http.Request, given *answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.PathValue("id") != b.active {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return
	}
	b.active, b.answer = "", given
	accept(w)
}

func (b *sandbox) failInit(w http.ResponseWriter, r *http.Request) {
	given := reported(r)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed = given
	accept(w)
	// The runtime is expected to exit now; Lambda does not wait for it.
	b.stop()
}

// reported is an error as a runtime posts it.
func reported(r *http.Request) *answer {
	payload, err := io.ReadAll(io.LimitReader(r.Body, maxResponse))
	if err != nil || !json.Valid(payload) {
		payload = []byte("{}")
	}
	var body struct {
		ErrorType string `json:"errorType"`
	}
	errorType := r.Header.Get("Lambda-Runtime-Function-Error-Type")
	if json.Unmarshal(payload, &body) == nil && body.ErrorType != "" {
		errorType = body.ErrorType
	}
	if errorType == "" {
		errorType = "Runtime.Unknown"
	}
	return &answer{payload: payload, errorType: errorType}
}

func accept(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	io.WriteString(w, `{"status":"OK"}`)
}

func refuse(w http.ResponseWriter, status int, errorType, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"errorType": errorType, "errorMessage": message})
}
