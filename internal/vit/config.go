package vit

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
)

// configuration is what config.json and preprocessor_config.json say, in
// timm's form or in transformers'. Zero is what they don't say.
type configuration struct {
	architecture string // timm's name of the model
	modelType    string // transformers'
	heads        int
	epsilon      float64
	dim, depth   int
	patch        int
	registers    int
	size         []int // of the model's input: height, width
	shown        int   // side of the square that a processor cuts out
	shortSide    int   // that it resizes the shorter side to before
	cropRatio    float64
	noQKVBias    bool
	mean, std    *[3]float64

	interpolation string
	activation    string
	quickGELU     *bool    // open_clip's word
	headWidth     int      // open_clip's
	pool          string   // timm's global_pool
	classes       []string // transformers' architectures
	ropeTheta     float64
	fit           embedder.Fit
	former        bool // read as palate did before it obeyed every field
}

// maxConfigBytes bounds what is parsed: a published one has a few kilobytes.
const maxConfigBytes = 1 << 20

// readConfigs reads configurations; what a later one says wins.
func readConfigs(texts [][]byte, former bool) (configuration, error) {
	said := map[string]json.RawMessage{}
	var processor, pretrained, openCLIP map[string]json.RawMessage
	for _, text := range texts {
		if len(text) == 0 {
			continue
		}
		if len(text) > maxConfigBytes {
			return configuration{}, fmt.Errorf("the model's configuration has %d bytes, at most %d: %w", len(text), maxConfigBytes, palate.ErrInvalid)
		}
		var outer map[string]json.RawMessage
		if err := json.Unmarshal(text, &outer); err != nil {
			return configuration{}, fmt.Errorf("the model's configuration is no JSON object: %w: %w", palate.ErrInvalid, err)
		}
		if err := flatten(said, outer); err != nil {
			return configuration{}, err
		}
		if isProcessor(outer) {
			processor = outer
		}
		if found, err := openCLIPFields(outer); err != nil {
			return configuration{}, err
		} else if found != nil {
			openCLIP = found
		}
		if raw := outer["pretrained_cfg"]; len(raw) > 0 && raw[0] == '{' {
			if err := json.Unmarshal(raw, &pretrained); err != nil {
				return configuration{}, fmt.Errorf("the model's configuration: pretrained_cfg: %w: %w", palate.ErrInvalid, err)
			}
		}
	}
	c, err := interpret(said, former)
	if err != nil || former {
		return c, err
	}
	given := c // what was said last, over the files, stands
	switch {
	case processor != nil:
		err = c.readProcessor(processor)
	case openCLIP != nil:
		err = c.readOpenCLIP(openCLIP)
	case pretrained != nil:
		err = c.readPretrained(pretrained)
	}
	if err != nil {
		return configuration{}, fmt.Errorf("the model's configuration: %w: %w", palate.ErrInvalid, err)
	}
	if processor != nil && isSaid(texts[len(texts)-1]) {
		c.keepSaid(given, texts[len(texts)-1])
	}
	return c, nil
}

// isSaid tells what a person said from what stood in files: it has none of a
// file's outline.
func isSaid(text []byte) bool {
	var fields map[string]json.RawMessage
	if json.Unmarshal(text, &fields) != nil || isProcessor(fields) {
		return false
	}
	for name := range fields {
		if !slices.Contains([]string{"num_heads", "architecture", "crop_pct", "mean", "std", "crop_size", "size"}, name) {
			return false
		}
	}
	return true
}

// keepSaid lets what a person said of a processor's crop stand over it.
func (c *configuration) keepSaid(given configuration, text []byte) {
	var said struct {
		Crop *float64        `json:"crop_pct"`
		Size *int            `json:"crop_size"`
		Mean json.RawMessage `json:"mean"`
		Std  json.RawMessage `json:"std"`
	}
	if json.Unmarshal(text, &said) != nil {
		return
	}
	if said.Size != nil {
		if c.shown, c.shortSide, c.cropRatio = *said.Size, 0, 0; c.fit == embedder.FitStretch {
			c.cropRatio = 1
		}
	}
	if said.Crop != nil {
		c.cropRatio, c.shortSide = *said.Crop, 0
	}
	if said.Mean != nil {
		c.mean = given.mean
	}
	if said.Std != nil {
		c.std = given.std
	}
}

