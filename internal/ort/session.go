package ort

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/palate-art/palate"
)

// Tensor is a dense float32 tensor, row by row: len(Data) is the product of
// Shape, which has at least one dimension.
type Tensor struct {
	Shape []int64
	Data  []float32
}

// The kinds of device.
const (
	DeviceCPU  = "cpu"
	DeviceCUDA = "cuda"
)

// Device is what a session runs on. The zero value is the CPU.
type Device struct {
	Kind string // "cpu" (or empty) or "cuda"
	// Index is the CUDA device's number.
	Index int
	// MemoryLimitBytes bounds ONNX Runtime's memory arena on the device;
	// 0 is no bound. Other memory of the device's libraries comes on top.
	MemoryLimitBytes int64
}

// SessionConfig says how a model is run.
type SessionConfig struct {
	// IntraOpThreads is the number of threads that share one Run. 0 lets
	// ONNX Runtime take one per core. With as many concurrent Runs as cores,
	// 1 is fastest.
	IntraOpThreads int
	Device         Device
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
	switch c.Device.Kind {
	case "", DeviceCPU, DeviceCUDA:
	default:
		errs = append(errs, fmt.Errorf("device %q is none of cpu, cuda", c.Device.Kind))
	}
	if c.Device.Index < 0 {
		errs = append(errs, fmt.Errorf("device number %d", c.Device.Index))
	}
	if c.Device.MemoryLimitBytes < 0 {
		errs = append(errs, fmt.Errorf("memory limit of %d bytes", c.Device.MemoryLimitBytes))
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
// can't be had is ErrUnavailable, and the text says what is missing. The
// caller may reuse model and must Close the session.
func (r *Runtime) NewSession(model []byte, c SessionConfig) (*Session, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	inputs, outputs, err := modelIO(model)
	if err != nil {
		return nil, fmt.Errorf("load onnx model (%d bytes): %w: %w", len(model), palate.ErrInvalid, err)
	}
	if c.Device.Kind == DeviceCUDA {
		if err := r.needs(ProviderCUDA); err != nil {
			return nil, err
		}
	}
	native, err := newNative(model, inputs, outputs, c)
	if err != nil && c.Device.Kind == DeviceCUDA {
		// The device may be at fault or the model: the CPU tells them apart.
		cpu, cpuErr := newNative(model, inputs, outputs, SessionConfig{IntraOpThreads: c.IntraOpThreads})
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
// ErrInvalid. Once ctx is done Run returns its error, after the operator that
// is being computed.
func (s *Session) Run(ctx context.Context, inputs map[string]Tensor, outputs []string) (map[string]Tensor, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("run onnx model: %w", err)
	}
	if err := s.check(inputs, outputs); err != nil {
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
	wanted := make([]bool, len(s.outputs))
	for i, info := range s.outputs {
		wanted[i] = slices.Contains(outputs, info.Name)
	}
	out, err := s.native.run(ctx, in, wanted)
	if err != nil {
		if ctxErr := ctx.Err(); ctxErr != nil {
			return nil, fmt.Errorf("run onnx model: %w", ctxErr)
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
