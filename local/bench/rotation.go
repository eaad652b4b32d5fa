package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/uuid"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/internal/credentials"
	"api-destination-credentials/internal/oauth"
	"api-destination-credentials/internal/userpool"
)

// apart is how long there is between two rotations: a connection's
// LastAuthorizedTime has a resolution of a second.
const apart = 1500 * time.Millisecond

// measureRotation compares a rotation with the calls it makes, and the delivery
// of events during a rotation with their delivery without one.
func measureRotation(ctx context.Context, b *bench) error {
	w, err := b.open(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	t, err := newTraffic(ctx, w)
	if err != nil {
		return err
	}
	alone, err := newRehearsal(ctx, w)
	if err != nil {
		return err
	}
	var calls, steps series
	measured, err := inTurn(ctx, b.times(40),
		func() (float64, error) {
			if err := pause(ctx, apart); err != nil {
				return 0, err
			}
			took, err := t.rotate(ctx)
			return milliseconds(took), err
		},
		func() (float64, error) {
			if err := pause(ctx, apart); err != nil {
				return 0, err
			}
			began := time.Now()
			took, n, err := alone.rotate(ctx)
			calls, steps = append(calls, float64(n)), append(steps, milliseconds(time.Since(began)))
			return milliseconds(took), err
		})
	if err != nil {
		return err
	}
	b.add(row{What: "rotation, from RotateSecret to AWSCURRENT moved", Unit: "ms", Ours: measured[0], Against: "its calls alone", Other: measured[1], aim: ratioAtMost(1.2)})
	b.add(row{What: "its steps in one process, decisions and the wait for AUTHORIZED included", Unit: "ms", Ours: steps, Against: "its calls alone", Other: measured[1]})
	b.note("A rotation makes %s calls of AWS, of the token endpoint and of the receiver. Alone they are made by this program with the functions' own code, and only the calls count, as their caller waits for them: no process of a function, no decisions, no waiting for a state.", figure(calls.median()))
	return b.whileRotating(ctx, t)
}

// whileRotating compares the latency of events at 100 a second, 100 at a time.
func (b *bench) whileRotating(ctx context.Context, t *traffic) error {
	round := func(rotate bool) func() (float64, error) {
		return func() (float64, error) {
			if err := pause(ctx, apart); err != nil {
				return 0, err
			}
			ended := make(chan error, 1)
			go func() {
				if !rotate {
					ended <- nil
					return
				}
				_, err := t.rotate(ctx)
				ended <- err
			}()
			sent, err := t.steady(ctx, 100, 10*time.Millisecond, t.putOne)
			if err != nil {
				return 0, err
			}
			if err := <-ended; err != nil {
				return 0, err
			}
			if err := t.land(ctx, sent); err != nil {
				return 0, err
			}
			return latencies(sent).at(0.99), nil
		}
	}
	measured, err := inTurn(ctx, b.times(40), round(true), round(false))
	if err != nil {
		return err
	}
	b.add(row{What: "delivery p99 of 100 events while rotating", Unit: "ms", Ours: measured[0], Against: "the same load without rotation", Other: measured[1], aim: ratioAtMost(1.2)})
	return nil
}

// rotate rotates the source secret; the end is what the rotation's log says.
func (t *traffic) rotate(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	rotated, err := secretsmanager.NewFromConfig(t.world.aws).RotateSecret(ctx, &secretsmanager.RotateSecretInput{SecretId: aws.String(t.world.prerequisite["OAuthSecretArn"])})
	if err != nil {
		return 0, err
	}
	for deadline := began.Add(2 * patience); ; {
		var ended time.Time
		err := t.lines(ctx, t.world.application["RotationLogGroup"], `"rotation step done"`, began, func(text string) error {
			var line struct {
				Timestamp       time.Time
				Step, VersionID string
			}
			err := json.Unmarshal([]byte(text), &line)
			if line.Step == "finishSecret" && line.VersionID == aws.ToString(rotated.VersionId) {
				ended = line.Timestamp
			}
			return err
		})
		if err != nil || !ended.IsZero() {
			return ended.Sub(began), err
		}
		if time.Now().After(deadline) {
			return 0, fmt.Errorf("the rotation did not end in %s: see the log group %s", 2*patience, t.world.application["RotationLogGroup"])
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return 0, err
		}
	}
}

// rehearsal makes the calls of a rotation from this process and measures them.
type rehearsal struct {
	rotation credentials.Rotation
	secrets  *secretsmanager.Client
	watch    *stopwatch
}

func newRehearsal(ctx context.Context, w *world) (*rehearsal, error) {
	client, err := w.client()
	if err != nil {
		return nil, err
	}
	watch := &stopwatch{next: client.Transport}
	measured := &http.Client{Transport: watch}
	configuration := w.aws
	configuration.APIOptions = append(configuration.APIOptions, watch.watchSDK)
	environment, err := w.environment(ctx, "rotation")
	if err != nil {
		return nil, err
	}
	given := map[string]string{}
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		given[name] = value
	}
	secrets := secretsmanager.NewFromConfig(configuration)
	return &rehearsal{
		secrets: secrets, watch: watch,
		rotation: credentials.Rotation{
			Syncer: &credentials.Syncer{
				Events: eventbridge.NewFromConfig(configuration), Secrets: secrets, Keys: kms.NewFromConfig(configuration),
				Tokens: oauth.Prover{HTTP: measured}, Clock: clockwork.NewRealClock(), Log: slog.New(slog.DiscardHandler),
			},
			Versions:    secrets,
			Provider:    userpool.UserPool{API: cognitoidentityprovider.NewFromConfig(configuration), ID: given["USER_POOL_ID"]},
			Destination: oauth.Prover{HTTP: measured, Destination: given["PROBE_URL"]},
			Connection: credentials.Connection{
				Name: given["CONNECTION_NAME"], SecretID: given["SECRET_ARN"], KeyARN: given["KEY_ARN"], AuthorizationEndpoint: given["AUTHORIZATION_ENDPOINT"],
				Scope: given["SCOPE"], ClientIDKey: given["CLIENT_ID_KEY"], ClientSecretKey: given["CLIENT_SECRET_KEY"],
			},
		},
	}, nil
}

