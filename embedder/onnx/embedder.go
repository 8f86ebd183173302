package onnx

import (
	"context"
	"fmt"
	"image"
	"math"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/ort"
)

// Embedder is one ONNX model. It is safe for concurrent use.
type Embedder struct {
	session     *ort.Session
	description embedder.Description
	id          palate.ModelID
	provider    string
	dim         int
	maxBatch    int
	fixedBatch  int // the model's batch size where it is fixed, else 0
}

var _ embedder.Embedder = (*Embedder)(nil)

// Prepare is the description's.
func (e *Embedder) Prepare(img image.Image) (embedder.Input, error) {
	return e.description.Prepare(img)
}

// Dim is the length of every embedding.
func (e *Embedder) Dim() int { return e.dim }

// Model fingerprints the function.
func (e *Embedder) Model() palate.ModelID { return e.id }

// Name is the description's.
func (e *Embedder) Name() string { return e.description.Name }

// Provider is "cpu", or "cuda:" and the device's number.
func (e *Embedder) Provider() string { return e.provider }

// Description is what the model was opened with.
func (e *Embedder) Description() embedder.Description { return e.description }

// Close waits for the Embeds that are under way and frees the model. Later
// Embeds are palate.ErrInvalid; later Closes do nothing.
func (e *Embedder) Close() error { return e.session.Close() }

// Embed embeds prepared pictures, at most MaxBatch in one run of the model.
// An embedding that is not finite, or zero and so without a direction, is
// palate.ErrInvalid, as is an input that Prepare did not make.
func (e *Embedder) Embed(ctx context.Context, inputs []embedder.Input) ([]palate.Embedding, error) {
	if len(inputs) == 0 {
		return nil, nil
	}
	for i, in := range inputs {
		if err := e.check(in); err != nil {
			return nil, fmt.Errorf("embed with %s: input %d of %d: %w", e.description.Name, i, len(inputs), err)
		}
	}
	embeddings := make([]palate.Embedding, 0, len(inputs))
	for from := 0; from < len(inputs); from += e.maxBatch {
		part := inputs[from:min(from+e.maxBatch, len(inputs))]
		got, err := e.embed(ctx, part)
		if err != nil {
			return nil, fmt.Errorf("embed with %s: %w", e.description.Name, err)
		}
		embeddings = append(embeddings, got...)
	}
	return embeddings, nil
}

// embed is one run of the model.
func (e *Embedder) embed(ctx context.Context, inputs []embedder.Input) ([]palate.Embedding, error) {
	batch := max(len(inputs), e.fixedBatch)
	out, err := e.run(ctx, e.pack(inputs, batch))
	if err != nil {
		return nil, err
	}
	pooled, err := e.pool(out, batch)
	if err != nil {
		return nil, err
	}
	embeddings := make([]palate.Embedding, len(inputs))
	for i := range embeddings {
		if len(pooled[i]) != e.dim {
			return nil, fmt.Errorf("the model gave %d values and earlier %d: %w", len(pooled[i]), e.dim, palate.ErrInvalid)
		}
		if embeddings[i], err = normalise(pooled[i]); err != nil {
			return nil, fmt.Errorf("picture %d of %d: %w", i, len(inputs), err)
		}
	}
	return embeddings, nil
}

func (e *Embedder) run(ctx context.Context, input ort.Tensor) (ort.Tensor, error) {
	name := e.description.Output.Name
	out, err := e.session.Run(ctx, map[string]ort.Tensor{e.description.Input.Name: input}, []string{name})
	if err != nil {
		return ort.Tensor{}, err
	}
	return out[name], nil
}

// check refuses what Prepare does not make.
func (e *Embedder) check(in embedder.Input) error {
	want := e.description.Input
	if in.Channels != 3 || in.Height != want.Height || in.Width != want.Width {
		return fmt.Errorf("it is [%d, %d, %d], the model takes [3, %d, %d]: %w",
			in.Channels, in.Height, in.Width, want.Height, want.Width, palate.ErrInvalid)
	}
	if len(in.Pixels) != 3*in.Height*in.Width {
		return fmt.Errorf("it has %d pixel values, want %d: %w", len(in.Pixels), 3*in.Height*in.Width, palate.ErrInvalid)
	}
	for i, v := range in.Pixels {
		if v-v != 0 { // NaN or infinite: cheaper than asking for both
			return fmt.Errorf("pixel value %d is %v: %w", i, v, palate.ErrInvalid)
		}
	}
	return nil
}

// pack lays inputs into one tensor in the model's layout, zeros after them.
func (e *Embedder) pack(inputs []embedder.Input, batch int) ort.Tensor {
	if batch == 1 && e.description.Input.Layout == embedder.LayoutNCHW {
		return ort.Tensor{Shape: e.shape(1), Data: inputs[0].Pixels}
	}
	t := ort.Tensor{Shape: e.shape(int64(batch))}
	t.Data = make([]float32, product(t.Shape))
	for i, in := range inputs {
		out := t.Data[i*len(in.Pixels):][:len(in.Pixels)]
		if e.description.Input.Layout == embedder.LayoutNCHW {
			copy(out, in.Pixels)
			continue
		}
		plane := in.Height * in.Width
		for p := range plane {
			out[3*p], out[3*p+1], out[3*p+2] = in.Pixels[p], in.Pixels[plane+p], in.Pixels[2*plane+p]
		}
	}
	return t
}

// pool takes one vector per picture from the output; they share its memory
// where they can.
func (e *Embedder) pool(out ort.Tensor, batch int) ([][]float32, error) {
	d := e.description.Output
	shape := out.Shape
	for d.Pooling == embedder.PoolNone && len(shape) > 2 && shape[len(shape)-1] == 1 {
		shape = shape[:len(shape)-1] // [batch, dim, 1, 1], as convolutional nets end
	}
	rank := 3
	if d.Pooling == embedder.PoolNone {
		rank = 2
	}
	if len(shape) != rank || shape[0] != int64(batch) || shape[rank-1] < 1 || rank == 3 && shape[1] <= int64(d.PrefixTokens) {
		return nil, fmt.Errorf("the model's output %q is %s for %d pictures, pooling %q wants %s: %w",
			d.Name, shapeText(out.Shape), batch, d.Pooling, wantedShape(d, batch), palate.ErrInvalid)
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

func wantedShape(d embedder.OutputDescription, batch int) string {
	if d.Pooling == embedder.PoolNone {
		return fmt.Sprintf("[%d, dim]", batch)
	}
	return fmt.Sprintf("[%d, more than %d tokens, dim]", batch, d.PrefixTokens)
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
