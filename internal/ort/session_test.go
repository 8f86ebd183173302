package ort_test

import (
	"context"
	"slices"
	"testing"

	"github.com/palate-art/palate/internal/ort"
)

func load(t *testing.T) *ort.Runtime {
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

func TestRunComputesBatchesOfAnySize(t *testing.T) {
	s := open(t, doubling())
	for _, batch := range []int64{1, 2, 5, 0} {
		x := ort.Tensor{Shape: []int64{batch, 3}, Data: make([]float32, 3*batch)}
		want := make([]float32, 3*batch)
		for i := range x.Data {
			x.Data[i], want[i] = float32(i), float32(2*i)
		}
		got, err := s.Run(context.Background(), map[string]ort.Tensor{"X": x}, []string{"Y"})
		if err != nil {
			t.Fatalf("batch of %d: %v", batch, err)
		}
		if len(got) != 1 || !slices.Equal(got["Y"].Shape, x.Shape) || !slices.Equal(got["Y"].Data, want) {
			t.Errorf("batch of %d: got %v, want Y %v", batch, got, want)
		}
	}
}
