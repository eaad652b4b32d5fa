package eventbridge_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awseb "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

const (
	functionARN = "arn:aws:lambda:us-east-1:123456789012:function:follower"
	followARN   = "arn:aws:events:us-east-1:123456789012:rule/follow"
	secretARN   = "arn:aws:secretsmanager:us-east-1:123456789012:secret:source-abcdef"
)

// follow sends the events of the default bus that match a pattern to a function.
func (w *world) follow(pattern string, change func(*types.Target)) {
	w.Helper()
	must[*awseb.PutRuleOutput](w.T)(w.PutRule(w.ctx, &awseb.PutRuleInput{Name: aws.String("follow"), EventPattern: aws.String(pattern)}))
	w.toFunction("follow", change)
}

func (w *world) toFunction(rule string, change func(*types.Target)) {
	w.Helper()
	target := types.Target{Id: aws.String("f"), Arn: aws.String(functionARN), DeadLetterConfig: &types.DeadLetterConfig{Arn: aws.String(queueARN)}}
	if change != nil {
		change(&target)
	}
	must[*awseb.PutTargetsOutput](w.T)(w.PutTargets(w.ctx, &awseb.PutTargetsInput{Rule: aws.String(rule), Targets: []types.Target{target}}))
}

// payloads are what the function was invoked with.
func (w *world) payloads() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, in := range w.invoked {
		all = append(all, string(in.Payload))
	}
	return all
}

func (w *world) moveLabel(label string) {
	w.Publish(w.ctx, "aws.secretsmanager", "Secret Label Updated", []string{secretARN}, map[string]string{"name": "source", "labelUpdated": label, "versionId": "v-2"})
}

func TestASecretsLabelReachesTheFunctionThatFollowsIt(t *testing.T) {
	w := newWorld(t)
	w.follow(`{"source":["aws.secretsmanager"],"detail-type":["Secret Label Updated"],"resources":["`+secretARN+`"],"detail":{"labelUpdated":["AWSCURRENT"]}}`,
		func(target *types.Target) {
			target.InputTransformer = &types.InputTransformer{
				InputPathsMap: map[string]string{"secret": "$.resources[0]", "version": "$.detail.versionId"},
				InputTemplate: aws.String(`{"secret":<secret>,"version":"<version>","rule":<aws.events.rule-arn>}`),
			}
		})
	w.moveLabel("OWN")
	w.moveLabel("AWSCURRENT")
	w.idle()
	if diff := cmp.Diff([]string{`{"secret":"` + secretARN + `","version":"v-2","rule":"` + followARN + `"}`}, w.payloads()); diff != "" {
		t.Fatal(diff)
	}
	if in := w.invoked[0]; *in.FunctionName != functionARN || in.InvocationType != lambdatypes.InvocationTypeEvent || w.sources[0] != followARN {
		t.Errorf("invoked %s as %s for %s", *in.FunctionName, in.InvocationType, w.sources[0])
	}
}

