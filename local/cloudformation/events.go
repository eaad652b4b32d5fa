package cloudformation

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/google/uuid"
)

const stackType = "AWS::CloudFormation::Stack"

// enter puts a stack into a state and says so in its events.
func (st *stack) enter(now time.Time, status types.StackStatus, reason, token string) {
	st.status, st.reason = status, reason
	st.record(now, types.StackEvent{
		EventId:            aws.String(uuid.NewString()),
		LogicalResourceId:  &st.name,
		PhysicalResourceId: &st.id,
		ResourceType:       aws.String(stackType),
		ResourceStatus:     types.ResourceStatus(status),
	}, reason, token)
}

// note puts a resource into a state and says so in the stack's events. The
// events carry no properties: they would show secrets.
func (st *stack) note(now time.Time, r *resource, status types.ResourceStatus, reason, token string) {
	r.status, r.reason = status, reason
	r.updated = st.record(now, types.StackEvent{
		LogicalResourceId:  aws.String(r.logicalID),
		PhysicalResourceId: aws.String(r.physicalID),
		ResourceType:       aws.String(r.definition.kind),
		ResourceStatus:     status,
	}, reason, token)
}

// record dates an event. Clients follow events by time, so that no two events
// of a stack may have the same, to the millisecond.
func (st *stack) record(now time.Time, event types.StackEvent, reason, token string) time.Time {
	at := now.UTC().Truncate(time.Millisecond)
	if !at.After(st.latest) {
		at = st.latest.Add(time.Millisecond)
	}
	st.latest = at
	event.StackId, event.StackName, event.Timestamp = &st.id, &st.name, aws.Time(at)
	if event.EventId == nil {
		event.EventId = aws.String(fmt.Sprintf("%s-%s-%s", *event.LogicalResourceId, event.ResourceStatus, at.Format("2006-01-02T15:04:05.000Z")))
	}
	if reason != "" {
		event.ResourceStatusReason = aws.String(reason)
	}
	if token != "" {
		event.ClientRequestToken = aws.String(token)
	}
	st.events = append(st.events, event)
	return at
}
