package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/uuid"

	"api-destination-credentials/local/access"
)

// stream is the log of one execution environment, written with the permissions
// of the function's role.
type stream struct {
	service  *Service
	function *function
	role     access.Principal
	runtime  types.Runtime
	memory   int32 // MB
	levels   types.LoggingConfig
	group    string
	name     string

	mu      sync.Mutex
	created bool
	last    []byte // what the current invocation logged, its last 4 KB
}

// report is what is known at the end of an invocation.
type report struct {
	id                       string
	errorType, logged        string
	duration, initialisation time.Duration
	memory                   int // MB
}

// newStream names the stream; a group that functions may share has the name of
// the function in it.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html
func (s *Service) newStream(f *function, c *types.FunctionConfiguration, session *sts.AssumeRoleOutput) *stream {
	owner := ""
	if *c.LoggingConfig.LogGroup != "/aws/lambda/"+*c.FunctionName {
		owner = *c.FunctionName
	}
	id := uuid.New()
	return &stream{
		service:  s,
		function: f,
		role:     access.Principal{ARN: aws.ToString(session.AssumedRoleUser.Arn), RoleARN: *c.Role},
		runtime:  c.Runtime,
		memory:   *c.MemorySize,
		levels:   *c.LoggingConfig,
		group:    *c.LoggingConfig.LogGroup,
		name:     fmt.Sprintf("%s/%s[$LATEST]%x", s.Clock.Now().UTC().Format("2006/01/02"), owner, id[:]),
	}
}

// application logs a line of the function's, unless its level is filtered out.
func (l *stream) application(line string) {
	if l.json() && rank(levelOf(line)) < rank(string(l.levels.ApplicationLogLevel)) {
		return
	}
	l.put(line)
}

func (l *stream) initStart() {
	version := strings.Replace(string(l.runtime), ".", ":", 1) + ".local"
	if !l.json() {
		l.put("INIT_START Runtime Version: " + version)
		return
	}
	l.platform("INFO", "initStart", map[string]any{
		"initializationType": "on-demand", "phase": "init", "runtimeVersion": version, "functionVersion": "$LATEST",
	})
}

// start begins the log tail of an invocation.
func (l *stream) start(id string) {
	l.mu.Lock()
	l.last = nil
	l.mu.Unlock()
	if !l.json() {
		l.put(fmt.Sprintf("START RequestId: %s Version: $LATEST", id))
		return
	}
	l.platform("INFO", "start", map[string]any{"requestId": id, "version": "$LATEST"})
}

// end logs what Lambda logs when an invocation is over.
func (l *stream) end(r report) {
	status := map[string]string{"": "success", "Sandbox.Timedout": "timeout"}[r.errorType]
	if status == "" {
		status = "error"
	}
	billed := math.Ceil(milliseconds(r.duration + r.initialisation))
	if l.json() {
		l.endJSON(r, status, billed)
		return
	}
	if r.logged != "" {
		l.put(l.service.Clock.Now().UTC().Format(recordTime) + " " + r.logged)
	}
	l.put("END RequestId: " + r.id)
	line := fmt.Sprintf("REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %.0f ms\tMemory Size: %d MB\tMax Memory Used: %d MB\t",
		r.id, milliseconds(r.duration), billed, l.memory, r.memory)
	if r.initialisation > 0 {
		line += fmt.Sprintf("Init Duration: %.2f ms\t", milliseconds(r.initialisation))
	}
	switch status {
	case "timeout":
		line += "Status: timeout"
	case "error":
		line += "Status: error\tError Type: " + r.errorType
	}
	l.put(line)
}

// endJSON follows the level of each record.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
func (l *stream) endJSON(r report, status string, billed float64) {
	metrics := map[string]any{
		"durationMs": round(milliseconds(r.duration)), "billedDurationMs": billed, "memorySizeMB": l.memory, "maxMemoryUsedMB": r.memory,
	}
	if r.initialisation > 0 {
		metrics["initDurationMs"] = round(milliseconds(r.initialisation))
	}
	record := map[string]any{"requestId": r.id, "metrics": metrics, "status": status}
	if status == "success" {
		l.platform("INFO", "report", record)
		return
	}
	record["errorType"] = r.errorType
	l.platform("WARN", "runtimeDone", map[string]any{"requestId": r.id, "status": status, "errorType": r.errorType})
	l.platform("WARN", "report", record)
}

