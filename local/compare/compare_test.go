package compare

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"api-destination-credentials/local/endpoint"
)

// step is one call and what AWS answers it with.
type step struct {
	name string
	// do makes the call and tells what is to be seen of its result.
	do func(context.Context) (string, error)
	// want is what do tells, or the code of the error it fails with.
	want string
	// words are the error's message where it is known; secret, queue and
	// account stand for the names of this run.
	words string
	// slow is set where AWS takes a while until the answer is this one.
	slow bool
	// moto tells what moto does otherwise, and local what the local endpoint
	// leaves out. A note that is not true any longer fails the test.
	moto, local string
}

// target is an implementation.
type target struct {
	name    string
	aws     aws.Config
	patient bool // with slow steps
	known   func(step) string
}

func targets(t *testing.T) []target {
	t.Helper()
	e, err := endpoint.Start(endpoint.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	found := []target{{name: "local endpoint", aws: e.AWS(), known: func(s step) string { return s.local }}}
	if url := moto(t); url != "" {
		found = append(found, target{
			name: "moto", known: func(s step) string { return s.moto },
			aws: aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(url), Credentials: credentials.NewStaticCredentialsProvider("moto", "moto", "")},
		})
	}
	if os.Getenv("AWS_REAL") == "1" {
		loaded, err := config.LoadDefaultConfig(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, target{name: "AWS", aws: loaded, patient: true, known: func(step) string { return "" }})
	}
	return found
}

// play takes the steps of a story one after the other. What they show is
// compared with the names of this run replaced by what they stand for.
func play(t *testing.T, on target, names func() *strings.Replacer, steps []step) {
	t.Helper()
	differences := 0
	for _, s := range steps {
		t.Run(s.name, func(t *testing.T) {
			got := shown(t, on, s, names)
			want := s.want
			if s.words != "" {
				want += ": " + s.words
			}
			note := on.known(s)
			switch difference := cmp.Diff(want, got); {
			case difference == "" && note != "":
				t.Errorf("%s does as AWS does now: take the note %q away", on.name, note)
			case difference != "" && note == "":
				t.Errorf("%s differs from AWS (-AWS +%s):\n%s", on.name, on.name, difference)
			case difference != "":
				differences++
				t.Logf("%s: %s\n%s", on.name, note, difference)
			}
		})
	}
	t.Logf("%s: %d steps, %d known differences", on.name, len(steps), differences)
}

func shown(t *testing.T, on target, s step, names func() *strings.Replacer) string {
	t.Helper()
	for deadline := time.Now().Add(90 * time.Second); ; {
		got, err := s.do(t.Context())
		if err != nil {
			got = failure(t, err, s.words != "")
		}
		got = names().Replace(got)
		if !s.slow || !on.patient || strings.HasPrefix(got, s.want) || time.Now().After(deadline) {
			return got
		}
		time.Sleep(2 * time.Second)
	}
}

// failure is an error's code, with its message if that is to be seen too.
func failure(t *testing.T, err error, withWords bool) string {
	t.Helper()
	var answered smithy.APIError
	if !errors.As(err, &answered) {
		return "no answer: " + err.Error()
	}
	if withWords {
		return answered.ErrorCode() + ": " + answered.ErrorMessage()
	}
	return answered.ErrorCode()
}

// unique makes names that no other run uses.
func unique(name string) string { return "compare-" + name + "-" + strings.ToLower(rand.Text()[:10]) }
