package endpoint_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"api-destination-credentials/internal/doctor"
	"api-destination-credentials/local/deploy"
)

// TestTheDoctorNamesTheCauseOfEachFault breaks one thing after another, with an
// event on its way, and repairs it.
func TestTheDoctorNamesTheCauseOfEachFault(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	w := &watch{life: &life{account: a, outputs: a.deploy(nil)}}
	ctx := t.Context()
	right, err := w.value(ctx)
	w.do(err)
	rule, bus := aws.String(strings.Split(w.physicalID(deploy.ApplicationStack, "Rule"), "|")[1]), aws.String(w.outputs["EventBusName"])
	events, keys, functions, secrets := eventbridge.NewFromConfig(w.aws), kms.NewFromConfig(w.aws), lambda.NewFromConfig(w.aws), secretsmanager.NewFromConfig(w.aws)
	key, source := aws.String(w.prerequisite["CMKKeyARN"]), aws.String(w.prerequisite["OAuthSecretArn"])
	receiver, role := aws.String(w.physicalID(deploy.ApplicationStack, "ReceiverFunction")), aws.String(w.physicalID(deploy.ApplicationStack, "TargetRole"))
	queue := w.physicalID(deploy.ApplicationStack, "DeadLetterQueue")
	put := func() { _, err := w.put(ctx, *bus, `{"responsePayload": "x"}`); w.do(err) }

	if report := w.examine(); report.Cause() != nil || report.Blind() {
		t.Fatalf("with nothing wrong the doctor says %+v", report)
	}
	for _, fault := range []struct {
		name          string
		make          func()
		check, text   string
		repair        func()
		leavesLetters bool
	}{
		{"a secret that does not work", func() { w.putSecret(w.wrongSecret()) }, "secret", "is not accepted", func() { w.putSecret(right) }, false},
		{"a key that is disabled", w.disableKey, "key", "Disabled", w.enableKey, false},
		{"a key without its tag", w.untagKey, "key", "lacks the tag", w.tagKey, false},
		{"a key pending deletion", func() {
			_, err := keys.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: key})
			w.do(err)
		}, "key", "pending deletion", func() {
			_, err := keys.CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: key})
			w.do(err)
			w.enableKey()
		}, false},
		{"a rule that is disabled", func() {
			_, err := events.DisableRule(ctx, &eventbridge.DisableRuleInput{Name: rule, EventBusName: bus})
			w.do(err)
		}, "rule", "is disabled", func() {
			_, err := events.EnableRule(ctx, &eventbridge.EnableRuleInput{Name: rule, EventBusName: bus})
			w.do(err)
		}, false},
		{"a connection that cannot be repaired", func() {
			w.tokenEndpoint(false)
			w.do(w.deauthorize(ctx))
		}, "connection", "DEAUTHORIZED", func() {
			w.tokenEndpoint(true)
			w.putSecret(right)
			w.do(w.repaired(ctx))
		}, false},
		{"a receiver that is not run", func() {
			_, err := functions.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: receiver, ReservedConcurrentExecutions: aws.Int32(0)})
			w.do(err)
		}, "receiver", "concurrency of 0", func() {
			_, err := functions.DeleteFunctionConcurrency(ctx, &lambda.DeleteFunctionConcurrencyInput{FunctionName: receiver})
			w.do(err)
		}, false},
		{"a secret marked for deletion", func() {
			_, err := secrets.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: source})
			w.do(err)
		}, "secret", "marked for deletion", func() {
			_, err := secrets.RestoreSecret(ctx, &secretsmanager.RestoreSecretInput{SecretId: source})
			w.do(err)
		}, false},
		{"a wrong address", func() { w.do(w.undeliverable(ctx)) }, "API destination", "nowhere", func() { w.do(w.aim(ctx, "")) }, true},
		{"a role without its permission", func() {
			_, err := iam.NewFromConfig(w.aws).DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: role, PolicyName: aws.String("InvokeApiDestination")})
			w.do(err)
			put()
		}, "dead letters", "NO_PERMISSIONS", func() {}, true},
		// The role stays as it is, so that the next event is a dead letter too.
		{"a queue that takes no dead letters", func() {
			w.setQueuePolicy(queue, "")
			put()
		}, "writing dead letters", "could not be written", func() {}, false},
	} {
		fault.make()
		said := ""
		if err := soon(ctx, func() error {
			cause := w.examine().Cause()
			if cause != nil && cause.Check == fault.check && strings.Contains(cause.Text, fault.text) && cause.Remedy != "" {
				return nil
			}
			if cause != nil {
				said = cause.Check + ": " + cause.Text
			}
			return context.DeadlineExceeded
		}); err != nil {
			t.Errorf("%s: the doctor says %q, want %s: …%s…", fault.name, said, fault.check, fault.text)
		}
		fault.repair()
		if fault.leavesLetters {
			time.Sleep(1100 * time.Millisecond) // until the letters that were looked at are in sight again
			w.drain(queue)
		}
		w.do(soon(ctx, func() error {
			if cause := w.examine().Cause(); fault.name != "a queue that takes no dead letters" && cause != nil && cause.State == doctor.Cause {
				return &stillWrong{fault.name, cause.Text}
			}
			return nil
		}))
	}

	command := exec.Command("go", "run", "./internal/doctor/command", "-stack", deploy.ApplicationStack)
	command.Dir = root
	command.Env = append(command.Environ(), "AWS_ENDPOINT_URL="+*w.aws.BaseEndpoint, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=x")
	output, err := command.CombinedOutput()
	if err == nil || !strings.Contains(string(output), "Begin here: writing dead letters") {
		t.Errorf("the command says (%v)\n%s", err, output)
	}
}

type stillWrong struct{ fault, cause string }

func (s *stillWrong) Error() string { return "after the repair of " + s.fault + ": " + s.cause }

func (w *watch) examine() doctor.Report {
	w.Helper()
	report, err := doctor.New(w.aws).Examine(w.Context(), deploy.ApplicationStack)
	w.do(err)
	return report
}
