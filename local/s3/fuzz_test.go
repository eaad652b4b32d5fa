package s3_test

import (
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jonboulle/clockwork"

	"api-destination-credentials/local/access"
	service "api-destination-credentials/local/s3"
)

// FuzzRequest holds that every request is answered in S3's form, none as if the
// endpoint had failed, and that an object which was stored is read as it was.
// UPLOAD stands for the id of an upload that is under way.
func FuzzRequest(f *testing.F) {
	for _, seed := range [][4]string{
		{"PUT", "/artifacts/a%2Fb%20c", "", "content"}, {"PUT", "/artifacts/k", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "3\r\nabc\r\n0\r\nx-amz-checksum-crc32:a\r\n\r\n"},
		{"PUT", "/artifacts/k", "STREAMING-", "zz\r\n"}, {"GET", "/artifacts?list-type=2&prefix=a&encoding-type=url&delimiter=%2F&max-keys=x", "", ""},
		{"GET", "/", "", ""}, {"GET", "/artifacts?location", "", ""}, {"PUT", "/other", "", "<CreateBucketConfiguration/>"}, {"HEAD", "/artifacts/none", "", ""},
		{"POST", "/artifacts/m?uploads", "", ""}, {"PUT", "/artifacts/m?partNumber=1&uploadId=UPLOAD", "", "part"}, {"PUT", "/artifacts/m?partNumber=99999999999&uploadId=UPLOAD", "", ""},
		{"POST", "/artifacts/m?uploadId=UPLOAD", "", "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>"},
		{"POST", "/artifacts/m?uploadId=UPLOAD", "", "<a><Part><PartNumber>x</PartNumber></Part>"}, {"POST", "/artifacts/m?uploadId=UPLOAD", "", "<a/>"},
		{"POST", "/artifacts/m?uploadId=UPLOAD", "", strings.Repeat("<Part>", 2000)}, {"DELETE", "/artifacts/m?uploadId=UPLOAD", "", ""}, {"DELETE", "/artifacts", "", ""},
		{"GET", "/artifacts/m?versionId=1", "", ""}, {"GET", "/artifacts/\x00?acl", "", ""},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	f.Fuzz(func(t *testing.T, method, path, kind, body string) {
		handler := service.New(service.Config{
			Account: access.Account{ID: "123456789012", Region: "us-east-1"}, Auth: refusing{}, Clock: clockwork.NewFakeClock(),
		}).Handler()
		send := func(method, path, kind, body string) *httptest.ResponseRecorder {
			request, err := http.NewRequest(method, "http://endpoint"+path, http.NoBody)
			if err != nil {
				return nil // net/http answers such requests itself
			}
			if body != "" {
				request, _ = http.NewRequest(method, "http://endpoint"+path, strings.NewReader(body))
			}
			request.Header.Set("X-Amz-Content-Sha256", kind)
			answered := httptest.NewRecorder()
			handler.ServeHTTP(answered, request)
			return answered
		}
		send("PUT", "/artifacts", "", "")
		var begun struct{ UploadId string }
		if err := xml.Unmarshal(send("POST", "/artifacts/m?uploads", "", "").Body.Bytes(), &begun); err != nil {
			t.Fatal(err)
		}
		send("PUT", "/artifacts/m?partNumber=1&uploadId="+begun.UploadId, "", "first")

		path = strings.ReplaceAll(path, "UPLOAD", begun.UploadId)
		answered := send(method, path, kind, body)
		if answered == nil {
			return
		}
		text := answered.Body.Bytes()
		switch status := answered.Code; {
		case status >= 500 && status != http.StatusNotImplemented:
			t.Errorf("%s %s is answered %d %s", method, path, status, text)
		case status >= 400 && method != http.MethodHead:
			var refused struct{ Code, Message string }
			if err := xml.Unmarshal(text, &refused); err != nil || refused.Code == "" || refused.Message == "" {
				t.Errorf("%s %s is refused with %q", method, path, text)
			}
		case method != http.MethodHead && strings.Contains(answered.Header().Get("Content-Type"), "xml"):
			if err := xml.Unmarshal(text, new(struct{})); err != nil {
				t.Errorf("%s %s is answered with %q: %v", method, path, text, err)
			}
		case method == http.MethodPut && answered.Header().Get("ETag") != "" && !strings.Contains(path, "?") && !strings.HasPrefix(kind, "STREAMING-"):
			if read := send(http.MethodGet, path, "", ""); read.Code != http.StatusOK || read.Body.String() != body {
				t.Errorf("%q is stored at %s, and read as %d %q", body, path, read.Code, read.Body)
			}
		}
	})
}
