package sam

import (
	"errors"
	"fmt"
	"strings"
)

// InvalidDocumentError says all that is wrong with a SAM template, in the words
// that CloudFormation puts into the status reason of a change set.
type InvalidDocumentError struct {
	Causes []string // one sentence or more for each faulty resource
}

func (e *InvalidDocumentError) Error() string {
	return fmt.Sprintf("Invalid Serverless Application Specification document. Number of errors found: %d. %s",
		len(e.Causes), strings.Join(e.Causes, " "))
}

// invalid is a sentence for the template's author, begun and ended as AWS does.
type invalid struct {
	sentence string
	located  bool // names the resource that it is about
}

func (i invalid) Error() string { return i.sentence }

func fault(format string, args ...any) error {
	return invalid{sentence: fmt.Sprintf(format, args...)}
}

// inResource and inEvent say where a fault is, unless it says so itself.
func inResource(id string, err error) error {
	if isLocated(err) {
		return err
	}
	return invalid{sentence: fmt.Sprintf("Resource with id [%s] is invalid. %v", id, err), located: true}
}

func inEvent(id string, err error) error {
	if isLocated(err) {
		return err
	}
	return fault("Event with id [%s] is invalid. %v", id, err)
}

func isLocated(err error) bool {
	var i invalid
	return errors.As(err, &i) && i.located
}

// choices lists values as AWS's sentences do: ['A', 'B'].
func choices(values []string) string { return "['" + strings.Join(values, "', '") + "']" }
