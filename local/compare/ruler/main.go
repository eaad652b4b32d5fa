// Ruler compares the local endpoint's rule matcher with event-ruler, AWS's own
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
)

func main() {
	pairs := flag.Int("pairs", 1_000_000, "how many pairs of pattern and event to compare")
	seed := flag.Uint64("seed", 1, "of the generator; the same seed makes the same pairs")
	folder := flag.String("source", "local/compare/ruler", "where Ruler.java is")
	libraries := flag.String("libraries", ".build/ruler", "where event-ruler and what it needs are, as pom.xml names them")
	show := flag.Int("show", 20, "how many disagreements to minimise and print")
	flag.Parse()
	agreed, err := run(*pairs, *seed, *folder, *libraries, *show)
	if err != nil {
		fmt.Fprintln(os.Stderr, "ruler:", err)
		os.Exit(2)
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
	made := &generator{rand.New(rand.NewPCG(seed, 0))}
	total := tally{settled: map[string]int{}}
	for left := pairs; left > 0; {
		batch := made.batch(min(left, 2000))
		left -= len(batch)
		answers, err := theirs.judge(batch)
		if err != nil {
			return false, err
		}
		for i, one := range batch {
			if err := total.add(judged{one, ours(one), answers[i]}, theirs); err != nil {
				return false, err
			}
		}
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
