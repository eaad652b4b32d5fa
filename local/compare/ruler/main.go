// Command ruler compares the local endpoint's rule matcher with event-ruler, AWS's own
// matcher in Java, over generated patterns and events. It is a tool for
// developers, outside of the normal test run: "make compare" runs it.
//
// It prints how many pairs were compared, how often the two disagree, and the
// smallest pair it finds for each disagreement. Differences that were looked
// into and settled are counted apart; any other one ends it with status 1.
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"

	"api-destination-credentials/internal/terminal"
)

var command = terminal.Command{
	Name:  "go run ./local/compare/ruler",
	About: "Compares the local endpoint's rule matcher with event-ruler, AWS's own matcher\nin Java, over generated patterns and events. Run it in the repository's root\nfolder.",
	Usage: []string{"[-pairs n] [-seed n] [-show n]"},
	More: `Examples:
  make compare             the libraries are put in place first
  PAIRS=20000 SEED=7 make compare
  go run ./local/compare/ruler -pairs 20000 -seed 7

Environment:
  NO_COLOR           any value: no colour and no progress

Exit status:
  0 they agree but for what is settled, 1 they do not, 2 it could not compare
`,
}

func main() {
	pairs := flag.Int("pairs", 1_000_000, "how many pairs of pattern and event to compare")
	seed := flag.Uint64("seed", 1, "of the generator; the same seed makes the same pairs")
	folder := flag.String("source", "local/compare/ruler", "where Ruler.java is")
	libraries := flag.String("libraries", ".build/ruler", "where event-ruler and what it needs are, as pom.xml names them")
	show := flag.Int("show", 20, "how many disagreements to minimise and print")
	command.Parse()
	if *pairs < 1 || *show < 0 {
		command.Refuse("-pairs has to be 1 or more, and -show 0 or more")
	}
	agreed, err := run(*pairs, *seed, *folder, *libraries, *show)
	if err != nil {
		terminal.Fail(2, fmt.Errorf("%w\nmake compare puts the libraries in place and calls this; it needs a JDK and Maven", err))
	}
	if !agreed {
		os.Exit(1)
	}
}

func run(pairs int, seed uint64, folder, libraries string, show int) (agreed bool, err error) {
	theirs, err := startRuler(folder, libraries)
	if err != nil {
		return false, err
	}
	defer theirs.close()
	total, err := compare(theirs, pairs, seed)
	if err != nil {
		return false, err
	}
	total.print(seed)
	seen := map[string]bool{}
	for _, one := range total.open {
		if len(seen) == show {
			break
		}
		small, err := minimise(one, theirs)
		if err != nil {
			return false, err
		}
		if text := small.String(); !seen[text] {
			seen[text] = true
			fmt.Println(text)
		}
	}
	return len(total.open) == 0, nil
}

func compare(theirs *ruler, pairs int, seed uint64) (tally, error) {
	defer terminal.On(os.Stdout).Busy(fmt.Sprintf("comparing %d pairs", pairs))()
	made := &generator{rand.New(rand.NewPCG(seed, 0))}
	total := tally{settled: map[string]int{}}
	for left := pairs; left > 0; {
		batch := made.batch(min(left, 2000))
		left -= len(batch)
		answers, err := theirs.judge(batch)
		if err != nil {
			return tally{}, err
		}
		for i, one := range batch {
			if err := total.add(judged{one, ours(one), answers[i]}, theirs); err != nil {
				return tally{}, err
			}
		}
	}
	return total, nil
}

// tally counts what was compared.
type tally struct {
	pairs, matches, refused int
	settled                 map[string]int
	open                    []judged
}

func (t *tally) add(found judged, theirs *ruler) error {
	t.pairs++
	switch verdict(found.theirs) {
	case "true":
		t.matches++
	case "invalid":
		t.refused++
	}
	if verdict(found.ours) == verdict(found.theirs) {
		return nil
	}
	reason, err := settledBy(found, theirs)
	if reason != "" {
		t.settled[reason]++
		return err
	}
	t.open = append(t.open, found)
	return err
}

func (t *tally) print(seed uint64) {
	fmt.Printf("%d pairs compared (seed %d): %d match, %d have an invalid pattern\n", t.pairs, seed, t.matches, t.refused)
	reasons := make([]string, 0, len(t.settled))
	for reason := range t.settled {
		reasons = append(reasons, reason)
	}
	slices.Sort(reasons)
	for _, reason := range reasons {
		fmt.Printf("%7d settled: %s\n", t.settled[reason], reason)
	}
	fmt.Printf("%7d open disagreements\n", len(t.open))
}

// verdict is an answer without its reason.
func verdict(answer string) string {
	word, _, _ := strings.Cut(answer, " ")
	return word
}
