package cloudformation

import (
	"context"
	"errors"
	"io"
	"net/url"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// Limits of a template, in bytes.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
const (
	maxBody   = 51200
	maxObject = 1 << 20
)

// source returns the text of a template that a request brings along or names.
func (s *Service) source(ctx context.Context, body, location *string) (string, error) {
	switch {
	case (body == nil) == (location == nil):
		return "", invalid("Either Template URL or Template Body must be specified.")
	case location != nil:
		return s.download(ctx, *location)
	case len(*body) == 0:
		return "", invalid("1 validation error detected: Value '' at 'templateBody' failed to satisfy constraint: Member must have length greater than or equal to 1")
	case len(*body) > maxBody:
		return "", invalid("1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to %d", maxBody)
	}
	return *body, nil
}

// expand returns a request's template after its transform.
func (s *Service) expand(ctx context.Context, body, location *string) (*template, error) {
	t, err := s.read(ctx, body, location)
	if err != nil {
		return nil, err
	}
	return t.transformed(s.Transform)
}

func (s *Service) read(ctx context.Context, body, location *string) (*template, error) {
	text, err := s.source(ctx, body, location)
	if err != nil {
		return nil, err
	}
	return readTemplate(text)
}

// virtualHost matches S3's own host names with the bucket in front.
var virtualHost = regexp.MustCompile(`^(?:(.+)\.)?s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com$`)

func (s *Service) download(ctx context.Context, location string) (string, error) {
	bucket, key, err := s.locate(location)
	if err != nil {
		return "", err
	}
	out, err := s.Objects.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)})
	if err != nil {
		var refused smithy.APIError
		if errors.As(err, &refused) {
			return "", invalid("S3 error: %s (bucket %s, key %s)", refused.ErrorMessage(), bucket, key)
		}
		return "", err
	}
	defer out.Body.Close()
	text, err := io.ReadAll(io.LimitReader(out.Body, maxObject+1))
	if err != nil {
		return "", err
	}
	if len(text) > maxObject {
		return "", invalid("Template may not exceed %d bytes in size.", maxObject)
	}
	return string(text), nil
}

// locate reads bucket and key from a URL of S3 or of this endpoint. Clients
// whose endpoint URL ends with a slash write two of them.
func (s *Service) locate(location string) (bucket, key string, err error) {
	target, err := url.Parse(location)
	if err != nil {
		return "", "", invalid("TemplateURL must be a supported URL.")
	}
	path := strings.TrimLeft(target.Path, "/")
	own, _ := url.Parse(s.EndpointURL)
	host := virtualHost.FindStringSubmatch(target.Host)
	switch {
	case host != nil && host[1] != "":
		bucket, key = host[1], path
	case host != nil || own != nil && own.Host != "" && target.Host == own.Host:
		bucket, key, _ = strings.Cut(path, "/")
	default:
		return "", "", invalid("TemplateURL must be a supported URL: S3's or this endpoint's (%s), not %s", s.EndpointURL, target.Host)
	}
	if bucket == "" || key == "" {
		return "", "", invalid("TemplateURL must reference a valid S3 object to which you have access.")
	}
	return bucket, strings.TrimLeft(key, "/"), nil
}
