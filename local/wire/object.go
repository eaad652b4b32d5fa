package wire

import "net/http"

// objectProtocol stands for S3, which reads and answers its requests by itself;
// only the refusals before that are ours.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
type objectProtocol struct{}

func (objectProtocol) refuse(w http.ResponseWriter, f failure) error {
	var x xmlWriter
	x.open("Error", "")
	x.text("Code", f.code)
	x.text("Message", f.message)
	x.text("RequestId", f.request)
	x.close("Error")
	return write(w, "application/xml", f.status(), x.Bytes())
}
