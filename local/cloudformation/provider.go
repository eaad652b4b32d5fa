package cloudformation

import "context"

// Request is one create, update or delete of one resource.
type Request struct {
	// StackName and StackID name the stack that the resource belongs to.
	StackName, StackID string
	// LogicalID is the resource's name in the template, Type its type.
	LogicalID, Type string
	// PhysicalID is empty for a create.
	PhysicalID string
	// Token is this request's own; it is part of the event that reports a failure.
	Token string
	// Properties are resolved: no functions and no dynamic references are left.
	// Scalars keep the type that the template gave them. For a delete they are
	// the properties that the resource was last given, with dynamic references
	// as text.
	Properties map[string]any
	// OldProperties are set for an update only, with dynamic references as
	// text: a secret that has changed since is not read again.
	OldProperties map[string]any
}

// Result is what Ref and Fn::GetAtt read.
type Result struct {
	// PhysicalID is what Ref answers. An update that answers another one than
	// it was given has replaced the resource.
	PhysicalID string
	// Attributes are named as in Fn::GetAtt, for example Arn or Endpoint.Address.
	Attributes map[string]any
}

// Provider implements one resource type.
type Provider struct {
	// Properties holds the top-level properties that the type knows; true marks
	// the required ones. Any other property fails the resource.
	Properties map[string]bool
	// Replace names the properties whose change replaces the resource.
	Replace []string
	// Create makes the resource. If it fails with a PhysicalID in its result,
	// rollback deletes what is there.
	Create func(ctx context.Context, r Request) (Result, error)
	// Update changes the resource in place; nil means that every change replaces it.
	Update func(ctx context.Context, r Request) (Result, error)
	// Delete removes the resource; one that is gone already is no error.
	Delete func(ctx context.Context, r Request) error
}