// rotate goes through the four steps. The version is staged here, which Secrets
// Manager does by itself in a rotation; the function's first step then writes it
// with the same two calls.
func (r *rehearsal) rotate(ctx context.Context) (took time.Duration, calls int64, err error) {
	r.watch.spent.Store(0)
	r.watch.calls.Store(0)
	id, token := aws.String(r.rotation.Connection.SecretID), uuid.NewString()
	current, err := r.secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: id})
	if err != nil {
		return 0, 0, err
	}
	var fields map[string]any
	if err := json.Unmarshal([]byte(*current.SecretString), &fields); err != nil {
		return 0, 0, err
	}
	fields[r.rotation.Connection.ClientSecretKey] = strings.ReplaceAll(uuid.NewString()+uuid.NewString(), "-", "")[:52]
	if _, err := r.secrets.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: id, ClientRequestToken: aws.String(token), SecretString: aws.String(string(encoded(fields))), VersionStages: []string{"AWSPENDING"},
	}); err != nil {
		return 0, 0, err
	}
	for _, step := range []string{"createSecret", "setSecret", "testSecret", "finishSecret"} {
		if err := r.rotation.Handle(ctx, credentials.Step{Step: step, SecretID: *id, ClientRequestToken: token}); err != nil {
			return 0, 0, err
		}
	}
	return time.Duration(r.watch.spent.Load()), r.watch.calls.Load(), nil
}

// stopwatch adds up the time of calls as their caller waits for them.
type stopwatch struct {
	next         http.RoundTripper
	spent, calls atomic.Int64
}

func (s *stopwatch) add(began time.Time) {
	s.spent.Add(int64(time.Since(began)))
	s.calls.Add(1)
}

// watchSDK measures operations of the AWS SDK, from the input to the output.
func (s *stopwatch) watchSDK(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Stopwatch",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			defer s.add(time.Now())
			return next.HandleInitialize(ctx, in)
		}), middleware.Before)
}

// RoundTrip measures requests for tokens and to the destination, to the end of
// the answer.
func (s *stopwatch) RoundTrip(request *http.Request) (*http.Response, error) {
	defer s.add(time.Now())
	answer, err := s.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	answer.Body = io.NopCloser(bytes.NewReader(text))
	return answer, err
}
