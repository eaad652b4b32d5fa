package s3

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// maxObject bounds one upload, in bytes; a function's archive may have 250 MB unpacked.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const maxObject = 256 << 20

// Handler serves the service over HTTP, path style. The caller is in the
// request's context.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
func (s *Service) Handler() http.Handler { return http.HandlerFunc(s.serve) }

func (s *Service) serve(w http.ResponseWriter, r *http.Request) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	request := request{Service: s, w: w, r: r, query: r.URL.Query(), bucket: bucket, key: key}
	for name := range request.query {
		if !known[name] {
			request.fail(&smithy.GenericAPIError{Code: "NotImplemented", Message: fmt.Sprintf("The local endpoint's S3 does not know the parameter %q", name)})
			return
		}
	}
	operation := map[string]func() error{
		"GET /":           request.listBuckets,
		"PUT bucket":      request.createBucket,
		"HEAD bucket":     request.headBucket,
		"DELETE bucket":   request.deleteBucket,
		"GET bucket":      request.listObjects,
		"GET location":    request.location,
		"PUT object":      request.putObject,
		"GET object":      request.getObject,
		"HEAD object":     request.headObject,
		"DELETE object":   request.deleteObject,
		"POST uploads":    request.createUpload,
		"PUT uploadId":    request.uploadPart,
		"POST uploadId":   request.completeUpload,
		"DELETE uploadId": request.abortUpload,
	}[r.Method+" "+request.subject()]
	if operation == nil {
		request.fail(&smithy.GenericAPIError{Code: "NotImplemented", Message: fmt.Sprintf("The local endpoint's S3 has no %s of a %s", r.Method, request.subject())})
		return
	}
	if err := operation(); err != nil {
		request.fail(err)
	}
}

// known are the query parameters that a request may have.
var known = map[string]bool{
	"list-type": true, "prefix": true, "delimiter": true, "encoding-type": true, "max-keys": true, "location": true,
	"uploads": true, "uploadId": true, "partNumber": true, "x-id": true, "versionId": true,
}

type request struct {
	*Service
	w           http.ResponseWriter
	r           *http.Request
	query       url.Values
	bucket, key string
}

// subject is what the request is about, as its URL says.
func (q *request) subject() string {
	switch {
	case q.bucket == "":
		return "/"
	case q.query.Has("uploads"):
		return "uploads"
	case q.query.Has("uploadId"):
		return "uploadId"
	case q.query.Has("location"):
		return "location"
	case q.key == "":
		return "bucket"
	}
	return "object"
}

func (q *request) listBuckets() error {
	listed, err := q.ListBuckets(q.r.Context(), &s3.ListBucketsInput{})
	if err != nil {
		return err
	}
	type entry struct {
		Name         string
		CreationDate string
	}
	var entries []entry
	for _, b := range listed.Buckets {
		entries = append(entries, entry{aws.ToString(b.Name), stamp(b.CreationDate)})
	}
	return q.answer("ListAllMyBucketsResult", struct {
		Buckets []entry `xml:"Buckets>Bucket"`
	}{entries})
}

func (q *request) createBucket() error {
	made, err := q.CreateBucket(q.r.Context(), &s3.CreateBucketInput{Bucket: &q.bucket})
	if err == nil {
		q.w.Header().Set("Location", aws.ToString(made.Location))
	}
	return err
}

func (q *request) headBucket() error {
	found, err := q.HeadBucket(q.r.Context(), &s3.HeadBucketInput{Bucket: &q.bucket})
	if err == nil {
		q.w.Header().Set("X-Amz-Bucket-Region", aws.ToString(found.BucketRegion))
	}
	return err
}

