package safetensors_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/safetensors"
)

// A model in two files is read as one; an index that is wrong is refused.
func TestShards(t *testing.T) {
	for name, test := range map[string]struct {
		index string
		want  error
		text  string
	}{
		"right":                {`{"metadata": {"total_size": 8}, "weight_map": {"a": "m-1-of-2.safetensors", "b": "m-2-of-2.safetensors"}}`, nil, ""},
		"a tensor elsewhere":   {`{"weight_map": {"a": "m-2-of-2.safetensors", "b": "m-2-of-2.safetensors"}}`, palate.ErrInvalid, `tensor "a"`},
		"a tensor that is not": {`{"weight_map": {"a": "m-1-of-2.safetensors", "b": "m-2-of-2.safetensors", "c": "m-1-of-2.safetensors"}}`, palate.ErrInvalid, `"c" is not in`},
		"a tensor unlisted":    {`{"weight_map": {"a": "m-1-of-2.safetensors", "c": "m-2-of-2.safetensors"}}`, palate.ErrInvalid, `tensor "b"`},
		"a missing file":       {`{"weight_map": {"a": "m-3-of-2.safetensors"}}`, palate.ErrNotFound, "m-3-of-2"},
		"outside":              {`{"weight_map": {"a": "../m-1-of-2.safetensors"}}`, palate.ErrInvalid, "beside it"},
		"none":                 {`{"weight_map": {}}`, palate.ErrInvalid, "names 0 files"},
		"no JSON":              {`{`, palate.ErrInvalid, "index"},
	} {
		folder := t.TempDir()
		for file, tensor := range map[string]string{"m-1-of-2.safetensors": "a", "m-2-of-2.safetensors": "b"} {
			f, err := os.Create(filepath.Join(folder, file))
			if err == nil {
				err = safetensors.Write(f, []safetensors.Values{{Name: tensor, Shape: []int64{1}, Data: []float32{float32(tensor[0])}}}, nil)
			}
			if err = errors.Join(err, f.Close()); err != nil {
				t.Fatal(err)
			}
		}
		index := filepath.Join(folder, "m"+safetensors.IndexEnding)
		if err := os.WriteFile(index, []byte(test.index), 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := safetensors.OpenShards(index)
		if test.want != nil {
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("%s: got %v, want %v with %q", name, err, test.want, test.text)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		values, err := s.Float32s("b")
		if sum, sumErr := s.SHA256(t.Context()); err != nil || sumErr != nil || len(s.Tensors()) != 2 || values[0] != 'b' || sum == [32]byte{} {
			t.Errorf("%s: got %v of %d tensors, %v, %v", name, values, len(s.Tensors()), err, sumErr)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
