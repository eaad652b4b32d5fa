// Package endpoint is the local AWS endpoint: the slice of AWS that the
// repository's templates and their users' commands need, in one process, with
// its state in memory. It is the one place that knows all services; they know
// each other only by the interfaces they declare.
package endpoint

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
	"api-destination-credentials/local/page"
)

// Config is what an endpoint can be told.
type Config struct {
	Port  int             // on 127.0.0.1; 0 takes a free one
	Log   *slog.Logger    // nil for silence
	Clock clockwork.Clock // nil for the time of day
}

// Endpoint is a running local AWS endpoint.
type Endpoint struct {
	account  access.Account
	server   *http.Server
	listener net.Listener
	folder   string // holds the certificates that functions trust
	services *services
	ready    atomic.Bool
	closed   atomic.Bool
}

// Start serves an endpoint with nothing deployed. GET /_health answers 503
// until Ready is called.
func Start(config Config) (*Endpoint, error) {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Clock == nil {
		config.Clock = clockwork.NewRealClock()
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(config.Port)))
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "local-aws-endpoint")
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	e := &Endpoint{
		account:  access.Account{ID: "123456789012", Region: "us-east-1"},
		listener: listener,
		folder:   folder,
	}
	e.services, err = assemble(config, e.account, e.URL(), filepath.Join(folder, "certificates.pem"))
	if err != nil {
		return nil, errors.Join(err, listener.Close(), os.RemoveAll(folder))
	}
	e.server = &http.Server{Handler: e, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := e.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			config.Log.Error("the endpoint stopped serving", "error", err.Error())
		}
	}()
	return e, nil
}

// URL is what AWS_ENDPOINT_URL is set to.
func (e *Endpoint) URL() string { return "http://" + e.listener.Addr().String() }

// AWS is the SDK's configuration for the account's own user.
func (e *Endpoint) AWS() aws.Config { return configuration(e.account, e.URL()) }

func configuration(account access.Account, url string) aws.Config {
	return aws.Config{
		Region:       account.Region,
		BaseEndpoint: aws.String(url),
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
	}
}

// AWSAs is the SDK's configuration for any principal, to try what the policies
// allow it; a service on behalf of somebody else's resource, for instance.
func (e *Endpoint) AWSAs(principal access.Principal) aws.Config {
	configuration, lent := e.AWS(), e.services.tokens.Impersonate(principal)
	configuration.Credentials = credentials.NewStaticCredentialsProvider(*lent.AccessKeyId, *lent.SecretAccessKey, *lent.SessionToken)
	return configuration
}

// Pass lets time pass on a clock that can be set ahead: from one delivery that is
// due to the next, each of which gets the real time that it takes.
func (e *Endpoint) Pass(ctx context.Context, clock interface {
	Now() time.Time
	Advance(time.Duration)
}, d time.Duration) error {
	for end := clock.Now().Add(d); clock.Now().Before(end); {
		if err := e.services.events.Settle(ctx); err != nil {
			return err
		}
		next := end
		if due := e.services.events.Due(); !due.IsZero() && due.Before(end) {
			next = due
		}
		clock.Advance(max(next.Sub(clock.Now()), time.Millisecond))
	}
	return e.services.events.Settle(ctx)
}

// Ready says that all that was to be deployed is deployed.
func (e *Endpoint) Ready() { e.ready.Store(true) }

// ServeHTTP serves AWS's API, the health check, and, as an HTTP proxy, AWS's
// host names.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodConnect || r.URL.IsAbs():
		e.services.hosts.ServeHTTP(w, r)
	case r.URL.Path == "/_health":
		e.health(w)
	case strings.HasPrefix(r.URL.Path, page.Path):
		e.services.page().ServeHTTP(w, r)
	case page.Wanted(r):
		http.Redirect(w, r, page.Path, http.StatusSeeOther)
	default:
		e.services.api.ServeHTTP(w, r)
	}
}

func (e *Endpoint) health(w http.ResponseWriter) {
	if !e.ready.Load() {
		http.Error(w, "deploying", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
}

// Close stops the endpoint and every function process, and waits for them. A
// second call does nothing.
func (e *Endpoint) Close() {
	if e.closed.Swap(true) {
		return
	}
	e.services.close()
	// Connections that functions and clients kept open end with it.
	_ = e.server.Close()
	_ = os.RemoveAll(e.folder)
}
