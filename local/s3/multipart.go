package s3

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/google/uuid"
)

// upload is a multipart upload that is not complete.
type upload struct {
	key, contentType string
	parts            map[int32][]byte
}

// CreateMultipartUpload begins an upload in parts.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
func (s *Service) CreateMultipartUpload(ctx context.Context, in *s3.CreateMultipartUploadInput) (*s3.CreateMultipartUploadOutput, error) {
	if err := s.authorize(ctx, "PutObject", aws.ToString(in.Bucket), aws.ToString(in.Key)); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	held, err := s.bucket(aws.ToString(in.Bucket))
	if err != nil {
		return nil, err
	}
	id := uuid.NewString()
	held.uploads[id] = &upload{key: aws.ToString(in.Key), contentType: aws.ToString(in.ContentType), parts: map[int32][]byte{}}
	return &s3.CreateMultipartUploadOutput{Bucket: in.Bucket, Key: in.Key, UploadId: aws.String(id)}, nil
}

// UploadPart stores one part; parts come in any order and several at a time.
func (s *Service) UploadPart(ctx context.Context, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	if err := s.authorize(ctx, "PutObject", aws.ToString(in.Bucket), aws.ToString(in.Key)); err != nil {
		return nil, err
	}
	content, err := io.ReadAll(in.Body)
	if err != nil {
		return nil, &smithy.GenericAPIError{Code: "IncompleteBody", Message: "You did not provide the number of bytes specified by the Content-Length HTTP header."}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	pending, err := s.upload(in.Bucket, in.Key, in.UploadId)
	if err != nil {
		return nil, err
	}
	pending.parts[aws.ToInt32(in.PartNumber)] = content
	sum := md5.Sum(content)
	return &s3.UploadPartOutput{ETag: aws.String(`"` + hex.EncodeToString(sum[:]) + `"`)}, nil
}

// CompleteMultipartUpload makes one object of the parts that are listed.
func (s *Service) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
	if err := s.authorize(ctx, "PutObject", aws.ToString(in.Bucket), aws.ToString(in.Key)); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	pending, err := s.upload(in.Bucket, in.Key, in.UploadId)
	if err != nil {
		return nil, err
	}
	if in.MultipartUpload == nil || len(in.MultipartUpload.Parts) == 0 {
		return nil, &smithy.GenericAPIError{Code: "MalformedXML", Message: "The list of parts is empty; name every part that was uploaded."}
	}
	var pieces []io.Reader
	for _, part := range in.MultipartUpload.Parts {
		piece, ok := pending.parts[aws.ToInt32(part.PartNumber)]
		if !ok {
			return nil, &smithy.GenericAPIError{Code: "InvalidPart", Message: "One or more of the specified parts could not be found."}
		}
		pieces = append(pieces, bytes.NewReader(piece))
	}
	content, err := keep(io.MultiReader(pieces...))
	if err != nil {
		return nil, err
	}
	// AWS hashes the parts' hashes; that the suffix counts the parts is what clients see.
	etag := fmt.Sprintf(`"%s-%d"`, content.md5, len(in.MultipartUpload.Parts))
	held := s.buckets[aws.ToString(in.Bucket)]
	held.objects[pending.key] = object{content, pending.contentType, etag, s.config.Clock.Now()}
	delete(held.uploads, aws.ToString(in.UploadId))
	return &s3.CompleteMultipartUploadOutput{Bucket: in.Bucket, Key: in.Key, ETag: aws.String(etag)}, nil
}

// AbortMultipartUpload forgets the parts.
func (s *Service) AbortMultipartUpload(ctx context.Context, in *s3.AbortMultipartUploadInput) (*s3.AbortMultipartUploadOutput, error) {
	if err := s.authorize(ctx, "AbortMultipartUpload", aws.ToString(in.Bucket), aws.ToString(in.Key)); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.upload(in.Bucket, in.Key, in.UploadId); err != nil {
		return nil, err
	}
	delete(s.buckets[aws.ToString(in.Bucket)].uploads, aws.ToString(in.UploadId))
	return &s3.AbortMultipartUploadOutput{}, nil
}

// upload needs the lock held.
func (s *Service) upload(bucket, key, id *string) (*upload, error) {
	held, err := s.bucket(aws.ToString(bucket))
	if err != nil {
		return nil, err
	}
	pending := held.uploads[aws.ToString(id)]
	if pending == nil || pending.key != aws.ToString(key) {
		return nil, &smithy.GenericAPIError{Code: "NoSuchUpload", Message: "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."}
	}
	return pending, nil
}
