package ort

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/palate-art/palate"
)

// The kinds of device.
const (
	DeviceAuto = "auto"
	DeviceCPU  = "cpu"
	DeviceCUDA = "cuda"
)

// Device is what a session runs on. The zero value is the CPU.
type Device struct {
	Kind string // "cpu" (or empty), "cuda", or "auto" for the best there is
	// Index is the CUDA device's number.
	Index int
	// MemoryLimitBytes bounds ONNX Runtime's memory arena on the device;
	// 0 is no bound. Other memory of the device's libraries comes on top.
	MemoryLimitBytes int64
}

// ParseDevice reads "auto", "cpu", "cuda" or "cuda:" and a number. Anything
// else is ErrInvalid.
func ParseDevice(text string) (Device, error) {
	kind, number, numbered := strings.Cut(text, ":")
	d := Device{Kind: kind}
	switch kind {
	case DeviceAuto, DeviceCPU:
		if !numbered {
			return d, nil
		}
	case DeviceCUDA:
		if !numbered {
			return d, nil
		}
		if n, err := strconv.ParseUint(number, 10, 16); err == nil {
			d.Index = int(n)
			return d, nil
		}
	}
	return Device{}, fmt.Errorf("device %q is none of auto, cpu, cuda, cuda:0, cuda:1, …: %w", text, palate.ErrInvalid)
}

// String is what ParseDevice reads, with the number of a CUDA device.
func (d Device) String() string {
	switch d.Kind {
	case "":
		return DeviceCPU
	case DeviceCUDA:
		return fmt.Sprintf("%s:%d", DeviceCUDA, d.Index)
	}
	return d.Kind
}

// Validate reports everything that is wrong with d, as ErrInvalid.
func (d Device) Validate() error {
	var errs []error
	switch d.Kind {
	case "", DeviceAuto, DeviceCPU, DeviceCUDA:
	default:
		errs = append(errs, fmt.Errorf("device %q is none of auto, cpu, cuda", d.Kind))
	}
	if d.Index < 0 {
		errs = append(errs, fmt.Errorf("device number %d", d.Index))
	}
	if d.MemoryLimitBytes < 0 {
		errs = append(errs, fmt.Errorf("memory limit of %d bytes", d.MemoryLimitBytes))
	}
	if len(errs) > 0 {
		return fmt.Errorf("%w: %w", palate.ErrInvalid, errors.Join(errs...))
	}
	return nil
}

// Choice is the device that a model runs on.
type Choice struct {
	Device
	// Why it was chosen, where that was left open; else empty.
	Why string
}

// Choose turns DeviceAuto into a device: CUDA if nothing is known to be
// missing for it, else the CPU. A device that is named is taken at its word;
// if something is known to be missing for it, the error is ErrUnavailable and
// names it.
func (r *Runtime) Choose(d Device) (Choice, error) {
	if err := d.Validate(); err != nil {
		return Choice{}, err
	}
	switch d.Kind {
	case DeviceCUDA:
		return Choice{Device: d}, r.needs(ProviderCUDA)
	case DeviceAuto:
		if err := r.needs(ProviderCUDA); err != nil {
			return Choice{Device: Device{Kind: DeviceCPU}, Why: err.Error()}, nil
		}
		d.Kind = DeviceCUDA
		return Choice{Device: d, Why: "everything that CUDA needs is there"}, nil
	}
	d.Kind = DeviceCPU
	return Choice{Device: d}, nil
}

// ErrOutOfMemory is a run for which the device has too little memory. It
// wraps palate.ErrUnavailable.
var ErrOutOfMemory = fmt.Errorf("too little memory: %w", palate.ErrUnavailable)

// outOfMemoryTexts are how ONNX Runtime's arena, CUDA and its libraries, and
// C++ say it. ONNX Runtime has no status code of its own for it.
var outOfMemoryTexts = []string{
	"Failed to allocate memory", "Available memory of", "out of memory", "cudaErrorMemoryAllocation",
	"CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED", "bad_alloc", "bad allocation",
}

func isOutOfMemory(err error) bool {
	text := err.Error()
	for _, t := range outOfMemoryTexts {
		if strings.Contains(text, t) {
			return true
		}
	}
	return false
}
