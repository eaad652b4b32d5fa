package page

import (
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// station is a stop of the flow.
type station struct {
	ID, Title   string
	State, Tone string
	Note        string // why it is not as it should be
	Count       int
	Counts      string // what is counted
	Facts       []fact
}

type fact struct{ Term, Text string }

// stations are the flow from bus to receiver, and whether events are on it.
func (p *page) stations(r *reading) ([]station, bool) {
	bus, rule := splitRule(r.application.resources["Rule"])
	count := func(kind string) int { return p.Recorder.Total(kind, rule) }
	under := count(Matched) - count(Delivered) - count(DeadLetter) - count(Dropped)
	all := []station{
		{ID: "bus", Title: "Event bus", Count: p.Recorder.Total(Put, bus), Counts: "events put"},
		{ID: "rule", Title: "Rule", Count: count(Matched), Counts: "matched"},
		{ID: "connection", Title: "Connection", Count: count(Token), Counts: "tokens renewed"},
		{ID: "destination", Title: "API destination", Count: count(Attempt), Counts: "attempts"},
		{ID: "receiver", Title: "Receiver", Count: count(Delivered), Counts: "delivered"},
	}
	for i, fill := range []func(*station, *reading){fillBus, fillRule, fillConnection, fillDestination, fillReceiver} {
		all[i].State, all[i].Tone = "not deployed", off
		fill(&all[i], r)
	}
	all[3].Facts = append(all[3].Facts, fact{"On their way", strconv.Itoa(max(0, under))}, fact{"Retries", strconv.Itoa(count(Retry))})
	return all, under > 0
}

func fillBus(s *station, r *reading) {
	if r.application.resources["EventBus"] == "" {
		return
	}
	s.State, s.Tone = "ACTIVE", good
	s.Facts = []fact{{"Name", r.application.resources["EventBus"]}}
	if r.key == nil {
		return
	}
	state := string(r.key.KeyMetadata.KeyState)
	s.Facts = append(s.Facts, fact{"Key", state})
	if !r.key.KeyMetadata.Enabled {
		s.State, s.Tone, s.Note = "key "+state, bad, "Events on this bus are encrypted with a key that nobody can use."
	}
}

func fillRule(s *station, r *reading) {
	if r.rule == nil {
		return
	}
	s.State, s.Tone = string(r.rule.State), good
	if r.rule.State == ebtypes.RuleStateDisabled {
		s.Tone, s.Note = bad, "A disabled rule matches nothing."
	}
}

func fillConnection(s *station, r *reading) {
	if r.connection == nil {
		return
	}
	s.State, s.Tone, s.Note = string(r.connection.ConnectionState), bad, aws.ToString(r.connection.StateReason)
	switch {
	case r.connection.ConnectionState == ebtypes.ConnectionStateAuthorized:
		s.Tone = good
	case strings.HasSuffix(s.State, "ING"):
		s.Tone = waiting
	}
	if held := r.version(r.connectionLabel()); held != "" {
		s.Facts = append(s.Facts, fact{"Holds version", short(held)})
	}
	if at := clock(aws.ToTime(r.connection.LastAuthorizedTime)); at != "" {
		s.Facts = append(s.Facts, fact{"Authorized", at})
	}
}

func fillDestination(s *station, r *reading) {
	if r.destination == nil {
		return
	}
	s.State, s.Tone = string(r.destination.ApiDestinationState), good
	if r.destination.ApiDestinationState != ebtypes.ApiDestinationStateActive {
		s.Tone, s.Note = bad, "Its connection is not authorized."
	}
	if strings.HasSuffix(aws.ToString(r.destination.InvocationEndpoint), wrongPath) {
		s.State, s.Tone, s.Note = "wrong address", bad, "It is aimed at /"+wrongPath+"."
	}
}

func fillReceiver(s *station, r *reading) {
	if r.receiver == nil {
		if r.application.outputs["ApiDestinationArn"] != "" {
			s.State, s.Tone = "your own API", good
		}
		return
	}
	s.State, s.Tone = "ACTIVE", good
	if state := r.receiver.Configuration.State; state != "" && state != lambdatypes.StateActive {
		s.State, s.Tone = strings.ToUpper(string(state)), waiting
	}
	if c := r.receiver.Concurrency; c != nil && aws.ToInt32(c.ReservedConcurrentExecutions) == 0 {
		s.State, s.Tone, s.Note = "THROTTLED", bad, "Its reserved concurrency is 0: every call is refused."
	}
}
