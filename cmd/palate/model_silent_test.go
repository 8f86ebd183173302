package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/safetensors"
	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// silent runs a command of the program under test: this one, or with
// FORMER_PALATE=FILE a former release, of which these tests fail: it embedded
// wrongly without a sign.
func silent(t *testing.T, args ...string) program.Result {
	t.Helper()
	if former := os.Getenv("FORMER_PALATE"); former != "" {
		return program.StartProgram(t, former, nil, args...).Wait()
	}
	return program.RunPalate(t, args...)
}

// silentVector embeds a file.
func silentVector(t *testing.T, file, model string) []float32 {
	t.Helper()
	r := silent(t, "embed", file, "--model", model, "--json")
	if r.Code != exitDone {
		t.Fatalf("embed: %s", r.Err)
	}
	var e collection.FileEmbedding
	if err := json.Unmarshal([]byte(r.Out), &e); err != nil {
		t.Fatal(err)
	}
	return e.Vector
}

// tinyBeside lays the tiny model beside a configuration and adds it as mine.
func tinyBeside(t *testing.T, configs map[string]string) program.Result {
	t.Helper()
	t.Setenv("PALATE_MODELS", t.TempDir())
	folder := t.TempDir()
	file := filepath.Join(folder, "model.safetensors")
	program.WriteFile(t, file, program.ReadFile(t, program.TinyModel))
	for name, text := range configs {
		program.WriteFile(t, filepath.Join(folder, name), []byte(text))
	}
	return silent(t, "model", "add", "mine", file)
}

// twoHeads writes a model of one block, 64 wide, as timm's test_vit is, which
// has 2 heads of 32 where most models have heads of 64.
func twoHeads(t *testing.T, config string) string {
	t.Helper()
	const dim, hidden = 64, 8
	folder := t.TempDir()
	var all []safetensors.Values
	add := func(name string, shape ...int64) {
		n := 1
		for _, s := range shape {
			n *= int(s)
		}
		all = append(all, safetensors.Values{Name: name, Shape: shape, Data: make([]float32, n)})
	}
	add("cls_token", 1, 1, dim)
	add("pos_embed", 1, 5, dim)
	add("patch_embed.proj.weight", dim, 3, 16, 16)
	add("patch_embed.proj.bias", dim)
	for _, norm := range []string{"blocks.0.norm1", "blocks.0.norm2", "norm"} {
		add(norm+".weight", dim)
		add(norm+".bias", dim)
	}
	for name, shape := range map[string][2]int64{"attn.qkv": {3 * dim, dim}, "attn.proj": {dim, dim}, "mlp.fc1": {hidden, dim}, "mlp.fc2": {dim, hidden}} {
		add("blocks.0."+name+".weight", shape[0], shape[1])
		add("blocks.0."+name+".bias", shape[0])
	}
	file, err := os.Create(filepath.Join(folder, "model.safetensors"))
	if err == nil {
		err = safetensors.Write(file, all, nil)
	}
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	program.WriteFile(t, filepath.Join(folder, "config.json"), []byte(config))
	return file.Name()
}

// A number of heads that stands nowhere is known by the architecture's name, or
// the model is refused: the width doesn't tell it.
func TestHeadsAreNoGuess(t *testing.T) {
	t.Setenv("PALATE_MODELS", t.TempDir())
	named := twoHeads(t, `{"architecture": "test_vit", "pretrained_cfg": {"input_size": [3, 32, 32], "interpolation": "bicubic", "crop_pct": 0.9, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}}`)
	if r := silent(t, "model", "add", "two", named); r.Code != exitDone || !strings.Contains(r.Out, "2 heads") {
		t.Errorf("by its name: got %+v, want 2 heads", r)
	}
	unnamed := twoHeads(t, `{"image_size": 32}`)
	if r := silent(t, "model", "add", "unnamed", unnamed); r.Code == exitDone || !strings.Contains(r.Err, "--heads") {
		t.Errorf("without a name: got %+v, want a refusal that names --heads", r)
	}
}

