package credentials_test

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/cfn"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"api-destination-credentials/internal/credentials"
	"api-destination-credentials/internal/customresource"
)

var (
	seeds = flag.Int("seeds", 10_000, "how many random schedules are tried")
	seed  = flag.Uint64("seed", 0, "replay this random schedule alone")
)

// process is a run of product code that stands still before and after every
// call, until it is told to go on or is cut off for ever.
type process struct {
	name  string
	cloud *cloud
	next  func() (string, bool)
	stop  func()
	yield func(string) bool
	err   error
	ended bool
}

// start makes a process that has not passed any point yet.
func start(c *cloud, name string, run func(context.Context) error) *process {
	p := &process{name: name, cloud: c}
	p.next, p.stop = iter.Pull(func(yield func(string) bool) {
		p.yield = yield
		defer func() {
			if caught := recover(); caught != nil && caught != errCut {
				panic(caught)
			}
		}()
		p.err = run(context.Background())
	})
	return p
}

// step lets the process go on to its next point.
func (p *process) step() (point string, goesOn bool) {
	p.cloud.point = func(point string) {
		if !p.yield(point) {
			panic(errCut)
		}
	}
	defer func() { p.cloud.point = func(string) {} }()
	point, goesOn = p.next()
	p.ended = !goesOn
	return point, goesOn
}

// cut ends the process where it stands.
func (p *process) cut() {
	p.stop()
	p.ended = true
}

// finish lets the process run to its end; a failure is for whoever retries.
func (p *process) finish() error {
	for {
		if _, goesOn := p.step(); !goesOn {
			return p.err
		}
	}
}

func rotationStep(c *cloud, step, token string) *process {
	return start(c, step, func(ctx context.Context) error {
		return c.rotation().Handle(ctx, credentials.Step{Step: step, SecretID: "arn:source", ClientRequestToken: token})
	})
}

func follow(c *cloud) *process {
	return start(c, "follower", func(ctx context.Context) error {
		_, err := c.follower().Follow(ctx)
		return err
	})
}

func stackRequest(c *cloud, kind cfn.RequestType) *process {
	wanted := connectionOf()
	return start(c, "custom resource "+string(kind), func(ctx context.Context) error {
		_, _, err := credentials.StackResource{Syncer: c.syncer(), Stacks: customresource.Stacks{API: c}}.Handle(ctx, cfn.Event{
			RequestType: kind, StackID: "stack", PhysicalResourceID: "id", ResourceProperties: map[string]any{
				"ConnectionName": wanted.Name, "SecretId": wanted.SecretID, "KmsKeyArn": wanted.KeyARN,
				"AuthorizationEndpoint": wanted.AuthorizationEndpoint, "Scope": wanted.Scope,
			},
		})
		return err
	})
}

var rotationSteps = []string{"createSecret", "setSecret", "testSecret", "finishSecret"}

// scenario is what one of the three does, and how AWS tries it again.
type scenario struct {
	prepare func(*cloud)
	run     func(*cloud) []func() *process // the processes, one after the other
	settled func(*cloud) string            // what is wrong with the end; empty for nothing
}

const token = "11111111-2222-3333-4444-555555555555"

