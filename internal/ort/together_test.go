package ort_test

import (
	"slices"
	"testing"

	"github.com/palate-art/palate/internal/ort"
)

// Sessions that share memory run, beside each other, when one of them is
// closed, and when others share another.
func TestSessionsShareMemory(t *testing.T) {
	r, config := load(t), ort.DefaultSessionConfig()
	config.Shared, config.Lean = true, true
	var sessions []*ort.Session
	for range 2 {
		done, err := r.Together()
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			s, err := r.NewSession(doubling(), config)
			if err != nil {
				t.Fatal(err)
			}
			sessions = append(sessions, s)
		}
		if err := done(); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range sessions {
		for _, batch := range []int64{1, 1 << 16} {
			x := ramp(batch, 3, 1)
			out, err := s.Run(t.Context(), map[string]ort.Tensor{"X": x}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := out["Y"].Data; !slices.Equal(got, times(x, 2)) {
				t.Errorf("%d rows are not doubled", batch)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
