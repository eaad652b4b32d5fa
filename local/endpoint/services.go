package endpoint

import (
	"context"
	"net/http"
	"os"
	"sync"
	"time"

	"api-destination-credentials/local/access"
	"api-destination-credentials/local/cloudformation"
	"api-destination-credentials/local/cloudwatch"
	"api-destination-credentials/local/cognito"
	"api-destination-credentials/local/deploy"
	"api-destination-credentials/local/dynamodb"
	"api-destination-credentials/local/eventbridge"
	"api-destination-credentials/local/hosts"
	"api-destination-credentials/local/httpapi"
	"api-destination-credentials/local/iam"
	"api-destination-credentials/local/kms"
	"api-destination-credentials/local/lambda"
	"api-destination-credentials/local/logs"
	"api-destination-credentials/local/page"
	"api-destination-credentials/local/resources"
	"api-destination-credentials/local/s3"
	"api-destination-credentials/local/sam"
	"api-destination-credentials/local/secretsmanager"
	"api-destination-credentials/local/sqs"
	"api-destination-credentials/local/wire"
)

// patience is how long a request that starts a stack operation waits for its
// end: the clients' waiters would sleep for longer between two looks.
const patience = 2 * time.Second

// services are what an endpoint runs.
type services struct {
	api    http.Handler
	hosts  *hosts.Hosts
	tokens *iam.TokenService
	events *eventbridge.Service
	page   func() http.Handler // made when somebody first looks at it
	close  func()
	reference
}

// assemble makes every service and gives each the others that it needs. The
// certificates that functions have to trust are written to a file for them.
func assemble(config Config, account access.Account, url, certificates string) (*services, error) {
	names, err := hosts.New(config.Log)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(certificates, names.CertificatesPEM(), 0o600); err != nil {
		return nil, err
	}
	bus, journeys := &announcements{}, page.NewRecorder()
	roles := iam.New(iam.Config{Account: account, Clock: config.Clock})
	tokens := iam.NewTokenService(roles)
	keys := kms.New(kms.Config{Account: account, Auth: roles, Clock: config.Clock})
	objects := s3.New(s3.Config{Account: account, Auth: roles, Clock: config.Clock})
	var queues *sqs.Service
	metrics := cloudwatch.New(cloudwatch.Config{
		Account: account, Auth: roles, Clock: config.Clock, Events: bus,
		Gauges: []func(cloudwatch.Report){func(report cloudwatch.Report) { queues.Gauges(report) }},
	})
	groups := logs.New(logs.Config{Account: account, Auth: roles, Clock: config.Clock, Keys: keys, Metrics: metrics})
	queues = sqs.New(sqs.Config{Account: account, Auth: roles, Clock: config.Clock, Keys: keys, QueueURL: url, Metrics: metrics})
	pools := cognito.New(cognito.Config{Account: account, Auth: roles, Clock: config.Clock})
	functions := lambda.New(lambda.Config{
		Account: account, Auth: roles, Clock: config.Clock, Roles: tokens, Objects: objects, Logs: groups, Metrics: metrics, Log: config.Log,
		Environment: map[string]string{
			"AWS_ENDPOINT_URL": url, "HTTPS_PROXY": url, "NO_PROXY": "127.0.0.1,localhost", "SSL_CERT_FILE": certificates,
		},
	})
	secrets := secretsmanager.New(secretsmanager.Config{
		Account: account, Auth: roles, Clock: config.Clock, Keys: keys, Events: bus, Functions: functions, Log: config.Log,
	})
	gateway := httpapi.New(httpapi.Config{
		Account: account, Auth: roles, Clock: config.Clock, Functions: functions, HTTP: names.Transport(), Log: config.Log,
	})
	events := eventbridge.New(eventbridge.Config{
		Account: account, Auth: roles, Clock: config.Clock, Secrets: secrets, Keys: keys, Queues: queues, Functions: functions,
		Roles: lender{tokens, roles}, HTTP: names.Transport(), Metrics: metrics, Log: config.Log,
		Observe: func(step eventbridge.Step) { journeys.Observe(page.Step(step)) },
	})
	tables := dynamodb.New(dynamodb.Config{Account: account, Auth: roles, Clock: config.Clock, Keys: keys})
	bus.to(events)
	types := resources.Types(resources.Services{
		Keys: keys, Secrets: secrets, Cognito: pools, Roles: roles, Functions: functions, Logs: groups, MetricFilters: groups,
		Monitoring: metrics, Queues: queues,
		Events: events, Gateway: gateway, Buckets: objects,
		Tables: tables, Clock: config.Clock,
	})
	stacks := cloudformation.New(cloudformation.Config{
		Account: account, Auth: roles, Clock: config.Clock, Transform: sam.Transform, Types: types,
		Objects: objects, Secrets: secrets, Functions: functions, EndpointURL: url, Patience: patience,
	})
	names.Handle("*.auth."+account.Region+".amazoncognito.com", pools.AuthHandler())
	names.Handle("cognito-idp."+account.Region+".amazonaws.com", pools.IdentityHandler())
	names.Handle("*.execute-api."+account.Region+".amazonaws.com", gateway.Handler())
	names.Handle(stacks.ResponseHost(), stacks.ResponseHandler())
	served := []wire.Service{
		{Name: "apigateway", Impl: gateway},
		{Name: "cloudformation", Impl: stacks},
		{Name: "cognito-idp", Impl: pools},
		{Name: "dynamodb", Impl: tables},
		{Name: "events", Impl: events},
		{Name: "iam", Impl: roles},
		{Name: "kms", Impl: keys},
		{Name: "lambda", Impl: functions},
		{Name: "logs", Impl: groups},
		{Name: "monitoring", Impl: metrics},
		{Name: "secretsmanager", Impl: secrets},
		{Name: "sqs", Impl: queues},
		{Name: "sts", Impl: tokens},
	}
	return &services{
		reference: reference{served, types},
		tokens:    tokens,
		events:    events,
		hosts:     names,
		page: sync.OnceValue(func() http.Handler {
			return page.New(page.Config{
				AWS: configuration(account, url), Recorder: journeys, Clock: config.Clock, Log: config.Log,
				Prerequisite: deploy.PrerequisiteStack, Application: deploy.ApplicationStack,
			})
		}),
		api: wire.New(wire.Config{
			Account: account, Identify: tokens.Identify, S3: objects.Handler(), Log: config.Log,
			Services: served,
		}),
		close: func() {
			stacks.Close()
			secrets.Close()
			metrics.Close()
			bus.stop()
			events.Close()
			functions.Close()
			names.Close()
		},
	}, nil
}

// lender is what EventBridge needs of IAM and STS.
type lender struct {
	*iam.TokenService
	*iam.Service
}

// announcements carries the events of services to the default event bus, which
// is made after them. They are handed over in the background: the bus itself
// may be waiting for the service that announces.
type announcements struct {
	bus  *eventbridge.Service
	work sync.WaitGroup
}

func (a *announcements) to(bus *eventbridge.Service) { a.bus = bus }

func (a *announcements) stop() { a.work.Wait() }

// Publish implements the services' Events.
func (a *announcements) Publish(ctx context.Context, source, detailType string, resources []string, detail any) {
	a.work.Go(func() { a.bus.Publish(context.WithoutCancel(ctx), source, detailType, resources, detail) })
}
