package cognito

import (
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/google/uuid"
)

// grantError is an error of the token endpoint. Cognito answers each of them,
// a wrong secret included, with 400.
// https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html
type grantError string

const (
	invalidRequest       grantError = "invalid_request"
	invalidClient        grantError = "invalid_client"
	invalidGrant         grantError = "invalid_grant"
	invalidScope         grantError = "invalid_scope"
	unauthorizedClient   grantError = "unauthorized_client"
	unsupportedGrantType grantError = "unsupported_grant_type"
)

const maxTokenRequest = 64 << 10 // bytes

// AuthHandler serves PREFIX.auth.REGION.amazoncognito.com: POST /oauth2/token
// with the client_credentials grant. The prefix is taken from the Host header.
// https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html
func (s *Service) AuthHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oauth2/token", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, maxTokenRequest)
		prefix, _, _ := strings.Cut(strings.ToLower(r.Host), ".")
		grant, refusal := s.grant(prefix, r)
		if refusal != "" {
			answer(w, http.StatusBadRequest, map[string]grantError{"error": refusal})
			return
		}
		token, err := grant.key().sign(grant.claims)
		if err != nil {
			answer(w, http.StatusInternalServerError, map[string]string{"error": "server_error"})
			return
		}
		answer(w, http.StatusOK, map[string]any{
			"access_token": token,
			"expires_in":   grant.claims.Expiry - grant.claims.IssuedAt,
			"token_type":   "Bearer",
		})
	})
	return mux
}

// grant is a token before it is signed.
type grant struct {
	claims accessToken
	key    func() *signingKey
}

// accessToken has the claims of a token for a machine; times are in epoch seconds.
// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
type accessToken struct {
	Subject  string `json:"sub"`
	Use      string `json:"token_use"`
	Scope    string `json:"scope"`
	AuthTime int64  `json:"auth_time"`
	Issuer   string `json:"iss"`
	Expiry   int64  `json:"exp"`
	IssuedAt int64  `json:"iat"`
	Version  int    `json:"version"`
	ID       string `json:"jti"`
	ClientID string `json:"client_id"`
}

// grant decides on a token request to the domain with the prefix.
func (s *Service) grant(prefix string, r *http.Request) (grant, grantError) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		return grant{}, invalidRequest
	}
	if err := r.ParseForm(); err != nil {
		return grant{}, invalidRequest
	}
	switch r.PostForm.Get("grant_type") {
	case "client_credentials":
	case "":
		return grant{}, invalidRequest
	case "authorization_code", "refresh_token":
		return grant{}, invalidGrant // no client here was ever given a code or refresh token
	default:
		return grant{}, unsupportedGrantType
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.poolOfDomain(prefix)
	if p == nil {
		return grant{}, invalidRequest
	}
	c := p.authenticate(r)
	if c == nil {
		return grant{}, invalidClient
	}
	if !*c.settings.AllowedOAuthFlowsUserPoolClient || !slices.Contains(c.settings.AllowedOAuthFlows, types.OAuthFlowTypeClientCredentials) {
		return grant{}, unauthorizedClient
	}
	scopes := strings.Fields(r.PostForm.Get("scope"))
	if len(scopes) == 0 {
		scopes = c.settings.AllowedOAuthScopes
	}
	for _, scope := range scopes {
		if !slices.Contains(c.settings.AllowedOAuthScopes, scope) {
			return grant{}, invalidScope
		}
	}
	return grant{claims: s.claims(p, c, scopes), key: p.key}, ""
}

// authenticate returns the client whose credentials are in the Authorization
// header (client_secret_basic) or the body (client_secret_post), else nil.
func (p *pool) authenticate(r *http.Request) *client {
	id, password, basic := r.BasicAuth()
	if !basic {
		id, password = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	if named := r.PostForm.Get("client_id"); named != "" && named != id {
		return nil
	}
	c := p.client(id)
	if c == nil || !c.accepts(password) {
		return nil
	}
	return c
}

func (s *Service) claims(p *pool, c *client, scopes []string) accessToken {
	now := s.Clock.Now()
	lifetime, _ := accessTokenLifetime(c.settings) // configure lets only good ones in
	return accessToken{
		Subject:  *c.settings.ClientId,
		Use:      "access",
		Scope:    strings.Join(scopes, " "),
		AuthTime: now.Unix(),
		Issuer:   s.issuer(aws.ToString(p.settings.Id)),
		Expiry:   now.Unix() + int64(lifetime/time.Second),
		IssuedAt: now.Unix(),
		Version:  2,
		ID:       uuid.NewString(),
		ClientID: *c.settings.ClientId,
	}
}
