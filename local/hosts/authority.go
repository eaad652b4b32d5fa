package hosts

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"sync"
	"time"
)

// lifetime of every certificate; an endpoint does not live that long.
const lifetime = 30 * 24 * time.Hour

// authority issues a certificate for each host when it is first asked for.
type authority struct {
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate

	mu     sync.Mutex
	issued map[string]*tls.Certificate
}

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template, err := certificate("Local AWS endpoint")
	if err != nil {
		return nil, err
	}
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	signed, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(signed)
	if err != nil {
		return nil, err
	}
	return &authority{key: key, certificate: parsed, issued: map[string]*tls.Certificate{}}, nil
}

func certificate(name string) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(lifetime),
	}, nil
}

// issue returns the certificate for host.
func (a *authority) issue(host string) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if known, ok := a.issued[host]; ok {
		return known, nil
	}
	template, err := certificate("")
	if err != nil {
		return nil, err
	}
	template.DNSNames = []string{host}
	if address := net.ParseIP(host); address != nil {
		template.DNSNames, template.IPAddresses = nil, []net.IP{address}
	}
	template.KeyUsage, template.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	signed, err := x509.CreateCertificate(rand.Reader, template, a.certificate, a.key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	made := &tls.Certificate{Certificate: [][]byte{signed}, PrivateKey: a.key}
	a.issued[host] = made
	return made, nil
}

// systemBundles are where Linux distributions and macOS keep theirs.
// https://pkg.go.dev/crypto/x509#SystemCertPool
var systemBundles = []string{
	"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
}

// bundle is what functions trust: this authority, and what the endpoint itself does.
func (a *authority) bundle() []byte {
	var text bytes.Buffer
	// Encoding to memory does not fail.
	_ = pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
	for _, file := range append([]string{os.Getenv("SSL_CERT_FILE")}, systemBundles...) {
		if known, err := os.ReadFile(file); err == nil {
			text.Write(known)
			break
		}
	}
	return text.Bytes()
}
