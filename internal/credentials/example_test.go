package credentials_test

import (
	"context"
	"fmt"

	"api-destination-credentials/internal/credentials"
)

// Somebody stored a new client secret as version v2, and the connection is made
// to hold it. Then somebody stores one that the identity provider does not know:
// the connection keeps what it holds. The cloud is the tests' model of an account.
func ExampleSyncer_BringInStep() {
	account := newCloud()
	syncer, connection := account.syncer(), connectionOf()
	store := func(version, clientSecret string) {
		account.values[version] = secretText(clientSecret)
		account.stages[credentials.Current] = version
	}

	account.addClient("second-secret")
	store("v2", "second-secret")
	held, err := syncer.BringInStep(context.Background(), connection, credentials.Current)
	fmt.Println(held.VersionID, held.State, err)

	store("v3", "nobody-knows-it")
	_, err = syncer.BringInStep(context.Background(), connection, credentials.Current)
	fmt.Println(err != nil, account.state, account.held)
	fmt.Println(connection.Label(), "is on", account.stages[connection.Label()])
	// Output:
	// v2 AUTHORIZED <nil>
	// true AUTHORIZED second-secret
	// eventbridge/demo is on v2
}
