package page_test

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"api-destination-credentials/local/deploy"
	"api-destination-credentials/local/endpoint"
	"api-destination-credentials/local/page"
)

// world is an endpoint, and a browser without JavaScript that keeps all it gets.
type world struct {
	*testing.T
	local        *endpoint.Endpoint
	aws          aws.Config
	prerequisite map[string]string
	application  map[string]string

	mu   sync.Mutex
	seen bytes.Buffer
}

// newWorld runs in the repository's folder, as users do.
func newWorld(t *testing.T) *world {
	t.Helper()
	t.Chdir("../..")
	if err := lookAtSources(); err != nil {
		t.Fatal(err)
	}
	local, err := endpoint.Start(endpoint.Config{Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(local.Close)
	return &world{T: t, local: local, aws: local.AWS()}
}

// lookAtSources lets the go command see which files a test depends on through
// other processes: it would take a cached result for good otherwise.
func lookAtSources() error {
	for _, folder := range []string{"functions", "internal", "local/page/browser"} {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() && entry.Name() == "node_modules" {
				return fs.SkipDir
			}
			if err == nil {
				_, err = os.Stat(path)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *world) deploy() {
	w.Helper()
	deployer := deploy.Open(".").To(w.aws, func(types.StackEvent) {})
	var err error
	if w.prerequisite, err = deployer.Prerequisite(w.Context()); err != nil {
		w.Fatal(err)
	}
	if w.application, err = deployer.Application(w.Context(), nil); err != nil {
		w.Fatal(err)
	}
}

// awaitDeployment waits for the test of the rotation that belongs to a deployment.
func (w *world) awaitDeployment() {
	w.Helper()
	w.eventually("the end of the deployment", func(shown string) bool { return !strings.Contains(shown, "AWSPENDING") })
}

// look reads the page as text: tags become spaces.
func (w *world) look() string {
	w.Helper()
	return text(w.source())
}

func (w *world) source() string {
	w.Helper()
	status, body := w.do(http.MethodGet, page.Path, nil)
	if status != http.StatusOK {
		w.Fatalf("the page answers %d: %s", status, body)
	}
	return body
}

// press submits the form of a button that the page shows, and returns the page
// that follows.
func (w *world) press(action string) string {
	w.Helper()
	if !strings.Contains(w.source(), `action="`+page.Path+action+`"`) {
		w.Fatalf("the page has no button for %s; it says\n%s", action, w.look())
	}
	status, body := w.do(http.MethodPost, page.Path+action, http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {w.local.URL()}})
	if status != http.StatusOK {
		w.Fatalf("%s answers %d: %s", action, status, body)
	}
	return text(body)
}

func (w *world) do(method, path string, header http.Header) (status int, body string) {
	w.Helper()
	request, err := http.NewRequestWithContext(w.Context(), method, w.local.URL()+path, nil)
	if err != nil {
		w.Fatal(err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	if host := header.Get("Host"); host != "" {
		request.Host = host
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.Fatal(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		w.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	fmt.Fprintf(&w.seen, "%v %s\n", response.Header, got)
	return response.StatusCode, string(got)
}

// until looks at the page until it says all of what.
func (w *world) until(what ...string) {
	w.Helper()
	w.eventually(strings.Join(what, " … "), func(shown string) bool {
		return !slices.ContainsFunc(what, func(words string) bool { return !strings.Contains(shown, words) })
	})
}

func (w *world) eventually(what string, holds func(shown string) bool) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 30*time.Second)
	defer cancel()
	for {
		shown := w.look()
		if holds(shown) {
			return
		}
		select {
		case <-ctx.Done():
			w.Fatalf("the page never comes to %q; it says\n%s", what, shown)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

var tags = regexp.MustCompile(`(<[^>]*>|\s)+`)

func text(body string) string { return html.UnescapeString(tags.ReplaceAllString(body, " ")) }

// labelled is the version of the source secret with a staging label.
func (w *world) labelled(label string) string {
	w.Helper()
	shown, err := secretsmanager.NewFromConfig(w.aws).DescribeSecret(w.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String(w.prerequisite["OAuthSecretArn"])})
	if err != nil {
		w.Fatal(err)
	}
	for version, labels := range shown.VersionIdsToStages {
		for _, found := range labels {
			if found == label {
				return version
			}
		}
	}
	return ""
}
