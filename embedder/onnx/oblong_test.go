package onnx_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/onnx"
	"github.com/palate-art/palate/internal/onnxgraph"
)

// oblong is a model of 8×8 patches of pictures of any shape: one token before
// those of the patches, and a position embedding for each patch that comes in
// as a table. calls, if not nil, counts the tables that are computed.
func oblong(t testing.TB, calls *atomic.Int64) embedder.Model {
	g := patches([]onnxgraph.Dim{{Name: "batch"}, {Size: 3}, {Name: "height"}, {Name: "width"}}, false)
	g.Inputs = append(g.Inputs, onnxgraph.Value{Name: "positions", Type: onnxgraph.Float32, Shape: []onnxgraph.Dim{{Name: "tokens"}, {Size: 4}}})
	flat := g.Op("Reshape", "flat", []string{"patches", g.Const("shape", onnxgraph.Vector(0, 4, -1))})
	sequence := g.Op("Transpose", "sequence", []string{flat}, onnxgraph.Ints("perm", 0, 2, 1))
	placed := g.Op("Add", "placed", []string{sequence, "positions"})
	first := g.Op("Slice", "first", []string{placed, g.Const("zero", onnxgraph.Vector(0)), g.Const("one", onnxgraph.Vector(1)), g.Const("axis", onnxgraph.Vector(1))})
	g.Op("Concat", "out", []string{first, placed}, onnxgraph.Int("axis", 1))
	declare(g, []onnxgraph.Dim{{Name: "batch"}, {Name: "all"}, {Size: 4}})
	d := description("oblong", embedder.LayoutNCHW, embedder.PoolMeanPatches, embedder.FitWhole)
	d.Input.Width, d.Input.Height, d.Input.Multiple = 64, 64, 8
	d.Output.PrefixTokens = 1
	d.Identity = palate.ModelID(strings.Repeat("0b", 32))
	return embedder.Model{Graph: marshal(t, g), Description: d, Tables: func(width, height int) (map[string]embedder.Tensor, error) {
		if calls != nil {
			calls.Add(1)
		}
		columns, rows := width/8, height/8
		positions := embedder.Tensor{Shape: []int64{int64(columns * rows), 4}, Data: make([]float32, 4*columns*rows)}
		for i := range columns * rows {
			copy(positions.Data[4*i:], []float32{float32(i % columns), float32(i / columns), 1, 0})
		}
		return map[string]embedder.Tensor{"positions": positions}, nil
	}}
}

func openModel(t testing.TB, m embedder.Model, c onnx.Config) *onnx.Embedder {
	t.Helper()
	e, err := onnx.OpenModel(context.Background(), load(t), m, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// Tokens must belong to the patch whose area they claim: the convolution sees
// a picture that is light in one place only.
func TestPatchesCoverThePartOfThePictureThatTheyShow(t *testing.T) {
	e := openModel(t, oblong(t, nil), onnx.DefaultConfig())
	dark, light := image.NewGray(image.Rect(0, 0, 900, 450)), image.NewGray(image.Rect(0, 0, 900, 450))
	for y := 300; y < 310; y++ {
		for x := 130; x < 140; x++ {
			light.Pix[y*light.Stride+x] = 255
		}
	}
	var tokens [2]embedder.Patches
	for i, img := range []image.Image{dark, light} {
		in, err := e.Prepare(img)
		if err != nil {
			t.Fatal(err)
		}
		all, err := e.EmbedPatches(context.Background(), []embedder.Input{in})
		if err != nil {
			t.Fatal(err)
		}
		tokens[i] = all[0]
	}
	p := tokens[1]
	if p.Columns != 12 || p.Rows != 6 {
		t.Fatalf("got %d × %d patches", p.Columns, p.Rows)
	}
	changed := 0
	for i := range p.Tokens {
		if fmt.Sprint(p.Tokens[i]) == fmt.Sprint(tokens[0].Tokens[i]) {
			continue
		}
		changed++
		// The kernel of the resize reaches two input pixels beyond the spot.
		if a := p.Area(i%p.Columns, i/p.Columns); 900*a.MinX > 140+21 || 900*a.MaxX < 130-21 || 450*a.MinY > 310+19 || 450*a.MaxY < 300-19 {
			t.Errorf("the patch of %+v sees the light spot at (130, 300)", a)
		}
	}
	if changed == 0 {
		t.Error("no patch sees the light spot")
	}
}

func TestTablesAreComputedOnceForASize(t *testing.T) {
	var calls atomic.Int64
	e := openModel(t, oblong(t, &calls), onnx.DefaultConfig())
	var inputs []embedder.Input
	sizes := map[image.Point]bool{{64, 64}: true} // tried out when it was opened
	random := rand.New(rand.NewPCG(1, 1))
	for range 60 {
		in, err := e.Prepare(image.NewGray(image.Rect(0, 0, 1+random.IntN(300), 1+random.IntN(300))))
		if err != nil {
			t.Fatal(err)
		}
		inputs = append(inputs, in)
		sizes[image.Pt(in.Width, in.Height)] = true
	}
	if len(sizes) < 8 {
		t.Fatalf("the pictures have only %d sizes", len(sizes))
	}
	for range 2 {
		if _, err := e.Embed(context.Background(), inputs); err != nil {
			t.Fatal(err)
		}
	}
	if got := calls.Load(); got != int64(len(sizes)) {
		t.Errorf("got %d tables computed, want one for each of %d sizes", got, len(sizes))
	}
}

func TestTablesThatDoNotFitTheModel(t *testing.T) {
	errTable := errors.New("no table")
	for name, c := range map[string]struct {
		change func(m *embedder.Model)
		want   error
		text   string
	}{
		"missing": {func(m *embedder.Model) {
			m.Tables = func(int, int) (map[string]embedder.Tensor, error) { return nil, nil }
		}, palate.ErrInvalid, `input "positions" is missing`},
		"failing": {func(m *embedder.Model) {
			m.Tables = func(int, int) (map[string]embedder.Tensor, error) { return nil, errTable }
		}, errTable, "input of 64×64"},
		"no identity":    {func(m *embedder.Model) { m.Description.Identity = "" }, palate.ErrInvalid, "identity"},
		"none":           {func(m *embedder.Model) { m.Tables = nil }, palate.ErrInvalid, `"in", "positions"`},
		"a fixed input":  {func(m *embedder.Model) { m.Graph = marshal(t, fixedOblong()); m.Tables = nil }, palate.ErrInvalid, `fit "whole" wants free sides`},
		"no such output": {func(m *embedder.Model) { m.Description.Output.Patches.Name = "tokens" }, palate.ErrInvalid, `names "tokens"`},
	} {
		m := oblong(t, nil)
		c.change(&m)
		_, err := onnx.OpenModel(context.Background(), load(t), m, onnx.DefaultConfig())
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: got %v, want %v with %q", name, err, c.want, c.text)
		}
	}
}

func fixedOblong() *onnxgraph.Graph {
	g := patches(onnxgraph.Batched(3, 64, 64), false)
	g.Op("GlobalAveragePool", "out", []string{"patches"})
	return declare(g, onnxgraph.Batched(4, 1, 1))
}
