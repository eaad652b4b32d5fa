// Package httpapi is API Gateway's HTTP APIs: APIs made from an OpenAPI 3
// document whose routes invoke Lambda functions (payload format 2.0), with JWT
// authorizers and auto-deployed stages, and the hosts they answer on. Whatever
// a document asks for beyond that is refused by name.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api.html
package httpapi

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
)

// Functions runs what the routes lead to.
type Functions interface {
	Invoke(context.Context, *lambda.InvokeInput) (*lambda.InvokeOutput, error)
}

// Config is what a Service depends on.
type Config struct {
	Account access.Account
	Auth    access.Authorizer
	// Clock dates requests and judges tokens and cached keys. Integration
	// timeouts are real time, because functions are real processes.
	Clock     clockwork.Clock
	Functions Functions
	HTTP      http.RoundTripper // reaches the issuers of tokens
	Log       *slog.Logger      // says why a request ended in a 5xx answer; nil for nowhere
}

// Service is API Gateway v2 in one account and Region. It is safe for
// concurrent use.
type Service struct {
	Config
	keys *keyCache

	mu sync.Mutex
	// apis are in order of creation. What they hold is replaced as a whole and
	// never changed in place, so that outputs and requests may share it.
	apis []*api
}

// New returns a Service without APIs.
func New(config Config) *Service {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{Config: config, keys: newKeyCache(config.HTTP, config.Clock)}
}

// arn names a management resource by its path: /apis/ID and so on.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html
func (s *Service) arn(path string) string {
	return "arn:aws:apigateway:" + s.Account.Region + "::" + path
}

// authorize asks for the HTTP method on the path, which is how IAM knows API
// Gateway's management.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagementv2.html
func (s *Service) authorize(ctx context.Context, method, path string) error {
	return s.Auth.Authorize(ctx, access.Request{Action: "apigateway:" + method, Resource: s.arn(path)})
}

// locked runs f on an API that the caller was authorized for. below is the
// path under /apis/ID.
func (s *Service) locked(ctx context.Context, method string, apiID *string, below string, f func(*api) error) error {
	if aws.ToString(apiID) == "" {
		return badRequest("ApiId is missing: name the API.")
	}
	if err := s.authorize(ctx, method, "/apis/"+*apiID+below); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.api(*apiID)
	if a == nil {
		return notFound("Invalid API identifier specified %s:%s", s.Account.ID, *apiID)
	}
	return f(a)
}

// api returns the API of an id or nil; s.mu is held.
func (s *Service) api(id string) *api {
	for _, a := range s.apis {
		if *a.settings.ApiId == id {
			return a
		}
	}
	return nil
}

// onlySupported refuses the first field of an input that is set and not among
// those that this package acts on or stores.
func onlySupported(input any, fields ...string) error {
	v := reflect.ValueOf(input).Elem()
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.IsExported() && !v.Field(i).IsZero() && !slices.Contains(fields, field.Name) {
			return &smithy.GenericAPIError{
				Code:    "ValidationException",
				Message: field.Name + " is not supported by the local endpoint: leave it out, or try it on AWS.",
			}
		}
	}
	return nil
}

// page returns the items that a list operation answers with and the token for
// the rest; nil where nothing is left.
func page[T any](items []T, most, token *string) ([]T, *string, error) {
	start, size := 0, len(items)
	for field, number := range map[string]struct {
		given *string
		into  *int
		least int
	}{"MaxResults": {most, &size, 1}, "NextToken": {token, &start, 0}} {
		if number.given == nil {
			continue
		}
		n, err := strconv.Atoi(*number.given)
		if err != nil || n < number.least {
			return nil, nil, badRequest("Invalid value for %s: pass a whole number, or the token of the previous page.", field)
		}
		*number.into = n
	}
	start = min(start, len(items))
	end := min(start+size, len(items))
	if end == len(items) {
		return items[start:], nil, nil
	}
	return items[start:end], aws.String(strconv.Itoa(end)), nil
}

func badRequest(format string, arguments ...any) error {
	return &types.BadRequestException{Message: aws.String(fmt.Sprintf(format, arguments...))}
}

func notFound(format string, arguments ...any) error {
	return &types.NotFoundException{Message: aws.String(fmt.Sprintf(format, arguments...))}
}

// newID returns an identifier of n letters and digits.
func newID(n int) string { return strings.ToLower(rand.Text())[:n] }
