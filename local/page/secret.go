package page

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// secretView is the source secret: its versions with their labels, and how far
// the rotation of the newest is. There is no room for a value.
type secretView struct {
	Rotating bool
	Steps    []stepView // of the last rotation; none without one
	Of       string     // the version that it makes
	Versions []versionView
	Older    int // versions without a label that are not shown
}

type versionView struct {
	ID, Created string
	Labels      []labelView
}

type labelView struct{ Text, Full, Kind string }

// stepView is one of the four steps of a rotation.
type stepView struct {
	Name, State string
	Done        bool
}

// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
var rotationSteps = []string{"createSecret", "setSecret", "testSecret", "finishSecret"}

// unlabelled is how many versions without labels are shown.
const unlabelled = 2

func secretOf(r *reading) secretView {
	v := secretView{}
	bare := 0
	for _, version := range r.versions {
		if len(version.VersionStages) == 0 {
			if bare++; bare > unlabelled {
				v.Older++
				continue
			}
		}
		shown := versionView{ID: short(aws.ToString(version.VersionId)), Created: clock(aws.ToTime(version.CreatedDate))}
		for _, label := range version.VersionStages {
			shown.Labels = append(shown.Labels, labelOf(label, r.connectionLabel()))
		}
		v.Versions = append(v.Versions, shown)
	}
	current, pending := r.version("AWSCURRENT"), r.version("AWSPENDING")
	v.Rotating = pending != "" && pending != current
	of := current
	if v.Rotating {
		of = pending
	}
	if done := r.rotated[of]; len(done) > 0 || v.Rotating {
		v.Of = short(of)
		v.Steps = stepsOf(done, v.Rotating)
	}
	return v
}

func stepsOf(done []string, rotating bool) []stepView {
	var steps []stepView
	for _, name := range rotationSteps {
		step := stepView{name, "to come", false}
		switch {
		case slices.Contains(done, name):
			step.State, step.Done = "done", true
		case rotating && (len(steps) == 0 || steps[len(steps)-1].Done):
			step.State = "under way"
		}
		steps = append(steps, step)
	}
	return steps
}

func labelOf(label, connection string) labelView {
	switch label {
	case "AWSCURRENT":
		return labelView{label, label, "current"}
	case "AWSPENDING":
		return labelView{label, label, "pending"}
	case connection:
		return labelView{"connection", label, "connection"}
	}
	// The beginning and the end tell generated labels apart.
	if len(label) > 24 {
		return labelView{label[:10] + "…" + label[len(label)-6:], label, "other"}
	}
	return labelView{label, label, "other"}
}
