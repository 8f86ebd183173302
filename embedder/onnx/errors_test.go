package onnx_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/baseline"
	"github.com/palate-art/palate/embedder/onnx"
	"github.com/palate-art/palate/internal/onnxgraph"
	"github.com/palate-art/palate/internal/ort"
)

// whole is a model that fits its description.
func whole() (*onnxgraph.Graph, embedder.Description) {
	f := foreignModels["features, batch of any size"]
	return f.graph(), f.description
}

func TestModelAndDescriptionThatDisagreeAreRefusedWithBothNamed(t *testing.T) {
	type graph = onnxgraph.Graph
	type desc = embedder.Description
	tests := []struct {
		name   string
		change func(g *graph, d *desc, c *onnx.Config)
		want   []string
	}{
		{"another input name", func(_ *graph, d *desc, _ *onnx.Config) { d.Input.Name = "pixel_values" }, []string{`"in"`, `"pixel_values"`}},
		{"another output name", func(_ *graph, d *desc, _ *onnx.Config) { d.Output.Name = "pooler" }, []string{`"out"`, `"pooler"`}},
		{"another size", func(_ *graph, d *desc, _ *onnx.Config) { d.Input.Width, d.Input.Height = 48, 48 }, []string{"[?, 3, 32, 32]", "[?, 3, 48, 48] (nchw)"}},
		{"another layout", func(_ *graph, d *desc, _ *onnx.Config) { d.Input.Layout = embedder.LayoutNHWC }, []string{"[?, 3, 32, 32]", "[?, 32, 32, 3] (nhwc)"}},
		{"another pooling", func(_ *graph, d *desc, _ *onnx.Config) { d.Output.Pooling = embedder.PoolClass }, []string{`"out" is [1, 4, 1, 1]`, `pooling "cls" wants [1, more than 0 tokens, dim]`}},
		{"a second input", func(g *graph, _ *desc, _ *onnx.Config) {
			g.Inputs = append(g.Inputs, onnxgraph.Value{Name: "mask", Type: onnxgraph.Float32, Shape: onnxgraph.Fixed(1)})
		}, []string{`"in", "mask"`, `"in" alone`}},
		{"an input of another type", func(g *graph, _ *desc, _ *onnx.Config) {
			g.Inputs[0].Type = onnxgraph.Float64
			g.Nodes[0].Inputs[0] = "real"
			cast := onnxgraph.Node{Op: "Cast", Inputs: []string{"in"}, Outputs: []string{"real"}, Attributes: []onnxgraph.Attribute{onnxgraph.Int("to", 1)}}
			g.Nodes = slices.Insert(g.Nodes, 0, cast)
		}, []string{`input "in" is float64`, "float32"}},
		{"a model that fails when it runs", func(g *graph, _ *desc, _ *onnx.Config) {
			g.Inputs[0].Shape = onnxgraph.Batched(3, 32, 32)
			g.Op("Reshape", "bad", []string{"patches", g.Const("wrong", onnxgraph.Vector(7, 11))})
			g.Outputs = append(g.Outputs, onnxgraph.Value{Name: "bad", Type: onnxgraph.Float32})
		}, []string{"try it out", `"in"`, "[1, 3, 32, 32]"}},
		{"an invalid description", func(_ *graph, d *desc, _ *onnx.Config) { d.Fit = "squash" }, []string{`fit "squash"`}},
		{"an invalid configuration", func(_ *graph, _ *desc, c *onnx.Config) { c.MaxBatch, c.IntraOpThreads = -2, -1 }, []string{"max batch -2", "-1 threads"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g, d := whole()
			c := onnx.DefaultConfig()
			test.change(g, &d, &c)
			_, err := onnx.Open(context.Background(), load(t), marshal(t, g), d, c)
			if !errors.Is(err, palate.ErrInvalid) {
				t.Fatalf("got %v, want palate.ErrInvalid", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q in it", err, want)
				}
			}
		})
	}
}

func TestHostileFilesAreInvalid(t *testing.T) {
	r := load(t)
	g, d := whole()
	good := marshal(t, g)
	files := map[string][]byte{"empty": nil, "text": []byte("not a model"), "zeros": make([]byte, 4096), "an HTML page": []byte("<!DOCTYPE html><html></html>")}
	for _, cut := range []int{1, 10, len(good) / 4, len(good) / 2, len(good) - 200} {
		files[fmt.Sprintf("cut after %d bytes", cut)] = good[:cut]
	}
	random := rand.New(rand.NewPCG(1, 2))
	for name, file := range files {
		if e, err := onnx.Open(context.Background(), r, file, d, onnx.DefaultConfig()); err == nil {
			t.Errorf("%s: opened", name)
			e.Close()
		} else if !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s: got %v, want palate.ErrInvalid", name, err)
		}
	}
	for range 60 { // broken weights may open; nothing may crash
		file := slices.Clone(good)
		for range 3 {
			file[random.IntN(len(file))] ^= byte(1 << random.IntN(8))
		}
		if e, err := onnx.Open(context.Background(), r, file, d, onnx.DefaultConfig()); err == nil {
			e.Close()
		}
	}
}

