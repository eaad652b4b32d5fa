package endpoint_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"api-destination-credentials/local/endpoint"
)

// sample is an API destination as samples show it, with their faults.
const sample = `
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      Tags: [{Key: EventBridgeApiDestinations, Value: "true"}]
      KeyPolicy:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}, Action: "kms:*", Resource: "*"}
          - {Effect: Allow, Principal: {Service: events.amazonaws.com}, Action: [kms:GenerateDataKey, kms:Decrypt], Resource: "*"}
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: sample}}
  Connection:
    Type: AWS::Events::Connection
    Properties:
      AuthorizationType: OAUTH_CLIENT_CREDENTIALS
      KmsKeyIdentifier: !GetAtt Key.Arn
      AuthParameters:
        OAuthParameters:
          AuthorizationEndpoint: !ImportValue api-destination-prerequisite-AuthorizationEndpoint
          HttpMethod: POST
          ClientParameters:
            ClientID: !Sub ["{{resolve:secretsmanager:${S}:SecretString:ClientID}}", {S: !ImportValue api-destination-prerequisite-OAuthSecretArn}]
            ClientSecret: !Sub ["{{resolve:secretsmanager:${S}:SecretString:ClientSecret}}", {S: !ImportValue api-destination-prerequisite-OAuthSecretArn}]
          OAuthHttpParameters:
            HeaderParameters: [{Key: Content_Type, Value: application/x-www-form-urlencoded}]
            BodyParameters: [{Key: grant_type, Value: client_credentials}]
  Destination:
    Type: AWS::Events::ApiDestination
    Properties: {ConnectionArn: !GetAtt Connection.Arn, HttpMethod: POST, InvocationEndpoint: "https://nobody.execute-api.us-east-1.amazonaws.com/"}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: events.amazonaws.com}, Action: sts:AssumeRole}]}
      Policies:
        - PolicyName: broad
          PolicyDocument:
            Version: "2012-10-17"
            Statement: [{Effect: Allow, Action: [events:InvokeApiDestination, secretsmanager:GetSecretValue, kms:Decrypt], Resource: "*"}]
  Queue: {Type: AWS::SQS::Queue}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Bus
      EventPattern: {source: [sample]}
      Targets: [{Id: a, Arn: !GetAtt Destination.Arn, RoleArn: !GetAtt Role.Arn, DeadLetterConfig: {Arn: !GetAtt Queue.Arn}}]
`

// journal is a log that can be read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// TestTheFaultsOfSamplesShowHere deploys what AWS takes without a word, or
// refuses, and wants somebody who reads to see why it is wrong.
func TestTheFaultsOfSamplesShowHere(t *testing.T) {
	t.Parallel()
	var log journal
	local, err := endpoint.Start(endpoint.Config{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	a := &account{T: t, local: local, aws: local.AWS(), deployer: checkout.To(local.AWS(), func(types.StackEvent) {})}
	if a.prerequisite, err = a.deployer.Prerequisite(t.Context()); err != nil {
		t.Fatal(err)
	}

	// A key policy that forgets kms:DescribeKey for EventBridge.
	encrypted := strings.Replace(sample, "{Name: sample}", "{Name: sample, KmsKeyIdentifier: !GetAtt Key.Arn}", 1)
	if said := a.refusal(t, "encrypted", encrypted); !strings.Contains(said, "Bus: ") || !strings.Contains(said, "events.amazonaws.com is not authorized to perform: kms:DescribeKey") {
		t.Errorf("a key policy without kms:DescribeKey: %s", said)
	}

	stacks := cloudformation.NewFromConfig(a.aws)
	if _, err := stacks.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("sample"), TemplateBody: aws.String(sample), Capabilities: []types.Capability{types.CapabilityCapabilityIam}}); err != nil {
		t.Fatal(err)
	}
	a.eventually("the sample to be deployed", func() bool { return a.status("sample") == types.StackStatusCreateComplete })
	if !strings.Contains(log.String(), "header=Content_Type meant=Content-Type") {
		t.Errorf("the header Content_Type is taken without a word; the log is\n%s", log.String())
	}

	if _, err := eventbridge.NewFromConfig(a.aws).PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{{
		EventBusName: aws.String("sample"), Source: aws.String("sample"), DetailType: aws.String("d"), Detail: aws.String("{}"),
	}}}); err != nil {
		t.Fatal(err)
	}
	// A dead-letter queue without a policy.
	a.eventually("the lost dead letter to be counted", func() bool {
		listed, err := cloudwatch.NewFromConfig(a.aws).ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{Namespace: aws.String("AWS/Events"), MetricName: aws.String("InvocationsFailedToBeSentToDlq")})
		if err != nil {
			t.Fatal(err)
		}
		return len(listed.Metrics) > 0
	})
	if !strings.Contains(log.String(), "its dead-letter queue refused it") || !strings.Contains(log.String(), "sqs:SendMessage") {
		t.Errorf("a dead letter is lost without a word; the log is\n%s", log.String())
	}

	// A role that may do more than EventBridge ever does with it.
	role := iam.NewFromConfig(a.aws)
	shown, err := role.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String(a.physicalID("sample", "Role"))})
	if err != nil {
		t.Fatal(err)
	}
	job, err := role.GenerateServiceLastAccessedDetails(t.Context(), &iam.GenerateServiceLastAccessedDetailsInput{Arn: shown.Role.Arn})
	if err != nil {
		t.Fatal(err)
	}
	report, err := role.GetServiceLastAccessedDetails(t.Context(), &iam.GetServiceLastAccessedDetailsInput{JobId: job.JobId})
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, service := range report.ServicesLastAccessed {
		used[aws.ToString(service.ServiceNamespace)] = aws.ToInt32(service.TotalAuthenticatedEntities) > 0
	}
	if !used["events"] || used["secretsmanager"] || used["kms"] || len(used) != 3 {
		t.Errorf("of the role's services are used: %v; want events alone", used)
	}
}
