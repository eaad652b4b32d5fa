package main

import (
	"context"
	"math"
	"slices"
)

// series are the measurements of one thing, in the order in which they were made.
type series []float64

// at is the value below which the fraction q of the measurements lies.
func (s series) at(q float64) float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}

func (s series) median() float64 { return s.at(0.5) }

// over divides pair by pair, which cancels what slowed the machine down for
// both; series of different lengths are divided median by median.
func (s series) over(other series) float64 {
	if len(s) == 0 || len(other) == 0 {
		return math.NaN()
	}
	if len(s) != len(other) {
		return s.median() / other.median()
	}
	ratios := make(series, len(s))
	for i := range s {
		ratios[i] = s[i] / other[i]
	}
	return ratios.median()
}

// minus is the median of the differences pair by pair.
func (s series) minus(other series) float64 {
	differences := make(series, min(len(s), len(other)))
	for i := range differences {
		differences[i] = s[i] - other[i]
	}
	return differences.median()
}

// inTurn measures each candidate once a round, every round beginning with
// another one, and returns a series for each.
func inTurn(ctx context.Context, rounds int, candidates ...func() (float64, error)) ([]series, error) {
	measured := make([]series, len(candidates))
	for round := range rounds {
		for i := range candidates {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			which := (round + i) % len(candidates)
			value, err := candidates[which]()
			if err != nil {
				return nil, err
			}
			measured[which] = append(measured[which], value)
		}
	}
	return measured, nil
}