// flatten brings what is nested in a configuration to one level, the outer
// over the inner, into said.
func flatten(said, outer map[string]json.RawMessage) error {
	for _, nested := range []string{"config", "pretrained_cfg", "model_args", "model_cfg", "vision_cfg", "vision_config", "preprocess_cfg"} {
		raw := outer[nested]
		if len(raw) == 0 || raw[0] != '{' {
			continue
		}
		var inner map[string]json.RawMessage
		if err := json.Unmarshal(raw, &inner); err != nil {
			return fmt.Errorf("the model's configuration: %s: %w: %w", nested, palate.ErrInvalid, err)
		}
		if nested == "model_cfg" {
			if err := flatten(said, inner); err != nil {
				return err
			}
			continue
		}
		for name, v := range inner {
			said[name] = v
		}
	}
	for name, v := range outer {
		if _, inner := said[name]; inner && isTower(outer) && name != "model_type" && name != "architectures" {
			continue // what the vision tower says is of it
		}
		said[name] = v
	}
	return nil
}

// isTower reports whether a configuration is of a vision tower and a text
// tower, whose fields have the same names.
func isTower(fields map[string]json.RawMessage) bool {
	for _, name := range []string{"vision_config", "vision_cfg"} {
		if raw := fields[name]; len(raw) > 0 && raw[0] == '{' {
			return true
		}
	}
	return false
}

func interpret(said map[string]json.RawMessage, former bool) (configuration, error) {
	c := configuration{former: former}
	var problems []error
	read := func(into any, names ...string) bool {
		for _, name := range names {
			raw, found := said[name]
			if !found || string(raw) == "null" {
				continue
			}
			if err := json.Unmarshal(raw, into); err != nil {
				problems = append(problems, fmt.Errorf("%s: %w", name, err))
				return false
			}
			return true
		}
		return false
	}
	read(&c.architecture, "architecture", "timm_model_name")
	read(&c.modelType, "model_type")
	read(&c.classes, "architectures")
	read(&c.pool, "global_pool", "timm_pool")
	read(&c.ropeTheta, "rope_theta", "rope_temperature")
	read(&c.quickGELU, "quick_gelu")
	read(&c.headWidth, "head_width")
	read(&c.heads, "num_heads", "num_attention_heads")
	read(&c.epsilon, "layer_norm_eps")
	read(&c.dim, "hidden_size", "width")
	if _, openCLIP := said["vision_cfg"]; !openCLIP && c.dim == 0 {
		read(&c.dim, "embed_dim")
	}
	read(&c.depth, "num_hidden_layers", "depth")
	read(&c.registers, "num_register_tokens", "reg_tokens")
	read(&c.cropRatio, "crop_pct")
	read(&c.activation, "hidden_act", "act_layer")
	qkvBias := true
	read(&qkvBias, "qkv_bias")
	c.noQKVBias = !qkvBias
	var mean, std channels
	if read(&mean, "mean", "image_mean") {
		c.mean = (*[3]float64)(&mean)
	}
	if read(&std, "std", "image_std") {
		c.std = (*[3]float64)(&std)
	}
	var patch, size, shown, short sides
	if read(&patch, "patch_size") {
		c.patch = patch[0]
	}
	if read(&size, "img_size", "image_size", "input_size") {
		c.size = size[:]
	}
	if read(&shown, "crop_size") {
		c.shown = shown[0]
		if read(&short, "size") {
			c.shortSide = short[0]
		}
	}
	var interpolation any
	if read(&interpolation, "interpolation", "resample") {
		c.interpolation = interpolationName(interpolation)
	}
	for name, n := range map[string]float64{"num_heads": float64(c.heads), "depth": float64(c.depth), "hidden_size": float64(c.dim),
		"num_register_tokens": float64(c.registers), "layer_norm_eps": c.epsilon, "crop_pct": c.cropRatio} {
		if n < 0 {
			problems = append(problems, fmt.Errorf("%s is negative", name))
		}
	}
	if len(problems) > 0 {
		return configuration{}, fmt.Errorf("the model's configuration: %w: %w", palate.ErrInvalid, errors.Join(problems...))
	}
	return c, nil
}

