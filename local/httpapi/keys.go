package httpapi

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/jonboulle/clockwork"
)

const (
	// keysLast is how long API Gateway may keep an issuer's keys.
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
	keysLast     = 2 * time.Hour
	fetchTimeout = 10 * time.Second
	maxKeySet    = 150_000 // bytes
)

// keyCache holds the public keys of issuers.
type keyCache struct {
	client http.Client
	clock  clockwork.Clock

	mu   sync.Mutex
	sets map[string]keySet // by issuer
}

type keySet struct {
	keys    map[string]*rsa.PublicKey // by kid
	fetched time.Time
}

func newKeyCache(transport http.RoundTripper, clock clockwork.Clock) *keyCache {
	return &keyCache{client: http.Client{Transport: transport, Timeout: fetchTimeout}, clock: clock, sets: map[string]keySet{}}
}

// find returns an issuer's key. A kid that is not in the cache is looked up
// again, because the issuer may have rotated its keys. The error is a
// description for the client.
func (c *keyCache) find(ctx context.Context, issuer, kid string) (*rsa.PublicKey, error) {
	c.mu.Lock()
	set := c.sets[issuer]
	c.mu.Unlock()
	if key := set.keys[kid]; key != nil && c.clock.Since(set.fetched) < keysLast {
		return key, nil
	}
	keys, err := c.fetch(ctx, issuer)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.sets[issuer] = keySet{keys: keys, fetched: c.clock.Now()}
	c.mu.Unlock()
	if keys[kid] == nil {
		return nil, errors.New("the token's kid is none of the issuer's RSA keys")
	}
	return keys[kid], nil
}

// discover checks that an issuer has a discovery document.
func (c *keyCache) discover(ctx context.Context, issuer string) error {
	_, err := c.keysURL(ctx, issuer)
	return err
}

func (c *keyCache) fetch(ctx context.Context, issuer string) (map[string]*rsa.PublicKey, error) {
	url, err := c.keysURL(ctx, issuer)
	if err != nil {
		return nil, err
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := c.get(ctx, url, &set); err != nil {
		return nil, errors.New("JWKS communication error")
	}
	keys := map[string]*rsa.PublicKey{}
	for _, text := range set.Keys {
		var key jose.JSONWebKey
		if json.Unmarshal(text, &key) != nil {
			continue // of a kind that no token here can use
		}
		if public, isRSA := key.Key.(*rsa.PublicKey); isRSA {
			keys[key.KeyID] = public
		}
	}
	return keys, nil
}

// keysURL asks the discovery document where the keys are.
// https://openid.net/specs/openid-connect-discovery-1_0.html
func (c *keyCache) keysURL(ctx context.Context, issuer string) (string, error) {
	var configuration struct {
		KeysURL string `json:"jwks_uri"`
	}
	err := c.get(ctx, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration", &configuration)
	if err != nil || configuration.KeysURL == "" {
		return "", errors.New("OIDC discovery endpoint communication error")
	}
	return configuration.KeysURL, nil
}

func (c *keyCache) get(ctx context.Context, url string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, response.Status)
	}
	return json.NewDecoder(io.LimitReader(response.Body, maxKeySet)).Decode(into)
}
