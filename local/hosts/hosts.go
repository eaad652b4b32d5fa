// Package hosts makes AWS's host names work on this machine: an HTTP proxy
// that serves them itself, over TLS with certificates of a local authority,
// and passes every other host on to the network. Functions are pointed at it
// by HTTPS_PROXY and SSL_CERT_FILE, services inside the endpoint by Transport.
package hosts

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// dialTime bounds setting up a connection to a host of the network.
const dialTime = 5 * time.Second

// Hosts is the set of names that are served here.
type Hosts struct {
	authority *authority
	log       *slog.Logger
	network   *http.Transport

	mu     sync.Mutex
	routes []route
	open   map[net.Conn]struct{}
	closed bool
	work   sync.WaitGroup
}

type route struct {
	pattern string
	handler http.Handler
}

// New returns hosts without routes. Log takes failures of proxied connections.
func New(log *slog.Logger) (*Hosts, error) {
	authority, err := newAuthority()
	if err != nil {
		return nil, err
	}
	network := http.DefaultTransport.(*http.Transport).Clone()
	network.Proxy = nil
	return &Hosts{authority: authority, log: log, network: network, open: map[net.Conn]struct{}{}}, nil
}

// Handle serves every host that pattern matches (as in path.Match, where a *
// stands for any text) with handler. The first match serves.
func (h *Hosts) Handle(pattern string, handler http.Handler) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.routes = append(h.routes, route{pattern, handler})
}

// CertificatesPEM is what a client has to trust to reach these hosts and, where
// this machine has a bundle of well-known authorities, every other host too.
func (h *Hosts) CertificatesPEM() []byte { return h.authority.bundle() }

// ServeHTTP is the proxy: CONNECT for https, absolute URLs for http.
func (h *Hosts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodConnect {
		h.connect(w, r)
		return
	}
	response, err := h.Transport().RoundTrip(outgoing(r))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer response.Body.Close()
	copyResponse(w, response)
}

// Close ends every proxied connection and waits until nothing runs any more.
func (h *Hosts) Close() {
	h.mu.Lock()
	h.closed = true
	for conn := range h.open {
		_ = conn.Close()
	}
	h.mu.Unlock()
	h.work.Wait()
	h.network.CloseIdleConnections()
}

// handler finds who serves host; unknown names of AWS are refused rather than
// looked up, so that nothing here ever talks to the real AWS.
func (h *Hosts) handler(host string) (http.Handler, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, route := range h.routes {
		if matched, _ := path.Match(route.pattern, host); matched {
			return route.handler, nil
		}
	}
	for _, domain := range []string{".amazonaws.com", ".amazoncognito.com", ".api.aws"} {
		if strings.HasSuffix(host, domain) {
			return nil, fmt.Errorf("the local endpoint serves no host %s", host)
		}
	}
	return nil, nil
}

func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return strings.ToLower(host)
	}
	return strings.ToLower(hostport)
}
