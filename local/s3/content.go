package s3

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/aws/smithy-go"
)

// content is an object's bytes, in a temporary file without a name: archives
// need not be in memory, and nothing is left behind when the process ends.
type content struct {
	file *os.File // closed by the garbage collector, after its last reader
	size int64
	md5  string // in hexadecimal
}

func keep(from io.Reader) (content, error) {
	file, err := os.CreateTemp("", "s3-object-")
	if err != nil {
		return content{}, err
	}
	if err := os.Remove(file.Name()); err != nil {
		return content{}, errors.Join(err, file.Close())
	}
	sum := md5.New()
	size, err := io.Copy(io.MultiWriter(file, sum), from)
	if err == nil {
		return content{file, size, hex.EncodeToString(sum.Sum(nil))}, nil
	}
	err = errors.Join(err, file.Close())
	var disk *fs.PathError
	if errors.As(err, &disk) {
		return content{}, err
	}
	return content{}, &smithy.GenericAPIError{Code: "IncompleteBody", Message: "You did not provide the number of bytes specified by the Content-Length HTTP header."}
}

// reader starts at the first byte, whoever else reads.
func (c content) reader() *reader {
	return &reader{io.NewSectionReader(c.file, 0, c.size)}
}

type reader struct{ *io.SectionReader }

func (*reader) Close() error { return nil }
