package hosts_test

import (
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"api-destination-credentials/local/hosts"
)

// client reaches the network through a proxy of its own, as a function does.
func client(t *testing.T) (*http.Client, *hosts.Hosts) {
	t.Helper()
	h, err := hosts.New(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	h.Handle("*.auth.us-east-1.amazoncognito.com", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Path", r.URL.Path)
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s said %s", r.Host, body)
	}))
	proxy := httptest.NewServer(h)
	t.Cleanup(proxy.Close)
	t.Cleanup(h.Close)
	address, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(h.CertificatesPEM()) {
		t.Fatal("the bundle holds no certificate")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = func(*http.Request) (*url.URL, error) { return address, nil }
	transport.TLSClientConfig.RootCAs = roots
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}, h
}

func answer(t *testing.T, client *http.Client, target string) (int, string, http.Header) {
	t.Helper()
	response, err := client.Post(target, "text/plain", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body), response.Header
}

func TestAHostOfAWSIsServedHereOverTLSAndOverHTTPAndInProcess(t *testing.T) {
	proxied, h := client(t)
	for name, via := range map[string]struct {
		client *http.Client
		scheme string
	}{"tunnel": {proxied, "https"}, "plain proxy": {proxied, "http"}, "transport": {&http.Client{Transport: h.Transport()}, "https"}} {
		t.Run(name, func(t *testing.T) {
			for range 2 { // the second on the kept connection
				status, body, header := answer(t, via.client, via.scheme+"://demo.auth.us-east-1.amazoncognito.com/oauth2/token?x=1")
				if status != http.StatusTeapot || body != "demo.auth.us-east-1.amazoncognito.com said hello" || header.Get("X-Path") != "/oauth2/token" {
					t.Errorf("HTTP %d, %q, %v", status, body, header)
				}
			}
		})
	}
}

func TestEveryOtherHostIsReachedOverTheNetwork(t *testing.T) {
	proxied, h := client(t)
	serve := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "out there") })
	plain, secured := httptest.NewServer(serve), httptest.NewTLSServer(serve)
	t.Cleanup(plain.Close)
	t.Cleanup(secured.Close)
	proxied.Transport.(*http.Transport).TLSClientConfig.RootCAs.AddCert(secured.Certificate())
	for name, test := range map[string]struct {
		client *http.Client
		target string
	}{"http by proxy": {proxied, plain.URL}, "https by proxy": {proxied, secured.URL}, "transport": {&http.Client{Transport: h.Transport()}, plain.URL}} {
		t.Run(name, func(t *testing.T) {
			if status, body, _ := answer(t, test.client, test.target); status != http.StatusOK || body != "out there" {
				t.Errorf("HTTP %d, %q", status, body)
			}
		})
	}
}

func TestAnUnknownHostOfAWSIsRefusedByNameAndNeverLookedUp(t *testing.T) {
	proxied, h := client(t)
	for _, client := range []*http.Client{proxied, {Transport: h.Transport()}} {
		_, err := client.Get("https://dynamodb.us-east-1.amazonaws.com/")
		if err == nil || !strings.Contains(err.Error(), "serves no host dynamodb.us-east-1.amazonaws.com") {
			t.Errorf("error %v, want one that names the host", err)
		}
	}
	status, body, _ := answer(t, proxied, "http://dynamodb.us-east-1.amazonaws.com/")
	if status != http.StatusBadGateway || !strings.Contains(body, "serves no host dynamodb.us-east-1.amazonaws.com") {
		t.Errorf("HTTP %d, %q", status, body)
	}
}

func TestAHostThatIsDownIsABadGateway(t *testing.T) {
	proxied, _ := client(t)
	gone := httptest.NewServer(nil)
	gone.Close()
	if status, _, _ := answer(t, proxied, gone.URL); status != http.StatusBadGateway {
		t.Errorf("HTTP %d, want 502", status)
	}
	_, err := proxied.Get(strings.Replace(gone.URL, "http:", "https:", 1))
	if err == nil || !strings.Contains(err.Error(), "Bad Gateway") {
		t.Errorf("error %v, want a refused tunnel", err)
	}
}

func TestClosingEndsOpenTunnels(t *testing.T) {
	proxied, h := client(t)
	answer(t, proxied, "https://demo.auth.us-east-1.amazoncognito.com/") // stays open for the next request
	h.Close()
	if _, err := proxied.Get("https://demo.auth.us-east-1.amazoncognito.com/"); err == nil {
		t.Errorf("error %v, want a connection that is over", err)
	}
}
