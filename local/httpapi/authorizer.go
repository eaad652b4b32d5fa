package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/go-jose/go-jose/v4"
	josejson "github.com/go-jose/go-jose/v4/json"
	"github.com/go-jose/go-jose/v4/jwt"
)

// algorithms are the RSA-based ones, which are all that API Gateway supports.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512}

// verified is a token that an authorizer let through.
type verified struct {
	claims map[string]string
	scopes []string // those of the route that the token has
}

// refusal says why a token is not let through.
type refusal struct {
	status      int    // 401 or 403
	code        string // of RFC 6750; empty where there is no token at all
	description string
}

// challenge is the www-authenticate header.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-jwt.html
func (r *refusal) challenge(scopes []string) string {
	if r.code == "" {
		return "Bearer"
	}
	return fmt.Sprintf("Bearer scope=%q error=%q error_description=%q", strings.Join(scopes, " "), r.code, r.description)
}

// tokenClaims are those that an authorizer judges.
type tokenClaims struct {
	Issuer    string           `json:"iss"`
	Audience  jwt.Audience     `json:"aud"`
	ClientID  string           `json:"client_id"`
	Expiry    *jwt.NumericDate `json:"exp"`
	NotBefore *jwt.NumericDate `json:"nbf"`
	IssuedAt  *jwt.NumericDate `json:"iat"`
	Scope     jwt.Audience     `json:"scope"` // like aud a text or a list
	Scp       jwt.Audience     `json:"scp"`
}

// authenticate checks a request's token against its route's authorizer and
// scopes: the signature first, then the claims, the scopes last.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
func (s *Service) authenticate(ctx context.Context, c *call) *refusal {
	text := identity(c.Request, c.route.authorizer.IdentitySource[0])
	if text == "" {
		return &refusal{status: http.StatusUnauthorized}
	}
	payload, err := s.verify(ctx, text, *c.route.authorizer.JwtConfiguration.Issuer)
	if err != nil {
		return invalidToken(err.Error())
	}
	var claims tokenClaims
	// Names of claims are case-sensitive (RFC 7519, section 4), which the
	// standard library's are not.
	if err := josejson.Unmarshal(payload, &claims); err != nil {
		return invalidToken("the token's claims cannot be read")
	}
	if fault := claims.fault(c.route.authorizer.JwtConfiguration, s.Clock.Now()); fault != "" {
		return invalidToken(fault)
	}
	scopes, allowed := claims.granted(c.route.settings.AuthorizationScopes)
	if !allowed {
		return &refusal{http.StatusForbidden, "insufficient_scope", "the token has none of the route's scopes"}
	}
	c.token = &verified{claims: texts(payload), scopes: scopes}
	return nil
}

func invalidToken(description string) *refusal {
	return &refusal{http.StatusUnauthorized, "invalid_token", description}
}

// identity is the token, with or without Bearer before it.
func identity(r *http.Request, source string) string {
	name, inHeader := strings.CutPrefix(source, "$request.header.")
	text := r.Header.Get(name)
	if !inHeader {
		text = r.URL.Query().Get(strings.TrimPrefix(source, "$request.querystring."))
	}
	if scheme, token, found := strings.Cut(text, " "); found && strings.EqualFold(scheme, "Bearer") {
		text = token
	}
	return strings.TrimSpace(text)
}

// verify returns the claims of a token that the issuer signed.
func (s *Service) verify(ctx context.Context, text, issuer string) ([]byte, error) {
	token, err := jose.ParseSignedCompact(text, algorithms)
	if err != nil {
		return nil, fmt.Errorf("the token is malformed or not signed with RS256, RS384 or RS512")
	}
	kid := token.Signatures[0].Header.KeyID
	if kid == "" {
		return nil, fmt.Errorf("the token has no kid")
	}
	key, err := s.keys.find(ctx, issuer, kid)
	if err != nil {
		return nil, err
	}
	payload, err := token.Verify(key)
	if err != nil {
		return nil, fmt.Errorf("the token's signature is invalid")
	}
	return payload, nil
}

// fault says what is wrong with the claims; empty for nothing.
func (t *tokenClaims) fault(configuration *types.JWTConfiguration, now time.Time) string {
	// The client id counts only where there is no audience.
	audience := []string(t.Audience)
	if len(audience) == 0 {
		audience = []string{t.ClientID}
	}
	known := func(name string) bool { return name != "" && slices.Contains(configuration.Audience, name) }
	switch {
	case t.Issuer != *configuration.Issuer:
		return "the token does not have a valid issuer"
	case !slices.ContainsFunc(audience, known):
		return "the token does not have a valid audience"
	case t.Expiry == nil, !t.Expiry.Time().After(now):
		return "the token has expired"
	case t.NotBefore != nil && t.NotBefore.Time().After(now):
		return "the token is not valid yet"
	case t.IssuedAt != nil && t.IssuedAt.Time().After(now):
		return "the token is issued in the future"
	}
	return ""
}

// granted returns which of the wanted scopes the token has; one is enough.
func (t *tokenClaims) granted(wanted []string) (scopes []string, allowed bool) {
	if len(wanted) == 0 {
		return nil, true
	}
	has := strings.Fields(strings.Join(append(slices.Clone(t.Scope), t.Scp...), " "))
	for _, scope := range wanted {
		if slices.Contains(has, scope) {
			scopes = append(scopes, scope)
		}
	}
	return scopes, len(scopes) > 0
}

// texts are the claims as functions see them: every value as text, lists as
// their members in brackets.
func texts(payload []byte) map[string]string {
	var claims map[string]json.RawMessage
	_ = json.Unmarshal(payload, &claims) // the same bytes were read as an object before
	all := map[string]string{}
	for name, value := range claims {
		var text string
		var list []string
		switch {
		case json.Unmarshal(value, &text) == nil:
			all[name] = text
		case json.Unmarshal(value, &list) == nil:
			all[name] = "[" + strings.Join(list, " ") + "]"
		default:
			all[name] = string(value)
		}
	}
	return all
}