func scenarios() map[string]scenario {
	rotation := func(c *cloud) []func() *process {
		var steps []func() *process
		for _, step := range rotationSteps {
			steps = append(steps, func() *process {
				c.inSet = step == "setSecret"
				return rotationStep(c, step, token)
			})
		}
		return steps
	}
	one := func(make func(*cloud) *process) func(*cloud) []func() *process {
		return func(c *cloud) []func() *process { return []func() *process{func() *process { return make(c) }} }
	}
	return map[string]scenario{
		"rotation": {func(c *cloud) { c.rotate(token) }, rotation, inStepWith(token)},
		"rotation with two client secrets": {func(c *cloud) {
			c.finishRotation("00000000-0000-0000-0000-000000000000")
			c.now = c.now.Add(48 * time.Hour)
			c.rotate(token)
		}, rotation, inStepWith(token)},
		"follower after a change by hand": {putByHand, one(follow), inStepWith("hand")},
		"follower after the grace time": {func(c *cloud) {
			c.finishRotation(token)
			c.now = c.now.Add(3 * grace)
		}, one(follow), func(c *cloud) string {
			if len(c.clients) != 1 {
				return fmt.Sprintf("%d client secrets are left, want 1", len(c.clients))
			}
			return inStepWith(token)(c)
		}},
		"follower after a change by hand and the grace time": {func(c *cloud) {
			if err := follow(c).finish(); err != nil {
				panic(err)
			}
			putByHand(c)
			if err := follow(c).finish(); err != nil {
				panic(err)
			}
			c.now = c.now.Add(3 * grace)
		}, one(follow), func(c *cloud) string {
			if len(c.clients) != 1 {
				return fmt.Sprintf("%d client secrets are left, want 1", len(c.clients))
			}
			return inStepWith("hand")(c)
		}},
		"follower with a deauthorized connection": {func(c *cloud) {
			putByHand(c)
			c.state = ebtypes.ConnectionStateDeauthorized
		}, one(follow), inStepWith("hand")},
		"custom resource create": {func(c *cloud) { delete(c.stages, "eventbridge/demo") }, one(func(c *cloud) *process { return stackRequest(c, cfn.RequestCreate) }), inStepWith("v1")},
		"custom resource update": {putByHand, one(func(c *cloud) *process { return stackRequest(c, cfn.RequestUpdate) }), inStepWith("hand")},
		"custom resource delete": {func(*cloud) {}, one(func(c *cloud) *process { return stackRequest(c, cfn.RequestDelete) }), func(c *cloud) string {
			if c.stages["eventbridge/demo"] != "" {
				return "the label is still there"
			}
			return ""
		}},
	}
}

// putByHand is a person who adds a client secret and stores it.
func putByHand(c *cloud) {
	c.addClient("secret-by-hand")
	c.values["hand"], c.created["hand"] = secretText("secret-by-hand"), c.now
	c.stages["AWSPREVIOUS"], c.stages["AWSCURRENT"] = c.stages["AWSCURRENT"], "hand"
}

// finishRotation rotates without anything going wrong.
func (c *cloud) finishRotation(token string) {
	c.rotate(token)
	for _, step := range rotationSteps {
		c.inSet = step == "setSecret"
		if err := rotationStep(c, step, token).finish(); err != nil {
			panic(err)
		}
	}
	c.inSet = false
	c.calls = nil
}

func inStepWith(version string) func(*cloud) string {
	return func(c *cloud) string {
		switch {
		case c.stages["AWSCURRENT"] != version:
			return fmt.Sprintf("AWSCURRENT is %s, want %s", c.stages["AWSCURRENT"], version)
		case c.stages["eventbridge/demo"] != version:
			return fmt.Sprintf("the connection's label is on %s, want %s", c.stages["eventbridge/demo"], version)
		case c.held != c.clientSecretOf(version):
			return "the connection holds another client secret than its label says"
		case c.state != ebtypes.ConnectionStateAuthorized:
			return "the connection is " + string(c.state)
		}
		return ""
	}
}

