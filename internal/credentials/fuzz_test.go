package credentials_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"testing"

	"api-destination-credentials/internal/credentials"
)

// FuzzSourceSecret holds that whatever the source secret has in it, its errors
// show no value, a rotation changes the client secret alone, and a secret that
// cannot be used leaves the connection as it was. VALUE stands for a value
// that must not show.
func FuzzSourceSecret(f *testing.F) {
	const value = "do-not-print-me"
	for _, text := range []string{
		`{"ClientID":"client","ClientSecret":"first-secret","Note":"kept"}`,
		`{"ClientID":"client","ClientSecret":"VALUE","n":12345678901234567890.10,"deep":[{"a":1e30,"b":"<>&é"},null]}`,
		`{"ClientID":"VALUE:","ClientSecret":"a"}`, `{"ClientID":"c","ClientSecret":["VALUE"]}`, `{"ClientID":"c","ClientSecret":"VALUE`, `VALUE`, `"VALUE"`, `["VALUE"]`, `null`, `{}`,
		`{"ClientID":"client","ClientSecret":"a","ClientSecret":"first-secret","clientsecret":"VALUE"}`, `{"ClientID":"\u0000VALUE","ClientSecret":"\ud800"}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ReplaceAll(text, "VALUE", value)
		was, isObject := membersOf(text)
		for key := range was {
			if strings.Contains(key, value) {
				return // keys are named
			}
		}
		c := newCloud()
		c.values["v1"] = text
		c.rotate(token)
		held := c.held
		err := c.rotation().Handle(t.Context(), credentials.Step{Step: "createSecret", SecretID: "arn:source", ClientRequestToken: token})
		if err != nil {
			if strings.Contains(err.Error(), value) {
				t.Errorf("the error shows a value: %v", err)
			}
			if c.values[token] != "" {
				t.Errorf("%q cannot be used, and is rotated to %q", text, c.values[token])
			}
		} else {
			is, ok := membersOf(c.values[token])
			if !isObject || !ok || was["ClientSecret"] == is["ClientSecret"] {
				t.Fatalf("%q is rotated to %q", text, c.values[token])
			}
			was = maps.Clone(was)
			was["ClientSecret"] = is["ClientSecret"]
			if !reflect.DeepEqual(was, is) {
				t.Errorf("%q is rotated to %q, which differs in more than the client secret", text, c.values[token])
			}
		}
		if err := follow(c).finish(); err != nil && strings.Contains(err.Error(), value) {
			t.Errorf("the follower's error shows a value: %v", err)
		}
		if c.held != held && was["ClientSecret"] == nil {
			t.Errorf("%q reaches the connection", text)
		}
	})
}

// membersOf reads an object with its numbers as they are written.
func membersOf(text string) (members map[string]any, ok bool) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	return members, json.Valid([]byte(text)) && decoder.Decode(&members) == nil && members != nil
}
