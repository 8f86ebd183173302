// Package onnx runs an ONNX image model, described by an
// embedder.Description, as an embedder.Embedder through ONNX Runtime.
package onnx

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/ort"
)

// fitInput holds the declared inputs against the description.
func (e *Embedder) fitInput() error {
	in := e.description.Input
	inputs := e.session.Inputs()
	picture := slices.IndexFunc(inputs, func(i ort.IOInfo) bool { return i.Name == in.Name })
	if picture < 0 || len(inputs) != 1 && e.tables == nil {
		return fmt.Errorf("the model's inputs are %s, the description names %q alone: %w", names(inputs), in.Name, palate.ErrInvalid)
	}
	switch kind := inputs[picture].ElementType; kind {
	case ort.Float32, ort.Float16:
	case ort.Uint8: // such a graph brings values from 0 to 255 to mean and deviation itself
		for c := range 3 {
			if d := e.description; d.Mean[c] != 0 || math.Abs(d.Std[c]*255-1) > 1e-6 {
				return fmt.Errorf("the model's input %q is uint8, values from 0 to 255: its description has mean [0, 0, 0] and std three times 0.00392156862745098 (1/255), not %v and %v: %w", in.Name, d.Mean, d.Std, palate.ErrInvalid)
			}
		}
	default:
		return fmt.Errorf("the model's input %q is %s, want %s, %s or %s: %w", in.Name, kind, ort.Float32, ort.Float16, ort.Uint8, palate.ErrInvalid)
	}
	declared := inputs[picture].Shape
	if declared == nil {
		return nil // the model says nothing; trying it out will tell
	}
	free := e.description.Fit == embedder.FitWhole
	want := e.shape(-1, in.Width, in.Height)
	fits := len(declared) == len(want)
	for i := 1; fits && i < len(want); i++ {
		fits = declared[i] < 0 || declared[i] == want[i] && (!free || want[i] == 3)
	}
	if !fits && free {
		return fmt.Errorf("the model's input %q is %s, fit %q wants free sides; for a model of one size there are %q and %q: %w",
			in.Name, shapeText(declared), embedder.FitWhole, embedder.FitPad, embedder.FitCrop, palate.ErrInvalid)
	}
	if !fits || declared[0] == 0 {
		return fmt.Errorf("the model's input %q is %s, the description makes it %s (%s): %w",
			in.Name, shapeText(declared), shapeText(want), in.Layout, palate.ErrInvalid)
	}
	if declared[0] > 0 {
		e.fixedBatch = int(declared[0])
		e.batch.limit = e.fixedBatch
	}
	return nil
}

// fitOutputs holds the declared outputs against the description.
func (e *Embedder) fitOutputs() error {
	wanted := []string{e.description.Output.Name}
	if patches := e.description.Output.Patches.Name; patches != "" {
		wanted = append(wanted, patches)
	}
	outputs := e.session.Outputs()
	for _, name := range wanted {
		i := slices.IndexFunc(outputs, func(o ort.IOInfo) bool { return o.Name == name })
		if i < 0 {
			return fmt.Errorf("the model's outputs are %s, the description names %q: %w", names(outputs), name, palate.ErrInvalid)
		}
		if outputs[i].ElementType != ort.Float32 {
			return fmt.Errorf("the model's output %q is %s, want %s: %w", name, outputs[i].ElementType, ort.Float32, palate.ErrInvalid)
		}
	}
	return nil
}

// tryOut learns the length of the embeddings.
func (e *Embedder) tryOut(ctx context.Context) error {
	in := e.description.Input
	black := embedder.Input{Channels: 3, Height: in.Height, Width: in.Width, Pixels: make([]float32, 3*in.Height*in.Width)}
	out, err := e.run(ctx, []embedder.Input{black}, e.description.Output.Name)
	if err != nil {
		if ctx.Err() == nil && e.device.Kind == ort.DeviceCPU && !errors.Is(err, palate.ErrInvalid) && !errors.Is(err, ort.ErrOutOfMemory) {
			err = fmt.Errorf("%w: %w", palate.ErrInvalid, err) // elsewhere the device may be at fault
		}
		batch := int64(max(1, e.fixedBatch))
		return fmt.Errorf("try it out on input %q of %s: %w", in.Name, shapeText(e.shape(batch, in.Width, in.Height)), err)
	}
	pooled, err := e.pool(out, max(1, e.fixedBatch))
	if err != nil {
		return err
	}
	e.dim = len(pooled[0])
	return nil
}

// shape is the input's for so many pictures of width × height.
func (e *Embedder) shape(batch int64, width, height int) []int64 {
	if e.description.Input.Layout == embedder.LayoutNHWC {
		return []int64{batch, int64(height), int64(width), 3}
	}
	return []int64{batch, 3, int64(height), int64(width)}
}

func product(shape []int64) int64 {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	return n
}

func names(infos []ort.IOInfo) string {
	quoted := make([]string, len(infos))
	for i, info := range infos {
		quoted[i] = fmt.Sprintf("%q", info.Name)
	}
	return strings.Join(quoted, ", ")
}

// shapeText writes a shape with ? for a dimension of any size.
func shapeText(shape []int64) string {
	dims := make([]string, len(shape))
	for i, d := range shape {
		dims[i] = fmt.Sprint(d)
		if d < 0 {
			dims[i] = "?"
		}
	}
	return "[" + strings.Join(dims, ", ") + "]"
}
