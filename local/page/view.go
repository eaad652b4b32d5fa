package page

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// view is what the template shows. It says times and not ages, so that it only
// changes when something happens.
type view struct {
	Message  message
	Account  string
	Stacks   []stackView
	Deployed bool // there is something to look at
	Flowing  bool // events are on their way
	Stations []station
	Faults   []faultView
	Broken   bool
	Journeys []journeyView
	Older    int // journeys that are remembered and not shown
	Secret   secretView
	Queues   []queueView
	Letters  []letterView
	Alarms   []alarmView
	Quiet    int // alarms that are not in ALARM
	Problems []string
}

// Tones of states: each has its own colour, mark and words.
const (
	good    = "good"
	waiting = "waiting"
	bad     = "bad"
	off     = "off"
)

type stackView struct{ Name, State, Tone, Note string }

type faultView struct {
	Name, Title, Expect string
	Possible, Broken    bool
}

type queueView struct {
	Title string
	Depth int
}

type alarmView struct{ Name, Since, Reason, Remedy string }

const shownJourneys = 8

func (p *page) view(ctx context.Context) view {
	r := p.read(ctx)
	v := view{
		Message: p.lastMessage(), Account: accountOf(r), Stacks: []stackView{stackOf(r.prerequisite), stackOf(r.application)},
		Deployed: r.application.status != "", Secret: secretOf(r), Problems: slices.Compact(r.problems),
	}
	for _, f := range faults {
		possible := f.possible(r)
		broken := possible && f.broken(r)
		v.Faults = append(v.Faults, faultView{f.name, f.title, f.expect, possible, broken})
		v.Broken = v.Broken || broken
	}
	v.Stations, v.Flowing = p.stations(r)
	v.Queues = []queueView{
		{"The rule's dead-letter queue", r.queues["DeadLetterQueue"]},
		{"The follower's dead-letter queue", r.queues["FollowerDeadLetterQueue"]},
	}
	p.journeys(&v, r)
	v.addAlarms(r)
	return v
}

func (p *page) lastMessage() message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.message
}

// accountOf reads account and Region from any ARN.
func accountOf(r *reading) string {
	parts := strings.Split(r.prerequisite.outputs["CMKKeyARN"], ":")
	if len(parts) < 6 {
		return ""
	}
	return "account " + parts[4] + ", " + parts[3]
}

func stackOf(s stack) stackView {
	switch {
	case s.status == "":
		return stackView{s.name, "not deployed", off, ""}
	case strings.HasSuffix(s.status, "_IN_PROGRESS"):
		return stackView{s.name, s.status, waiting, fmt.Sprintf("%d resources so far", s.made)}
	case strings.Contains(s.status, "ROLLBACK"), strings.HasSuffix(s.status, "_FAILED"):
		return stackView{s.name, s.status, bad, s.reason}
	}
	return stackView{s.name, s.status, good, fmt.Sprintf("%d resources", s.made)}
}

func (v *view) addAlarms(r *reading) {
	for _, alarm := range r.alarms {
		if alarm.StateValue != cwtypes.StateValueAlarm {
			v.Quiet++
			continue
		}
		v.Alarms = append(v.Alarms, alarmView{
			logicalName(aws.ToString(alarm.AlarmName), r.application.name), clock(aws.ToTime(alarm.StateUpdatedTimestamp)),
			aws.ToString(alarm.StateReason), aws.ToString(alarm.AlarmDescription),
		})
	}
}

// logicalName takes from a name what CloudFormation put around the logical id.
func logicalName(name, stack string) string {
	name, found := strings.CutPrefix(name, stack+"-")
	if end := strings.LastIndex(name, "-"); found && end > 0 {
		return name[:end]
	}
	return name
}

func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("15:04:05")
}

// short is enough of an id to tell it from its neighbours.
func short(id string) string {
	if strings.HasPrefix(id, wrongVersion) {
		return wrongVersion[:len(wrongVersion)-1]
	}
	if len(id) > 8 {
		return id[:8]
	}
	return id
}
