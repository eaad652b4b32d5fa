package eventbridge

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// material is a managed secret's content: a connection's authorization parameters.
type material struct {
	Username              string          `json:"username,omitempty"`
	Password              string          `json:"password,omitempty"`
	APIKeyName            string          `json:"api_key_name,omitempty"`
	APIKeyValue           string          `json:"api_key_value,omitempty"`
	ClientID              string          `json:"client_id,omitempty"`
	ClientSecret          string          `json:"client_secret,omitempty"`
	AuthorizationEndpoint string          `json:"authorization_endpoint,omitempty"`
	HTTPMethod            string          `json:"http_method,omitempty"`
	OAuth                 *httpParameters `json:"oauth_http_parameters,omitempty"`
	Invocation            *httpParameters `json:"invocation_http_parameters,omitempty"`
}

type httpParameters struct {
	Header []parameter `json:"header_parameters,omitempty"`
	Query  []parameter `json:"query_string_parameters,omitempty"`
	Body   []parameter `json:"body_parameters,omitempty"`
}

type parameter struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Secret bool   `json:"is_value_secret"`
}

// newMaterial reads the parameters of a new connection.
func newMaterial(in *eventbridge.CreateConnectionInput) (*material, error) {
	if err := first(
		anyName.check("name", in.Name),
		atMost("description", in.Description, 512),
		oneOf("authorizationType", in.AuthorizationType, []types.ConnectionAuthorizationType{
			types.ConnectionAuthorizationTypeBasic, types.ConnectionAuthorizationTypeOauthClientCredentials, types.ConnectionAuthorizationTypeApiKey}),
		refuse(map[string]bool{"InvocationConnectivityParameters": in.InvocationConnectivityParameters != nil}),
	); err != nil {
		return nil, err
	}
	if in.AuthParameters == nil {
		return nil, missing("authParameters")
	}
	held := &material{}
	return held, held.merge("create", in.AuthorizationType, updateOf(in.AuthParameters))
}

// updateOf makes a creation's parameters those of an update of nothing.
func updateOf(in *types.CreateConnectionAuthRequestParameters) *types.UpdateConnectionAuthRequestParameters {
	out := &types.UpdateConnectionAuthRequestParameters{
		ConnectivityParameters: in.ConnectivityParameters, InvocationHttpParameters: in.InvocationHttpParameters,
	}
	if p := in.BasicAuthParameters; p != nil {
		out.BasicAuthParameters = &types.UpdateConnectionBasicAuthRequestParameters{Username: p.Username, Password: p.Password}
	}
	if p := in.ApiKeyAuthParameters; p != nil {
		out.ApiKeyAuthParameters = &types.UpdateConnectionApiKeyAuthRequestParameters{ApiKeyName: p.ApiKeyName, ApiKeyValue: p.ApiKeyValue}
	}
	if p := in.OAuthParameters; p != nil {
		out.OAuthParameters = &types.UpdateConnectionOAuthRequestParameters{
			AuthorizationEndpoint: p.AuthorizationEndpoint, HttpMethod: p.HttpMethod, OAuthHttpParameters: p.OAuthHttpParameters,
		}
		if p.ClientParameters != nil {
			out.OAuthParameters.ClientParameters = &types.UpdateConnectionOAuthClientRequestParameters{
				ClientID: p.ClientParameters.ClientID, ClientSecret: p.ClientParameters.ClientSecret,
			}
		}
	}
	return out
}

// checkUpdate refuses an update that would change nothing.
func checkUpdate(in *eventbridge.UpdateConnectionInput) error {
	if err := first(
		anyName.check("name", in.Name),
		atMost("description", in.Description, 512),
		refuse(map[string]bool{"InvocationConnectivityParameters": in.InvocationConnectivityParameters != nil}),
	); err != nil {
		return err
	}
	if in.AuthorizationType != "" {
		if err := oneOf("authorizationType", in.AuthorizationType, in.AuthorizationType.Values()); err != nil {
			return err
		}
	}
	if in.Description == nil && in.KmsKeyIdentifier == nil && !reauthorizes(in) {
		return invalid("Failed to update the connection(s). At least one of the following is required: Description, KmsKeyIdentifier, " +
			"AuthorizationType with BasicAuthParameters, ApiKeyAuthParameters, or OAuthParameters.")
	}
	return nil
}

