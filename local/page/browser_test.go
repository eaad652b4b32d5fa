//go:build browser

package page_test

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"api-destination-credentials/local/page"
)

var images = flag.String("images", "", "folder, seen from the repository's, to write the page's screenshots to")

func TestThePageInHeadlessChromium(t *testing.T) {
	w := newWorld(t)
	folder := filepath.Join("local", "page", "browser")
	if _, err := os.Stat(filepath.Join(folder, "node_modules")); errors.Is(err, os.ErrNotExist) {
		t.Fatalf("Chromium is not installed: npm ci --prefix %s", folder)
	}
	if *images == "" {
		*images = t.TempDir()
	}
	w.deploy()
	w.awaitDeployment()
	output, err := exec.CommandContext(t.Context(), "node", filepath.Join(folder, "page.mjs"), w.local.URL()+page.Path, *images).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, output)
	}
	for _, name := range []string{"wide-light", "wide-dark", "phone-light", "phone-dark"} {
		if _, err := os.Stat(filepath.Join(*images, "page-"+name+".png")); err != nil {
			t.Error(err)
		}
	}
}
