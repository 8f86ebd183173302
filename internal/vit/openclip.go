package vit

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/picture"
)

// openCLIPObeyed are the fields of open_clip's preprocess_cfg; fill_color is of
// the border that resize_mode "longest" makes, which is refused.
var openCLIPObeyed = []string{"size", "mode", "mean", "std", "interpolation", "resize_mode", "fill_color"}

// openCLIPFields gives the preprocess_cfg of an open_clip_config.json: of one
// that has none an empty one, of anything else nil.
func openCLIPFields(outer map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	fields := map[string]json.RawMessage{}
	raw := outer["preprocess_cfg"]
	if len(raw) == 0 || raw[0] != '{' {
		if model := outer["model_cfg"]; len(model) == 0 || model[0] != '{' {
			return nil, nil
		}
		return fields, nil
	}
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, fmt.Errorf("the model's configuration: preprocess_cfg: %w: %w", palate.ErrInvalid, err)
	}
	return fields, nil
}

// readOpenCLIP interprets open_clip's preprocess_cfg into c: what it leaves open
// is what open_clip then takes. The whole of the input is shown.
func (c *configuration) readOpenCLIP(fields map[string]json.RawMessage) error {
	problems := []error{refuseUnknown("preprocess_cfg", fields, openCLIPObeyed)}
	word := func(name, otherwise string) string {
		v := otherwise
		if raw, found := fields[name]; found && string(raw) != "null" && json.Unmarshal(raw, &v) != nil {
			problems = append(problems, fmt.Errorf("preprocess_cfg: %s is %s, want a word", name, raw))
		}
		return v
	}
	switch mode := word("resize_mode", "shortest"); mode {
	case "shortest":
		c.fit = embedder.FitCrop
	case "squash":
		c.fit = embedder.FitStretch
	default:
		problems = append(problems, fmt.Errorf("preprocess_cfg says resize_mode %q, which palate doesn't know how to obey (shortest, squash)", mode))
	}
	if mode := word("mode", "RGB"); mode != "RGB" {
		problems = append(problems, fmt.Errorf("preprocess_cfg says mode %q, which palate doesn't know how to obey (RGB)", mode))
	}
	if raw, found := fields["size"]; found && string(raw) != "null" {
		var size sides
		if err := json.Unmarshal(raw, &size); err != nil {
			problems = append(problems, fmt.Errorf("preprocess_cfg: size: %w", err))
		} else if size[0] != size[1] && c.fit == embedder.FitCrop {
			problems = append(problems, fmt.Errorf("preprocess_cfg: size %s without resize_mode squash makes an input that is no square", raw))
		} else if c.shown == 0 {
			c.shown = min(size[0], size[1])
		}
	}
	if c.cropRatio == 0 {
		c.cropRatio = 1
	}
	if c.mean == nil {
		mean := clipMean
		c.mean = &mean
	}
	if c.std == nil {
		std := clipStd
		c.std = &std
	}
	if c.interpolation == "" {
		c.interpolation = string(picture.Bicubic)
	}
	return errors.Join(problems...)
}
