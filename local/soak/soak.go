// Package soak puts load on the deployed application while its client secret
// rotates and faults come and go, and then accounts for every event. A Soak runs
// once, against both stacks on a local endpoint; its Report says what was lost or
// acted on twice.
package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"api-destination-credentials/internal/redrive"
)

// Soak is one run against both stacks on a local endpoint.
type Soak struct {
	AWS          aws.Config
	Prerequisite map[string]string // outputs of the stacks
	Application  map[string]string
	// Pass lets time pass on the endpoint's clock, and what becomes due be done.
	Pass func(ctx context.Context, d time.Duration) error

	Events     int // at least
	PerSecond  int // events, a multiple of 10
	Rotations  int // at least
	FaultEvery time.Duration
	Seed       uint64
	Progress   func(string)
}

// Report is what came of it.
type Report struct {
	Account
	Rotations  int
	Faults     map[string]int
	Redriven   int
	Took       time.Duration
	PerSecond  float64 // events accepted, on average
	DeadLetter int     // messages that are left
}

// most is how long events are tried for, and a little more.
const most = 25 * time.Hour

// Run puts events until there are enough of them and of rotations, repairs
// everything, lets the retries come to their end, and brings the dead letters back.
func (s Soak) Run(ctx context.Context) (Report, error) {
	began := time.Now()
	ledger := newLedger()
	report := Report{Faults: map[string]int{}}
	var rotations atomic.Int64
	load, enough := context.WithCancel(ctx)
	defer enough()
	peril, calm := context.WithCancel(load)
	defer calm()
	var others sync.WaitGroup
	var failures [2]error
	others.Go(func() { failures[0] = s.rotate(load, &rotations) })
	others.Go(func() { failures[1] = s.disturb(peril, report.Faults) })
	err := s.produce(ctx, ledger, &rotations, calm)
	loaded := time.Since(began)
	enough()
	others.Wait()
	if err := errors.Join(err, failures[0], failures[1]); err != nil {
		return report, err
	}
	report.Rotations = int(rotations.Load())
	for {
		if err := s.settle(ctx, ledger); err != nil {
			return report, err
		}
		brought, err := s.redrive(ctx)
		if err != nil {
			return report, err
		}
		if report.Redriven += brought; brought == 0 {
			break
		}
	}
	report.DeadLetter, err = s.deadLetters(ctx)
	if err != nil {
		return report, err
	}
	arrivals, err := s.arrivals(ctx)
	if err != nil {
		return report, err
	}
	report.Account = ledger.check(arrivals)
	report.Took, report.PerSecond = time.Since(began), float64(report.Accepted)/loaded.Seconds()
	return report, nil
}

