package resources_test

import (
	"context"
	"regexp"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"api-destination-credentials/local/resources"
)

// buckets is S3 in which only the buckets that were made exist.
type buckets struct {
	resources.Buckets
	names []string
}

func (f *buckets) CreateBucket(_ context.Context, in *s3.CreateBucketInput) (*s3.CreateBucketOutput, error) {
	f.names = append(f.names, *in.Bucket)
	return nil, nil
}

func (f *buckets) HeadBucket(_ context.Context, in *s3.HeadBucketInput) (*s3.HeadBucketOutput, error) {
	for _, name := range f.names {
		if name == *in.Bucket {
			return &s3.HeadBucketOutput{BucketRegion: aws.String("us-east-1")}, nil
		}
	}
	return nil, &types.NotFound{}
}

func (f *buckets) DeleteBucket(context.Context, *s3.DeleteBucketInput) (*s3.DeleteBucketOutput, error) {
	return nil, missing("NoSuchBucket")
}

func TestABucketIsNamedInSmallLetters(t *testing.T) {
	fake := &buckets{}
	p := provider(t, resources.Services{Buckets: fake}, "AWS::S3::Bucket")
	r := request(t, `{"VersioningConfiguration": {"Status": "Enabled"}}`)
	result, err := p.Create(context.Background(), r)
	check(t, err)
	if !regexp.MustCompile(`^stack-thing-[a-z0-9]{12}$`).MatchString(result.PhysicalID) {
		t.Errorf("the bucket is called %s", result.PhysicalID)
	}
	if arn := result.Attributes["Arn"]; arn != "arn:aws:s3:::"+result.PhysicalID {
		t.Errorf("its ARN is %s", arn)
	}
	r.PhysicalID = result.PhysicalID
	check(t, p.Delete(context.Background(), r))
}

func TestABucketPolicyNeedsItsBucket(t *testing.T) {
	_, err := provider(t, resources.Services{Buckets: &buckets{}}, "AWS::S3::BucketPolicy").Create(context.Background(),
		request(t, `{"Bucket": "nowhere", "PolicyDocument": {}}`))
	wantError(t, err, "NotFound")
}
