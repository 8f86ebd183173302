package onnx

import (
	"context"
	"errors"
	"fmt"
	"image"
	"sync"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/picture"
)

// runner is what is needed of an ort.Session. Tests put sessions of little
// memory in its place.
type runner interface {
	Run(ctx context.Context, inputs map[string]ort.Tensor, outputs []string) (map[string]ort.Tensor, error)
	Inputs() []ort.IOInfo
	Outputs() []ort.IOInfo
	Close() error
}

var _ runner = (*ort.Session)(nil)

// Embedder is one ONNX model. It is safe for concurrent use.
type Embedder struct {
	session     runner
	description embedder.Description
	device      ort.Choice
	tables      *tableCache // nil where the picture is the only input
	dim         int
	fixedBatch  int // the model's batch size where it is fixed, else 0
	batch       batchLimit

	tuning   sync.Mutex
	findSize bool // Config.MaxBatch left the batch size to be found, and it isn't yet

	// alone is held for reading by every run, and for writing by one that
	// found too little memory beside the others.
	alone sync.RWMutex
}

var (
	_ embedder.Embedder      = (*Embedder)(nil)
	_ embedder.PatchEmbedder = (*Embedder)(nil)
)

func newEmbedder(session runner, m embedder.Model, device ort.Choice, c Config) *Embedder {
	e := &Embedder{session: session, description: m.Description, device: device, findSize: c.MaxBatch == 0}
	e.batch.limit = c.MaxBatch
	switch {
	case !e.findSize:
	case device.Kind == ort.DeviceCPU:
		e.batch.limit = 1
	default:
		e.batch.limit = untunedBatch
	}
	if m.Tables != nil {
		e.tables = newTableCache(m.Tables)
	}
	return e
}

// Prepare is the description's.
func (e *Embedder) Prepare(img image.Image) (embedder.Input, error) {
	return e.description.Prepare(img)
}

// Batch is how many pictures one run may take: what Config or Pipeline said,
// or less after runs for which there was too little memory.
func (e *Embedder) Batch() int { return e.batch.get() }

// Reading is the description's.
func (e *Embedder) Reading() picture.Reading { return e.description.Reading() }

// Dim is the length of every embedding.
func (e *Embedder) Dim() int { return e.dim }

// Model fingerprints the function.
func (e *Embedder) Model() palate.ModelID { return e.description.Identity }

// Name is the description's.
func (e *Embedder) Name() string { return e.description.Name }

// Provider is "cpu", or "cuda:" and the device's number.
func (e *Embedder) Provider() string { return e.device.String() }

// Device says what computes and, where that was left open, why.
func (e *Embedder) Device() ort.Choice { return e.device }

// Description is what the model was opened with.
func (e *Embedder) Description() embedder.Description { return e.description }

// Close waits for the Embeds that are under way and frees the model. Later
// Embeds are palate.ErrInvalid; later Closes do nothing.
func (e *Embedder) Close() error { return e.session.Close() }

// Embed embeds prepared pictures, those of one shape together, as many in one
// run of the model as the batch limit lets. Where the device has too little
// memory for a run the limit is halved, for good, and the run repeated; only
// a single picture that has no room is an error, palate.ErrUnavailable. An
// embedding that is not finite, or zero and so without a direction, is
// palate.ErrInvalid, as is an input that Prepare did not make.
func (e *Embedder) Embed(ctx context.Context, inputs []embedder.Input) ([]palate.Embedding, error) {
	if len(inputs) == 0 {
		return nil, nil
	}
	embeddings := make([]palate.Embedding, len(inputs))
	err := e.each(ctx, inputs, e.description.Output.Name, func(part []int, out ort.Tensor) error {
		pooled, err := e.pool(out, max(len(part), e.fixedBatch))
		if err != nil {
			return err
		}
		for i, at := range part {
			if len(pooled[i]) != e.dim {
				return fmt.Errorf("the model gave %d values and earlier %d: %w", len(pooled[i]), e.dim, palate.ErrInvalid)
			}
			if embeddings[at], err = normalise(pooled[i]); err != nil {
				return fmt.Errorf("picture %d of %d: %w", at, len(inputs), err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("embed with %s: %w", e.description.Name, err)
	}
	return embeddings, nil
}

// each runs the model on all inputs and gives take one output at a time,
// with the places that its pictures have among the inputs.
func (e *Embedder) each(ctx context.Context, inputs []embedder.Input, output string, take func(part []int, out ort.Tensor) error) error {
	for i, in := range inputs {
		if err := e.description.Check(in); err != nil {
			return fmt.Errorf("input %d of %d: %w", i, len(inputs), err)
		}
	}
	for _, group := range byShape(inputs) {
		for len(group) > 0 {
			part := group[:min(len(group), e.batch.get())]
			batch := make([]embedder.Input, len(part))
			for i, at := range part {
				batch[i] = inputs[at]
			}
			out, err := e.runBeside(ctx, batch, output)
			if errors.Is(err, ort.ErrOutOfMemory) && e.fixedBatch == 0 && e.batch.halve(len(part)) {
				continue
			}
			if err == nil {
				err = take(part, out)
			}
			if err != nil {
				return err
			}
			group = group[len(part):]
		}
	}
	return nil
}

// runBeside is run beside other runs. A batch that can't be made smaller gets
// a second chance with the device to itself.
func (e *Embedder) runBeside(ctx context.Context, inputs []embedder.Input, output string) (ort.Tensor, error) {
	out, err := func() (ort.Tensor, error) {
		e.alone.RLock()
		defer e.alone.RUnlock()
		return e.run(ctx, inputs, output)
	}()
	if !errors.Is(err, ort.ErrOutOfMemory) || len(inputs) > 1 && e.fixedBatch == 0 {
		return out, err
	}
	e.alone.Lock()
	defer e.alone.Unlock()
	return e.run(ctx, inputs, output)
}

// run is one run of the model on pictures of one shape.
func (e *Embedder) run(ctx context.Context, inputs []embedder.Input, output string) (ort.Tensor, error) {
	feeds := map[string]ort.Tensor{e.description.Input.Name: e.pack(inputs)}
	if e.tables != nil {
		tables, err := e.tables.get(inputs[0].Width, inputs[0].Height)
		if err != nil {
			return ort.Tensor{}, err
		}
		for name, t := range tables {
			feeds[name] = t
		}
	}
	out, err := e.session.Run(ctx, feeds, []string{output})
	if err != nil {
		return ort.Tensor{}, err
	}
	return out[output], nil
}

// byShape gives the places of inputs of one shape together, the shapes in
// order of their first input.
func byShape(inputs []embedder.Input) [][]int {
	type shape struct{ height, width int }
	var groups [][]int
	at := map[shape]int{}
	for i, in := range inputs {
		s := shape{in.Height, in.Width}
		g, seen := at[s]
		if !seen {
			g = len(groups)
			at[s], groups = g, append(groups, nil)
		}
		groups[g] = append(groups[g], i)
	}
	return groups
}

// pack lays inputs into one tensor in the model's layout; where the batch
// size is fixed, zeros after them.
func (e *Embedder) pack(inputs []embedder.Input) ort.Tensor {
	batch := max(len(inputs), e.fixedBatch)
	t := ort.Tensor{Shape: e.shape(int64(batch), inputs[0].Width, inputs[0].Height)}
	if batch == 1 && e.description.Input.Layout == embedder.LayoutNCHW {
		t.Data = inputs[0].Pixels
		return t
	}
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