// reauthorizes: only a type together with the parameters of that type changes
// the credentials.
func reauthorizes(in *eventbridge.UpdateConnectionInput) bool {
	if in.AuthParameters == nil {
		return false
	}
	switch in.AuthorizationType {
	case types.ConnectionAuthorizationTypeBasic:
		return in.AuthParameters.BasicAuthParameters != nil
	case types.ConnectionAuthorizationTypeApiKey:
		return in.AuthParameters.ApiKeyAuthParameters != nil
	case types.ConnectionAuthorizationTypeOauthClientCredentials:
		return in.AuthParameters.OAuthParameters != nil
	}
	return false
}

// merge puts what is given over what is there, and returns an error unless the
// result is complete.
func (m *material) merge(verb string, kind types.ConnectionAuthorizationType, in *types.UpdateConnectionAuthRequestParameters) error {
	if in.ConnectivityParameters != nil {
		return unsupported("AuthParameters.ConnectivityParameters")
	}
	if in.InvocationHttpParameters != nil {
		m.Invocation = read(in.InvocationHttpParameters)
	}
	switch kind {
	case types.ConnectionAuthorizationTypeBasic:
		if p := in.BasicAuthParameters; p != nil {
			set(&m.Username, p.Username)
			set(&m.Password, p.Password)
		}
		return complete(verb, credential{"Username", m.Username}, credential{"Password", m.Password})
	case types.ConnectionAuthorizationTypeApiKey:
		if p := in.ApiKeyAuthParameters; p != nil {
			set(&m.APIKeyName, p.ApiKeyName)
			set(&m.APIKeyValue, p.ApiKeyValue)
		}
		return complete(verb, credential{"ApiKeyName", m.APIKeyName}, credential{"ApiKeyValue", m.APIKeyValue})
	}
	if p := in.OAuthParameters; p != nil {
		m.mergeOAuth(p)
	}
	if err := complete(verb, credential{"ClientID", m.ClientID}, credential{"ClientSecret", m.ClientSecret}); err != nil {
		return err
	}
	if !validEndpoint(m.AuthorizationEndpoint) || !strings.HasPrefix(m.AuthorizationEndpoint, "https://") {
		return invalid("Failed to %s the connection(s). Parameter AuthorizationEndpoint is not valid. "+
			"Reason: Endpoint '%s' is invalid, please provide a valid HTTPS endpoint URL.", verb, m.AuthorizationEndpoint)
	}
	return oneOf("authParameters.oAuthParameters.httpMethod", types.ConnectionOAuthHttpMethod(m.HTTPMethod), types.ConnectionOAuthHttpMethod("").Values())
}

func (m *material) mergeOAuth(p *types.UpdateConnectionOAuthRequestParameters) {
	if p.ClientParameters != nil {
		set(&m.ClientID, p.ClientParameters.ClientID)
		set(&m.ClientSecret, p.ClientParameters.ClientSecret)
	}
	set(&m.AuthorizationEndpoint, p.AuthorizationEndpoint)
	if p.HttpMethod != "" {
		m.HTTPMethod = string(p.HttpMethod)
	}
	if p.OAuthHttpParameters != nil {
		m.OAuth = read(p.OAuthHttpParameters)
	}
}

func set(into *string, from *string) {
	if from != nil {
		*into = *from
	}
}

type credential struct{ name, value string }

// complete checks length and characters, without repeating the value. AWS's
// API model bars control characters and the colon.
func complete(verb string, credentials ...credential) error {
	for _, c := range credentials {
		barred := func(r rune) bool { return r < ' ' || r == 0x7f || r == ':' }
		if c.value == "" || len(c.value) > 512 || strings.ContainsFunc(c.value, barred) {
			return invalid("Failed to %s the connection(s). Parameter %s is not valid. "+
				"Reason: it must have 1 to 512 characters, none of them a colon or a control character.", verb, c.name)
		}
	}
	return nil
}