func (q *request) deleteBucket() error {
	_, err := q.DeleteBucket(q.r.Context(), &s3.DeleteBucketInput{Bucket: &q.bucket})
	return q.noContent(err)
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
func (q *request) location() error {
	if _, err := q.HeadBucket(q.r.Context(), &s3.HeadBucketInput{Bucket: &q.bucket}); err != nil {
		return err
	}
	region := q.config.Account.Region
	if region == "us-east-1" {
		region = ""
	}
	return q.answer("LocationConstraint", struct {
		Region string `xml:",chardata"`
	}{region})
}

func (q *request) listObjects() error {
	listed, err := q.ListObjectsV2(q.r.Context(), &s3.ListObjectsV2Input{
		Bucket: &q.bucket, Prefix: aws.String(q.query.Get("prefix")), Delimiter: aws.String(q.query.Get("delimiter")),
	})
	if err != nil {
		return err
	}
	encode := func(key string) string { return key }
	if q.query.Get("encoding-type") == "url" {
		encode = func(key string) string { return strings.ReplaceAll(url.QueryEscape(key), "%2F", "/") }
	}
	type entry struct {
		Key, LastModified, ETag, StorageClass string
		Size                                  int64
	}
	var entries []entry
	for _, o := range listed.Contents {
		entries = append(entries, entry{encode(aws.ToString(o.Key)), stamp(o.LastModified), aws.ToString(o.ETag), string(o.StorageClass), aws.ToInt64(o.Size)})
	}
	return q.answer("ListBucketResult", struct {
		Name, Prefix string
		EncodingType string `xml:",omitempty"`
		KeyCount     int32
		IsTruncated  bool
		Contents     []entry
	}{q.bucket, encode(aws.ToString(listed.Prefix)), q.query.Get("encoding-type"), aws.ToInt32(listed.KeyCount), false, entries})
}

func (q *request) putObject() error {
	if q.r.Header.Get("X-Amz-Copy-Source") != "" {
		return &smithy.GenericAPIError{Code: "NotImplemented", Message: "The local endpoint's S3 does not copy objects"}
	}
	stored, err := q.PutObject(q.r.Context(), &s3.PutObjectInput{Bucket: &q.bucket, Key: &q.key, Body: q.body(), ContentType: aws.String(q.r.Header.Get("Content-Type"))})
	if err == nil {
		q.w.Header().Set("ETag", aws.ToString(stored.ETag))
	}
	return err
}

func (q *request) getObject() error {
	found, err := q.GetObject(q.r.Context(), &s3.GetObjectInput{Bucket: &q.bucket, Key: &q.key, VersionId: q.versionID()})
	if err != nil {
		return err
	}
	q.describe(found.ETag, found.ContentType, found.LastModified)
	// Serves ranges and conditions as well.
	http.ServeContent(q.w, q.r, "", aws.ToTime(found.LastModified), found.Body.(io.ReadSeeker))
	return nil
}

func (q *request) headObject() error {
	found, err := q.HeadObject(q.r.Context(), &s3.HeadObjectInput{Bucket: &q.bucket, Key: &q.key, VersionId: q.versionID()})
	if err != nil {
		return err
	}
	q.describe(found.ETag, found.ContentType, found.LastModified)
	q.w.Header().Set("Content-Length", strconv.FormatInt(aws.ToInt64(found.ContentLength), 10))
	return nil
}

func (q *request) deleteObject() error {
	_, err := q.DeleteObject(q.r.Context(), &s3.DeleteObjectInput{Bucket: &q.bucket, Key: &q.key})
	return q.noContent(err)
}

func (q *request) createUpload() error {
	begun, err := q.CreateMultipartUpload(q.r.Context(), &s3.CreateMultipartUploadInput{Bucket: &q.bucket, Key: &q.key, ContentType: aws.String(q.r.Header.Get("Content-Type"))})
	if err != nil {
		return err
	}
	return q.answer("InitiateMultipartUploadResult", struct{ Bucket, Key, UploadId string }{q.bucket, q.key, aws.ToString(begun.UploadId)})
}

func (q *request) uploadPart() error {
	number, err := strconv.ParseInt(q.query.Get("partNumber"), 10, 32)
	if err != nil || number < 1 || number > 10000 {
		return &smithy.GenericAPIError{Code: "InvalidArgument", Message: "Part number must be an integer between 1 and 10000, inclusive"}
	}
	stored, err := q.UploadPart(q.r.Context(), &s3.UploadPartInput{
		Bucket: &q.bucket, Key: &q.key, UploadId: aws.String(q.query.Get("uploadId")), PartNumber: aws.Int32(int32(number)), Body: q.body(),
	})
	if err == nil {
		q.w.Header().Set("ETag", aws.ToString(stored.ETag))
	}
	return err
}

func (q *request) completeUpload() error {
	var list struct {
		Part []struct{ PartNumber int32 }
	}
	if err := xml.NewDecoder(q.body()).Decode(&list); err != nil {
		return &smithy.GenericAPIError{Code: "MalformedXML", Message: "The XML you provided was not well-formed or did not validate against our published schema"}
	}
	parts := &types.CompletedMultipartUpload{}
	for _, part := range list.Part {
		parts.Parts = append(parts.Parts, types.CompletedPart{PartNumber: aws.Int32(part.PartNumber)})
	}
	made, err := q.CompleteMultipartUpload(q.r.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: &q.bucket, Key: &q.key, UploadId: aws.String(q.query.Get("uploadId")), MultipartUpload: parts,
	})
	if err != nil {
		return err
	}
	return q.answer("CompleteMultipartUploadResult", struct{ Bucket, Key, ETag string }{q.bucket, q.key, aws.ToString(made.ETag)})
}

