package cognito

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// signingKey signs a pool's tokens (RS256).
type signingKey struct {
	jwk    jose.JSONWebKey
	signer jose.Signer
}

// newSigningKey takes a moment, which is why a pool makes its key when it is
// first needed.
func newSigningKey() *signingKey {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // cannot happen: the reader never fails
	}
	jwk := jose.JSONWebKey{Key: private, Algorithm: string(jose.RS256), Use: "sig"}
	thumbprint, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		panic(err) // an RSA key has one
	}
	jwk.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jwk}, nil)
	if err != nil {
		panic(err) // an RSA key signs RS256
	}
	return &signingKey{jwk: jwk, signer: signer}
}

func (k *signingKey) sign(claims any) (string, error) {
	return jwt.Signed(k.signer).Claims(claims).Serialize()
}

// issuer is the pool's identity in tokens.
// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
func (s *Service) issuer(poolID string) string {
	return "https://cognito-idp." + s.Account.Region + ".amazonaws.com/" + poolID
}

// IdentityHandler serves cognito-idp.REGION.amazonaws.com for verifiers of
// tokens: POOL/.well-known/openid-configuration and POOL/.well-known/jwks.json.
// https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html
func (s *Service) IdentityHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{pool}/.well-known/jwks.json", func(w http.ResponseWriter, r *http.Request) {
		key, _, found := s.published(r.PathValue("pool"))
		if !found {
			answer(w, http.StatusNotFound, map[string]string{"message": "User pool does not exist."})
			return
		}
		answer(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key().jwk.Public()}})
	})
	mux.HandleFunc("GET /{pool}/.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		_, prefix, found := s.published(r.PathValue("pool"))
		if !found {
			answer(w, http.StatusNotFound, map[string]string{"message": "User pool does not exist."})
			return
		}
		issuer := s.issuer(r.PathValue("pool"))
		configuration := map[string]any{
			"issuer":                                issuer,
			"jwks_uri":                              issuer + "/.well-known/jwks.json",
			"id_token_signing_alg_values_supported": []string{string(jose.RS256)},
			"response_types_supported":              []string{"code", "token"},
			"subject_types_supported":               []string{"public"},
			"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
		}
		if prefix != "" {
			configuration["token_endpoint"] = "https://" + prefix + ".auth." + s.Account.Region + ".amazoncognito.com/oauth2/token"
		}
		answer(w, http.StatusOK, configuration)
	})
	return mux
}

// published is what the world may know of a pool.
func (s *Service) published(poolID string) (key func() *signingKey, prefix string, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.pool(aws.String(poolID))
	if err != nil {
		return nil, "", false
	}
	if p.domain != nil {
		prefix = p.domain.prefix
	}
	return p.key, prefix, true
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may have left
}
