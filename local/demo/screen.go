package demo

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"api-destination-credentials/internal/terminal"
)

// screen writes the story.
type screen struct {
	*terminal.Screen
	started time.Time
}

// chapter begins a part of the story.
func (s *screen) chapter(title string) {
	elapsed := fmt.Sprintf("%5.1fs", time.Since(s.started).Seconds())
	fmt.Fprintf(s, "\n%s  %s\n", s.Dim(elapsed), s.Bold(title))
}

// fact tells one thing that was seen.
func (s *screen) fact(name, format string, values ...any) {
	fmt.Fprintf(s, "        %-20s %s\n", name, fmt.Sprintf(format, values...))
}

// stackEvent shows a stack event that ends something.
func (s *screen) stackEvent(event types.StackEvent) {
	status := string(event.ResourceStatus)
	if strings.HasSuffix(status, "_IN_PROGRESS") {
		return
	}
	failed := strings.Contains(status, "FAILED") || strings.Contains(status, "ROLLBACK")
	colour := s.Good
	if failed {
		colour = s.Bad
	}
	fmt.Fprintf(s, "        %s %-32s %s\n", colour(fmt.Sprintf("%-20s", status)), aws.ToString(event.ResourceType), aws.ToString(event.LogicalResourceId))
	if reason := aws.ToString(event.ResourceStatusReason); reason != "" && failed {
		fmt.Fprintf(s, "          %s\n", reason)
	}
}