func read(in *types.ConnectionHttpParameters) *httpParameters {
	out := &httpParameters{}
	for _, p := range in.HeaderParameters {
		out.Header = append(out.Header, parameter{value(p.Key), value(p.Value), p.IsValueSecret})
	}
	for _, p := range in.QueryStringParameters {
		out.Query = append(out.Query, parameter{value(p.Key), value(p.Value), p.IsValueSecret})
	}
	for _, p := range in.BodyParameters {
		out.Body = append(out.Body, parameter{value(p.Key), value(p.Value), p.IsValueSecret})
	}
	return out
}

// shown is what DescribeConnection may show.
func (m *material) shown() *types.ConnectionAuthResponseParameters {
	out := &types.ConnectionAuthResponseParameters{InvocationHttpParameters: m.Invocation.shown()}
	switch {
	case m.Username != "":
		out.BasicAuthParameters = &types.ConnectionBasicAuthResponseParameters{Username: aws.String(m.Username)}
	case m.APIKeyName != "":
		out.ApiKeyAuthParameters = &types.ConnectionApiKeyAuthResponseParameters{ApiKeyName: aws.String(m.APIKeyName)}
	default:
		out.OAuthParameters = &types.ConnectionOAuthResponseParameters{
			ClientParameters:      &types.ConnectionOAuthClientResponseParameters{ClientID: aws.String(m.ClientID)},
			AuthorizationEndpoint: aws.String(m.AuthorizationEndpoint), HttpMethod: types.ConnectionOAuthHttpMethod(m.HTTPMethod),
			OAuthHttpParameters: m.OAuth.shown(),
		}
	}
	return out
}

func (p *httpParameters) shown() *types.ConnectionHttpParameters {
	if p == nil {
		return nil
	}
	out := &types.ConnectionHttpParameters{}
	for _, each := range p.Header {
		out.HeaderParameters = append(out.HeaderParameters, types.ConnectionHeaderParameter{Key: aws.String(each.Key), Value: each.open(), IsValueSecret: each.Secret})
	}
	for _, each := range p.Query {
		out.QueryStringParameters = append(out.QueryStringParameters, types.ConnectionQueryStringParameter{Key: aws.String(each.Key), Value: each.open(), IsValueSecret: each.Secret})
	}
	for _, each := range p.Body {
		out.BodyParameters = append(out.BodyParameters, types.ConnectionBodyParameter{Key: aws.String(each.Key), Value: each.open(), IsValueSecret: each.Secret})
	}
	return out
}

func (p parameter) open() *string {
	if p.Secret {
		return nil
	}
	return aws.String(p.Value)
}

func (p *httpParameters) addQuery(query url.Values) {
	if p == nil {
		return
	}
	for _, each := range p.Query {
		query.Set(each.Key, each.Value)
	}
}

func (p *httpParameters) addHeaders(headers http.Header) {
	if p == nil {
		return
	}
	for _, each := range p.Header {
		setHeader(headers, each.Key, each.Value)
	}
}

func (p *httpParameters) body() []parameter {
	if p == nil {
		return nil
	}
	return p.Body
}

// dropped are the headers that EventBridge does not let anybody set.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
var dropped = []string{
	"A-Im", "Accept-Charset", "Accept-Datetime", "Accept-Encoding", "Cache-Control", "Connection", "Content-Encoding", "Content-Length",
	"Content-Md5", "Date", "Expect", "Forwarded", "From", "Host", "Http2-Settings", "Max-Forwards", "Origin", "Pragma", "Proxy-Authorization",
	"Range", "Referer", "Te", "Trailer", "Transfer-Encoding", "User-Agent", "Upgrade", "Via", "Warning",
}

func setHeader(headers http.Header, name, text string) {
	canonical := http.CanonicalHeaderKey(name)
	if slices.Contains(dropped, canonical) || strings.HasPrefix(canonical, "If-") {
		return
	}
	headers.Set(canonical, text)
}
