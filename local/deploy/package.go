package deploy

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"go.yaml.in/yaml/v3"
)

// pack returns the template with the code of every function built for this
// machine, uploaded, and named by its S3 URI.
func (d *Deployer) pack(ctx context.Context, template string) (string, error) {
	text, err := os.ReadFile(filepath.Join(d.checkout.root, template))
	if err != nil {
		return "", err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return "", fmt.Errorf("%s: %w", template, err)
	}
	if d.Edit != nil {
		d.Edit(template, &document)
	}
	for _, code := range codeURIs(&document) {
		if code.Value, err = d.upload(ctx, code.Value); err != nil {
			return "", err
		}
	}
	packed, err := yaml.Marshal(&document)
	return string(packed), err
}

// codeURIs finds the CodeUri of every AWS::Serverless::Function. Nodes and not
// values, so that the template's short-form intrinsics stay as they are.
func codeURIs(document *yaml.Node) []*yaml.Node {
	var found []*yaml.Node
	resources := member(document.Content[0], "Resources")
	if resources == nil {
		return nil
	}
	for i := 1; i < len(resources.Content); i += 2 {
		resource := resources.Content[i]
		kind, properties := member(resource, "Type"), member(resource, "Properties")
		if kind == nil || kind.Value != "AWS::Serverless::Function" || properties == nil {
			continue
		}
		if code := member(properties, "CodeUri"); code != nil {
			found = append(found, code)
		}
	}
	return found
}

func member(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// upload stores a function's archive under its hash, so that code which did
// not change is no change to the stack.
func (d *Deployer) upload(ctx context.Context, folder string) (string, error) {
	archive, err := d.checkout.archive(folder)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(archive)
	key := hex.EncodeToString(sum[:16]) + ".zip"
	_, err = d.objects.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(key), Body: bytes.NewReader(archive)})
	return "s3://" + bucket + "/" + key, err
}

// Checkout is a copy of the repository. Each of its functions is built once.
type Checkout struct {
	root string

	mu       sync.Mutex
	archives map[string]func() ([]byte, error) // by the function's folder
}

// Open takes the repository in root.
func Open(root string) *Checkout {
	return &Checkout{root: root, archives: map[string]func() ([]byte, error){}}
}

func (c *Checkout) archive(folder string) ([]byte, error) {
	c.mu.Lock()
	made := c.archives[folder]
	if made == nil {
		made = sync.OnceValues(func() ([]byte, error) {
			bootstrap, err := c.build(folder)
			if err != nil {
				return nil, err
			}
			return zipped(bootstrap)
		})
		c.archives[folder] = made
	}
	c.mu.Unlock()
	return made()
}

// build compiles for this machine, where the local endpoint runs it. Flags
// that would compile every dependency anew, such as -trimpath, are for sam build.
func (c *Checkout) build(folder string) ([]byte, error) {
	output, err := os.MkdirTemp("", "bootstrap")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(output)
	binary := filepath.Join(output, "bootstrap")
	compile := exec.Command("go", "build", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", binary, ".")
	compile.Dir = filepath.Join(c.root, folder)
	compile.Env = append(os.Environ(), "CGO_ENABLED=0")
	if report, err := compile.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s does not build: %w\n%s", folder, err, strings.TrimSpace(string(report)))
	}
	return os.ReadFile(binary)
}

// zipped compresses a little: the endpoint keeps every archive in memory.
func zipped(bootstrap []byte) ([]byte, error) {
	var archive bytes.Buffer
	writer := zip.NewWriter(&archive)
	writer.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestSpeed) })
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	header.SetMode(0o755)
	file, err := writer.CreateHeader(header)
	if err != nil {
		return nil, err
	}
	if _, err := file.Write(bootstrap); err != nil {
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return archive.Bytes(), nil
}
