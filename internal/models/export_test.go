package models_test

import (
	"errors"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/onnx"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/safetensors"
	"github.com/palate-art/palate/internal/vit"
)

// embedded is what a model makes of one picture.
func embedded(t *testing.T, store *models.Store, name string, s models.Settings) palate.Embedding {
	t.Helper()
	weights, err := store.Find(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	built, err := weights.Build(t.Context(), s, models.Target{Device: ort.DeviceCPU})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	rt, err := ort.Load(t.Context(), ort.ConfigFromEnv())
	if err != nil {
		t.Fatal(err)
	}
	e, err := onnx.OpenModel(t.Context(), rt, built.Model, onnx.DefaultConfig())
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	defer e.Close()
	picture := image.NewRGBA(image.Rect(0, 0, 120, 90))
	for y := range 90 {
		for x := range 120 {
			picture.Set(x, y, color.RGBA{uint8(2 * x), uint8(x * y), uint8(255 - 2*y), 255})
		}
	}
	input, err := e.Prepare(picture)
	if err != nil {
		t.Fatal(err)
	}
	all, err := e.Embed(t.Context(), []embedder.Input{input})
	if err != nil {
		t.Fatal(err)
	}
	return all[0]
}

func cosine(a, b palate.Embedding) float64 {
	var sum float64
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

// What is exported can be added again, from either kind of file, embeds as the
// model did, and says what its weights are under.
func TestAnExportedModelIsTheSameModel(t *testing.T) {
	for folder, s := range map[string]models.Settings{
		"testdata/tiny":                        {},
		"../vit/testdata/hf-dinov2":            {},
		"../vit/testdata/hf-dinov2-reg4":       {Size: 84, Pool: vit.PoolMean},
		"../vit/testdata/timm-eva02":           {Fit: embedder.FitStretch},
		"../vit/testdata/families/hf-clip":     {},
		"../vit/testdata/families/timm-siglip": {},
	} {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			store, out := models.OpenStore(t.TempDir()), filepath.Join(t.TempDir(), "out")
			if _, err := store.Add(t.Context(), models.Addition{Name: "own", File: folder, Licence: "CC-BY-NC-4.0", LicenceURL: "https://example.org/terms", Mean: &[3]float64{.4, .5, .6}}); err != nil {
				t.Fatal(err)
			}
			weights, err := store.Find("own", nil)
			if err != nil {
				t.Fatal(err)
			}
			kinds := models.ExportKinds()
			if strings.HasPrefix(filepath.Base(folder), "hf-clip") {
				if _, err := weights.Export(t.Context(), out, s, kinds); !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), "clip") {
					t.Fatalf("got %v, want that CLIP under transformers' names is refused", err)
				}
				if entries, err := os.ReadDir(out); err == nil {
					t.Fatalf("the refusal left %v behind", entries)
				}
				kinds = []string{models.KindONNX}
			}
			e, err := weights.Export(t.Context(), out, s, kinds)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(e.Licence, "CC-BY-NC-4.0") {
				t.Errorf("got %+v", e)
			}
			readme, err := os.ReadFile(filepath.Join(out, "README.md"))
			if err != nil || !strings.Contains(string(readme), "CC-BY-NC-4.0 (https://example.org/terms)") {
				t.Errorf("the licence does not stand in README.md: %s (%v)", readme, err)
			}
			if _, err := weights.Export(t.Context(), out, s, kinds); !errors.Is(err, palate.ErrConflict) {
				t.Errorf("into the same folder: got %v, want palate.ErrConflict", err)
			}
			want := embedded(t, store, "own", e.Settings)
			for _, kind := range kinds {
				file := filepath.Join(out, "model."+kind)
				r, err := store.Add(t.Context(), models.Addition{Name: "again-" + kind, File: file})
				if err != nil {
					t.Fatal(err)
				}
				if r.Licence != "CC-BY-NC-4.0" {
					t.Errorf("%s: added again it is under %q", kind, r.Licence)
				}
				if guesses, err := r.Guesses(); err != nil || len(guesses) > 0 {
					t.Errorf("%s: %q is guessed (%v)", kind, guesses, err)
				}
				again := models.Settings{}
				if kind == models.KindSafetensors {
					again = e.Settings
					again.Model, again.Resample = "", ""
				}
				if c := cosine(embedded(t, store, r.Name, again), want); c < .999999 {
					t.Errorf("%s: the cosine with the model is %v", kind, c)
				}
			}
		})
	}
}

func TestWhatCannotBeExportedIsRefused(t *testing.T) {
	store := models.OpenStore(t.TempDir())
	if _, err := store.Add(t.Context(), models.Addition{Name: "own", File: tiny, Heads: 2}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Add(t.Context(), models.Addition{Name: "graph", File: onnxFile(t)}); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, says string
		settings   models.Settings
		kinds      []string
	}{
		{"graph", "take these", models.Settings{}, models.ExportKinds()},
		{"own", "none of safetensors, onnx", models.Settings{}, []string{"gguf"}},
		{"own", "choose crop or stretch", models.Settings{Fit: embedder.FitWhole}, []string{models.KindONNX}},
		{"own", "choose crop or stretch", models.Settings{Fit: embedder.FitWhole}, []string{models.KindSafetensors}},
		{"own", "patches", models.Settings{Size: 57}, models.ExportKinds()},
		{"own", "another function", models.Settings{Numeric: embedder.NumericInt8}, models.ExportKinds()},
	} {
		weights, err := store.Find(tc.name, nil)
		if err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(t.TempDir(), "out")
		if _, err := weights.Export(t.Context(), out, tc.settings, tc.kinds); !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s, %+v, %q: got %v, want that it says %q", tc.name, tc.settings, tc.kinds, err, tc.says)
		}
		if entries, err := os.ReadDir(out); err == nil {
			t.Errorf("%s, %+v, %q: the refusal left %v behind", tc.name, tc.settings, tc.kinds, entries)
		}
	}
}

// What a foreign file says of its licence is shown in one line or not at all.
func TestTheLicenceInAFileIsRead(t *testing.T) {
	all, config := goldenValues(t)
	for said, want := range map[string]string{"mit": "mit", "mit\nand more": "", strings.Repeat("x", 301): "", "": ""} {
		folder := t.TempDir()
		file, err := os.Create(filepath.Join(folder, "model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		err = safetensors.Write(file, slices.Clone(all), map[string]string{"license": said})
		if err := errors.Join(err, file.Close(), os.WriteFile(filepath.Join(folder, "config.json"), config, 0o600)); err != nil {
			t.Fatal(err)
		}
		if r, err := models.OpenStore(t.TempDir()).Add(t.Context(), models.Addition{Name: "mine", File: folder}); err != nil || r.Licence != want {
			t.Errorf("%.20q: got %q and %v, want %q", said, r.Licence, err, want)
		}
		given, err := models.OpenStore(t.TempDir()).Add(t.Context(), models.Addition{Name: "mine", File: folder, Licence: "CC0"})
		if err != nil || given.Licence != "CC0" {
			t.Errorf("%.20q: given CC0, got %q and %v", said, given.Licence, err)
		}
	}
}
