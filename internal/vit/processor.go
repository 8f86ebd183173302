package vit

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/picture"
)

// What preprocessor_config.json (transformers) and pretrained_cfg (timm) say is
// obeyed or refused by name: a field that is passed over may change what the
// model sees.

// passedBy are fields that change nothing of what one picture becomes.
var (
	processorPassedBy = []string{"image_processor_type", "feature_extractor_type", "processor_class", "do_convert_rgb", "data_format", "input_data_format",
		"return_tensors", "device", "disable_grouping", "auto_map", "use_fast", "_valid_processor_keys", "do_reduce_labels", "reduce_labels"}
	processorObeyed = []string{"do_resize", "size", "resample", "do_center_crop", "crop_size", "do_rescale", "rescale_factor", "do_normalize", "image_mean", "image_std", "default_to_square"}

	timmPassedBy = []string{"tag", "custom_load", "fixed_input_size", "num_classes", "pool_size", "test_pool_size", "label_offset", "first_conv", "classifier", "license", "url", "file", "hf_hub_id",
		"hf_hub_filename", "architecture", "origin_url", "paper_name", "paper_ids", "notes", "label_names", "label_descriptions", "description", "source", "state_dict",
		"test_input_size", "test_crop_pct", "min_input_size", "max_input_size"}
	timmObeyed = []string{"input_size", "interpolation", "crop_pct", "crop_mode", "mean", "std"}

	// A size that is one number is of the shorter side for these kinds of
	// processor, and of both sides for those.
	shorterSide = []string{"CLIP", "Bit", "ChineseCLIP"}
	bothSides   = []string{"ViT", "DeiT", "Beit", "Siglip", "DINOv3ViT", "Blip"}
)

// timmDefaultCrop is timm's crop_pct where a pretrained_cfg says none.
const timmDefaultCrop = .875

// isProcessor tells a preprocessor_config.json.
func isProcessor(fields map[string]json.RawMessage) bool {
	for _, name := range []string{"image_processor_type", "feature_extractor_type", "do_resize", "do_normalize", "image_mean"} {
		if _, found := fields[name]; found {
			return true
		}
	}
	return false
}

// refuseUnknown names fields that would be passed over. Those that say nothing
// (null, false) do no harm.
func refuseUnknown(what string, fields map[string]json.RawMessage, known ...[]string) error {
	var unknown []string
	for name, raw := range fields {
		if text := string(raw); text == "null" || text == "false" || slices.Contains(slices.Concat(known...), name) {
			continue
		}
		unknown = append(unknown, name)
	}
	if slices.Sort(unknown); len(unknown) > 0 {
		return fmt.Errorf("%s says %s, which palate doesn't know how to obey", what, strings.Join(unknown, ", "))
	}
	return nil
}

// readProcessor interprets a preprocessor_config.json into c.
func (c *configuration) readProcessor(fields map[string]json.RawMessage) error {
	problems := []error{refuseUnknown("preprocessor_config.json", fields, processorPassedBy, processorObeyed)}
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	is := func(name string, otherwise bool) bool {
		v := otherwise
		if raw, found := fields[name]; found && string(raw) != "null" {
			if err := json.Unmarshal(raw, &v); err != nil {
				wrong("%s: %w", name, err)
			}
		}
		return v
	}
	for _, name := range []string{"do_resize", "do_rescale"} {
		if !is(name, true) {
			wrong("%s is false: pictures of any size and values from 0 to 255 are nothing palate gives a model", name)
		}
	}
	if raw, found := fields["rescale_factor"]; found && string(raw) != "null" {
		var factor float64
		if err := json.Unmarshal(raw, &factor); err != nil || math.Abs(factor*255-1) > 1e-6 {
			wrong("rescale_factor is %s, want 1/255", raw)
		}
	}
	if !is("do_normalize", true) {
		c.mean, c.std = &[3]float64{}, &[3]float64{1, 1, 1}
	}
	c.fit = embedder.FitStretch
	cropSaid := string(orNull(fields["crop_size"])) != "null"
	kind := processorKind(fields)
	if crops := is("do_center_crop", cropSaid && !slices.Contains([]string{"ViT", "Siglip", "DINOv3ViT"}, kind)); crops {
		c.processorCrops(fields, kind, wrong)
	} else if raw, found := fields["size"]; found && string(raw) != "null" {
		var size sides
		if err := json.Unmarshal(raw, &size); err != nil {
			wrong("size: %w", err)
		}
		if strings.Contains(string(raw), "shortest_edge") || size[0] != size[1] {
			wrong("size %s without do_center_crop makes inputs that are no squares", raw)
		}
		c.shown, c.shortSide, c.cropRatio = size[0], size[0], 1
	} else {
		wrong("neither size nor do_center_crop is there")
	}
	return errors.Join(problems...)
}

