package main

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGeneratedPairsAskForEveryOperatorAndAboutHalfMatch(t *testing.T) {
	pairs := (&generator{rand.New(rand.NewPCG(1, 0))}).batch(20_000)
	answers, seen := map[string]int{}, map[string]int{}
	for _, one := range pairs {
		answer := verdict(ours(one))
		answers[answer]++
		for _, name := range append(operators, "$or") {
			if answer == "true" && strings.Contains(one.pattern, `"`+name+`":`) {
				seen[name]++
			}
		}
	}
	if matches := answers["true"]; matches < 8_000 || matches > 12_000 {
		t.Errorf("of %d pairs %d match; want about half", len(pairs), matches)
	}
	if invalid := answers["invalid"]; invalid == 0 || invalid > 4_000 {
		t.Errorf("of %d pairs %d have an invalid pattern; want some, not many", len(pairs), invalid)
	}
	for _, name := range []string{"exists", "prefix", "suffix", "equals-ignore-case", "wildcard", "numeric", "cidr", "anything-but", "$or"} {
		if seen[name] < 20 {
			t.Errorf("%s is in %d patterns that match; want at least 20", name, seen[name])
		}
	}
}

func TestTheSameSeedMakesTheSamePairs(t *testing.T) {
	make := func() []pair { return (&generator{rand.New(rand.NewPCG(7, 0))}).batch(500) }
	if difference := cmp.Diff(make(), make(), cmp.AllowUnexported(pair{})); difference != "" {
		t.Error(difference)
	}
}

func TestAPatternStandsForItsAlternatives(t *testing.T) {
	var got []string
	for _, one := range alternatives(parse(`{"a":{"b":[1,{"exists":false}],"$or":[{"c":["x"]},{"d":{"e":["y"]}}]}}`).(map[string]any)) {
		got = append(got, write(one))
	}
	want := []string{
		`{"a":{"b":[1],"c":["x"]}}`, `{"a":{"b":[1],"d":{"e":["y"]}}}`,
		`{"a":{"b":[{"exists":false}],"c":["x"]}}`, `{"a":{"b":[{"exists":false}],"d":{"e":["y"]}}}`,
	}
	if difference := cmp.Diff(want, got, cmp.Transformer("sorted", func(list []string) map[string]bool {
		set := map[string]bool{}
		for _, text := range list {
			set[text] = true
		}
		return set
	})); difference != "" {
		t.Error(difference)
	}
}
