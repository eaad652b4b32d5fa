// Package wire puts services that are written on the AWS SDK's Go types behind
// AWS's own wire protocols, so that unmodified clients reach them over HTTP: AWS
// JSON, Query, REST-JSON and RPC v2 CBOR. Operations are found by reflection; a
// service knows nothing of HTTP.
//
// A request's signature names the caller and the service. It is not verified:
// whoever reaches the endpoint may be any caller whose access key id is known.
package wire

import (
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"api-destination-credentials/local/access"

	"github.com/aws/smithy-go"
	"github.com/google/uuid"
)

// Config says what a Handler serves.
type Config struct {
	Services []Service
	// Identify finds the caller by access key id. Its smithy.APIError reaches
	// the client as it is.
	Identify func(accessKeyID string) (access.Principal, error)
	// S3 gets the requests signed for s3, with the caller in their context.
	S3 http.Handler
	// Internal gets the unsigned requests for paths that start with /_.
	Internal http.Handler
	// Account is the one that is served. A request signed for another Region is
	// answered all the same, and logged once.
	Account access.Account
	Log     *slog.Logger // nil for none
}

// Service is one AWS service. Its operations are Impl's exported methods of the
// form func(context.Context, *X.OpInput) (*X.OpOutput, error).
type Service struct {
	// Name is the one that signatures carry: sts, iam, cloudformation, sqs,
	// events, secretsmanager, kms, cognito-idp, dynamodb, logs, monitoring, lambda
	// or apigateway (version 2).
	Name string
	Impl any
}

// Operations are the names of the service's operations, sorted.
func (s Service) Operations() []string { return slices.Sorted(maps.Keys(operationsOf(s.Impl))) }

// Handler answers AWS clients.
type Handler struct {
	config       Config
	services     map[string]*service // by name
	targets      map[string]*service // by prefix of X-Amz-Target
	otherRegions sync.Map            // those already logged
}

type service struct {
	definition
	name       string
	operations func() map[string]operation
}

// New panics where a service's name is not one that this package knows.
func New(config Config) *Handler {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	h := &Handler{config: config, services: map[string]*service{}, targets: map[string]*service{}}
	for _, given := range config.Services {
		definition, ok := definitions[given.Name]
		if !ok {
			panic("wire: no protocol is known for the service " + given.Name)
		}
		s := &service{
			definition: definition, name: given.Name,
			// When the service is first asked for: few clients need them all.
			operations: sync.OnceValue(func() map[string]operation { return operationsOf(given.Impl) }),
		}
		h.services[s.name] = s
		if s.target != "" {
			h.targets[s.target] = s
		}
	}
	return h
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Amzn-Requestid", uuid.NewString())
	if strings.HasPrefix(r.URL.Path, "/_") && h.config.Internal != nil {
		h.config.Internal.ServeHTTP(w, r)
		return
	}

	signed := credentialOf(r)
	call, err := h.recognise(r, signed)
	if err != nil {
		h.refuse(w, call, err)
		return
	}
	caller, err := h.identify(signed)
	if err != nil {
		h.refuse(w, call, err)
		return
	}
	r = r.WithContext(access.WithCaller(r.Context(), caller))

	codec, ok := call.protocol.(codec)
	if !ok {
		h.config.S3.ServeHTTP(w, r)
		return
	}
	output, err := h.perform(r, call, codec)
	if err != nil {
		h.refuse(w, call, err)
		return
	}
	if err := codec.respond(w, call.operation, output); err != nil {
		h.config.Log.Debug("The client left before its answer.", "operation", call.name(), "error", err)
	}
}

func (h *Handler) identify(signed credential) (access.Principal, error) {
	if signed.accessKeyID == "" {
		return access.Principal{}, &smithy.GenericAPIError{
			Code:    "MissingAuthenticationToken",
			Message: "Request is missing Authentication Token; sign it, with any access key of the local endpoint",
		}
	}
	if signed.region != "" && signed.region != h.config.Account.Region {
		if _, logged := h.otherRegions.LoadOrStore(signed.region, true); !logged {
			h.config.Log.Warn("A client asks for another Region than the one that is served; set AWS_REGION to see the same names.",
				"asked", signed.region, "served", h.config.Account.Region)
		}
	}
	return h.config.Identify(signed.accessKeyID)
}

func (h *Handler) perform(r *http.Request, c call, codec codec) (any, error) {
	if c.service == nil {
		return nil, unknownOperation("the service " + c.label)
	}
	operation, ok := c.service.operations()[c.operation]
	if !ok {
		return nil, unknownOperation("the operation " + c.name())
	}
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	input := operation.newInput()
	if err := codec.request(r, body, input); err != nil {
		return nil, badInput(err)
	}
	return operation.perform(r.Context(), input)
}
