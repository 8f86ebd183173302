package main

import (
	"context"
	"math"
	"testing"
	"time"
)

// The published counts of multiply-adds are 6.1 and 46.8 (Small) and 23.2 and
// 151.7 (Base) thousand millions at 224 and 518 pixels.
func TestWorkIsThePublishedCount(t *testing.T) {
	for text, want := range map[string]float64{"S@224": 6.1e9, "S@518": 46.8e9, "B@224": 23.2e9, "B@518": 151.7e9, "L@224": 81e9, "L@518": 507.2e9} {
		s, err := parseSpec(text)
		if err != nil {
			t.Fatal(err)
		}
		done, published := s.work()
		if math.Abs(published/2/want-1) > .01 {
			t.Errorf("%s: got %.2f thousand million multiply-adds, want %.2f", text, published/2e9, want/1e9)
		}
		if done >= published || done < published*.9 {
			t.Errorf("%s: %.2f of %.2f are computed, want somewhat less", text, done/2e9, published/2e9)
		}
	}
	for _, text := range []string{"", "S", "X@224", "S@225", "S@0", "S@224:float8", "@224"} {
		if s, err := parseSpec(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, s)
		}
	}
}

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
