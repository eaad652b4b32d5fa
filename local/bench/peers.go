package main

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// measurePeers compares the receiver and the custom resource with functions in
// Python and Node that do the same work, for the custom resource with the same
// calls to the same endpoint.
func measurePeers(ctx context.Context, b *bench) error {
	w, err := b.open(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	work, err := b.workload(ctx, w)
	if err != nil {
		return err
	}
	defer work.close()
	interpreter, err := b.python(ctx, "python", filepath.Join("local", "bench", "peers", "functions.txt"))
	if err != nil {
		return err
	}
	modules, err := b.node(ctx)
	if err != nil {
		return err
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return err
	}
	b.report.Version["Python"], b.report.Version["Node"] = strings.TrimPrefix(said(interpreter, "--version"), "Python "), said(node, "--version")
	for _, pair := range []struct{ name, peer string }{{"receiver", "receiver"}, {"connection", "sync"}} {
		mine, err := b.ourFunction(ctx, w, pair.name)
		if err != nil {
			return err
		}
		python := program{
			name: "python-" + pair.peer, folder: filepath.Join(b.root, "local", "bench", "peers", "python"),
			command:     []string{interpreter, "-m", "awslambdaric", pair.peer + ".handle"},
			environment: append(mine.environment, "PYTHONPYCACHEPREFIX="+filepath.Join(b.work, "pycache")),
		}
		javascript := program{
			name: "node-" + pair.peer, folder: modules, environment: mine.environment,
			command: []string{node, filepath.Join(modules, "bootstrap.mjs"), filepath.Join(modules, pair.peer+".mjs")},
		}
		if err := b.beside(ctx, pair.name, []program{mine, python, javascript}, work.payload[pair.name]); err != nil {
			return err
		}
	}
	b.note("Python runs on awslambdaric, the client that Lambda's own Python runtime has; Node on a loop of 25 lines, because AWS's client for Node compiles C++ when it is installed. Lambda's own start of a runtime is not in these numbers.")
	return nil
}

// beside measures init, time of an invocation, and peak memory.
func (b *bench) beside(ctx context.Context, name string, programs []program, payload func() []byte) error {
	inits, err := inTurn(ctx, b.times(200), b.starts(programs)...)
	if err != nil {
		return err
	}
	times, memory, err := b.exercise(ctx, programs, []func() []byte{payload, payload, payload}, b.times(1000))
	if err != nil {
		return err
	}
	for i, language := range []string{1: "Python", 2: "Node"} {
		if language == "" {
			continue
		}
		b.add(row{What: name + ": init", Unit: "ms", Ours: inits[0], Against: language, Other: inits[i], aim: ahead()})
		b.add(row{What: name + ": one invocation", Unit: "ms", Ours: times[0], Against: language, Other: times[i], aim: ahead()})
		b.add(row{What: name + ": peak memory, 1,000 invocations", Unit: "MiB", Ours: memory[0], Against: language, Other: memory[i], aim: ahead()})
	}
	return nil
}

// node installs the packages of the Node functions beside a copy of these.
func (b *bench) node(ctx context.Context) (string, error) {
	from, folder := filepath.Join(b.root, "local", "bench", "peers", "node"), filepath.Join(b.work, "node")
	files, err := fs.Glob(os.DirFS(from), "*")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	for _, name := range files {
		text, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o644); err != nil {
			return "", err
		}
	}
	text, err := os.ReadFile(filepath.Join(from, "package.json"))
	if err != nil {
		return "", err
	}
	var wanted struct{ Dependencies map[string]string }
	if err := json.Unmarshal(text, &wanted); err != nil {
		return "", err
	}
	for name, version := range wanted.Dependencies {
		b.report.Version[name] = version
	}
	return folder, b.once(ctx, folder, string(text), [][]string{
		{"npm", "install", "--prefix", folder, "--silent", "--no-fund", "--no-audit", "--no-package-lock"},
	})
}
