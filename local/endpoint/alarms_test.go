package endpoint_test

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	cognitotypes "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"api-destination-credentials/local/clock"
	"api-destination-credentials/local/deploy"
	"api-destination-credentials/local/endpoint"
)

// TestEachAlarmFiresForItsFaultAndClearsAfterTheRepair breaks one thing after
// another and repairs it as the alarm's description says.
func TestEachAlarmFiresForItsFaultAndClearsAfterTheRepair(t *testing.T) {
	t.Parallel()
	w := newWatch(t)
	ctx := t.Context()
	w.quiet("after the deployment")
	w.do(w.deauthorized(ctx))
	w.quiet("after a deauthorization that was repaired by itself")
	w.do(w.rotate(ctx))
	w.quiet("after a rotation")
	right, err := w.value(ctx)
	w.do(err)
	queue := w.physicalID(deploy.ApplicationStack, "DeadLetterQueue")
	policy := w.queuePolicy(queue)

	w.fire("KeyUnusableAlarm", w.disableKey, w.enableKey)
	w.fire("SecretNotFollowedAlarm", func() { w.putSecret(w.wrongSecret()) }, func() { w.putSecret(right) })
	w.fire("FollowerFailedAlarm", func() { w.putSecret(w.wrongSecret()) }, func() { w.putSecret(right) })
	w.fire("ConnectionNotAuthorizedAlarm", func() {
		w.tokenEndpoint(false)
		w.do(w.deauthorize(ctx))
	}, func() { w.tokenEndpoint(true) })
	var stranger string
	w.fire("RotationFailedAlarm", func() {
		stranger = w.stranger()
		_, err := secretsmanager.NewFromConfig(w.aws).RotateSecret(ctx, &secretsmanager.RotateSecretInput{SecretId: aws.String(w.prerequisite["OAuthSecretArn"])})
		w.do(err)
	}, func() { w.retire(stranger) })
	delivered := func() {
		w.do(w.aim(ctx, ""))
		w.drain(queue)
	}
	w.fire("DeadLetterAlarm", func() { w.do(w.undeliverable(ctx)) }, delivered)
	w.fire("DeliveryFailedAlarm", func() { w.do(w.undeliverable(ctx)) }, delivered)
	w.fire("EventsLostAlarm", func() {
		w.setQueuePolicy(queue, "")
		w.do(w.undeliverable(ctx))
	}, func() {
		w.setQueuePolicy(queue, policy)
		delivered()
	})
	w.fire("FollowerDeadLetterAlarm", func() { w.do(w.cutFollowerOff(ctx)) }, func() {
		w.drain(w.physicalID(deploy.ApplicationStack, "FollowerDeadLetterQueue"))
	})

	slices.Sort(w.fired)
	if all := w.alarms(""); !slices.Equal(w.fired, all) {
		t.Errorf("the alarms %v fired, the template has %v", w.fired, all)
	}
}

// watch is somebody on call, for whom time passes quickly.
type watch struct {
	*life
	clock clock.Jumping
	fired []string
}

