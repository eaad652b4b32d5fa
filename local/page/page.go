// Package page is the local endpoint's live page: the deployed stack as a flow
// from bus to receiver, the journey of every event, the versions of the source
// secret, dead letters and alarms, with buttons that send, rotate, break and
// repair.
//
// All that it shows and does goes through AWS's own APIs, as any client's
// requests do; only the journeys come from a Recorder. It never asks for a
// secret's value.
package page

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/jonboulle/clockwork"
)

// Path is where the page is mounted.
const Path = "/_page/"

// Config is what the page shows and acts on. All but Clock and Log is required.
type Config struct {
	AWS          aws.Config // the endpoint itself
	Recorder     *Recorder
	Prerequisite string // names of the two stacks
	Application  string
	Clock        clockwork.Clock // nil for the time of day
	Log          *slog.Logger    // nil for silence
}

//go:embed assets
var assets embed.FS

var document = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{"short": short}).ParseFS(assets, "assets/page.html"))
})

// patience bounds a request's calls to AWS.
const patience = 10 * time.Second

type page struct {
	Config
	account *account

	mu      sync.Mutex
	message message
}

// message is the outcome of the last button.
type message struct {
	Text   string
	Failed bool
}

// New returns the handler of everything under Path. It answers loopback hosts
// only, and what changes something only from its own origin: a page of the
// world may neither read nor press.
func New(config Config) http.Handler {
	if config.Clock == nil {
		config.Clock = clockwork.NewRealClock()
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	p := &page{Config: config, account: newAccount(config.AWS)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Path+"{$}", func(w http.ResponseWriter, r *http.Request) { p.show(w, r, "page") })
	mux.HandleFunc("GET "+Path+"state", func(w http.ResponseWriter, r *http.Request) { p.show(w, r, "state") })
	for _, name := range []string{"page.css", "page.js", "icon.svg"} {
		mux.HandleFunc("GET "+Path+name, func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, assets, "assets/"+name) })
	}
	mux.HandleFunc("POST "+Path+"send", p.press(p.send))
	mux.HandleFunc("POST "+Path+"rotate", p.press(p.rotate))
	mux.HandleFunc("POST "+Path+"break/{fault}", p.press(p.breakOne))
	mux.HandleFunc("POST "+Path+"repair/{fault}", p.press(p.repairOne))
	mux.HandleFunc("POST "+Path+"repair", p.press(p.repairAll))
	return guard(http.NewCrossOriginProtection().Handler(mux))
}

// Wanted tells a browser that opens the endpoint's address from an AWS client.
func Wanted(r *http.Request) bool {
	return r.Method == http.MethodGet && r.URL.Path == "/" && r.Header.Get("Authorization") == "" &&
		!r.URL.Query().Has("X-Amz-Algorithm") && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// guard refuses other hosts, under which a foreign page could reach a loopback
// address (DNS rebinding), and lets the browser load nothing from elsewhere.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback(r.Host) {
			http.Error(w, "This page is for this machine only: open it at http://127.0.0.1 or http://localhost with the endpoint's port.", http.StatusForbidden)
			return
		}
		for name, value := range map[string]string{
			"Content-Security-Policy":      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin",
			"Referrer-Policy":              "same-origin",
			"X-Content-Type-Options":       "nosniff",
			"Cache-Control":                "no-cache",
		} {
			w.Header().Set(name, value)
		}
		next.ServeHTTP(w, r)
	})
}

func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	address, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || (err == nil && address.IsLoopback())
}

// show renders the page or what of it changes. A browser that has the same
// already is told so.
func (p *page) show(w http.ResponseWriter, r *http.Request, name string) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	var text bytes.Buffer
	if err := document().ExecuteTemplate(&text, name, p.view(ctx)); err != nil {
		p.Log.ErrorContext(ctx, "the page cannot be rendered", "error", err.Error())
		http.Error(w, "The page cannot be rendered: the endpoint's log says why.", http.StatusInternalServerError)
		return
	}
	sum := sha256.Sum256(text.Bytes())
	w.Header().Set("Etag", `"`+hex.EncodeToString(sum[:16])+`"`)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text.Bytes()))
}

// press runs what a button does and goes back to the page, which tells the outcome.
func (p *page) press(do func(ctx context.Context, r *http.Request) (string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		text, err := do(ctx, r)
		said := message{Text: text}
		if err != nil {
			p.Log.WarnContext(ctx, "a button of the live page failed", "path", r.URL.Path, "error", err.Error())
			said = message{Text: explain(err), Failed: true}
		}
		p.mu.Lock()
		p.message = said
		p.mu.Unlock()
		http.Redirect(w, r, Path+"#message", http.StatusSeeOther)
	}
}