// produce puts ten events at a time. Once there are enough of them no more faults
// come, so that rotations that are still missing are not kept from ending.
func (s Soak) produce(ctx context.Context, ledger *ledger, rotations *atomic.Int64, calm func()) error {
	bus := eventbridge.NewFromConfig(s.AWS)
	pace := time.NewTicker(10 * time.Second / time.Duration(s.PerSecond))
	defer pace.Stop()
	shown := time.Now()
	for n := 0; n < s.Events || int(rotations.Load()) < s.Rotations; n += 10 {
		var entries []types.PutEventsRequestEntry
		for i := range 10 {
			entries = append(entries, types.PutEventsRequestEntry{
				EventBusName: aws.String(s.Application["EventBusName"]), Source: aws.String("com.demo-event-bus.cmk"), DetailType: aws.String("demo-event-type"),
				Detail: aws.String(fmt.Sprintf(`{"responsePayload":{"number":%d}}`, n+i)),
			})
		}
		out, err := bus.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: entries})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		// What the bus does not accept is its producer's to try again.
		for i := range entries {
			if err != nil || out.Entries[i].ErrorCode != nil {
				ledger.refused++
				continue
			}
			ledger.accepted[aws.ToString(out.Entries[i].EventId)] = true
		}
		if n+10 >= s.Events {
			calm()
		}
		if time.Since(shown) > 10*time.Second {
			shown = time.Now()
			s.Progress(fmt.Sprintf("%d events put, %d rotations", n+10, rotations.Load()))
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// rotate asks for one rotation after another.
func (s Soak) rotate(ctx context.Context, done *atomic.Int64) error {
	secrets := secretsmanager.NewFromConfig(s.AWS)
	source := aws.String(s.Prerequisite["OAuthSecretArn"])
	for ctx.Err() == nil {
		rotated, err := secrets.RotateSecret(ctx, &secretsmanager.RotateSecretInput{SecretId: source})
		if err != nil {
			// The one before is not complete, and its next try is minutes away: give
			// it up, as a person in a hurry does.
			if err := s.putWorkingSecret(ctx); err != nil && ctx.Err() == nil {
				pause(ctx, 200*time.Millisecond) // the key is disabled
			}
			continue
		}
		if s.completes(ctx, secrets, source, aws.ToString(rotated.VersionId)) {
			done.Add(1)
		}
	}
	return nil
}

func (s Soak) completes(ctx context.Context, secrets *secretsmanager.Client, source *string, version string) bool {
	for deadline := time.Now().Add(6 * time.Second); time.Now().Before(deadline) && ctx.Err() == nil; pause(ctx, 20*time.Millisecond) {
		shown, err := secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: source})
		if err == nil && labelled(shown.VersionIdsToStages[version], "AWSCURRENT", "eventbridge/"+s.Application["ConnectionName"]) {
			return true
		}
	}
	return false
}

// disturb breaks one thing after another and repairs it soon.
func (s Soak) disturb(ctx context.Context, counts map[string]int) error {
	faults, err := s.faults(ctx)
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(s.Seed, 0))
	for {
		pause(ctx, s.FaultEvery)
		if ctx.Err() != nil {
			return nil
		}
		fault := faults[random.IntN(len(faults))]
		// Repaired also if the load ends meanwhile.
		work := context.WithoutCancel(ctx)
		if err := fault.make(work); err != nil {
			return fmt.Errorf("%s: %w", fault.name, err)
		}
		counts[fault.name]++
		time.Sleep(time.Duration(100+random.IntN(500)) * time.Millisecond)
		if err := fault.repair(work); err != nil {
			return fmt.Errorf("repair of %s: %w", fault.name, err)
		}
	}
}

// settle sets the endpoint's clock ahead until every event has arrived or is in
// the dead-letter queue.
func (s Soak) settle(ctx context.Context, ledger *ledger) error {
	for passed := time.Duration(0); passed < most; passed += 10 * time.Minute {
		arrivals, err := s.arrivals(ctx)
		if err != nil {
			return err
		}
		waiting, err := s.deadLetters(ctx)
		if err != nil {
			return err
		}
		if ledger.missing(arrivals) <= waiting {
			return nil
		}
		if err := s.Pass(ctx, 10*time.Minute); err != nil {
			return err
		}
	}
	return nil
}

func (s Soak) redrive(ctx context.Context) (int, error) {
	result, err := redrive.Redriver{
		Queue: sqs.NewFromConfig(s.AWS), QueueURL: s.Application["DeadLetterQueueURL"], Bus: eventbridge.NewFromConfig(s.AWS),
		// The queue's messages are of the endpoint's time, which is ahead.
		BusName: s.Application["EventBusName"], Now: func() time.Time { return time.Now().AddDate(1, 0, 0) },
	}.Run(ctx)
	return result.Redriven, err
}

func (s Soak) deadLetters(ctx context.Context) (int, error) {
	shown, err := sqs.NewFromConfig(s.AWS).GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(s.Application["DeadLetterQueueURL"]), AttributeNames: []sqsAttribute{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"},
	})
	if err != nil {
		return 0, err
	}
	var visible, hidden int
	_, err = fmt.Sscan(shown.Attributes["ApproximateNumberOfMessages"]+" "+shown.Attributes["ApproximateNumberOfMessagesNotVisible"], &visible, &hidden)
	return visible + hidden, err
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