func TestAConnectionsStatesReachTheFunctionThatFollowsThem(t *testing.T) {
	w := newWorld(t)
	w.follow(`{"source":["aws.events"],"detail-type":["Connection Authorized","Connection Deauthorized"],"detail":{"ConnectionName":["conn"]}}`, nil)
	arn := *w.connect(nil).ConnectionArn
	must[*awseb.UpdateConnectionOutput](t)(w.update("wrong"))
	w.idle()
	type seen struct {
		Source     string            `json:"source"`
		DetailType string            `json:"detail-type"`
		Resources  []string          `json:"resources"`
		Detail     map[string]string `json:"detail"`
	}
	var got []seen
	for _, payload := range w.payloads() {
		var event seen
		if err := json.Unmarshal([]byte(payload), &event); err != nil {
			t.Fatal(err)
		}
		got = append(got, event)
	}
	const timestamp = "2026-05-06 07:08:09 +0000 UTC"
	want := []seen{
		{"aws.events", "Connection Authorized", []string{arn}, map[string]string{"ConnectionName": "conn", "Timestamp": timestamp}},
		{"aws.events", "Connection Deauthorized", []string{arn}, map[string]string{"ConnectionName": "conn", "Timestamp": timestamp, "StateReason": *w.connection().StateReason}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
func TestAFunctionThatIsBusyIsTriedAgain(t *testing.T) {
	w := newWorld(t)
	w.refusals = []error{&lambdatypes.TooManyRequestsException{}, &lambdatypes.ServiceException{}, &lambdatypes.EC2ThrottledException{}, &lambdatypes.ResourceNotReadyException{}}
	w.follow(`{"source":["aws.secretsmanager"]}`, nil)
	w.moveLabel("AWSCURRENT")
	w.eventually("the fifth attempt", time.Second, func() bool { return w.is(func() bool { return len(w.invoked) == 5 }) })
	w.idle()
	if payloads := w.payloads(); len(w.dead) != 0 || payloads[0] != payloads[4] {
		t.Errorf("%d dead letters, payloads %s", len(w.dead), payloads)
	}
}

func TestAFunctionThatCannotBeInvokedLeavesADeadLetter(t *testing.T) {
	throttled := &lambdatypes.TooManyRequestsException{Message: aws.String("Rate Exceeded.")}
	for name, c := range map[string]struct {
		refusals []error
		want     map[string]string
	}{
		"no permission": {[]error{refusal("AccessDeniedException")}, map[string]string{"ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": "refused with AccessDeniedException"}},
		"no function": {[]error{&lambdatypes.ResourceNotFoundException{Message: aws.String("Function not found: f")}},
			map[string]string{"ERROR_CODE": "NO_RESOURCE", "ERROR_MESSAGE": "Function not found: f"}},
		"input that it refuses": {[]error{&lambdatypes.InvalidRequestContentException{Message: aws.String("Could not parse request body into json")}},
			map[string]string{"ERROR_CODE": "SDK_CLIENT_ERROR", "ERROR_MESSAGE": "Could not parse request body into json"}},
		"busy for too long": {[]error{throttled, throttled, throttled},
			map[string]string{"ERROR_CODE": "THROTTLING", "ERROR_MESSAGE": "Rate Exceeded.", "RETRY_ATTEMPTS": "2", "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.refusals = c.refusals
			w.follow(`{"source":["aws.secretsmanager"]}`, func(target *types.Target) {
				target.Input, target.RetryPolicy = aws.String(`{"follow":true}`), &types.RetryPolicy{MaximumRetryAttempts: aws.Int32(2)}
			})
			w.moveLabel("AWSCURRENT")
			body, attributes := w.letter()
			c.want["RULE_ARN"], c.want["TARGET_ARN"] = followARN, functionARN
			if diff := cmp.Diff(c.want, attributes); diff != "" || body != `{"follow":true}` {
				t.Errorf("a dead letter with %s and %s", body, diff)
			}
			if len(w.invoked) != len(c.refusals) || w.sources[len(w.sources)-1] != followARN {
				t.Errorf("%d attempts, want %d; sent for %v", len(w.invoked), len(c.refusals), w.sources)
			}
		})
	}
}

// A function takes JSON alone; a queue takes lines as well.
func TestLinesOfTextReachAQueue(t *testing.T) {
	w := newWorld(t)
	w.follow(`{"source":["aws.secretsmanager"]}`, func(target *types.Target) {
		target.Arn, target.DeadLetterConfig = aws.String(queueARN), nil
		target.InputTransformer = &types.InputTransformer{
			InputPathsMap: map[string]string{"name": "$.detail.name", "label": "$.detail.labelUpdated"},
			InputTemplate: aws.String("\"Secret <name> has a new version.\"\n\"It is labelled <label>.\"\n"),
		}
	})
	w.moveLabel("AWSCURRENT")
	w.idle()
	if diff := cmp.Diff("\"Secret source has a new version.\"\n\"It is labelled AWSCURRENT.\"\n", *w.dead[0].MessageBody); diff != "" {
		t.Error(diff)
	}
}
