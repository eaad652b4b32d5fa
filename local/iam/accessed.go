package iam

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/uuid"

	"api-destination-credentials/local/access"
)

// report answers what a role's policies allow and what of it was used, at the
// moment when it was asked for.
type report struct {
	made     time.Time
	actions  bool // tell of each action
	services []types.ServiceLastAccessed
}

// note remembers that a role was allowed an action.
func (s *Service) note(caller access.Principal, action string) {
	if caller.RoleARN != "" {
		s.used.Store(usage{caller.RoleARN, action}, s.Clock.Now())
	}
}

type usage struct{ role, action string }

// GenerateServiceLastAccessedDetails finds out which of the services, and of the
// actions, that a role's policies name the role has used: what it has not is
// more than it needs. The report is ready at once.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html
func (s *Service) GenerateServiceLastAccessedDetails(ctx context.Context, in *iam.GenerateServiceLastAccessedDetailsInput) (*iam.GenerateServiceLastAccessedDetailsOutput, error) {
	arn := aws.ToString(in.Arn)
	name := arn[strings.LastIndex(arn, "/")+1:]
	if err := s.ask(ctx, "GenerateServiceLastAccessedDetails", name); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.roles[name]
	if found == nil || s.arn(found) != arn {
		return nil, &types.NoSuchEntityException{Message: aws.String(fmt.Sprintf("ARN %s does not exist; the local endpoint reports on roles.", arn))}
	}
	id := uuid.NewString()
	s.reports[id] = report{
		made: s.Clock.Now(), actions: in.Granularity == types.AccessAdvisorUsageGranularityTypeActionLevel, services: s.accessed(found),
	}
	return &iam.GenerateServiceLastAccessedDetailsOutput{JobId: aws.String(id)}, nil
}

// GetServiceLastAccessedDetails shows a report.
func (s *Service) GetServiceLastAccessedDetails(ctx context.Context, in *iam.GetServiceLastAccessedDetailsInput) (*iam.GetServiceLastAccessedDetailsOutput, error) {
	if err := s.ask(ctx, "GetServiceLastAccessedDetails", "*"); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	found, ok := s.reports[aws.ToString(in.JobId)]
	if !ok {
		return nil, &types.NoSuchEntityException{Message: aws.String("The requested job was not found: generate the details first.")}
	}
	out := &iam.GetServiceLastAccessedDetailsOutput{
		JobStatus: types.JobStatusTypeCompleted, JobType: types.AccessAdvisorUsageGranularityTypeServiceLevel,
		JobCreationDate: aws.Time(found.made), JobCompletionDate: aws.Time(found.made), ServicesLastAccessed: slices.Clone(found.services),
	}
	if found.actions {
		out.JobType = types.AccessAdvisorUsageGranularityTypeActionLevel
		return out, nil
	}
	for i := range out.ServicesLastAccessed {
		out.ServicesLastAccessed[i].TrackedActionsLastAccessed = nil
	}
	return out, nil
}

// accessed needs the lock held.
func (s *Service) accessed(r *role) []types.ServiceLastAccessed {
	actions := map[string]map[string]*time.Time{} // by service and action
	see := func(action string, when *time.Time) {
		service, name, _ := strings.Cut(action, ":")
		if actions[service] == nil {
			actions[service] = map[string]*time.Time{}
		}
		if when != nil || actions[service][name] == nil {
			actions[service][name] = when
		}
	}
	for _, documents := range []map[string]document{r.inline, r.attached} {
		for _, document := range documents {
			for _, action := range granted(document.text) {
				see(action, nil)
			}
		}
	}
	s.used.Range(func(key, when any) bool {
		if use := key.(usage); use.role == s.arn(r) {
			see(use.action, aws.Time(when.(time.Time)))
		}
		return true
	})
	var services []types.ServiceLastAccessed
	for _, service := range slices.Sorted(maps.Keys(actions)) {
		shown := types.ServiceLastAccessed{ServiceName: aws.String(service), ServiceNamespace: aws.String(service), TotalAuthenticatedEntities: aws.Int32(0)}
		for _, action := range slices.Sorted(maps.Keys(actions[service])) {
			when := actions[service][action]
			tracked := types.TrackedActionLastAccessed{ActionName: aws.String(action), LastAccessedTime: when}
			if when != nil {
				tracked.LastAccessedEntity, shown.LastAuthenticatedEntity = aws.String(s.arn(r)), aws.String(s.arn(r))
				shown.TotalAuthenticatedEntities = aws.Int32(1)
				if shown.LastAuthenticated == nil || cmp.Compare(shown.LastAuthenticated.UnixNano(), when.UnixNano()) < 0 {
					shown.LastAuthenticated = when
				}
			}
			shown.TrackedActionsLastAccessed = append(shown.TrackedActionsLastAccessed, tracked)
		}
		services = append(services, shown)
	}
	return services
}

// granted are the actions that a checked document's Allow statements name.
func granted(text string) []string {
	type statement struct {
		Effect string
		Action any
	}
	var document struct{ Statement json.RawMessage }
	var statements []statement
	if json.Unmarshal([]byte(text), &document) != nil || json.Unmarshal(document.Statement, &statements) != nil {
		statements = make([]statement, 1)
		_ = json.Unmarshal(document.Statement, &statements[0]) // a lone statement
	}
	var actions []string
	for _, statement := range statements {
		if statement.Effect != "Allow" {
			continue
		}
		switch action := statement.Action.(type) {
		case string:
			actions = append(actions, action)
		case []any:
			for _, one := range action {
				actions = append(actions, fmt.Sprint(one))
			}
		}
	}
	return actions
}
