package ort

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/regular"
)

// Tensor is a dense float32 tensor, row by row: len(Data) is the product of
// Shape, which has at least one dimension.
type Tensor struct {
	Shape []int64
	Data  []float32
}

// SessionConfig says how a model is run.
type SessionConfig struct {
	// IntraOpThreads is the number of threads that share one Run. 0 lets
	// ONNX Runtime take one per core. With as many concurrent Runs as cores,
	// 1 is fastest.
	IntraOpThreads int
	Device         Device
	// Lean leaves out ONNX Runtime's plan of where in one block every value of a
	// Run lies. The block is taken beside what the runs before took: where values
	// are large, as in training, a third of the process's peak.
	Lean bool
	// OwnOperators lets the model have nodes of internal/operators, which run on
	// the CPU.
	OwnOperators bool
}

// DefaultSessionConfig is the CPU with one thread for each Run.
func DefaultSessionConfig() SessionConfig {
	return SessionConfig{IntraOpThreads: 1, Device: Device{Kind: DeviceCPU}}
}

// Validate reports everything that is wrong with c, as ErrInvalid.
func (c SessionConfig) Validate() error {
	var errs []error
	if c.IntraOpThreads < 0 {
		errs = append(errs, fmt.Errorf("%d threads", c.IntraOpThreads))
	}
	if c.Device.Kind == DeviceAuto {
		errs = append(errs, errors.New("device auto is to be resolved first, see Runtime.Choose"))
	}
	if err := c.Device.Validate(); err != nil {
		errs = append(errs, err)
	}
	if len(errs) > 0 {
		return fmt.Errorf("onnx session configuration: %w: %w", palate.ErrInvalid, errors.Join(errs...))
	}
	return nil
}

// Session is one model, ready to run. It is safe for concurrent use.
type Session struct {
	inputs, outputs []IOInfo

	mu     sync.RWMutex // held for reading by every Run, for writing by Close
	native *nativeSession
}

// NewSession loads a model in ONNX's binary form. What is no model, or one
// that ONNX Runtime refuses, is ErrInvalid; a device that is asked for and
// can't be had is ErrUnavailable, and the text says what is missing. Weights
// must be in the model itself. The caller may reuse model and must Close the
// session.
func (r *Runtime) NewSession(model []byte, c SessionConfig) (*Session, error) {
	if files, err := ExternalFiles(model); err == nil && len(files) > 0 {
		return nil, fmt.Errorf("load onnx model: it keeps weights in %q, which only a model loaded from a file can: %w", files, palate.ErrInvalid)
	}
	return r.newSession(model, "", c)
}

// OpenSession is NewSession for a file, whose weights may be in further files
// of its folder; a model may so be larger than the 2 GiB of one file. A file
// that is not there is ErrNotFound.
func (r *Runtime) OpenSession(path string, c SessionConfig) (*Session, error) {
	model, err := ReadModel(path)
	if err != nil {
		return nil, fmt.Errorf("load onnx model: %w", err)
	}
	files, err := ExternalFiles(model)
	if err != nil {
		return nil, fmt.Errorf("load onnx model %s: %w: %w", path, palate.ErrInvalid, err)
	}
	for _, name := range files {
		if _, err := os.Stat(filepath.Join(filepath.Dir(path), name)); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("load onnx model %s: weights: %w: %w", path, palate.ErrNotFound, err)
		}
	}
	return r.newSession(model, path, c)
}

// maxModelBytes is where a protobuf message, and so an ONNX file, ends.
const maxModelBytes = 1<<31 - 1

// ReadModel reads an ONNX file. A file that is not there is ErrNotFound, what
// can't be an ONNX file ErrInvalid.
func ReadModel(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", palate.ErrNotFound, err)
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxModelBytes {
		return nil, fmt.Errorf("%s is no file of at most %d bytes: %w", path, maxModelBytes, palate.ErrInvalid)
	}
	return regular.ReadFile(path, maxModelBytes)
}

