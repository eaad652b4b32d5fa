// Package s3 keeps deployment artifacts: the functions' archives and the
// templates that clients upload, the newest version of each only.
// https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html
package s3

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
)

// Config is what the service builds on.
type Config struct {
	Account access.Account
	Auth    access.Authorizer
	Clock   clockwork.Clock
}

// Service is Amazon S3, as far as deployments need it.
type Service struct {
	config Config

	mu      sync.RWMutex
	buckets map[string]*bucket
}

type bucket struct {
	created time.Time
	objects map[string]object
	uploads map[string]*upload
}

type object struct {
	content
	contentType  string
	etag         string
	lastModified time.Time
}

// New returns a service without buckets.
func New(config Config) *Service {
	return &Service{config: config, buckets: map[string]*bucket{}}
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// CreateBucket makes a bucket.
func (s *Service) CreateBucket(ctx context.Context, in *s3.CreateBucketInput) (*s3.CreateBucketOutput, error) {
	name := aws.ToString(in.Bucket)
	if err := s.authorize(ctx, "CreateBucket", name, ""); err != nil {
		return nil, err
	}
	if !bucketName.MatchString(name) {
		return nil, &smithy.GenericAPIError{Code: "InvalidBucketName", Message: "The specified bucket is not valid."}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.buckets[name] != nil {
		return nil, &types.BucketAlreadyOwnedByYou{Message: aws.String("Your previous request to create the named bucket succeeded and you already own it.")}
	}
	s.buckets[name] = &bucket{created: s.config.Clock.Now(), objects: map[string]object{}, uploads: map[string]*upload{}}
	return &s3.CreateBucketOutput{Location: aws.String("/" + name)}, nil
}

// HeadBucket tells whether a bucket is there.
func (s *Service) HeadBucket(ctx context.Context, in *s3.HeadBucketInput) (*s3.HeadBucketOutput, error) {
	if err := s.authorize(ctx, "ListBucket", aws.ToString(in.Bucket), ""); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.buckets[aws.ToString(in.Bucket)] == nil {
		return nil, &types.NotFound{Message: aws.String("Not Found")}
	}
	return &s3.HeadBucketOutput{BucketRegion: aws.String(s.config.Account.Region)}, nil
}

// DeleteBucket removes a bucket without objects.
func (s *Service) DeleteBucket(ctx context.Context, in *s3.DeleteBucketInput) (*s3.DeleteBucketOutput, error) {
	name := aws.ToString(in.Bucket)
	if err := s.authorize(ctx, "DeleteBucket", name, ""); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	held, err := s.bucket(name)
	if err != nil {
		return nil, err
	}
	if len(held.objects) > 0 {
		return nil, &smithy.GenericAPIError{Code: "BucketNotEmpty", Message: "The bucket you tried to delete is not empty"}
	}
	delete(s.buckets, name)
	return &s3.DeleteBucketOutput{}, nil
}

// ListBuckets lists every bucket by name.
func (s *Service) ListBuckets(ctx context.Context, _ *s3.ListBucketsInput) (*s3.ListBucketsOutput, error) {
	if err := s.config.Auth.Authorize(ctx, access.Request{Action: "s3:ListAllMyBuckets", Resource: "*"}); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	listed := &s3.ListBucketsOutput{}
	for _, name := range slices.Sorted(maps.Keys(s.buckets)) {
		listed.Buckets = append(listed.Buckets, types.Bucket{Name: aws.String(name), CreationDate: aws.Time(s.buckets[name].created)})
	}
	return listed, nil
}

// PutObject stores an object in place of what its key held.
func (s *Service) PutObject(ctx context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	if err := s.authorize(ctx, "PutObject", aws.ToString(in.Bucket), aws.ToString(in.Key)); err != nil {
		return nil, err
	}
	content, err := keep(in.Body)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	held, err := s.bucket(aws.ToString(in.Bucket))
	if err != nil {
		return nil, err
	}
	etag := `"` + content.md5 + `"`
	held.objects[aws.ToString(in.Key)] = object{content, aws.ToString(in.ContentType), etag, s.config.Clock.Now()}
	return &s3.PutObjectOutput{ETag: aws.String(etag)}, nil
}

// GetObject reads an object.
func (s *Service) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	if err := s.authorize(ctx, "GetObject", aws.ToString(in.Bucket), aws.ToString(in.Key)); err != nil {
		return nil, err
	}
	if in.VersionId != nil {
		return nil, &smithy.GenericAPIError{Code: "NotImplemented", Message: "VersionId: the local endpoint keeps the newest version only; leave it out"}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	held, err := s.bucket(aws.ToString(in.Bucket))
	if err != nil {
		return nil, err
	}
	found, ok := held.objects[aws.ToString(in.Key)]
	if !ok {
		return nil, &types.NoSuchKey{Message: aws.String("The specified key does not exist.")}
	}
	return &s3.GetObjectOutput{
		Body: found.reader(), ContentLength: aws.Int64(found.size),
		ContentType: aws.String(found.contentType), ETag: aws.String(found.etag), LastModified: aws.Time(found.lastModified),
	}, nil
}

// HeadObject describes an object.
func (s *Service) HeadObject(ctx context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	found, err := s.GetObject(ctx, &s3.GetObjectInput{Bucket: in.Bucket, Key: in.Key, VersionId: in.VersionId})
	if err != nil {
		return nil, err
	}
	return &s3.HeadObjectOutput{ContentLength: found.ContentLength, ContentType: found.ContentType, ETag: found.ETag, LastModified: found.LastModified}, nil
}

// DeleteObject removes an object; one that is gone already is fine.
func (s *Service) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	if err := s.authorize(ctx, "DeleteObject", aws.ToString(in.Bucket), aws.ToString(in.Key)); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	held, err := s.bucket(aws.ToString(in.Bucket))
	if err != nil {
		return nil, err
	}
	delete(held.objects, aws.ToString(in.Key))
	return &s3.DeleteObjectOutput{}, nil
}

// ListObjectsV2 lists the objects below a prefix, in one page.
func (s *Service) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	if err := s.authorize(ctx, "ListBucket", aws.ToString(in.Bucket), ""); err != nil {
		return nil, err
	}
	if aws.ToString(in.Delimiter) != "" {
		return nil, &smithy.GenericAPIError{Code: "NotImplemented", Message: "Delimiter: the local endpoint lists keys only; leave it out"}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	held, err := s.bucket(aws.ToString(in.Bucket))
	if err != nil {
		return nil, err
	}
	listed := &s3.ListObjectsV2Output{Name: in.Bucket, Prefix: in.Prefix, IsTruncated: aws.Bool(false)}
	for _, key := range slices.Sorted(maps.Keys(held.objects)) {
		if !strings.HasPrefix(key, aws.ToString(in.Prefix)) {
			continue
		}
		found := held.objects[key]
		listed.Contents = append(listed.Contents, types.Object{
			Key: aws.String(key), ETag: aws.String(found.etag), Size: aws.Int64(found.size),
			LastModified: aws.Time(found.lastModified), StorageClass: types.ObjectStorageClassStandard,
		})
	}
	listed.KeyCount = aws.Int32(int32(len(listed.Contents)))
	return listed, nil
}

func (s *Service) authorize(ctx context.Context, action, bucket, key string) error {
	resource := "arn:aws:s3:::" + bucket
	if key != "" {
		resource += "/" + key
	}
	return s.config.Auth.Authorize(ctx, access.Request{Action: "s3:" + action, Resource: resource})
}

// bucket needs the lock held.
func (s *Service) bucket(name string) (*bucket, error) {
	if held := s.buckets[name]; held != nil {
		return held, nil
	}
	return nil, &types.NoSuchBucket{Message: aws.String(fmt.Sprintf("The specified bucket does not exist: %s", name))}
}
