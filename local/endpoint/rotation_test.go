package endpoint_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"api-destination-credentials/local/deploy"
)

// seen is what the AWS CLI shows of a secret and its connection.
type seen struct {
	current, held string // versions: AWSCURRENT, and the one with the connection's label
	state         string
	clientSecrets int
}

func (a *account) see(cli awsCLI, connection string) seen {
	a.Helper()
	var secret struct{ VersionIdsToStages map[string][]string }
	cli.run(&secret, "secretsmanager", "describe-secret", "--secret-id", a.prerequisite["OAuthSecretArn"])
	var shown struct{ ConnectionState string }
	cli.run(&shown, "events", "describe-connection", "--name", connection)
	var listed struct{ ClientSecrets []json.RawMessage }
	cli.run(&listed, "cognito-idp", "list-user-pool-client-secrets", "--user-pool-id", a.prerequisite["UserPoolId"], "--client-id", a.prerequisite["ClientID"])
	now := seen{state: shown.ConnectionState, clientSecrets: len(listed.ClientSecrets)}
	for version, labels := range secret.VersionIdsToStages {
		if slices.Contains(labels, "AWSCURRENT") {
			now.current = version
		}
		if slices.Contains(labels, "eventbridge/"+connection) {
			now.held = version
		}
	}
	return now
}

// TestEveryWayToChangeTheSecretReachesTheConnection uses the AWS CLI alone, as
// a person would.
func TestEveryWayToChangeTheSecretReachesTheConnection(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	connection := a.deploy(nil)["ConnectionName"]
	cli := awsCLI{t, *a.aws.BaseEndpoint}
	before := a.see(cli, connection)
	if before.current == "" || before.current != before.held || before.state != "AUTHORIZED" || before.clientSecrets != 1 {
		t.Fatalf("after the deployment: %+v", before)
	}

	var rotated struct{ VersionId string }
	cli.run(&rotated, "secretsmanager", "rotate-secret", "--secret-id", a.prerequisite["OAuthSecretArn"])
	a.eventually("the rotation to reach the connection", func() bool {
		now := a.see(cli, connection)
		return now == seen{rotated.VersionId, rotated.VersionId, "AUTHORIZED", 2}
	})

	// A person goes back to the first client secret, which still works.
	var put struct{ VersionId string }
	first := a.valueOf(cli, before.current)
	cli.run(&put, "secretsmanager", "put-secret-value", "--secret-id", a.prerequisite["OAuthSecretArn"], "--secret-string", first)
	a.eventually("the value put by hand to reach the connection", func() bool {
		return a.see(cli, connection) == seen{put.VersionId, put.VersionId, "AUTHORIZED", 2}
	})

	// A wrong one never reaches it, and the log says why.
	var wrong struct{ VersionId string }
	cli.run(&wrong, "secretsmanager", "put-secret-value", "--secret-id", a.prerequisite["OAuthSecretArn"], "--secret-string", a.wrongSecret())
	group := a.outputs(deploy.ApplicationStack)["FollowerLogGroup"]
	a.eventually("the follower to refuse the wrong secret", func() bool {
		var found struct{ Events []struct{ Message string } }
		cli.run(&found, "logs", "filter-log-events", "--log-group-name", group, "--filter-pattern", `"does not accept the client secret"`)
		return len(found.Events) > 0
	})
	if now := a.see(cli, connection); now != (seen{wrong.VersionId, put.VersionId, "AUTHORIZED", 2}) {
		t.Errorf("after a wrong secret: %+v, want the connection AUTHORIZED with %s", now, put.VersionId)
	}

	// And the right one put back, everything is in step again.
	cli.run(&put, "secretsmanager", "put-secret-value", "--secret-id", a.prerequisite["OAuthSecretArn"], "--secret-string", first)
	a.eventually("the connection to be in step again", func() bool {
		return a.see(cli, connection) == seen{put.VersionId, put.VersionId, "AUTHORIZED", 2}
	})
}

func (a *account) valueOf(cli awsCLI, version string) string {
	a.Helper()
	var answer struct{ SecretString string }
	cli.run(&answer, "secretsmanager", "get-secret-value", "--secret-id", a.prerequisite["OAuthSecretArn"], "--version-id", version)
	if !strings.Contains(answer.SecretString, "ClientSecret") {
		a.Fatal(fmt.Errorf("version %s is no JSON with a ClientSecret", version))
	}
	return answer.SecretString
}
