package secret_test

import (
	"encoding/json"
	"fmt"

	"api-destination-credentials/internal/secret"
)

// A client secret is read into a Text and stays in it; whoever prints what it is
// part of does not show it.
func ExampleText() {
	var source struct {
		ClientID     string
		ClientSecret secret.Text
	}
	if err := json.Unmarshal([]byte(`{"ClientID": "reader", "ClientSecret": "hunter2"}`), &source); err != nil {
		fmt.Println(err)
	}
	fmt.Printf("%+v\n", source)
	fmt.Println(fmt.Errorf("client %s: %v is not accepted", source.ClientID, source.ClientSecret))
	fmt.Println(source.ClientSecret.Empty(), len(source.ClientSecret.Reveal()))
	// Output:
	// {ClientID:reader ClientSecret:[redacted]}
	// client reader: [redacted] is not accepted
	// false 7
}
