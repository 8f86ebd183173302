package ort_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/ort"
)

func load(t testing.TB) *ort.Runtime {
	t.Helper()
	r, err := ort.Load(context.Background(), ort.ConfigFromEnv())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func open(t *testing.T, model []byte) *ort.Session {
	t.Helper()
	s, err := load(t).NewSession(model, ort.DefaultSessionConfig())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ramp is a batch of rows 0, 1, 2, … plus start.
func ramp(batch, width int64, start float32) ort.Tensor {
	x := ort.Tensor{Shape: []int64{batch, width}, Data: make([]float32, batch*width)}
	for i := range x.Data {
		x.Data[i] = start + float32(i)
	}
	return x
}

func times(x ort.Tensor, by float32) []float32 {
	y := slices.Clone(x.Data)
	for i := range y {
		y[i] *= by
	}
	return y
}

func TestRunComputesBatchesOfAnySize(t *testing.T) {
	s := open(t, doubling())
	for _, batch := range []int64{1, 2, 64, 0, 1} {
		x := ramp(batch, 3, 1)
		for _, outputs := range [][]string{{"Y"}, {"Z", "Y"}, nil} {
			got, err := s.Run(context.Background(), map[string]ort.Tensor{"X": x}, outputs)
			if err != nil {
				t.Fatalf("batch of %d: %v", batch, err)
			}
			for name, by := range map[string]float32{"Y": 2, "Z": 3} {
				asked := outputs == nil || slices.Contains(outputs, name)
				y, ok := got[name]
				if ok != asked {
					t.Errorf("asked for %q: output %s there is %v", outputs, name, ok)
				}
				if ok && (!slices.Equal(y.Shape, x.Shape) || !slices.Equal(y.Data, times(x, by))) {
					t.Errorf("batch of %d: %s = %v, want %v times the input", batch, name, y, by)
				}
			}
		}
	}
}

// What is to be written into given memory is written there, and the rest into
// memory of its own.
func TestRunIntoWritesIntoTheMemoryThatItIsGiven(t *testing.T) {
	s := open(t, model(
		node("Add", []string{"X", "X"}, "Y"),
		node("Add", []string{"Y", "X"}, "Z"),
		tensorValue(11, "X", 1, 2, 3),
		tensorValue(12, "Y", 1, 2, 3),
		tensorValue(12, "Z", 1, 2, 3),
	))
	y := ort.Tensor{Shape: []int64{2, 3}, Data: make([]float32, 6)}
	var former []float32
	for start := range 3 {
		x := ramp(2, 3, float32(start))
		got, err := s.RunInto(t.Context(), map[string]ort.Tensor{"X": x}, map[string]ort.Tensor{"Y": y})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(y.Data, times(x, 2)) || &got["Y"].Data[0] != &y.Data[0] || !slices.Equal(got["Z"].Data, times(x, 3)) {
			t.Errorf("got %v in the given memory and %v, want %v and %v", y.Data, got, times(x, 2), times(x, 3))
		}
		if start > 0 && !slices.Equal(former, times(ramp(2, 3, float32(start-1)), 3)) {
			t.Errorf("an output of the run before is %v now", former)
		}
		former = got["Z"].Data
	}
	for what, into := range map[string]map[string]ort.Tensor{
		"another shape":  {"Y": {Shape: []int64{3, 2}, Data: make([]float32, 6)}},
		"too few values": {"Y": {Shape: []int64{2, 3}, Data: make([]float32, 5)}},
		"no such output": {"W": y},
	} {
		if _, err := s.RunInto(t.Context(), map[string]ort.Tensor{"X": ramp(2, 3, 1)}, into); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", what, err)
		}
	}
	any := open(t, doubling())
	if _, err := any.RunInto(t.Context(), map[string]ort.Tensor{"X": ramp(2, 3, 1)}, map[string]ort.Tensor{"Y": y}); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("an output of any size: got %v, want ErrInvalid", err)
	}
}

func TestConcurrentRunsDoNotMixUp(t *testing.T) {
	s := open(t, doubling())
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 50 {
				x := ramp(int64(1+(g+i)%5), 3, float32(1000*g+i))
				got, err := s.Run(context.Background(), map[string]ort.Tensor{"X": x}, []string{"Y"})
				if err != nil || !slices.Equal(got["Y"].Data, times(x, 2)) {
					t.Errorf("got %v, %v, want twice %v", got, err, x)
					return
				}
			}
		})
	}
	all.Wait()
}

func TestInputsAndOutputsAreAsDeclared(t *testing.T) {
	s := open(t, doubling())
	for _, tc := range []struct {
		kind string
		got  []ort.IOInfo
		want []string
	}{{"inputs", s.Inputs(), []string{"X"}}, {"outputs", s.Outputs(), []string{"Y", "Z"}}} {
		if len(tc.got) != len(tc.want) {
			t.Fatalf("got %d %s, want %q", len(tc.got), tc.kind, tc.want)
		}
		for i, info := range tc.got {
			if info.Name != tc.want[i] || !slices.Equal(info.Shape, []int64{-1, 3}) || info.ElementType != ort.Float32 {
				t.Errorf("%s: got %+v, want %s float32 of [-1 3]", tc.kind, info, tc.want[i])
			}
		}
		tc.got[0].Shape[1] = 99
	}
	if s.Inputs()[0].Shape[1] != 3 {
		t.Error("the caller can change the session's shapes")
	}
}

