package vit_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/vit"
)

// Every field of a processor and of timm's pretrained_cfg is obeyed, or refused
// by name.
func TestWhatStandsBesideIsObeyedOrRefused(t *testing.T) {
	half := [3]float64{.5, .5, .5}
	const means = `"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]`
	for name, test := range map[string]struct {
		config string
		size   int
		ratio  float64
		fit    embedder.Fit
		filter string
		mean   [3]float64
		want   string // in the error; empty for none
	}{
		"a ViT's stretches, bilinear": {`{"image_processor_type": "ViTImageProcessor", "do_resize": true, "size": {"height": 224, "width": 224}, "resample": 2, "do_rescale": true,
			"rescale_factor": 0.00392156862745098, "do_normalize": true, ` + means + `}`, 224, 1, embedder.FitStretch, "bilinear", half, ""},
		"an old ViT's, one number":   {`{"feature_extractor_type": "ViTFeatureExtractor", "size": 224, "resample": 2, ` + means + `}`, 224, 1, embedder.FitStretch, "bilinear", half, ""},
		"a DeiT's stretches to more": {`{"image_processor_type": "DeiTImageProcessor", "size": {"height": 256, "width": 256}, "do_center_crop": true, "crop_size": {"height": 224, "width": 224}, "resample": 3, ` + means + `}`, 224, .875, embedder.FitStretch, "bicubic", half, ""},
		"a CLIP's, one number":       {`{"feature_extractor_type": "CLIPFeatureExtractor", "size": 224, "do_center_crop": true, "crop_size": 224, "resample": 3, ` + means + `}`, 224, 1, embedder.FitCrop, "bicubic", half, ""},
		"DINOv2's":                   {`{"image_processor_type": "BitImageProcessor", "size": {"shortest_edge": 256}, "do_center_crop": true, "crop_size": {"height": 224, "width": 224}, "resample": 1, ` + means + `}`, 224, .875, embedder.FitCrop, "lanczos", half, ""},
		"no normalising":             {`{"image_processor_type": "ViTImageProcessor", "size": 224, "do_normalize": false, "resample": 0}`, 224, 1, embedder.FitStretch, "nearest", [3]float64{}, ""},
		"one number of nobody knows": {`{"image_processor_type": "MineImageProcessor", "size": 256, "do_center_crop": true, "crop_size": 224, ` + means + `}`, 0, 0, "", "", half, "Mine"},
		"no resizing":                {`{"do_resize": false, "size": 224, ` + means + `}`, 0, 0, "", "", half, "do_resize"},
		"no rescaling":               {`{"do_rescale": false, "size": 224, ` + means + `}`, 0, 0, "", "", half, "do_rescale"},
		"another scale":              {`{"rescale_factor": 0.00784313725, "size": 224, ` + means + `}`, 0, 0, "", "", half, "rescale_factor"},
		"a field of tomorrow":        {`{"size": 224, "do_sharpen": true, ` + means + `}`, 0, 0, "", "", half, "do_sharpen"},
		"a field that says nothing":  {`{"image_processor_type": "ViTImageProcessor", "size": 224, "do_sharpen": false, "resample": 3, ` + means + `}`, 224, 1, embedder.FitStretch, "bicubic", half, ""},
		"the shorter side alone":     {`{"size": {"shortest_edge": 224}, ` + means + `}`, 0, 0, "", "", half, "no squares"},
		"one mean":                   {`{"size": 224, "image_mean": [0.5], "image_std": [0.5, 0.5, 0.5]}`, 0, 0, "", "", half, "1 values, want 3"},
		"four means":                 {`{"mean": [0.5, 0.5, 0.5, 0.5]}`, 0, 0, "", "", half, "4 values, want 3"},
		"timm's, squashed":           {`{"pretrained_cfg": {"input_size": [3, 224, 224], "crop_mode": "squash", "crop_pct": 0.9, "interpolation": "bilinear", "mean": [0.5, 0.5, 0.5]}}`, 224, .9, embedder.FitStretch, "bilinear", half, ""},
		"timm's own defaults":        {`{"pretrained_cfg": {"input_size": [3, 224, 224]}}`, 224, .875, embedder.FitCrop, "bicubic", [3]float64{.485, .456, .406}, ""},
		"timm's, with a border":      {`{"pretrained_cfg": {"crop_mode": "border"}}`, 0, 0, "", "", half, `crop_mode "border"`},
		"timm's, of tomorrow":        {`{"pretrained_cfg": {"gamma": 2.2}}`, 0, 0, "", "", half, "gamma"},
		"timm's, at random":          {`{"pretrained_cfg": {"interpolation": "random"}}`, 0, 0, "", "", half, `"random"`},
	} {
		t.Run(name, func(t *testing.T) {
			file := memoryFile(t, tensorsOf(tiny, timmStyle(tiny)))
			a, err := vit.Inspect(file, []byte(test.config), []byte(twoHeads))
			if test.want != "" {
				if !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want a refusal that names %s", err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			p := a.Preprocessing
			if p.Size != test.size || p.CropRatio != test.ratio || p.Fit != test.fit || p.Interpolation != test.filter || p.Mean != test.mean {
				t.Errorf("got %+v", p)
			}
			if slices.Contains(a.Guessed, "fit") || slices.Contains(a.Guessed, "crop") || slices.Contains(a.Guessed, "interpolation") {
				t.Errorf("got %v as guessed", a.Guessed)
			}
			d, err := vit.Describe([32]byte{}, a, vit.Options{})
			if err != nil || d.Fit != test.fit || d.Resample != test.filter || d.Mean != test.mean {
				t.Errorf("described as %+v, %v", d, err)
			}
			if test.ratio < 1 && d.Reading().Short != int(float64(test.size)/test.ratio+1e-9) {
				t.Errorf("got a side of %d before the crop", d.Reading().Short)
			}
		})
	}
}

// A number of heads that nobody says is no guess but a refusal; what was
// embedded by the guess goes on by it.
func TestHeadsAreNotGuessed(t *testing.T) {
	s := spec{dim: 1280, depth: 1, heads: 16, hidden: 64, patch: 2, rows: 2, columns: 2, positionPrefix: 1, epsilon: 1e-6}
	file := memoryFile(t, tensorsOf(s, timmStyle(s)))
	const huge = `{"architecture": "deit3_huge_patch14_224", "pretrained_cfg": {"input_size": [3, 4, 4]}}`
	if a, err := vit.Inspect(file, []byte(huge)); err != nil || a.Heads != 16 {
		t.Errorf("by its name: got %d heads, %v, want 16", a.Heads, err)
	}
	for _, config := range []string{`{}`, `{"architecture": "vit_mine_patch2"}`} {
		if a, err := vit.Inspect(file, []byte(config)); !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), "--heads") {
			t.Errorf("%s: got %d heads, %v, want a refusal that names --heads", config, a.Heads, err)
		}
	}
	a, err := vit.Inspect(file, []byte(`{"num_heads": 8}`))
	if want := []string{"activation", "crop", "mean", "std", "interpolation", "fit"}; err != nil || a.Heads != 8 || !slices.Equal(a.Guessed, want) {
		t.Errorf("said: got %d heads and %v as guessed, %v, want %v", a.Heads, a.Guessed, err, want)
	}
	if a, err := vit.InspectFormer(file, []byte(huge)); err != nil || a.Heads != 20 || !slices.Contains(a.Guessed, "heads") {
		t.Errorf("as before: got %d heads, %v, want the former guess of 20", a.Heads, err)
	}
}
