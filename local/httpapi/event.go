package httpapi

import (
	"encoding/base64"
	"fmt"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// event is what the function gets: payload format 2.0.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
func (s *Service) event(c *call, body []byte) events.APIGatewayV2HTTPRequest {
	source := sourceIP(c.Request)
	domain, _, _ := strings.Cut(c.Host, ":")
	event := events.APIGatewayV2HTTPRequest{
		Version:               "2.0",
		RouteKey:              *c.route.settings.RouteKey,
		RawPath:               c.URL.EscapedPath(),
		RawQueryString:        c.URL.RawQuery,
		Cookies:               cookies(c.Header),
		Headers:               headers(c, source, len(body)),
		QueryStringParameters: query(c.Request),
		PathParameters:        c.pathVariables,
		StageVariables:        c.stageVariables,
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey:     *c.route.settings.RouteKey,
			AccountID:    s.Account.ID,
			Stage:        c.stage,
			RequestID:    c.id,
			APIID:        c.apiID,
			DomainName:   domain,
			DomainPrefix: c.apiID,
			Time:         c.received.UTC().Format("02/Jan/2006:15:04:05 -0700"),
			TimeEpoch:    c.received.UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method:    c.Method,
				Path:      c.URL.EscapedPath(),
				Protocol:  c.Proto,
				SourceIP:  source,
				UserAgent: c.UserAgent(),
			},
		},
	}
	if c.token != nil {
		event.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
			JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: c.token.claims, Scopes: c.token.scopes},
		}
	}
	if isText(c.Header.Get("Content-Type")) {
		event.Body = string(body)
	} else if len(body) > 0 {
		event.Body, event.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	return event
}

// headers are in lower case, several of a name joined by commas. Cookies have a
// place of their own.
func headers(c *call, source string, length int) map[string]string {
	all := map[string]string{}
	for name, values := range c.Header {
		if name != "Cookie" {
			all[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	all["host"], _, _ = strings.Cut(c.Host, ":")
	all["content-length"] = strconv.Itoa(length)
	all["x-forwarded-for"] = strings.TrimPrefix(all["x-forwarded-for"]+", "+source, ", ")
	all["x-forwarded-port"] = "443"
	all["x-forwarded-proto"] = "https"
	if all["x-amzn-trace-id"] == "" {
		all["x-amzn-trace-id"] = fmt.Sprintf("Root=1-%08x-%x", c.received.Unix(), c.id[:12])
	}
	return all
}

func cookies(h http.Header) []string {
	var all []string
	for _, line := range h.Values("Cookie") {
		for _, cookie := range strings.Split(line, ";") {
			all = append(all, strings.TrimSpace(cookie))
		}
	}
	return all
}

func query(r *http.Request) map[string]string {
	all := map[string]string{}
	for name, values := range r.URL.Query() {
		all[name] = strings.Join(values, ",")
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

func sourceIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// isText tells which bodies are passed on as they are; others, forms and bodies
// without a type among them, are passed on in base64.
func isText(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	switch media {
	case "application/json", "application/javascript", "application/xml":
		return true
	}
	return strings.HasPrefix(media, "text/")
}
