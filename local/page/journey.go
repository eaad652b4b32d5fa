package page

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// journeyView is an event's way as the page tells it.
type journeyView struct {
	ID, Full, What, At string
	Outcome, Tone      string
	Steps              []journeyStep
}

type journeyStep struct {
	What, Where, After string
	By                 string // the attempt that delivered
	Wait               string // until the next attempt
	Note, Tone         string
}

// letterView is a dead letter that was seen on its way.
type letterView struct{ ID, At, Code, Detail string }

const shownLetters = 5

// unable begins what EventBridge says of a destination; the page says it by its place.
const unable = "Unable to invoke ApiDestination endpoint: "

// journeys fills in the latest journeys, and the dead letters among them. What
// AWS's services say on the default bus and no rule wants is left out.
func (p *page) journeys(v *view, r *reading) {
	for _, j := range p.Recorder.latest() {
		if unwanted(j) {
			continue
		}
		for _, step := range j.steps {
			if step.Kind == DeadLetter && len(v.Letters) < shownLetters {
				v.Letters = append(v.Letters, letterView{short(j.id), clock(step.Time), step.Code, strings.TrimPrefix(step.Detail, unable)})
			}
		}
		if len(v.Journeys) == shownJourneys {
			v.Older++
			continue
		}
		v.Journeys = append(v.Journeys, tell(j, r.application.name))
	}
}

func unwanted(j journey) bool {
	for _, step := range j.steps {
		if step.Rule != "" || step.Target != "default" {
			return false
		}
	}
	return true
}

// tell puts a journey into words.
func tell(j journey, stack string) journeyView {
	first, last := j.steps[0], j.steps[len(j.steps)-1]
	v := journeyView{ID: short(j.id), Full: j.id, What: first.Detail, At: clock(first.Time)}
	if first.Kind != Put {
		v.What = "from a schedule"
	}
	ends := map[string]string{} // the last kind of step on the way to each target
	for _, step := range j.steps {
		v.add(step, step.Time.Sub(first.Time), stack)
		ends[step.Rule+" "+step.Target] = step.Kind
	}
	v.shorten(j.omitted)
	if len(ends) > 1 {
		// The bus has handed the event to rules.
		delete(ends, " "+first.Target)
	}
	v.Outcome, v.Tone = outcome(ends)
	switch {
	case v.Tone == good:
		v.Outcome += " in " + after(last.Time.Sub(first.Time))
	case last.Kind == Dropped && last.Rule == "" && last.Code == "":
		v.Outcome, v.Tone = "No rule matched", off
	}
	return v
}

// add puts a step into words. Notes are for what is not as it should be and not
// said by an HTTP status.
func (v *journeyView) add(step Step, since time.Duration, stack string) {
	told := journeyStep{After: "+" + after(since), Tone: good}
	trouble := strings.TrimPrefix(step.Detail, unable)
	switch step.Kind {
	case Put:
		told.What, told.Where = "Put", "on "+step.Target
	case Matched:
		told.What, told.Where = "Matched", logicalName(step.Rule, stack)
	case Token:
		told.What, told.Where = "Token", "new"
		if step.Code != "" {
			told.Where, told.Tone, told.Note = "refused", bad, trouble
		}
	case Attempt:
		told.What, told.Where = fmt.Sprintf("Attempt %d", step.Attempt), "accepted"
		if step.Code != "" {
			told.Tone, told.Where, told.Note = bad, step.Code, trouble
		}
		if step.Status != 0 {
			told.Where, told.Note = fmt.Sprintf("HTTP %d", step.Status), ""
		}
	case Retry:
		// A wait is the end of the attempt before it.
		if n := len(v.Steps); n > 0 {
			v.Steps[n-1].Wait = "waits " + strings.TrimPrefix(step.Detail, "for ")
		}
		return
	case Delivered:
		told.What, told.Where = "Delivered", "to "+targetName(step.Target, stack)
		// It is the outcome of the attempt before it, and no step of its own.
		if n := len(v.Steps) - 1; n >= 0 && v.Steps[n].Tone == good && strings.HasPrefix(v.Steps[n].What, "Attempt") {
			told.By, v.Steps = attempted(v.Steps[n]), v.Steps[:n]
		}
	case DeadLetter:
		told.What, told.Where, told.Tone = "Dead letter", step.Code, bad
	default:
		told.What, told.Where, told.Tone, told.Note = "Lost", step.Code, bad, trouble
		if step.Rule == "" && step.Code == "" {
			told.What, told.Tone = "No rule", off
		}
	}
	v.Steps = append(v.Steps, told)
}

// attempted says an attempt in one line. Functions and queues have no status to tell.
func attempted(step journeyStep) string {
	if step.Where == "accepted" {
		return ""
	}
	return strings.ToLower(step.What) + ", " + step.Where
}

// Of a long journey the beginning and the end are shown.
const shownFirst, shownLast = 4, 4

func (v *journeyView) shorten(omitted int) {
	middle := len(v.Steps) - shownFirst - shownLast
	if middle < 2 {
		return
	}
	gap := journeyStep{What: fmt.Sprintf("%d more", middle+omitted), Tone: off}
	v.Steps = slices.Concat(v.Steps[:shownFirst], []journeyStep{gap}, v.Steps[len(v.Steps)-shownLast:])
}

// outcome sums up the last steps to every target: the worst one counts.
func outcome(last map[string]string) (text, tone string) {
	for _, o := range []struct{ kind, text, tone string }{
		{Dropped, "Not delivered", bad},
		{DeadLetter, "Dead letter", bad},
		{Retry, "Being retried", waiting},
	} {
		for _, kind := range last {
			if kind == o.kind {
				return o.text, o.tone
			}
		}
	}
	for _, kind := range last {
		if kind != Delivered {
			return "On its way", waiting
		}
	}
	return "Delivered", good
}

// after says a duration.
func after(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// targetName is the telling part of a target's ARN.
func targetName(arn, stack string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return arn
	}
	name := strings.TrimPrefix(parts[5], "function:")
	if rest, found := strings.CutPrefix(name, "api-destination/"); found {
		name, _, _ = strings.Cut(rest, "/")
	}
	return logicalName(name, stack)
}
