package hosts

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
)

// Transport serves our own hosts without leaving the process and passes every
// other request on to the network.
func (h *Hosts) Transport() http.RoundTripper { return transport{h} }

type transport struct{ hosts *Hosts }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	handler, err := t.hosts.handler(hostname(r.URL.Host))
	if err != nil {
		return nil, err
	}
	if handler == nil {
		return t.hosts.network.RoundTrip(r)
	}
	return inProcess(handler, r)
}

// inProcess has handler answer r as a server would see it, and gives up
// waiting when r's context ends.
func inProcess(handler http.Handler, r *http.Request) (*http.Response, error) {
	incoming := r.Clone(r.Context())
	incoming.RequestURI, incoming.Host = r.URL.RequestURI(), r.URL.Host
	if incoming.Body == nil {
		incoming.Body = http.NoBody
	}
	answered := make(chan *http.Response, 1)
	go func() {
		recorder := httptest.NewRecorder()
		defer func() {
			_ = incoming.Body.Close()
			// As a server does: one request that goes wrong ends alone.
			if caught := recover(); caught != nil {
				recorder = httptest.NewRecorder()
				http.Error(recorder, "internal error", http.StatusInternalServerError)
			}
			answered <- recorder.Result()
		}()
		handler.ServeHTTP(recorder, incoming)
	}()
	select {
	case response := <-answered:
		response.Request = r
		return response, nil
	case <-r.Context().Done():
		return nil, fmt.Errorf("%s did not answer in time: %w", r.URL.Host, r.Context().Err())
	}
}

// outgoing turns a proxied request into one of our own.
func outgoing(r *http.Request) *http.Request {
	request := r.Clone(r.Context())
	request.RequestURI = ""
	for _, name := range []string{"Proxy-Connection", "Proxy-Authorization", "Connection"} {
		request.Header.Del(name)
	}
	return request
}

func copyResponse(w http.ResponseWriter, response *http.Response) {
	for _, name := range slices.Collect(maps.Keys(response.Header)) {
		w.Header()[name] = response.Header[name]
	}
	w.WriteHeader(response.StatusCode)
	// The client sees a connection that breaks; there is nobody else to tell.
	_, _ = io.Copy(w, response.Body)
}
