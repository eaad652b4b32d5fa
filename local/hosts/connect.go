package hosts

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// connect serves a tunnel: with TLS ended here for our own hosts, and passed
// through for every other.
func (h *Hosts) connect(w http.ResponseWriter, r *http.Request) {
	host := hostname(r.Host)
	handler, err := h.handler(host)
	var far net.Conn
	if err == nil && handler == nil {
		if far, err = (&net.Dialer{Timeout: dialTime}).DialContext(r.Context(), "tcp", r.Host); err != nil {
			err = fmt.Errorf("the host %s cannot be reached", r.Host)
		}
	}
	near, buffered, failed := http.NewResponseController(w).Hijack()
	if failed != nil {
		http.Error(w, "this connection cannot become a tunnel", http.StatusInternalServerError)
		return
	}
	if !h.hold(near, far) {
		return
	}
	defer h.release(near, far)
	if err != nil {
		// Of a refused tunnel, clients show the status line and nothing else.
		_, _ = fmt.Fprintf(near, "HTTP/1.1 502 Bad Gateway: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", err)
		return
	}
	if _, err := io.WriteString(near, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	client := &readAhead{Conn: near, ahead: buffered.Reader}
	if handler == nil {
		splice(client, far)
		return
	}
	h.serveTLS(client, host, handler)
}

// serveTLS serves one connection as the host itself.
func (h *Hosts) serveTLS(conn net.Conn, host string, handler http.Handler) {
	secured := tls.Server(conn, &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return h.authority.issue(host)
		},
	})
	listener := &single{conn: secured, done: make(chan struct{})}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          slog.NewLogLogger(h.log.Handler(), slog.LevelWarn),
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed || state == http.StateHijacked {
				listener.end()
			}
		},
	}
	if err := server.Serve(listener); err != nil && !errors.Is(err, net.ErrClosed) {
		h.log.Warn("a connection to a local host ended", "host", host, "error", err.Error())
	}
}

// hold registers connections so that Close ends them.
func (h *Hosts) hold(conns ...net.Conn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, conn := range conns {
		if conn == nil {
			continue
		}
		if h.closed {
			_ = conn.Close()
			continue
		}
		h.open[conn] = struct{}{}
	}
	if h.closed {
		return false
	}
	h.work.Add(1)
	return true
}

func (h *Hosts) release(conns ...net.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, conn := range conns {
		if conn != nil {
			_ = conn.Close()
			delete(h.open, conn)
		}
	}
	h.work.Done()
}

// splice copies each way until that side ends.
func splice(a, b net.Conn) {
	var both sync.WaitGroup
	for _, pair := range [][2]net.Conn{{a, b}, {b, a}} {
		both.Go(func() {
			_, _ = io.Copy(pair[0], pair[1])
			if half, ok := pair[0].(interface{ CloseWrite() error }); ok {
				_ = half.CloseWrite()
			}
		})
	}
	both.Wait()
}

// readAhead reads what the server had read before it gave the connection away.
type readAhead struct {
	net.Conn
	ahead *bufio.Reader
}

func (c *readAhead) Read(into []byte) (int, error) { return c.ahead.Read(into) }

// CloseWrite tells the client that no more comes, and goes on reading from it.
func (c *readAhead) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// single is a listener that accepts one connection and then waits for its end.
type single struct {
	conn net.Conn
	once sync.Once
	done chan struct{}
	gone bool
}

func (l *single) Accept() (net.Conn, error) {
	if !l.gone {
		l.gone = true
		return l.conn, nil
	}
	<-l.done
	return nil, net.ErrClosed
}

func (l *single) end()           { l.once.Do(func() { close(l.done) }) }
func (l *single) Close() error   { return nil }
func (l *single) Addr() net.Addr { return l.conn.LocalAddr() }
