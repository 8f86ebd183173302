package ort_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/ort"
)

// outside is Y = X + W with the three values of W in another file, at an
// offset of eight bytes.
func outside(location string) []byte {
	entry := func(key, value string) []byte { return message(13, text(1, key), text(2, value)) }
	weights := message(5, varint(1, 3), varint(2, 1), text(8, "W"), entry("location", location), entry("offset", "8"), entry("length", "12"), varint(14, 1))
	return model(
		node("Add", []string{"X", "W"}, "Y"), weights,
		tensorValue(11, "X", 1, "N", 3), tensorValue(12, "Y", 1, "N", 3),
	)
}

func weightsFile() []byte {
	content := make([]byte, 8)
	for _, w := range []float32{10, 20, 30} {
		content = binary.LittleEndian.AppendUint32(content, math.Float32bits(w))
	}
	return content
}

func TestWeightsInAnotherFile(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "weights.bin"), weightsFile())
	path := write(t, filepath.Join(dir, "model.onnx"), outside("weights.bin"))
	s, err := load(t).OpenSession(path, ort.DefaultSessionConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got, err := s.Run(context.Background(), map[string]ort.Tensor{"X": ramp(2, 3, 1)}, nil)
	if want := []float32{11, 22, 33, 14, 25, 36}; err != nil || !slices.Equal(got["Y"].Data, want) {
		t.Errorf("got %v and %v, want %v", got, err, want)
	}
}

func TestWeightsThatCanNotBeRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "models")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "..", "secret.bin"), weightsFile())
	write(t, filepath.Join(dir, "cut.bin"), weightsFile()[:12])
	for name, c := range map[string]struct {
		location string
		want     error
		text     string
	}{
		"a file that is missing":      {"none.bin", palate.ErrNotFound, "none.bin"},
		"a file that is cut":          {"cut.bin", palate.ErrInvalid, ""},
		"a file outside the folder":   {"../secret.bin", palate.ErrInvalid, "not in the model's folder"},
		"a file by its absolute path": {filepath.Join(dir, "..", "secret.bin"), palate.ErrInvalid, "not in the model's folder"},
		"no name":                     {"", palate.ErrInvalid, ""},
	} {
		path := write(t, filepath.Join(dir, "model.onnx"), outside(c.location))
		s, err := load(t).OpenSession(path, ort.DefaultSessionConfig())
		if err == nil {
			s.Close()
		}
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: got %v, want %v with %q", name, err, c.want, c.text)
		}
	}
	if _, err := load(t).NewSession(outside("cut.bin"), ort.DefaultSessionConfig()); !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), `"cut.bin"`) {
		t.Errorf("from memory: got %v, want palate.ErrInvalid that names the file", err)
	}
	if _, err := load(t).OpenSession(filepath.Join(dir, "none.onnx"), ort.DefaultSessionConfig()); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("no model: got %v, want palate.ErrNotFound", err)
	}
}

func TestExternalFilesOfInnerGraphs(t *testing.T) {
	place := func(number int, location string) []byte {
		return message(number, text(8, "t"), message(13, text(1, "location"), text(2, location)))
	}
	inner := message(6, place(5, "inner.bin"), message(1, message(5, place(5, "constant.bin"))))
	file := model(message(1, message(5, text(1, "then_branch"), inner)), place(5, "outer.bin"), place(5, "outer.bin"))
	got, err := ort.ExternalFiles(file)
	if want := []string{"constant.bin", "inner.bin", "outer.bin"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q and %v, want %q", got, err, want)
	}
	var deep []byte
	for range 200 {
		deep = message(6, message(1, message(5, deep)))
	}
	if _, err := ort.ExternalFiles(model(message(1, message(5, deep)))); err == nil {
		t.Error("graphs 200 deep: got no error")
	}
}

func FuzzExternalFiles(f *testing.F) {
	f.Add(outside("weights.bin"))
	f.Add(doubling())
	f.Fuzz(func(t *testing.T, model []byte) {
		files, err := ort.ExternalFiles(model)
		for _, name := range files {
			if err == nil && !filepath.IsLocal(name) {
				t.Errorf("got %q, which leads out of the folder", name)
			}
		}
	})
}