// play runs a scenario with cuts at the given points (counted over all of its
// processes and their repetitions), and repeats from the first process on after
// each failure, as AWS does. It returns how many points were passed.
func play(t *testing.T, name string, s scenario, cuts ...int) (points int) {
	t.Helper()
	c := newCloud()
	s.prepare(c)
	if slices.Contains([]string{"follower with a deauthorized connection"}, name) {
		c.wrongs = nil
	}
	const attempts = 5
	for attempt := 1; ; attempt++ {
		failed := ""
		for _, make := range s.run(c) {
			p := make()
			for {
				if _, goesOn := p.step(); !goesOn {
					break
				}
				if slices.Contains(cuts, points) {
					p.cut()
					failed = "cut off"
				}
				points++
				if p.ended {
					break
				}
			}
			if failed == "" && p.err != nil {
				failed = p.err.Error()
			}
			if failed != "" {
				break
			}
		}
		if failed == "" {
			break
		}
		if attempt == attempts+len(cuts) {
			t.Fatalf("%s with cuts at %v does not come to an end: %s", name, cuts, failed)
		}
		c.now = c.now.Add(time.Minute)
	}
	if trouble := s.settled(c); trouble != "" {
		t.Errorf("%s with cuts at %v: %s", name, cuts, trouble)
	}
	for _, wrong := range c.wrongs {
		if !(strings.Contains(wrong, "DEAUTHORIZED") && strings.Contains(name, "deauthorized")) {
			t.Errorf("%s with cuts at %v: %s", name, cuts, wrong)
		}
	}
	return points
}

func TestAProcessMayBeCutOffBeforeAndAfterEveryCallOnceAndTwice(t *testing.T) {
	for name, s := range scenarios() {
		t.Run(name, func(t *testing.T) {
			points := play(t, name, s)
			pairs := 0
			for first := range points {
				after := play(t, name, s, first)
				for second := first + 1; second < after; second++ {
					play(t, name, s, first, second)
					pairs++
				}
				if t.Failed() {
					t.FailNow()
				}
			}
			t.Logf("%d calls, %d cuts, %d pairs", points/2, points, pairs)
			fmt.Printf("crash points of %s: %d calls, %d cuts, %d pairs\n", name, points/2, points, pairs)
		})
	}
}

func TestRandomSchedulesOfConcurrentProcessesConverge(t *testing.T) {
	if *seed != 0 {
		schedule(t, *seed)
		return
	}
	if testing.Short() {
		*seeds = min(*seeds, 1_000)
	}
	for n := uint64(1); n <= uint64(*seeds); n++ {
		if schedule(t, n); t.Failed() {
			t.Fatalf("seed %d failed; replay it with: go test ./internal/credentials -run RandomSchedules -seed %d", n, n)
		}
	}
	fmt.Printf("random schedules: %d seeds\n", *seeds)
}

