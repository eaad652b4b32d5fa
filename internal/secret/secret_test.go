package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"api-destination-credentials/internal/secret"
)

func TestASecretIsRedactedHoweverItIsPrinted(t *testing.T) {
	const value = "do-not-print-me"
	text := secret.New(value)
	holder := struct{ Secret secret.Text }{text}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "secret", text, "holder", holder)
	encoded, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	for name, printed := range map[string]string{
		"%v":   fmt.Sprintf("%v", text),
		"%s":   fmt.Sprintf("%s", text),
		"%q":   fmt.Sprintf("%q", text),
		"%x":   fmt.Sprintf("%x", text),
		"%#v":  fmt.Sprintf("%#v", holder),
		"%+v":  fmt.Sprintf("%+v", holder),
		"slog": log.String(),
		"json": string(encoded),
	} {
		if strings.Contains(printed, value) {
			t.Errorf("%s prints the secret: %s", name, printed)
		}
		if !strings.Contains(printed, "[redacted]") {
			t.Errorf("%s should show [redacted], got %s", name, printed)
		}
	}
	if text.Reveal() != value {
		t.Errorf("Reveal() = %q, want the value", text.Reveal())
	}
}