// A processor of transformers that cuts nothing out stretches: what is at the
// ends of an oblong picture is seen.
func TestAProcessorThatStretchesIsObeyed(t *testing.T) {
	r := tinyBeside(t, map[string]string{
		"config.json":              `{"num_attention_heads": 2, "model_type": "dinov2", "image_size": 56}`,
		"preprocessor_config.json": `{"image_processor_type": "ViTImageProcessor", "do_resize": true, "size": {"height": 56, "width": 56}, "resample": 3, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}`,
	})
	if r.Code != exitDone {
		t.Fatalf("add: %s", r.Err)
	}
	oblong := func(ends color.Color) string {
		img := image.NewRGBA(image.Rect(0, 0, 300, 100))
		for y := range 100 {
			for x := range 300 {
				img.Set(x, y, color.RGBA{uint8(x), uint8(2 * y), 90, 255})
				if x < 80 || x >= 220 {
					img.Set(x, y, ends)
				}
			}
		}
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "oblong.png")
		program.WriteFile(t, file, b.Bytes())
		return file
	}
	red, blue := silentVector(t, oblong(color.RGBA{255, 0, 0, 255}), "mine"), silentVector(t, oblong(color.RGBA{0, 0, 255, 255}), "mine")
	if c := cosine(red, blue); c > .999 {
		t.Errorf("pictures that differ at their ends are embedded alike, cosine %.6f", c)
	}
}

// A list of means that is not of three channels is no description.
func TestMeansAreOfThreeChannels(t *testing.T) {
	for _, text := range []string{"[0.5]", "[0.5, 0.5]", "[0.5, 0.5, 0.5, 0.5]"} {
		if r := tinyBeside(t, map[string]string{"config.json": fmt.Sprintf(`{"num_attention_heads": 2, "pretrained_cfg": {"mean": %s, "std": [0.5, 0.5, 0.5]}}`, text)}); r.Code == exitDone {
			t.Errorf("mean %s: got %q, want a refusal", text, r.Out)
		}
	}
	folder := t.TempDir()
	program.WriteFile(t, filepath.Join(folder, "m.onnx"), []byte("a graph that is read when it embeds"))
	program.WriteFile(t, filepath.Join(folder, "m.json"), []byte(`{"name": "m", "input": {"name": "x", "width": 32, "height": 32, "layout": "nchw"}, "fit": "crop", "resample": "bicubic",
 "mean": [0.5], "std": [0.5, 0.5, 0.5], "output": {"name": "y", "pooling": "none"}, "normalise": "l2", "numeric_class": "float"}`))
	if r := silent(t, "model", "add", "one", filepath.Join(folder, "m.onnx")); r.Code == exitDone {
		t.Errorf("a description with one mean: got %q, want a refusal", r.Out)
	}
}

// A picture has the same embedding as JPEG and as the PNG of the same pixels:
// a decoder that leaves out what it thinks is not needed moves it.
func TestAJPEGIsEmbeddedAsItsPixels(t *testing.T) {
	race.Long(t)
	if r := tinyBeside(t, map[string]string{"config.json": `{"num_attention_heads": 2, "model_type": "dinov2", "image_size": 56}`}); r.Code != exitDone {
		t.Fatalf("add: %s", r.Err)
	}
	const width, height = 1536, 1024
	rings := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			r2 := float64((x-width/2)*(x-width/2) + (y-height/2)*(y-height/2))
			v := uint8(127 + 120*math.Sin(r2/900))
			rings.Set(x, y, color.RGBA{v, v, 255 - v, 255})
		}
	}
	var asJPEG, asPNG bytes.Buffer
	if err := jpeg.Encode(&asJPEG, rings, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	decoded, err := jpeg.Decode(bytes.NewReader(asJPEG.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	flat := image.NewRGBA(decoded.Bounds())
	for y := range height {
		for x := range width {
			flat.Set(x, y, decoded.At(x, y))
		}
	}
	if err := png.Encode(&asPNG, flat); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	first, second := filepath.Join(folder, "p.jpg"), filepath.Join(folder, "p.png")
	program.WriteFile(t, first, asJPEG.Bytes())
	program.WriteFile(t, second, asPNG.Bytes())
	if c := cosine(silentVector(t, first, "mine"), silentVector(t, second, "mine")); c < .99999 {
		t.Errorf("JPEG and PNG of one picture are at cosine %.6f", c)
	}
}
