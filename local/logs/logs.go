// Package logs keeps log groups, their streams and their events in memory.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/Welcome.html
package logs

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
)

// Keys is how a log group's key is used.
type Keys interface {
	Encrypt(context.Context, *kms.EncryptInput) (*kms.EncryptOutput, error)
	Decrypt(context.Context, *kms.DecryptInput) (*kms.DecryptOutput, error)
	ReEncrypt(context.Context, *kms.ReEncryptInput) (*kms.ReEncryptOutput, error)
	GenerateDataKey(context.Context, *kms.GenerateDataKeyInput) (*kms.GenerateDataKeyOutput, error)
}

// Config is what the service builds on.
type Config struct {
	Account access.Account
	Auth    access.Authorizer
	Clock   clockwork.Clock
	Keys    Keys
	Metrics Metrics // nil for silence
}

// Service is Amazon CloudWatch Logs.
type Service struct {
	config Config

	mu     sync.RWMutex
	groups map[string]*group
	last   int // number of the newest event
}

type group struct {
	created   time.Time
	key       string // ARN of the key, empty for none
	retention int32  // days, 0 for ever
	tags      map[string]string
	streams   map[string]*stream
	filters   map[string]*filter // by name
}

type stream struct {
	created time.Time
	events  []event // by timestamp
}

type event struct {
	number              int
	timestamp, ingested int64 // milliseconds since 1970
	message             string
}

// New returns a service without log groups.
func New(config Config) *Service {
	return &Service{config: config, groups: map[string]*group{}}
}

// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
var groupName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`) })

// CreateLogGroup makes a log group. A key has to let CloudWatch Logs use it.
func (s *Service) CreateLogGroup(ctx context.Context, in *cloudwatchlogs.CreateLogGroupInput) (*cloudwatchlogs.CreateLogGroupOutput, error) {
	name := aws.ToString(in.LogGroupName)
	if err := s.authorize(ctx, "CreateLogGroup", name); err != nil {
		return nil, err
	}
	if !groupName().MatchString(name) {
		return nil, invalid("1 validation error detected: Value at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+")
	}
	if in.LogGroupClass != "" && in.LogGroupClass != types.LogGroupClassStandard {
		return nil, invalid(fmt.Sprintf("logGroupClass %s: the local endpoint knows STANDARD only; leave it out", in.LogGroupClass))
	}
	if aws.ToBool(in.DeletionProtectionEnabled) {
		return nil, invalid("deletionProtectionEnabled: the local endpoint does not protect log groups; leave it out")
	}
	if err := s.tryKey(ctx, name, aws.ToString(in.KmsKeyId)); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.groups[name] != nil {
		return nil, &types.ResourceAlreadyExistsException{Message: aws.String("The specified log group already exists")}
	}
	s.groups[name] = &group{created: s.config.Clock.Now(), key: aws.ToString(in.KmsKeyId), tags: maps.Clone(in.Tags), streams: map[string]*stream{}, filters: map[string]*filter{}}
	return &cloudwatchlogs.CreateLogGroupOutput{}, nil
}

// DeleteLogGroup removes a log group with all its events.
func (s *Service) DeleteLogGroup(ctx context.Context, in *cloudwatchlogs.DeleteLogGroupInput) (*cloudwatchlogs.DeleteLogGroupOutput, error) {
	if err := s.authorize(ctx, "DeleteLogGroup", aws.ToString(in.LogGroupName)); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.group(aws.ToString(in.LogGroupName)); err != nil {
		return nil, err
	}
	delete(s.groups, aws.ToString(in.LogGroupName))
	return &cloudwatchlogs.DeleteLogGroupOutput{}, nil
}

// DescribeLogGroups lists log groups by name, in one page.
func (s *Service) DescribeLogGroups(ctx context.Context, in *cloudwatchlogs.DescribeLogGroupsInput) (*cloudwatchlogs.DescribeLogGroupsOutput, error) {
	if err := s.authorize(ctx, "DescribeLogGroups", ""); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	listed := &cloudwatchlogs.DescribeLogGroupsOutput{LogGroups: []types.LogGroup{}}
	for _, name := range slices.Sorted(maps.Keys(s.groups)) {
		if !strings.HasPrefix(name, aws.ToString(in.LogGroupNamePrefix)) || !strings.Contains(name, aws.ToString(in.LogGroupNamePattern)) {
			continue
		}
		found := s.groups[name]
		shown := types.LogGroup{
			LogGroupName: aws.String(name), Arn: aws.String(s.arn(name) + ":*"), LogGroupArn: aws.String(s.arn(name)),
			CreationTime: aws.Int64(found.created.UnixMilli()), LogGroupClass: types.LogGroupClassStandard,
		}
		if found.key != "" {
			shown.KmsKeyId = aws.String(found.key)
		}
		if found.retention > 0 {
			shown.RetentionInDays = aws.Int32(found.retention)
		}
		listed.LogGroups = append(listed.LogGroups, shown)
	}
	return listed, nil
}

// retentions are the numbers of days that there are.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
var retentions = []int32{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// PutRetentionPolicy has events older than some days forgotten.
func (s *Service) PutRetentionPolicy(ctx context.Context, in *cloudwatchlogs.PutRetentionPolicyInput) (*cloudwatchlogs.PutRetentionPolicyOutput, error) {
	if !slices.Contains(retentions, aws.ToInt32(in.RetentionInDays)) {
		return nil, invalid(fmt.Sprintf("retentionInDays %d is not one of %v", aws.ToInt32(in.RetentionInDays), retentions))
	}
	err := s.change(ctx, "PutRetentionPolicy", in.LogGroupName, func(g *group) { g.retention = aws.ToInt32(in.RetentionInDays) })
	return &cloudwatchlogs.PutRetentionPolicyOutput{}, err
}

// DeleteRetentionPolicy has events kept for ever.
func (s *Service) DeleteRetentionPolicy(ctx context.Context, in *cloudwatchlogs.DeleteRetentionPolicyInput) (*cloudwatchlogs.DeleteRetentionPolicyOutput, error) {
	err := s.change(ctx, "DeleteRetentionPolicy", in.LogGroupName, func(g *group) { g.retention = 0 })
	return &cloudwatchlogs.DeleteRetentionPolicyOutput{}, err
}

// AssociateKmsKey has new events encrypted with a key.
func (s *Service) AssociateKmsKey(ctx context.Context, in *cloudwatchlogs.AssociateKmsKeyInput) (*cloudwatchlogs.AssociateKmsKeyOutput, error) {
	if err := s.tryKey(ctx, aws.ToString(in.LogGroupName), aws.ToString(in.KmsKeyId)); err != nil {
		return nil, err
	}
	err := s.change(ctx, "AssociateKmsKey", in.LogGroupName, func(g *group) { g.key = aws.ToString(in.KmsKeyId) })
	return &cloudwatchlogs.AssociateKmsKeyOutput{}, err
}

// DisassociateKmsKey ends the use of a key.
func (s *Service) DisassociateKmsKey(ctx context.Context, in *cloudwatchlogs.DisassociateKmsKeyInput) (*cloudwatchlogs.DisassociateKmsKeyOutput, error) {
	err := s.change(ctx, "DisassociateKmsKey", in.LogGroupName, func(g *group) { g.key = "" })
	return &cloudwatchlogs.DisassociateKmsKeyOutput{}, err
}

func (s *Service) change(ctx context.Context, action string, name *string, apply func(*group)) error {
	if err := s.authorize(ctx, action, aws.ToString(name)); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.group(aws.ToString(name))
	if err != nil {
		return err
	}
	apply(found)
	return nil
}

// CreateLogStream makes a stream in a group.
func (s *Service) CreateLogStream(ctx context.Context, in *cloudwatchlogs.CreateLogStreamInput) (*cloudwatchlogs.CreateLogStreamOutput, error) {
	if err := s.authorizeStream(ctx, "CreateLogStream", in.LogGroupName, in.LogStreamName); err != nil {
		return nil, err
	}
	name := aws.ToString(in.LogStreamName)
	if name == "" || len(name) > 512 || strings.ContainsAny(name, ":*") {
		return nil, invalid("1 validation error detected: Value at 'logStreamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [^:*]*")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.group(aws.ToString(in.LogGroupName))
	if err != nil {
		return nil, err
	}
	if found.streams[name] != nil {
		return nil, &types.ResourceAlreadyExistsException{Message: aws.String("The specified log stream already exists")}
	}
	found.streams[name] = &stream{created: s.config.Clock.Now()}
	return &cloudwatchlogs.CreateLogStreamOutput{}, nil
}

// DeleteLogStream removes a stream with its events.
func (s *Service) DeleteLogStream(ctx context.Context, in *cloudwatchlogs.DeleteLogStreamInput) (*cloudwatchlogs.DeleteLogStreamOutput, error) {
	if err := s.authorizeStream(ctx, "DeleteLogStream", in.LogGroupName, in.LogStreamName); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, _, err := s.stream(in.LogGroupName, in.LogStreamName)
	if err != nil {
		return nil, err
	}
	delete(found.streams, aws.ToString(in.LogStreamName))
	return &cloudwatchlogs.DeleteLogStreamOutput{}, nil
}

// DescribeLogStreams lists a group's streams by name or by their last event.
func (s *Service) DescribeLogStreams(ctx context.Context, in *cloudwatchlogs.DescribeLogStreamsInput) (*cloudwatchlogs.DescribeLogStreamsOutput, error) {
	if err := s.authorize(ctx, "DescribeLogStreams", aws.ToString(in.LogGroupName)); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	found, err := s.group(aws.ToString(in.LogGroupName))
	if err != nil {
		return nil, err
	}
	listed := []types.LogStream{}
	for _, name := range slices.Sorted(maps.Keys(found.streams)) {
		if strings.HasPrefix(name, aws.ToString(in.LogStreamNamePrefix)) {
			listed = append(listed, s.describe(aws.ToString(in.LogGroupName), name, found.streams[name]))
		}
	}
	if in.OrderBy == types.OrderByLastEventTime {
		slices.SortStableFunc(listed, func(a, b types.LogStream) int {
			return cmp.Compare(aws.ToInt64(a.LastEventTimestamp), aws.ToInt64(b.LastEventTimestamp))
		})
	}
	if aws.ToBool(in.Descending) {
		slices.Reverse(listed)
	}
	if limit := int(aws.ToInt32(in.Limit)); limit > 0 && limit < len(listed) {
		listed = listed[:limit]
	}
	return &cloudwatchlogs.DescribeLogStreamsOutput{LogStreams: listed}, nil
}

func (s *Service) describe(group, name string, found *stream) types.LogStream {
	shown := types.LogStream{
		LogStreamName: aws.String(name), Arn: aws.String(s.arn(group) + ":log-stream:" + name), CreationTime: aws.Int64(found.created.UnixMilli()),
	}
	if len(found.events) > 0 {
		last := found.events[len(found.events)-1]
		shown.FirstEventTimestamp, shown.LastEventTimestamp = aws.Int64(found.events[0].timestamp), aws.Int64(last.timestamp)
		shown.LastIngestionTime = aws.Int64(last.ingested)
	}
	return shown
}

// tryKey does with a key all that a log group will ask of it. AWS documents the
// rights that its policy has to give and not when each is used; asking at once
// shows at the deployment what would otherwise lose log lines later.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
func (s *Service) tryKey(ctx context.Context, group, key string) error {
	if key == "" {
		return nil
	}
	ctx, own := s.asItself(ctx, group)
	sealed, err := s.config.Keys.Encrypt(ctx, &kms.EncryptInput{KeyId: aws.String(key), Plaintext: []byte(group), EncryptionContext: own})
	if err != nil {
		return s.unusable(group, err)
	}
	again, err := s.config.Keys.ReEncrypt(ctx, &kms.ReEncryptInput{
		CiphertextBlob: sealed.CiphertextBlob, DestinationKeyId: aws.String(key), SourceEncryptionContext: own, DestinationEncryptionContext: own,
	})
	if err != nil {
		return s.unusable(group, err)
	}
	if _, err := s.config.Keys.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: again.CiphertextBlob, EncryptionContext: own}); err != nil {
		return s.unusable(group, err)
	}
	return s.useKey(ctx, group, key)
}

// useKey asks the key for what new log events need of it.
func (s *Service) useKey(ctx context.Context, group, key string) error {
	if key == "" {
		return nil
	}
	ctx, own := s.asItself(ctx, group)
	_, err := s.config.Keys.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: aws.String(key), NumberOfBytes: aws.Int32(32), EncryptionContext: own})
	if err != nil {
		return s.unusable(group, err)
	}
	return nil
}

func (s *Service) asItself(ctx context.Context, group string) (_ context.Context, encryptionContext map[string]string) {
	itself := access.Principal{Service: "logs." + s.config.Account.Region + ".amazonaws.com", SourceARN: s.arn(group)}
	return access.WithCaller(ctx, itself), map[string]string{"aws:logs:arn": s.arn(group)}
}

func (s *Service) unusable(group string, err error) error {
	return &types.InvalidParameterException{Message: aws.String(fmt.Sprintf(
		"The specified KMS key does not exist or is not allowed to be used with Arn '%s': %v", s.arn(group), err))}
}

func (s *Service) arn(group string) string {
	return s.config.Account.ARN("logs", "log-group:"+group)
}

func (s *Service) authorize(ctx context.Context, action, group string) error {
	return s.config.Auth.Authorize(ctx, access.Request{Action: "logs:" + action, Resource: s.arn(group) + ":*"})
}

func (s *Service) authorizeStream(ctx context.Context, action string, group, stream *string) error {
	resource := s.arn(aws.ToString(group)) + ":log-stream:" + aws.ToString(stream)
	return s.config.Auth.Authorize(ctx, access.Request{Action: "logs:" + action, Resource: resource})
}

// group needs the lock held.
func (s *Service) group(name string) (*group, error) {
	if found := s.groups[name]; found != nil {
		return found, nil
	}
	return nil, &types.ResourceNotFoundException{Message: aws.String("The specified log group does not exist.")}
}

// stream needs the lock held.
func (s *Service) stream(inGroup, name *string) (*group, *stream, error) {
	in, err := s.group(aws.ToString(inGroup))
	if err != nil {
		return nil, nil, err
	}
	found := in.streams[aws.ToString(name)]
	if found == nil {
		return nil, nil, &types.ResourceNotFoundException{Message: aws.String("The specified log stream does not exist.")}
	}
	return in, found, nil
}

func invalid(message string) error {
	return &smithy.GenericAPIError{Code: "InvalidParameterException", Message: message}
}
