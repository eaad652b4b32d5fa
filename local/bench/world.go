package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"api-destination-credentials/local/deploy"
)

// world is a local endpoint in a process of its own, with both stacks deployed.
type world struct {
	url          string
	aws          aws.Config
	certificates string // file with what the endpoint's HTTPS proxy is signed by
	process      *exec.Cmd
	folder       string
	prerequisite map[string]string // stack outputs
	application  map[string]string
	physical     map[string]string // of the application's resources, by logical id
}

// localBinary compiles the endpoint's command.
func (b *bench) localBinary(ctx context.Context) (string, error) {
	return b.program(ctx, "local", "./local")
}

// open starts a world and waits until it is ready.
func (b *bench) open(ctx context.Context) (*world, error) {
	binary, err := b.localBinary(ctx)
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp(b.work, "world")
	if err != nil {
		return nil, err
	}
	w := &world{folder: folder, process: exec.Command(binary, "-port", "0")}
	log, err := os.Create(filepath.Join(b.work, "endpoint.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	w.process.Dir, w.process.Stderr = b.root, log
	// Its own folder for temporary files: the certificates are found there.
	w.process.Env = append(os.Environ(), "TMPDIR="+folder)
	output, err := w.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := w.process.Start(); err != nil {
		return nil, err
	}
	address := regexp.MustCompile(`AWS_ENDPOINT_URL=(\S+)`)
	lines := bufio.NewScanner(output)
	for w.url == "" && lines.Scan() {
		if found := address.FindStringSubmatch(lines.Text()); found != nil {
			w.url = found[1]
		}
	}
	if w.url == "" {
		return nil, errors.Join(fmt.Errorf("the local endpoint did not become ready: see %s", log.Name()), w.process.Wait(), os.RemoveAll(folder))
	}
	go func() {
		for lines.Scan() {
		}
	}()
	w.aws = aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(w.url),
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	}
	err = w.look(ctx)
	if err == nil {
		err = w.settle(ctx)
	}
	if err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *world) close() {
	_ = w.process.Process.Signal(os.Interrupt)
	_ = w.process.Wait()
	_ = os.RemoveAll(w.folder)
}

// look reads what the deployed stacks say of themselves.
func (w *world) look(ctx context.Context) error {
	found, err := filepath.Glob(filepath.Join(w.folder, "*", "certificates.pem"))
	if err != nil || len(found) != 1 {
		return fmt.Errorf("the endpoint's certificates are not in %s", w.folder)
	}
	w.certificates = found[0]
	stacks := cloudformation.NewFromConfig(w.aws)
	outputs := func(stack string) (map[string]string, error) {
		described, err := stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(stack)})
		if err != nil {
			return nil, err
		}
		values := map[string]string{}
		for _, output := range described.Stacks[0].Outputs {
			values[*output.OutputKey] = *output.OutputValue
		}
		return values, nil
	}
	if w.prerequisite, err = outputs(deploy.PrerequisiteStack); err != nil {
		return err
	}
	if w.application, err = outputs(deploy.ApplicationStack); err != nil {
		return err
	}
	resources, err := stacks.DescribeStackResources(ctx, &cloudformation.DescribeStackResourcesInput{StackName: aws.String(deploy.ApplicationStack)})
	if err != nil {
		return err
	}
	w.physical = map[string]string{}
	for _, resource := range resources.StackResources {
		w.physical[*resource.LogicalResourceId] = aws.ToString(resource.PhysicalResourceId)
	}
	return nil
}

// labels tells which version of the source secret carries each staging label.
func (w *world) labels(ctx context.Context) (map[string]string, error) {
	shown, err := secretsmanager.NewFromConfig(w.aws).DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String(w.prerequisite["OAuthSecretArn"])})
	if err != nil {
		return nil, err
	}
	holders := map[string]string{}
	for version, labels := range shown.VersionIdsToStages {
		for _, label := range labels {
			holders[label] = version
		}
	}
	return holders, nil
}

// settle waits until no rotation is under way: a deployment tests one.
func (w *world) settle(ctx context.Context) error {
	for deadline := time.Now().Add(patience); ; {
		labels, err := w.labels(ctx)
		if err != nil || labels["AWSPENDING"] == "" {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("a rotation is still under way after %s", patience)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// environment is what a deployed function gets: the template's variables and
// those of the endpoint.
func (w *world) environment(ctx context.Context, name string) ([]string, error) {
	logical := strings.ToUpper(name[:1]) + name[1:] + "Function"
	shown, err := lambda.NewFromConfig(w.aws).GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String(w.physical[logical])})
	if err != nil {
		return nil, err
	}
	variables := []string{
		"AWS_ENDPOINT_URL=" + w.url, "HTTPS_PROXY=" + w.url, "NO_PROXY=127.0.0.1,localhost",
		"SSL_CERT_FILE=" + w.certificates, "NODE_EXTRA_CA_CERTS=" + w.certificates,
	}
	if shown.Environment != nil {
		for name, value := range shown.Environment.Variables {
			variables = append(variables, name+"="+value)
		}
	}
	return variables, nil
}

// client reaches AWS's host names through the endpoint, as a function does.
func (w *world) client() (*http.Client, error) {
	proxy, err := url.Parse(w.url)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(w.certificates)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", w.certificates)
	}
	return &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: roots}, MaxIdleConnsPerHost: 100, MaxIdleConns: 200,
	}}, nil
}

// freeAddress is one of this machine on which nobody listens.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// pause waits, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
