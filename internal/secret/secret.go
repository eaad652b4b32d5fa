// Package secret keeps text that must never be printed. A Text goes through
// logs, errors and JSON as [redacted]; only Reveal gives the value, so every
// place that uses one can be found by that name.
package secret

import (
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// Text is a client secret or a token.
type Text struct{ value string }

// New wraps value.
func New(value string) Text { return Text{value} }

// Reveal returns the value itself, for the one call that has to send it.
func (t Text) Reveal() string { return t.value }

// Empty tells whether there is no value.
func (t Text) Empty() bool { return t.value == "" }

// Format implements fmt.Formatter, so that no verb prints the value.
func (Text) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue implements slog.LogValuer.
func (Text) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler, which encoding/json uses too.
func (Text) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *Text) UnmarshalText(text []byte) error {
	t.value = string(text)
	return nil
}