func TestOpenFileReadsTheDescriptionBesideTheModel(t *testing.T) {
	dir := t.TempDir()
	g, d := whole()
	model := marshal(t, g)
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	path := write("art.model.onnx", model)
	write("art.model.json", text)
	e, err := onnx.OpenFile(context.Background(), load(t), path, "", onnx.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if direct := open(t, model, d, onnx.DefaultConfig()); e.Model() != direct.Model() || e.Dim() != 4 || e.Name() != "features" || e.Provider() != "cpu" {
		t.Errorf("got model %s of dim %d, name %s, provider %s", e.Model(), e.Dim(), e.Name(), e.Provider())
	}

	bare := write("bare.onnx", model)
	broken := write("broken.onnx", model)
	write("broken.json", text[:len(text)/2])
	cut := write("cut.onnx", model[:len(model)/2])
	write("cut.json", text)
	write("folder.json", text)
	folder := filepath.Join(dir, "folder.onnx")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		filepath.Join(dir, "none.onnx"): palate.ErrNotFound, bare: palate.ErrNotFound,
		broken: palate.ErrInvalid, cut: palate.ErrInvalid, folder: palate.ErrInvalid,
	} {
		_, err := onnx.OpenFile(context.Background(), load(t), path, "", onnx.DefaultConfig())
		if !errors.Is(err, want) || !strings.Contains(err.Error(), strings.TrimSuffix(path, ".onnx")) {
			t.Errorf("%s: got %v, want %v with the path", filepath.Base(path), err, want)
		}
	}
}

func TestTheFilesHashIsPartOfAForeignModelsFingerprint(t *testing.T) {
	g, d := whole()
	first := open(t, marshal(t, g), d, onnx.DefaultConfig()).Model()
	g.Initialisers[0].Raw[0] ^= 1
	if second := open(t, marshal(t, g), d, onnx.DefaultConfig()).Model(); second == first {
		t.Error("other weights: got the same fingerprint")
	}
	d.Identity = "f00d"
	if got := open(t, marshal(t, g), d, onnx.DefaultConfig()).Model(); got != "f00d" {
		t.Errorf("got %s, want the identity that the description brings", got)
	}
}

// Poolings are compared with the same arithmetic done here on the graph's
// own tokens.
func TestPoolingsTakeWhatTheySay(t *testing.T) {
	tokensOf := func() (*onnxgraph.Graph, embedder.Description) {
		f := foreignModels["mean of patches, batch of one"]
		return f.graph(), f.description
	}
	g, d := tokensOf()
	in, err := d.Prepare(image.NewGray(image.Rect(0, 0, 40, 30)))
	if err != nil {
		t.Fatal(err)
	}
	for i := range in.Pixels {
		in.Pixels[i] = float32(i%23)/10 - 1
	}
	session, err := load(t).NewSession(marshal(t, g), ort.DefaultSessionConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	out, err := session.Run(context.Background(), map[string]ort.Tensor{"in": {Shape: []int64{1, 3, 32, 32}, Data: in.Pixels}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	tokens := out["out"].Data // [1, 16, 4]
	for _, test := range []struct {
		pooling embedder.Pooling
		prefix  int
		from    int
		to      int
	}{{embedder.PoolClass, 0, 0, 1}, {embedder.PoolMeanPatches, 0, 0, 16}, {embedder.PoolMeanPatches, 5, 5, 16}, {embedder.PoolMeanPatches, 15, 15, 16}} {
		d.Output.Pooling, d.Output.PrefixTokens = test.pooling, test.prefix
		got, err := open(t, marshal(t, g), d, onnx.DefaultConfig()).Embed(context.Background(), []embedder.Input{in})
		if err != nil {
			t.Fatal(err)
		}
		var want [4]float64
		var norm float64
		for i := range want {
			for token := test.from; token < test.to; token++ {
				want[i] += float64(tokens[4*token+i])
			}
			norm += want[i] * want[i]
		}
		for i := range want {
			if want := want[i] / math.Sqrt(norm); math.Abs(float64(got[0][i])-want) > 1e-6 {
				t.Errorf("%s after %d: got %v at %d, want %v", test.pooling, test.prefix, got[0][i], i, want)
			}
		}
	}
	d.Output.PrefixTokens = 16
	if _, err := onnx.Open(context.Background(), load(t), marshal(t, g), d, onnx.DefaultConfig()); !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), "more than 16 tokens") {
		t.Errorf("no token left: got %v, want palate.ErrInvalid", err)
	}
}

func TestAnOutputWithoutADirectionIsInvalid(t *testing.T) {
	for name, factor := range map[string]float32{"zero": 0, "not a number": float32(math.NaN()), "infinite": float32(math.Inf(1))} {
		g, d := whole()
		last := &g.Nodes[len(g.Nodes)-1]
		last.Name, last.Outputs[0] = "pooled", "pooled"
		g.Op("Mul", "out", []string{"pooled", g.Const("factor", onnxgraph.Scalar(factor))})
		e := open(t, marshal(t, g), d, onnx.DefaultConfig())
		in, err := e.Prepare(image.NewGray(image.Rect(0, 0, 4, 4)))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := e.Embed(context.Background(), []embedder.Input{in}); got != nil || !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s: got %v and %v, want palate.ErrInvalid", name, got, err)
		}
	}
}

func TestAClosedEmbedderSaysSo(t *testing.T) {
	model, d := baseline.Model()
	e, err := onnx.Open(context.Background(), load(t), model, d, onnx.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	in, err := e.Prepare(image.NewGray(image.Rect(0, 0, 4, 4)))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := e.Close(); err != nil {
			t.Errorf("got %v, want no error however often", err)
		}
	}
	if _, err := e.Embed(context.Background(), []embedder.Input{in}); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("got %v, want palate.ErrInvalid", err)
	}
}