// schedule runs up to three processes at a time in random order, cuts some of
// them off, repeats and reorders rotation steps, lets people put secrets by
// hand, and then lets everything come to rest.
func schedule(t *testing.T, n uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(n, n))
	c := newCloud()
	var running []*process
	rotations, byHand, begun := 0, 0, ""
	c.concurrent = true
	tell := func(format string, arguments ...any) {
		if *seed != 0 {
			t.Logf(format, arguments...)
		}
	}
	c.fault = func(_ string, _ bool) error {
		if random.IntN(60) == 0 {
			return errThrottled
		}
		return nil
	}
	c.inSet = true // room may be made at any time; the grace time is for the follower
	for range 60 + random.IntN(120) {
		if len(running) < 3 && random.IntN(4) == 0 {
			switch choice := random.IntN(10); {
			case choice < 5 && begun != "":
				running = append(running, rotationStep(c, rotationSteps[random.IntN(4)], begun))
			case choice < 6:
				// A rotation does not begin while another one's version is pending.
				if held := c.stages["AWSPENDING"]; held == "" || held == c.stages["AWSCURRENT"] {
					rotations++
					begun = fmt.Sprintf("%08d-2222-3333-4444-555555555555", rotations)
					c.rotate(begun)
					tell("a rotation begins: %s", begun)
				}
			case choice < 8:
				running = append(running, follow(c))
			case choice < 9:
				running = append(running, stackRequest(c, cfn.RequestUpdate))
			case random.IntN(3) == 0 && len(c.clients) == 1 && c.stages[labelOf(c.clients[0])] != "":
				// A new version by hand ends a rotation that is under way.
				byHand++
				version, value := fmt.Sprintf("hand-%d", byHand), fmt.Sprintf("secret-by-hand-%d", byHand)
				c.addClient(value)
				c.values[version], c.created[version] = secretText(value), c.now
				c.stages["AWSPREVIOUS"], c.stages["AWSCURRENT"] = c.stages["AWSCURRENT"], version
				delete(c.stages, "AWSPENDING")
				begun = ""
				tell("a person puts %s", version)
			default:
				// Longer than the functions' time-out: none of them lives on.
				for _, p := range running {
					p.cut()
				}
				running = nil
				c.now = c.now.Add(time.Duration(5+random.IntN(300)) * time.Minute)
			}
		}
		if len(running) == 0 {
			continue
		}
		at := random.IntN(len(running))
		wrongs := len(c.wrongs)
		if p := running[at]; random.IntN(40) == 0 {
			p.cut()
			tell("%s is cut off", p.name)
		} else if point, goesOn := p.step(); goesOn {
			tell("%s: %s", p.name, point)
		} else {
			tell("%s ends: %v", p.name, p.err)
		}
		if len(c.wrongs) > wrongs {
			tell("WRONG: %s", c.wrongs[wrongs])
		}
		if running[at].ended {
			running = slices.Delete(running, at, at+1)
		}
	}
	for _, p := range running {
		_ = p.finish()
	}
	c.fault = func(string, bool) error { return nil }
	if pending := c.stages["AWSPENDING"]; pending != "" && pending != c.stages["AWSCURRENT"] {
		settleRotation(t, c, n, pending)
	}
	for range 3 {
		_ = follow(c).finish()
		c.now = c.now.Add(3 * grace)
	}
	if err := follow(c).finish(); err != nil {
		t.Errorf("seed %d: the follower fails at the end: %v", n, err)
	}
	if trouble := inStepWith(c.stages["AWSCURRENT"])(c); trouble != "" {
		t.Errorf("seed %d: %s", n, trouble)
	}
	if len(c.clients) != 1 {
		t.Errorf("seed %d: %d client secrets are left, want 1", n, len(c.clients))
	}
	if len(c.wrongs) > 0 {
		t.Errorf("seed %d: %s", n, c.wrongs[0])
	}
}

func labelOf(one clientSecret) string { return "cognito/" + one.id }

// settleRotation is Secrets Manager trying the rotation again whose version is
// still pending, until it is done.
func settleRotation(t *testing.T, c *cloud, n uint64, token string) {
	t.Helper()
	var err error
	for range 5 {
		_ = follow(c).finish()
		err = nil
		for _, step := range rotationSteps {
			if err = rotationStep(c, step, token).finish(); err != nil {
				break
			}
		}
		if err == nil {
			return
		}
		c.now = c.now.Add(time.Hour)
	}
	t.Errorf("seed %d: the rotation does not come to an end: %v", n, err)
}

func TestTheFollowerLeavesARotationAloneThatHasJustSwitchedTheConnection(t *testing.T) {
	c := newCloud()
	c.rotate(token)
	for _, step := range rotationSteps[:3] {
		if err := rotationStep(c, step, token).finish(); err != nil {
			t.Fatal(err)
		}
	}
	finish := rotationStep(c, "finishSecret", token)
	for point, goesOn := finish.step(); ; point, goesOn = finish.step() {
		if !goesOn {
			t.Fatal("the rotation ended without moving its label")
		}
		if point == "after UpdateSecretVersionStage eventbridge" {
			break
		}
	}
	c.calls = nil
	if err := follow(c).finish(); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(c.calls, "UpdateConnection") {
		t.Error("the follower switched the connection back while the rotation was at work")
	}
	finish.cut()
	c.now = c.now.Add(2 * time.Hour)
	if err := follow(c).finish(); err != nil {
		t.Fatal(err)
	}
	if trouble := inStepWith("v1")(c); trouble != "" {
		t.Errorf("after the rotation was given up: %s", trouble)
	}
}