// interpolationName gives timm's word; transformers writes Pillow's number.
func interpolationName(v any) string {
	numbers := []string{"nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"}
	switch v := v.(type) {
	case string:
		return v
	case float64:
		if v >= 0 && v < float64(len(numbers)) && v == math.Trunc(v) {
			return numbers[int(v)]
		}
	}
	return fmt.Sprint(v)
}

// sides are a height and a width, which are written as a number, as
// [518, 518], as [3, 518, 518], as {"height": 518, "width": 518} or as
// {"shortest_edge": 256}.
type sides [2]int

// UnmarshalJSON reads any of the forms.
func (s *sides) UnmarshalJSON(text []byte) error {
	var number int
	var list []int
	var object struct {
		Shortest int `json:"shortest_edge"`
		Height   int `json:"height"`
		Width    int `json:"width"`
	}
	switch {
	case json.Unmarshal(text, &number) == nil:
		*s = sides{number, number}
	case json.Unmarshal(text, &list) == nil && (len(list) == 2 || len(list) == 3):
		*s = sides(list[len(list)-2:])
	case json.Unmarshal(text, &object) == nil && object.Shortest > 0:
		*s = sides{object.Shortest, object.Shortest}
	case json.Unmarshal(text, &object) == nil:
		*s = sides{object.Height, object.Width}
	}
	const most = 1 << 16
	if s[0] < 1 || s[1] < 1 || s[0] > most || s[1] > most {
		return fmt.Errorf("want one or two sides of 1 to %d pixels", most)
	}
	return nil
}

// agrees holds the configuration against what the tensors say. A difference
// means that the two files are of different models.
func (c configuration) agrees(a Architecture) error {
	var problems []error
	for _, n := range []struct {
		what      string
		said, has int
	}{
		{"a width", c.dim, a.Dim}, {"blocks", c.depth, a.Depth},
		{"a patch side", c.patch, a.PatchSize}, {"registers", c.registers, a.Registers},
	} {
		if n.said != 0 && n.said != n.has {
			problems = append(problems, fmt.Errorf("it says %s of %d, the tensors have %d", n.what, n.said, n.has))
		}
	}
	gates := []string{"", "gelu", "silu", "swish"} // transformers says gelu where it computes SwiGLU
	if a.MLP == SwiGLU && !slices.Contains(gates, c.activation) {
		problems = append(problems, fmt.Errorf("the activation %q is none of %q", c.activation, gates[1:]))
	}
	_, listed := timmFacts(c.architecture)
	for _, other := range []string{"quickgelu", "siglip", "rope"} {
		if strings.Contains(c.architecture, other) && (!listed || c.former) {
			problems = append(problems, fmt.Errorf("the architecture %q computes what palate doesn't (%s)", c.architecture, other))
		}
	}
	problems = append(problems, c.agreesWithName(a, listed))
	if _, known := transformersDefaults[c.modelType]; a.Naming == NamingTransformers && c.modelType != "" && !known {
		problems = append(problems, fmt.Errorf("model_type %q is none of %q", c.modelType, slices.Sorted(maps.Keys(transformersDefaults))))
	}
	problems = slices.DeleteFunc(problems, func(err error) bool { return err == nil })
	if len(problems) > 0 {
		return fmt.Errorf("the model's configuration: %w: %w", palate.ErrInvalid, errors.Join(problems...))
	}
	return nil
}

// agreesWithName holds the tensors against the name of the architecture.
func (c configuration) agreesWithName(a Architecture, listed bool) error {
	is := func(part string) bool { return strings.Contains(c.architecture, part) }
	other := false
	switch {
	case c.architecture == "" || a.Naming != NamingTimm:
	case listed && !c.former:
		other = (is("clip") && strings.HasPrefix(c.architecture, "vit_")) != a.TokenNorm || strings.HasPrefix(c.architecture, "beit") && !is("beit3") && !a.RelativeBias || is("distilled") != a.Distilled
	default:
		other = strings.HasPrefix(c.architecture, "eva02") != a.Rotary
	}
	if other {
		return fmt.Errorf("the architecture is %q, the tensors are those of %s", c.architecture, a.Family)
	}
	return nil
}
