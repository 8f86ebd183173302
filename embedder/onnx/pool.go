package onnx

import (
	"context"
	"fmt"
	"math"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/ort"
)

// pool takes one vector for each of batch pictures from the output; they share its memory
// where they can.
func (e *Embedder) pool(out ort.Tensor, batch int) ([][]float32, error) {
	d := e.description.Output
	shape := out.Shape
	if d.Pooling == embedder.PoolMeanPlaces {
		return meanPlaces(d.Name, out, batch)
	}
	for d.Pooling == embedder.PoolNone && len(shape) > 2 && shape[len(shape)-1] == 1 {
		shape = shape[:len(shape)-1] // [batch, dim, 1, 1], as convolutional nets end
	}
	rank, wanted := 3, fmt.Sprintf("[%d, more than %d tokens, dim]", batch, d.PrefixTokens)
	if d.Pooling == embedder.PoolNone {
		rank, wanted = 2, fmt.Sprintf("[%d, dim]", batch)
	}
	if len(shape) != rank || shape[0] != int64(batch) || shape[rank-1] < 1 || rank == 3 && shape[1] <= int64(d.PrefixTokens) {
		return nil, fmt.Errorf("the model's output %q is %s, pooling %q wants %s: %w",
			d.Name, shapeText(out.Shape), d.Pooling, wanted, palate.ErrInvalid)
	}
	dim, each := int(shape[rank-1]), len(out.Data)/batch
	pooled := make([][]float32, batch)
	for i := range pooled {
		values := out.Data[i*each:][:each]
		if d.Pooling == embedder.PoolMeanPatches {
			pooled[i] = meanToken(values[d.PrefixTokens*dim:], dim)
		} else {
			pooled[i] = values[:dim:dim]
		}
	}
	return pooled, nil
}

// meanPlaces gives the mean over rows and columns of an output [batch, dim,
// rows, columns].
func meanPlaces(name string, out ort.Tensor, batch int) ([][]float32, error) {
	if len(out.Shape) != 4 || out.Shape[0] != int64(batch) || out.Shape[1] < 1 || out.Shape[2] < 1 || out.Shape[3] < 1 {
		return nil, fmt.Errorf("the model's output %q is %s, pooling %q wants [%d, dim, rows, columns]: %w",
			name, shapeText(out.Shape), embedder.PoolMeanPlaces, batch, palate.ErrInvalid)
	}
	dim, places := int(out.Shape[1]), int(out.Shape[2]*out.Shape[3])
	pooled := make([][]float32, batch)
	for i := range pooled {
		pooled[i] = make([]float32, dim)
		for d := range dim {
			sum := 0.0
			for _, v := range out.Data[(i*dim+d)*places:][:places] {
				sum += float64(v)
			}
			pooled[i][d] = float32(sum / float64(places))
		}
	}
	return pooled, nil
}

func meanToken(tokens []float32, dim int) []float32 {
	sum := make([]float64, dim)
	for i, v := range tokens {
		sum[i%dim] += float64(v)
	}
	mean := make([]float32, dim)
	for i, s := range sum {
		mean[i] = float32(s * float64(dim) / float64(len(tokens)))
	}
	return mean
}

// normalise gives v at L2 norm 1, in memory of its own.
func normalise(v []float32) (palate.Embedding, error) {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	norm := math.Sqrt(sum)
	if norm == 0 || math.IsNaN(norm) || math.IsInf(norm, 0) {
		return nil, fmt.Errorf("the model's output has norm %v: %w", norm, palate.ErrInvalid)
	}
	e := make(palate.Embedding, len(v))
	for i, x := range v {
		e[i] = float32(float64(x) / norm)
	}
	return e, nil
}

// EmbedPatches gives the tokens of each picture's patches: of the output that
// the description names for them, or of the one that the embedding is the
// mean of. A model without such an output is palate.ErrInvalid, and else the
// errors are those of Embed.
func (e *Embedder) EmbedPatches(ctx context.Context, inputs []embedder.Input) ([]embedder.Patches, error) {
	d := e.description.Output
	from := d.Patches
	if from.Name == "" {
		if d.Pooling != embedder.PoolMeanPatches {
			return nil, fmt.Errorf("patches of %s: its description names no output for them: %w", e.description.Name, palate.ErrInvalid)
		}
		from = embedder.PatchDescription{Name: d.Name, PrefixTokens: d.PrefixTokens}
	}
	patches := make([]embedder.Patches, len(inputs))
	err := e.each(ctx, inputs, from.Name, func(part []int, out ort.Tensor) error {
		for i, at := range part {
			p, err := cutPatches(out, i, from, inputs[at])
			if err != nil {
				return err
			}
			patches[at] = p
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("patches of %s: %w", e.description.Name, err)
	}
	return patches, nil
}

// cutPatches takes the i-th picture's tokens out of an output. Patches are
// square and cover the input, which says how many stand in a row.
func cutPatches(out ort.Tensor, i int, from embedder.PatchDescription, in embedder.Input) (embedder.Patches, error) {
	bad := func(why string) (embedder.Patches, error) {
		return embedder.Patches{}, fmt.Errorf("the model's output %q is %s for an input of %d×%d: %s: %w",
			from.Name, shapeText(out.Shape), in.Width, in.Height, why, palate.ErrInvalid)
	}
	if len(out.Shape) != 3 || int64(i) >= out.Shape[0] || out.Shape[1] <= int64(from.PrefixTokens) || out.Shape[2] < 1 {
		return bad(fmt.Sprintf("want [batch, more than %d tokens, dim]", from.PrefixTokens))
	}
	tokens, dim := int(out.Shape[1]), int(out.Shape[2])
	count := tokens - from.PrefixTokens
	side := int(math.Round(math.Sqrt(float64(in.Width*in.Height) / float64(count))))
	if side < 1 || in.Width%side != 0 || in.Height%side != 0 || in.Width/side*(in.Height/side) != count {
		return bad(fmt.Sprintf("%d square patches do not cover it", count))
	}
	p := embedder.Patches{Columns: in.Width / side, Rows: in.Height / side, Tokens: make([][]float32, count), Shown: in.Shown}
	for k := range p.Tokens {
		p.Tokens[k] = out.Data[((i*tokens)+from.PrefixTokens+k)*dim:][:dim:dim]
	}
	return p, nil
}