// tail is the end of what the current invocation logged, at most 4 KB.
func (l *stream) tail() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.last)
}

const recordTime = "2006-01-02T15:04:05.000Z"

func (l *stream) platform(level, kind string, record map[string]any) {
	if rank(level) < rank(string(l.levels.SystemLogLevel)) {
		return
	}
	line, err := json.Marshal(struct {
		Time   string         `json:"time"`
		Type   string         `json:"type"`
		Record map[string]any `json:"record"`
	}{l.service.Clock.Now().UTC().Format(recordTime), "platform." + kind, record})
	if err == nil {
		l.put(string(line))
	}
}

func (l *stream) json() bool { return l.levels.LogFormat == types.LogFormatJson }

// put writes one event. A line that the role may not write is dropped, as in AWS.
func (l *stream) put(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !strings.HasSuffix(line, "\n") && !l.json() {
		line += "\n"
	}
	l.last = append(l.last, line...)
	if !strings.HasSuffix(line, "\n") {
		l.last = append(l.last, '\n')
	}
	if excess := len(l.last) - 4096; excess > 0 {
		l.last = bytes.Clone(l.last[excess:])
	}
	if err := l.write(line); err != nil {
		l.service.reportDropped(l.function, l.group, err)
	}
}

// write makes the stream, and the group where the role may, when they are missing.
func (l *stream) write(line string) error {
	ctx := access.WithCaller(context.Background(), l.role)
	events := []logstypes.InputLogEvent{{Message: &line, Timestamp: aws.Int64(l.service.Clock.Now().UnixMilli())}}
	in := &cloudwatchlogs.PutLogEventsInput{LogGroupName: &l.group, LogStreamName: &l.name, LogEvents: events}
	if l.created {
		_, err := l.service.Logs.PutLogEvents(ctx, in)
		if !missing(err) {
			return err
		}
	}
	if err := l.create(ctx); err != nil {
		return err
	}
	l.created = true
	_, err := l.service.Logs.PutLogEvents(ctx, in)
	return err
}

func (l *stream) create(ctx context.Context) error {
	in := &cloudwatchlogs.CreateLogStreamInput{LogGroupName: &l.group, LogStreamName: &l.name}
	_, err := l.service.Logs.CreateLogStream(ctx, in)
	if !missing(err) {
		return err
	}
	if _, err := l.service.Logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &l.group}); err != nil {
		return err
	}
	_, err = l.service.Logs.CreateLogStream(ctx, in)
	return err
}

func missing(err error) bool {
	var missing *logstypes.ResourceNotFoundException
	return errors.As(err, &missing)
}

// reportDropped says once a function that its log lines are lost, and why.
func (s *Service) reportDropped(f *function, group string, err error) {
	s.mu.Lock()
	known := f.dropsLog
	f.dropsLog = true
	s.mu.Unlock()
	if !known {
		s.Log.Warn("log lines of a function are dropped: its role needs logs:CreateLogStream and logs:PutLogEvents on the log group",
			"function", f.arn, "logGroup", group, "error", err)
	}
}

// levelOf reads the level of a JSON line; everything else is INFO.
func levelOf(line string) string {
	var record struct {
		Level     string    `json:"level"`
		Time      time.Time `json:"time"`
		Timestamp time.Time `json:"timestamp"`
	}
	if json.Unmarshal([]byte(line), &record) != nil || record.Time.IsZero() && record.Timestamp.IsZero() {
		return "INFO"
	}
	level := strings.ToUpper(record.Level)
	if rank(level) < 0 {
		return "INFO"
	}
	return level
}

func rank(level string) int {
	return slices.Index([]string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}, level)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func round(ms float64) float64 { return math.Round(ms*1000) / 1000 }
