package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// server is a program that serves an HTTP API after a while.
type server struct {
	name    string
	command func(host, port string) (arguments, environment []string)
	health  string
}

// measureStart compares the endpoint's start with that of an empty HTTP server,
// and with emulators that can be installed without a container.
func measureStart(ctx context.Context, b *bench) error {
	local, err := b.localBinary(ctx)
	if err != nil {
		return err
	}
	floor, err := b.program(ctx, "server", "./local/bench/floor/server")
	if err != nil {
		return err
	}
	moto, err := b.python(ctx, "moto", filepath.Join("local", "compare", "requirements.txt"))
	if err != nil {
		return err
	}
	ministack, err := b.ministack(ctx)
	if err != nil {
		return err
	}
	mine := server{name: "endpoint", health: "/_health", command: func(_, port string) ([]string, []string) {
		return []string{local, "-empty", "-port", port}, nil
	}}
	if err := b.startsAgainst(ctx, b.times(200), ratioAtMost(5), mine, server{name: "empty Go HTTP server", health: "/", command: func(host, port string) ([]string, []string) {
		return []string{floor, net.JoinHostPort(host, port)}, nil
	}}); err != nil {
		return err
	}
	for _, peer := range []server{
		{name: "moto_server " + b.report.Version["moto"], health: "/moto-api/", command: func(host, port string) ([]string, []string) {
			return []string{filepath.Join(filepath.Dir(moto), "moto_server"), "-H", host, "-p", port}, nil
		}},
		ministack,
	} {
		if err := b.startsAgainst(ctx, b.times(20), ahead(), mine, peer); err != nil {
			return err
		}
	}
	b.note("LocalStack is not in the table: pip installs localstack-core 2026.3.0, but that declares no runtime component and so does not start outside its container image; 4.12.0 stops at an import that its own dependencies no longer offer.")
	return nil
}

func (b *bench) ministack(ctx context.Context) (server, error) {
	interpreter, err := b.python(ctx, "ministack", filepath.Join("local", "bench", "peers", "ministack.txt"))
	return server{name: "MiniStack " + b.report.Version["ministack"], health: "/_ministack/health", command: func(host, port string) ([]string, []string) {
		return []string{filepath.Join(filepath.Dir(interpreter), "ministack")}, []string{"BIND_HOST=" + host, "GATEWAY_PORT=" + port}
	}}, err
}

// startsAgainst starts two servers in turn and compares time and idle memory.
func (b *bench) startsAgainst(ctx context.Context, rounds int, aimed aim, mine, other server) error {
	var took, memory [2]series
	for round := range rounds {
		for i := range 2 {
			which := (round + i) % 2
			// Memory is looked at now and then: it wants a moment of rest.
			began, held, err := b.serveOnce(ctx, [2]server{mine, other}[which], round%20 == 0)
			if err != nil {
				return err
			}
			took[which] = append(took[which], milliseconds(began))
			if held > 0 {
				memory[which] = append(memory[which], held)
			}
		}
	}
	b.add(row{What: mine.name + ": start to " + mine.health, Unit: "ms", Ours: took[0], Against: other.name, Other: took[1], aim: aimed})
	idle := row{What: mine.name + ": resident, idle, nothing deployed", Unit: "MiB", Ours: memory[0], Against: other.name, Other: memory[1]}
	if aimed.words == ahead().words {
		idle.aim = ahead()
	} else {
		idle.aim = medianAtMost(30, "MiB")
	}
	b.add(idle)
	return nil
}

// serveOnce starts a server and stops it again. It tells how long the start
// took, and, where asked, what it then has resident in MiB.
func (b *bench) serveOnce(ctx context.Context, s server, memory bool) (took time.Duration, held float64, err error) {
	began := time.Now()
	serving, err := b.serve(ctx, s)
	if err != nil {
		return 0, 0, err
	}
	defer serving.stop()
	took = time.Since(began)
	if memory {
		if err := pause(ctx, time.Second); err != nil {
			return 0, 0, err
		}
		held, err = residentTree(serving.process.Process.Pid)
	}
	return took, held, err
}

// serving is a server that answers.
type serving struct {
	url     string
	process *exec.Cmd
}

func (s *serving) stop() {
	_ = s.process.Process.Signal(syscall.SIGTERM)
	_ = s.process.Wait()
}

// serve starts a server and returns as soon as it is healthy.
func (b *bench) serve(ctx context.Context, s server) (*serving, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	arguments, environment := s.command(host, port)
	process := exec.Command(arguments[0], arguments[1:]...)
	process.Dir, process.Env = b.root, append(os.Environ(), environment...)
	if err := process.Start(); err != nil {
		return nil, err
	}
	started := &serving{url: "http://" + address, process: process}
	for deadline := time.Now().Add(patience); ; {
		answer, err := http.Get(started.url + s.health)
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return started, nil
			}
		}
		if time.Now().After(deadline) {
			started.stop()
			return nil, fmt.Errorf("%s does not answer at %s: %w", s.name, s.health, err)
		}
		if err := pause(ctx, 200*time.Microsecond); err != nil {
			started.stop()
			return nil, err
		}
	}
}
