package ort_test

import (
	"fmt"
	"os"
	"runtime"
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

// resident is what memory of this process is in use, in bytes.
func resident(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	var all, pages int64
	if err == nil {
		_, err = fmt.Sscan(string(text), &all, &pages)
	}
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// What the runs of one session have taken serves those of another, and is
// given back with the last.
func TestWhatOneSessionTookServesAnother(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("opt-in: memory in use is read from Linux")
	}
	r, config := load(t), ort.DefaultSessionConfig()
	config.Shared, config.Lean = true, true
	const rows = 8 << 20
	x := ramp(rows, 3, 1)
	graph := model( // Y, of 96 MiB, is in ONNX Runtime's memory; Z is in its place
		node("Add", []string{"X", "X"}, "Y"), node("Add", []string{"Y", "X"}, "Z"),
		tensorValue(11, "X", 1, rows, 3), tensorValue(12, "Z", 1, rows, 3))
	into := map[string]ort.Tensor{"Z": {Shape: x.Shape, Data: make([]float32, len(x.Data))}}
	for i := range into["Z"].Data { // memory is in use once it is written
		into["Z"].Data[i] = 1
	}
	before := resident(t)
	done, err := r.Together()
	if err != nil {
		t.Fatal(err)
	}
	var sessions []*ort.Session
	for range 4 {
		s, err := r.NewSession(graph, config)
		if err != nil {
			t.Fatal(err)
		}
		sessions = append(sessions, s)
	}
	if err := done(); err != nil {
		t.Fatal(err)
	}
	for _, s := range sessions {
		if _, err := s.RunInto(t.Context(), map[string]ort.Tensor{"X": x}, into); err != nil {
			t.Fatal(err)
		}
	}
	most := resident(t) - before
	for _, s := range sessions {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	left := resident(t) - before
	const one = 96 << 20
	t.Logf("%d MiB taken, %d MiB left", most>>20, left>>20)
	if most > 2*one {
		t.Errorf("four sessions took %d MiB, want what one takes", most>>20)
	}
	if left > one/2 {
		t.Errorf("%d MiB are left when all are closed", left>>20)
	}
}
