package main

import (
	"context"
	"testing"
	"time"
)

func TestRatesAreOfEverythingThatWasDone(t *testing.T) {
	spin := newContestant("spin", 0, func(context.Context) error {
		for until := time.Now().Add(2 * time.Millisecond); time.Now().Before(until); {
		}
		return nil
	})
	r, err := spin.measureWith(context.Background(), 60*time.Millisecond, 1)
	// A spin of 2 ms by the clock can't be done more than 500 times a second,
	// but in less processor time when others are given the processor amid it.
	if err != nil || r.wall > 501 || r.wall <= 0 || r.cpu <= 0 {
		t.Errorf("got %+v and %v, want at most 500 a second by the clock", r, err)
	}
	if got := median([]float64{5, 1, 3}); got != 3 {
		t.Errorf("got median %v, want 3", got)
	}
	if got := median(ratios([]float64{2, 9, 8, 1}, []float64{1, 3, 2, 1})); got != 2.5 {
		t.Errorf("got median of ratios %v, want 2.5", got)
	}
}
