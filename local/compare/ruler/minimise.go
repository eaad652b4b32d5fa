package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// minimise makes a disagreement as small as it finds one that still is a
// disagreement of the same kind.
func minimise(found judged, theirs *ruler) (judged, error) {
	for {
		smaller, err := shrink(found, theirs)
		if err != nil || smaller == found {
			return found, err
		}
		found = smaller
	}
}

// shrink takes the first smaller form that holds; found itself if none does.
func shrink(found judged, theirs *ruler) (judged, error) {
	pattern, event := parse(found.pattern), parse(found.event)
	var candidates []pair
	for smaller := range smallerForms(pattern) {
		candidates = append(candidates, pair{write(smaller), found.event})
	}
	for smaller := range smallerForms(event) {
		candidates = append(candidates, pair{found.pattern, write(smaller)})
	}
	answers, err := theirs.judge(candidates)
	if err != nil {
		return found, err
	}
	for i, candidate := range candidates {
		smaller := judged{candidate, ours(candidate), answers[i]}
		if verdict(smaller.ours) != verdict(found.ours) || verdict(smaller.theirs) != verdict(found.theirs) {
			continue
		}
		if reason, err := settledBy(smaller, theirs); err != nil || reason == "" {
			return smaller, err
		}
	}
	return found, nil
}

// smallerForms yields value with one part left out, lifted or shortened.
func smallerForms(value any) func(yield func(any) bool) {
	return func(yield func(any) bool) {
		switch value := value.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(value)) {
				rest := maps.Clone(value)
				delete(rest, name)
				if !yield(rest) {
					return
				}
				if inner, ok := value[name].(map[string]any); ok && !yield(inner) {
					return
				}
				for smaller := range smallerForms(value[name]) {
					changed := maps.Clone(value)
					changed[name] = smaller
					if !yield(changed) {
						return
					}
				}
			}
		case []any:
			for i := range value {
				if !yield(slices.Concat(value[:i], value[i+1:])) || !yield(value[i]) {
					return
				}
				for smaller := range smallerForms(value[i]) {
					changed := slices.Clone(value)
					changed[i] = smaller
					if !yield(changed) {
						return
					}
				}
			}
		case string:
			for i, char := range value {
				if !yield(value[:i] + value[i+utf8.RuneLen(char):]) {
					return
				}
			}
		case json.Number:
			if value != "0" {
				yield(json.Number("0"))
			}
		}
	}
}

func parse(text string) any {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		panic(err) // the generator wrote it
	}
	return value
}

func write(value any) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // plain JSON values always encode
	}
	return strings.TrimSuffix(text.String(), "\n")
}
