package onnxgraph_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/onnxgraph"
	"github.com/palate-art/palate/internal/ort"
)

func TestWeightsBesideTheModelAreTheModelsWeights(t *testing.T) {
	for name, test := range map[string]struct {
		apart int64
		files []string
	}{
		"all of them":  {1, []string{"affine.onnx.weights", "affine.onnx"}},
		"the larger":   {24, []string{"affine.onnx.weights", "affine.onnx"}}, // W has 24 bytes, b 12
		"none of them": {25, []string{"affine.onnx"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "affine.onnx")
			if err := os.WriteFile(path, []byte("an older model"), 0o600); err != nil {
				t.Fatal(err)
			}
			m := onnxgraph.NewModel(affine(), 17)
			files, err := m.WriteFiles(path, test.apart)
			if err != nil {
				t.Fatal(err)
			}
			for i := range files {
				files[i] = filepath.Base(files[i])
			}
			entries, err := os.ReadDir(filepath.Dir(path))
			if err != nil || !slices.Equal(files, test.files) || len(entries) != len(files) {
				t.Fatalf("got files %q, said %q and %v, want %q", entries, files, err, test.files)
			}
			r, err := ort.Load(context.Background(), ort.ConfigFromEnv())
			if err != nil {
				t.Fatal(err)
			}
			session, err := r.OpenSession(path, ort.DefaultSessionConfig())
			if err != nil {
				t.Fatal(err)
			}
			defer session.Close()
			out, err := session.Run(context.Background(), map[string]ort.Tensor{"x": {Shape: []int64{2, 2}, Data: []float32{1, 1, 0, -1}}}, nil)
			if want := []float32{5.5, 6.5, 9, -3.5, -5.5, -6}; err != nil || !slices.Equal(out["y"].Data, want) {
				t.Errorf("got %v and %v, want %v", out["y"].Data, err, want)
			}
			// The model itself is as before.
			whole, err := m.Marshal()
			fresh, freshErr := onnxgraph.NewModel(affine(), 17).Marshal()
			if err != nil || freshErr != nil || !slices.Equal(whole, fresh) {
				t.Error("writing files changed the model")
			}
		})
	}
}

func TestFilesThatCannotBeWritten(t *testing.T) {
	m := onnxgraph.NewModel(affine(), 17)
	folder := t.TempDir()
	if files, err := m.WriteFiles(filepath.Join(folder, "no", "model.onnx"), 1); err == nil || len(files) > 0 {
		t.Errorf("a folder that is not there: got %q and %v", files, err)
	}
	occupied := filepath.Join(folder, "occupied.onnx")
	if err := os.MkdirAll(filepath.Join(occupied, "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	if files, err := m.WriteFiles(occupied, 1); err == nil || len(files) > 0 {
		t.Errorf("a folder in the model's place: got %q and %v", files, err)
	}
	if err := os.RemoveAll(occupied); err != nil {
		t.Fatal(err)
	}
	m.Graph.Outputs = nil
	if files, err := m.WriteFiles(filepath.Join(folder, "model.onnx"), 1); !errors.Is(err, palate.ErrInvalid) || len(files) > 0 {
		t.Errorf("an invalid model: got %q and %v", files, err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
		t.Errorf("got %q and %v left, want nothing", entries, err)
	}
}

// A model beyond protobuf's 2 GiB is refused in one file. Its tensors share
// one block of memory, which is never touched.
func TestModelsBeyondOneFileAreRefusedInOneFile(t *testing.T) {
	g := affine()
	block := make([]byte, 1<<28)
	for _, name := range []string{"a", "b1", "c", "d", "e", "f", "g", "h"} {
		g.Const(name, onnxgraph.Tensor{Type: onnxgraph.Float32, Shape: []int64{1 << 26}, Raw: block})
	}
	m := onnxgraph.NewModel(g, 17)
	if got, least := m.Bytes(), int64(1<<31); got < least || got > least+1000 {
		t.Errorf("got %d bytes, want a little more than %d", got, least)
	}
	_, err := m.Marshal()
	if !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), "beside it") {
		t.Errorf("got %v, want palate.ErrInvalid that says what to do", err)
	}
}
