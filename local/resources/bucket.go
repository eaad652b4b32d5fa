package resources

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"api-destination-credentials/local/cloudformation"
)

// Buckets is Amazon S3.
type Buckets interface {
	CreateBucket(context.Context, *s3.CreateBucketInput) (*s3.CreateBucketOutput, error)
	HeadBucket(context.Context, *s3.HeadBucketInput) (*s3.HeadBucketOutput, error)
	DeleteBucket(context.Context, *s3.DeleteBucketInput) (*s3.DeleteBucketOutput, error)
}

// bucket is what the managed stack of SAM CLI declares. Encryption, versions,
// public access and tags are taken and have no effect: the local buckets keep
// deployment artifacts in memory, for this account only.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html
type bucket struct{ buckets Buckets }

func (b bucket) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known(nil, "BucketEncryption", "BucketName", "PublicAccessBlockConfiguration", "Tags", "VersioningConfiguration"),
		Replace:    []string{"BucketName"},
		Create: func(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
			name, err := given(r, "BucketName", strings.ToLower(stackName(r, 63)))
			if err != nil {
				return cloudformation.Result{}, err
			}
			if err := do(ctx, b.buckets.CreateBucket, object{"Bucket": name}); err != nil {
				return cloudformation.Result{}, err
			}
			return b.result(ctx, name)
		},
		Update: func(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
			return b.result(ctx, r.PhysicalID)
		},
		Delete: func(ctx context.Context, r cloudformation.Request) error {
			return unlessGone(do(ctx, b.buckets.DeleteBucket, object{"Bucket": r.PhysicalID}))
		},
	}
}

func (b bucket) result(ctx context.Context, name string) (cloudformation.Result, error) {
	result := cloudformation.Result{PhysicalID: name}
	found, err := call(ctx, b.buckets.HeadBucket, object{"Bucket": name})
	if err != nil {
		return result, err
	}
	region := aws.ToString(found.BucketRegion)
	result.Attributes = object{
		"Arn":                 "arn:aws:s3:::" + name,
		"DomainName":          name + ".s3.amazonaws.com",
		"DualStackDomainName": name + ".s3.dualstack." + region + ".amazonaws.com",
		"RegionalDomainName":  name + ".s3." + region + ".amazonaws.com",
	}
	return result, nil
}

// bucketPolicy is taken for a bucket that exists, and has no effect: whoever may
// use the local S3 is decided by identity policies alone.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucketpolicy.html
type bucketPolicy struct{ buckets Buckets }

func (p bucketPolicy) provider() cloudformation.Provider {
	put := func(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
		name, err := member[string](r.Properties, "Bucket")
		if err != nil {
			return cloudformation.Result{}, err
		}
		return created(name, do(ctx, p.buckets.HeadBucket, object{"Bucket": name}))
	}
	return cloudformation.Provider{
		Properties: known([]string{"Bucket", "PolicyDocument"}),
		Replace:    []string{"Bucket"},
		Create:     put,
		Update:     put,
		Delete:     func(context.Context, cloudformation.Request) error { return nil },
	}
}
