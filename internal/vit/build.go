package vit

import (
	"context"
	"errors"
	"fmt"

	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/onnxgraph"
)

// Build makes a model of its weights, with its graph as an ONNX file. Options
// that the model can't have, weights that are not finite or, for float16, too
// large for it, and a file beyond what the format holds are palate.ErrInvalid.
// The whole of the weights is in memory afterwards. It returns promptly with
// ctx's error once ctx is done.
func Build(ctx context.Context, file Tensors, a Architecture, o Options) (embedder.Model, error) {
	graph, m, err := build(ctx, file, a, o)
	if err == nil {
		m.Graph, err = graph.Marshal()
	}
	if err != nil {
		return embedder.Model{}, fmt.Errorf("build %s: %w", o.Fill(a).Name, err)
	}
	return m, nil
}

func build(ctx context.Context, file Tensors, a Architecture, o Options) (graph *onnxgraph.Model, m embedder.Model, err error) {
	sum, err := file.SHA256(ctx)
	if err != nil {
		return nil, m, err
	}
	if m.Description, err = Describe(sum, a, o); err != nil {
		return nil, m, err
	}
	if err := checkFile(file, a); err != nil {
		return nil, m, err
	}
	o = o.Fill(a)
	r := &reader{file: file, a: a}
	stored := tables{architecture: a, resampling: o.Resampling}
	if a.Positions {
		stored.stored = r.vector(-1, positions)
	}
	if a.tensors.has(periods) {
		stored.periods = r.vector(-1, periods)
	}
	for n := 0; a.RelativeBias && n < a.Depth; n++ {
		stored.relative = append(stored.relative, r.vector(n, relative))
	}
	if r.err != nil {
		return nil, m, r.err
	}
	w := newWriter(a, o)
	if err := w.placeTables(stored); err != nil {
		return nil, m, err
	}
	if o.free() {
		m.Tables = stored.at
	}
	var f form = &fusedForm{writer: w}
	if o.Form == Plain {
		f = &plainForm{writer: w}
	}
	if err := write(ctx, f, a.Depth, r); err != nil {
		return nil, m, err
	}
	graph = w.model()
	if w.err != nil {
		return nil, m, w.err
	}
	return graph, m, nil
}

// write writes a graph block by block, so that beside the graph only one
// block's weights are in memory.
func write(ctx context.Context, f form, depth int, r *reader) error {
	f.tokens(r)
	for n := range depth {
		b := r.block(n)
		if err := errors.Join(ctx.Err(), r.err); err != nil {
			return err
		}
		f.block(n, b)
	}
	f.finish(r)
	return r.err
}

// form writes a graph in its operators, from the picture to the outputs.
type form interface {
	tokens(r *reader)
	block(n int, b block)
	finish(r *reader)
}

// placeTables makes what depends on the grid of patches a constant, or an
// input where the grid is free.
func (w *writer) placeTables(t tables) error {
	all, err := t.at(w.o.Width, w.o.Height)
	if err != nil {
		return err
	}
	names := []string{positionName, cosineName, sineName}
	for n := range t.relative {
		names = append(names, relativeName(n))
	}
	for _, name := range names {
		table, found := all[name]
		if !found {
			continue
		}
		if !w.o.free() {
			w.constant(name, table.Shape, table.Data)
			continue
		}
		dims := onnxgraph.Fixed(table.Shape...)
		dims[len(dims)-2] = onnxgraph.Dim{Name: "tokens"}
		if len(dims) == 4 { // between every two tokens
			dims[3] = onnxgraph.Dim{Name: "tokens"}
		}
		w.Inputs = append(w.Inputs, onnxgraph.Value{Name: name, Type: onnxgraph.Float32, Shape: dims})
		if w.o.Precision == Float16 {
			w.tableNames[name] = w.cast(name+"/half", name, onnxgraph.Float16)
		}
	}
	return nil
}

// table is the value of a table in the graph's precision.
func (w *writer) table(name string) string {
	if own, found := w.tableNames[name]; found {
		return own
	}
	return name
}