// processorCrops is for a processor that cuts out the middle.
func (c *configuration) processorCrops(fields map[string]json.RawMessage, kind string, wrong func(string, ...any)) {
	var crop, size sides
	if err := json.Unmarshal(orNull(fields["crop_size"]), &crop); err != nil || crop[0] != crop[1] {
		wrong("crop_size is %s, want one length or two that are equal, as do_center_crop is true", orNull(fields["crop_size"]))
		return
	}
	raw := orNull(fields["size"])
	if err := json.Unmarshal(raw, &size); err != nil {
		wrong("size is %s beside do_center_crop: %w", raw, err)
		return
	}
	c.fit = embedder.FitStretch
	switch number := strings.Trim(string(raw), "0123456789") == ""; {
	case strings.Contains(string(raw), "shortest_edge"), number && slices.Contains(shorterSide, kind):
		c.fit = embedder.FitCrop
	case number && !slices.Contains(bothSides, kind):
		wrong("size is %s, which kinds of processor mean differently, and palate doesn't know %q", raw, kind)
	case size[0] != size[1]:
		wrong("size is %s, want a square", raw)
	}
	if size[0] < crop[0] {
		wrong("size is %s, less than what is cut out of it, %d", raw, crop[0])
		return
	}
	c.shown, c.shortSide, c.cropRatio = crop[0], size[0], float64(crop[0])/float64(size[0])
}

func orNull(raw json.RawMessage) json.RawMessage {
	if raw == nil {
		return json.RawMessage("null")
	}
	return raw
}

// processorKind is a processor's class without what all of them end in.
func processorKind(fields map[string]json.RawMessage) string {
	var kind string
	for _, name := range []string{"image_processor_type", "feature_extractor_type"} {
		if json.Unmarshal(orNull(fields[name]), &kind) == nil && kind != "" {
			break
		}
	}
	for _, ending := range []string{"Fast", "ImageProcessor", "FeatureExtractor"} {
		kind = strings.TrimSuffix(kind, ending)
	}
	return kind
}

// readPretrained interprets timm's pretrained_cfg into c: what it leaves open
// is what timm then takes.
func (c *configuration) readPretrained(fields map[string]json.RawMessage) error {
	problems := []error{refuseUnknown("pretrained_cfg", fields, timmPassedBy, timmObeyed)}
	var mode string
	if raw, found := fields["crop_mode"]; found && json.Unmarshal(raw, &mode) != nil {
		problems = append(problems, fmt.Errorf("crop_mode is %s", raw))
	}
	switch mode {
	case "", "center":
		c.fit = embedder.FitCrop
	case "squash":
		c.fit = embedder.FitStretch
	default:
		problems = append(problems, fmt.Errorf("pretrained_cfg says crop_mode %q, which palate doesn't know how to obey", mode))
	}
	if c.cropRatio == 0 {
		c.cropRatio = timmDefaultCrop
	}
	if c.mean == nil {
		mean := imageNetMean
		c.mean = &mean
	}
	if c.std == nil {
		std := imageNetStd
		c.std = &std
	}
	if c.interpolation == "" {
		c.interpolation = string(picture.Bicubic)
	}
	return errors.Join(problems...)
}

// channels are three numbers, no more and no fewer.
type channels [3]float64

// UnmarshalJSON refuses lists of another length, which Go would fill or cut.
func (c *channels) UnmarshalJSON(text []byte) error {
	var all []float64
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	if len(all) != 3 {
		return fmt.Errorf("%d values, want 3, of red, green and blue", len(all))
	}
	*c = channels(all)
	return nil
}
