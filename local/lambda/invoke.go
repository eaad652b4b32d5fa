package lambda

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
	"github.com/google/uuid"

	"api-destination-credentials/local/access"
)

// Quotas of a payload, in bytes.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxSyncPayload  = 6 << 20
	maxAsyncPayload = 1 << 20
	maxResponse     = 6<<20 + 100
)

// Invoke runs a function and waits for its answer (RequestResponse), accepts the
// event and runs it later (Event), or only checks the permission (DryRun). The
// function goes on when the caller's context ends first.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
func (s *Service) Invoke(ctx context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	name, err := s.authorizeInvoke(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := refused(map[string]bool{"DurableExecutionName": in.DurableExecutionName != nil, "TenantId": in.TenantId != nil}); err != nil {
		return nil, err
	}
	call, err := newInvocation(in)
	if err != nil {
		return nil, err
	}
	switch in.InvocationType {
	case types.InvocationTypeDryRun:
		return &lambda.InvokeOutput{StatusCode: 204}, nil
	case types.InvocationTypeEvent:
		if !s.begin() {
			return nil, shuttingDown()
		}
		s.record(name, "AsyncEventsReceived", "Count", 1)
		go s.deliver(name, call)
		return &lambda.InvokeOutput{StatusCode: 202}, nil
	case types.InvocationTypeRequestResponse, "":
		return s.await(ctx, name, call, in.LogType == types.LogTypeTail)
	}
	return nil, failedConstraint(in.InvocationType, "invocationType", "Member must satisfy enum value set: [Event, RequestResponse, DryRun]")
}

func (s *Service) authorizeInvoke(ctx context.Context, in *lambda.InvokeInput) (string, error) {
	arn, name, err := s.locate(in.FunctionName, in.Qualifier)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	f, missing := s.find(name)
	policy := ""
	if f != nil {
		policy = f.policy()
	}
	s.mu.Unlock()
	request := access.Request{Action: "lambda:InvokeFunction", Resource: arn, Policy: policy}
	if err := s.Auth.Authorize(ctx, request); err != nil {
		return "", err
	}
	return name, missing
}

// await runs an invocation and returns when it ends or ctx does.
func (s *Service) await(ctx context.Context, name string, call *invocation, tail bool) (*lambda.InvokeOutput, error) {
	type ending struct {
		outcome
		err error
	}
	if !s.begin() {
		return nil, shuttingDown()
	}
	ended := make(chan ending, 1)
	go func() {
		defer s.end()
		result, err := s.run(name, call)
		ended <- ending{result, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case end := <-ended:
		if end.err != nil {
			return nil, end.err
		}
		out := &lambda.InvokeOutput{StatusCode: 200, ExecutedVersion: aws.String("$LATEST"), Payload: end.payload}
		if end.errorType != "" {
			out.FunctionError = aws.String("Unhandled")
		}
		if tail {
			out.LogResult = aws.String(base64.StdEncoding.EncodeToString(end.log))
		}
		return out, nil
	}
}

// run hands an invocation to an execution environment. One that died while it
// was idle is replaced.
func (s *Service) run(name string, call *invocation) (outcome, error) {
	for {
		b, err := s.acquire(name)
		if err != nil {
			s.refuse(name, err)
			return outcome{}, err
		}
		result, taken := b.invoke(call)
		s.release(b)
		if taken {
			s.measure(name, result)
			return result, nil
		}
	}
}

// invocation is one event on its way to a function. All its attempts have the
// same id.
type invocation struct {
	id      string
	payload []byte
	context string // client context, JSON
	trace   string
}

// outcome is how an invocation ended.
type outcome struct {
	payload   []byte
	errorType string // empty for success
	duration  time.Duration
	log       []byte // the last 4 KB that the invocation logged
}

func newInvocation(in *lambda.InvokeInput) (*invocation, error) {
	most := maxSyncPayload
	if in.InvocationType == types.InvocationTypeEvent {
		most = maxAsyncPayload
	}
	if len(in.Payload) > most {
		return nil, &types.RequestTooLargeException{
			Message: aws.String(fmt.Sprintf("Request must be smaller than %d bytes for the InvokeFunction operation", most)),
			Type:    aws.String("User"),
		}
	}
	payload := in.Payload
	if len(payload) == 0 {
		payload = []byte("{}")
	}
	if !json.Valid(payload) {
		return nil, &types.InvalidRequestContentException{
			Message: aws.String("Could not parse request body into json: the payload is not valid JSON. With the AWS CLI v2, pass --cli-binary-format raw-in-base64-out."),
			Type:    aws.String("User"),
		}
	}
	clientContext, err := base64.StdEncoding.DecodeString(aws.ToString(in.ClientContext))
	if err != nil {
		return nil, &types.InvalidRequestContentException{Message: aws.String("Client context must be a valid Base64-encoded JSON object."), Type: aws.String("User")}
	}
	id := uuid.New()
	return &invocation{
		id:      id.String(),
		payload: payload,
		context: string(clientContext),
		trace:   fmt.Sprintf("Root=1-%x-%x;Parent=%x;Sampled=0", id[:4], id[4:], id[:8]),
	}, nil
}

func shuttingDown() error {
	return &smithy.GenericAPIError{Code: "ServiceException", Message: "The local endpoint is shutting down. Start it again.", Fault: smithy.FaultServer}
}
