package demo

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// screen writes the story, coloured or plain.
type screen struct {
	out     io.Writer
	colours bool
	started time.Time
}

const (
	bold  = "1"
	dim   = "2"
	red   = "31"
	green = "32"
)

func (s *screen) paint(colour, text string) string {
	if !s.colours {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// chapter begins a part of the story.
func (s *screen) chapter(title string) {
	elapsed := fmt.Sprintf("%5.1fs", time.Since(s.started).Seconds())
	fmt.Fprintf(s.out, "\n%s  %s\n", s.paint(dim, elapsed), s.paint(bold, title))
}

// fact tells one thing that was seen.
func (s *screen) fact(name, format string, values ...any) {
	fmt.Fprintf(s.out, "        %-20s %s\n", name, fmt.Sprintf(format, values...))
}

// stackEvent shows a stack event that ends something.
func (s *screen) stackEvent(event types.StackEvent) {
	status := string(event.ResourceStatus)
	if strings.HasSuffix(status, "_IN_PROGRESS") {
		return
	}
	colour := green
	if strings.Contains(status, "FAILED") || strings.Contains(status, "ROLLBACK") {
		colour = red
	}
	fmt.Fprintf(s.out, "        %s %-32s %s\n", s.paint(colour, fmt.Sprintf("%-20s", status)), aws.ToString(event.ResourceType), aws.ToString(event.LogicalResourceId))
	if reason := aws.ToString(event.ResourceStatusReason); reason != "" && colour == red {
		fmt.Fprintf(s.out, "          %s\n", reason)
	}
}
