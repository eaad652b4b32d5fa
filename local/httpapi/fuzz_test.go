package httpapi_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
	"api-destination-credentials/local/httpapi"
)

// fuzzed is a service without a server, and the issuer whose tokens it takes.
func fuzzed() (*httpapi.Service, *issuer) {
	pool := newIssuer()
	return httpapi.New(httpapi.Config{
		Account: access.Account{ID: "123456789012", Region: "us-east-1"},
		Auth:    &guard{}, Clock: clockwork.NewFakeClockAt(start), Functions: &functions{answer: returning(`{"ok":true}`)}, HTTP: pool,
	}), pool
}

// imported is the id of an API with a default stage.
func imported(t testing.TB, s *httpapi.Service, document string) (id string, err error) {
	out, err := s.ImportApi(t.Context(), &apigatewayv2.ImportApiInput{Body: &document})
	if err != nil {
		return "", err
	}
	must(s.CreateStage(t.Context(), &apigatewayv2.CreateStageInput{ApiId: out.ApiId, StageName: aws.String("$default"), AutoDeploy: aws.Bool(true)}))
	return *out.ApiId, nil
}

// ask sends a request to an API; nil where its path cannot be a request's.
func ask(s *httpapi.Service, id, path, authorization string) *httptest.ResponseRecorder {
	request, err := http.NewRequest("GET", "http://"+id+".execute-api.us-east-1.amazonaws.com/"+path, http.NoBody)
	if err != nil {
		return nil
	}
	request.Header.Set("Authorization", authorization)
	answered := httptest.NewRecorder()
	s.Handler().ServeHTTP(answered, request)
	return answered
}

// FuzzImport holds that a document is refused with its problems, or makes an
// API that is within the limits and answers every path in JSON.
func FuzzImport(f *testing.F) {
	for _, document := range []object{receiver("a"), open("GET /a/{b}", "ANY /{all+}", "POST /")} {
		f.Add(*text(document), "a/b%2Fc")
	}
	f.Add("openapi: 3.0.1\ninfo: {title: yaml, version: '1'}\npaths: {1: {get: {}}, ~: 2, a: &a {b: *a}}\n", "")
	f.Add("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n", "")
	s, _ := fuzzed()
	f.Fuzz(func(t *testing.T, document, path string) {
		id, err := imported(t, s, document)
		if err != nil {
			if codeOf(err) != "BadRequestException" || strings.TrimSpace(err.Error()) == "" {
				t.Errorf("%q is refused with %v", document, err)
			}
			return
		}
		defer func() { must(s.DeleteApi(t.Context(), &apigatewayv2.DeleteApiInput{ApiId: &id})) }()
		if aws.ToString(must(s.GetApi(t.Context(), &apigatewayv2.GetApiInput{ApiId: &id})).Name) == "" {
			t.Errorf("%q makes an API without a name", document)
		}
		for _, made := range must(s.GetIntegrations(t.Context(), &apigatewayv2.GetIntegrationsInput{ApiId: &id})).Items {
			if milliseconds := *made.TimeoutInMillis; milliseconds < 50 || milliseconds > 30000 {
				t.Errorf("%q makes a timeout of %d", document, milliseconds)
			}
		}
		if answered := ask(s, id, path, ""); answered != nil && (!json.Valid(answered.Body.Bytes()) || answered.Code >= 500) {
			t.Errorf("GET %s answers %d %s", path, answered.Code, answered.Body)
		}
	})
}