func newWatch(t *testing.T) *watch {
	t.Helper()
	jumping := clock.New()
	t.Cleanup(jumping.Stop)
	a := openAccount(t, endpoint.Config{Clock: jumping})
	var err error
	if a.prerequisite, err = a.deployer.Prerequisite(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &watch{life: &life{account: a, outputs: a.deploy(nil)}, clock: jumping}
}

func (w *watch) do(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// alarms are the logical ids of those in a state; of all where it is empty.
func (w *watch) alarms(state types.StateValue) []string {
	w.Helper()
	shown, err := cloudwatch.NewFromConfig(w.aws).DescribeAlarms(w.Context(), &cloudwatch.DescribeAlarmsInput{StateValue: state})
	w.do(err)
	var names []string
	for _, alarm := range shown.MetricAlarms {
		names = append(names, logicalID.FindStringSubmatch(aws.ToString(alarm.AlarmName))[1])
	}
	slices.Sort(names)
	return names
}

var logicalID = regexp.MustCompile(`^api-destination-([A-Za-z]+)-`)

// quiet fails the test if anybody is paged within twenty minutes.
func (w *watch) quiet(when string) {
	w.Helper()
	for range 20 {
		w.pass(time.Minute)
		if loud := w.alarms(types.StateValueAlarm); len(loud) > 0 {
			w.Fatalf("%s: %v", when, loud)
		}
	}
}

// pass lets time pass, and what became due be done: a delivery gets the real time
// that it takes, as a busy machine would let it run into its five seconds.
func (w *watch) pass(d time.Duration) {
	w.Helper()
	for ; d > 0; d -= 10 * time.Second {
		w.do(w.local.Pass(w.Context(), w.clock, 10*time.Second))
	}
	time.Sleep(20 * time.Millisecond)
}

// fire wants the alarm to come within two hours of the fault and all to be
// quiet again within three of the repair.
func (w *watch) fire(alarm string, fault, repair func()) {
	w.Helper()
	w.quiet("before " + alarm)
	fault()
	began := w.clock.Now()
	for !slices.Contains(w.alarms(types.StateValueAlarm), alarm) {
		if w.clock.Since(began) > 2*time.Hour {
			w.Fatalf("%s does not fire; %v do", alarm, w.alarms(types.StateValueAlarm))
		}
		w.pass(time.Minute)
	}
	w.fired = append(w.fired, alarm)
	took := w.clock.Since(began)
	repair()
	began = w.clock.Now()
	for len(w.alarms(types.StateValueAlarm)) > 0 {
		if w.clock.Since(began) > 3*time.Hour {
			w.Fatalf("%s: after the repair %v are still in ALARM", alarm, w.alarms(types.StateValueAlarm))
		}
		w.pass(time.Minute)
	}
	w.Logf("%s came after %s and cleared after %s", alarm, took.Round(time.Minute), w.clock.Since(began).Round(time.Minute))
}

// stranger puts a client secret that nobody knows in the place of the oldest,
// so that a rotation has no room for its own.
func (w *watch) stranger() (id string) {
	w.Helper()
	listed, err := w.clientSecrets(w.Context())
	w.do(err)
	oldest := slices.MinFunc(listed.ClientSecrets, func(one, other cognitotypes.ClientSecretDescriptorType) int {
		return one.ClientSecretCreateDate.Compare(*other.ClientSecretCreateDate)
	})
	w.retire(aws.ToString(oldest.ClientSecretId))
	added, err := cognitoidentityprovider.NewFromConfig(w.aws).AddUserPoolClientSecret(w.Context(), &cognitoidentityprovider.AddUserPoolClientSecretInput{
		UserPoolId: aws.String(w.prerequisite["UserPoolId"]), ClientId: aws.String(w.prerequisite["ClientID"]),
	})
	w.do(err)
	return aws.ToString(added.ClientSecretDescriptor.ClientSecretId)
}

func (w *watch) retire(id string) {
	w.Helper()
	_, err := cognitoidentityprovider.NewFromConfig(w.aws).DeleteUserPoolClientSecret(w.Context(), &cognitoidentityprovider.DeleteUserPoolClientSecretInput{
		UserPoolId: aws.String(w.prerequisite["UserPoolId"]), ClientId: aws.String(w.prerequisite["ClientID"]), ClientSecretId: aws.String(id),
	})
	w.do(err)
}

// tokenEndpoint takes the user pool's domain away, or makes it again.
func (w *watch) tokenEndpoint(up bool) {
	w.Helper()
	endpoint, err := url.Parse(w.prerequisite["AuthorizationEndpoint"])
	w.do(err)
	domain, _, _ := strings.Cut(endpoint.Host, ".")
	pools, pool := cognitoidentityprovider.NewFromConfig(w.aws), aws.String(w.prerequisite["UserPoolId"])
	if up {
		_, err = pools.CreateUserPoolDomain(w.Context(), &cognitoidentityprovider.CreateUserPoolDomainInput{Domain: aws.String(domain), UserPoolId: pool})
	} else {
		_, err = pools.DeleteUserPoolDomain(w.Context(), &cognitoidentityprovider.DeleteUserPoolDomainInput{Domain: aws.String(domain), UserPoolId: pool})
	}
	w.do(err)
}

func (w *watch) queuePolicy(queue string) string {
	w.Helper()
	shown, err := sqs.NewFromConfig(w.aws).GetQueueAttributes(w.Context(), &sqs.GetQueueAttributesInput{QueueUrl: aws.String(queue), AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNamePolicy}})
	w.do(err)
	return shown.Attributes["Policy"]
}

func (w *watch) setQueuePolicy(queue, policy string) {
	w.Helper()
	_, err := sqs.NewFromConfig(w.aws).SetQueueAttributes(w.Context(), &sqs.SetQueueAttributesInput{QueueUrl: aws.String(queue), Attributes: map[string]string{"Policy": policy}})
	w.do(err)
}

func (w *watch) drain(queue string) {
	w.Helper()
	for {
		got, err := sqs.NewFromConfig(w.aws).ReceiveMessage(w.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String(queue), MaxNumberOfMessages: 10})
		w.do(err)
		if len(got.Messages) == 0 {
			return
		}
		for _, message := range got.Messages {
			_, err := sqs.NewFromConfig(w.aws).DeleteMessage(w.Context(), &sqs.DeleteMessageInput{QueueUrl: aws.String(queue), ReceiptHandle: message.ReceiptHandle})
			w.do(err)
		}
	}
}
