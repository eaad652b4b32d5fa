package lambda

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// statement is one of a function's resource policy.
type statement struct {
	Sid       string
	Effect    string
	Principal any
	Action    string
	Resource  string
	Condition map[string]map[string]string `json:",omitempty"`
}

var accountID = regexp.MustCompile(`^\d{12}$`)

// AddPermission lets a principal invoke the function. A service should be held
// to one source by SourceArn.
// https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
func (s *Service) AddPermission(ctx context.Context, in *lambda.AddPermissionInput) (*lambda.AddPermissionOutput, error) {
	arn, name, err := s.authorize(ctx, "lambda:AddPermission", in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if err := refused(map[string]bool{
		"EventSourceToken": in.EventSourceToken != nil, "FunctionUrlAuthType": in.FunctionUrlAuthType != "",
		"InvokedViaFunctionUrl": in.InvokedViaFunctionUrl != nil, "PrincipalOrgID": in.PrincipalOrgID != nil,
	}); err != nil {
		return nil, err
	}
	added, err := newStatement(arn, in)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.find(name)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(f.permissions, func(p statement) bool { return p.Sid == added.Sid }) {
		return nil, &types.ResourceConflictException{
			Message: aws.String("The statement id (" + added.Sid + ") provided already exists. Please provide a new statement id, or remove the existing statement."),
			Type:    aws.String("User"),
		}
	}
	if in.RevisionId != nil {
		if err := sameRevision(in.RevisionId, &f.revision); err != nil {
			return nil, err
		}
	}
	f.permissions = append(f.permissions, added)
	f.revision = *newRevision()
	return &lambda.AddPermissionOutput{Statement: aws.String(document(added))}, nil
}

// RemovePermission takes one statement out of the function's policy.
// https://docs.aws.amazon.com/lambda/latest/api/API_RemovePermission.html
func (s *Service) RemovePermission(ctx context.Context, in *lambda.RemovePermissionInput) (*lambda.RemovePermissionOutput, error) {
	_, name, err := s.authorize(ctx, "lambda:RemovePermission", in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.find(name)
	if err != nil {
		return nil, err
	}
	sid := aws.ToString(in.StatementId)
	i := slices.IndexFunc(f.permissions, func(p statement) bool { return p.Sid == sid })
	if i < 0 {
		return nil, notFound("Statement " + sid + " is not found in resource policy.")
	}
	if err := sameRevision(in.RevisionId, &f.revision); err != nil {
		return nil, err
	}
	f.permissions = slices.Delete(f.permissions, i, i+1)
	f.revision = *newRevision()
	return &lambda.RemovePermissionOutput{}, nil
}

// GetPolicy returns the function's resource policy.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetPolicy.html
func (s *Service) GetPolicy(ctx context.Context, in *lambda.GetPolicyInput) (*lambda.GetPolicyOutput, error) {
	_, name, err := s.authorize(ctx, "lambda:GetPolicy", in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.find(name)
	if err != nil {
		return nil, err
	}
	if len(f.permissions) == 0 {
		return nil, notFound("The resource you requested does not exist.")
	}
	return &lambda.GetPolicyOutput{Policy: aws.String(f.policy()), RevisionId: aws.String(f.revision)}, nil
}

// policy is the resource policy as JSON; empty where nothing was permitted.
func (f *function) policy() string {
	if len(f.permissions) == 0 {
		return ""
	}
	return document(struct {
		Version   string
		Id        string
		Statement []statement
	}{"2012-10-17", "default", f.permissions})
}

func newStatement(arn string, in *lambda.AddPermissionInput) (statement, error) {
	for field, value := range map[string]*string{"action": in.Action, "principal": in.Principal, "statementId": in.StatementId} {
		if aws.ToString(value) == "" {
			return statement{}, failedConstraint("null", field, "Member must not be null")
		}
	}
	if *in.Action != "*" && !strings.HasPrefix(*in.Action, "lambda:") {
		return statement{}, failedConstraint(*in.Action, "action", `Member must satisfy regular expression pattern: (lambda:[*]|lambda:[a-zA-Z]+|[*])`)
	}
	added := statement{Sid: *in.StatementId, Effect: "Allow", Action: *in.Action, Resource: arn}
	switch principal := *in.Principal; {
	case principal == "*":
		added.Principal = "*"
	case accountID.MatchString(principal):
		added.Principal = map[string]string{"AWS": "arn:aws:iam::" + principal + ":root"}
	case strings.HasPrefix(principal, "arn:"):
		added.Principal = map[string]string{"AWS": principal}
	case strings.Contains(principal, ".amazonaws.com"):
		added.Principal = map[string]string{"Service": principal}
	default:
		return statement{}, invalid("The provided principal was invalid. Please check the principal and try again.")
	}
	condition := map[string]map[string]string{}
	if in.SourceAccount != nil {
		condition["StringEquals"] = map[string]string{"AWS:SourceAccount": *in.SourceAccount}
	}
	if in.SourceArn != nil {
		condition["ArnLike"] = map[string]string{"AWS:SourceArn": *in.SourceArn}
	}
	if len(condition) > 0 {
		added.Condition = condition
	}
	return added, nil
}

func document(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and maps of strings only
	}
	return string(text)
}
