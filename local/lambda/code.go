package lambda

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"debug/macho"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// Quotas of a deployment package, in bytes.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxUpload   = 50 << 20
	maxUnzipped = 250 << 20
)

// code is one extracted archive. Its folder goes when nothing uses it any more.
type code struct {
	folder string
	sha256 string // of the archive, in base64
	size   int64  // of the archive, in bytes
	users  sync.WaitGroup
}

// archive says where the zip is: in the request or in S3.
type archive struct {
	zip                  []byte
	bucket, key, version *string
}

// deploy reads, checks and extracts an archive.
func (s *Service) deploy(ctx context.Context, a archive, architecture types.Architecture) (*code, error) {
	archive, err := s.open(ctx, a)
	if err != nil {
		return nil, err
	}
	defer archive.Close()
	folder, err := os.MkdirTemp("", "lambda-")
	if err != nil {
		return nil, err
	}
	deployed, err := unpack(archive, folder)
	if err == nil {
		err = checkBootstrap(filepath.Join(folder, "bootstrap"), architecture)
	}
	if err != nil {
		os.RemoveAll(folder)
		return nil, err
	}
	return deployed, nil
}

// open leads to the zip's bytes.
func (s *Service) open(ctx context.Context, a archive) (io.ReadCloser, error) {
	if a.zip != nil {
		if len(a.zip) > maxUpload {
			return nil, &types.RequestTooLargeException{Message: aws.String(fmt.Sprintf("Request must be smaller than %d bytes. Put the archive into S3 instead.", maxUpload))}
		}
		return io.NopCloser(bytes.NewReader(a.zip)), nil
	}
	if a.bucket == nil || a.key == nil {
		return nil, invalid("Please provide a source for function code.")
	}
	object, err := s.Objects.GetObject(ctx, &s3.GetObjectInput{Bucket: a.bucket, Key: a.key, VersionId: a.version})
	if err != nil {
		code := "Error"
		var fault smithy.APIError
		if errors.As(err, &fault) {
			code = fault.ErrorCode()
		}
		return nil, invalid("Error occurred while GetObject. S3 Error Code: %s. S3 Error Message: %s", code, reason(err))
	}
	return object.Body, nil
}

// unpack writes an archive to the disk, which zip's directory at its end asks
// for, and its files below folder.
func unpack(archive io.Reader, folder string) (*code, error) {
	file, err := os.CreateTemp("", "lambda-archive-")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	sum := sha256.New()
	size, err := io.Copy(io.MultiWriter(file, sum), io.LimitReader(archive, maxUnzipped+1))
	if err != nil {
		return nil, err
	}
	if size > maxUnzipped {
		return nil, tooLargeUnzipped()
	}
	return &code{folder: folder, sha256: base64.StdEncoding.EncodeToString(sum.Sum(nil)), size: size}, extract(file, size, folder)
}

// extract writes an archive's files below folder, and nowhere else.
func extract(archive io.ReaderAt, size int64, folder string) error {
	reader, err := zip.NewReader(archive, size)
	if err != nil {
		return &types.InvalidZipFileException{Message: aws.String("Could not unzip uploaded file. Please check your file, then try to upload again.")}
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	left := int64(maxUnzipped)
	for _, entry := range reader.File {
		if !filepath.IsLocal(entry.Name) || !entry.Mode().IsRegular() && !entry.Mode().IsDir() {
			return invalid("The archive's entry %q is not a plain file below its root. Build the archive again without it.", entry.Name)
		}
		if entry.Mode().IsDir() {
			if err := root.MkdirAll(filepath.Clean(entry.Name), 0o755); err != nil {
				return err
			}
			continue
		}
		written, err := extractFile(root, entry, left)
		if err != nil {
			return err
		}
		left -= written
	}
	return nil
}

func extractFile(root *os.Root, entry *zip.File, limit int64) (int64, error) {
	if err := root.MkdirAll(filepath.Dir(entry.Name), 0o755); err != nil {
		return 0, err
	}
	source, err := entry.Open()
	if err != nil {
		return 0, &types.InvalidZipFileException{Message: aws.String("Could not unzip uploaded file. Please check your file, then try to upload again.")}
	}
	defer source.Close()
	// A process that another goroutine forks now would hold the file open for
	// writing, and the kernel refuses to run such a file (golang issue 22315).
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	target, err := root.OpenFile(entry.Name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, entry.Mode().Perm()|0o400)
	if err != nil {
		return 0, err
	}
	written, err := io.Copy(target, io.LimitReader(source, limit+1))
	if err := errors.Join(err, target.Close()); err != nil {
		return 0, err
	}
	if written > limit {
		return 0, tooLargeUnzipped()
	}
	return written, nil
}

func tooLargeUnzipped() error {
	return invalid("Unzipped size must be smaller than %d bytes", maxUnzipped)
}

// checkBootstrap says at deployment what Lambda would only say at the first
// invocation: that this machine cannot run the file.
func checkBootstrap(path string, declared types.Architecture) error {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return invalid("Couldn't find valid bootstrap(s): the archive has no file named bootstrap at its root. Build the function as ./bootstrap and zip it again.")
	}
	if info.Mode().Perm()&0o111 == 0 {
		return invalid("The archive's bootstrap is not executable. Keep its mode (chmod +x bootstrap) when you zip it.")
	}
	built, err := architecture(path)
	if err != nil {
		return err
	}
	if built != host() {
		return invalid("The archive's bootstrap is built for %s and this machine is %s. Build it with GOARCH=%s and deploy with Architecture=%s.", built, host(), goarch(host()), host())
	}
	if built != declared {
		return invalid("The function declares the architecture %s and its bootstrap is built for %s. Deploy with Architecture=%s.", declared, built, built)
	}
	return nil
}

// architecture reads an executable's instruction set.
func architecture(path string) (types.Architecture, error) {
	if file, err := elf.Open(path); err == nil {
		defer file.Close()
		if !runsELF {
			return "", invalid("The archive's bootstrap is built for Linux and this machine does not run Linux programs. Build it for this machine.")
		}
		switch file.Machine {
		case elf.EM_X86_64:
			return types.ArchitectureX8664, nil
		case elf.EM_AARCH64:
			return types.ArchitectureArm64, nil
		}
		return "", invalid("The archive's bootstrap is built for %s. Build it for %s.", file.Machine, host())
	}
	if file, err := macho.Open(path); err == nil && !runsELF {
		defer file.Close()
		if file.Cpu == macho.CpuArm64 {
			return types.ArchitectureArm64, nil
		}
		return types.ArchitectureX8664, nil
	}
	return "", invalid("The archive's bootstrap is not a compiled program (ELF). The local endpoint runs compiled functions only.")
}

func goarch(a types.Architecture) string {
	if a == types.ArchitectureArm64 {
		return "arm64"
	}
	return "amd64"
}

// retire removes code that no new environment will use, once the running ones
// have ended; s.mu is held.
func (s *Service) retire(c *code) {
	s.work.Add(1)
	go func() {
		defer s.work.Done()
		c.users.Wait()
		if err := os.RemoveAll(c.folder); err != nil {
			s.Log.Warn("code of a function is left behind", "folder", c.folder, "error", err)
		}
	}()
}

// reason is an error's sentence without its code.
func reason(err error) string {
	var fault smithy.APIError
	if errors.As(err, &fault) {
		return fault.ErrorMessage()
	}
	return err.Error()
}