func TestRunRefusesWhatTheModelDoesNotTake(t *testing.T) {
	s := open(t, doubling())
	ints := open(t, model(
		node("Identity", []string{"X"}, "Y"),
		tensorValue(11, "X", 7, "N"), tensorValue(12, "Y", 7, "N"),
	))
	two := open(t, model(
		node("Add", []string{"A", "B"}, "Y"),
		tensorValue(11, "A", 1, "N"), tensorValue(11, "B", 1, "N"), tensorValue(12, "Y", 1, "N"),
	))
	type inputs = map[string]ort.Tensor
	tensor := func(data int, shape ...int64) ort.Tensor {
		return ort.Tensor{Shape: shape, Data: make([]float32, data)}
	}
	for _, tc := range []struct {
		name    string
		session *ort.Session
		inputs  inputs
		outputs []string
		want    string
	}{
		{"missing input", s, nil, []string{"Y"}, `input "X" is missing`},
		{"unknown input", s, inputs{"X": tensor(3, 1, 3), "W": tensor(1, 1)}, []string{"Y"}, `no input "W"`},
		{"unknown output", s, inputs{"X": tensor(3, 1, 3)}, []string{"W"}, `no output "W"`},
		{"wrong fixed dimension", s, inputs{"X": tensor(4, 1, 4)}, nil, "shape [1 4], the model wants [-1 3]"},
		{"wrong rank", s, inputs{"X": tensor(3, 3)}, nil, "shape [3]"},
		{"no dimensions", s, inputs{"X": tensor(1)}, nil, "no dimensions"},
		{"too little data", s, inputs{"X": tensor(3, 2, 3)}, nil, "holds 6 values, there are 3"},
		{"too much data", s, inputs{"X": tensor(9, 2, 3)}, nil, "holds 6 values, there are 9"},
		{"negative dimension", s, inputs{"X": tensor(3, -1, 3)}, nil, "negative"},
		{"overflowing shape", s, inputs{"X": tensor(3, 1<<62, 3)}, nil, "too large"},
		{"integer input", ints, inputs{"X": tensor(2, 2)}, []string{"Y"}, "int64"},
		{"two sizes for one name", two, inputs{"A": tensor(2, 2), "B": tensor(3, 3)}, nil, "dimension N"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := tc.session.Run(context.Background(), tc.inputs, tc.outputs)
			if !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want ErrInvalid with %q", err, tc.want)
			}
		})
	}
}

// long is 20,000 matrix products in a row: on matrices of 512 x 512 it takes
// minutes, on 1 x 1 next to nothing.
func long() []byte {
	const n = 20_000
	graph := [][]byte{tensorValue(11, "X", 1, "N", "N"), tensorValue(12, fmt.Sprint("Y", n-1), 1, "N", "N")}
	last := "X"
	for i := range n {
		y := fmt.Sprint("Y", i)
		graph = append(graph, node("MatMul", []string{last, "X"}, y))
		last = y
	}
	return model(graph...)
}

func TestRunEndsWithTheContext(t *testing.T) {
	s := open(t, long())
	large := map[string]ort.Tensor{"X": {Shape: []int64{512, 512}, Data: make([]float32, 512*512)}}
	for _, after := range []time.Duration{time.Microsecond, 20 * time.Millisecond, 100 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(context.Background(), after)
		// Not ended, it would run for minutes and the error would be nil.
		if _, err := s.Run(ctx, large, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after %v: got %v, want context.DeadlineExceeded", after, err)
		}
		cancel()
	}
	// A cancelled run leaves nothing behind that would end the next one.
	got, err := s.Run(context.Background(), map[string]ort.Tensor{"X": {Shape: []int64{1, 1}, Data: []float32{1}}}, nil)
	if err != nil || len(got) != 1 || got["Y19999"].Data[0] != 1 {
		t.Errorf("after cancelled runs: got %v, %v, want 1", got, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Run(ctx, nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that is done: got %v, want context.Canceled", err)
	}
}

func TestCloseWaitsForRunsAndIsFinal(t *testing.T) {
	s, err := load(t).NewSession(doubling(), ort.DefaultSessionConfig())
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for {
				got, err := s.Run(context.Background(), map[string]ort.Tensor{"X": ramp(2, 3, 1)}, []string{"Y"})
				if errors.Is(err, palate.ErrInvalid) && strings.Contains(err.Error(), "closed") {
					return
				}
				if err != nil || got["Y"].Data[0] != 2 {
					t.Errorf("got %v, %v, want a result or that the session is closed", got, err)
					return
				}
			}
		})
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	all.Wait()
}

func TestSessionConfigIsChecked(t *testing.T) {
	c := ort.SessionConfig{IntraOpThreads: -1, Device: ort.Device{Kind: "abacus", Index: -2, MemoryLimitBytes: -3}}
	_, err := load(t).NewSession(doubling(), c)
	if !errors.Is(err, palate.ErrInvalid) {
		t.Fatalf("got %v, want ErrInvalid", err)
	}
	for _, part := range []string{"-1 threads", "abacus", "-2", "-3"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not speak of %q: %v", part, err)
		}
	}
}
