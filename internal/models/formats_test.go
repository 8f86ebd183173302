package models_test

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/safetensors"
)

// goldenValues are the tensors of one of package vit's tiny models, with its config.
func goldenValues(t *testing.T) (all []safetensors.Values, config []byte) {
	t.Helper()
	const folder = "../vit/testdata/families/timm-clip-quickgelu"
	file, err := safetensors.OpenFile(filepath.Join(folder, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, tensor := range file.Tensors() {
		values, err := file.Float32s(tensor.Name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, safetensors.Values{Name: tensor.Name, Shape: tensor.Shape, Data: values})
	}
	if config, err = os.ReadFile(filepath.Join(folder, "config.json")); err != nil {
		t.Fatal(err)
	}
	return all, config
}

// checkpoint writes the tensors as PyTorch does.
func checkpoint(t *testing.T, path string, all []safetensors.Values) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(file)
	entry := func(name string, text []byte) {
		e, err := w.CreateHeader(&zip.FileHeader{Name: "m/" + name, Method: zip.Store})
		if err == nil {
			_, err = e.Write(text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	pickle := []byte("\x80\x02}(")
	number := func(n int64) { pickle = binary.LittleEndian.AppendUint32(append(pickle, 'J'), uint32(n)) }
	text := func(s string) {
		pickle = append(binary.LittleEndian.AppendUint32(append(pickle, 'X'), uint32(len(s))), s...)
	}
	for _, v := range all {
		text(v.Name)
		pickle = append(pickle, "ctorch._utils\n_rebuild_tensor_v2\n(("...)
		text("storage")
		pickle = append(pickle, "ctorch\nFloatStorage\n"...)
		text(v.Name)
		text("cpu")
		number(int64(len(v.Data)))
		pickle = append(pickle, "tQK\x00("...)
		stride := make([]int64, len(v.Shape))
		each := int64(1)
		for d := len(v.Shape) - 1; d >= 0; d-- {
			stride[d] = each
			each *= v.Shape[d]
		}
		for _, n := range v.Shape {
			number(n)
		}
		pickle = append(pickle, "t("...)
		for _, n := range stride {
			number(n)
		}
		pickle = append(pickle, "t\x89}tR"...)
		var raw []byte
		for _, x := range v.Data {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
		}
		entry("data/"+v.Name, raw)
	}
	entry("data.pkl", append(pickle, "u."...))
	if err := errors.Join(w.Close(), file.Close()); err != nil {
		t.Fatal(err)
	}
}

func writeTensors(t *testing.T, path string, all []safetensors.Values) {
	t.Helper()
	file, err := os.Create(path)
	if err == nil {
		err = errors.Join(safetensors.Write(file, all, nil), file.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// writeShards writes the tensors into two files and their index.
func writeShards(t *testing.T, folder string, all []safetensors.Values) {
	t.Helper()
	var index []string
	for i, part := range slices.Collect(slices.Chunk(all, len(all)/2+1)) {
		name := []string{"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"}[i]
		writeTensors(t, filepath.Join(folder, name), part)
		for _, v := range part {
			index = append(index, `"`+v.Name+`": "`+name+`"`)
		}
	}
	text := `{"metadata": {"total_size": 1}, "weight_map": {` + strings.Join(index, ", ") + `}}`
	if err := os.WriteFile(filepath.Join(folder, "model"+safetensors.IndexEnding), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// One model is the same graph from a safetensors file, from several with an
// index and from PyTorch's checkpoint, each added by its folder; a file of it
// that is changed afterwards is found out.
func TestOneModelInEveryFormat(t *testing.T) {
	all, config := goldenValues(t)
	var first []byte
	for _, format := range []string{"model.safetensors", "model" + safetensors.IndexEnding, "pytorch_model.bin"} {
		folder := t.TempDir()
		changed := filepath.Join(folder, format)
		switch {
		case strings.HasSuffix(format, ".bin"):
			checkpoint(t, changed, all)
		case strings.HasSuffix(format, ".json"):
			writeShards(t, folder, all)
			changed = filepath.Join(folder, "model-00002-of-00002.safetensors")
		default:
			writeTensors(t, changed, all)
		}
		if err := os.WriteFile(filepath.Join(folder, "config.json"), config, 0o644); err != nil {
			t.Fatal(err)
		}
		store := models.OpenStore(t.TempDir())
		r, err := store.Add(t.Context(), models.Addition{Name: "mine", File: folder})
		if err != nil {
			t.Fatalf("%s: %v", format, err)
		}
		weights, err := store.Find("mine", nil)
		if err != nil {
			t.Fatal(err)
		}
		built, err := weights.Build(t.Context(), models.Settings{}, models.Target{Device: "cpu"})
		if err != nil {
			t.Fatalf("%s: %v", format, err)
		}
		if first == nil {
			first = built.Graph
		}
		if !slices.Equal(first, built.Graph) || r.Size < 40_000 {
			t.Errorf("%s: got another graph than from one safetensors file, or a size of %d bytes", format, r.Size)
		}
		raw, err := os.ReadFile(changed)
		if err != nil {
			t.Fatal(err)
		}
		raw[len(raw)/2] ^= 1
		if err := os.WriteFile(changed, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := weights.Check(t.Context()); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s: changed: got %v, want palate.ErrInvalid", format, err)
		}
	}
}