// FuzzToken holds that nobody gets through without a token that the pool signed
// with RSA, for this audience and now. A token has any header and claims, and
// is signed by the pool, by somebody else or by nobody.
func FuzzToken(f *testing.F) {
	claims := func(edit string) string {
		return fmt.Sprintf(`{"iss":%q,"client_id":"client","scope":"events/write","iat":%d,"exp":%d%s}`, issuerURL, start.Unix(), start.Unix()+60, edit)
	}
	for signature := range byte(8) {
		for _, header := range []string{
			`{"alg":"RS256","kid":"first"}`, `{"alg":"none","kid":"first"}`, `{"alg":"HS256","kid":"first"}`, `{"alg":"RS512","kid":"first"}`, `{"alg":"PS256","kid":"first"}`,
			`{"ALG":"RS256","kid":"first","jwk":{"kty":"oct","k":"AA"}}`, `{"alg":"RS256","kid":"first","crit":["b64"],"b64":false}`,
		} {
			f.Add(header, claims(""), signature, "Bearer ")
		}
	}
	for _, edit := range []string{`,"exp":1,"EXP":99999999999`, `,"exp":1`, `,"aud":["other"]`, `,"aud":null`, `,"nbf":1e99`, `,"iat":"soon"`, `,"scp":[1]`} {
		f.Add(`{"alg":"RS256","kid":"first"}`, claims(edit), byte(0), "bEARER ")
	}
	f.Add(`{"alg":"RS256","kid":"first"}`, strings.Replace(claims(""), "exp", "EXP", 1), byte(0), "")
	f.Add(`{"alg":"RS256","kid":"first"}`, "null", byte(0), "Bearer")

	s, pool := fuzzed()
	id := must(imported(f, s, *text(receiver("events/write"))))
	f.Fuzz(func(t *testing.T, header, claims string, signature byte, scheme string) {
		signed := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
		token := signed + "." + base64.RawURLEncoding.EncodeToString(sign(pool, signature%8, signed, header))
		answered := ask(s, id, "", scheme+token)
		if strings.ContainsAny(answered.Header().Get("Www-Authenticate"), "\r\n") || strings.Contains(answered.Body.String()+answered.Header().Get("Www-Authenticate"), signed) {
			t.Errorf("the answer repeats the token: %v %s", answered.Header(), answered.Body)
		}
		switch answered.Code {
		case http.StatusUnauthorized, http.StatusForbidden:
			if answered.Header().Get("Www-Authenticate") == "" {
				t.Error("a refusal has no challenge")
			}
		case http.StatusOK:
			if signature%8 != 0 || !acceptable(header, claims) {
				t.Errorf("the token %s.%s is let through, signed in the way %d", header, claims, signature%8)
			}
		default:
			t.Errorf("answers %d %s", answered.Code, answered.Body)
		}
	})
}

// sign signs by the pool with the header's algorithm, or in a way that must not do.
func sign(pool *issuer, way byte, text, header string) []byte {
	public := must(x509.MarshalPKIXPublicKey(pool.private.Public()))
	shared := func(key []byte) []byte {
		code := hmac.New(sha256.New, key)
		code.Write([]byte(text))
		return code.Sum(nil)
	}
	switch way {
	case 0:
		var stated struct{ Alg string }
		_ = json.Unmarshal([]byte(header), &stated)
		switch stated.Alg {
		case "RS384":
			return must(rsa.SignPKCS1v15(nil, pool.private, crypto.SHA384, digest(crypto.SHA384, text)))
		case "RS512":
			return must(rsa.SignPKCS1v15(nil, pool.private, crypto.SHA512, digest(crypto.SHA512, text)))
		}
		return must(rsa.SignPKCS1v15(nil, pool.private, crypto.SHA256, digest(crypto.SHA256, text)))
	case 1:
		return must(rsa.SignPKCS1v15(nil, signingKeys()[1], crypto.SHA256, digest(crypto.SHA256, text)))
	case 2:
		return must(rsa.SignPSS(rand.Reader, pool.private, crypto.SHA256, digest(crypto.SHA256, text), nil))
	case 3:
		return shared(public)
	case 4:
		return shared(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
	case 5:
		return shared(pool.private.N.Bytes())
	}
	return nil
}

func digest(hash crypto.Hash, text string) []byte {
	h := hash.New()
	h.Write([]byte(text))
	return h.Sum(nil)
}

// acceptable judges a token once more, by its members' exact names.
func acceptable(header, claims string) bool {
	var about, token map[string]any
	if json.Unmarshal([]byte(header), &about) != nil || json.Unmarshal([]byte(claims), &token) != nil {
		return false
	}
	audience := token["client_id"] == "client"
	if given, ok := token["aud"].([]any); ok && len(given) > 0 {
		audience = slices.Contains(given, "client")
	} else if token["aud"] != nil && !ok {
		audience = token["aud"] == "client"
	}
	now := float64(start.Unix())
	before := func(name string) bool {
		moment, ok := token[name].(float64)
		return token[name] == nil || ok && moment < now+1
	}
	expiry, expires := token["exp"].(float64)
	return slices.Contains([]any{"RS256", "RS384", "RS512"}, about["alg"]) && about["kid"] == "first" &&
		token["iss"] == issuerURL && audience && expires && expiry > now && before("nbf") && before("iat") &&
		strings.Contains(fmt.Sprint(token["scope"], token["scp"]), "events/write")
}
