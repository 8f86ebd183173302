// Package onnx runs an ONNX image model, described by an
// embedder.Description, as an embedder.Embedder through ONNX Runtime.
package onnx

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/ort"
)

// maxDescriptionBytes and maxModelBytes bound what OpenFile reads. ONNX files
// are protobuf messages, which end at 2 GiB.
const (
	maxDescriptionBytes = 1 << 20
	maxModelBytes       = 1<<31 - 1
)

// Open loads a model and runs it once, on a black picture, to see that it
// gives what the description says. A model or description that can't be used
// is palate.ErrInvalid and the text names what the model declares beside what
// the description says; a device that can't be had is palate.ErrUnavailable.
// The caller may reuse model and must Close the embedder.
func Open(ctx context.Context, runtime *ort.Runtime, model []byte, d embedder.Description, c Config) (*Embedder, error) {
	if err := errors.Join(d.Validate(), c.Validate()); err != nil {
		return nil, fmt.Errorf("open model: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("open model %s: %w", d.Name, err)
	}
	session, err := runtime.NewSession(model, c.session())
	if err != nil {
		return nil, fmt.Errorf("open model %s: %w", d.Name, err)
	}
	e := &Embedder{session: session, description: d, id: d.Identity, provider: provider(c.Device), maxBatch: c.MaxBatch}
	if e.id == "" {
		e.id = embedder.Fingerprint(sha256.Sum256(model), d)
	}
	err = e.fitInput()
	if err == nil {
		err = e.fitOutput()
	}
	if err == nil {
		err = e.tryOut(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open model %s: %w", d.Name, err), session.Close())
	}
	return e, nil
}

// OpenFile opens a model file, such as art.onnx, with the description beside
// it, art.json. A file that is not there is palate.ErrNotFound. Weights must
// be in the model's file: external data is refused by ONNX Runtime.
func OpenFile(ctx context.Context, runtime *ort.Runtime, path string, c Config) (*Embedder, error) {
	text, err := readFile(strings.TrimSuffix(path, filepath.Ext(path))+".json", maxDescriptionBytes)
	if err != nil {
		return nil, fmt.Errorf("read the description of model %s: %w", path, err)
	}
	d, err := embedder.ParseDescription(text)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", path, err)
	}
	model, err := readFile(path, maxModelBytes)
	if err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	e, err := Open(ctx, runtime, model, d, c)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", path, err)
	}
	return e, nil
}

func readFile(path string, maxBytes int64) ([]byte, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", palate.ErrNotFound, err)
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxBytes {
		return nil, fmt.Errorf("%s is no file of at most %d bytes: %w", path, maxBytes, palate.ErrInvalid)
	}
	return os.ReadFile(path)
}

func provider(d ort.Device) string {
	if d.Kind == ort.DeviceCUDA {
		return fmt.Sprintf("%s:%d", ort.DeviceCUDA, d.Index)
	}
	return ort.DeviceCPU
}

// fitInput holds the declared inputs against the description.
func (e *Embedder) fitInput() error {
	in := e.description.Input
	inputs := e.session.Inputs()
	if len(inputs) != 1 || inputs[0].Name != in.Name {
		return fmt.Errorf("the model's inputs are %s, the description names %q alone: %w", names(inputs), in.Name, palate.ErrInvalid)
	}
	if inputs[0].ElementType != ort.Float32 {
		return fmt.Errorf("the model's input %q is %s, want %s: %w", in.Name, inputs[0].ElementType, ort.Float32, palate.ErrInvalid)
	}
	declared := inputs[0].Shape
	if declared == nil {
		return nil // the model says nothing; trying it out will tell
	}
	want := e.shape(-1)
	fits := len(declared) == len(want)
	for i := 1; fits && i < len(want); i++ {
		fits = declared[i] < 0 || declared[i] == want[i]
	}
	if !fits || declared[0] == 0 {
		return fmt.Errorf("the model's input %q is %s, the description makes it %s (%s): %w",
			in.Name, shapeText(declared), shapeText(want), in.Layout, palate.ErrInvalid)
	}
	if declared[0] > 0 {
		e.fixedBatch = int(declared[0])
		e.maxBatch = e.fixedBatch
	}
	return nil
}

// fitOutput holds the declared outputs against the description.
func (e *Embedder) fitOutput() error {
	out := e.description.Output
	outputs := e.session.Outputs()
	i := slices.IndexFunc(outputs, func(o ort.IOInfo) bool { return o.Name == out.Name })
	if i < 0 {
		return fmt.Errorf("the model's outputs are %s, the description names %q: %w", names(outputs), out.Name, palate.ErrInvalid)
	}
	if outputs[i].ElementType != ort.Float32 {
		return fmt.Errorf("the model's output %q is %s, want %s: %w", out.Name, outputs[i].ElementType, ort.Float32, palate.ErrInvalid)
	}
	return nil
}

// tryOut learns the length of the embeddings.
func (e *Embedder) tryOut(ctx context.Context) error {
	batch := max(1, e.fixedBatch)
	shape := e.shape(int64(batch))
	pixels := make([]float32, product(shape))
	out, err := e.run(ctx, ort.Tensor{Shape: shape, Data: pixels})
	if err != nil {
		if ctx.Err() == nil && e.provider == ort.DeviceCPU && !errors.Is(err, palate.ErrInvalid) {
			err = fmt.Errorf("%w: %w", palate.ErrInvalid, err) // elsewhere the device may be at fault
		}
		return fmt.Errorf("try it out on input %q of %s: %w", e.description.Input.Name, shapeText(shape), err)
	}
	pooled, err := e.pool(out, batch)
	if err != nil {
		return err
	}
	e.dim = len(pooled[0])
	return nil
}

// shape is the input's for so many pictures.
func (e *Embedder) shape(batch int64) []int64 {
	w, h := int64(e.description.Input.Width), int64(e.description.Input.Height)
	if e.description.Input.Layout == embedder.LayoutNHWC {
		return []int64{batch, h, w, 3}
	}
	return []int64{batch, 3, h, w}
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
