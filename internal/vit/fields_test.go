package vit_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/vit"
)

// The fields that transformers 5.24's processors, timm 1.0.31's pretrained_cfg
// and open_clip 3's preprocess_cfg have: with a value that palate obeys, what
// it comes to; with any other value a refusal that names the field. There is no
// third way, and no field that nobody knows is passed over.
func TestEveryFieldOfEveryConfiguration(t *testing.T) {
	const (
		processor  = `{"image_processor_type": "BeitImageProcessor", "size": 224, "resample": 3, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], %s}`
		pretrained = `{"pretrained_cfg": {"input_size": [3, 224, 224], %s}}`
		openCLIP   = `{"model_cfg": {"embed_dim": 8, "vision_cfg": {"image_size": 224}}, "preprocess_cfg": {%s}}`
	)
	type preprocessing = vit.Preprocessing
	same := func(*preprocessing) {}
	for _, tc := range []struct {
		form, field, value string
		as                 func(p *preprocessing) // how it differs from that of the form without the field; nil refuses
	}{
		{processor, "do_resize", "true", same},
		{processor, "do_resize", "false", nil},
		{processor, "do_rescale", "true", same},
		{processor, "do_rescale", "false", nil},
		{processor, "rescale_factor", "0.00392156862745098", same},
		{processor, "rescale_factor", "0.5", nil},
		{processor, "do_normalize", "true", same},
		{processor, "do_normalize", "false", func(p *preprocessing) { p.Mean, p.Std = [3]float64{}, [3]float64{1, 1, 1} }},
		{processor, "do_normalize", `"perhaps"`, nil},
		{processor, "image_mean", "[0.1, 0.2, 0.3]", func(p *preprocessing) { p.Mean = [3]float64{.1, .2, .3} }},
		{processor, "image_mean", "[0.1]", nil},
		{processor, "image_mean", "0.5", nil},
		{processor, "image_std", "[0.1, 0.2, 0.3]", func(p *preprocessing) { p.Std = [3]float64{.1, .2, .3} }},
		{processor, "image_std", "[0.1, 0.2]", nil},
		{processor, "resample", "0", func(p *preprocessing) { p.Interpolation = "nearest" }},
		{processor, "resample", "1", func(p *preprocessing) { p.Interpolation = "lanczos" }},
		{processor, "resample", "2", func(p *preprocessing) { p.Interpolation = "bilinear" }},
		{processor, "resample", "4", func(p *preprocessing) { p.Interpolation = "box" }},
		{processor, "resample", "5", func(p *preprocessing) { p.Interpolation = "hamming" }},
		{processor, "resample", "6", nil},
		{processor, "resample", `"mitchell"`, nil},
		{processor, "size", "112", func(p *preprocessing) { p.Size = 112 }},
		{processor, "size", `{"height": 112, "width": 112}`, func(p *preprocessing) { p.Size = 112 }},
		{processor, "size", `{"height": 112, "width": 96}`, nil},
		{processor, "size", `{"longest_edge": 112}`, nil},
		{processor, "size", "0", nil},
		{processor, "do_center_crop", "false", same},
		{processor, "do_center_crop", "true", nil}, // without a crop_size
		{processor, "crop_size", "null", same},
		{processor, "do_center_crop\": true, \"crop_size", "196", func(p *preprocessing) { p.Size, p.CropRatio = 196, .875 }},
		{processor, "do_center_crop\": true, \"crop_size", "256", nil}, // more than there is
		{processor, "default_to_square", "true", same},
		{processor, "do_convert_rgb", "true", same},
		{processor, "do_reduce_labels", "true", same}, // of segmentations
		{processor, "data_format", `"channels_first"`, same},
		{processor, "input_data_format", "null", same},
		{processor, "return_tensors", "null", same},
		{processor, "device", "null", same},
		{processor, "do_pad", "false", same},
		{processor, "do_pad", "true", nil},
		{processor, "pad_size", "null", same},
		{processor, "pad_size", `{"height": 300, "width": 300}`, nil},
		{processor, "do_flip_channel_order", "true", nil},
		{processor, "offset", "true", nil},
		{processor, "rescale_offset", "true", nil},
		{processor, "crop_pct", "0.875", nil}, // of ConvNeXt's: another meaning
		{processor, "size_divisor", "32", nil},
		{processor, "max_num_patches", "256", nil},
		{processor, "do_thumbnail", "true", nil},
		{processor, "do_grayscale", "true", nil},

		{pretrained, "crop_pct", "0.9", func(p *preprocessing) { p.CropRatio = .9 }},
		{pretrained, "crop_pct", "1.5", nil},
		{pretrained, "crop_pct", "-1", nil},
		{pretrained, "crop_mode", `"center"`, same},
		{pretrained, "crop_mode", `"squash"`, func(p *preprocessing) { p.Fit = embedder.FitStretch }},
		{pretrained, "crop_mode", `"border"`, nil},
		{pretrained, "interpolation", `"lanczos"`, func(p *preprocessing) { p.Interpolation = "lanczos" }},
		{pretrained, "interpolation", `"box"`, func(p *preprocessing) { p.Interpolation = "box" }},
		{pretrained, "interpolation", `"random"`, nil},
		{pretrained, "interpolation", `"lanczos5"`, nil},
		{pretrained, "mean", "[0.1, 0.2, 0.3]", func(p *preprocessing) { p.Mean = [3]float64{.1, .2, .3} }},
		{pretrained, "mean", "[0.5]", nil},
		{pretrained, "std", "[0.1, 0.2, 0.3]", func(p *preprocessing) { p.Std = [3]float64{.1, .2, .3} }},
		{pretrained, "std", "[1, 1, 1, 1]", nil},
		{pretrained, "std", "[0, 1, 1]", nil},
		{pretrained, "input_size", "[3, 112, 112]", func(p *preprocessing) { p.Size = 112 }},
		{pretrained, "input_size", `"large"`, nil},
		{pretrained, "test_input_size", "[3, 288, 288]", same}, // another way to use it
		{pretrained, "test_crop_pct", "1.0", same},
		{pretrained, "fixed_input_size", "true", same},
		{pretrained, "num_classes", "1000", same},
		{pretrained, "label_offset", "1", same},
		{pretrained, "license", `"apache-2.0"`, same},
		{pretrained, "gamma", "2.2", nil},

		{openCLIP, "size", "112", func(p *preprocessing) { p.Size = 112 }},
		{openCLIP, "size", "[112, 112]", func(p *preprocessing) { p.Size = 112 }},
		{openCLIP, "size", "[112, 96]", nil},
		{openCLIP, "mode", `"RGB"`, same},
		{openCLIP, "mode", `"L"`, nil},
		{openCLIP, "mean", "[0.5, 0.5, 0.5]", func(p *preprocessing) { p.Mean = [3]float64{.5, .5, .5} }},
		{openCLIP, "mean", "[0.5]", nil},
		{openCLIP, "std", "[0.5, 0.5, 0.5]", func(p *preprocessing) { p.Std = [3]float64{.5, .5, .5} }},
		{openCLIP, "std", "[0.5, 0.5, 0.5, 1]", nil},
		{openCLIP, "interpolation", `"bilinear"`, func(p *preprocessing) { p.Interpolation = "bilinear" }},
		{openCLIP, "interpolation", `"random"`, nil},
		{openCLIP, "resize_mode", `"shortest"`, same},
		{openCLIP, "resize_mode", `"squash"`, func(p *preprocessing) { p.Fit = embedder.FitStretch }},
		{openCLIP, "resize_mode", `"longest"`, nil},
		{openCLIP, "fill_color", "0", same},
		{openCLIP, "sharpen", "1", nil},
	} {
		want := map[string]preprocessing{
			processor:  {Size: 224, CropRatio: 1, Mean: [3]float64{.5, .5, .5}, Std: [3]float64{.5, .5, .5}, Fit: embedder.FitStretch, Interpolation: "bicubic"},
			pretrained: {Size: 224, CropRatio: .875, Mean: [3]float64{.485, .456, .406}, Std: [3]float64{.229, .224, .225}, Fit: embedder.FitCrop, Interpolation: "bicubic"},
			openCLIP:   {Size: 224, CropRatio: 1, Mean: [3]float64{.48145466, .4578275, .40821073}, Std: [3]float64{.26862954, .26130258, .27577711}, Fit: embedder.FitCrop, Interpolation: "bicubic"},
		}[tc.form]
		config := fmt.Sprintf(tc.form, `"`+tc.field+`": `+tc.value)
		a, err := vit.Inspect(memoryFile(t, tensorsOf(tiny, timmStyle(tiny))), []byte(config), []byte(twoHeads))
		if err == nil {
			_, err = vit.Describe([32]byte{}, a, vit.Options{})
		}
		field := tc.field[strings.LastIndexByte(tc.field, '"')+1:]
		switch {
		case tc.as == nil && !errors.Is(err, palate.ErrInvalid):
			t.Errorf("%s: got %+v, %v, want a refusal", config, a.Preprocessing, err)
		case tc.as == nil && !strings.Contains(err.Error(), field) && !strings.Contains(err.Error(), strings.Trim(tc.value, `"`)) && !strings.Contains(err.Error(), "want 3"):
			t.Errorf("%s: got %v, which names neither field nor value", config, err)
		case tc.as != nil && err != nil:
			t.Errorf("%s: got %v", config, err)
		case tc.as != nil:
			if tc.as(&want); a.Preprocessing != want || len(a.Guessed) > 1 { // the activation
				t.Errorf("%s: got %+v, guessed %v, want %+v", config, a.Preprocessing, a.Guessed, want)
			}
		}
	}
}
