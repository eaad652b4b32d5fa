// Package access says who makes a call to the local endpoint, where its
// resources live, and what is asked for. Every service takes these types, so
// that a permission is decided in one place (package iam) and needed in many.
package access

import (
	"context"
	"fmt"
)

// Account is the one account and Region that an endpoint serves.
type Account struct {
	ID     string // twelve digits
	Region string // for instance us-east-1
}

// ARN builds an Amazon Resource Name in this account and Region.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
func (a Account) ARN(service, resource string) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, a.Region, a.ID, resource)
}

// RootARN is the principal that stands for the whole account in a resource policy.
func (a Account) RootARN() string { return "arn:aws:iam::" + a.ID + ":root" }

// Principal is whoever makes a call: a user, an assumed role or an AWS service.
// The zero value is nobody and is allowed nothing.
type Principal struct {
	// ARN of a user (arn:aws:iam::…:user/NAME) or of a role session
	// (arn:aws:sts::…:assumed-role/ROLE/SESSION); empty for a service.
	ARN string
	// RoleARN is the role behind a role session.
	RoleARN string
	// Administrator is set for the account's own user, whose identity policy
	// allows everything. Resource and key policies still apply to it.
	Administrator bool
	// Service is the service principal, for instance events.amazonaws.com.
	Service string
	// SourceARN is the resource on whose behalf a service calls (aws:SourceArn).
	SourceARN string
	// Via is the service that passes a principal's request on, in the form of
	// kms:ViaService, for instance secretsmanager.us-east-1.amazonaws.com.
	Via string
}

// Through returns p calling by way of a service in Region (kms:ViaService).
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
func (p Principal) Through(service, region string) Principal {
	p.Via = service + "." + region + ".amazonaws.com"
	return p
}

type callerKey struct{}

// WithCaller returns a context whose calls are made by p.
func WithCaller(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, callerKey{}, p)
}

// Caller returns who makes the call; nobody where WithCaller was not used.
func Caller(ctx context.Context) Principal {
	p, _ := ctx.Value(callerKey{}).(Principal)
	return p
}

// Request is one question: may the caller do Action on Resource?
type Request struct {
	Action   string // service:Operation
	Resource string // ARN, or * where the action names no resource
	// Conditions are the request's own condition keys, for instance
	// kms:EncryptionContext:SecretARN. The principal's keys (aws:SourceArn,
	// kms:ViaService, ...) are added by the authorizer.
	Conditions map[string]string
	// Policy is the resource's own policy document (JSON); empty for none.
	Policy string
	// PolicyGoverns is set for KMS keys: without the key policy's word, no
	// identity policy helps.
	PolicyGoverns bool
}

// Authorizer decides. A refusal is an AccessDeniedException
// (smithy.APIError) whose message names principal, action and resource as AWS does.
type Authorizer interface {
	Authorize(ctx context.Context, request Request) error
}
