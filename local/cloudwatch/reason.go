package cloudwatch

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// verdict is the state that an alarm should have, and why, in AWS's words.
type verdict struct {
	state  types.StateValue
	reason string
	data   *string // JSON
}

// crossed is ALARM, for instance "Threshold Crossed: 1 datapoint [3.0 (23/11/26
// 12:00:00)] was greater than the threshold (0.0)."; with DatapointsToAlarm AWS
// counts "1 out of the last 1 datapoints".
func (a *alarm) crossed(real []point, filled int, now time.Time) verdict {
	return a.say(types.StateValueAlarm, real, filled, "", now)
}

func (a *alarm) within(real []point, filled int, now time.Time) verdict {
	return a.say(types.StateValueOk, real, filled, "not ", now)
}

func (a *alarm) unknown(periods int, now time.Time) verdict {
	reason := fmt.Sprintf("Insufficient Data: %s %s unknown.", count(periods, "datapoint"), was(periods))
	return verdict{types.StateValueInsufficientData, reason, a.reasonData(nil, now)}
}

func (a *alarm) say(state types.StateValue, real []point, filled int, not string, now time.Time) verdict {
	var shown []string
	for _, p := range real {
		if a.breaches(p.value) == (state == types.StateValueAlarm) {
			shown = append(shown, number(p.value)+" ("+p.start.Format("02/01/06 15:04:05")+")")
		}
	}
	reason := "Threshold Crossed: "
	switch n := len(shown); {
	case len(real) == 0:
		reason += fmt.Sprintf("no datapoints were received for %s and ", count(filled, "period"))
	case a.DatapointsToAlarm != nil:
		reason += fmt.Sprintf("%d out of the last %d datapoints [%s] %s %s%s the threshold (%s) (minimum %s)",
			n, *a.EvaluationPeriods, strings.Join(shown, ", "), was(n), not, words[a.ComparisonOperator], number(*a.Threshold), a.transition(state))
	default:
		reason += fmt.Sprintf("%s [%s] %s %s%s the threshold (%s)",
			count(n, "datapoint"), strings.Join(shown, ", "), was(n), not, words[a.ComparisonOperator], number(*a.Threshold))
	}
	if treated, stated := treatedAs[a.treatment()]; stated && filled > 0 {
		if len(real) > 0 {
			reason += " and "
		}
		reason += fmt.Sprintf("%s %s treated as [%s]", count(filled, "missing datapoint"), was(filled), treated)
	}
	return verdict{state, reason + ".", a.reasonData(real, now)}
}

var treatedAs = map[string]string{"breaching": "Breaching", "notBreaching": "NonBreaching"}

func (a *alarm) transition(state types.StateValue) string {
	if state == types.StateValueAlarm {
		return count(a.needed(), "datapoint") + " for OK -> ALARM transition"
	}
	return count(int(*a.EvaluationPeriods)-a.needed()+1, "datapoint") + " for ALARM -> OK transition"
}

var words = map[types.ComparisonOperator]string{
	types.ComparisonOperatorGreaterThanThreshold:          "greater than",
	types.ComparisonOperatorGreaterThanOrEqualToThreshold: "greater than or equal to",
	types.ComparisonOperatorLessThanThreshold:             "less than",
	types.ComparisonOperatorLessThanOrEqualToThreshold:    "less than or equal to",
}

func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

func was(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// number always has a decimal point, as AWS writes it.
func number(value float64) string {
	text := strconv.FormatFloat(value, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// stamp is AWS's form of times in an alarm's documents.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000-0700") }

// reasonData lists the data, newest first.
func (a *alarm) reasonData(real []point, now time.Time) *string {
	values, evaluated := []float64{}, []map[string]any{}
	for _, p := range real {
		values = append(values, p.value)
		evaluated = append(evaluated, map[string]any{"timestamp": stamp(p.start), "value": p.value})
	}
	said := map[string]any{
		"version": "1.0", "queryDate": stamp(now), "statistic": a.statistic(), "period": *a.Period,
		"recentDatapoints": values, "threshold": *a.Threshold, "evaluatedDatapoints": evaluated,
	}
	if len(real) > 0 {
		said["startDate"] = stamp(real[len(real)-1].start)
	}
	if a.Unit != "" {
		said["unit"] = a.Unit
	}
	return aws.String(document(said))
}

// document writes JSON of values that JSON can hold.
func document(value any) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // reasons have arrows
	_ = encoder.Encode(value)
	return strings.TrimSuffix(text.String(), "\n")
}
