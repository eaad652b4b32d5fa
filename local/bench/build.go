package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// ours are the functions, each in functions/.
var ours = []string{"receiver", "connection", "rotation", "follower"}

// lambdaFlags are GOFLAGS of the Makefile's build target, so that what is
// measured is what is deployed.
func (b *bench) lambdaFlags() (string, error) {
	text, err := os.ReadFile(filepath.Join(b.root, "Makefile"))
	if err != nil {
		return "", err
	}
	found := regexp.MustCompile(`GOFLAGS='([^']*)' sam build`).FindSubmatch(text)
	if found == nil {
		return "", errors.New("the Makefile's build target sets no GOFLAGS for sam build any more: look there, and correct this pattern")
	}
	return string(found[1]), nil
}

// function compiles a program for Lambda, for this machine's processor, the way
// sam build does (with -trimpath, as template.yaml asks for). what is a folder of
// the repository or one Go file.
func (b *bench) function(ctx context.Context, name, what string) (string, error) {
	flags, err := b.lambdaFlags()
	if err != nil {
		return "", err
	}
	return b.compile(ctx, filepath.Join(name, "bootstrap"), what, flags, "-trimpath")
}

// program compiles anything else.
func (b *bench) program(ctx context.Context, name, what string) (string, error) {
	return b.compile(ctx, name, what, "")
}

func (b *bench) compile(ctx context.Context, name, what, flags string, more ...string) (string, error) {
	binary := filepath.Join(b.work, "bin", name)
	build := exec.CommandContext(ctx, "go", slices.Concat([]string{"build", "-o", binary}, more, []string{what})...)
	build.Dir = b.root
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS="+flags)
	if report, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s does not build: %w\n%s", what, err, bytes.TrimSpace(report))
	}
	return binary, nil
}

// sdkFloor writes a function that does nothing but import the packages of the AWS
// SDK which one of ours imports, and returns its file.
func (b *bench) sdkFloor(ctx context.Context, name string) (string, error) {
	list := exec.CommandContext(ctx, "go", "list", "-deps", "-f",
		`{{if .Module}}{{if .Module.Main}}{{range .Imports}}{{println .}}{{end}}{{end}}{{end}}`, "./functions/"+name)
	list.Dir = b.root
	imported, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("go list of functions/%s: %w", name, err)
	}
	var lines []string
	for _, path := range strings.Fields(string(imported)) {
		if strings.HasPrefix(path, "github.com/aws/") && path != "github.com/aws/aws-lambda-go/lambda" {
			lines = append(lines, fmt.Sprintf("\t_ %q\n", path))
		}
	}
	slices.Sort(lines)
	file := filepath.Join(b.work, "sdk-"+name, "main.go")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", err
	}
	text := "package main\n\nimport (\n\t\"github.com/aws/aws-lambda-go/lambda\"\n" + strings.Join(slices.Compact(lines), "") + ")\n\nfunc main() { lambda.Start(func() {}) }\n"
	return file, os.WriteFile(file, []byte(text), 0o644)
}

// zipped is the size of the archive that would be deployed, in MB.
func zipped(binary string) (float64, error) {
	content, err := os.ReadFile(binary)
	if err != nil {
		return 0, err
	}
	var archive bytes.Buffer
	writer := zip.NewWriter(&archive)
	writer.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(out, flate.BestCompression)
	})
	file, err := writer.Create("bootstrap")
	if err != nil {
		return 0, err
	}
	if _, err := file.Write(content); err != nil {
		return 0, err
	}
	if err := writer.Close(); err != nil {
		return 0, err
	}
	return float64(archive.Len()) / 1e6, nil
}