// newSession loads the model, from path if that is given.
func (r *Runtime) newSession(model []byte, path string, c SessionConfig) (*Session, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	inputs, outputs, err := modelIO(model)
	if err != nil {
		return nil, fmt.Errorf("load onnx model (%d bytes): %w: %w", len(model), palate.ErrInvalid, err)
	}
	if path != "" {
		model = nil // ONNX Runtime reads the file itself: the memory is free again
	}
	if c.Device.Kind == DeviceCUDA {
		if err := r.needs(ProviderCUDA); err != nil {
			return nil, err
		}
	}
	native, err := newNative(r.api, model, path, inputs, outputs, c)
	if err != nil && c.Device.Kind == DeviceCUDA {
		// The device may be at fault or the model: the CPU tells them apart.
		cpu, cpuErr := newNative(r.api, model, path, inputs, outputs, SessionConfig{IntraOpThreads: c.IntraOpThreads, OwnOperators: c.OwnOperators})
		if cpuErr == nil {
			_ = cpu.close() // the session was only made to tell the two apart
			return nil, fmt.Errorf("load onnx model on CUDA device %d: %w: %w", c.Device.Index, palate.ErrUnavailable, err)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("load onnx model: %w: %w", palate.ErrInvalid, err)
	}
	return &Session{inputs: inputs, outputs: outputs, native: native}, nil
}

func (r *Runtime) needs(provider string) error {
	for _, p := range r.providers {
		if p.Name == provider && p.Available {
			return nil
		}
		if p.Name == provider {
			return fmt.Errorf("no %s: %s: %w", provider, p.Why, palate.ErrUnavailable)
		}
	}
	return fmt.Errorf("no %s in %s: %w", provider, r.library.Path, palate.ErrUnavailable)
}

func ioNames(infos []IOInfo) []string {
	names := make([]string, len(infos))
	for i, info := range infos {
		names[i] = info.Name
	}
	return names
}

// Inputs tells what the model takes, as it declares it.
func (s *Session) Inputs() []IOInfo { return cloneInfos(s.inputs) }

// Outputs tells what the model gives, as it declares it.
func (s *Session) Outputs() []IOInfo { return cloneInfos(s.outputs) }

// Run runs the model on all of its inputs and gives the outputs asked for;
// none asked for means all. The inputs must not change meanwhile; the outputs
// belong to the caller. Dimensions that the model leaves open may be of any
// size, the same in every place where the model gives them the same name.
//
// Every output of the model is computed and copied, whatever is asked for; a
// model with an output of no dimensions can't be run. Only float32 tensors
// can go in and out. What does not fit the model is
// ErrInvalid, a device without room for the run ErrOutOfMemory; a smaller
// batch may pass. Once ctx is done Run returns its error, after the operator that
// is being computed.
func (s *Session) Run(ctx context.Context, inputs map[string]Tensor, outputs []string) (map[string]Tensor, error) {
	return s.run(ctx, inputs, outputs, nil)
}

// RunInto is Run for all outputs, where those named in into are written into
// the memory there instead of new memory. It must be of the output's shape,
// which the model must not leave open, and be in no other Run meanwhile.
func (s *Session) RunInto(ctx context.Context, inputs, into map[string]Tensor) (map[string]Tensor, error) {
	return s.run(ctx, inputs, nil, into)
}

func (s *Session) run(ctx context.Context, inputs map[string]Tensor, outputs []string, into map[string]Tensor) (map[string]Tensor, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("run onnx model: %w", err)
	}
	if err := errors.Join(s.check(inputs, outputs), s.checkInto(into)); err != nil {
		return nil, fmt.Errorf("run onnx model: %w: %w", palate.ErrInvalid, err)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.native == nil {
		return nil, fmt.Errorf("run onnx model: the session is closed: %w", palate.ErrInvalid)
	}

	in := make([]Tensor, len(s.inputs))
	for i, info := range s.inputs {
		in[i] = inputs[info.Name]
	}
	if len(outputs) == 0 {
		outputs = ioNames(s.outputs)
	}
	wanted, places := make([]bool, len(s.outputs)), make([]Tensor, len(s.outputs))
	for i, info := range s.outputs {
		wanted[i], places[i] = slices.Contains(outputs, info.Name), into[info.Name]
	}
	out, err := s.native.run(ctx, in, wanted, places)
	if err != nil {
		if ctxErr := ctx.Err(); ctxErr != nil {
			return nil, fmt.Errorf("run onnx model: %w", ctxErr)
		}
		if isOutOfMemory(err) {
			return nil, fmt.Errorf("run onnx model: %w: %w", ErrOutOfMemory, err)
		}
		return nil, fmt.Errorf("run onnx model: %w", err)
	}
	result := make(map[string]Tensor, len(outputs))
	for i, info := range s.outputs {
		if wanted[i] {
			result[info.Name] = out[i]
		}
	}
	return result, nil
}

// Close waits for the Runs that are under way and frees the model. Later Runs
// are ErrInvalid; later Closes do nothing.
func (s *Session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.native == nil {
		return nil
	}
	err := s.native.close()
	s.native = nil
	if err != nil {
		return fmt.Errorf("close onnx session: %w", err)
	}
	return nil
}
