package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// python makes a virtual environment with the packages of a requirements file,
// once, and returns its interpreter.
func (b *bench) python(ctx context.Context, name, requirements string) (string, error) {
	folder := filepath.Join(b.work, name)
	interpreter := filepath.Join(folder, "bin", "python")
	wanted, err := os.ReadFile(filepath.Join(b.root, requirements))
	if err != nil {
		return "", err
	}
	for _, line := range strings.Fields(string(wanted)) {
		if what, version, ok := strings.Cut(line, "=="); ok {
			what, _, _ = strings.Cut(what, "[")
			b.report.Version[what] = version
		}
	}
	if err := b.once(ctx, folder, string(wanted), [][]string{
		{"python3", "-m", "venv", "--clear", folder},
		{interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", requirements},
	}); err != nil {
		return "", err
	}
	return interpreter, nil
}

// once runs the commands that install something into a folder, unless they did
// so before for the same text.
func (b *bench) once(ctx context.Context, folder, text string, commands [][]string) error {
	stamp := filepath.Join(folder, "installed")
	if have, err := os.ReadFile(stamp); err == nil && string(have) == text {
		return nil
	}
	b.say("  installing %s", filepath.Base(folder))
	for _, arguments := range commands {
		command := exec.CommandContext(ctx, arguments[0], arguments[1:]...)
		command.Dir = b.root
		if report, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(arguments, " "), err, report)
		}
	}
	return os.WriteFile(stamp, []byte(text), 0o644)
}
