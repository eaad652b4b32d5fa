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

// FuzzText holds that a text which is read from JSON, or cannot be, is shown by
// no verb, no logger, no encoder and no error. VALUE stands for the secret.
func FuzzText(f *testing.F) {
	const value = "do-not-print-me"
	for _, text := range []string{`{"secret":"VALUE"}`, `{"secret":["VALUE"]}`, `{"secret":{"VALUE":1}}`, `{"secret":"VALUE`, `{"secret":VALUE}`, `{"secret":"\uD800VALUE"}`, `["VALUE"]`} {
		f.Add(text, "%v")
		f.Add(text, "%+#[1]*x %s")
	}
	f.Fuzz(func(t *testing.T, text, verbs string) {
		if strings.Contains(verbs, "VALUE") || len(verbs) > 20 {
			return
		}
		var holder struct{ Secret secret.Text }
		if err := json.Unmarshal([]byte(strings.ReplaceAll(text, "VALUE", value)), &holder); err != nil && strings.Contains(err.Error(), value) {
			t.Fatalf("the error shows the secret: %v", err)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "secret", holder.Secret, "holder", holder)
		encoded, err := json.Marshal(holder)
		if err != nil {
			t.Fatal(err)
		}
		if shown := log.String() + string(encoded) + fmt.Sprintf(verbs, holder.Secret) + fmt.Sprintf(verbs, &holder); strings.Contains(shown, value) {
			t.Errorf("%q shows %s", verbs, shown)
		}
	})
}
