package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/onnxgraph"
	"github.com/palate-art/palate/test/program"
)

// smallGraph is a model without a head: [batch, 3, 16, 16] to [batch, 2, 2, 2].
func smallGraph(t *testing.T, element onnxgraph.ElementType) []byte {
	t.Helper()
	g := &onnxgraph.Graph{Name: "small", Inputs: []onnxgraph.Value{{Name: "pixel_values", Type: element, Shape: onnxgraph.Batched(3, 16, 16)}}}
	weights := make([]float32, 2*3*8*8)
	for i := range weights {
		weights[i] = float32(i%7) - 3
	}
	g.Op("Conv", "map", []string{"pixel_values", g.Const("weights", onnxgraph.Float32s([]int64{2, 3, 8, 8}, weights))}, onnxgraph.Ints("strides", 8, 8))
	g.Outputs = []onnxgraph.Value{{Name: "map", Type: onnxgraph.Float32, Shape: onnxgraph.Batched(2, 2, 2)}}
	file, err := onnxgraph.NewModel(g, 17).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// A description has what the graph tells and leaves the rest open: it can't
// be used before somebody has filled it in, and is never written over.
func TestDescribeAnONNXModel(t *testing.T) {
	t.Setenv("PALATE_MODELS", t.TempDir())
	folder := t.TempDir()
	model, description := filepath.Join(folder, "net.onnx"), filepath.Join(folder, "net.json")
	program.WriteFile(t, model, smallGraph(t, onnxgraph.Float32))
	said := program.MustRun(t, "model", "describe", folder)
	if !strings.Contains(said, `"pixel_values" (float32 [-1 3 16 16])`) || !strings.Contains(said, "mean and std stand in no graph") {
		t.Errorf("got %q", said)
	}
	text := string(program.ReadFile(t, description))
	for _, want := range []string{`"name": "pixel_values"`, `"width": 16`, `"layout": "nchw"`, `"pooling": "mean_places"`} {
		if !strings.Contains(text, want) {
			t.Errorf("got %s, want %s in it", text, want)
		}
	}
	program.MustFail(t, exitFailed, []string{"fit", "resample", "std[0]"}, "model", "add", "net", model)
	program.MustFail(t, exitFailed, []string{"is there already"}, "model", "describe", model)
	filled := strings.NewReplacer(`"fit": ""`, `"fit": "crop", "crop_ratio": 0.875`, `"resample": ""`, `"resample": "bicubic"`).Replace(text)
	at := strings.Index(filled, `"std"`)
	filled = filled[:at] + strings.Replace(filled[at:], "0,\n    0,\n    0", "0.5, 0.5, 0.5", 1)
	program.WriteFile(t, description, []byte(filled))
	if said := program.MustRun(t, "model", "add", "net", model); !strings.Contains(said, "net is added") {
		t.Errorf("got %q", said)
	}

	half, double := filepath.Join(folder, "half.onnx"), filepath.Join(folder, "double.onnx")
	program.WriteFile(t, half, smallGraph(t, onnxgraph.Float16))
	if said := program.MustRun(t, "model", "describe", half); !strings.Contains(said, `"pixel_values" (float16 [-1 3 16 16])`) {
		t.Errorf("got %q", said)
	}
	program.WriteFile(t, double, smallGraph(t, onnxgraph.Float64))
	program.MustFail(t, exitFailed, []string{"float64", "want float32"}, "model", "describe", double)
}

// A file of tensors is described as it would be read, or refused as it would
// be.
func TestDescribeTensors(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "model.safetensors")
	program.WriteFile(t, file, program.ReadFile(t, program.TinyModel))
	program.MustFail(t, exitFailed, []string{"--heads"}, "model", "describe", file)
	program.WriteFile(t, filepath.Join(folder, "config.json"), []byte(`{"num_attention_heads": 2}`))
	if said := program.MustRun(t, "model", "describe", folder); !strings.Contains(said, "2 heads") || !strings.Contains(said, "guessed") {
		t.Errorf("got %q", said)
	}
}
