package models_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/safetensors"
	"github.com/palate-art/palate/internal/vit"
)

const tiny = "testdata/tiny/model.safetensors"

// published writes a transformer of one block that was made for 518×518, as
// DINOv2 was.
func published(t *testing.T, folder string) string {
	t.Helper()
	const dim = 8
	var all []safetensors.Values
	add := func(name string, shape ...int64) {
		n := int64(1)
		for _, s := range shape {
			n *= s
		}
		data := make([]float32, n)
		for i := range data {
			data[i] = float32(i%7) / 10
		}
		all = append(all, safetensors.Values{Name: name, Shape: shape, Data: data})
	}
	add("cls_token", 1, 1, dim)
	add("pos_embed", 1, 1370, dim)
	add("patch_embed.proj.weight", dim, 3, 14, 14)
	for _, name := range []string{"patch_embed.proj.bias", "norm.weight", "norm.bias", "blocks.0.norm1.weight", "blocks.0.norm1.bias",
		"blocks.0.norm2.weight", "blocks.0.norm2.bias", "blocks.0.ls1.gamma", "blocks.0.ls2.gamma", "blocks.0.attn.proj.bias", "blocks.0.mlp.fc2.bias"} {
		add(name, dim)
	}
	add("blocks.0.attn.qkv.weight", 3*dim, dim)
	add("blocks.0.attn.qkv.bias", 3*dim)
	add("blocks.0.attn.proj.weight", dim, dim)
	add("blocks.0.mlp.fc1.weight", 4*dim, dim)
	add("blocks.0.mlp.fc1.bias", 4*dim)
	add("blocks.0.mlp.fc2.weight", dim, 4*dim)
	path := filepath.Join(folder, "model.safetensors")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(safetensors.Write(file, all, nil), file.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func added(t *testing.T, a models.Addition) models.Weights {
	t.Helper()
	store := models.OpenStore(t.TempDir())
	a.Name = "mine"
	if _, err := store.Add(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	source, err := store.Find("mine", client(t))
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func TestTheSizeIsThePublishedOneOnAGPUAnd224OnACPU(t *testing.T) {
	source := added(t, models.Addition{File: published(t, t.TempDir()), Heads: 2})
	small := added(t, models.Addition{File: tiny})
	for _, tc := range []struct {
		source      models.Weights
		device      string
		asked       models.Settings
		size, short int
	}{
		{source, ort.DeviceCUDA, models.Settings{}, 518, 518},
		{source, ort.DeviceCPU, models.Settings{}, 224, 256},
		{source, ort.DeviceCPU, models.Settings{Size: 518}, 518, 518},
		{source, ort.DeviceCUDA, models.Settings{Size: 112}, 112, 128},
		{source, ort.DeviceCPU, models.Settings{Fit: embedder.FitWhole}, 224, 0},
		{small, ort.DeviceCPU, models.Settings{}, 56, 56},
		{small, ort.DeviceCUDA, models.Settings{}, 56, 56},
	} {
		built, err := tc.source.Build(t.Context(), tc.asked, models.Target{Precision: vit.Float32, Device: tc.device})
		if err != nil {
			t.Fatal(err)
		}
		d := built.Description
		if d.Input.Width != tc.size || d.Input.Height != tc.size || d.ShortSide != tc.short || built.Settings.Size != tc.size {
			t.Errorf("%+v on %s: got input %d×%d, short side %d; want %d and %d", tc.asked, tc.device, d.Input.Width, d.Input.Height, d.ShortSide, tc.size, tc.short)
		}
		if (built.Tables != nil) != (tc.asked.Fit == embedder.FitWhole) || len(built.Graph) == 0 {
			t.Errorf("%+v: got tables %v and a graph of %d bytes", tc.asked, built.Tables != nil, len(built.Graph))
		}
	}
}

// What a catalog keeps of a model leads to the same function again.
func TestSettingsLeadToTheSameFunctionAgain(t *testing.T) {
	source := added(t, models.Addition{File: tiny})
	identity := func(s models.Settings, p vit.Precision, device string) (palate.ModelID, models.Settings) {
		t.Helper()
		built, err := source.Build(t.Context(), s, models.Target{Precision: p, Device: device})
		if err != nil {
			t.Fatal(err)
		}
		return built.Description.Identity, built.Settings
	}
	seen := make(map[palate.ModelID]string)
	for _, asked := range []models.Settings{
		{}, {Size: 84}, {Size: 84, Resample: vit.ResampleCubic}, {Fit: embedder.FitWhole}, {Pool: vit.PoolMean}, {Pool: vit.PoolBoth, Size: 42},
	} {
		id, settings := identity(asked, vit.Float32, ort.DeviceCPU)
		if again, filled := identity(settings, vit.Float16, ort.DeviceCUDA); again != id || filled != settings {
			t.Errorf("%+v: got %s with %+v, then %s with %+v", asked, id, settings, again, filled)
		}
		whole, numeric := identity(settings, vit.Int8, ort.DeviceCPU)
		if numeric.Numeric != embedder.NumericInt8 || settings.Numeric != embedder.NumericFloat {
			t.Errorf("%+v: got numeric classes %q and %q", asked, settings.Numeric, numeric.Numeric)
		}
		for _, one := range []palate.ModelID{id, whole} {
			if other := seen[one]; other != "" {
				t.Errorf("%+v is the same function as %s", asked, other)
			}
			seen[one] = fmt.Sprint(asked)
		}
	}
}

func TestWhatStandsBesideAModelIsReadAndFlagsWin(t *testing.T) {
	timm := `{"architecture": "vit_small_patch14_dinov2", "model_args": {"img_size": 518, "num_heads": 4},
		"pretrained_cfg": {"input_size": [3, 518, 518], "crop_pct": 0.95, "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25], "interpolation": "bicubic"}}`
	processor := `{"crop_size": {"height": 224, "width": 224}, "size": {"shortest_edge": 256}, "image_mean": [0.1, 0.2, 0.3], "image_std": [1, 1, 1], "resample": 3}`
	half := [3]float64{.5, .5, .5}
	for _, tc := range []struct {
		name   string
		beside map[string]string
		flags  models.Addition
		want   models.Preprocessing
		heads  string
	}{
		{"nothing", nil, models.Addition{Heads: 2},
			models.Preprocessing{Size: 518, CropRatio: 1, Mean: [3]float64{.485, .456, .406}, Std: [3]float64{.229, .224, .225}}, "2 heads"},
		{"timm", map[string]string{"config.json": timm}, models.Addition{},
			models.Preprocessing{Size: 518, CropRatio: .95, Mean: half, Std: [3]float64{.25, .25, .25}}, "4 heads"},
		{"transformers", map[string]string{"config.json": `{"num_attention_heads": 1, "image_size": 518}`, "preprocessor_config.json": processor}, models.Addition{},
			models.Preprocessing{Size: 224, CropRatio: .875, Mean: [3]float64{.1, .2, .3}, Std: [3]float64{1, 1, 1}}, "1 heads"},
		{"flags over timm", map[string]string{"config.json": timm}, models.Addition{Heads: 8, Size: 112, CropRatio: .5, Std: &half},
			models.Preprocessing{Size: 112, CropRatio: .5, Mean: half, Std: half}, "8 heads"},
		{"a size over transformers", map[string]string{"config.json": `{"num_attention_heads": 2}`, "preprocessor_config.json": processor}, models.Addition{Size: 518},
			models.Preprocessing{Size: 518, CropRatio: 1, Mean: [3]float64{.1, .2, .3}, Std: [3]float64{1, 1, 1}}, "2 heads"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			folder := t.TempDir()
			tc.flags.Name, tc.flags.File = "mine", published(t, folder)
			for name, text := range tc.beside {
				write(t, filepath.Join(folder, name), text)
			}
			r, err := models.OpenStore(t.TempDir()).Add(t.Context(), tc.flags)
			if err != nil {
				t.Fatal(err)
			}
			if *r.Preprocessing != tc.want || !strings.Contains(r.Architecture, tc.heads) {
				t.Errorf("got %+v and %q, want %+v and %s", *r.Preprocessing, r.Architecture, tc.want, tc.heads)
			}
		})
	}
}

func TestWhatContradictsItselfIsNotAdded(t *testing.T) {
	for _, tc := range []struct {
		name, config, want string
		flags              models.Addition
	}{
		{"heads that don't divide", "", "heads", models.Addition{Heads: 3}},
		{"too many pixels", "", "pixels", models.Addition{Heads: 2, Size: 1 << 20}},
		{"no configuration", "words", "config.json", models.Addition{Heads: 2}},
		{"another model's", `{"embed_dim": 768}`, "width", models.Addition{Heads: 2}},
		{"another interpolation", `{"interpolation": "mitchell"}`, "mitchell", models.Addition{Heads: 2}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			folder := t.TempDir()
			tc.flags.Name, tc.flags.File = "mine", published(t, folder)
			if tc.config != "" {
				write(t, filepath.Join(folder, "config.json"), tc.config)
			}
			if _, err := models.OpenStore(t.TempDir()).Add(t.Context(), tc.flags); !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want ErrInvalid with %q", err, tc.want)
			}
		})
	}
}

func TestDamagedWeightsBuildNothing(t *testing.T) {
	content, err := os.ReadFile(tiny)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func([]byte) []byte{
		"a flipped bit": func(b []byte) []byte { b[len(b)-100] ^= 1; return b },
		"cut":           func(b []byte) []byte { return b[:len(b)-1] },
		"gone":          nil,
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "model.safetensors")
			write(t, file, string(content))
			source := added(t, models.Addition{File: file, Heads: 2})
			want := palate.ErrInvalid
			if change == nil {
				want = palate.ErrNotFound
				if err := os.Remove(file); err != nil {
					t.Fatal(err)
				}
			} else {
				write(t, file, string(change(slices.Clone(content))))
			}
			if _, err := source.Build(t.Context(), models.Settings{}, models.Target{Precision: vit.Float32, Device: ort.DeviceCPU}); !errors.Is(err, want) || !strings.Contains(err.Error(), file) {
				t.Errorf("got %v, want %v and the file's name", err, want)
			}
		})
	}
}
