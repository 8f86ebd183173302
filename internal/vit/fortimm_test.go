package vit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/safetensors"
	"github.com/palate-art/palate/internal/vit"
	"github.com/palate-art/palate/test/race"
)

// timmNames is testdata/timm-names.json: what timm itself calls the tensors of
// models of these sizes, and their shapes.
type timmNames struct {
	Folders map[string]struct {
		Model   string             `json:"model"`
		Tensors map[string][]int64 `json:"tensors"`
	} `json:"folders"`
}

func readTimmNames(t *testing.T) timmNames {
	t.Helper()
	text, err := os.ReadFile("testdata/timm-names.json")
	if err != nil {
		t.Fatal(err)
	}
	var n timmNames
	if err := json.Unmarshal(text, &n); err != nil || len(n.Folders) == 0 {
		t.Fatalf("got %d models and %v", len(n.Folders), err)
	}
	return n
}

// published is a model that was written for timm, read again.
func published(t *testing.T, m vit.ForTimm) (*safetensors.File, vit.Architecture) {
	t.Helper()
	var file bytes.Buffer
	if err := safetensors.Write(&file, m.Tensors, nil); err != nil {
		t.Fatal(err)
	}
	read, err := safetensors.Open(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	a, err := vit.Inspect(read, m.Config)
	if err != nil {
		t.Fatalf("%v\n%s", err, m.Config)
	}
	return read, a
}

// Whatever a model's tensors were called, written for timm they have timm's
// names and shapes, and what is read of them again computes the same.
func TestModelsAreWrittenUnderTimmsNames(t *testing.T) {
	race.Long(t)
	for folder, want := range readTimmNames(t).Folders {
		t.Run(strings.ReplaceAll(folder, "/", "_"), func(t *testing.T) {
			g := openGolden(t, filepath.Join("testdata", folder))
			own := vit.Options{Width: g.a.GridColumns * g.a.PatchSize, Height: g.a.GridRows * g.a.PatchSize}
			m, err := vit.WriteForTimm(t.Context(), g.weights, g.a, own)
			if err != nil {
				t.Fatal(err)
			}
			got := make(map[string][]int64)
			for _, tensor := range m.Tensors {
				got[tensor.Name] = tensor.Shape
			}
			if !maps.EqualFunc(got, want.Tensors, slices.Equal) {
				t.Errorf("got tensors %v\nwant timm's %v", got, want.Tensors)
			}
			file, a := published(t, m)
			if len(a.Guessed) > 0 || a.Naming != vit.NamingTimm || a.Family != g.a.Family || a.Epsilon != g.a.Epsilon || a.Pool != g.a.Pool {
				t.Errorf("read again: got %s (guessed %q, epsilon %v, pool %s), want %s (%v, %s)", a, a.Guessed, a.Epsilon, a.Pool, g.a, g.a.Epsilon, g.a.Pool)
			}
			pixels := g.tensor(t, g.cases[0]+".input")
			o := vit.Options{Width: int(pixels.Shape[3]), Height: int(pixels.Shape[2]), Fit: embedder.FitStretch, Form: vit.Plain, Resampling: g.a.Resampling}
			before, after := build(t, g.weights, g.a, o).run(t, pixels), build(t, file, a, o).run(t, pixels)
			nearCosine(t, "embedding", after[vit.EmbeddingName].Data, before[vit.EmbeddingName].Data, g.a.Dim)
		})
	}
}

// Written for another size, the position embedding is what the model's own
// rule makes of it there; how pictures come to it is what it is there.
func TestModelsAreWrittenForTheSizeInUse(t *testing.T) {
	g := openGolden(t, "testdata/hf-dinov2")
	pixels := g.tensor(t, "84x84.input")
	if pixels.Data == nil {
		t.Fatalf("there is no case of 84×84 among %q", g.cases)
	}
	o := vit.Options{Width: 84, Height: 84, Pool: vit.PoolMean, Licence: "CC0", Form: vit.Plain}
	m, err := vit.WriteForTimm(t.Context(), g.weights, g.a, o)
	if err != nil {
		t.Fatal(err)
	}
	file, a := published(t, m)
	if a.GridRows != 6 || a.GridColumns != 6 || a.Preprocessing.Size != 84 || a.Pool != vit.PoolMean || a.PooledNorm || !strings.Contains(string(m.Config), `"license": "CC0"`) {
		t.Errorf("got %s, pool %s\n%s", a, a.Pool, m.Config)
	}
	former, err := vit.Describe([32]byte{}, g.a, o)
	if err != nil {
		t.Fatal(err)
	}
	now, err := vit.Describe([32]byte{}, a, vit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if now.ShortSide != former.ShortSide || now.Fit != former.Fit || now.Mean != former.Mean || now.Std != former.Std || now.Resample != former.Resample {
		t.Errorf("pictures come to it as %+v, want %+v", now, former)
	}
	o.Resampling = g.a.Resampling
	before := build(t, g.weights, g.a, o).run(t, pixels)
	after := build(t, file, a, vit.Options{Form: vit.Plain}).run(t, pixels)
	nearCosine(t, "embedding", after[vit.EmbeddingName].Data, before[vit.EmbeddingName].Data, g.a.Dim)
}

func TestWhatTimmCannotBeToldOfIsRefused(t *testing.T) {
	for folder, o := range map[string]vit.Options{
		"families/hf-clip": {}, "families/hf-dinov3-hub": {}, "hf-dinov2": {Fit: embedder.FitWhole}, "timm-dinov2": {Width: 57, Height: 57},
	} {
		g := openGolden(t, filepath.Join("testdata", folder))
		if _, err := vit.WriteForTimm(t.Context(), g.weights, g.a, o); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s, %+v: got %v, want palate.ErrInvalid", folder, o, err)
		}
	}
}

// What has timm's names and parts that are not written anew is copied as it
// is, and computes what it did by the configuration that it came with.
func TestOtherModelsOfTimmAreCopied(t *testing.T) {
	for _, name := range []string{"timm-clip", "timm-siglip", "timm-dinov3", "timm-eva02-tiny"} {
		g := openGolden(t, filepath.Join("testdata/families", name))
		o := vit.Options{Width: g.a.GridColumns * g.a.PatchSize, Height: g.a.GridRows * g.a.PatchSize}
		m, err := vit.WriteForTimm(t.Context(), g.weights, g.a, o)
		if err != nil || m.Config != nil {
			t.Errorf("%s: got %v and the configuration %q, want its own to hold", name, err, m.Config)
		}
		for _, got := range m.Tensors {
			if want, err := g.weights.Float32s(got.Name); err != nil || !slices.Equal(got.Data, want) {
				t.Errorf("%s: %s is not as it was (%v)", name, got.Name, err)
			}
		}
		if len(m.Tensors) == 0 {
			t.Errorf("%s: nothing was copied", name)
		}
		o.Fit, o.Pool = embedder.FitStretch, vit.PoolMean
		if _, err := vit.WriteForTimm(t.Context(), g.weights, g.a, o); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s in another way: got %v, want palate.ErrInvalid", name, err)
		}
	}
}
