package ort_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/ort"
)

func TestParseDevice(t *testing.T) {
	for text, want := range map[string]ort.Device{
		"auto": {Kind: "auto"}, "cpu": {Kind: "cpu"}, "cuda": {Kind: "cuda"}, "cuda:0": {Kind: "cuda"}, "cuda:3": {Kind: "cuda", Index: 3},
	} {
		got, err := ort.ParseDevice(text)
		if err != nil || got != want || got.Validate() != nil {
			t.Errorf("%q: got %+v and %v, want %+v", text, got, err, want)
		}
		if again, err := ort.ParseDevice(got.String()); err != nil || again != want {
			t.Errorf("%q: written as %q it is read as %+v (%v)", text, got, again, err)
		}
	}
	for _, text := range []string{"", "gpu", "CUDA", "cuda:", "cuda:-1", "cuda:one", "cuda:99999999999", "cpu:0", "auto:1", " cuda"} {
		if got, err := ort.ParseDevice(text); !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), "auto, cpu, cuda") {
			t.Errorf("%q: got %+v and %v, want palate.ErrInvalid that names the devices", text, got, err)
		}
	}
}

// What holds depends on the machine, but on each of them something does.
func TestChooseFallsBackOnlyWhenItMay(t *testing.T) {
	r := load(t)
	cuda := false
	for _, p := range r.Providers() {
		cuda = cuda || p.Name == ort.ProviderCUDA && p.Available
	}
	auto, err := r.Choose(ort.Device{Kind: ort.DeviceAuto, MemoryLimitBytes: 1 << 30})
	if err != nil || auto.Why == "" || (auto.Kind == ort.DeviceCUDA) != cuda {
		t.Errorf("auto: got %+v and %v, want cuda %v and a reason", auto, err, cuda)
	}
	named, err := r.Choose(ort.Device{Kind: ort.DeviceCUDA})
	if cuda != (err == nil) || named.Why != "" {
		t.Errorf("cuda: got %+v and %v, where CUDA is usable: %v", named, err, cuda)
	}
	if !cuda {
		if !errors.Is(err, palate.ErrUnavailable) || !strings.Contains(err.Error(), "CUDA") {
			t.Errorf("cuda: got %v, want palate.ErrUnavailable that says what is missing", err)
		}
		if !strings.Contains(err.Error(), auto.Why) {
			t.Errorf("auto says %q, cuda %q, want one reason", auto.Why, err)
		}
	}
	if got, err := r.Choose(ort.Device{}); err != nil || got.String() != "cpu" {
		t.Errorf("the zero device: got %v and %v, want cpu", got, err)
	}
	if _, err := r.Choose(ort.Device{Kind: "abacus"}); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("abacus: got %v, want palate.ErrInvalid", err)
	}
}

// ONNX Runtime itself is made to fail: the product of [N, 1] and [1, N] has
// 2^50 bytes for N = 2^24.
func TestARunWithoutRoomIsOutOfMemory(t *testing.T) {
	s := open(t, model(
		node("MatMul", []string{"A", "B"}, "Y"),
		tensorValue(11, "A", 1, "N", 1), tensorValue(11, "B", 1, 1, "N"), tensorValue(12, "Y", 1, "N", "N"),
	))
	data := make([]float32, 1<<24)
	_, err := s.Run(context.Background(), map[string]ort.Tensor{
		"A": {Shape: []int64{1 << 24, 1}, Data: data}, "B": {Shape: []int64{1, 1 << 24}, Data: data},
	}, nil)
	if !errors.Is(err, ort.ErrOutOfMemory) || !errors.Is(err, palate.ErrUnavailable) {
		t.Errorf("got %v, want ErrOutOfMemory", err)
	}
}
