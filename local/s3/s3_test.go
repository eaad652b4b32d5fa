package s3_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
	service "api-destination-credentials/local/s3"
)

// refusing lets everything pass but one action.
type refusing struct{ action string }

func (r refusing) Authorize(_ context.Context, asked access.Request) error {
	if asked.Action == r.action {
		return &smithy.GenericAPIError{Code: "AccessDenied", Message: "not authorized to perform " + asked.Action + " on " + asked.Resource}
	}
	return nil
}

// newClient is the SDK's own client with a bucket made.
func newClient(t *testing.T, refused string) *s3.Client {
	t.Helper()
	server := httptest.NewServer(service.New(service.Config{
		Account: access.Account{ID: "123456789012", Region: "us-east-1"}, Auth: refusing{refused}, Clock: clockwork.NewFakeClock(),
	}).Handler())
	t.Cleanup(server.Close)
	client := s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("artifacts")}); err != nil {
		t.Fatal(err)
	}
	return client
}

func put(t *testing.T, client *s3.Client, key, content string) {
	t.Helper()
	if _, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("artifacts"), Key: aws.String(key), Body: strings.NewReader(content)}); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, client *s3.Client, in *s3.GetObjectInput) string {
	t.Helper()
	found, err := client.GetObject(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Body.Close()
	content, err := io.ReadAll(found.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

func TestAnObjectIsReadAsItWasWritten(t *testing.T) {
	client := newClient(t, "")
	put(t, client, "a prefix/with spaces+plus.zip", "first")
	put(t, client, "a prefix/with spaces+plus.zip", "second")
	in := &s3.GetObjectInput{Bucket: aws.String("artifacts"), Key: aws.String("a prefix/with spaces+plus.zip")}
	if content := get(t, client, in); content != "second" {
		t.Errorf("content %q, want the newest", content)
	}
	in.Range = aws.String("bytes=1-3")
	if content := get(t, client, in); content != "eco" {
		t.Errorf("range %q, want eco", content)
	}
	head, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: in.Bucket, Key: in.Key})
	if err != nil || aws.ToInt64(head.ContentLength) != 6 || aws.ToString(head.ETag) == "" {
		t.Errorf("head %+v, error %v", head, err)
	}
}

func TestObjectsAreListedByPrefixAndDeleted(t *testing.T) {
	client := newClient(t, "")
	for _, key := range []string{"app/2", "app/1", "other/1"} {
		put(t, client, key, key)
	}
	listed, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("artifacts"), Prefix: aws.String("app/")})
	if err != nil {
		t.Fatal(err)
	}
	if len(listed.Contents) != 2 || aws.ToString(listed.Contents[0].Key) != "app/1" || aws.ToInt64(listed.Contents[1].Size) != 5 {
		t.Errorf("listed %+v", listed.Contents)
	}
	for range 2 {
		if _, err := client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("artifacts"), Key: aws.String("app/1")}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("artifacts"), Key: aws.String("app/1")}); code(err) != "NoSuchKey" {
		t.Errorf("error %v, want NoSuchKey", err)
	}
}

func TestPartsUploadedOutOfOrderMakeOneObject(t *testing.T) {
	client := newClient(t, "")
	bucket, key := aws.String("artifacts"), aws.String("large.zip")
	begun, err := client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	parts := []types.CompletedPart{{PartNumber: aws.Int32(1)}, {PartNumber: aws.Int32(2)}}
	for _, i := range []int{1, 0} {
		stored, err := client.UploadPart(t.Context(), &s3.UploadPartInput{
			Bucket: bucket, Key: key, UploadId: begun.UploadId, PartNumber: parts[i].PartNumber, Body: bytes.NewReader(bytes.Repeat([]byte{'a' + byte(i)}, 1000)),
		})
		if err != nil {
			t.Fatal(err)
		}
		parts[i].ETag = stored.ETag
	}
	complete := &s3.CompleteMultipartUploadInput{Bucket: bucket, Key: key, UploadId: begun.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}}
	if _, err := client.CompleteMultipartUpload(t.Context(), complete); err != nil {
		t.Fatal(err)
	}
	if content := get(t, client, &s3.GetObjectInput{Bucket: bucket, Key: key}); content != strings.Repeat("a", 1000)+strings.Repeat("b", 1000) {
		t.Errorf("%d bytes, starting %q", len(content), content[:10])
	}
	if _, err := client.CompleteMultipartUpload(t.Context(), complete); code(err) != "NoSuchUpload" {
		t.Errorf("error %v, want NoSuchUpload for one that is complete", err)
	}
}

func TestWhatCannotBeDoneSaysWhy(t *testing.T) {
	client := newClient(t, "s3:GetObject")
	put(t, client, "kept", "x")
	for want, attempt := range map[string]func() error{
		"BucketAlreadyOwnedByYou": func() error {
			_, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("artifacts")})
			return err
		},
		"InvalidBucketName": func() error {
			_, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("Not_A_Name")})
			return err
		},
		"BucketNotEmpty": func() error {
			_, err := client.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: aws.String("artifacts")})
			return err
		},
		"NoSuchBucket": func() error {
			_, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("nowhere")})
			return err
		},
		"NotFound": func() error {
			_, err := client.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("nowhere")})
			return err
		},
		"AccessDenied": func() error {
			_, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("artifacts"), Key: aws.String("kept")})
			return err
		},
		"NotImplemented": func() error {
			_, err := client.GetBucketAcl(t.Context(), &s3.GetBucketAclInput{Bucket: aws.String("artifacts")})
			return err
		},
	} {
		t.Run(want, func(t *testing.T) {
			if err := attempt(); code(err) != want {
				t.Errorf("error %v, want %s", err, want)
			}
		})
	}
}
