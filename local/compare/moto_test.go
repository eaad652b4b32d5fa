package compare

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"
)

// moto is the URL of a moto server: the one at MOTO_URL, or one that the command
// MOTO_SERVER starts for this test; empty where neither is set.
func moto(t *testing.T) string {
	t.Helper()
	command := os.Getenv("MOTO_SERVER")
	if url := os.Getenv("MOTO_URL"); url != "" || command == "" {
		return url
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(free.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	server := exec.Command(command, "-H", host, "-p", port)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// It has no other way to end.
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	url := "http://" + net.JoinHostPort(host, port)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		answer, err := http.Get(url + "/moto-api/")
		if err == nil {
			_ = answer.Body.Close()
			return url
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not answer: %v", command, err)
		}
	}
}
