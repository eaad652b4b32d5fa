package endpoint_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"api-destination-credentials/local/deploy"
)

// TestTheAWSCLIsCommandsWorkUnmodified runs the commands that an operator of
// the two stacks types, in the order of an afternoon. Each answer has to match,
// and a word of it in named parentheses can be used by the commands that follow.
func TestTheAWSCLIsCommandsWorkUnmodified(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	known := a.deploy(nil)
	maps.Copy(known, a.prerequisite)
	known["Receiver"] = a.physicalID(deploy.ApplicationStack, "ReceiverFunction")
	known["Rule"] = strings.TrimPrefix(a.physicalID(deploy.ApplicationStack, "Rule"), known["EventBusName"]+"|")
	known["Role"] = a.physicalID(deploy.ApplicationStack, "TargetRole")
	known["URL"] = *a.aws.BaseEndpoint
	folder := t.TempDir()
	for name, text := range map[string]string{
		"stack.yaml":   "Parameters: {Days: {Type: Number, Default: 7}}\nResources: {Group: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: !Ref Days}}}\n",
		"event.json":   `{"id":"1","source":"a","detail-type":"b","account":"1","time":"2026-01-01T00:00:00Z","region":"us-east-1","resources":[],"detail":{}}`,
		"pattern.json": `{"source":["a"]}`,
		"health.json":  `{"version":"2.0","rawPath":"/health","requestContext":{"http":{"method":"GET","path":"/health"}}}`,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	known["Folder"] = folder

	cli := awsCLI{t, *a.aws.BaseEndpoint}
	for _, step := range []struct{ command, answer string }{
		{"cloudformation validate-template --template-body file://{Folder}/stack.yaml", `"ParameterKey": "Days"`},
		{"cloudformation create-stack --stack-name small --template-body file://{Folder}/stack.yaml", `"StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/small/`},
		{"cloudformation wait stack-create-complete --stack-name small", `^$`},
		{"cloudformation update-stack --stack-name small --use-previous-template --parameters ParameterKey=Days,ParameterValue=14", `"StackId"`},
		{"cloudformation wait stack-update-complete --stack-name small", `^$`},
		{"cloudformation describe-stack-events --stack-name small", `"ResourceStatus": "UPDATE_COMPLETE"`},
		{"cloudformation list-stack-resources --stack-name small", `"PhysicalResourceId": "(?<Group>small-Group-[A-Za-z0-9]+)"`},
		{"logs describe-log-groups --log-group-name-prefix small-", `"retentionInDays": 14`},
		{"cloudformation delete-stack --stack-name small", `^$`},
		{"cloudformation wait stack-delete-complete --stack-name small", `^$`},
		{"cloudformation list-stacks --stack-status-filter DELETE_COMPLETE", `"StackName": "small"`},
		{"cloudformation list-exports", `"Name": "api-destination-prerequisite-CMKKeyARN"`},

		{"events list-event-buses", `"Name": "demo-event-bus"`},
		{"events describe-rule --name {Rule} --event-bus-name {EventBusName}", `com.demo-event-bus.cmk`},
		{"events list-targets-by-rule --rule {Rule} --event-bus-name {EventBusName}", `"MaximumRetryAttempts": 185`},
		{"events list-connections --connection-state AUTHORIZED", `"Name": "{ConnectionName}"`},
		{"events describe-connection --name {ConnectionName}", `"ConnectionState": "AUTHORIZED"`},
		{"events list-api-destinations", `"ApiDestinationState": "ACTIVE"`},
		{"events test-event-pattern --event file://{Folder}/event.json --event-pattern file://{Folder}/pattern.json", `"Result": true`},
		{"events put-events --entries file://testEvent.json", `"EventId": "(?<Event>[0-9a-f-]{36})"`},

		{"lambda get-function-configuration --function-name {Receiver}", `"Runtime": "provided.al2023"`},
		{"lambda invoke --function-name {Receiver} --payload fileb://{Folder}/health.json {Folder}/answer.json", `"StatusCode": 200`},
		{"iam get-role --role-name {Role}", `"Service": "events.amazonaws.com"`},
		{"sts get-caller-identity", `"Account": "123456789012"`},

		{"kms describe-key --key-id {CMKKeyARN}", `"KeyState": "Enabled"`},
		{"kms disable-key --key-id {CMKKeyARN}", `^$`},
		{"kms describe-key --key-id {CMKKeyARN}", `"KeyState": "Disabled"`},
		{"kms enable-key --key-id {CMKKeyARN}", `^$`},

		{"secretsmanager describe-secret --secret-id {OAuthSecretArn}", `"eventbridge/{ConnectionName}"`},
		{"secretsmanager list-secrets", `"ARN": "{OAuthSecretArn}"`},
		{"secretsmanager list-secret-version-ids --secret-id {OAuthSecretArn}", `"AWSCURRENT"`},
		{"secretsmanager rotate-secret --secret-id {OAuthSecretArn}", `"VersionId": "(?<Version>[0-9a-f-]{36})"`},
		{"cognito-idp describe-user-pool-client --user-pool-id {UserPoolId} --client-id {ClientID} --query UserPoolClient.AllowedOAuthFlows", `client_credentials`},
		{"cognito-idp list-user-pool-client-secrets --user-pool-id {UserPoolId} --client-id {ClientID}", `"ClientSecretId": "[^"]+"`},

		{"sqs get-queue-attributes --queue-url {DeadLetterQueueURL} --attribute-names All --endpoint-url {URL}", `"ApproximateNumberOfMessages": "0"`},
		{"sqs receive-message --queue-url {DeadLetterQueueURL} --endpoint-url {URL}", `^$`},
		{"sqs create-queue --queue-name scratch --endpoint-url {URL}", `"QueueUrl": "(?<Queue>[^"]+)"`},
		{"sqs send-message --queue-url {Queue} --message-body hello --endpoint-url {URL}", `"MD5OfMessageBody": "5d41402abc4b2a76b9719d911017c592"`},
		{"sqs receive-message --queue-url {Queue} --endpoint-url {URL}", `"ReceiptHandle": "(?<Receipt>[^"]+)"`},
		{"sqs delete-message --queue-url {Queue} --receipt-handle {Receipt} --endpoint-url {URL}", `^$`},

		{"logs describe-log-streams --log-group-name {ReceiverLogGroup}", `"logStreamName": "(?<Stream>[^"]+)"`},
		// The CLI's second version sends the same for logs tail.
		{"logs filter-log-events --log-group-name {ReceiverLogGroup} --interleaved --start-time 0 --filter-pattern \"{Event}\"", `"eventId\\": ?\\"{Event}`},
		{"logs filter-log-events --log-group-identifier {ReceiverLogGroup} --start-time 0 --limit 5", `"eventId":`},
		{"logs get-log-events --log-group-name {ReceiverLogGroup} --log-stream-name {Stream}", `"nextForwardToken"`},
		{"apigatewayv2 get-apis", `"ProtocolType": "HTTP"`},
	} {
		answer := cli.text(strings.Fields(fill(t, step.command, known, strings.Clone))...)
		pattern, err := regexp.Compile(fill(t, step.answer, known, regexp.QuoteMeta))
		if err != nil {
			t.Fatal(err)
		}
		found := pattern.FindStringSubmatch(answer)
		if found == nil {
			t.Fatalf("aws %s answered\n%s\nwant %s", step.command, answer, pattern)
		}
		for i, name := range pattern.SubexpNames() {
			if name != "" {
				known[name] = found[i]
			}
		}
	}
}

var placeholder = regexp.MustCompile(`\{[A-Z]\w*\}`)

// fill puts known values in the place of their names in braces.
func fill(t *testing.T, text string, known map[string]string, quote func(string) string) string {
	t.Helper()
	return placeholder.ReplaceAllStringFunc(text, func(name string) string {
		value, ok := known[strings.Trim(name, "{}")]
		if !ok {
			t.Fatalf("%q: nothing is known as %s", text, name)
		}
		return quote(value)
	})
}