func (q *request) abortUpload() error {
	_, err := q.AbortMultipartUpload(q.r.Context(), &s3.AbortMultipartUploadInput{Bucket: &q.bucket, Key: &q.key, UploadId: aws.String(q.query.Get("uploadId"))})
	return q.noContent(err)
}

// body is what the client uploads. Over https clients send it in signed or
// unsigned chunks with a checksum behind; chunk signatures and checksums are
// not verified.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
func (q *request) body() io.Reader {
	whole := http.MaxBytesReader(q.w, q.r.Body, maxObject)
	if strings.HasPrefix(q.r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		return httputil.NewChunkedReader(bufio.NewReader(whole))
	}
	return whole
}

func (q *request) versionID() *string {
	if !q.query.Has("versionId") {
		return nil
	}
	return aws.String(q.query.Get("versionId"))
}

func (q *request) describe(etag, contentType *string, modified *time.Time) {
	q.w.Header().Set("ETag", aws.ToString(etag))
	q.w.Header().Set("Last-Modified", aws.ToTime(modified).UTC().Format(http.TimeFormat))
	if kind := aws.ToString(contentType); kind != "" {
		q.w.Header().Set("Content-Type", kind)
	}
}

func (q *request) noContent(err error) error {
	if err == nil {
		q.w.WriteHeader(http.StatusNoContent)
	}
	return err
}

func (q *request) answer(name string, body any) error {
	q.w.Header().Set("Content-Type", "application/xml")
	_, _ = io.WriteString(q.w, xml.Header)
	return xml.NewEncoder(q.w).EncodeElement(body, xml.StartElement{
		Name: xml.Name{Local: name}, Attr: []xml.Attr{{Name: xml.Name{Local: "xmlns"}, Value: "http://s3.amazonaws.com/doc/2006-03-01/"}},
	})
}

// fail answers an error in S3's form; a HEAD has no room for more than the status.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
func (q *request) fail(err error) {
	code, message, status := "InternalError", "We encountered an internal error. Please try again.", http.StatusInternalServerError
	var api smithy.APIError
	if errors.As(err, &api) {
		code, message, status = api.ErrorCode(), api.ErrorMessage(), statuses[api.ErrorCode()]
		if status == 0 {
			status = http.StatusBadRequest
		}
	}
	q.w.Header().Set("Content-Type", "application/xml")
	q.w.WriteHeader(status)
	if q.r.Method == http.MethodHead {
		return
	}
	_, _ = io.WriteString(q.w, xml.Header)
	_ = xml.NewEncoder(q.w).EncodeElement(struct{ Code, Message string }{code, message}, xml.StartElement{Name: xml.Name{Local: "Error"}})
}

var statuses = map[string]int{
	"NoSuchBucket": http.StatusNotFound, "NoSuchKey": http.StatusNotFound, "NotFound": http.StatusNotFound, "NoSuchUpload": http.StatusNotFound,
	"BucketAlreadyOwnedByYou": http.StatusConflict, "BucketNotEmpty": http.StatusConflict,
	"AccessDenied": http.StatusForbidden, "AccessDeniedException": http.StatusForbidden, "NotImplemented": http.StatusNotImplemented,
}

func stamp(t *time.Time) string { return aws.ToTime(t).UTC().Format("2006-01-02T15:04:05.000Z") }
